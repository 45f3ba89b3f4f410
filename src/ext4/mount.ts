/** Mounting: superblock, journal, root. */
import { Corrupt, Refused } from '../errors.ts';
import type { BlockDevice } from '../io/device.ts';
import type { Io } from '../io/effect.ts';
import { Complaints } from './complaints.ts';
import { Ext4 } from './ext4.ts';
import { EXT4_ERROR_FS, EXT4_ROOT_INO } from './format/index.ts';
import { readNode } from './inode-table.ts';
import { type FoundSuperblock, findSuperblock, readBackup } from './open.ts';
import { Volume } from './volume.ts';

export interface Ext4Options {
  /** `verify` (default): a wrong checksum is Corrupt. `ignore`: it is a warning. */
  readonly checksums?: 'verify' | 'ignore';
  /** Byte offset of a backup superblock to use, as `e2fsck -b` does with a block number. By default the primary, or a backup when it is bad. */
  readonly superblockOffset?: number;
  /** Bytes of metadata to keep in memory; default 16 MiB. */
  readonly cacheBudget?: number;
}

/**
 * Mounts the ext2, ext3 or ext4 file system on a device, for reading. Throws Corrupt for what is none or is broken, Unsupported for
 * incompatible features that this library does not read, by name.
 */
export function* mountExt4(device: BlockDevice, options: Ext4Options = {}): Io<Ext4> {
  const complaints = new Complaints(options.checksums ?? 'verify');
  const volume = yield* openVolume(device, options, complaints);
  const { superblock } = volume;
  if ((superblock.raw.s_state & EXT4_ERROR_FS) !== 0)
    complaints.warn('the file system recorded errors when it was last in use; e2fsck should check it');
  if (superblock.blocksCount * superblock.blockSize > device.size) {
    complaints.warn(
      `the device has ${device.size} bytes, the file system ${superblock.blocksCount * superblock.blockSize}: its end is missing`,
    );
  }
  const root = yield* readNode(volume, EXT4_ROOT_INO);
  if (root.kind !== 'directory') throw new Corrupt('the root is no directory', { layer: 'ext4', inode: EXT4_ROOT_INO });
  return new Ext4(volume);
}

function* openVolume(device: BlockDevice, options: Ext4Options, complaints: Complaints): Io<Volume> {
  const found = yield* superblockFor(device, options, complaints);
  return new Volume(device, found.superblock, {
    complaints,
    fromGroup: found.group,
    ...(options.cacheBudget === undefined ? {} : { cacheBudget: options.cacheBudget }),
  });
}

function* superblockFor(device: BlockDevice, options: Ext4Options, complaints: Complaints): Io<FoundSuperblock> {
  const offset = options.superblockOffset;
  if (offset === undefined) return yield* findSuperblock(device, complaints);
  if (!(Number.isSafeInteger(offset) && offset > 1024))
    throw new Refused(`${offset} is no place of a backup superblock`, { layer: 'ext4' });
  const superblock = yield* readBackup(device, offset, complaints);
  complaints.warn(`the backup superblock of block group ${superblock.raw.s_block_group_nr} is used, as asked for`, { offset });
  return { superblock, group: superblock.raw.s_block_group_nr };
}
