/** Small questions to a tree of files that nobody has checked: what is there, and what does it say. */
import { decodeName } from '../../bytes/text.ts';
import { GuestlessError, Posix } from '../../errors.ts';
import type { DirectoryEntry, FileKind } from '../../filesystem/filesystem.ts';
import type { Io } from '../../io/effect.ts';
import type { GuestTree } from '../tree.ts';

/** Release files and configuration files longer than this are not looked at: 2 MiB. */
const SMALL_FILE_LIMIT: number = 2 << 20;
/** fstab, crypttab and the like: 100,000 bytes. */
export const CONFIGURATION_LIMIT = 100_000;
/** Entries of a directory that are looked at. */
const DIRECTORY_LIMIT = 100_000;

export class Probe {
  readonly tree: GuestTree;
  /** What could not be read although it is there. */
  readonly warnings: string[] = [];
  #rootNames: ReadonlySet<string> | 'unknown' | undefined;

  constructor(tree: GuestTree) {
    this.tree = tree;
  }

  /** What a path names, its last name not followed; undefined when there is nothing, or it is damaged. */
  *kind(path: string): Io<FileKind | undefined> {
    if (!(yield* this.#mayExist(path))) return undefined;
    return yield* this.attempt(path, () => kindOf(this.tree, path, false));
  }

  /** Most questions are about names that the root lacks: it is listed once, and they are answered without a lookup. */
  *#mayExist(path: string): Io<boolean> {
    this.#rootNames ??= yield* this.#listRoot();
    const [, first = ''] = path.split('/');
    return this.#rootNames === 'unknown' || first === '' || this.#rootNames.has(first.toLowerCase());
  }

  *#listRoot(): Io<ReadonlySet<string> | 'unknown'> {
    const part = yield* this.attempt('/', () => this.tree.readdirPart('/'));
    if (part === undefined || part.next !== undefined) return 'unknown';
    return new Set(part.entries.map((entry) => decodeName(entry.name).toLowerCase()));
  }

  /** The same, symbolic links followed. */
  *followedKind(path: string): Io<FileKind | undefined> {
    return yield* this.attempt(path, () => kindOf(this.tree, path, true));
  }

  *isFile(path: string): Io<boolean> {
    return (yield* this.kind(path)) === 'file';
  }

  *isDirectory(path: string): Io<boolean> {
    return (yield* this.kind(path)) === 'directory';
  }

  /** The target of a symbolic link; undefined for anything else. */
  *link(path: string): Io<string | undefined> {
    if ((yield* this.kind(path)) !== 'symlink') return undefined;
    return yield* this.attempt(path, () => linkOf(this.tree, path));
  }

  /** Where a path leads, free of symbolic links; undefined when it leads nowhere. */
  *realpath(path: string): Io<string | undefined> {
    return yield* this.attempt(path, () => realpathOf(this.tree, path));
  }

  /** The text of a regular file, links followed; undefined when there is none, or it is longer than `limit` bytes. */
  *text(path: string, limit: number = SMALL_FILE_LIMIT): Io<string | undefined> {
    return yield* this.attempt(path, () => this.#text(path, limit));
  }

  *#text(path: string, limit: number): Io<string | undefined> {
    const { stat } = yield* this.tree.resolve(path);
    if (stat.kind !== 'file') return undefined;
    if (stat.size > limit) {
      this.warnings.push(`${path}: ${stat.size} bytes are more than the limit of ${limit}; not looked at`);
      return undefined;
    }
    return yield* this.tree.readText(path, { limit });
  }

  /** The lines of such a file, without their ends. */
  *lines(path: string, limit?: number): Io<readonly string[] | undefined> {
    const text = yield* this.text(path, limit);
    return text?.replace(/\n$/, '').split('\n');
  }

  /** The first bytes of a regular file, links followed. */
  *head(path: string, length: number): Io<Uint8Array | undefined> {
    return yield* this.attempt(path, () => headOf(this.tree, path, length));
  }

  /** The entries of a directory; empty when there is none. */
  *entries(path: string): Io<readonly DirectoryEntry[]> {
    return (yield* this.attempt(path, () => entriesOf(this.tree, path))) ?? [];
  }

  /** Runs `body`; what does not exist gives undefined, and so does what is damaged, with a warning. */
  *attempt<T>(path: string, body: () => Io<T>): Io<T | undefined> {
    try {
      return yield* body();
    } catch (error) {
      if (!(error instanceof GuestlessError)) throw error;
      if (!(error instanceof Posix) || error.code === 'EIO') this.warnings.push(`${path}: ${error.message}`);
      return undefined;
    }
  }
}

function* kindOf(tree: GuestTree, path: string, followLast: boolean): Io<FileKind | undefined> {
  const { place } = yield* tree.lookup(path, { followLast });
  return place?.stat.kind;
}

function* linkOf(tree: GuestTree, path: string): Io<string> {
  return decodeName(yield* tree.readlink(path));
}

function* realpathOf(tree: GuestTree, path: string): Io<string> {
  return decodeName(yield* tree.realpath(path));
}

function* headOf(tree: GuestTree, path: string, length: number): Io<Uint8Array | undefined> {
  const { stat } = yield* tree.resolve(path);
  if (stat.kind !== 'file') return undefined;
  const target = new Uint8Array(Math.min(length, stat.size));
  yield* tree.readInto(path, 0, target);
  return target;
}

function* entriesOf(tree: GuestTree, path: string): Io<readonly DirectoryEntry[]> {
  const entries: DirectoryEntry[] = [];
  for (let part = yield* tree.readdirPart(path); ; part = yield* tree.readdirPart(path, part.next)) {
    for (const entry of part.entries) entries.push(entry);
    if (part.next === undefined || entries.length >= DIRECTORY_LIMIT) return entries;
  }
}
