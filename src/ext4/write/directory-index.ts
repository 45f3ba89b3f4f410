/**
 * Putting names into an indexed directory (fs/ext4/namei.c: ext4_dx_add_entry, do_split, make_indexed_dir).
 *
 * The index maps ranges of hashes to leaf blocks. A full leaf is split by hash; a full node of the index is split too; a full root moves
 * into a node of its own, and the tree becomes one level deeper.
 */
import { type Bytes, viewOf } from '../../bytes/struct.ts';
import { Corrupt, Posix } from '../../errors.ts';
import type { Io } from '../../io/effect.ts';
import { casefold } from '../casefold.ts';
import { type DirectoryForm, recordLength } from '../directory.ts';
import { directoryForm } from '../directory-read.ts';
import { DX_HASH_HALF_MD4, DX_HASH_TEA, directoryHash } from '../dirhash.ts';
import { DX_COUNTLIMIT_STRUCT, DX_ENTRY_STRUCT, DX_ROOT_INFO_STRUCT, EXT4_INDEX_FL } from '../format/index.ts';
import {
  DX_BLOCK_MASK,
  DX_NODE_ENTRIES_OFFSET,
  DX_ROOT_ENTRIES_OFFSET,
  DX_ROOT_INFO_OFFSET,
  hashParameters,
  indexLimit,
  maxIndirectLevels,
} from '../htree.ts';
import { ignoresCase } from '../lookup.ts';
import { entriesEnd, insertEntry, liveEntries, type NewEntry, packEntries, type RawEntry, recordLengthOnDisk } from './directory-block.ts';
import { appendBlock, type DirectoryBlock, readForChange, writeIndexBlock, writeLeaf } from './directory-blocks.ts';
import type { InodeEdit } from './inode-edit.ts';
import type { WritableVolume } from './writable-volume.ts';

/** `rec_len` of the entry `.`, behind which `..` stands. */
const DOT_LENGTH = 12;

/** A block of the index on the way to a leaf: its array of entries, and which of them is taken. */
class Frame {
  readonly block: DirectoryBlock;
  readonly #view: DataView;
  readonly #offset: number;
  at = 0;

  constructor(block: DirectoryBlock, offset: number) {
    this.block = block;
    this.#view = viewOf(block.bytes);
    this.#offset = offset;
  }

  get limit(): number {
    return this.#view.getUint16(this.#offset, true);
  }

  get count(): number {
    return this.#view.getUint16(this.#offset + 2, true);
  }

  set count(count: number) {
    this.#view.setUint16(this.#offset + 2, count, true);
  }

  hash(index: number): number {
    return index === 0 ? 0 : this.#view.getUint32(this.#offset + DX_ENTRY_STRUCT.size * index, true);
  }

  child(index: number): number {
    return this.#view.getUint32(this.#offset + DX_ENTRY_STRUCT.size * index + 4, true) & DX_BLOCK_MASK;
  }

  /** Sets an entry; the hash of the first is not stored. */
  set(index: number, hash: number, block: number): void {
    const at = this.#offset + DX_ENTRY_STRUCT.size * index;
    if (index > 0) this.#view.setUint32(at, hash, true);
    this.#view.setUint32(at + 4, block, true);
  }

  /** Puts an entry behind `index`. */
  insertBehind(index: number, hash: number, block: number): void {
    const start = this.#offset + DX_ENTRY_STRUCT.size * (index + 1);
    const end = this.#offset + DX_ENTRY_STRUCT.size * this.count;
    this.block.bytes.copyWithin(start + DX_ENTRY_STRUCT.size, start, end);
    this.count++;
    this.set(index + 1, hash, block);
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

  /** Moves the entries from `from` on into an empty frame. */
  moveTo(other: Frame, from: number): void {
    const moved = this.count - from;
    for (let k = 0; k < moved; k++) other.set(k, this.hash(from + k), this.child(from + k));
    other.count = moved;
    this.count = from;
  }
}

/** Adds a name to an indexed directory that does not have it yet. */
export function* insertIndexed(volume: WritableVolume, edit: InodeEdit, entry: NewEntry): Io<void> {
  const form = directoryForm(volume, edit.inode);
  const root = yield* readForChange(volume, edit, 0);
  const info = readRootInfo(volume, edit, root.bytes);
  const hash = hashOf(volume, edit, entry.name, info.hash_version);
  const frames = [new Frame(root, DX_ROOT_ENTRIES_OFFSET)];
  checkFrame(volume, edit, frames[0]!, DX_ROOT_ENTRIES_OFFSET);
  frames[0]!.at = frames[0]!.find(hash);
  for (let level = 0; level < info.indirect_levels; level++) {
    const above = frames[level]!;
    const frame = new Frame(yield* readForChange(volume, edit, above.child(above.at)), DX_NODE_ENTRIES_OFFSET);
    checkFrame(volume, edit, frame, DX_NODE_ENTRIES_OFFSET);
    frame.at = frame.find(hash);
    frames.push(frame);
  }
  const bottom = frames[frames.length - 1]!;
  const leaf = yield* readForChange(volume, edit, bottom.child(bottom.at));
  const end = entriesEnd(volume.superblock.blockSize, volume.superblock.metadataCsum);
  if (insertEntry(leaf.bytes, 0, end, entry, form)) return yield* writeLeaf(volume, edit, leaf);
  const live = liveEntries(leaf.bytes, 0, end, form);
  packEntries(leaf.bytes, 0, end, live, form);
  if (insertEntry(leaf.bytes, 0, end, entry, form)) return yield* writeLeaf(volume, edit, leaf);
  yield* makeRoom(volume, edit, frames, frames.length - 1);
  yield* splitLeaf(volume, edit, frames[frames.length - 1]!, leaf, live, entry, hash, info.hash_version, form);
}

function readRootInfo(volume: WritableVolume, edit: InodeEdit, root: Bytes): ReturnType<typeof DX_ROOT_INFO_STRUCT.read> {
  const info = DX_ROOT_INFO_STRUCT.read(root, DX_ROOT_INFO_OFFSET);
  const { blockSize } = volume.superblock;
  const sound =
    viewOf(root).getUint16(4, true) === DOT_LENGTH &&
    recordLength(viewOf(root).getUint16(DOT_LENGTH + 4, true), blockSize) === blockSize - DOT_LENGTH &&
    info.reserved_zero === 0 &&
    info.info_length === DX_ROOT_INFO_STRUCT.size &&
    info.hash_version <= DX_HASH_TEA &&
    (info.unused_flags & 1) === 0 &&
    info.indirect_levels <= maxIndirectLevels(volume.superblock);
  if (!sound) throw unsound(edit, 'root');
  return info;
}

function checkFrame(volume: WritableVolume, edit: InodeEdit, frame: Frame, offset: number): void {
  if (frame.limit !== indexLimit(volume.superblock, offset) || frame.count === 0 || frame.count > frame.limit) throw unsound(edit, 'node');
  for (let i = 0; i < frame.count; i++) if (frame.child(i) === 0) throw unsound(edit, 'node');
}

function unsound(edit: InodeEdit, what: string): Corrupt {
  return new Corrupt(`the ${what} of a directory's index is not sound; run e2fsck -D`, { layer: 'ext4', inode: edit.number });
}

function hashOf(volume: WritableVolume, edit: InodeEdit, name: Bytes, version: number): number {
  const folded = ignoresCase(volume, edit.inode) ? (casefold(name) ?? name) : name;
  return directoryHash(folded, version, hashParameters(volume.superblock)).hash;
}

/** Sees to it that the node at `level` can take one more entry; the frames stay the way to the same leaf. */
function* makeRoom(volume: WritableVolume, edit: InodeEdit, frames: Frame[], level: number): Io<void> {
  const frame = frames[level]!;
  if (frame.count < frame.limit) return;
  if (level === 0) {
    yield* deepen(volume, edit, frames);
    return;
  }
  const depth = frames.length;
  yield* makeRoom(volume, edit, frames, level - 1);
  const shifted = level + (frames.length - depth);
  const parent = frames[shifted - 1]!;
  const other = yield* newNode(volume, edit);
  const half = frame.count >> 1;
  const hash = frame.hash(half);
  frame.moveTo(other, half);
  parent.insertBehind(parent.at, hash, other.block.logical);
  yield* writeIndexBlock(volume, edit, parent.block);
  yield* writeIndexBlock(volume, edit, frame.block);
  yield* writeIndexBlock(volume, edit, other.block);
  if (frame.at >= half) {
    other.at = frame.at - half;
    frames[shifted] = other;
    parent.at++;
  }
}

/** Moves the entries of the full root into a node of their own. */
function* deepen(volume: WritableVolume, edit: InodeEdit, frames: Frame[]): Io<void> {
  const root = frames[0]!;
  if (frames.length > maxIndirectLevels(volume.superblock)) {
    throw new Posix('ENOSPC', { layer: 'ext4', inode: edit.number }, "the directory's index is full");
  }
  const node = yield* newNode(volume, edit);
  node.at = root.at;
  root.moveTo(node, 0);
  root.count = 1;
  root.at = 0;
  root.set(0, 0, node.block.logical);
  DX_ROOT_INFO_STRUCT.write(root.block.bytes, DX_ROOT_INFO_OFFSET, { indirect_levels: frames.length });
  frames.splice(1, 0, node);
  yield* writeIndexBlock(volume, edit, root.block);
  yield* writeIndexBlock(volume, edit, node.block);
}

function* newNode(volume: WritableVolume, edit: InodeEdit): Io<Frame> {
  const block = yield* appendBlock(volume, edit);
  const { blockSize } = volume.superblock;
  viewOf(block.bytes).setUint16(4, recordLengthOnDisk(blockSize, blockSize), true);
  const limit = indexLimit(volume.superblock, DX_NODE_ENTRIES_OFFSET);
  DX_COUNTLIMIT_STRUCT.write(block.bytes, DX_NODE_ENTRIES_OFFSET, { limit, count: 0 });
  return new Frame(block, DX_NODE_ENTRIES_OFFSET);
}

/** Divides a leaf by hash into two of about the same size and puts the new name into the right one. */
function* splitLeaf(
  volume: WritableVolume,
  edit: InodeEdit,
  parent: Frame,
  leaf: DirectoryBlock,
  live: readonly RawEntry[],
  entry: NewEntry,
  hash: number,
  version: number,
  form: DirectoryForm,
): Io<void> {
  const { blockSize, metadataCsum } = volume.superblock;
  const sorted = live.map((raw) => ({ raw, hash: hashOf(volume, edit, raw.name, version) })).sort((a, b) => a.hash - b.hash);
  if (sorted.length < 2) throw new Posix('ENOSPC', { layer: 'ext4', inode: edit.number }, 'a block of the directory cannot be divided');
  let size = 0;
  let split = sorted.length;
  while (split > 1 && size + sorted[split - 1]!.raw.size / 2 <= blockSize / 2) size += sorted[--split]!.raw.size;
  if (split === sorted.length) split--;
  const first = sorted[split]!.hash;
  // An odd hash says that names of this hash begin in the leaf before.
  const continued = first === sorted[split - 1]!.hash ? 1 : 0;
  const other = yield* appendBlock(volume, edit);
  const end = entriesEnd(blockSize, metadataCsum);
  packEntries(
    leaf.bytes,
    0,
    end,
    sorted.slice(0, split).map(({ raw }) => raw),
    form,
  );
  packEntries(
    other.bytes,
    0,
    end,
    sorted.slice(split).map(({ raw }) => raw),
    form,
  );
  const target = hash >= first ? other : leaf;
  if (!insertEntry(target.bytes, 0, end, entry, form)) {
    throw new Posix('ENOSPC', { layer: 'ext4', inode: edit.number }, 'a block of the directory cannot be divided');
  }
  parent.insertBehind(parent.at, first + continued, other.logical);
  yield* writeLeaf(volume, edit, leaf);
  yield* writeLeaf(volume, edit, other);
  yield* writeIndexBlock(volume, edit, parent.block);
}

/** Turns a directory of one block into an indexed one with one leaf. */
export function* makeIndex(volume: WritableVolume, edit: InodeEdit): Io<void> {
  const { superblock } = volume;
  const { blockSize, metadataCsum, raw } = superblock;
  const form = directoryForm(volume, edit.inode);
  const root = yield* readForChange(volume, edit, 0);
  const end = entriesEnd(blockSize, metadataCsum);
  const [dot, dotDot, ...rest] = liveEntries(root.bytes, 0, end, form);
  const startsRight =
    dot?.name.length === 1 && dot.name[0] === 0x2e && dotDot?.name.length === 2 && dotDot.name[0] === 0x2e && dotDot.name[1] === 0x2e;
  if (!startsRight) throw new Corrupt('a directory that does not begin with . and ..', { layer: 'ext4', inode: edit.number });
  const leaf = yield* appendBlock(volume, edit);
  packEntries(leaf.bytes, 0, end, rest, form);
  const { bytes } = root;
  packEntries(bytes, 0, blockSize, [dot!, dotDot!], form);
  const version = raw.s_def_hash_version <= DX_HASH_TEA ? raw.s_def_hash_version : DX_HASH_HALF_MD4;
  DX_ROOT_INFO_STRUCT.write(bytes, DX_ROOT_INFO_OFFSET, {
    reserved_zero: 0,
    hash_version: version,
    info_length: DX_ROOT_INFO_STRUCT.size,
    indirect_levels: 0,
    unused_flags: 0,
  });
  DX_COUNTLIMIT_STRUCT.write(bytes, DX_ROOT_ENTRIES_OFFSET, {
    limit: indexLimit(superblock, DX_ROOT_ENTRIES_OFFSET),
    count: 1,
    block: leaf.logical,
  });
  edit.change({ i_flags: (edit.inode.flags | EXT4_INDEX_FL) >>> 0 });
  yield* writeLeaf(volume, edit, leaf);
  yield* writeIndexBlock(volume, edit, root);
}
