/** What a new file system holds: its inodes and blocks, gathered in memory before anything is written. */
import { type Bytes, viewOf } from '../../bytes/struct.ts';
import { Posix } from '../../errors.ts';
import { extentBlockChecksum, inodeSeed } from '../checksum.ts';
import {
  EXT_INIT_MAX_LEN,
  EXT4_EXT_MAGIC,
  EXT4_EXTENT,
  EXT4_EXTENT_HEADER,
  EXT4_EXTENT_IDX,
  EXT4_EXTENTS_FL,
  EXT4_INODE,
  EXT4_INODE_128,
  EXT4_NDIR_BLOCKS,
  INCOMPAT,
  type RawInode,
} from '../format/index.ts';
import { encodeTime } from '../inode.ts';
import { sealInode } from '../inode-seal.ts';
import type { Superblock } from '../superblock.ts';
import type { Run, Space } from './space.ts';
import { EXTRA_SIZE } from './superblock.ts';

/** A block to be written. */
export interface NewBlock {
  readonly block: number;
  readonly bytes: Bytes;
}

/** The blocks of a file, and what its inode says of them. */
export interface Mapped {
  /** Runs of data, in the order of the file. */
  readonly runs: readonly Run[];
  readonly block: Bytes;
  readonly flags: number;
  /** Blocks taken, those of the map too. */
  readonly taken: number;
}

/** Entries of the root of an extent tree. */
const ROOT_ENTRIES = 4;
const TWO_32 = 2 ** 32;

export class Contents {
  readonly superblock: Superblock;
  readonly space: Space;
  /** Groups in which blocks were taken. */
  readonly touched: Set<number>;
  readonly inodes = new Map<number, Bytes>();
  readonly blocks: NewBlock[] = [];
  /** Runs that have to read as zeros. */
  readonly zeros: Run[] = [];
  readonly #now: number;

  constructor(superblock: Superblock, space: Space, touched: ReadonlySet<number>, now: number) {
    this.superblock = superblock;
    this.space = space;
    this.touched = new Set(touched);
    this.#now = now;
  }

  get usesExtents(): boolean {
    return (this.superblock.incompat & INCOMPAT.extents) !== 0;
  }

  /** Takes the first free block from `goal` on. Throws Posix (ENOSPC). */
  takeBlock(goal: number): number {
    return this.#takeRun(goal, 1).start;
  }

  #takeRun(goal: number, count: number): Run {
    const { firstDataBlock, blocksPerGroup } = this.superblock;
    const run = this.space.freeRun(goal, count) ?? this.space.freeRun(firstDataBlock, count);
    if (run === undefined) throw new Posix('ENOSPC', { layer: 'ext4' }, 'the file system is too small for its own files');
    this.space.take(run.start, run.end - run.start);
    const last = Math.floor((run.end - 1 - firstDataBlock) / blocksPerGroup);
    for (let group = Math.floor((run.start - firstDataBlock) / blocksPerGroup); group <= last; group++) this.touched.add(group);
    return run;
  }

  /** Takes `count` blocks for the file `inode`, from `goal` on, and maps them as the file system's features ask. */
  map(inode: number, count: number, goal: number): Mapped {
    return this.usesExtents ? this.#mapByExtents(inode, count, goal) : this.#mapByPointers(count, goal);
  }

  #mapByExtents(inode: number, count: number, goal: number): Mapped {
    const runs: Run[] = [];
    for (let left = count, from = goal; left > 0; ) {
      const run = this.#takeRun(from, Math.min(left, EXT_INIT_MAX_LEN));
      runs.push(run);
      left -= run.end - run.start;
      from = run.end;
    }
    const block = new Uint8Array(60);
    if (runs.length <= ROOT_ENTRIES) {
      writeLeaf(block, runs, 0, ROOT_ENTRIES);
      return { runs, block, flags: EXT4_EXTENTS_FL, taken: count };
    }
    const { blockSize, metadataCsum, checksumSeed, firstDataBlock } = this.superblock;
    const perLeaf = Math.floor((blockSize - 12) / 12);
    const leaves = Math.ceil(runs.length / perLeaf);
    if (leaves > ROOT_ENTRIES) throw new Posix('ENOSPC', { layer: 'ext4' }, `a file of ${runs.length} pieces`);
    EXT4_EXTENT_HEADER.write(block, 0, { eh_magic: EXT4_EXT_MAGIC, eh_entries: leaves, eh_max: ROOT_ENTRIES, eh_depth: 1 });
    let logical = 0;
    for (let i = 0; i < leaves; i++) {
      const part = runs.slice(i * perLeaf, (i + 1) * perLeaf);
      // Where libext2fs puts it: right before the data, if that is free.
      const leaf = this.takeBlock(Math.max(firstDataBlock, runs[0]!.start - 1));
      EXT4_EXTENT_IDX.write(block, 12 + 12 * i, { ei_block: logical, ei_leaf_lo: leaf % TWO_32, ei_leaf_hi: Math.floor(leaf / TWO_32) });
      const bytes = new Uint8Array(blockSize);
      logical = writeLeaf(bytes, part, logical, perLeaf);
      if (metadataCsum)
        viewOf(bytes).setUint32(12 + 12 * perLeaf, extentBlockChecksum(inodeSeed(checksumSeed, inode, 0), bytes, perLeaf), true);
      this.blocks.push({ block: leaf, bytes });
    }
    return { runs, block, flags: EXT4_EXTENTS_FL, taken: count + leaves };
  }

  /** The map of ext2: twelve pointers, then trees of one, two and three levels. */
  #mapByPointers(count: number, goal: number): Mapped {
    const { blockSize } = this.superblock;
    const runs: Run[] = [];
    let next = goal;
    let taken = 0;
    let left = count;
    const take = (): number => {
      const block = this.takeBlock(next);
      next = block + 1;
      taken++;
      return block;
    };
    const data = (): number => {
      const block = take();
      left--;
      const last = runs[runs.length - 1];
      if (last?.end === block) runs[runs.length - 1] = { start: last.start, end: block + 1 };
      else runs.push({ start: block, end: block + 1 });
      return block;
    };
    const tree = (level: number): number => {
      if (level === 0) return data();
      const block = take();
      const bytes = new Uint8Array(blockSize);
      const view = viewOf(bytes);
      for (let at = 0; at < blockSize && left > 0; at += 4) view.setUint32(at, tree(level - 1), true);
      this.blocks.push({ block, bytes });
      return block;
    };
    const map = new Uint8Array(60);
    const view = viewOf(map);
    for (let slot = 0; slot < 15 && left > 0; slot++) view.setUint32(slot * 4, tree(Math.max(0, slot - EXT4_NDIR_BLOCKS + 1)), true);
    return { runs, block: map, flags: 0, taken };
  }

  /** Adds an inode; `i_blocks` in blocks of the file system, `size` in bytes. Times are now. */
  addInode(number: number, blocks: number, size: number, fields: Partial<RawInode>): void {
    const { inodeSize, blockSize } = this.superblock;
    const bytes = new Uint8Array(inodeSize);
    const sectors = (blocks * blockSize) / 512;
    const { seconds, extra } = encodeTime({ seconds: this.#now, nanoseconds: 0 });
    EXT4_INODE_128.write(bytes, 0, {
      i_size_lo: size % TWO_32,
      i_size_high: Math.floor(size / TWO_32),
      i_blocks_lo: sectors % TWO_32,
      i_blocks_high: Math.floor(sectors / TWO_32),
      i_atime: seconds,
      i_ctime: seconds,
      i_mtime: seconds,
      ...fields,
    });
    if (inodeSize > 128) {
      EXT4_INODE.write(bytes, 0, {
        i_extra_isize: EXTRA_SIZE,
        i_crtime: seconds,
        i_ctime_extra: extra,
        i_mtime_extra: extra,
        i_atime_extra: extra,
        i_crtime_extra: extra,
      });
    }
    sealInode(this.superblock, bytes, number);
    this.inodes.set(number, bytes);
  }
}

/** Writes a leaf of the extents that map `runs` from `logical` on; returns the logical block behind them. */
function writeLeaf(bytes: Bytes, runs: readonly Run[], logical: number, max: number): number {
  EXT4_EXTENT_HEADER.write(bytes, 0, { eh_magic: EXT4_EXT_MAGIC, eh_entries: runs.length, eh_max: max, eh_depth: 0 });
  let next = logical;
  runs.forEach(({ start, end }, i) => {
    EXT4_EXTENT.write(bytes, 12 + 12 * i, {
      ee_block: next,
      ee_len: end - start,
      ee_start_lo: start % TWO_32,
      ee_start_hi: Math.floor(start / TWO_32),
    });
    next += end - start;
  });
  return next;
}
