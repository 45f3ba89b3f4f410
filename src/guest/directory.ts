/** Whole directories in memory. */
import { compareBytes } from '../bytes/text.ts';
import { Posix } from '../errors.ts';
import type { DirectoryEntry, FileSystem, NodeId } from '../filesystem/filesystem.ts';
import type { Io } from '../io/effect.ts';

/** The largest directory that is listed at once, in entries. */
export const DIRECTORY_LIMIT = 4_000_000;

/** All entries of a directory in the order of the disk. Throws Posix EOVERFLOW beyond 4,000,000. */
export function* readWholeDirectory(fileSystem: FileSystem, directory: NodeId): Io<DirectoryEntry[]> {
  let part = yield* fileSystem.readDirectory(directory);
  const entries = [...part.entries];
  while (part.next !== undefined) {
    part = yield* fileSystem.readDirectory(directory, part.next);
    for (const entry of part.entries) entries.push(entry);
    if (entries.length > DIRECTORY_LIMIT) {
      throw new Posix('EOVERFLOW', { layer: fileSystem.type, inode: directory }, `more than ${DIRECTORY_LIMIT} entries in a directory`);
    }
  }
  return entries;
}

/** The same in byte order of the names. */
export function* readSortedDirectory(fileSystem: FileSystem, directory: NodeId): Io<DirectoryEntry[]> {
  const entries = yield* readWholeDirectory(fileSystem, directory);
  return entries.length < 2 ? entries : entries.sort((a, b) => compareBytes(a.name, b.name));
}
