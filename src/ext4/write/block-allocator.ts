/**
 * Taking and giving back blocks: the block bitmaps, the counts of their groups, and where new blocks go.
 *
 * The unit is the cluster (a block, without bigalloc). Numbers that leave this file are blocks.
 */
import { clearBits, findClear, findClearRun, findSet, setBits, testBit } from '../../bytes/bitmap.ts';
import type { Bytes } from '../../bytes/struct.ts';
import { Corrupt, Posix } from '../../errors.ts';
import type { WritableCachedDevice } from '../../io/cache.ts';
import type { Io } from '../../io/effect.ts';
import { metadataBitmap, readBlockBitmap } from '../bitmaps.ts';
import { bitmapChecksum } from '../checksum.ts';
import { EXT4_BG_BLOCK_UNINIT } from '../format/index.ts';
import { Generations } from '../generations.ts';
import type { GroupDescriptor } from '../groups.ts';
import { clustersInGroup, groupFirstBlock } from '../layout.ts';
import type { Volume } from '../volume.ts';
import type { WritableGroupTable } from './group-writer.ts';
import type { UndoLog } from './undo-log.ts';

/** Bytes of bitmaps that are kept between operations, in each of two generations. */
const BITMAP_BUDGET = 2 << 20;

/** What is needed of the file system in which blocks are taken. */
export interface BlockVolume extends Volume {
  readonly cache: WritableCachedDevice;
  readonly groups: WritableGroupTable;
  readonly undoLog: UndoLog;
  /** Adds to the superblock's count of free blocks. */
  addFreeBlocks(count: number): void;
  /** Hears of blocks that are given back. */
  forgetSeals(start: number, length: number): void;
}

/** Blocks that follow each other on the device. */
export interface AllocatedRun {
  readonly start: number;
  readonly length: number;
}

export class BlockAllocator {
  readonly #volume: BlockVolume;
  readonly #clean: Generations<Bytes>;
  readonly #dirty = new Map<number, Bytes>();
  /** In a group, a bit before which all are set. */
  readonly #lowest = new Map<number, number>();

  constructor(volume: BlockVolume) {
    this.#volume = volume;
    this.#clean = new Generations(Math.max(4, Math.floor(BITMAP_BUDGET / volume.superblock.blockSize)));
  }

  /**
   * Takes up to `wanted` blocks that follow each other, as near behind `goal` as there are any; at least one cluster. With bigalloc the
   * run begins at a cluster and has whole ones. Throws Posix ENOSPC.
   */
  *allocate(goal: number, wanted: number): Io<AllocatedRun> {
    const { superblock } = this.#volume;
    const { clusterRatio, firstDataBlock, blocksCount, blocksPerGroup, groupCount } = superblock;
    const clusters = Math.min(Math.ceil(wanted / clusterRatio), superblock.clustersPerGroup);
    const from = goal > firstDataBlock && goal < blocksCount ? goal : firstDataBlock;
    const first = Math.floor((from - firstDataBlock) / blocksPerGroup);
    const bit = Math.floor((from - groupFirstBlock(superblock, first)) / clusterRatio);
    // First where the whole run may fit, then wherever anything is left.
    for (const least of clusters > 1 ? [clusters, 1] : [1]) {
      for (let k = 0; k < groupCount; k++) {
        const group = (first + k) % groupCount;
        const descriptor = this.#volume.groups.known(group) ?? (yield* this.#volume.groups.descriptor(group));
        if (descriptor.freeClusters < least) continue;
        const bitmap = yield* this.#load(descriptor);
        const lowest = this.#lowestClear(group, bitmap);
        const run = search(bitmap, k === 0 ? bit : 0, clustersInGroup(superblock, group), clusters, k === 0, lowest);
        if (run === undefined || (run.length < least && k > 0)) continue;
        this.#mark(descriptor, bitmap, run.start, run.length, true);
        return { start: groupFirstBlock(superblock, group) + run.start * clusterRatio, length: run.length * clusterRatio };
      }
    }
    throw new Posix('ENOSPC', { layer: 'ext4' });
  }

  /** As {@link allocate} without bigalloc, where the whole run fits into the group of `goal` and that is in memory. */
  allocateNow(goal: number, wanted: number): AllocatedRun | undefined {
    return this.#near(goal, wanted, true);
  }

  /** The run that {@link allocateNow} would take. */
  findNow(goal: number, wanted: number): AllocatedRun | undefined {
    return this.#near(goal, wanted, false);
  }

  #near(goal: number, wanted: number, take: boolean): AllocatedRun | undefined {
    const { superblock, groups } = this.#volume;
    const { firstDataBlock, blocksCount, blocksPerGroup } = superblock;
    if (superblock.clusterRatio !== 1 || wanted > blocksPerGroup || goal < firstDataBlock || goal >= blocksCount) return undefined;
    const group = Math.floor((goal - firstDataBlock) / blocksPerGroup);
    const descriptor = groups.known(group);
    const bitmap = this.#dirty.get(group);
    if (descriptor === undefined || bitmap === undefined || descriptor.freeClusters < wanted) return undefined;
    const first = groupFirstBlock(superblock, group);
    const run = search(bitmap, goal - first, clustersInGroup(superblock, group), wanted, true, this.#lowestClear(group, bitmap));
    if (run === undefined || run.length < wanted) return undefined;
    if (take) this.#mark(descriptor, bitmap, run.start, run.length, true);
    return { start: first + run.start, length: run.length };
  }

  /** Gives blocks back; with bigalloc whole clusters. Throws Corrupt for blocks that are free already. */
  *free(start: number, length: number): Io<void> {
    const { superblock } = this.#volume;
    const { clusterRatio, firstDataBlock, blocksPerGroup, blocksCount } = superblock;
    if (!(start > firstDataBlock && start + length <= blocksCount)) {
      throw new Corrupt(`blocks ${start} to ${start + length - 1} to be freed lie outside of the file system`, { layer: 'ext4' });
    }
    this.#volume.forgetSeals(start, length);
    for (let block = start; block < start + length; ) {
      const group = Math.floor((block - firstDataBlock) / blocksPerGroup);
      const end = Math.min(start + length, groupFirstBlock(superblock, group) + blocksPerGroup);
      const descriptor = this.#volume.groups.known(group) ?? (yield* this.#volume.groups.descriptor(group));
      const bitmap = yield* this.#load(descriptor);
      const first = Math.floor((block - groupFirstBlock(superblock, group)) / clusterRatio);
      const last = Math.ceil((end - groupFirstBlock(superblock, group)) / clusterRatio);
      if (findClear(bitmap, first, last) < last) {
        throw new Corrupt(`blocks ${block} to ${end - 1} are freed although not all are in use; run e2fsck`, { layer: 'ext4' });
      }
      this.#mark(descriptor, bitmap, first, last - first, false);
      block = end;
    }
  }

  /** Makes the block bitmap of a group real, as the kernel does when it takes the group's first inode. */
  *materialize(group: number): Io<void> {
    const descriptor = this.#volume.groups.known(group) ?? (yield* this.#volume.groups.descriptor(group));
    if ((descriptor.flags & EXT4_BG_BLOCK_UNINIT) === 0) return;
    const bitmap = yield* this.#load(descriptor);
    this.#mark(descriptor, bitmap, 0, 0, true);
  }

  /** Writes the bitmaps that changed and puts their checksums into the descriptors. */
  *flush(): Io<void> {
    const { superblock, groups, cache } = this.#volume;
    for (const [group, bitmap] of this.#dirty) {
      const { blockBitmap } = yield* groups.descriptor(group);
      yield* cache.write(blockBitmap * superblock.blockSize, bitmap);
      if (superblock.metadataCsum) {
        groups.change(group, { blockBitmapChecksum: bitmapChecksum(superblock.checksumSeed, bitmap, superblock.clustersPerGroup / 8) });
      }
      this.#clean.set(group, bitmap);
    }
    this.#dirty.clear();
  }

  /** How many bitmaps wait to be written. */
  get waiting(): number {
    return this.#dirty.size;
  }

  forget(): void {
    this.#clean.clear();
    this.#dirty.clear();
    this.forgetHints();
  }

  forgetHints(): void {
    this.#lowest.clear();
  }

  #lowestClear(group: number, bitmap: Bytes): number {
    const lowest = findClear(bitmap, this.#lowest.get(group) ?? 0, bitmap.length * 8);
    this.#lowest.set(group, lowest);
    return lowest;
  }

  #mark(descriptor: GroupDescriptor, bitmap: Bytes, start: number, length: number, used: boolean): void {
    const { groups, superblock } = this.#volume;
    const { group } = descriptor;
    const { undoLog } = this.#volume;
    if (undoLog.recording) {
      const wasDirty = this.#dirty.has(group);
      undoLog.push(() => {
        if (used) clearBits(bitmap, start, start + length);
        else setBits(bitmap, start, start + length);
        if (!wasDirty) this.#dirty.delete(group);
        if (!wasDirty) this.#clean.set(group, bitmap);
      });
    }
    if (used) setBits(bitmap, start, start + length);
    else {
      clearBits(bitmap, start, start + length);
      this.#lowest.set(group, Math.min(start, this.#lowest.get(group) ?? 0));
    }
    this.#dirty.set(group, bitmap);
    const change = used ? -length : length;
    groups.change(group, {
      freeClusters: descriptor.freeClusters + change,
      flags: descriptor.flags & ~EXT4_BG_BLOCK_UNINIT,
    });
    if (change !== 0) this.#volume.addFreeBlocks(change * superblock.clusterRatio);
  }

  *#load(descriptor: GroupDescriptor): Io<Bytes> {
    const { group } = descriptor;
    const known = this.#dirty.get(group) ?? this.#clean.get(group);
    if (known !== undefined) return known;
    const bitmap = yield* readBlockBitmap(this.#volume, group);
    // What is free here must not be what the file system itself stands on.
    const metadata = yield* metadataBitmap(this.#volume, group);
    for (let at = 0; at < bitmap.length; at++) {
      if ((metadata[at]! & ~bitmap[at]!) === 0) continue;
      throw new Corrupt(`block bitmap of group ${group}: blocks of the file system's own tables are marked as free; run e2fsck`, {
        layer: 'ext4',
        offset: descriptor.blockBitmap * this.#volume.superblock.blockSize,
      });
    }
    this.#clean.set(group, bitmap);
    return bitmap;
  }
}

/** A run of free bits: at `goal` itself if that is free, else behind it, else before it. There is none before `lowest`. */
function search(bitmap: Bytes, goal: number, end: number, wanted: number, exact: boolean, lowest: number): AllocatedRun | undefined {
  if (exact && goal < end && !testBit(bitmap, goal)) {
    const stop = findSet(bitmap, goal, Math.min(end, goal + wanted));
    return { start: goal, length: stop - goal };
  }
  const behind = findClearRun(bitmap, Math.max(goal, lowest), end, wanted);
  if (behind !== undefined && (behind.length >= wanted || goal <= lowest)) return behind;
  const before = findClearRun(bitmap, lowest, Math.min(goal, end), wanted);
  if (behind === undefined) return before;
  return before !== undefined && before.length > behind.length ? before : behind;
}
