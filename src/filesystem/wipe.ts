/** Erasing the magic numbers by which file systems, partition tables and other contents are recognised. */
import { latin1 } from '../bytes/text.ts';
import type { WritableDevice } from '../io/device.ts';
import type { Io } from '../io/effect.ts';
import { fatVersion } from '../partition/index.ts';

/** A magic number: its bytes, one per character, and where they stand; negative offsets count from the end of the device. */
type Magic = readonly [offset: number, bytes: string];

const PAGE_ENDS = [4096, 8192, 16_384, 32_768, 65_536];
const LVM_SECTORS = [0, 512, 1024, 1536];

/** Offsets are those of the probes in signatures-*.ts, which take them from the formats themselves. */
const MAGICS: readonly Magic[] = [
  // Partition tables: boot signature, GPT and its backup, Apple, BSD, Sun, SGI.
  [510, '\x55\xaa'],
  [512, 'EFI PART'],
  [4096, 'EFI PART'],
  [-512, 'EFI PART'],
  [-4096, 'EFI PART'],
  [0, 'ER'],
  [512, 'PM'],
  [512, '\x57\x45\x56\x82'],
  [64, '\x57\x45\x56\x82'],
  [508, '\xda\xbe'],
  [0, '\x0b\xe5\xa9\x41'],
  // ext, XFS, btrfs, F2FS, reiserfs, JFS, NILFS2, bcachefs, EROFS, squashfs, cramfs, romfs, minix.
  [1080, '\x53\xef'],
  [0, 'XFSB'],
  [65_600, '_BHRfS_M'],
  [1024, '\x10\x20\xf5\xf2'],
  [8192 + 0x34, 'ReIsErFs'],
  [8192 + 20, 'ReIsErFs'],
  [65_536 + 0x34, 'ReIsErFs'],
  [65_536 + 0x34, 'ReIsEr2Fs'],
  [65_536 + 0x34, 'ReIsEr3Fs'],
  [65_536, 'ReIsEr4'],
  [32_768, 'JFS1'],
  [1030, '\x34\x34'],
  [4096 + 24, '\xc6\x85\x73\xf6\x4e\x1a\x45\xca\x82\x65\xf5\x7f\x48\xba\x6d\x81'],
  [1024, '\xe2\xe1\xf5\xe0'],
  [0, 'hsqs'],
  [0, 'sqsh'],
  [0, '\x45\x3d\xcd\x28'],
  [0, '\x28\xcd\x3d\x45'],
  [0, '-rom1fs-'],
  [1040, '\x7f\x13'],
  [1040, '\x8f\x13'],
  [1040, '\x68\x24'],
  [1040, '\x78\x24'],
  [1048, '\x5a\x4d'],
  // FAT, NTFS, exFAT, ReFS, BitLocker.
  [0x36, 'FAT12   '],
  [0x36, 'FAT16   '],
  [0x36, 'FAT     '],
  [0x36, 'MSDOS   '],
  [0x52, 'FAT32   '],
  [0x52, 'MSWIN   '],
  [3, 'NTFS    '],
  [3, 'EXFAT   '],
  [3, 'ReFS\0\0\0\0'],
  [3, '-FVE-FS-'],
  // Optical media and HFS.
  [32_769, 'CD001'],
  [34_817, 'CD001'],
  [36_865, 'CD001'],
  [32_769, 'BEA01'],
  [34_817, 'NSR02'],
  [34_817, 'NSR03'],
  [1024, 'BD'],
  [1024, 'H+'],
  [1024, 'HX'],
  [32, 'NXSB'],
  // UFS.
  [8192 + 1372, '\x54\x19\x01\x00'],
  [65_536 + 1372, '\x19\x01\x54\x19'],
  // LUKS, LVM, MD, bcache, DRBD, swap and hibernation.
  [0, 'LUKS\xba\xbe'],
  [16_384, 'SKUL\xba\xbe'],
  ...LVM_SECTORS.map((at): Magic => [at, 'LABELONE']),
  [0, '\xfc\x4e\x2b\xa9'],
  [4096, '\xfc\x4e\x2b\xa9'],
  [4096 + 24, '\xc6\x85\x73\xf6\x4e\x1a\x45\xca\x82\x65\xf5\x7f\x48\xba\x6d\x81'],
  ...PAGE_ENDS.flatMap((end): Magic[] => [
    [end - 10, 'SWAPSPACE2'],
    [end - 10, 'SWAP-SPACE'],
    [end - 10, 'S1SUSPEND'],
    [end - 10, 'S2SUSPEND'],
    [end - 10, 'ULSUSPEND'],
    [end - 10, 'LINHIB0001'],
  ]),
  [0, '\xed\xc3\x02\xe9\x98\x56\xe5\x0c'],
];

const HEAD = 73_728;
const MD = '\xfc\x4e\x2b\xa9';

/**
 * Overwrites with zeros the magic numbers that stand on a device, and nothing else, so that blkid and we find nothing on it. Returns how many
 * there were.
 */
export function* wipeSignatures(device: WritableDevice): Io<number> {
  const head = (yield* device.read(0, Math.min(HEAD, device.size))).slice();
  let wiped = 0;
  const wipe = function* (at: number, length: number): Io<void> {
    yield* device.write(at, new Uint8Array(length));
    wiped++;
  };
  const matches = function* (at: number, magic: string): Io<boolean> {
    if (at < 0 || at + magic.length > device.size) return false;
    const there = at + magic.length <= head.length ? head.subarray(at, at + magic.length) : yield* device.read(at, magic.length);
    return latin1(there) === magic;
  };
  // Without its names FAT is still known by its jump.
  if (fatVersion(head) !== undefined) {
    yield* wipe(0, 1);
    head[0] = 0;
  }
  for (const [offset, magic] of MAGICS) {
    const at = offset < 0 ? device.size + offset : offset;
    if (yield* matches(at, magic)) {
      yield* wipe(at, magic.length);
      // Two rules may name the same bytes.
      if (at + magic.length <= head.length) head.fill(0, at, at + magic.length);
    }
  }
  // MD 0.90 and 1.0 stand near the end, aligned.
  const places = [Math.floor(device.size / 65_536) * 65_536 - 65_536, Math.floor((device.size - 8192) / 4096) * 4096];
  for (const at of new Set(places)) if (yield* matches(at, MD)) yield* wipe(at, MD.length);
  return wiped;
}
