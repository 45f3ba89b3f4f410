/** Finding paths by name and kind, in byte order of the paths. */
import { type Bytes, decodeName } from '../bytes/index.ts';
import type { FileKind } from '../filesystem/filesystem.ts';
import type { Io } from '../io/effect.ts';
import { globMatcher } from './glob.ts';
import type { Path } from './path.ts';
import type { GuestTree } from './tree.ts';
import { type WalkEntry, type WalkOptions, walk } from './walk.ts';

export interface FindOptions extends WalkOptions {
  /** A shell pattern for the last name: `*`, `?`, `[...]`, with backslash to quote. */
  readonly name?: string;
  /** A shell pattern for the whole path, in which `*` also matches slashes, as in find(1). */
  readonly path?: string;
  readonly kinds?: readonly FileKind[];
  /** Whatever else has to be true. */
  readonly where?: (entry: WalkEntry) => boolean;
}

/** Shows every entry that fits, the beginning itself included. By default in byte order of the paths. */
export function* find(tree: GuestTree, start: Path, options: FindOptions, visit: (entry: WalkEntry) => Io<void> | undefined): Io<void> {
  const name = options.name === undefined ? undefined : globMatcher(options.name);
  const path = options.path === undefined ? undefined : globMatcher(options.path);
  const kinds = options.kinds === undefined ? undefined : new Set(options.kinds);
  const walker = yield* walk(tree, start, { order: 'paths', ...options });
  for (let entry = yield* walker.next(); entry !== undefined; entry = yield* walker.next()) {
    if (kinds?.has(entry.kind) === false) continue;
    if (name?.(lastName(entry)) === false) continue;
    if (path?.(decodeName(entry.path)) === false) continue;
    if (options.where?.(entry) === false) continue;
    const more = visit(entry);
    if (more !== undefined) yield* more;
  }
}

/** The paths that fit, collected. */
export function* findPaths(tree: GuestTree, start: Path = '/', options: FindOptions = {}): Io<Bytes[]> {
  const paths: Bytes[] = [];
  yield* find(tree, start, options, (entry) => {
    paths.push(entry.path);
    return undefined;
  });
  return paths;
}

function lastName(entry: WalkEntry): string {
  return entry.name.length === 0 ? '/' : decodeName(entry.name);
}
