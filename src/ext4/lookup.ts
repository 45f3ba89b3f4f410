/** Finding a name in a directory: through its index where it has a usable one, else from end to end. */
import type { Bytes } from '../bytes/struct.ts';
import { sameBytes } from '../bytes/text.ts';
import type { DirectoryEntry, DirectoryPart } from '../filesystem/filesystem.ts';
import type { Io } from '../io/effect.ts';
import { sameFolded } from './casefold.ts';
import { entryInode, findEntry, type PlacedEntry } from './directory.ts';
import { checkBlock, directoryForm, hole, parseBlock, readStoredPart } from './directory-read.ts';
import { ciphertextTest } from './encrypted-name.ts';
import { COMPAT, EXT4_CASEFOLD_FL, EXT4_ENCRYPT_FL, EXT4_INDEX_FL, EXT4_INLINE_DATA_FL, INCOMPAT } from './format/index.ts';
import { searchIndex } from './htree.ts';
import type { Inode } from './inode.ts';
import { findRun, peekRun } from './mapping.ts';
import type { Volume } from './volume.ts';

/** The inode that a name stands for; undefined when there is no such name. */
export function* lookupName(volume: Volume, directory: Inode, name: Bytes): Io<number | undefined> {
  if ((directory.flags & EXT4_ENCRYPT_FL) !== 0) {
    const same = ciphertextTest(name);
    return same === undefined ? undefined : yield* lookupLinear(volume, directory, same);
  }
  const { fastCommits } = volume;
  if (fastCommits !== undefined && fastCommits.parentOfCreated(directory.number) !== undefined) {
    return fastCommits.resolve(directory.number, name, undefined);
  }
  const onDisk = yield* lookupOnDisk(volume, directory, name);
  return fastCommits === undefined ? onDisk : fastCommits.resolve(directory.number, name, onDisk);
}

function* lookupOnDisk(volume: Volume, directory: Inode, name: Bytes): Io<number | undefined> {
  const same = equality(volume, directory, name);
  if ((directory.flags & EXT4_INLINE_DATA_FL) !== 0) return yield* lookupLinear(volume, directory, same);
  return (yield* findStoredName(volume, directory, name))?.node;
}

/** Where a name stands: the entry at byte `offset` of the directory's block `logical`. */
export interface StoredName {
  readonly logical: number;
  readonly offset: number;
  readonly node: number;
}

/**
 * Whether a directory has no such name, where that is found without a step outside: in one without an index, whose blocks are in memory and known
 * to be sound. False: not known.
 */
export function isKnownAbsent(volume: Volume, directory: Inode, name: Bytes): boolean {
  if ((directory.flags & (EXT4_ENCRYPT_FL | EXT4_INLINE_DATA_FL | EXT4_INDEX_FL | EXT4_CASEFOLD_FL)) !== 0) return false;
  if (volume.fastCommits !== undefined || volume.soundBlocks === undefined) return false;
  const form = directoryForm(volume, directory);
  const { blockSize } = volume.superblock;
  for (let logical = 0; logical * blockSize < directory.size; logical++) {
    const run = peekRun(volume, directory, logical);
    if (run === undefined || run.zero || run.physical === undefined) return false;
    const place = run.physical * blockSize;
    const block = volume.soundBlocks.get(place) === directory.number ? volume.cache.peekRange(place, blockSize) : undefined;
    if (block === undefined || findEntry(block, 0, blockSize, form, name) >= 0) return false;
  }
  return true;
}

/** Looks for a name in the blocks of a directory that is not encrypted. */
export function* findStoredName(volume: Volume, directory: Inode, name: Bytes): Io<StoredName | undefined> {
  const form = directoryForm(volume, directory);
  const same = ignoresCase(volume, directory) ? equality(volume, directory, name) : undefined;
  const look = (block: Bytes, logical: number, place: number): StoredName | undefined => {
    if (same === undefined) {
      checkBlock(volume, directory, form, block, logical, place);
      const offset = findEntry(block, 0, block.length, form, name);
      return offset < 0 ? undefined : { logical, offset, node: entryInode(block, offset) };
    }
    const entries: PlacedEntry[] = [];
    parseBlock(volume, directory, form, block, logical, place, entries);
    const entry = entries.find((one) => same(one.name));
    return entry === undefined ? undefined : { logical, offset: entry.offset, node: entry.node };
  };
  if ((volume.superblock.compat & COMPAT.dir_index) !== 0 && (directory.flags & EXT4_INDEX_FL) !== 0) {
    const search = yield* searchIndex(volume, directory, name, look);
    if (search.outcome === 'found') return search.value;
    if (search.outcome === 'absent') return undefined;
    volume.complaints.warn(`the index of a directory is not usable (${search.reason}); it is read from end to end`, {
      inode: directory.number,
    });
  }
  const { blockSize } = volume.superblock;
  for (let logical = 0; logical * blockSize < directory.size; logical++) {
    const run = yield* findRun(volume, directory, logical);
    if (run.zero || run.physical === undefined) throw hole(directory, logical);
    const place = volume.offsetOfBlock(run.physical, directory.number);
    const found = look(yield* volume.cache.read(place, blockSize), logical, place);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Whether names of the directory that differ in case only are the same. */
export function ignoresCase(volume: Volume, directory: Inode): boolean {
  return (volume.superblock.incompat & INCOMPAT.casefold) !== 0 && (directory.flags & EXT4_CASEFOLD_FL) !== 0;
}

/** How names are compared: byte by byte, or without case. */
export function equality(volume: Volume, directory: Inode, name: Bytes): (other: Bytes) => boolean {
  return ignoresCase(volume, directory) ? sameFolded(name) : (other) => sameBytes(name, other);
}

function* lookupLinear(volume: Volume, directory: Inode, same: (other: Bytes) => boolean): Io<number | undefined> {
  for (let cursor: number | undefined = 0; cursor !== undefined; ) {
    const part: DirectoryPart = yield* readStoredPart(volume, directory, cursor);
    const found: DirectoryEntry | undefined = part.entries.find((entry) => same(entry.name));
    if (found !== undefined) return found.node;
    cursor = part.next;
  }
  return undefined;
}
