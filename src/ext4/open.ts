/** Finding a usable superblock: the primary one, or a backup. */
import type { Bytes } from '../bytes/struct.ts';
import { Corrupt, GuestlessError, Unsupported } from '../errors.ts';
import type { BlockDevice } from '../io/device.ts';
import type { Io } from '../io/effect.ts';
import type { Complaints } from './complaints.ts';
import { SUPERBLOCK_OFFSET } from './format/index.ts';
import { groupFirstBlock } from './layout.ts';
import { hasSuperblockMagic, parseSuperblock, type Superblock } from './superblock.ts';

export interface FoundSuperblock {
  readonly superblock: Superblock;
  /** The group it stands in; its copy of the group descriptors follows it. */
  readonly group: number;
  /** Byte offset on the device. */
  readonly offset: number;
}

/** Groups that hold copies under sparse_super, nearest first; group 1 has one in every case but sparse_super2. */
const BACKUP_GROUPS = [1, 3, 5, 7, 9, 25, 27, 49];

/** Reads and checks the superblock at byte `offset`. Throws Corrupt where there is none. */
export function* readSuperblockAt(device: BlockDevice, offset: number, complaints: Complaints): Io<Superblock> {
  if (offset + 1024 > device.size) {
    throw new Corrupt('no ext2, ext3 or ext4 file system: the device ends before the superblock', { layer: 'ext4', offset });
  }
  const bytes: Bytes = (yield* device.read(offset, 1024)).slice();
  return parseSuperblock(
    bytes,
    { offset },
    { checksums: complaints.checksums, onMismatch: (message) => complaints.warn(message, { offset }) },
  );
}

/** The primary superblock; when it is bad, the first good backup, with a warning. */
export function* findSuperblock(device: BlockDevice, complaints: Complaints): Io<FoundSuperblock> {
  try {
    return { superblock: yield* readSuperblockAt(device, SUPERBLOCK_OFFSET, complaints), group: 0, offset: SUPERBLOCK_OFFSET };
  } catch (error) {
    if (!(error instanceof Corrupt)) throw error;
    const found = yield* searchBackups(device, complaints);
    if (found === undefined) throw error;
    complaints.warn(`${error.message}; the backup in block group ${found.group} is used instead`, { offset: SUPERBLOCK_OFFSET });
    return found;
  }
}

/** Looks where mke2fs puts copies, at every block size: groups of 8 blocks for each byte of a block. */
function* searchBackups(device: BlockDevice, complaints: Complaints): Io<FoundSuperblock | undefined> {
  for (let blockSize = 1024; blockSize <= 65536; blockSize *= 2) {
    for (const group of BACKUP_GROUPS) {
      const offset = (group * 8 * blockSize + (blockSize === 1024 ? 1 : 0)) * blockSize;
      if (offset + 1024 > device.size) break;
      const bytes = yield* device.read(offset, 1024);
      if (!hasSuperblockMagic(bytes)) continue;
      const found = yield* tryBackup(device, offset, group, complaints);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

function* tryBackup(device: BlockDevice, offset: number, group: number, complaints: Complaints): Io<FoundSuperblock | undefined> {
  try {
    return { superblock: yield* readBackup(device, offset, complaints), group, offset };
  } catch (error) {
    if (error instanceof GuestlessError && !(error instanceof Unsupported)) return undefined;
    throw error;
  }
}

/** The superblock at `offset`, which has to stand where its own geometry puts the copy of its group. */
export function* readBackup(device: BlockDevice, offset: number, complaints: Complaints): Io<Superblock> {
  const superblock = yield* readSuperblockAt(device, offset, complaints);
  const group = superblock.raw.s_block_group_nr;
  if (group === 0 || group >= superblock.groupCount || groupFirstBlock(superblock, group) * superblock.blockSize !== offset) {
    throw new Corrupt(`superblock: a copy of block group ${group} does not belong here`, { layer: 'ext4', offset });
  }
  return superblock;
}
