/** One tree over several file systems, with the verbs of fs.promises for reading. */
import type { Bytes } from '../bytes/struct.ts';
import { compareBytes, decodeName, encodeName, sameBytes } from '../bytes/text.ts';
import { Posix } from '../errors.ts';
import type { DirectoryEntry, DirectoryPart, ExtendedAttribute, FileSystem, Stat, Usage } from '../filesystem/filesystem.ts';
import type { Io } from '../io/effect.ts';
import { type AsyncFace, asyncFace, type SyncFace, syncFace } from '../io/faces.ts';
import { readWholeDirectory } from './directory.ts';
import { type ChunkOptions, type ChunkVisitor, type FileSource, fileSource, forEachChunk, readFully } from './file-data.ts';
import { type Mount, MountTable, type Place, pathOf } from './mounts.ts';
import { type Path, wherePath } from './path.ts';
import { type Resolution, type ResolveOptions, resolvePath } from './resolve.ts';

/** The largest file that `readFile` takes into memory where the caller does not say: 256 MiB. */
export const READ_LIMIT: number = 256 << 20;

export interface FollowOptions {
  /** Follow a symbolic link that the last name is. */
  readonly followLast?: boolean;
}

/** The answer of `statfs`: the space of a file system, and which one it is. */
export interface StatFs extends Usage {
  readonly type: string;
  readonly device: string;
  readonly mountedAt: Bytes;
  readonly readOnly: boolean;
}

/**
 * The files of a guest under one root. Paths are absolute guest paths (a relative one is taken from the root); resolution never leaves
 * the tree. Every method with an errno throws Posix as path_resolution(7) and the system call of its name say.
 */
export class GuestTree {
  readonly #table = new MountTable();

  /** A tree with one file system at its root. */
  static of<T extends GuestTree>(
    this: new () => T,
    fileSystem: FileSystem,
    options: { readonly device?: string; readonly readOnly?: boolean } = {},
  ): T {
    const tree = new this();
    tree.table.add(fileSystem, undefined, options);
    return tree;
  }

  /** The same tree, each call giving its result at once. */
  get sync(): SyncGuestTree {
    return syncFace<GuestTree>(this);
  }

  /** The same tree, each call giving a promise. */
  get async(): AsyncGuestTree {
    return asyncFace<GuestTree>(this);
  }

  /** What is mounted, the root first. */
  get mounts(): readonly Mount[] {
    return this.#table.mounts;
  }

  /** Where walks and other rooms of this library enter. */
  get table(): MountTable {
    return this.#table;
  }

  /** Mounts a file system on a directory; the first one goes to `/`. Throws ENOENT, ENOTDIR, EBUSY. */
  *mount(fileSystem: FileSystem, at: Path, options: { readonly device?: string; readonly readOnly?: boolean } = {}): Io<Mount> {
    if (this.#table.mounts.length > 0) return this.#table.add(fileSystem, yield* this.resolve(at), options);
    const path = typeof at === 'string' ? encodeName(at) : at;
    if (path.length !== 1 || path[0] !== 0x2f) throw new Posix('ENOENT', wherePath(at), 'the root has to be mounted first');
    return this.#table.add(fileSystem, undefined, options);
  }

  /** Where a path leads, also when its last name does not exist. */
  *lookup(path: Path, options: ResolveOptions = {}): Io<Resolution> {
    return yield* resolvePath(this.#table, path, options);
  }

  /** What a path names. Throws ENOENT and the errors of path resolution. */
  *resolve(path: Path, options: ResolveOptions = {}): Io<Place> {
    const { place } = yield* resolvePath(this.#table, path, options);
    if (place === undefined) throw new Posix('ENOENT', wherePath(path));
    return place;
  }

  *stat(path: Path): Io<Stat> {
    return (yield* this.resolve(path)).stat;
  }

  /** As `stat`, of a symbolic link itself. */
  *lstat(path: Path): Io<Stat> {
    return (yield* this.resolve(path, { followLast: false })).stat;
  }

  /** Whether the path leads to something, symbolic links followed; a dangling link, a loop and a path through a file do not. */
  *exists(path: Path, options: FollowOptions = {}): Io<boolean> {
    try {
      yield* this.resolve(path, options);
      return true;
    } catch (error) {
      if (error instanceof Posix && MISSING.has(error.code)) return false;
      throw error;
    }
  }

  /** A regular file, for reading it in pieces. Throws EISDIR for a directory, ENXIO for devices, sockets and FIFOs. */
  *file(path: Path): Io<FileSource> {
    const place = yield* this.resolve(path);
    return fileSource(place.mount.fileSystem, place.stat, wherePath(path));
  }

  /** A whole file. Throws EFBIG when it is longer than `limit` bytes (default 256 MiB): read it in chunks then. */
  *readFile(path: Path, options: { readonly limit?: number } = {}): Io<Bytes> {
    const file = yield* this.file(path);
    const limit = options.limit ?? READ_LIMIT;
    if (file.size > limit) {
      throw new Posix('EFBIG', wherePath(path), `${file.size} bytes are more than the limit of ${limit}; read the file in chunks`);
    }
    const bytes = new Uint8Array(file.size);
    yield* readFully(file, 0, bytes);
    return bytes;
  }

  /** A whole file as text; bytes that are no UTF-8 become lone surrogates U+DC80..U+DCFF. */
  *readText(path: Path, options: { readonly limit?: number } = {}): Io<string> {
    return decodeName(yield* this.readFile(path, options));
  }

  /** Reads from byte `offset` into `target`; returns how many bytes, fewer than asked only at the end of the file. */
  *readInto(path: Path, offset: number, target: Bytes): Io<number> {
    const file = yield* this.file(path);
    const length = Math.max(0, Math.min(target.length, file.size - offset));
    if (length > 0) yield* readFully(file, offset, target.subarray(0, length));
    return length;
  }

  /** Shows a file piece by piece; the pieces are views of one buffer. */
  *forEachChunk(path: Path, options: ChunkOptions, visit: ChunkVisitor): Io<void> {
    yield* forEachChunk(yield* this.file(path), options, visit);
  }

  /** All entries of a directory without `.` and `..`, in the order of the disk. */
  *readdir(path: Path): Io<readonly DirectoryEntry[]> {
    const { mount, node } = yield* this.directory(path);
    return yield* readWholeDirectory(mount.fileSystem, node);
  }

  /** The names of a directory as text, in byte order. */
  *names(path: Path): Io<string[]> {
    const entries = [...(yield* this.readdir(path))].sort((a, b) => compareBytes(a.name, b.name));
    return entries.map((entry) => decodeName(entry.name));
  }

  /** A part of a directory; go on with its `next` until that is undefined. */
  *readdirPart(path: Path, cursor?: number): Io<DirectoryPart> {
    const place = yield* this.directory(path);
    return yield* place.mount.fileSystem.readDirectory(place.node, cursor);
  }

  /** A directory. Throws ENOTDIR for anything else. */
  *directory(path: Path): Io<Place> {
    const place = yield* this.resolve(path);
    if (place.stat.kind !== 'directory') throw new Posix('ENOTDIR', wherePath(path));
    return place;
  }

  /** The target of a symbolic link. Throws EINVAL for anything else. */
  *readlink(path: Path): Io<Bytes> {
    const { mount, node, stat } = yield* this.resolve(path, { followLast: false });
    if (stat.kind !== 'symlink') throw new Posix('EINVAL', wherePath(path), 'not a symbolic link');
    return yield* mount.fileSystem.readlink(node);
  }

  /** The path free of symbolic links, `.` and `..`. */
  *realpath(path: Path): Io<Bytes> {
    return pathOf(yield* this.resolve(path));
  }

  /** All extended attributes of what the path names. */
  *xattrs(path: Path, options: FollowOptions = {}): Io<readonly ExtendedAttribute[]> {
    const { mount, node } = yield* this.resolve(path, options);
    return yield* mount.fileSystem.xattrs(node);
  }

  /** One extended attribute. Throws ENODATA when there is none of this name. */
  *getxattr(path: Path, name: Path, options: FollowOptions = {}): Io<Bytes> {
    const wanted = typeof name === 'string' ? encodeName(name) : name;
    const found = (yield* this.xattrs(path, options)).find((attribute) => sameBytes(attribute.name, wanted));
    if (found === undefined) throw new Posix('ENODATA', wherePath(path));
    return found.value;
  }

  /** The space of the file system on which the path lies. */
  *statfs(path: Path): Io<StatFs> {
    const { mount } = yield* this.resolve(path);
    const usage = yield* mount.fileSystem.usage();
    return { ...usage, type: mount.fileSystem.type, device: mount.device, mountedAt: mount.at, readOnly: mount.readOnly };
  }
}

/** The synchronous face of a tree. */
export interface SyncGuestTree extends SyncFace<GuestTree> {}
/** The asynchronous face of a tree. */
export interface AsyncGuestTree extends AsyncFace<GuestTree> {}

/** What makes a path lead nowhere. */
const MISSING: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG']);
