/** Reading directories: their blocks with checksums verified, block after block, or the entries inside of the inode. */
import type { Bytes } from '../bytes/struct.ts';
import { viewOf } from '../bytes/struct.ts';
import { latin1 } from '../bytes/text.ts';
import { Corrupt, type Where } from '../errors.ts';
import type { DirectoryEntry, DirectoryPart } from '../filesystem/filesystem.ts';
import type { Io } from '../io/effect.ts';
import { directoryBlockChecksum, indexBlockChecksum, inodeSeed } from './checksum.ts';
import { countLimitOffset, type DirectoryForm, hasDirectoryTail, type PlacedEntry, parseEntries } from './directory.ts';
import { DX_HASH_TEA_UNSIGNED, directoryHash } from './dirhash.ts';
import { shownName } from './encrypted-name.ts';
import {
  COMPAT,
  DX_ROOT_INFO_STRUCT,
  EXT4_CASEFOLD_FL,
  EXT4_ENCRYPT_FL,
  EXT4_INDEX_FL,
  EXT4_INLINE_DATA_FL,
  INCOMPAT,
} from './format/index.ts';
import { DX_ROOT_INFO_OFFSET, hashParameters } from './htree.ts';
import { readInlineTail } from './inline.ts';
import type { Inode } from './inode.ts';
import type { EditedEntry, FastCommitState } from './journal/fast-commit-state.ts';
import { findRun } from './mapping.ts';
import type { Volume } from './volume.ts';

/** How many bytes of directory one part covers at most. */
const PART = 256 * 1024;

export function directoryForm(volume: Volume, directory: Inode): DirectoryForm {
  const { blockSize, incompat, inodesCount } = volume.superblock;
  const encrypted = (directory.flags & EXT4_ENCRYPT_FL) !== 0;
  return {
    blockSize,
    hasFileType: (incompat & INCOMPAT.filetype) !== 0,
    encrypted,
    storedHash: encrypted && (directory.flags & EXT4_CASEFOLD_FL) !== 0,
    inodesCount,
  };
}

/** A part of a directory; `cursor` counts logical blocks. */
export function* readDirectoryPart(volume: Volume, directory: Inode, cursor = 0): Io<DirectoryPart> {
  const part = yield* readStoredPart(volume, directory, cursor);
  return (directory.flags & EXT4_ENCRYPT_FL) === 0 ? part : yield* showCiphertext(volume, directory, part);
}

/** Names of an encrypted directory as the kernel shows them without the key, with the hash that it would look them up by. */
function* showCiphertext(volume: Volume, directory: Inode, part: DirectoryPart): Io<DirectoryPart> {
  const version = yield* hashVersion(volume, directory);
  const parameters = hashParameters(volume.superblock);
  const entries = part.entries.map((entry) => {
    const { hash, minor } = version === undefined ? NO_HASH : directoryHash(entry.name, version, parameters);
    return { ...entry, name: shownName(entry.name, hash, minor) };
  });
  return part.next === undefined ? { entries } : { entries, next: part.next };
}

const NO_HASH = { hash: 0, minor: 0 };

/** The hash in use by a directory that is indexed, or small enough to count as such (is_dx_dir); undefined: none that needs no key. */
function* hashVersion(volume: Volume, directory: Inode): Io<number | undefined> {
  const { compat, blockSize, raw } = volume.superblock;
  if ((compat & COMPAT.dir_index) === 0 || (directory.flags & EXT4_CASEFOLD_FL) !== 0) return undefined;
  let version: number | undefined;
  if ((directory.flags & (EXT4_INDEX_FL | EXT4_INLINE_DATA_FL)) === EXT4_INDEX_FL) {
    const run = yield* findRun(volume, directory, 0);
    if (!run.zero && run.physical !== undefined) {
      const root = yield* volume.cache.read(volume.offsetOfBlock(run.physical, directory.number), blockSize);
      version = DX_ROOT_INFO_STRUCT.read(root, DX_ROOT_INFO_OFFSET).hash_version;
    }
  } else if (directory.size <= blockSize) version = raw.s_def_hash_version;
  return version !== undefined && version <= DX_HASH_TEA_UNSIGNED ? version : undefined;
}

/** The same with names as they are stored: ciphertext in an encrypted directory. */
export function* readStoredPart(volume: Volume, directory: Inode, cursor: number): Io<DirectoryPart> {
  const { fastCommits } = volume;
  if (fastCommits === undefined) return yield* readPart(volume, directory, cursor);
  const made = fastCommits.parentOfCreated(directory.number) !== undefined;
  const edited = fastCommits.entries(directory.number);
  if (!made && edited.length === 0) return yield* readPart(volume, directory, cursor);
  // What was added is told apart from what was there only by the whole directory. One that the fast commits made has no block yet.
  const entries: DirectoryEntry[] = [];
  for (let next: number | undefined = made ? undefined : 0; next !== undefined; ) {
    const part: DirectoryPart = yield* readPart(volume, directory, next);
    entries.push(...part.entries);
    next = part.next;
  }
  return { entries: editEntries(fastCommits, directory.number, edited, entries) };
}

/** The entries after the fast commits, given those of the disk. */
function editEntries(
  fastCommits: FastCommitState,
  directory: number,
  edited: readonly EditedEntry[],
  entries: readonly DirectoryEntry[],
): DirectoryEntry[] {
  const pending = new Map(edited.map(({ name }) => [latin1(name), name]));
  const result: DirectoryEntry[] = [];
  for (const entry of entries) {
    const node = pending.delete(latin1(entry.name)) ? fastCommits.resolve(directory, entry.name, entry.node) : entry.node;
    if (node === entry.node) result.push(entry);
    else if (node !== undefined) result.push({ name: entry.name, node });
  }
  for (const name of pending.values()) {
    const node = fastCommits.resolve(directory, name, undefined);
    if (node !== undefined) result.push({ name, node });
  }
  return result;
}

function* readPart(volume: Volume, directory: Inode, cursor: number): Io<DirectoryPart> {
  const entries: PlacedEntry[] = [];
  const form = directoryForm(volume, directory);
  if ((directory.flags & EXT4_INLINE_DATA_FL) !== 0) {
    yield* readInlineEntries(volume, directory, form, entries);
    return { entries };
  }
  const { blockSize } = volume.superblock;
  const count = Math.ceil(directory.size / blockSize);
  const end = Math.min(count, cursor + Math.max(1, PART / blockSize));
  let logical = cursor;
  let atMost = end - cursor;
  while (logical < end) {
    try {
      logical += yield* readRun(volume, directory, form, logical, Math.min(atMost, end - logical), entries);
    } catch (error) {
      if (!(error instanceof Corrupt)) throw error;
      // What stands before the bad block is given first; who then goes on gets the error.
      if (atMost > 1) atMost = 1;
      else if (logical > cursor) break;
      else throw error;
    }
  }
  return logical < count ? { entries, next: logical } : { entries };
}

/** Reads blocks that stand together, at most `limit`, and adds their entries, all or none; returns how many blocks. */
function* readRun(
  volume: Volume,
  directory: Inode,
  form: DirectoryForm,
  logical: number,
  limit: number,
  entries: PlacedEntry[],
): Io<number> {
  const { blockSize } = volume.superblock;
  const run = yield* findRun(volume, directory, logical);
  if (run.zero || run.physical === undefined) throw hole(directory, logical);
  const blocks = Math.min(run.length, limit);
  const offset = run.physical * blockSize;
  const length = blocks * blockSize;
  // Small directories lie near each other: pages serve several. A long one is read at once.
  const bytes = yield* length <= volume.cache.pageSize ? volume.cache.read(offset, length) : volume.device.read(offset, length);
  const before = entries.length;
  try {
    for (let k = 0; k < blocks; k++) {
      const block = blocks === 1 ? bytes : bytes.subarray(k * blockSize, (k + 1) * blockSize);
      parseBlock(volume, directory, form, block, logical + k, offset + k * blockSize, entries);
    }
  } catch (error) {
    entries.length = before;
    throw error;
  }
  return blocks;
}

export function hole(directory: Inode, logical: number): Corrupt {
  return new Corrupt(`directory: block ${logical} is a hole`, { layer: 'ext4', inode: directory.number });
}

/** Verifies one block of a directory and adds its entries; `offset` is its place on the device, as far as it is known. */
export function parseBlock(
  volume: Volume,
  directory: Inode,
  form: DirectoryForm,
  block: Bytes,
  logical: number,
  offset: number | undefined,
  entries: PlacedEntry[],
): void {
  const where = offset === undefined ? { inode: directory.number } : { inode: directory.number, offset };
  verifyBlock(volume, directory, block, logical, where);
  // The nodes of the hash tree look like one unused entry.
  parseEntries(block, 0, block.length, form, where, entries);
}

/** Verifies one block of a directory as {@link parseBlock} does; where the volume remembers that this was done, not again. */
export function checkBlock(volume: Volume, directory: Inode, form: DirectoryForm, block: Bytes, logical: number, offset: number): void {
  if (volume.soundBlocks?.get(offset) === directory.number) return;
  parseBlock(volume, directory, form, block, logical, offset, []);
  volume.soundBlocks?.set(offset, directory.number);
}

/** Whether a block of an indexed directory is part of the index: its root, or a node, which looks like one unused entry. */
function isIndexBlock(directory: Inode, block: Bytes, blockSize: number, logical: number): boolean {
  if ((directory.flags & EXT4_INDEX_FL) === 0) return false;
  return logical === 0 || countLimitOffset(block, blockSize) === 8;
}

/** Verifies the checksum of a directory block, of a leaf or of the index. */
function verifyBlock(volume: Volume, directory: Inode, block: Bytes, logical: number, where: Where): void {
  const { superblock } = volume;
  if (!superblock.metadataCsum || (where.offset !== undefined && volume.isUnsealed(where.offset))) return;
  const seed = inodeSeed(superblock.checksumSeed, directory.number, directory.generation);
  const index = isIndexBlock(directory, block, superblock.blockSize, logical);
  const fault = index ? indexFault(seed, block, superblock.blockSize) : leafFault(seed, block);
  if (fault !== undefined) volume.complaints.mismatch(fault, where);
}

function indexFault(seed: number, block: Bytes, blockSize: number): string | undefined {
  const at = countLimitOffset(block, blockSize);
  if (at === undefined) return 'directory index without its header';
  const view = viewOf(block);
  const limit = view.getUint16(at, true);
  const count = view.getUint16(at + 2, true);
  if (at + 8 * limit > block.length - 8 || count > limit) return 'directory index with an impossible limit';
  const stored = view.getUint32(at + 8 * limit + 4, true);
  return indexBlockChecksum(seed, block, at, count, limit) === stored ? undefined : 'directory index';
}

function leafFault(seed: number, block: Bytes): string | undefined {
  if (!hasDirectoryTail(block)) return 'directory block without its checksum';
  const stored = viewOf(block).getUint32(block.length - 4, true);
  return directoryBlockChecksum(seed, block) === stored ? undefined : 'directory block';
}

/** `.` is implied, `..` is the first word, and two regions of entries follow (fs/ext4/inline.c). */
function* readInlineEntries(volume: Volume, directory: Inode, form: DirectoryForm, entries: PlacedEntry[]): Io<void> {
  const where = { inode: directory.number };
  parseEntries(directory.block, 4, 60, form, where, entries);
  const tail = yield* readInlineTail(volume, directory);
  if (tail.length > 0) parseEntries(tail, 0, tail.length, form, where, entries);
}
