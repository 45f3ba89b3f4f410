/** Probes for what contains other things: RAID members, LVM, encryption, and other layers below file systems. */
import { latin1, untilNul } from '../bytes/text.ts';
import { uuidText } from '../bytes/uuid.ts';
import { type Found, found, type Probe, paddedLabel, type Region, type Window } from './signature-window.ts';
import { uuidAt } from './signatures-linux.ts';

const MD_MAGIC = 0xa92b_4efc;
const hex32 = (value: number): string => value.toString(16).padStart(8, '0');

/** Linux MD: version 0.90 near the end, 1.0 at the end, 1.1 at the beginning, 1.2 4 KiB in (include/uapi/linux/raid/md_p.h). */
function lookMd({ head, tail, size }: Window): Found | undefined {
  const old = Math.floor(size / 65_536) * 65_536 - 65_536;
  for (const little of old >= 0 ? [true, false] : []) {
    if (tail.u32(old, little) !== MD_MAGIC || tail.u32(old + 4, little) !== 0) continue;
    const minor = tail.u32(old + 8, little);
    const words = [20, 52, 56, 60].map((at) => hex32(minor >= 90 || at === 20 ? tail.u32(old + at, little) : 0)).join('');
    const uuid = uuidText(Uint8Array.from({ length: 16 }, (_, i) => Number.parseInt(words.slice(2 * i, 2 * i + 2), 16)));
    return { uuid, version: `0.${minor}.${tail.u32(old + 12, little)}` };
  }
  const end = Math.floor((Math.floor(size / 512) - 16) / 8) * 8 * 512;
  const places: readonly (readonly [Region, number, string])[] = [
    [tail, end, '1.0'],
    [head, 0, '1.1'],
    [head, 4096, '1.2'],
  ];
  for (const [region, at, version] of places) {
    if (at < 0 || region.u32(at) !== MD_MAGIC || region.u32(at + 4) !== 1 || region.u64(at + 144) !== BigInt(at / 512)) continue;
    return found({ uuid: uuidAt(region, at + 16), label: paddedLabel(region.slice(at + 32, 32)), version });
  }
  return undefined;
}

/** LVM2 keeps a label in one of the first four sectors; the identifier is 32 letters in groups. */
function lookLvm2({ head }: Window): Found | undefined {
  for (let sector = 0; sector < 4; sector++) {
    const at = sector * 512;
    if (!head.is(at, 'LABELONE') || !head.is(at + 24, 'LVM2 001') || head.u64(at + 8) !== BigInt(sector)) continue;
    const header = head.u32(at + 20);
    if (header > 512 - 32) continue;
    const id = head.text(at + header, 32);
    const groups = [id.slice(0, 6), ...(id.slice(6, 26).match(/.{4}/gs) ?? []), id.slice(26)];
    return { uuid: groups.join('-'), version: 'LVM2 001' };
  }
  return undefined;
}

const LUKS = 'LUKS\xba\xbe';
const LUKS_SECOND = 'SKUL\xba\xbe';

/** The second header of LUKS2 helps when the first is gone (LUKS2 On-Disk Format Specification, 2.1). */
function lookLuks({ head }: Window): Found | undefined {
  const places = [0, 0x4000, 0x8000, 0x10000];
  for (const at of places) {
    if (!head.is(at, at === 0 ? LUKS : LUKS_SECOND)) continue;
    const version = head.u16(at + 6, false);
    if (version !== 1 && version !== 2) continue;
    const uuid = latin1(untilNul(head.slice(at + 168, 40)));
    const label = version === 2 ? paddedLabel(head.slice(at + 24, 48)) : undefined;
    return found({ version: String(version), uuid: uuid === '' ? undefined : uuid, label });
  }
  return undefined;
}

function lookBitLocker({ head }: Window): Found | undefined {
  const volume = head.is(0, '\xeb\x52\x90-FVE-FS-') || head.is(0, '\xeb\x58\x90-FVE-FS-');
  // BitLocker To Go looks like FAT; the GUID at 424 tells (libbde, BDE format).
  const toGo = head.is(0, '\xeb\x58\x90MSWIN4.1') && head.is(424, '\x3b\xd6\x67\x49\x29\x2e\xd8\x4a\x83\x99\xf6\xa3\x39\xe3\xd0\x01');
  return volume || toGo ? {} : undefined;
}

/** A probe for a plain magic number, with a UUID in network order where one stands. */
function plain(type: string, usage: Probe['usage'], at: number, magic: string, uuidOffset?: number): Probe {
  return {
    type,
    usage,
    look: ({ head }) => (head.is(at, magic) ? found({ uuid: uuidOffset === undefined ? undefined : uuidAt(head, uuidOffset) }) : undefined),
  };
}

/** A probe for a magic number that stands `distance` bytes before the end, in whole sectors. */
function atEnd(type: string, distance: number, magic: string): Probe {
  return {
    type,
    usage: 'raid',
    look: ({ tail, size }) => (tail.is(Math.floor(size / 512) * 512 - distance, magic) ? {} : undefined),
  };
}

export const CONTAINERS: readonly Probe[] = [
  { type: 'linux_raid_member', usage: 'raid', look: lookMd },
  atEnd('ddf_raid_member', 512, '\xde\x11\xde\x11'),
  atEnd('isw_raid_member', 1024, 'Intel Raid ISM Cfg Sig. '),
  atEnd('lsi_mega_raid_member', 512, '$XIDE$'),
  atEnd('nvidia_raid_member', 1024, 'NVIDIA'),
  atEnd('adaptec_raid_member', 256, 'DPTM'),
];

export const LAYERS: readonly Probe[] = [
  plain('ceph_bluestore', 'other', 0, 'bluestore block device'),
  { type: 'LVM2_member', usage: 'raid', look: lookLvm2 },
  plain('DM_snapshot_cow', 'other', 0, 'SnAp'),
  plain('DM_verity_hash', 'crypto', 0, 'verity\0\0', 16),
  plain('DM_integrity', 'crypto', 0, 'integrt\0'),
  { type: 'crypto_LUKS', usage: 'crypto', look: lookLuks },
  {
    type: 'ubi',
    usage: 'raid',
    look: ({ head }) => (head.is(0, 'UBI#') ? { version: String(head.u8(4)), uuid: String(head.u32(24, false)) } : undefined),
  },
  plain('vdo', 'other', 0, 'dmvdo001', 40),
  plain('stratis', 'raid', 0x204, '!Stra0tis\x86\xff\x02^\x41rh'),
  { type: 'BitLocker', usage: 'crypto', look: lookBitLocker },
];
