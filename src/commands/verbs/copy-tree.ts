/** Copying files and trees within a guest, as cp(1) does. */
import { type Bytes, concatBytes, decodeName, sameBytes } from '../../bytes/index.ts';
import { Posix } from '../../errors.ts';
import type { Stat } from '../../filesystem/filesystem.ts';
import type { EditableTree } from '../../guest/edit.ts';
import { forEachChunk } from '../../guest/file-data.ts';
import type { Mount, Place } from '../../guest/mounts.ts';
import { pathOf } from '../../guest/mounts.ts';
import { NodeMap } from '../../guest/node-map.ts';
import { type WalkEntry, walk } from '../../guest/walk.ts';
import type { Io } from '../../io/effect.ts';
import type { Handle } from './handle.ts';
import { inDirectory } from './names.ts';

export interface CopyOptions {
  /** Directories with all that is in them; symbolic links are copied themselves. */
  readonly recursive: boolean;
  /** Owners, permissions, times, extended attributes and hard links stay. */
  readonly preserve: boolean;
}

/** Where a copy or a renamed file goes: into a directory that is there, under its own name. */
export function* destinationOf(tree: EditableTree, source: Place, path: string): Io<string> {
  const { place } = yield* tree.lookup(path);
  if (place?.stat.kind !== 'directory') return path;
  return inDirectory(path, decodeName(source.name));
}

/** Throws EINVAL where a tree would go into itself. */
export function* requireOutside(tree: EditableTree, source: Place, to: string): Io<void> {
  if (source.stat.kind !== 'directory') return;
  for (let above: Place | undefined = (yield* tree.lookup(to, { keepLast: true })).parent; above !== undefined; above = above.parent) {
    if (above.mount === source.mount && above.node === source.node)
      throw new Posix('EINVAL', { path: to }, 'a directory cannot go into itself');
  }
}

/** Copies what is at `from` to `to`, or into the directory `to`. It happens whole or not at all. */
export function* copy(handle: Handle, from: string, to: string, options: CopyOptions): Io<void> {
  const { tree } = handle;
  const source = yield* tree.resolve(from, { followLast: !options.recursive });
  if (source.stat.kind === 'directory' && !options.recursive)
    throw new Posix('EISDIR', { path: from }, 'directories are copied with cp-r or cp-a');
  const target = yield* destinationOf(tree, source, to);
  yield* requireOutside(tree, source, target);
  const start = pathOf(source);
  yield* tree.transaction(() => new Copying(handle, options).run(start, target));
}

class Copying {
  readonly #handle: Handle;
  readonly #tree: EditableTree;
  readonly #options: CopyOptions;
  /** Where files with several names were copied to first. */
  readonly #links = new NodeMap<Mount, string>();
  /** Directories get their attributes when all is in them. */
  readonly #directories: [WalkEntry, string][] = [];

  constructor(handle: Handle, options: CopyOptions) {
    this.#handle = handle;
    this.#tree = handle.tree;
    this.#options = options;
  }

  *run(start: Bytes, target: string): Io<void> {
    const walker = yield* walk(this.#tree, start, { crossMounts: true });
    for (let entry = yield* walker.next(); entry !== undefined; entry = yield* walker.next()) {
      yield* this.#one(entry, target + decodeName(entry.depth === 0 ? new Uint8Array(0) : tail(entry.path, start)));
    }
    for (const [entry, path] of this.#directories.reverse()) yield* this.#finish(entry, path);
  }

  *#one(entry: WalkEntry, path: string): Io<void> {
    const { stat, mount, node } = entry;
    const { place: there } = yield* this.#tree.lookup(path, { keepLast: true });
    if (there !== undefined && there.mount === mount && there.node === node) {
      throw new Posix('EINVAL', { path }, 'source and target are the same file');
    }
    if (entry.kind === 'directory') return yield* this.#directory(entry, path);
    if (this.#options.preserve && stat.links > 1) {
      const first = this.#links.get(mount, node);
      if (first !== undefined) {
        if (there !== undefined) yield* this.#tree.unlink(path);
        return yield* this.#tree.link(first, path);
      }
      this.#links.set(mount, node, path);
    }
    if (entry.kind === 'file') return yield* this.#file(entry, path);
    if (there?.stat.kind === 'directory') throw new Posix('EISDIR', { path });
    if (there !== undefined) yield* this.#tree.unlink(path);
    if (entry.kind === 'symlink') yield* this.#tree.symlink(yield* mount.fileSystem.readlink(node), path);
    else {
      const device = stat.device === undefined ? {} : { device: stat.device };
      yield* this.#tree.mknod(path, entry.kind, { mode: this.#mode(stat), ...device });
    }
    yield* this.#finish(entry, path);
  }

  /** The permissions of a new file. */
  #mode(stat: Stat): number {
    return stat.mode & 0o777 & ~this.#handle.umask;
  }

  *#directory(entry: WalkEntry, path: string): Io<void> {
    const { place } = yield* this.#tree.lookup(path);
    if (place === undefined) {
      yield* this.#tree.mkdir(path, { mode: 0o700 });
      this.#directories.push([entry, path]);
    } else if (place.stat.kind !== 'directory') throw new Posix('ENOTDIR', { path }, 'a directory cannot replace what is none');
    else if (this.#options.preserve) this.#directories.push([entry, path]);
  }

  *#file(entry: WalkEntry, path: string): Io<void> {
    const tree = this.#tree;
    const { mount, node, stat } = entry;
    const source = { fileSystem: mount.fileSystem, node, size: stat.size };
    const { place } = yield* tree.lookup(path, { create: true });
    if (place === undefined && (yield* tree.exists(path, { followLast: false }))) {
      throw new Posix('EEXIST', { path }, 'this is a symbolic link that leads nowhere, and is not written through');
    }
    yield* tree.writeFile(path, new Uint8Array(0), { mode: this.#mode(stat) });
    yield* forEachChunk(source, { skipHoles: true }, (chunk, offset) => tree.write(path, offset, chunk));
    if ((yield* tree.stat(path)).size !== stat.size) yield* tree.truncate(path, stat.size);
    if (place === undefined || this.#options.preserve) yield* this.#finish(entry, path);
  }

  *#finish({ mount, node, stat, kind }: WalkEntry, path: string): Io<void> {
    const tree = this.#tree;
    const stay = { followLast: false };
    if (!this.#options.preserve) {
      if (kind === 'directory') yield* tree.chmod(path, stat.mode & 0o1777 & ~this.#handle.umask);
      return;
    }
    yield* tree.chown(path, stat.uid, stat.gid, stay);
    if (kind !== 'symlink') yield* tree.chmod(path, stat.mode & 0o7777);
    for (const { name, value } of yield* mount.fileSystem.xattrs(node)) yield* tree.setxattr(path, name, value, stay);
    yield* tree.utimes(path, stat.atime, stat.mtime, stay);
  }
}

/** What stands behind the beginning of a walk in a path, with its slash. */
function tail(path: Bytes, start: Bytes): Bytes {
  const root = sameBytes(start, Uint8Array.of(0x2f));
  return root ? path : concatBytes(path.subarray(start.length));
}
