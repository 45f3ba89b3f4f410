/** A file's blocks, whichever way it maps them: taking them where they are missing, giving them back. */
import { Posix } from '../../errors.ts';
import type { Io } from '../../io/effect.ts';
import { EXT_INIT_MAX_LEN, EXT4_EXTENTS_FL } from '../format/index.ts';
import { groupFirstBlock } from '../layout.ts';
import { findRun } from '../mapping.ts';
import { LOGICAL_BLOCKS_END } from '../run.ts';
import type { AllocatedRun } from './block-allocator.ts';
import { blockMapEnd, clearPointers, setPointers } from './block-map-store.ts';
import { cutOut, extentBehind, part, putIn } from './extent-edit.ts';
import { type ExtentList, type FileExtent, isEmptyRoot, loadExtents, storeExtents, storeFirstExtent } from './extent-store.ts';
import type { InodeEdit } from './inode-edit.ts';
import type { WritableVolume } from './writable-volume.ts';

/** A run of a file's blocks, ready to be written. */
export interface WritableRun {
  readonly logical: number;
  readonly length: number;
  readonly physical: number;
  /** It holds nothing of the file yet: bytes that are not written must be zeroed. */
  readonly fresh: boolean;
}

/** One more than the last logical block that the file can have. */
export function logicalEnd(volume: WritableVolume, edit: InodeEdit): number {
  return hasExtents(edit) ? LOGICAL_BLOCKS_END - 1 : Math.min(blockMapEnd(volume.superblock.blockSize), LOGICAL_BLOCKS_END - 1);
}

function hasExtents(edit: InodeEdit): boolean {
  return (edit.flags & EXT4_EXTENTS_FL) !== 0;
}

/** Where a file's first block goes: into the group of its inode. */
export function firstGoal(volume: WritableVolume, inode: number): number {
  return groupFirstBlock(volume.superblock, Math.floor((inode - 1) / volume.superblock.inodesPerGroup));
}

/** Gives every block of `[first, first + count)` a place and marks it as written; returns where they are, in order. */
export function* takeBlocks(volume: WritableVolume, edit: InodeEdit, first: number, count: number): Io<WritableRun[]> {
  if (first + count > logicalEnd(volume, edit)) throw new Posix('EFBIG', { layer: 'ext4', inode: edit.number });
  return yield* hasExtents(edit) ? takeInExtents(volume, edit, first, count) : takeInMap(volume, edit, first, count);
}

/**
 * Blocks that follow each other for the beginning of a file that has none, where that takes no step outside; returns the first. None of them
 * is written yet.
 */
export function takeFirstBlocks(volume: WritableVolume, edit: InodeEdit, count: number): number | undefined {
  if (!hasExtents(edit) || !isEmptyRoot(edit.bytes) || count > EXT_INIT_MAX_LEN) return undefined;
  const run = volume.blocks.allocateNow(firstGoal(volume, edit.number), count);
  if (run === undefined) return undefined;
  edit.addBlocks(run.length);
  storeFirstExtent(edit, run.start, run.length);
  return run.start;
}

function* takeInExtents(volume: WritableVolume, edit: InodeEdit, first: number, count: number): Io<WritableRun[]> {
  const list = yield* loadExtents(volume, edit);
  const runs: WritableRun[] = [];
  let changed = false;
  const end = first + count;
  for (let logical = first; logical < end; ) {
    const at = extentBehind(list.extents, logical);
    const extent = list.extents[at];
    if (extent !== undefined && extent.logical <= logical) {
      const piece = part(extent, logical, end);
      if (extent.unwritten) {
        cutOut(list.extents, piece.logical, piece.logical + piece.length);
        putIn(list.extents, { ...piece, unwritten: false });
        changed = true;
      }
      runs.push({ logical, length: piece.length, physical: piece.physical, fresh: extent.unwritten });
      logical += piece.length;
      continue;
    }
    const piece = yield* takeHole(volume, edit, list, logical, Math.min(end, extent?.logical ?? end) - logical);
    putIn(list.extents, piece);
    changed = true;
    runs.push({ logical, length: piece.length, physical: piece.physical, fresh: true });
    logical += piece.length;
  }
  if (changed) yield* storeExtents(volume, edit, list, runs[0]?.physical ?? firstGoal(volume, edit.number));
  return runs;
}

/** Blocks for the beginning of a hole: of a cluster that the file has already, else new ones. */
function* takeHole(volume: WritableVolume, edit: InodeEdit, list: ExtentList, logical: number, wanted: number): Io<FileExtent> {
  const { clusterRatio } = volume.superblock;
  const at = extentBehind(list.extents, logical);
  const left = list.extents[at - 1];
  const within = logical % clusterRatio;
  if (clusterRatio > 1) {
    const cluster = logical - within;
    for (const neighbour of [left, list.extents[at]]) {
      if (neighbour === undefined) continue;
      const shares = neighbour.logical < cluster + clusterRatio && neighbour.logical + neighbour.length > cluster;
      if (!shares) continue;
      return {
        logical,
        length: Math.min(wanted, clusterRatio - within),
        physical: neighbour.physical + (logical - neighbour.logical),
        unwritten: false,
      };
    }
  }
  const goal = left === undefined ? firstGoal(volume, edit.number) : left.physical + (logical - left.logical);
  const run = yield* volume.blocks.allocate(goal, within + wanted);
  edit.addBlocks(run.length);
  // With bigalloc a block stands at the same place of its cluster on the device as in the file.
  return { logical, length: Math.min(wanted, run.length - within), physical: run.start + within, unwritten: false };
}

function* takeInMap(volume: WritableVolume, edit: InodeEdit, first: number, count: number): Io<WritableRun[]> {
  const runs: WritableRun[] = [];
  const end = first + count;
  let goal = firstGoal(volume, edit.number);
  if (first > 0) {
    const before = yield* findRun(volume, edit.inode, first - 1);
    if (before.physical !== undefined) goal = before.physical + 1;
  }
  for (let logical = first; logical < end; ) {
    const known = yield* findRun(volume, edit.inode, logical);
    const length = Math.min(known.length, end - logical);
    if (known.physical !== undefined) {
      runs.push({ logical, length, physical: known.physical, fresh: false });
      goal = known.physical + length;
      logical += length;
      continue;
    }
    const run: AllocatedRun = yield* volume.blocks.allocate(goal, length);
    edit.addBlocks(run.length);
    yield* setPointers(volume, edit, logical, run.length, run.start);
    runs.push({ logical, length: run.length, physical: run.start, fresh: true });
    goal = run.start + run.length;
    logical += run.length;
  }
  return runs;
}

/** Gives back all blocks of `[from, to)`. */
export function* giveBackBlocks(volume: WritableVolume, edit: InodeEdit, from: number, to: number): Io<void> {
  if (from >= to) return;
  if (!hasExtents(edit)) {
    let count = 0;
    for (const { physical, length } of yield* clearPointers(volume, edit, from, to)) {
      yield* volume.blocks.free(physical, length);
      count += length;
    }
    if (count > 0) edit.addBlocks(-count);
    return;
  }
  const list = yield* loadExtents(volume, edit);
  const removed = cutOut(list.extents, from, to);
  if (removed.length === 0) return;
  const freed = yield* freeClusters(volume, list.extents, removed);
  edit.addBlocks(-freed);
  yield* storeExtents(volume, edit, list, removed[0]!.physical);
}

/** Frees the clusters of extents that were taken out, but for those that other extents of the file still use; returns blocks. */
function* freeClusters(volume: WritableVolume, kept: readonly FileExtent[], removed: readonly FileExtent[]): Io<number> {
  const { clusterRatio } = volume.superblock;
  let freed = 0;
  if (clusterRatio === 1) {
    for (const { physical, length } of removed) {
      yield* volume.blocks.free(physical, length);
      freed += length;
    }
    return freed;
  }
  let done = -1;
  for (const { logical, physical, length } of removed) {
    for (let at = logical - (logical % clusterRatio); at < logical + length; at += clusterRatio) {
      if (at <= done) continue;
      done = at;
      const still = kept[extentBehind(kept, at)];
      if (still !== undefined && still.logical < at + clusterRatio) continue;
      yield* volume.blocks.free(physical + (at - logical), clusterRatio);
      freed += clusterRatio;
    }
  }
  return freed;
}
