/** A file system of nothing but directories, in memory: where file systems are mounted while none is mounted at the root. */
import { type Bytes, decodeName, encodeName } from '../../bytes/index.ts';
import { Posix } from '../../errors.ts';
import {
  type DirectoryPart,
  type ExtendedAttribute,
  type FileRun,
  type FileSystem,
  type NodeId,
  S_IFDIR,
  type Stat,
  type Timestamp,
  type Usage,
} from '../../filesystem/filesystem.ts';
import type { Io } from '../../io/effect.ts';

/** Directories that may be made. */
const LIMIT = 10_000;
const BLOCK = 4096;

export class Scaffold implements FileSystem {
  readonly type = 'guestless-scaffold';
  readonly label: Bytes = new Uint8Array(0);
  readonly root: NodeId = 1;
  readonly warnings = [];
  readonly #time: Timestamp;
  readonly #directories = new Map<NodeId, Map<string, NodeId>>([[1, new Map()]]);
  #next = 2;

  constructor(time: Timestamp) {
    this.#time = time;
  }

  /** Throws EEXIST, ENOSPC. */
  make(directory: NodeId, name: Bytes): void {
    const names = this.#names(directory);
    const key = decodeName(name);
    if (names.has(key)) throw new Posix('EEXIST', { path: key });
    if (this.#directories.size >= LIMIT) throw new Posix('ENOSPC', { path: key });
    names.set(key, this.#next);
    this.#directories.set(this.#next++, new Map());
  }

  /** Throws ENOENT, ENOTEMPTY. */
  remove(directory: NodeId, name: Bytes): void {
    const names = this.#names(directory);
    const key = decodeName(name);
    const node = names.get(key);
    if (node === undefined) throw new Posix('ENOENT', { path: key });
    if (this.#names(node).size > 0) throw new Posix('ENOTEMPTY', { path: key });
    names.delete(key);
    this.#directories.delete(node);
  }

  #names(directory: NodeId): Map<string, NodeId> {
    const names = this.#directories.get(directory);
    if (names === undefined) throw new Posix('ENOENT', { inode: directory });
    return names;
  }

  *lookup(directory: NodeId, name: Bytes): Io<NodeId | undefined> {
    return this.#names(directory).get(decodeName(name));
  }

  *readDirectory(directory: NodeId): Io<DirectoryPart> {
    return { entries: [...this.#names(directory)].map(([name, node]) => ({ name: encodeName(name), node, kind: 'directory' as const })) };
  }

  *stat(node: NodeId): Io<Stat> {
    const links = 2 + this.#names(node).size;
    const times = { atime: this.#time, mtime: this.#time, ctime: this.#time };
    const owner = { mode: S_IFDIR | 0o755, links, uid: 0, gid: 0 };
    return { node, kind: 'directory', ...owner, size: BLOCK, blocks: BLOCK / 512, blockSize: BLOCK, ...times, flags: 0 };
  }

  *read(node: NodeId): Io<number> {
    throw new Posix('EISDIR', { inode: node });
  }

  *mapFile(node: NodeId): Io<FileRun> {
    throw new Posix('EISDIR', { inode: node });
  }

  *readlink(node: NodeId): Io<Bytes> {
    throw new Posix('EINVAL', { inode: node });
  }

  *xattrs(): Io<readonly ExtendedAttribute[]> {
    return [];
  }

  *usage(): Io<Usage> {
    return { blockSize: BLOCK, blocks: 0, freeBlocks: 0, availableBlocks: 0, inodes: 0, freeInodes: 0, maximumNameLength: 255 };
  }
}
