/** Probes for the file systems and swap areas of Linux. Offsets are those of the formats' own superblocks in the Linux kernel. */
import { isZero } from '../bytes/text.ts';
import { uuidText } from '../bytes/uuid.ts';
import { type Found, found, type Probe, paddedLabel, type Region, utf16Label, type Window } from './signature-window.ts';

/** The UUID at `offset` in network order; undefined when all its bytes are zero. */
export function uuidAt(region: Region, offset: number): string | undefined {
  const bytes = region.slice(offset, 16);
  return isZero(bytes) ? undefined : uuidText(bytes);
}

const EXT = 1024;
const COMPAT_HAS_JOURNAL = 0x4;
const INCOMPAT_JOURNAL_DEVICE = 0x8;
/** FILETYPE, RECOVER, META_BG: what ext3 knows. */
const EXT3_INCOMPAT = 0x2 | 0x4 | 0x10;
/** SPARSE_SUPER, LARGE_FILE, BTREE_DIR. */
const EXT3_RO_COMPAT = 0x1 | 0x2 | 0x4;
const FLAGS_TEST_FILESYSTEM = 0x4;

function isExt(head: Region): boolean {
  return head.u16(EXT + 56) === 0xef53 && head.u32(EXT + 24) <= 6 && head.u32(EXT + 4) !== 0;
}

/** ext4 is what has a feature that ext3 lacks; ext3 is what has a journal; the rest is ext2. */
function lookExt(window: Window): Found | undefined {
  const { head } = window;
  if (!isExt(head)) return undefined;
  const version = `${head.u32(EXT + 76)}.${head.u16(EXT + 62)}`;
  const label = paddedLabel(head.slice(EXT + 120, 16));
  const uuid = uuidAt(head, EXT + 104);
  const compat = head.u32(EXT + 92);
  const incompat = head.u32(EXT + 96);
  const roCompat = head.u32(EXT + 100);
  const beyondExt3 = (incompat & ~EXT3_INCOMPAT) !== 0 || (roCompat & ~EXT3_RO_COMPAT) !== 0;
  let type = 'ext2';
  if ((incompat & INCOMPAT_JOURNAL_DEVICE) !== 0) type = 'jbd';
  else if (beyondExt3) type = (head.u32(EXT + 352) & FLAGS_TEST_FILESYSTEM) !== 0 ? 'ext4dev' : 'ext4';
  else if ((compat & COMPAT_HAS_JOURNAL) !== 0) type = 'ext3';
  return found({ type, label, uuid, version });
}

function lookXfs({ head }: Window): Found | undefined {
  const blockSize = head.u32(4, false);
  const sectorSize = head.u16(102, false);
  if (!head.is(0, 'XFSB') || blockSize < 512 || blockSize > 65_536 || (blockSize & (blockSize - 1)) !== 0) return undefined;
  if (sectorSize < 512 || sectorSize > 32_768 || head.u32(84, false) === 0 || head.u32(88, false) === 0) return undefined;
  return found({ label: paddedLabel(head.slice(108, 12)), uuid: uuidAt(head, 32) });
}

function lookXfsLog({ head }: Window): Found | undefined {
  for (let at = 0; at < 65_536; at += 512) {
    if (head.is(at, 'XFSB')) return undefined;
    const version = head.u32(at + 4, false);
    const format = head.u32(at + 300, false);
    if (head.u32(at, false) === 0xfeed_babe && version >= 1 && version <= 2 && format >= 1 && format <= 3) return {};
  }
  return undefined;
}

function lookBtrfs({ head }: Window): Found | undefined {
  if (!head.is(65_600, '_BHRfS_M') || head.u64(65_536 + 48) !== 65_536n) return undefined;
  return found({ label: paddedLabel(head.slice(65_536 + 299, 256)), uuid: uuidAt(head, 65_536 + 32) });
}

/** The signature stands in the last ten bytes of the first page, whose size is the machine's. */
const PAGE_ENDS = [4086, 8182, 16_374, 32_758, 65_526] as const;
const TUX_ON_ICE = '\xed\xc3\x02\xe9\x98\x56\xe5\x0c';
const SUSPEND = new Map([
  ['S1SUSPEND', 's1suspend'],
  ['S2SUSPEND', 's2suspend'],
  ['ULSUSPEND', 'ulsuspend'],
  ['LINHIB0001', 'linhib0001'],
]);

const swapLabel = (head: Region): Found => found({ label: paddedLabel(head.slice(1052, 16)), uuid: uuidAt(head, 1036) });

function lookSwap({ head }: Window): Found | undefined {
  if (head.is(0, TUX_ON_ICE)) return undefined;
  for (const at of PAGE_ENDS) {
    if (head.is(at, 'SWAP-SPACE')) return { version: '0' };
    if (!head.is(at, 'SWAPSPACE2')) continue;
    const little = head.u32(1024) === 1;
    if (!little && head.u32(1024, false) !== 1) continue;
    if (head.u32(1028, little) === 0) continue;
    return { ...swapLabel(head), version: '1' };
  }
  return undefined;
}

function lookSuspend({ head }: Window): Found | undefined {
  if (head.is(0, TUX_ON_ICE)) return { ...swapLabel(head), version: 'tuxonice' };
  for (const at of PAGE_ENDS) {
    for (const [magic, version] of SUSPEND) if (head.is(at, magic)) return { ...swapLabel(head), version };
  }
  return undefined;
}

const REISER: readonly (readonly [number, string])[] = [
  [8192 + 0x34, 'ReIsErFs'],
  [8192 + 20, 'ReIsErFs'],
  [65_536 + 0x34, 'ReIsErFs'],
  [65_536 + 0x34, 'ReIsEr2Fs'],
  [65_536 + 0x34, 'ReIsEr3Fs'],
];

function lookReiserfs({ head }: Window): Found | undefined {
  for (const [at, magic] of REISER) {
    const start = at > 65_536 ? 65_536 : 8192;
    if (!head.is(at, magic) || head.u16(start + 44) < 512) continue;
    const version = magic === 'ReIsErFs' ? '3.5' : magic === 'ReIsEr2Fs' ? '3.6' : 'JR';
    if (version === '3.5') return { version };
    return found({ version, label: paddedLabel(head.slice(65_536 + 100, 16)), uuid: uuidAt(head, 65_536 + 84) });
  }
  return undefined;
}

function lookReiser4({ head }: Window): Found | undefined {
  if (!head.is(65_536, 'ReIsEr4')) return undefined;
  return found({ version: '4', label: paddedLabel(head.slice(65_536 + 36, 16)), uuid: uuidAt(head, 65_536 + 20) });
}

function lookJfs({ head }: Window): Found | undefined {
  if (!head.is(32_768, 'JFS1') || head.u32(32_768 + 16) !== 1 << head.u16(32_768 + 20)) return undefined;
  return found({ label: paddedLabel(head.slice(32_768 + 152, 16)), uuid: uuidAt(head, 32_768 + 136) });
}

function lookNilfs2({ head }: Window): Found | undefined {
  const length = head.u16(1024 + 8);
  if (head.u16(1030) !== 0x3434 || length < 256 || length > 1024 || head.u32(1024 + 20) > 6) return undefined;
  return found({ version: String(head.u32(1024)), label: paddedLabel(head.slice(1024 + 168, 80)), uuid: uuidAt(head, 1024 + 152) });
}

const MINIX: ReadonlyMap<number, string> = new Map([
  [0x137f, '1'],
  [0x138f, '1'],
  [0x2468, '2'],
  [0x2478, '2'],
]);

function lookMinix({ head, size }: Window): Found | undefined {
  // The magic numbers of versions 1 and 2 stand where ext2 counts its free inodes.
  if (isExt(head)) return undefined;
  for (const little of [true, false]) {
    const version = MINIX.get(head.u16(1040, little));
    if (version !== undefined) {
      const zones = version === '2' ? head.u32(1044, little) : head.u16(1026, little);
      const inodeMap = head.u16(1028, little);
      const zoneMap = head.u16(1030, little);
      const firstZone = head.u16(1032, little);
      if (head.u16(1024, little) === 0 || inodeMap === 0 || zoneMap === 0 || head.u16(1034, little) > 20) continue;
      if (firstZone < 2 + inodeMap + zoneMap || zones <= firstZone || zones * 1024 > size || zoneMap * 8192 < zones - firstZone) continue;
      return { version };
    }
    if (head.u16(1048, little) === 0x4d5a && head.u32(1024, little) !== 0 && head.u16(1030, little) !== 0 && head.u16(1032, little) !== 0) {
      return { version: '3' };
    }
  }
  return undefined;
}

function lookGfs2({ head }: Window): Found | undefined {
  if (!head.is(65_536, '\x01\x16\x19\x70\x00\x00\x00\x01')) return undefined;
  const format = head.u32(65_536 + 24, false);
  const label = paddedLabel(head.slice(65_536 + 160, 64));
  if (format === 1309) return found({ type: 'gfs', label });
  if (format < 1801 || format > 1899) return undefined;
  return found({ label, uuid: uuidAt(head, 65_536 + 256), version: '1' });
}

function lookOcfs2({ head }: Window): Found | undefined {
  for (const at of [1024, 2048, 4096, 8192]) {
    if (head.is(at, 'OCFSV2')) return found({ label: paddedLabel(head.slice(at + 272, 64)), uuid: uuidAt(head, at + 336) });
  }
  return undefined;
}

function lookSquashfs({ head }: Window): Found | undefined {
  if (!head.is(0, 'hsqs') || head.u16(28) < 4) return undefined;
  return { version: `${head.u16(28)}.${head.u16(30)}` };
}

function lookSquashfs3({ head }: Window): Found | undefined {
  const little = head.is(0, 'hsqs');
  if (!little && !head.is(0, 'sqsh')) return undefined;
  const major = head.u16(28, little);
  return major === 0 || major > 3 ? undefined : { version: `${major}.${head.u16(30, little)}` };
}

function lookErofs({ head }: Window): Found | undefined {
  if (head.u32(1024) !== 0xe0f5_e1e2) return undefined;
  return found({ label: paddedLabel(head.slice(1024 + 64, 16)), uuid: uuidAt(head, 1024 + 48) });
}

function lookF2fs({ head }: Window): Found | undefined {
  if (head.u32(1024) !== 0xf2f5_2010) return undefined;
  const version = `${head.u16(1028)}.${head.u16(1030)}`;
  if (head.u16(1028) < 1) return { version };
  return found({ label: utf16Label(head.slice(1024 + 124, 1024), true), uuid: uuidAt(head, 1024 + 108), version });
}

function lookBcachefs({ head }: Window): Found | undefined {
  const at = 4096;
  const magics = [
    '\xc6\x85\x73\xf6\x4e\x1a\x45\xca\x82\x65\xf5\x7f\x48\xba\x6d\x81',
    '\xc6\x85\x73\xf6\x66\xce\x90\xa9\xd9\x6a\x60\xcf\x80\x3d\xf7\xef',
  ];
  if (head.is(at + 24, magics[1] ?? '')) {
    return found({ type: 'bcachefs', label: paddedLabel(head.slice(at + 72, 32)), uuid: uuidAt(head, at + 56) });
  }
  // bcache and the first bcachefs share a magic number; bcache's own version is below 7.
  if (!head.is(at + 24, magics[0] ?? '') || head.u64(at + 8) !== 8n) return undefined;
  return found({ type: 'bcache', uuid: uuidAt(head, at + 40) });
}

function lookCramfs({ head }: Window): Found | undefined {
  if (head.u32(0) !== 0x28cd_3d45 && head.u32(0, false) !== 0x28cd_3d45) return undefined;
  return found({ label: paddedLabel(head.slice(48, 16)) });
}

function lookUbifs({ head }: Window): Found | undefined {
  if (head.u32(0) !== 0x0610_1831 || head.u8(20) !== 6) return undefined;
  return found({ uuid: uuidAt(head, 108), version: `w${head.u32(80)}r${head.u32(112 + 12)}` });
}

export const LINUX_SWAP: readonly Probe[] = [
  { type: 'swsuspend', usage: 'other', look: lookSuspend },
  { type: 'swap', usage: 'other', look: lookSwap },
];

export const LINUX_FILESYSTEMS: readonly Probe[] = [
  { type: 'xfs', usage: 'filesystem', look: lookXfs },
  { type: 'xfs_external_log', usage: 'other', look: lookXfsLog },
  { type: 'ext4', usage: 'filesystem', look: lookExt },
  { type: 'reiserfs', usage: 'filesystem', look: lookReiserfs },
  { type: 'reiser4', usage: 'filesystem', look: lookReiser4 },
  { type: 'jfs', usage: 'filesystem', look: lookJfs },
];

const plain = (type: string, at: number, magic: string): Probe => ({
  type,
  usage: 'filesystem',
  look: ({ head }) => (head.is(at, magic) ? {} : undefined),
});

export const OTHER_LINUX_FILESYSTEMS: readonly Probe[] = [
  { type: 'cramfs', usage: 'filesystem', look: lookCramfs },
  {
    type: 'romfs',
    usage: 'filesystem',
    look: ({ head }) => (head.is(0, '-rom1fs-') ? found({ label: paddedLabel(head.slice(16, 16)) }) : undefined),
  },
  { type: 'minix', usage: 'filesystem', look: lookMinix },
  { type: 'gfs2', usage: 'filesystem', look: lookGfs2 },
  { type: 'ocfs2', usage: 'filesystem', look: lookOcfs2 },
  { type: 'squashfs', usage: 'filesystem', look: lookSquashfs },
  { type: 'squashfs3', usage: 'filesystem', look: lookSquashfs3 },
  { type: 'btrfs', usage: 'filesystem', look: lookBtrfs },
  { type: 'ubifs', usage: 'filesystem', look: lookUbifs },
  { type: 'nilfs2', usage: 'filesystem', look: lookNilfs2 },
  { type: 'f2fs', usage: 'filesystem', look: lookF2fs },
  plain('zonefs', 0, 'SFOZ'),
  { type: 'erofs', usage: 'filesystem', look: lookErofs },
];

export const BCACHE: Probe = { type: 'bcache', usage: 'other', look: lookBcachefs };
