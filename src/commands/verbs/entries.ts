/** Several names of one directory at once. */
import { decodeName, encodeName } from '../../bytes/text.ts';
import type { NodeId } from '../../filesystem/filesystem.ts';
import { readWholeDirectory } from '../../guest/directory.ts';
import type { EditableTree } from '../../guest/edit.ts';
import type { Place } from '../../guest/mounts.ts';
import type { Io } from '../../io/effect.ts';

/** Bytes that an entry takes in a directory, about. */
const ENTRY = 32;

/**
 * What stands under each of these names in a directory, links not followed; undefined where nothing does. When a good part of the directory is asked for
 * it is read once, instead of searched for each name. Throws as `EditableTree.directory`.
 */
export function* placesOf(tree: EditableTree, path: string, names: readonly string[]): Io<(Place | undefined)[]> {
  const directory = yield* tree.directory(path);
  const { fileSystem } = directory.mount;
  const whole = names.length > 4 && directory.stat.size / ENTRY < names.length * 16;
  const known = new Map<string, NodeId>();
  if (whole) for (const { name, node } of yield* readWholeDirectory(fileSystem, directory.node)) known.set(decodeName(name), node);
  const places: (Place | undefined)[] = [];
  for (const name of names) {
    const bytes = encodeName(name);
    if (name === '.' || name === '..' || name === '' || name.includes('/')) {
      places.push((yield* tree.lookup(`${path}/${name}`, { followLast: false })).place);
      continue;
    }
    // A file system may know a name by more than one spelling.
    const node = known.get(name) ?? (yield* fileSystem.lookup(directory.node, bytes));
    places.push(node === undefined ? undefined : yield* tree.table.place(directory, bytes, node));
  }
  return places;
}
