/** Changing the block map of ext2 and ext3: pointers in the inode and in tables of pointers, which come and go with them. */
import { viewOf } from '../../bytes/struct.ts';
import { isZero } from '../../bytes/text.ts';
import { Corrupt, Posix } from '../../errors.ts';
import type { Io } from '../../io/effect.ts';
import { EXT4_NDIR_BLOCKS } from '../format/index.ts';
import type { InodeEdit } from './inode-edit.ts';
import type { WritableVolume } from './writable-volume.ts';

/** Byte offset of pointer `index` of `i_block` in the inode. */
const pointerOffset = (index: number): number => 0x28 + 4 * index;

/** One more than the last logical block that a block map can name. */
export function blockMapEnd(blockSize: number): number {
  const perBlock = blockSize / 4;
  return EXT4_NDIR_BLOCKS + perBlock + perBlock ** 2 + perBlock ** 3;
}

/** Makes `count` blocks from `logical` stand at `physical` and behind. Tables that are missing are made, near `physical`. */
export function* setPointers(volume: WritableVolume, edit: InodeEdit, logical: number, count: number, physical: number): Io<void> {
  const { blockSize } = volume.superblock;
  if (logical + count > blockMapEnd(blockSize) || physical + count > 0x1_0000_0000) {
    throw new Posix('EFBIG', { layer: 'ext4', inode: edit.number });
  }
  const perBlock = blockSize / 4;
  let next = logical;
  const end = logical + count;
  for (; next < EXT4_NDIR_BLOCKS && next < end; next++) {
    viewOf(edit.bytes).setUint32(pointerOffset(next), physical + (next - logical), true);
  }
  edit.touch();
  let base = EXT4_NDIR_BLOCKS;
  for (let level = 1; level <= 3 && next < end; level++) {
    const span = perBlock ** level;
    if (next < base + span) {
      const stop = Math.min(end, base + span);
      const at = pointerOffset(EXT4_NDIR_BLOCKS + level - 1);
      const known = viewOf(edit.bytes).getUint32(at, true);
      const table = yield* setInTable(volume, edit, known, level, next - base, stop - base, physical + (next - logical));
      if (table !== known) viewOf(edit.bytes).setUint32(at, table, true);
      edit.touch();
      next = stop;
    }
    base += span;
  }
}

/** Sets the pointers `[from, to)` of a tree of `level` levels; returns its root, which is new when `table` is 0. */
function* setInTable(
  volume: WritableVolume,
  edit: InodeEdit,
  table: number,
  level: number,
  from: number,
  to: number,
  physical: number,
): Io<number> {
  const { blockSize, clusterRatio } = volume.superblock;
  const perBlock = blockSize / 4;
  let block = table;
  if (block === 0) {
    block = (yield* volume.blocks.allocate(physical, 1)).start;
    edit.addBlocks(clusterRatio);
  }
  const bytes = table === 0 ? new Uint8Array(blockSize) : yield* volume.readBlock(table, edit.number);
  const view = viewOf(bytes);
  const span = perBlock ** (level - 1);
  for (let at = from; at < to; ) {
    const index = Math.floor(at / span);
    const stop = Math.min(to, (index + 1) * span);
    const value = physical + (at - from);
    if (level === 1) view.setUint32(index * 4, value, true);
    else {
      const child = view.getUint32(index * 4, true);
      view.setUint32(index * 4, yield* setInTable(volume, edit, child, level - 1, at - index * span, stop - index * span, value), true);
    }
    at = stop;
  }
  yield* volume.writeBlock(block, bytes, edit.number);
  return block;
}

/** Clears the pointers of `[from, to)`; tables that become empty are given back. Returns the runs that were there. */
export function* clearPointers(
  volume: WritableVolume,
  edit: InodeEdit,
  from: number,
  to: number,
): Io<{ readonly physical: number; readonly length: number }[]> {
  const removed: { physical: number; length: number }[] = [];
  const note = (block: number): void => {
    const last = removed[removed.length - 1];
    if (last !== undefined && last.physical + last.length === block) last.length++;
    else removed.push({ physical: block, length: 1 });
  };
  const view = viewOf(edit.bytes);
  for (let logical = from; logical < Math.min(to, EXT4_NDIR_BLOCKS); logical++) {
    const block = view.getUint32(pointerOffset(logical), true);
    if (block !== 0) note(block);
    view.setUint32(pointerOffset(logical), 0, true);
  }
  const perBlock = volume.superblock.blockSize / 4;
  let base = EXT4_NDIR_BLOCKS;
  for (let level = 1; level <= 3; level++) {
    const span = perBlock ** level;
    const start = Math.max(from, base) - base;
    const stop = Math.min(to, base + span) - base;
    const at = pointerOffset(EXT4_NDIR_BLOCKS + level - 1);
    const table = view.getUint32(at, true);
    if (start < stop && table !== 0 && (yield* clearInTable(volume, edit, table, level, start, stop, note))) view.setUint32(at, 0, true);
    base += span;
  }
  edit.touch();
  return removed;
}

/** Clears pointers of a table; true when the table is empty now and was given back. */
function* clearInTable(
  volume: WritableVolume,
  edit: InodeEdit,
  table: number,
  level: number,
  from: number,
  to: number,
  note: (block: number) => void,
): Io<boolean> {
  const { blockSize, clusterRatio, firstDataBlock } = volume.superblock;
  if (table <= firstDataBlock) throw new Corrupt(`block map: table ${table}`, { layer: 'ext4', inode: edit.number });
  const bytes = yield* volume.readBlock(table, edit.number);
  const view = viewOf(bytes);
  const span = (blockSize / 4) ** (level - 1);
  for (let at = from; at < to; ) {
    const index = Math.floor(at / span);
    const stop = Math.min(to, (index + 1) * span);
    const pointer = view.getUint32(index * 4, true);
    if (pointer !== 0) {
      if (level === 1) note(pointer);
      if (level === 1 || (yield* clearInTable(volume, edit, pointer, level - 1, at - index * span, stop - index * span, note))) {
        view.setUint32(index * 4, 0, true);
      }
    }
    at = stop;
  }
  if (!isZero(bytes)) {
    yield* volume.writeBlock(table, bytes, edit.number);
    return false;
  }
  yield* volume.blocks.free(table, clusterRatio);
  edit.addBlocks(-clusterRatio);
  return true;
}
