/** Mounting: superblock, journal, root. */
import { Corrupt, Refused } from '../errors.ts';
import type { BlockDevice } from '../io/device.ts';
import type { Io } from '../io/effect.ts';
import { Complaints } from './complaints.ts';
import { Ext4 } from './ext4.ts';
import { COMPAT, EXT4_ERROR_FS, EXT4_ROOT_INO, INCOMPAT } from './format/index.ts';
import { readNode } from './inode-table.ts';
import type { FastCommitState } from './journal/fast-commit-state.ts';
import { recoverJournal } from './journal/index.ts';
import { findJournal } from './journal-inode.ts';
import { type FoundSuperblock, findSuperblock, readBackup, readSuperblockAt } from './open.ts';
import { findOrphans } from './orphans.ts';
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
  const found = yield* superblockFor(device, options, complaints);
  const volume = yield* recover(openVolume(device, found, options, complaints), found, options);
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
  const orphans = yield* findOrphans(volume);
  if (orphans.deleted.length > 0) complaints.warn(`${orphans.deleted.length} deleted files were still in use; a mount would free them`);
  if (orphans.truncated.length > 0) complaints.warn(`${orphans.truncated.length} files were being cut short; a mount would free the rest`);
  return new Ext4(volume);
}

/** The file system as it is after its journal was replayed in memory; the same when there is nothing to replay. */
function* recover(volume: Volume, found: FoundSuperblock, options: Ext4Options): Io<Volume> {
  const { superblock, complaints, device } = volume;
  const wanted = (superblock.incompat & INCOMPAT.needs_recovery) !== 0;
  if ((superblock.compat & COMPAT.has_journal) === 0 || (!wanted && found.group === 0)) return volume;
  // A copy of the superblock never says whether the journal is needed, so the journal itself is asked.
  if (!wanted && superblock.raw.s_journal_inum === 0) return volume;
  const recovered = yield* recoverJournal(device, superblock, yield* findJournal(volume), { checksums: complaints.checksums });
  if (recovered === undefined) return volume;
  for (const { message, ...where } of recovered.warnings) complaints.warn(message, where);
  complaints.warn(`the journal was replayed in memory: ${recovered.transactions} transactions, ${recovered.blocks} blocks`);
  const after = yield* readSuperblockAt(recovered.device, found.offset, complaints);
  return openVolume(recovered.device, { ...found, superblock: after }, options, complaints, recovered.fastCommits);
}

function openVolume(
  device: BlockDevice,
  found: FoundSuperblock,
  options: Ext4Options,
  complaints: Complaints,
  fastCommits?: FastCommitState,
): Volume {
  return new Volume(device, found.superblock, {
    complaints,
    fromGroup: found.group,
    fastCommits,
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
  return { superblock, group: superblock.raw.s_block_group_nr, offset };
}
