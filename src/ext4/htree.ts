/**
 * Finding a name through the index of a directory (fs/ext4/namei.c: dx_probe, ext4_htree_next_block).
 *
 * The index is a shortcut and nothing else: its blocks look like empty entries to whoever reads the directory from end to end. So
 * wherever it is odd the answer is `unusable`, and the caller reads all blocks instead.
 */
import { type Bytes, viewOf } from '../bytes/struct.ts';
import type { Io } from '../io/effect.ts';
import { casefold } from './casefold.ts';
import { indexBlockChecksum, inodeSeed } from './checksum.ts';
import { DX_HASH_LEGACY, DX_HASH_TEA, directoryHash, type HashParameters } from './dirhash.ts';
import {
  DX_COUNTLIMIT_STRUCT,
  DX_ENTRY_STRUCT,
  DX_ROOT_INFO_STRUCT,
  DX_TAIL_STRUCT,
  EXT2_FLAGS_UNSIGNED_HASH,
  EXT4_CASEFOLD_FL,
  INCOMPAT,
} from './format/index.ts';
import type { Inode } from './inode.ts';
import { findRun } from './mapping.ts';
import type { Superblock } from './superblock.ts';
import type { Volume } from './volume.ts';

/** Where `dx_root_info` stands in block 0, behind the entries `.` and `..`. */
export const DX_ROOT_INFO_OFFSET = 24;
/** Where the array of entries begins in the root and in a node. */
export const DX_ROOT_ENTRIES_OFFSET = 32;
export const DX_NODE_ENTRIES_OFFSET = 8;
/** The part of `dx_entry.block` that is a block number. */
export const DX_BLOCK_MASK = 0x0fffffff;
/** `rec_len` of the entry `.`. */
const DOT_LENGTH = 12;

export type IndexSearch<T> =
  | { readonly outcome: 'found'; readonly value: T }
  | { readonly outcome: 'absent' }
  /** The index cannot be used; `reason` says why, for a warning. */
  | { readonly outcome: 'unusable'; readonly reason: string };

/** What names are hashed with on this file system. */
export function hashParameters(superblock: Superblock): HashParameters {
  return { seed: superblock.raw.s_hash_seed, unsigned: (superblock.raw.s_flags & EXT2_FLAGS_UNSIGNED_HASH) !== 0 };
}

/** Levels of nodes below the root at most (ext4_dir_htree_level less the root's own). */
export function maxIndirectLevels(superblock: Superblock): number {
  return (superblock.incompat & INCOMPAT.large_dir) !== 0 ? 2 : 1;
}

/** How many slots the array at `entriesOffset` has (dx_root_limit, dx_node_limit). */
export function indexLimit(superblock: Superblock, entriesOffset: number): number {
  const tail = superblock.metadataCsum ? DX_TAIL_STRUCT.size : 0;
  return Math.floor((superblock.blockSize - entriesOffset - tail) / DX_ENTRY_STRUCT.size);
}

/** An array of entries whose bounds were checked; the first slot's hash is 0. */
class IndexEntries {
  readonly count: number;
  readonly #view: DataView;
  readonly #offset: number;

  constructor(block: Bytes, offset: number, count: number) {
    this.#view = viewOf(block);
    this.#offset = offset;
    this.count = count;
  }

  hash(at: number): number {
    return at === 0 ? 0 : this.#view.getUint32(this.#offset + DX_ENTRY_STRUCT.size * at, true);
  }

  block(at: number): number {
    return this.#view.getUint32(this.#offset + DX_ENTRY_STRUCT.size * at + 4, true) & DX_BLOCK_MASK;
  }

  /** The last entry whose hash is not above `hash`. */
  find(hash: number): number {
    let low = 1;
    let high = this.count - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      if (this.hash(middle) > hash) high = middle - 1;
      else low = middle + 1;
    }
    return low - 1;
  }
}

/** A level on the way from the root to a leaf. */
interface Frame {
  entries: IndexEntries;
  at: number;
}

/** Why an index was given up; caught here, never seen outside. */
class Unusable {
  readonly reason: string;
  constructor(reason: string) {
    this.reason = reason;
  }
}

/**
 * Looks for a name: `search` gets each leaf block that may hold it, not verified yet, and its logical number, and returns what it found.
 * Throws Corrupt where a checksum of the index is wrong and checksums are verified; where they are ignored, such an index is unusable.
 */
export function* searchIndex<T>(
  volume: Volume,
  directory: Inode,
  name: Bytes,
  search: (leaf: Bytes, logical: number, offset: number) => T | undefined,
): Io<IndexSearch<T>> {
  try {
    const value = yield* descend(volume, directory, name, search);
    return value === undefined ? { outcome: 'absent' } : { outcome: 'found', value };
  } catch (error) {
    if (error instanceof Unusable) return { outcome: 'unusable', reason: error.reason };
    throw error;
  }
}

function* descend<T>(
  volume: Volume,
  directory: Inode,
  name: Bytes,
  search: (leaf: Bytes, logical: number, offset: number) => T | undefined,
): Io<T | undefined> {
  const { superblock } = volume;
  const { block: root, offset: rootOffset } = yield* readBlock(volume, directory, 0);
  const view = viewOf(root);
  const info = DX_ROOT_INFO_STRUCT.read(root, DX_ROOT_INFO_OFFSET);
  if (
    view.getUint16(4, true) !== DOT_LENGTH ||
    view.getUint16(DOT_LENGTH + 4, true) !== recordLength(superblock, superblock.blockSize - DOT_LENGTH)
  ) {
    throw new Unusable('its first block has no room for a root');
  }
  if (info.reserved_zero !== 0 || info.info_length !== DX_ROOT_INFO_STRUCT.size) throw new Unusable('its root has an unknown form');
  if (!(info.hash_version >= DX_HASH_LEGACY && info.hash_version <= DX_HASH_TEA)) throw new Unusable(`hash version ${info.hash_version}`);
  if ((info.unused_flags & 1) !== 0) throw new Unusable(`flags ${info.unused_flags}`);
  if (info.indirect_levels > maxIndirectLevels(superblock)) throw new Unusable(`${info.indirect_levels} levels of nodes`);
  const folds = (superblock.incompat & INCOMPAT.casefold) !== 0 && (directory.flags & EXT4_CASEFOLD_FL) !== 0;
  const { hash } = directoryHash(folds ? (casefold(name) ?? name) : name, info.hash_version, hashParameters(superblock));

  const entries = readEntries(volume, directory, root, DX_ROOT_ENTRIES_OFFSET, 0, rootOffset);
  const frames: Frame[] = [{ entries, at: entries.find(hash) }];
  for (let level = 0; level < info.indirect_levels; level++) {
    const { entries: above, at } = frames[level]!;
    const node = yield* readNode(volume, directory, above.block(at));
    frames.push({ entries: node, at: node.find(hash) });
  }
  const bottom = frames[frames.length - 1]!;
  // Names of one hash may fill several leaves; a directory has no more leaves than blocks.
  const blocks = Math.ceil(directory.size / superblock.blockSize);
  for (let visited = 0; visited < blocks; visited++) {
    const logical = bottom.entries.block(bottom.at);
    if (logical === 0) throw new Unusable('a leaf is the root itself');
    const leaf = yield* readBlock(volume, directory, logical);
    const found = search(leaf.block, logical, leaf.offset);
    if (found !== undefined) return found;
    if (!(yield* nextLeaf(volume, directory, frames, hash))) return undefined;
  }
  throw new Unusable('more leaves than blocks');
}

/** Steps to the next leaf if it continues the same hash, which its entry says by bit 0 (ext4_htree_next_block). */
function* nextLeaf(volume: Volume, directory: Inode, frames: Frame[], hash: number): Io<boolean> {
  let level = frames.length - 1;
  while (frames[level]!.at + 1 >= frames[level]!.entries.count) if (--level < 0) return false;
  const frame = frames[level]!;
  frame.at++;
  const continued = frame.entries.hash(frame.at);
  if ((continued & 1) === 0 || (continued & ~1) >>> 0 !== hash) return false;
  for (level++; level < frames.length; level++) {
    const above = frames[level - 1]!;
    frames[level]!.entries = yield* readNode(volume, directory, above.entries.block(above.at));
    frames[level]!.at = 0;
  }
  return true;
}

function* readNode(volume: Volume, directory: Inode, logical: number): Io<IndexEntries> {
  if (logical === 0) throw new Unusable('a node is the root itself');
  const { block, offset } = yield* readBlock(volume, directory, logical);
  const view = viewOf(block);
  if (view.getUint32(0, true) !== 0 || view.getUint16(4, true) !== recordLength(volume.superblock, volume.superblock.blockSize)) {
    throw new Unusable(`block ${logical} is no node`);
  }
  return readEntries(volume, directory, block, DX_NODE_ENTRIES_OFFSET, logical, offset);
}

/** `offset` is where the entries stand in the block, `place` where the block stands on the device. */
function readEntries(volume: Volume, directory: Inode, block: Bytes, offset: number, logical: number, place: number): IndexEntries {
  const { superblock } = volume;
  const { limit, count } = DX_COUNTLIMIT_STRUCT.read(block, offset);
  if (limit !== indexLimit(superblock, offset)) throw new Unusable(`block ${logical} has room for ${limit} entries`);
  if (count === 0 || count > limit) throw new Unusable(`block ${logical} has ${count} of ${limit} entries`);
  if (superblock.metadataCsum && volume.soundBlocks?.get(place) !== directory.number) {
    const seed = inodeSeed(superblock.checksumSeed, directory.number, directory.generation);
    const tail = DX_TAIL_STRUCT.read(block, offset + DX_ENTRY_STRUCT.size * limit);
    if (indexBlockChecksum(seed, block, offset, count, limit) !== tail.dt_checksum) {
      volume.complaints.mismatch(`directory index, block ${logical}`, { inode: directory.number });
      throw new Unusable(`block ${logical} has a wrong checksum`);
    }
  }
  return new IndexEntries(block, offset, count);
}

/** `rec_len` as it stands on the disk: 16 bits hold no 65536 (ext4_rec_len_to_disk). */
function recordLength(superblock: Superblock, length: number): number {
  return length === 65536 ? (superblock.blockSize === 65536 ? 65535 : 0) : length;
}

function* readBlock(volume: Volume, directory: Inode, logical: number): Io<{ readonly block: Bytes; readonly offset: number }> {
  const { blockSize } = volume.superblock;
  if ((logical + 1) * blockSize > directory.size) throw new Unusable(`block ${logical} is beyond the end`);
  const run = yield* findRun(volume, directory, logical);
  if (run.zero || run.physical === undefined) throw new Unusable(`block ${logical} is a hole`);
  const offset = volume.offsetOfBlock(run.physical, directory.number);
  return { block: yield* volume.cache.read(offset, blockSize), offset };
}
