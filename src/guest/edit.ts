/** Changing the files of a guest: the system calls of their names, on paths over writable file systems. */
import { type Bytes, decodeName, encodeName } from '../bytes/index.ts';
import { Posix } from '../errors.ts';
import type { Creation, FileKind, NodeId, Stat, Timestamp, TransactionOptions, WritableFileSystem } from '../filesystem/filesystem.ts';
import type { Io } from '../io/effect.ts';
import { type AsyncFace, asyncFace, type SyncFace, syncFace } from '../io/faces.ts';
import type { Pull } from '../io/pieces.ts';
import { isWritable, type Mount, type Place } from './mounts.ts';
import { isDot, isDotDot, joinPath, type Path, pathBytes, pathNames, SLASH, wherePath } from './path.ts';
import { removeTree } from './remove.ts';
import type { Resolution } from './resolve.ts';
import { type FollowOptions, GuestTree } from './tree.ts';

export interface CreateOptions {
  /** Permission bits; no umask is applied. Default 0644 for files and other nodes, 0755 for directories. */
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
}

export interface WriteOptions extends CreateOptions {
  /** `replace` (default) empties an existing file first, `append` writes at its end, `new` throws EEXIST. */
  readonly existing?: 'replace' | 'append' | 'new';
}

/**
 * A tree that can be changed where its file systems can; elsewhere the answer is EROFS. Each verb succeeds whole or changes nothing, and
 * throws Posix with the errno that Linux gives root. `transaction` makes several verbs one.
 */
export class EditableTree extends GuestTree {
  override get sync(): SyncEditableTree {
    return syncFace<EditableTree>(this);
  }

  override get async(): AsyncEditableTree {
    return asyncFace<EditableTree>(this);
  }

  /**
   * Runs several verbs as one: if `body` throws, none of them happened on any file system of the tree. With `whole` no verb may fail on its
   * own either, which makes many of them faster.
   */
  *transaction<T>(body: () => Io<T>, options: TransactionOptions = {}): Io<T> {
    let all = body;
    for (const { fileSystem, readOnly } of this.mounts) {
      const inner = all;
      if (!readOnly && isWritable(fileSystem)) all = () => fileSystem.transaction(inner, options);
    }
    return yield* all();
  }

  /** mkdir(2). */
  *mkdir(path: Path, options: CreateOptions = {}): Io<void> {
    const { parent, name } = yield* this.#vacancy(path, true);
    yield* writable(parent.mount, path).mkdir(parent.node, name, creation(options, 0o755));
  }

  /** Makes a directory and those above it that are missing; what is there already, also behind a link, has to be a directory. */
  *mkdirp(path: Path, options: CreateOptions = {}): Io<void> {
    yield* this.transaction(() => this.#mkdirp(path, options));
  }

  *#mkdirp(path: Path, options: CreateOptions): Io<void> {
    let prefix: Bytes = Uint8Array.of(SLASH);
    for (const name of pathNames(pathBytes(path))) {
      prefix = joinPath(prefix, name);
      const { place } = yield* this.lookup(prefix);
      if (place === undefined) yield* this.mkdir(prefix, options);
      else if (place.stat.kind !== 'directory') throw new Posix('ENOTDIR', wherePath(path));
    }
  }

  /** Puts bytes, or the UTF-8 of a text, into a file, which is made when it is not there; a dangling link's target is made. An existing file stays the same node. */
  *writeFile(path: Path, content: Bytes | string, options: WriteOptions = {}): Io<void> {
    let left: Bytes | undefined = typeof content === 'string' ? encodeName(content) : content;
    // biome-ignore lint/correctness/useYield: the bytes are at hand
    yield* this.writeFrom(path, options, function* () {
      const piece = left;
      left = undefined;
      return piece;
    });
  }

  /** As `writeFile`, at the end of the file. */
  *appendFile(path: Path, content: Bytes | string, options: CreateOptions = {}): Io<void> {
    yield* this.writeFile(path, content, { ...options, existing: 'append' });
  }

  /** As `writeFile`, from a stream. */
  *writeFrom(path: Path, options: WriteOptions, pull: Pull): Io<void> {
    const found = yield* this.lookup(path, { create: true });
    const { place } = found;
    const system = writable((place ?? found.parent).mount, path);
    function* fill(): Io<void> {
      let node: NodeId;
      let offset = 0;
      if (place === undefined) {
        if (found.name === undefined) throw new Posix('EISDIR', wherePath(path));
        node = yield* system.create(found.parent.node, found.name, creation(options, 0o644));
      } else {
        if (options.existing === 'new') throw new Posix('EEXIST', wherePath(path));
        node = regular(place, path, 'ENXIO').node;
        if (options.existing === 'append') offset = place.stat.size;
        else yield* system.truncate(node, 0);
      }
      for (let piece = yield* pull(); piece !== undefined; piece = yield* pull()) {
        if (piece.length > 0) yield* system.write(node, offset, piece);
        offset += piece.length;
      }
    }
    // No verb of it goes on after an error.
    yield* system.transaction(fill, { whole: true });
  }

  /** pwrite(2): writes all of `bytes` at `offset` of an existing file. */
  *write(path: Path, offset: number, bytes: Bytes): Io<void> {
    const place = yield* this.resolve(path);
    yield* writable(place.mount, path).write(regular(place, path).node, offset, bytes);
  }

  /** truncate(2). */
  *truncate(path: Path, size: number): Io<void> {
    const place = yield* this.resolve(path);
    if (!(Number.isSafeInteger(size) && size >= 0)) throw new Posix('EINVAL', wherePath(path), `${size} is no size`);
    yield* writable(place.mount, path).truncate(regular(place, path).node, size);
  }

  /** fallocate(2) with FALLOC_FL_PUNCH_HOLE: the range reads as zeros, the size stays. */
  *punch(path: Path, offset: number, length: number): Io<void> {
    const place = yield* this.resolve(path);
    yield* writable(place.mount, path).punch(regular(place, path).node, offset, length);
  }

  /** symlink(2): `path` becomes a link with this target, which need not exist. */
  *symlink(target: Path, path: Path, options: Omit<CreateOptions, 'mode'> = {}): Io<void> {
    const { parent, name } = yield* this.#vacancy(path, false);
    const bytes = typeof target === 'string' ? encodeName(target) : target;
    yield* writable(parent.mount, path).symlink(parent.node, name, bytes, options);
  }

  /** mknod(2). */
  *mknod(
    path: Path,
    kind: 'character' | 'block' | 'fifo' | 'socket',
    options: CreateOptions & { readonly device?: { readonly major: number; readonly minor: number } } = {},
  ): Io<void> {
    const { parent, name } = yield* this.#vacancy(path, false);
    yield* writable(parent.mount, path).mknod(parent.node, name, kind, creation(options, 0o644), options.device);
  }

  /** link(2): another name for a file; a symbolic link is linked itself, not followed. */
  *link(existing: Path, path: Path): Io<void> {
    const place = yield* this.resolve(existing, { followLast: false });
    const { parent, name } = yield* this.#vacancy(path, false);
    if (place.mount !== parent.mount) throw new Posix('EXDEV', wherePath(path));
    if (place.stat.kind === 'directory') throw new Posix('EPERM', wherePath(existing));
    yield* writable(parent.mount, path).link(place.node, parent.node, name);
  }

  /** unlink(2). */
  *unlink(path: Path): Io<void> {
    const { place, parent, name, slashed } = yield* this.#occupant(path, 'EISDIR');
    if (place.stat.kind === 'directory') throw new Posix('EISDIR', wherePath(path));
    if (slashed) throw new Posix('ENOTDIR', wherePath(path));
    yield* writable(parent.mount, path).unlink(parent.node, name);
  }

  /** rmdir(2). */
  *rmdir(path: Path): Io<void> {
    const { place, parent, name } = yield* this.#occupant(path, rmdirSpecial(path));
    if (place.stat.kind !== 'directory') throw new Posix('ENOTDIR', wherePath(path));
    if (this.table.isMountPoint(place)) throw new Posix('EBUSY', wherePath(path));
    yield* writable(parent.mount, path).rmdir(parent.node, name);
  }

  /** rm(1): `recursive` removes directories with all that is in them, `force` is content when there is nothing. */
  *rm(path: Path, options: { readonly recursive?: boolean; readonly force?: boolean } = {}): Io<void> {
    const found = yield* this.lookup(path, { keepLast: true });
    if (found.place === undefined && options.force === true) return;
    const { place, parent, name, slashed } = occupied(found, path, 'EBUSY');
    if (place.stat.kind !== 'directory') {
      if (slashed) throw new Posix('ENOTDIR', wherePath(path));
      return yield* writable(parent.mount, path).unlink(parent.node, name);
    }
    if (options.recursive !== true) throw new Posix('EISDIR', wherePath(path));
    if (this.table.isMountPoint(place)) throw new Posix('EBUSY', wherePath(path));
    const system = writable(parent.mount, path);
    yield* system.transaction(() =>
      removeTree(system, parent.node, name, place.node, (node) => this.table.covering(place.mount, node) !== undefined),
    );
  }

  /** rename(2): replaces what `to` names, by POSIX's rules. */
  *rename(from: Path, to: Path): Io<void> {
    const source = yield* this.lookup(from, { keepLast: true });
    const target = yield* this.lookup(to, { keepLast: true });
    if (source.parent.mount !== target.parent.mount) throw new Posix('EXDEV', wherePath(to));
    if (source.name === undefined) throw new Posix('EBUSY', wherePath(from));
    if (target.name === undefined) throw new Posix('EBUSY', wherePath(to));
    const old = occupied(source, from, 'EBUSY');
    if (old.place.stat.kind !== 'directory' && (old.slashed || target.slashed))
      throw new Posix('ENOTDIR', wherePath(old.slashed ? from : to));
    if (this.table.isMountPoint(old.place)) throw new Posix('EBUSY', wherePath(from));
    if (target.place !== undefined && this.table.isMountPoint(target.place)) throw new Posix('EBUSY', wherePath(to));
    yield* writable(old.parent.mount, from).rename(old.parent.node, old.name, target.parent.node, target.name);
  }

  /** chmod(2): the bits 07777 of `mode`. */
  *chmod(path: Path, mode: number): Io<void> {
    const { mount, node } = yield* this.resolve(path);
    yield* writable(mount, path).setAttributes(node, { mode: mode & 0o7777 });
  }

  /**
   * chown(2); undefined leaves a number as it is. Like Linux it takes the set-user-ID bit from what is no directory, and the set-group-ID
   * bit where the group may execute, even when neither number is given.
   */
  *chown(path: Path, uid: number | undefined, gid: number | undefined, options: FollowOptions = {}): Io<void> {
    const { mount, node, stat } = yield* this.resolve(path, options);
    const kept = modeAfterChown(stat);
    yield* writable(mount, path).setAttributes(node, {
      ...(uid === undefined ? {} : { uid }),
      ...(gid === undefined ? {} : { gid }),
      ...(kept === (stat.mode & 0o7777) ? {} : { mode: kept }),
    });
  }

  /** utimensat(2); undefined leaves a time as it is. */
  *utimes(path: Path, atime: Timestamp | undefined, mtime: Timestamp | undefined, options: FollowOptions = {}): Io<void> {
    const { mount, node } = yield* this.resolve(path, options);
    yield* writable(mount, path).setAttributes(node, {
      ...(atime === undefined ? {} : { atime }),
      ...(mtime === undefined ? {} : { mtime }),
    });
  }

  /** setxattr(2), by the attribute's full name. Throws EPERM for a `user.` one of what is neither file nor directory, xattr(7). */
  *setxattr(path: Path, name: Path, value: Bytes, options: FollowOptions = {}): Io<void> {
    const { mount, node, stat } = yield* this.resolve(path, options);
    const attribute = attributeName(name, path);
    if (stat.kind !== 'file' && stat.kind !== 'directory' && decodeName(attribute).startsWith('user.')) {
      throw new Posix('EPERM', wherePath(path), 'only files and directories have user. attributes');
    }
    yield* writable(mount, path).setXattr(node, attribute, value);
  }

  /** removexattr(2). Throws ENODATA when there is none of this name. */
  *removexattr(path: Path, name: Path, options: FollowOptions = {}): Io<void> {
    const { mount, node } = yield* this.resolve(path, options);
    yield* writable(mount, path).removeXattr(node, attributeName(name, path));
  }

  /** Writes out what the file systems keep in memory. */
  *flush(): Io<void> {
    for (const { fileSystem, readOnly } of this.mounts) if (!readOnly && isWritable(fileSystem)) yield* fileSystem.sync();
  }

  /** Where a new name goes. Throws EEXIST when it is taken, ENOENT for a slash behind what is to be no directory. */
  *#vacancy(path: Path, directory: boolean): Io<{ parent: Place; name: Bytes }> {
    const { place, parent, name, slashed } = yield* this.lookup(path, { keepLast: true });
    if (place !== undefined || name === undefined) throw new Posix('EEXIST', wherePath(path));
    if (slashed && !directory) throw new Posix('ENOENT', wherePath(path));
    return { parent, name };
  }

  *#occupant(path: Path, special: 'EISDIR' | 'EBUSY' | 'EINVAL' | 'ENOTEMPTY'): Io<Occupied> {
    return occupied(yield* this.lookup(path, { keepLast: true }), path, special);
  }
}

/** The synchronous face of a tree that can be changed. */
export interface SyncEditableTree extends SyncFace<EditableTree> {}
/** The asynchronous face of a tree that can be changed. */
export interface AsyncEditableTree extends AsyncFace<EditableTree> {}

interface Occupied {
  readonly place: Place;
  readonly parent: Place;
  readonly name: Bytes;
  readonly slashed: boolean;
}

/** What is there under a name that can be removed; `special` is the answer for the root, `.` and `..`. */
function occupied(found: Resolution, path: Path, special: 'EISDIR' | 'EBUSY' | 'EINVAL' | 'ENOTEMPTY'): Occupied {
  const { place, parent, name, slashed } = found;
  if (name === undefined) throw new Posix(special, wherePath(path));
  if (place === undefined) throw new Posix('ENOENT', wherePath(path));
  return { place, parent, name, slashed };
}

/** rmdir(2) of `.` is EINVAL, of `..` ENOTEMPTY, of the root EBUSY. */
function rmdirSpecial(path: Path): 'EBUSY' | 'EINVAL' | 'ENOTEMPTY' {
  const last = pathNames(pathBytes(path)).at(-1);
  if (last === undefined) return 'EBUSY';
  return isDot(last) ? 'EINVAL' : isDotDot(last) ? 'ENOTEMPTY' : 'EBUSY';
}

function writable(mount: Mount, path: Path): WritableFileSystem {
  const { fileSystem, readOnly } = mount;
  if (readOnly || !isWritable(fileSystem)) throw new Posix('EROFS', wherePath(path));
  return fileSystem;
}

/** A regular file; `special` is the answer for devices, FIFOs and sockets, which nobody here serves: ENXIO where they would be opened. */
function regular(place: Place, path: Path, special: 'EINVAL' | 'ENXIO' = 'EINVAL'): Place {
  const kind: FileKind = place.stat.kind;
  if (kind === 'directory') throw new Posix('EISDIR', wherePath(path));
  if (kind !== 'file') throw new Posix(special, wherePath(path), `a ${kind} has no contents to change`);
  return place;
}

function creation(options: CreateOptions, mode: number): Creation {
  return {
    mode: (options.mode ?? mode) & 0o7777,
    ...(options.uid === undefined ? {} : { uid: options.uid }),
    ...(options.gid === undefined ? {} : { gid: options.gid }),
  };
}

/** The permission bits that chown(2) leaves. */
function modeAfterChown(stat: Stat): number {
  const bits = stat.mode & 0o7777;
  if (stat.kind === 'directory') return bits;
  return bits & ~(bits & 0o010 ? 0o6000 : 0o4000);
}

const NAMESPACES = /^(?:user|trusted|security|system)\../;

/** Throws EOPNOTSUPP for a name outside of the namespaces of xattr(7), ERANGE for one beyond 255 bytes. */
function attributeName(name: Path, path: Path): Bytes {
  const bytes = typeof name === 'string' ? encodeName(name) : name;
  if (bytes.length === 0 || bytes.length > 255) throw new Posix('ERANGE', wherePath(path), 'the name of an attribute has 1 to 255 bytes');
  let start = '';
  for (const byte of bytes.subarray(0, 10)) start += String.fromCharCode(byte);
  if (!NAMESPACES.test(start)) {
    throw new Posix('EOPNOTSUPP', wherePath(path), 'the name of an attribute begins with user., trusted., security. or system.');
  }
  return bytes;
}
