/** The log as a ring of blocks: where they stand on the device, and walking over them in order. */
import { type Bytes, viewOf } from '../../bytes/struct.ts';
import { Corrupt } from '../../errors.ts';
import type { BlockDevice } from '../../io/device.ts';
import type { Io } from '../../io/effect.ts';
import { JBD2_MAGIC_NUMBER } from './format.ts';
import type { JournalSuperblock } from './superblock.ts';

/** A run of the journal file: `length` blocks from block `logical` of the file stand from block `physical` of the device. */
export interface JournalRun {
  readonly logical: number;
  readonly physical: number;
  readonly length: number;
}

/** Where the journal's blocks stand on the file system's device. */
export class JournalFile {
  readonly device: BlockDevice;
  readonly blockSize: number;
  /** Length in blocks. */
  readonly blocks: number;
  readonly #runs: readonly JournalRun[];

  /** `runs` in ascending order of `logical`, without overlap. */
  constructor(device: BlockDevice, blockSize: number, blocks: number, runs: readonly JournalRun[]) {
    this.device = device;
    this.blockSize = blockSize;
    this.blocks = blocks;
    this.#runs = runs;
  }

  /** The device's block that holds block `index` of the journal. Throws Corrupt for a hole: a journal has none. */
  blockOf(index: number): number {
    return this.#find(index).block;
  }

  /** Block `index` of the journal. */
  read(index: number): Io<Bytes> {
    return this.device.read(this.blockOf(index) * this.blockSize, this.blockSize);
  }

  /** Blocks from `index` on, at most `count`: those that stand together on the device. */
  *readTogether(index: number, count: number): Io<Bytes> {
    const { block, left } = this.#find(index);
    return yield* this.device.read(block * this.blockSize, Math.min(count, left) * this.blockSize);
  }

  #find(index: number): { block: number; left: number } {
    let low = 0;
    let high = this.#runs.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const run = this.#runs[middle]!;
      if (index < run.logical) high = middle - 1;
      else if (index >= run.logical + run.length) low = middle + 1;
      else return { block: run.physical + (index - run.logical), left: run.length - (index - run.logical) };
    }
    throw new Corrupt(`the journal has no block ${index}`, { layer: 'ext4 journal' });
  }
}

/** A block of the log that begins with the journal's header. */
export interface LogBlock {
  /** Index in the journal. */
  readonly index: number;
  readonly type: number;
  readonly bytes: Bytes;
}

/** Sequence numbers are 32 bits and wrap: whether `a` comes after `b` (tid_gt). */
export function comesAfter(a: number, b: number): boolean {
  return ((a - b) | 0) > 0;
}

/** The sequence number after this one. */
export function nextSequence(sequence: number): number {
  return (sequence + 1) >>> 0;
}

/** Walks the log from its oldest transaction. It ends where a block is no part of the transaction expected, or after one round. */
export class LogWalker {
  /** The transaction that is being walked; the caller counts it up at a commit block. */
  sequence: number;
  readonly #file: JournalFile;
  readonly #superblock: JournalSuperblock;
  #next: number;
  #left: number;

  constructor(file: JournalFile, superblock: JournalSuperblock) {
    this.#file = file;
    this.#superblock = superblock;
    this.sequence = superblock.sequence;
    this.#next = superblock.start;
    this.#left = superblock.last - superblock.first;
  }

  /** The next block if it carries the header of the transaction expected. */
  *next(): Io<LogBlock | undefined> {
    if (this.#left <= 0) return undefined;
    const index = this.#next;
    const bytes = yield* this.#file.read(index);
    const view = viewOf(bytes);
    if (view.getUint32(0) !== JBD2_MAGIC_NUMBER || view.getUint32(8) !== this.sequence) return undefined;
    this.#advance(1);
    return { index, type: view.getUint32(4), bytes };
  }

  /** The indexes of the next `count` blocks, which are data; fewer when the log is not that long. */
  take(count: number): number[] {
    const indexes: number[] = [];
    for (let k = 0; k < count && this.#left > 0; k++) {
      indexes.push(this.#next);
      this.#advance(1);
    }
    return indexes;
  }

  #advance(count: number): void {
    this.#left -= count;
    this.#next += count;
    if (this.#next >= this.#superblock.last) this.#next = this.#superblock.first + (this.#next - this.#superblock.last);
  }
}

/** Bytes of data blocks to read at once. */
const READ_AT_ONCE = 1 << 20;

/** Reads the data blocks at `indexes` in order, many at a time, and hands each to `visit`. */
export function* readDataBlocks(file: JournalFile, indexes: readonly number[], visit: (position: number, bytes: Bytes) => void): Io<void> {
  const atOnce = Math.max(1, Math.floor(READ_AT_ONCE / file.blockSize));
  for (let position = 0; position < indexes.length; ) {
    const first = indexes[position]!;
    let count = 1;
    while (count < atOnce && indexes[position + count] === first + count) count++;
    const bytes = yield* file.readTogether(first, count);
    const got = bytes.length / file.blockSize;
    for (let k = 0; k < got; k++) visit(position + k, bytes.subarray(k * file.blockSize, (k + 1) * file.blockSize));
    position += got;
  }
}
