/**
 * What is on a device? The types, labels and identifiers are those that `blkid -p` prints.
 *
 * The order of the probes is libblkid's (superblocks/superblocks.c): containers first, so that the first disk of a RAID 1 is not taken
 * for the file system inside.
 */
import type { Bytes } from '../bytes/struct.ts';
import { Corrupt } from '../errors.ts';
import type { BlockDevice } from '../io/device.ts';
import type { Io } from '../io/effect.ts';
import { type Found, type Probe, Window } from './signature-window.ts';
import { CONTAINERS, LAYERS } from './signatures-container.ts';
import { BCACHE, LINUX_FILESYSTEMS, LINUX_SWAP, OTHER_LINUX_FILESYSTEMS } from './signatures-linux.ts';
import { OPTICAL } from './signatures-optical.ts';
import { LATE_UNIX, lookVmfs, UNIX, ZFS } from './signatures-unix.ts';
import { EXFAT, HPFS, NTFS, REFS, VFAT } from './signatures-windows.ts';

/** What stands on a device. */
export interface Signature {
  /** The TYPE that blkid prints: `ext4`, `vfat`, `crypto_LUKS`, `LVM2_member`, ... */
  readonly type: string;
  readonly usage: 'filesystem' | 'raid' | 'crypto' | 'other';
  /** The label as blkid prints it (UTF-8 where the format has UTF-16); empty when there is none. */
  readonly label: Bytes;
  /** The UUID, or what blkid prints as such; undefined when there is none. */
  readonly uuid?: string;
  /** The version as blkid prints it. */
  readonly version?: string;
}

const PROBES: readonly Probe[] = [
  ...CONTAINERS,
  BCACHE,
  ...LAYERS,
  VFAT,
  ...LINUX_SWAP,
  ...LINUX_FILESYSTEMS,
  ...OPTICAL,
  ZFS,
  ...UNIX,
  HPFS,
  NTFS,
  REFS,
  ...OTHER_LINUX_FILESYSTEMS,
  ...LATE_UNIX,
  EXFAT,
];

/** Floppies are taken at their first word, as blkid does. */
const TINY = 1_474_560;

/**
 * Recognises what is on a device; undefined for what is unknown or empty. Two requests, for both ends of the device, serve most
 * types; a label that stands elsewhere costs a few more. Throws Corrupt when the device carries the signs of several file systems,
 * where blkid prints nothing.
 */
export function* identify(device: BlockDevice): Io<Signature | undefined> {
  if (device.size < 512) return undefined;
  const window = yield* Window.open(device);
  const hits: { probe: Probe; found: Found }[] = [];
  for (const probe of PROBES) {
    const looked = probe.look(window);
    if (looked === undefined) continue;
    const found = probe.more === undefined ? looked : yield* probe.more(window, looked);
    if (found.type === '') continue;
    hits.push({ probe, found });
    if (device.size <= TINY && hits.length === 1) break;
    if (probe.usage === 'raid' || probe.usage === 'crypto') break;
  }
  const [first] = hits;
  if (first === undefined) {
    const far = yield* lookVmfs(window);
    return far === undefined ? undefined : signature(far.type, far.usage, far);
  }
  const strict = hits.filter(({ probe }) => probe.tolerant !== true);
  if (hits.length > 1 && strict.length > 0) {
    throw new Corrupt(
      `it looks like several things at once: ${hits.map(({ probe, found }) => found.type ?? probe.type).join(', ')}; remove the stale signatures with wipefs`,
      {
        layer: 'signatures',
      },
    );
  }
  const { probe, found } = first;
  const type = found.type ?? probe.type;
  return signature(type, type === 'jbd' ? 'other' : probe.usage, found);
}

function signature(type: string, usage: Signature['usage'], { label, uuid, version }: Found): Signature {
  return {
    type,
    usage,
    label: label ?? new Uint8Array(0),
    ...(uuid === undefined ? {} : { uuid }),
    ...(version === undefined ? {} : { version }),
  };
}
