/** The end of an inode: its blocks, its attributes and its number are given back. */
import type { Io } from '../../io/effect.ts';
import { EXT4_INLINE_DATA_FL } from '../format/index.ts';
import { isFastSymlink } from '../inode.ts';
import { giveBackBlocks, logicalEnd } from './file-blocks.ts';
import type { InodeEdit } from './inode-edit.ts';
import type { WritableVolume } from './writable-volume.ts';
import { releaseAttributes } from './xattr-write.ts';

/** Whether the inode's `i_block` maps blocks: not in devices, fast symbolic links and inline data. */
export function hasBlocks(volume: WritableVolume, edit: InodeEdit): boolean {
  const { inode } = edit;
  if ((inode.flags & EXT4_INLINE_DATA_FL) !== 0) return false;
  if (inode.kind === 'symlink') return !isFastSymlink(volume.superblock, inode);
  return inode.kind === 'file' || inode.kind === 'directory';
}

/** Deletes an inode that no name refers to any more. */
export function* deleteInode(volume: WritableVolume, edit: InodeEdit): Io<void> {
  const { kind } = edit.inode;
  if (hasBlocks(volume, edit)) yield* giveBackBlocks(volume, edit, 0, logicalEnd(volume, edit) + 1);
  yield* releaseAttributes(volume, edit);
  // A small number in i_dtime would be taken for the next inode of the orphan list.
  const dtime = Math.max(volume.now().seconds, volume.superblock.inodesCount) >>> 0;
  edit.change({ i_links_count: 0, i_dtime: dtime, i_size_lo: 0, i_size_high: 0, i_blocks_lo: 0, i_blocks_high: 0 });
  yield* volume.inodeNumbers.free(edit.number, kind === 'directory');
}
