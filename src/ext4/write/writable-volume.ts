/**
 * An ext2/3/4 file system that is being changed: what the operation under way has changed in memory, and how it gets to the device.
 *
 * An operation edits inodes, bitmaps, descriptors and the superblock in memory and writes blocks of data and directories at once; at the
 * end of the transaction around it {@link WritableVolume.flush} writes the rest. When it fails, the device's transaction is rolled back
 * and memory follows: all that was read or changed is dropped, or, where something from before still waits to be written, put back.
 */
import { type Bytes, viewOf } from '../../bytes/struct.ts';
import type { Timestamp } from '../../filesystem/filesystem.ts';
import { WritableCachedDevice } from '../../io/cache.ts';
import type { Io } from '../../io/effect.ts';
import type { Savepoint, TransactionalDevice } from '../../io/transaction.ts';
import { superblockChecksum } from '../checksum.ts';
import type { Complaints } from '../complaints.ts';
import { EXT4_SUPER_BLOCK, type RawSuperblock, SUPERBLOCK_OFFSET } from '../format/index.ts';
import { Generations } from '../generations.ts';
import { inodeOffset, readInodeBytes } from '../inode-table.ts';
import { parseSuperblock, type Superblock } from '../superblock.ts';
import { cacheOptions, Volume } from '../volume.ts';
import { BlockAllocator } from './block-allocator.ts';
import { sealDirectoryBlock } from './directory-block.ts';
import { WritableGroupTable } from './group-writer.ts';
import { InodeAllocator } from './inode-allocator.ts';
import { InodeEdit } from './inode-edit.ts';
import { UndoLog } from './undo-log.ts';

/** Inodes that wait to be written at most, before the next verb of a transaction writes them. */
const WAITING_INODES = 512;
const WAITING_SEALS = 1024;
/** New inodes that share one piece of memory. */
const NEW_INODES_AT_ONCE = 64;
/** Half of the blocks of directories that are known to be sound. */
const SOUND_BLOCKS = 4096;
const ROOM_HINTS = 1024;
/** The same for bitmaps. */
const WAITING_BITMAPS = 512;

export interface WriterOptions {
  /** The time that new and changed nodes get. */
  readonly now: () => Timestamp;
  /** A random number of 32 bits, for the generation of new inodes. */
  readonly random: () => number;
  readonly cacheBudget?: number;
}

/** Before the block `logical` of a directory without an index there is no gap for an entry of `length` bytes or more. */
export interface RoomHint {
  readonly logical: number;
  readonly length: number;
}

export class WritableVolume extends Volume {
  declare readonly device: TransactionalDevice;
  declare readonly cache: WritableCachedDevice;
  declare readonly groups: WritableGroupTable;
  readonly blocks: BlockAllocator;
  readonly inodeNumbers: InodeAllocator;
  readonly now: () => Timestamp;
  readonly random: () => number;
  override readonly soundBlocks: Generations<number> = new Generations(SOUND_BLOCKS);
  /** Where the last name found room in a directory. */
  readonly roomHints: Generations<RoomHint> = new Generations(ROOM_HINTS);
  /** Records what a verb inside of a transaction changes in memory. */
  readonly undoLog: UndoLog = new UndoLog();
  /** How many transactions of the user are open around the verb under way. */
  openTransactions = 0;
  readonly #edits = new Map<number, InodeEdit>();
  /** Blocks of directories whose checksums are due, and the seeds of those. */
  readonly #unsealed = new Map<number, number>();
  #scratch: Bytes = new Uint8Array(0);
  /** Memory for new inodes. */
  #zeros: Bytes = new Uint8Array(0);
  #superblockBytes: Bytes;
  #superblockDirty = false;
  /** What the superblock's counts will change by. */
  #newFreeBlocks = 0;
  #newFreeInodes = 0;

  /** `superblockBytes`: the 1024 bytes from which `superblock` was parsed. */
  constructor(device: TransactionalDevice, superblock: Superblock, superblockBytes: Bytes, complaints: Complaints, options: WriterOptions) {
    const cache = new WritableCachedDevice(device, cacheOptions(device, superblock, options.cacheBudget));
    super(device, superblock, { complaints, cache, groups: new WritableGroupTable(cache, superblock, complaints) });
    this.groups.undoLog = this.undoLog;
    this.#superblockBytes = superblockBytes.slice();
    this.now = options.now;
    this.random = options.random;
    this.blocks = new BlockAllocator(this);
    this.inodeNumbers = new InodeAllocator(this);
  }

  override isUnsealed(offset: number): boolean {
    return this.#unsealed.size > 0 && this.#unsealed.has(offset / this.superblock.blockSize);
  }

  /** Leaves the checksum of a directory's block to {@link flush}; `seed` is the directory's. */
  sealLater(block: number, seed: number): void {
    if (this.#unsealed.has(block)) return;
    this.#unsealed.set(block, seed);
    this.undoLog.push(() => this.#unsealed.delete(block));
  }

  /** Blocks were freed, or became something else: there is no checksum to come. */
  forgetSeals(start: number, length: number): void {
    if (this.#unsealed.size === 0) return;
    for (let block = start; block < start + length; block++) {
      const seed = this.#unsealed.get(block);
      if (seed === undefined) continue;
      this.#unsealed.delete(block);
      this.undoLog.push(() => this.#unsealed.set(block, seed));
    }
  }

  *#sealBlocks(): Io<void> {
    for (const [block, seed] of this.#unsealed) {
      const bytes = yield* this.blockForChange(block);
      sealDirectoryBlock(bytes, seed);
      yield* this.writeBlock(block, bytes);
    }
    this.#unsealed.clear();
  }

  override pendingInode(number: number): Bytes | undefined {
    const edit = this.#edits.get(number);
    return edit?.changed ? edit.bytes : undefined;
  }

  /** An inode for changing; within one operation the same object each time. */
  *edit(number: number): Io<InodeEdit> {
    const known = this.knownEdit(number);
    if (known !== undefined) return known;
    const edit = new InodeEdit(this, number, (yield* readInodeBytes(this, number)).slice());
    this.#put(edit);
    return edit;
  }

  /** The same for one that this operation, or one before it in the transaction, has changed. */
  knownEdit(number: number): InodeEdit | undefined {
    const known = this.#edits.get(number);
    if (known !== undefined && this.undoLog.recording) this.undoLog.push(known.saved());
    return known;
  }

  /** A fresh inode, all zero but for what every new inode has; `number` was just allocated. */
  editNew(number: number): InodeEdit {
    const { inodeSize } = this.superblock;
    if (this.#zeros.length < inodeSize) this.#zeros = new Uint8Array(NEW_INODES_AT_ONCE * inodeSize);
    const edit = InodeEdit.fresh(this, number, this.#zeros.subarray(0, inodeSize));
    this.#zeros = this.#zeros.subarray(inodeSize);
    this.#put(edit);
    return edit;
  }

  #put(edit: InodeEdit): void {
    const { number } = edit;
    if (this.undoLog.recording) {
      const before = this.#edits.get(number);
      this.undoLog.push(() => {
        if (before === undefined) this.#edits.delete(number);
        else this.#edits.set(number, before);
      });
    }
    this.#edits.set(number, edit);
  }

  /** Memory of so many bytes, with arbitrary contents, until the next call. */
  scratch(length: number): Bytes {
    if (this.#scratch.length < length) this.#scratch = new Uint8Array(2 ** Math.ceil(Math.log2(length)));
    return this.#scratch.subarray(0, length);
  }

  /**
   * A block of metadata, for changing: the cache's own bytes. Give it back with {@link writeBlock}, or let the verb fail, which empties the
   * cache.
   */
  blockForChange(block: number, inode?: number): Io<Bytes> {
    return this.cache.read(this.offsetOfBlock(block, inode), this.superblock.blockSize);
  }

  /** A copy of a block of metadata, for changing; give it back with {@link writeBlock}. */
  *readBlock(block: number, inode?: number): Io<Bytes> {
    return (yield* this.cache.read(this.offsetOfBlock(block, inode), this.superblock.blockSize)).slice();
  }

  /** Writes a block of metadata. */
  *writeBlock(block: number, bytes: Bytes, inode?: number): Io<void> {
    yield* this.cache.write(this.offsetOfBlock(block, inode), bytes);
  }

  /** Changes fields of the superblock, features too; its geometry must stay. */
  changeSuperblock(change: Partial<RawSuperblock>): void {
    EXT4_SUPER_BLOCK.write(this.#superblockBytes, 0, change);
    this.#superblockDirty = true;
    const isFeature =
      change.s_feature_compat !== undefined || change.s_feature_incompat !== undefined || change.s_feature_ro_compat !== undefined;
    if (!isFeature && change.s_last_orphan === undefined && change.s_volume_name === undefined) return;
    this.#seal();
    this.superblock = parseSuperblock(this.#superblockBytes);
  }

  /** Adds to the superblock's count of free blocks. */
  addFreeBlocks(count: number): void {
    this.#newFreeBlocks += count;
    this.#superblockDirty = true;
  }

  /** Adds to the superblock's count of free inodes. */
  addFreeInodes(count: number): void {
    this.#newFreeInodes += count;
    this.#superblockDirty = true;
  }

  /** Writes what waits between two verbs, where it is too much. */
  relieve(): Io<void> | undefined {
    if (this.#unsealed.size > WAITING_SEALS || this.blocks.waiting + this.inodeNumbers.waiting > WAITING_BITMAPS) return this.flush();
    return this.#edits.size > WAITING_INODES ? this.#relieveInodes() : undefined;
  }

  *#relieveInodes(): Io<void> {
    yield* this.#flushInodes();
    this.#edits.clear();
  }

  /** Writes all that was changed in memory: inodes, bitmaps, descriptors, superblock. */
  *flush(): Io<void> {
    if (this.#unsealed.size > 0) yield* this.#sealBlocks();
    yield* this.#flushInodes();
    this.#edits.clear();
    yield* this.inodeNumbers.flush();
    yield* this.blocks.flush();
    yield* this.groups.flush();
    if (!this.#superblockDirty) return;
    this.#addCounts();
    const { seconds } = this.now();
    EXT4_SUPER_BLOCK.write(this.#superblockBytes, 0, { s_wtime: seconds >>> 0, s_wtime_hi: Math.floor(seconds / 0x1_0000_0000) & 0xff });
    this.#seal();
    yield* this.cache.write(SUPERBLOCK_OFFSET, this.#superblockBytes);
    this.#superblockDirty = false;
  }

  /** Writes the inodes that were changed, those that stand side by side at once. */
  *#flushInodes(): Io<void> {
    const changed = [...this.#edits.values()].filter((edit) => edit.changed).sort((a, b) => a.number - b.number);
    const { inodeSize, inodesPerGroup } = this.superblock;
    for (let first = 0; first < changed.length; ) {
      const { number } = changed[first]!;
      let count = 1;
      while (changed[first + count]?.number === number + count && (number - 1 + count) % inodesPerGroup !== 0) count++;
      const bytes = new Uint8Array(count * inodeSize);
      for (let k = 0; k < count; k++) {
        const edit = changed[first + k]!;
        edit.seal();
        bytes.set(edit.bytes, k * inodeSize);
      }
      yield* this.cache.write(yield* inodeOffset(this, number), bytes);
      first += count;
    }
  }

  /** The state of memory now, to come back to when the device goes back to its own. Taken between verbs. */
  save(): Savepoint {
    const bytes = this.#superblockBytes.slice();
    const { superblock } = this;
    const dirty = this.#superblockDirty;
    if (
      !dirty &&
      this.#edits.size + this.#unsealed.size === 0 &&
      this.blocks.waiting + this.inodeNumbers.waiting + this.groups.waiting === 0
    ) {
      return { restore: () => this.#forget(bytes, superblock), release: () => {} };
    }
    const newFreeBlocks = this.#newFreeBlocks;
    const newFreeInodes = this.#newFreeInodes;
    this.undoLog.begin();
    return {
      restore: () => {
        this.#newFreeBlocks = newFreeBlocks;
        this.#newFreeInodes = newFreeInodes;
        this.undoLog.undo();
        this.#superblockBytes = bytes;
        this.superblock = superblock;
        this.#superblockDirty = dirty;
        this.#dropReads();
      },
      release: () => this.undoLog.end(),
    };
  }

  /** Drops everything that is in memory: the device has gone back to what it was. */
  #forget(superblockBytes: Bytes, superblock: Superblock): void {
    this.undoLog.end();
    this.#superblockBytes = superblockBytes;
    this.superblock = superblock;
    this.#superblockDirty = false;
    this.#newFreeBlocks = 0;
    this.#newFreeInodes = 0;
    this.#unsealed.clear();
    this.#edits.clear();
    this.blocks.forget();
    this.inodeNumbers.forget();
    this.groups.clear();
    this.#dropReads();
  }

  #dropReads(): void {
    this.inodes.clear();
    this.extentNodes.clear();
    this.soundBlocks.clear();
    this.roomHints.clear();
    this.blocks.forgetHints();
    this.inodeNumbers.forgetHints();
    this.cache.clear();
  }

  #addCounts(): void {
    const view = viewOf(this.#superblockBytes);
    const { s_free_blocks_count_lo: low, s_free_blocks_count_hi: high, s_free_inodes_count: inodes } = EXT4_SUPER_BLOCK.fields;
    const blocks = view.getUint32(high.offset, true) * 0x1_0000_0000 + view.getUint32(low.offset, true) + this.#newFreeBlocks;
    EXT4_SUPER_BLOCK.write(this.#superblockBytes, 0, {
      s_free_blocks_count_lo: blocks % 0x1_0000_0000,
      s_free_blocks_count_hi: Math.floor(blocks / 0x1_0000_0000),
      s_free_inodes_count: view.getUint32(inodes.offset, true) + this.#newFreeInodes,
    });
    this.#newFreeBlocks = 0;
    this.#newFreeInodes = 0;
  }

  #seal(): void {
    if (!this.superblock.metadataCsum) return;
    EXT4_SUPER_BLOCK.write(this.#superblockBytes, 0, { s_checksum: superblockChecksum(this.#superblockBytes) });
  }
}
