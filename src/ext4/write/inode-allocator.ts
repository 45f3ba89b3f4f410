/** Taking and giving back inode numbers: the inode bitmaps, the counts of their groups, and where new inodes go. */
import { clearBits, findClear, setBits, testBit } from '../../bytes/bitmap.ts';
import type { Bytes } from '../../bytes/struct.ts';
import { Corrupt, Posix } from '../../errors.ts';
import type { Io } from '../../io/effect.ts';
import { readInodeBitmap } from '../bitmaps.ts';
import { bitmapChecksum } from '../checksum.ts';
import { EXT4_BG_BLOCK_UNINIT, EXT4_BG_INODE_UNINIT, EXT4_BG_INODE_ZEROED, EXT4_ROOT_INO } from '../format/index.ts';
import { Generations } from '../generations.ts';
import type { GroupDescriptor } from '../groups.ts';
import type { BlockAllocator, BlockVolume } from './block-allocator.ts';

/** Bytes of bitmaps that are kept between operations, in each of two generations. */
const BITMAP_BUDGET = 1 << 20;
/** How many groups are looked at for the best place of a new directory below the root. */
const SPREAD_GROUPS = 4096;
/** Bytes of an inode table that are zeroed at once. */
const ZERO_CHUNK = 1 << 20;

/** What is needed of the file system in which inodes are taken. */
export interface InodeVolume extends BlockVolume {
  readonly blocks: BlockAllocator;
  /** Adds to the superblock's count of free inodes. */
  addFreeInodes(count: number): void;
}

export class InodeAllocator {
  readonly #volume: InodeVolume;
  readonly #clean: Generations<Bytes>;
  readonly #dirty = new Map<number, Bytes>();
  /** In a group, the bit before which all inodes are known to be in use. */
  readonly #firstFree = new Map<number, number>();

  constructor(volume: InodeVolume) {
    this.#volume = volume;
    this.#clean = new Generations(Math.max(4, Math.floor(BITMAP_BUDGET / volume.superblock.blockSize)));
  }

  /** Takes an inode for a child of `parent`: near it, directories below the root spread out (Orlov). Throws Posix ENOSPC. */
  *allocate(parent: number, directory: boolean): Io<number> {
    const { superblock, groups } = this.#volume;
    const { groupCount, inodesPerGroup } = superblock;
    let first = Math.floor((parent - 1) / inodesPerGroup);
    if (directory && parent === EXT4_ROOT_INO) first = yield* this.#emptiestGroup(first);
    else if (directory) first = yield* this.#roomyGroup(first);
    for (let k = 0; k < groupCount; k++) {
      const group = (first + k) % groupCount;
      const descriptor = groups.known(group) ?? (yield* groups.descriptor(group));
      if (descriptor.freeInodes === 0) continue;
      const bitmap = yield* this.#load(descriptor);
      const lowest = group === 0 ? Math.max(superblock.firstInode - 1, this.#firstFree.get(0) ?? 0) : (this.#firstFree.get(group) ?? 0);
      const bit = findClear(bitmap, lowest, inodesPerGroup);
      this.#firstFree.set(group, bit);
      if (bit >= inodesPerGroup) continue;
      yield* this.#take(descriptor, bitmap, bit, directory);
      return group * inodesPerGroup + bit + 1;
    }
    throw new Posix('ENOSPC', { layer: 'ext4' }, 'No space left on device (no free inodes)');
  }

  /** As {@link allocate} for what is no directory, where all that has to be known is in memory and there is room beside the parent. */
  allocateNow(parent: number): number | undefined {
    return this.#near(parent, true);
  }

  /** The inode that {@link allocateNow} would take. */
  findNow(parent: number): number | undefined {
    return this.#near(parent, false);
  }

  #near(parent: number, take: boolean): number | undefined {
    const { superblock, groups } = this.#volume;
    const { inodesPerGroup } = superblock;
    const group = Math.floor((parent - 1) / inodesPerGroup);
    const descriptor = groups.known(group);
    const bitmap = this.#dirty.get(group);
    const lowest = this.#firstFree.get(group);
    if (descriptor === undefined || bitmap === undefined || lowest === undefined) return undefined;
    if (descriptor.freeInodes === 0 || (descriptor.flags & (EXT4_BG_BLOCK_UNINIT | EXT4_BG_INODE_UNINIT)) !== 0) return undefined;
    const bit = findClear(bitmap, group === 0 ? Math.max(superblock.firstInode - 1, lowest) : lowest, inodesPerGroup);
    const watermark = inodesPerGroup - descriptor.unusedInodes;
    const behindWatermark = bit >= watermark && (superblock.metadataCsum || superblock.gdtCsum);
    const mayBeGarbage = behindWatermark && bit > watermark && (descriptor.flags & EXT4_BG_INODE_ZEROED) === 0;
    if (bit >= inodesPerGroup || mayBeGarbage) return undefined;
    if (take) this.#count(descriptor, bitmap, bit, behindWatermark, false);
    return group * inodesPerGroup + bit + 1;
  }

  /** Gives an inode back. Its contents are the caller's business. */
  *free(number: number, directory: boolean): Io<void> {
    const { superblock, groups } = this.#volume;
    const group = Math.floor((number - 1) / superblock.inodesPerGroup);
    const bit = number - 1 - group * superblock.inodesPerGroup;
    const descriptor = groups.known(group) ?? (yield* groups.descriptor(group));
    const bitmap = yield* this.#load(descriptor);
    if (number < superblock.firstInode || !testBit(bitmap, bit)) {
      throw new Corrupt('an inode is freed that is not in use; run e2fsck', { layer: 'ext4', inode: number });
    }
    this.#mark(group, bitmap, bit, false);
    this.#firstFree.set(group, Math.min(bit, this.#firstFree.get(group) ?? 0));
    groups.change(group, {
      freeInodes: descriptor.freeInodes + 1,
      ...(directory ? { usedDirectories: Math.max(0, descriptor.usedDirectories - 1) } : {}),
    });
    this.#volume.addFreeInodes(1);
  }

  /** Writes the bitmaps that changed and puts their checksums into the descriptors. */
  *flush(): Io<void> {
    const { superblock, groups, cache } = this.#volume;
    for (const [group, bitmap] of this.#dirty) {
      const { inodeBitmap } = yield* groups.descriptor(group);
      yield* cache.write(inodeBitmap * superblock.blockSize, bitmap);
      if (superblock.metadataCsum) {
        groups.change(group, { inodeBitmapChecksum: bitmapChecksum(superblock.checksumSeed, bitmap, superblock.inodesPerGroup / 8) });
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
    this.#firstFree.clear();
  }

  /** Sets or clears the bit of an inode. */
  #mark(group: number, bitmap: Bytes, bit: number, used: boolean): void {
    const { undoLog } = this.#volume;
    const change = used ? setBits : clearBits;
    if (undoLog.recording) {
      const wasDirty = this.#dirty.has(group);
      undoLog.push(() => {
        (used ? clearBits : setBits)(bitmap, bit, bit + 1);
        if (!wasDirty) this.#dirty.delete(group);
        if (!wasDirty) this.#clean.set(group, bitmap);
      });
    }
    change(bitmap, bit, bit + 1);
    this.#dirty.set(group, bitmap);
  }

  *#take(descriptor: GroupDescriptor, bitmap: Bytes, bit: number, directory: boolean): Io<void> {
    const { superblock } = this.#volume;
    if ((descriptor.flags & EXT4_BG_BLOCK_UNINIT) !== 0) yield* this.#volume.blocks.materialize(descriptor.group);
    // What lies behind the watermark was perhaps never written: it must be zero before it counts as used. The inode itself is written anyway.
    const watermark = superblock.inodesPerGroup - descriptor.unusedInodes;
    const behindWatermark = bit >= watermark && (superblock.metadataCsum || superblock.gdtCsum);
    if (behindWatermark && (descriptor.flags & EXT4_BG_INODE_ZEROED) === 0) yield* this.#zero(descriptor.inodeTable, watermark, bit);
    this.#count(descriptor, bitmap, bit, behindWatermark, directory);
  }

  #count(descriptor: GroupDescriptor, bitmap: Bytes, bit: number, behindWatermark: boolean, directory: boolean): void {
    const { superblock, groups } = this.#volume;
    const { group } = descriptor;
    this.#mark(group, bitmap, bit, true);
    this.#firstFree.set(group, bit + 1);
    groups.change(group, {
      freeInodes: descriptor.freeInodes - 1,
      unusedInodes: behindWatermark ? superblock.inodesPerGroup - bit - 1 : descriptor.unusedInodes,
      flags: descriptor.flags & ~(EXT4_BG_INODE_UNINIT | EXT4_BG_BLOCK_UNINIT),
      usedDirectories: descriptor.usedDirectories + (directory ? 1 : 0),
    });
    this.#volume.addFreeInodes(-1);
  }

  *#zero(table: number, from: number, to: number): Io<void> {
    const { inodeSize, blockSize } = this.#volume.superblock;
    const start = table * blockSize + from * inodeSize;
    const end = table * blockSize + to * inodeSize;
    for (let at = start; at < end; at += ZERO_CHUNK) yield* this.#volume.cache.write(at, new Uint8Array(Math.min(ZERO_CHUNK, end - at)));
  }

  *#load(descriptor: GroupDescriptor): Io<Bytes> {
    const { group } = descriptor;
    const known = this.#dirty.get(group) ?? this.#clean.get(group);
    if (known !== undefined) return known;
    const bitmap = yield* readInodeBitmap(this.#volume, group);
    this.#clean.set(group, bitmap);
    return bitmap;
  }

  /** For a directory below the root: the group with the fewest directories that is not fuller than the average. */
  *#emptiestGroup(near: number): Io<number> {
    const { groups, superblock } = this.#volume;
    const count = Math.min(superblock.groupCount, SPREAD_GROUPS);
    const descriptors: GroupDescriptor[] = [];
    for (let k = 0; k < count; k++) descriptors.push(yield* groups.descriptor((near + k) % superblock.groupCount));
    const averageInodes = descriptors.reduce((sum, group) => sum + group.freeInodes, 0) / count;
    const averageClusters = descriptors.reduce((sum, group) => sum + group.freeClusters, 0) / count;
    let best: GroupDescriptor | undefined;
    for (const group of descriptors) {
      if (group.freeInodes === 0 || group.freeInodes < averageInodes || group.freeClusters < averageClusters) continue;
      if (best === undefined || group.usedDirectories < best.usedDirectories) best = group;
    }
    return best?.group ?? near;
  }

  /** For other directories: the parent's group while it has an eighth of its inodes and blocks left, else the next one that has. */
  *#roomyGroup(near: number): Io<number> {
    const { groups, superblock } = this.#volume;
    const { groupCount, inodesPerGroup, clustersPerGroup } = superblock;
    for (let k = 0; k < Math.min(groupCount, SPREAD_GROUPS); k++) {
      const descriptor = yield* groups.descriptor((near + k) % groupCount);
      if (descriptor.freeInodes >= inodesPerGroup / 8 && descriptor.freeClusters >= clustersPerGroup / 8) return descriptor.group;
    }
    return near;
  }
}
