/** Making a small file where all that it takes is in memory: as createFilled, without a step outside, for archives of many files. */
import type { Bytes } from '../../bytes/struct.ts';
import type { NewFile } from '../../filesystem/filesystem.ts';
import { INCOMPAT } from '../format/index.ts';
import { isKnownAbsent } from '../lookup.ts';
import { hasAttributes } from './acl-write.ts';
import { writeLeafNow } from './directory-blocks.ts';
import { blockBesideLast, insertInto } from './directory-write.ts';
import { storeFirstExtent } from './extent-store.ts';
import { firstGoal } from './file-blocks.ts';
import type { InodeEdit } from './inode-edit.ts';
import { checkName, initialiseNode, touchDirectory } from './node-create.ts';
import type { WritableVolume } from './writable-volume.ts';

/** Bytes of contents at most. */
const LONGEST: number = 1 << 17;

/**
 * Makes the file and returns its inode. Undefined: nothing was done. First comes what may not be possible: finding a place for everything, writing
 * contents to blocks that are still free, the name; then what cannot fail.
 */
export function createFilledNow(volume: WritableVolume, directory: InodeEdit, name: Bytes, file: NewFile): number | undefined {
  const { contents, xattrs } = file;
  if (contents.length > LONGEST || (xattrs !== undefined && xattrs.length > 0) || volume.undoLog.recording) return undefined;
  if ((volume.superblock.incompat & INCOMPAT.extents) === 0 || hasAttributes(directory)) return undefined;
  checkName(name);
  if (!isKnownAbsent(volume, directory.inode, name)) return undefined;
  const number = volume.inodeNumbers.findNow(directory.number);
  if (number === undefined) return undefined;
  const goal = firstGoal(volume, number);
  const blocks = Math.ceil(contents.length / volume.superblock.blockSize);
  if (blocks > 0) {
    const place = volume.blocks.findNow(goal, blocks);
    if (place === undefined || !writeContents(volume, place.start, contents)) return undefined;
  }
  if (!insertName(volume, directory, name, number)) return undefined;
  volume.inodeNumbers.allocateNow(directory.number);
  const edit = volume.editNew(number);
  initialiseNode(volume, directory, edit, 'file', file.mode, file, 1);
  const run = blocks === 0 ? undefined : volume.blocks.allocateNow(goal, blocks);
  if (run !== undefined) {
    edit.addBlocks(run.length);
    storeFirstExtent(edit, run.start, run.length);
    edit.setSize(contents.length);
  }
  edit.setTimes({ atime: file.atime, mtime: file.mtime });
  touchDirectory(volume, directory);
  return number;
}

/** Writes contents and the zeros that fill their last block. */
function writeContents(volume: WritableVolume, block: number, contents: Bytes): boolean {
  const { blockSize } = volume.superblock;
  const place = block * blockSize;
  if (!volume.cache.writeNow(place, contents)) return false;
  const rest = contents.length % blockSize;
  return rest === 0 || volume.cache.writeNow(place + contents.length, volume.scratch(blockSize - rest).fill(0));
}

/** Puts the name into the block where the one before found room. */
function insertName(volume: WritableVolume, directory: InodeEdit, name: Bytes, inode: number): boolean {
  const { blockSize } = volume.superblock;
  const block = blockBesideLast(volume, directory, name);
  if (block === undefined || !volume.cache.takesNow(block.physical * blockSize, blockSize)) return false;
  return insertInto(volume, directory, block, name, inode, 'file') && writeLeafNow(volume, directory, block);
}
