/** Removing a directory with all that is in it. */
import type { Bytes } from '../bytes/struct.ts';
import { Corrupt, Posix } from '../errors.ts';
import type { DirectoryEntry, NodeId, WritableFileSystem } from '../filesystem/filesystem.ts';
import type { Io } from '../io/effect.ts';
import { readWholeDirectory } from './directory.ts';

interface Level {
  readonly parent: NodeId;
  readonly name: Bytes;
  readonly node: NodeId;
  readonly entries: readonly DirectoryEntry[];
  next: number;
}

/**
 * Removes the directory `node`, which `parent` names `name`. Throws EBUSY when something is mounted in it, Corrupt when a directory
 * contains itself. Run it in a transaction: it stops in the middle when it fails.
 */
export function* removeTree(
  system: WritableFileSystem,
  parent: NodeId,
  name: Bytes,
  node: NodeId,
  isCovered: (node: NodeId) => boolean,
): Io<void> {
  const entered = new Set<NodeId>();
  const levels: Level[] = [];
  const enter = function* (below: NodeId, entryName: Bytes, directory: NodeId): Io<void> {
    if (isCovered(directory)) throw new Posix('EBUSY', { inode: directory });
    if (entered.has(directory)) throw new Corrupt('a directory contains itself', { layer: system.type, inode: directory });
    entered.add(directory);
    levels.push({ parent: below, name: entryName, node: directory, entries: yield* readWholeDirectory(system, directory), next: 0 });
  };
  yield* enter(parent, name, node);
  for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
    const entry = level.entries[level.next++];
    if (entry === undefined) {
      yield* system.rmdir(level.parent, level.name);
      levels.pop();
      continue;
    }
    const kind = entry.kind ?? (yield* system.stat(entry.node)).kind;
    if (kind === 'directory') yield* enter(level.node, entry.name, entry.node);
    else yield* system.unlink(level.node, entry.name);
  }
}
