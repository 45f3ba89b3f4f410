/** Looking up logical blocks in the block map of ext2 and ext3: direct, single, double and triple indirect (fs/ext4/indirect.c). */
import { type Bytes, viewOf } from '../bytes/struct.ts';
import { Corrupt } from '../errors.ts';
import type { Io } from '../io/effect.ts';
import { EXT4_NDIR_BLOCKS } from './format/inode.ts';
import type { Inode } from './inode.ts';
import type { BlockRun } from './run.ts';
import type { Volume } from './volume.ts';

/** The run that begins at `logical`: at most to the end of the table of pointers that names it. */
export function* findInBlockMap(volume: Volume, inode: Inode, logical: number): Io<BlockRun> {
  if (logical < EXT4_NDIR_BLOCKS) return scan(volume, inode, inode.block, EXT4_NDIR_BLOCKS, logical, logical);
  const perBlock = volume.superblock.blockSize / 4;
  // Which of the three trees, how many blocks one pointer of its root covers, and which block of the tree is wanted.
  let within = logical - EXT4_NDIR_BLOCKS;
  let level = 1;
  let span = perBlock;
  while (within >= span) {
    within -= span;
    span *= perBlock;
    if (++level > 3)
      throw new Corrupt(`logical block ${logical} is beyond what a block map can hold`, { layer: 'ext4', inode: inode.number });
  }
  let pointer = viewOf(inode.block).getUint32((EXT4_NDIR_BLOCKS + level - 1) * 4, true);
  for (;;) {
    if (pointer === 0) return { logical, length: span - within, physical: undefined, zero: true };
    checkPointer(volume, inode, pointer);
    const table = yield* volume.cache.read(volume.offsetOfBlock(pointer, inode.number), volume.superblock.blockSize);
    span /= perBlock;
    const index = Math.floor(within / span);
    if (span === 1) return scan(volume, inode, table, perBlock, index, logical);
    within -= index * span;
    pointer = viewOf(table).getUint32(index * 4, true);
  }
}

/** Joins pointers from `index` on that continue each other. */
function scan(volume: Volume, inode: Inode, table: Bytes, count: number, index: number, logical: number): BlockRun {
  const view = viewOf(table);
  const first = view.getUint32(index * 4, true);
  const step = first === 0 ? 0 : 1;
  let length = 1;
  while (index + length < count && view.getUint32((index + length) * 4, true) === first + step * length) length++;
  if (first === 0) return { logical, length, physical: undefined, zero: true };
  checkPointer(volume, inode, first);
  checkPointer(volume, inode, first + length - 1);
  return { logical, length, physical: first, zero: false };
}

function checkPointer(volume: Volume, inode: Inode, block: number): void {
  const { firstDataBlock, blocksCount } = volume.superblock;
  if (block <= firstDataBlock || block >= blocksCount) {
    throw new Corrupt(`block map: block ${block} lies outside of the file system's ${blocksCount} blocks`, {
      layer: 'ext4',
      inode: inode.number,
    });
  }
}
