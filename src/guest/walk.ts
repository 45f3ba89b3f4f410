/** Walking a tree depth first, the names of each directory in byte order: the order in which all lists of this library are. */
import { type Bytes, compareBytes, concatBytes, decodeName } from '../bytes/index.ts';
import { Corrupt, GuestlessError, Posix } from '../errors.ts';
import type { FileKind, NodeId, Stat } from '../filesystem/filesystem.ts';
import type { Io } from '../io/effect.ts';
import { readSortedDirectory, readWholeDirectory } from './directory.ts';
import { type Mount, type MountTable, pathOf } from './mounts.ts';
import { isPlainName, type Path, SLASH } from './path.ts';
import type { GuestTree } from './tree.ts';

/** The deepest level that a walk enters: twice as deep as any path that a system call takes can reach. */
export const WALK_DEPTH = 4096;
/** The longest path, in bytes, that a walk builds. */
export const WALK_PATH = 65_536;

/** One node met on a walk. */
export interface WalkEntry {
  /** The absolute guest path, free of symbolic links. */
  readonly path: Bytes;
  /** The last name of the path; empty for `/`. */
  readonly name: Bytes;
  readonly mount: Mount;
  readonly node: NodeId;
  readonly stat: Stat;
  readonly kind: FileKind;
  /** 0 for where the walk began. */
  readonly depth: number;
}

export interface WalkOptions {
  /** Levels to descend: 0 shows the beginning alone, 1 also its entries. Default all. */
  readonly maxDepth?: number;
  /**
   * `names`: a directory is followed by all that is below it, the names of each directory in byte order (as virt-ls and tar want it).
   * `paths`: the whole walk in byte order of the paths, so that /a.txt comes before /a/b. Default `names`.
   */
  readonly order?: 'names' | 'paths';
  /** Enter file systems mounted inside. Default true; their mount points are shown in either case. */
  readonly crossMounts?: boolean;
  /** Follow the beginning when it is a symbolic link. Default false. */
  readonly followStart?: boolean;
  /** Leaves out what has such a path, and all that is below it; not asked for the beginning. */
  readonly exclude?: (path: Bytes) => boolean;
  /**
   * Told of what could not be read: a damaged directory or inode, a directory that is met twice, a path too long. The walk goes on
   * behind it. Without it the walk throws the error.
   */
  readonly onError?: (error: GuestlessError, path: Bytes) => void;
}

/** Begins a walk at a path. Throws the errors of path resolution. */
export function* walk(tree: GuestTree, start: Path = '/', options: WalkOptions = {}): Io<Walker> {
  const place = yield* tree.resolve(start, { followLast: options.followStart ?? false });
  const path = pathOf(place);
  const first = { path, name: place.name, mount: place.mount, node: place.node, stat: place.stat, kind: place.stat.kind, depth: 0 };
  return new Walker(tree.table, first, options);
}

/** What a level holds: an entry to show or, in the order of paths, the place where what is below a directory is to be shown. */
interface Item {
  readonly name: Bytes;
  readonly node: NodeId;
  readonly below?: Below;
  readonly descend?: Below;
}

/** A directory that was shown and waits to be entered. */
interface Below {
  directory: WalkEntry | undefined;
}

interface Level {
  readonly mount: Mount;
  readonly items: readonly Item[];
  next: number;
  /** Length of the directory's path in the walker's path buffer, its slash included. */
  readonly prefix: number;
}

/**
 * A walk under way: `next` gives entry after entry, a directory before what is in it, and undefined at the end. `skip` leaves out what
 * is below the directory that `next` gave last.
 */
export class Walker {
  readonly #table: MountTable;
  readonly #options: WalkOptions;
  readonly #maxDepth: number;
  readonly #startMount: Mount;
  readonly #levels: Level[] = [];
  readonly #entered = new Map<Mount, Set<NodeId>>();
  #path: Bytes = new Uint8Array(1024);
  #current: WalkEntry | undefined;
  /** In the order of paths: the mark of the directory that was given last. */
  #below: Below | undefined;
  #started = false;

  constructor(table: MountTable, first: WalkEntry, options: WalkOptions = {}) {
    this.#table = table;
    this.#options = options;
    this.#maxDepth = Math.min(options.maxDepth ?? WALK_DEPTH, WALK_DEPTH);
    this.#startMount = first.mount;
    this.#current = first;
  }

  *next(): Io<WalkEntry | undefined> {
    if (!this.#started) {
      this.#started = true;
      return this.#current;
    }
    if (this.#current !== undefined && this.#current.kind === 'directory') yield* this.#enter(this.#current);
    this.#current = undefined;
    for (let level = this.#levels.at(-1); level !== undefined; level = this.#levels.at(-1)) {
      const item = level.items[level.next++];
      if (item === undefined) {
        this.#levels.pop();
        continue;
      }
      if (item.descend !== undefined) {
        if (item.descend.directory !== undefined) yield* this.#enter(item.descend.directory);
        continue;
      }
      const path = this.#join(level.prefix, item.name);
      if (this.#options.exclude?.(path) === true) continue;
      try {
        if (!isPlainName(item.name))
          throw new Corrupt('a directory has an entry whose name no file can have', { layer: level.mount.fileSystem.type });
        const over = this.#table.covering(level.mount, item.node);
        const mount = over ?? level.mount;
        const node = over === undefined ? item.node : over.fileSystem.root;
        const stat = yield* mount.fileSystem.stat(node);
        const entry = { path, name: item.name, mount, node, stat, kind: stat.kind, depth: this.#levels.length };
        this.#below = item.below;
        if (item.below === undefined) this.#current = entry;
        else item.below.directory = entry;
        return entry;
      } catch (error) {
        this.#report(error, path);
      }
    }
    return undefined;
  }

  /** Does not descend into the directory that `next` gave last. */
  skip(): void {
    this.#current = undefined;
    if (this.#below !== undefined) this.#below.directory = undefined;
  }

  *#enter(directory: WalkEntry): Io<void> {
    const { mount, node, path, depth } = directory;
    if (depth >= this.#maxDepth) {
      if (depth >= WALK_DEPTH) this.#report(new Posix('ENAMETOOLONG', {}, `more than ${WALK_DEPTH} levels`), path);
      return;
    }
    if (depth > 0 && this.#options.crossMounts === false && node === mount.fileSystem.root && mount !== this.#startMount) return;
    try {
      this.#enterOnce(mount, node);
      if (path.length + 1 > WALK_PATH) throw new Posix('ENAMETOOLONG', {}, `a path of more than ${WALK_PATH} bytes`);
      const items = this.#options.order === 'paths' ? yield* itemsByPath(mount, node) : yield* readSortedDirectory(mount.fileSystem, node);
      if (items.length > 0) this.#levels.push({ mount, items, next: 0, prefix: this.#setPrefix(path) });
    } catch (error) {
      this.#report(error, path);
    }
  }

  #enterOnce(mount: Mount, node: NodeId): void {
    let entered = this.#entered.get(mount);
    if (entered === undefined) this.#entered.set(mount, (entered = new Set()));
    if (entered.has(node)) {
      throw new Corrupt('this directory is also in another place or inside of itself', { layer: mount.fileSystem.type, inode: node });
    }
    entered.add(node);
  }

  /** Copies a directory's path and a slash to the beginning of the buffer. */
  #setPrefix(path: Bytes): number {
    const bare = path.length === 1 ? 0 : path.length;
    this.#reserve(bare + 1 + 1024);
    this.#path.set(bare === 0 ? path : path.subarray(0, bare));
    this.#path[bare] = SLASH;
    return bare + 1;
  }

  #join(prefix: number, name: Bytes): Bytes {
    this.#reserve(prefix + name.length);
    this.#path.set(name, prefix);
    return this.#path.slice(0, prefix + name.length);
  }

  #reserve(length: number): void {
    if (length <= this.#path.length) return;
    const larger = new Uint8Array(2 * length);
    larger.set(this.#path);
    this.#path = larger;
  }

  #report(error: unknown, path: Bytes): void {
    if (!(error instanceof GuestlessError)) throw error;
    if (this.#options.onError === undefined) throw error;
    this.#options.onError(error, path);
  }
}

/** The entries of a directory, and for each directory in it a mark under its name with a slash. */
function* itemsByPath(mount: Mount, directory: NodeId): Io<Item[]> {
  const items: Item[] = [];
  for (const { name, node, kind } of yield* readWholeDirectory(mount.fileSystem, directory)) {
    if ((kind ?? (yield* mount.fileSystem.stat(node)).kind) !== 'directory') {
      items.push({ name, node });
      continue;
    }
    const below: Below = { directory: undefined };
    items.push({ name, node, below }, { name: concatBytes(name, Uint8Array.of(SLASH)), node, descend: below });
  }
  return items.sort((a, b) => compareBytes(a.name, b.name));
}

/** Every entry of a walk, collected: for trees that fit into memory. */
export function* walkAll(tree: GuestTree, start: Path = '/', options: WalkOptions = {}): Io<WalkEntry[]> {
  const walker = yield* walk(tree, start, options);
  const entries: WalkEntry[] = [];
  for (let entry = yield* walker.next(); entry !== undefined; entry = yield* walker.next()) entries.push(entry);
  return entries;
}

/** The path of an entry as text. */
export function entryPath(entry: WalkEntry): string {
  return decodeName(entry.path);
}
