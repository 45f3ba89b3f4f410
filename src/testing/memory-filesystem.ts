/**
 * A file system in memory that keeps POSIX's rules and nothing else: the model against which file systems on disks are judged, and a
 * quick stand-in for them in tests.
 *
 * Rules and error order are those of Linux for a user who may do everything: rename(2), unlink(2), rmdir(2), link(2), mknod(2),
 * setxattr(2) and the stamping of times in fs/namei.c and fs/libfs.c.
 */
import { type Bytes, compareBytes, decodeName, encodeName } from '../bytes/index.ts';
import { Posix } from '../errors.ts';
import {
  type Attributes,
  type Creation,
  type DirectoryPart,
  type ExtendedAttribute,
  type FileRun,
  modeOfKind,
  type NodeId,
  type Stat,
  type Timestamp,
  type Usage,
  type Warning,
  type WritableFileSystem,
} from '../filesystem/filesystem.ts';
import type { Io } from '../io/effect.ts';
import { ACCESS_ACL, applyMode, DEFAULT_ACL, setAcl } from './memory-acl.ts';
import { MemoryNodes, NAME_MAX, ROOT } from './memory-nodes.ts';

export interface MemoryOptions {
  readonly type?: string;
  readonly label?: string;
  readonly uuid?: string;
  /** Gives the time of each change; by default one that advances by a microsecond with each call. */
  readonly clock?: () => Timestamp;
  /** Most links that a node may have; default 65,000, as ext4 without dir_nlink. */
  readonly maximumLinks?: number;
  /** Entries in one part of a directory; default 64, so that readers have to go on. */
  readonly directoryPart?: number;
  readonly root?: { readonly mode?: number; readonly uid?: number; readonly gid?: number };
}

const BLOCK = 4096;

/** Does not outlive a change of contents or owner. */
const CAPABILITY = 'security.capability';

/** A clock that begins at `seconds` and advances by a microsecond each time it is read. */
export function steppingClock(seconds = 1_700_000_000): () => Timestamp {
  let microseconds = 0;
  return () => {
    microseconds++;
    return { seconds: seconds + Math.floor(microseconds / 1_000_000), nanoseconds: (microseconds % 1_000_000) * 1000 };
  };
}

export class MemoryFileSystem implements WritableFileSystem {
  readonly type: string;
  readonly uuid: string;
  readonly root: NodeId = ROOT;
  readonly warnings: readonly Warning[] = [];
  label: Bytes;
  readonly #directoryPart: number;
  readonly #nodes: MemoryNodes;

  constructor(options: MemoryOptions = {}) {
    this.type = options.type ?? 'memory';
    this.label = encodeName(options.label ?? '');
    this.uuid = options.uuid ?? '6d656d6f-7279-4673-8000-000000000001';
    this.#directoryPart = options.directoryPart ?? 64;
    this.#nodes = new MemoryNodes(options.clock ?? steppingClock(), options.maximumLinks ?? 65_000, { mode: 0o755, ...options.root });
  }

  lookup(directory: NodeId, name: Bytes): Io<NodeId | undefined> {
    return atOnce(() => {
      return this.#nodes.directory(directory).entries.get(decodeName(name));
    });
  }

  readDirectory(directory: NodeId, cursor = 0): Io<DirectoryPart> {
    return atOnce(() => {
      const all = [...this.#nodes.directory(directory).entries];
      const end = cursor + this.#directoryPart;
      const entries = all.slice(cursor, end).map(([name, node]) => ({ name: encodeName(name), node, kind: this.#nodes.get(node).kind }));
      return end < all.length ? { entries, next: end } : { entries };
    });
  }

  stat(id: NodeId): Io<Stat> {
    return atOnce(() => {
      const node = this.#nodes.get(id);
      const size =
        node.kind === 'file' ? node.contents.size : node.kind === 'symlink' ? node.target.length : node.kind === 'directory' ? BLOCK : 0;
      return {
        node: id,
        kind: node.kind,
        mode: modeOfKind(node.kind) | node.permissions,
        links: node.links,
        uid: node.uid,
        gid: node.gid,
        ...(node.device === undefined ? {} : { device: node.device }),
        size,
        blocks: node.kind === 'file' ? node.contents.storedBytes / 512 : node.kind === 'directory' ? BLOCK / 512 : 0,
        blockSize: BLOCK,
        atime: node.atime,
        mtime: node.mtime,
        ctime: node.ctime,
        btime: node.btime,
        flags: 0,
        generation: 0,
      };
    });
  }

  read(id: NodeId, offset: number, target: Bytes): Io<number> {
    return atOnce(() => {
      return this.#nodes.file(id).contents.read(offset, target);
    });
  }

  mapFile(id: NodeId, offset: number, length: number): Io<FileRun> {
    return atOnce(() => {
      return this.#nodes.file(id).contents.run(offset, length);
    });
  }

  readlink(id: NodeId): Io<Bytes> {
    return atOnce(() => {
      const node = this.#nodes.get(id);
      if (node.kind !== 'symlink') throw new Posix('EINVAL', { inode: id });
      return node.target;
    });
  }

  xattrs(id: NodeId): Io<readonly ExtendedAttribute[]> {
    return atOnce(() => {
      return [...this.#nodes.get(id).xattrs].map(([name, value]) => ({ name: encodeName(name), value }));
    });
  }

  usage(): Io<Usage> {
    return atOnce(() => {
      const total = 1 << 20;
      const free = total - this.#nodes.size;
      return {
        blockSize: BLOCK,
        blocks: total,
        freeBlocks: free,
        availableBlocks: free,
        inodes: total,
        freeInodes: free,
        maximumNameLength: NAME_MAX,
      };
    });
  }

  create(directory: NodeId, name: Bytes, creation: Creation): Io<NodeId> {
    return atOnce(() => {
      return this.#nodes.add(directory, name, 'file', creation).id;
    });
  }

  mkdir(directory: NodeId, name: Bytes, creation: Creation): Io<NodeId> {
    return atOnce(() => {
      return this.#nodes.add(directory, name, 'directory', creation).id;
    });
  }

  symlink(directory: NodeId, name: Bytes, target: Bytes, creation: Omit<Creation, 'mode'> = {}): Io<NodeId> {
    return atOnce(() => {
      this.#nodes.vacant(directory, name);
      if (target.length === 0) throw new Posix('ENOENT');
      if (target.length >= BLOCK) throw new Posix('ENAMETOOLONG');
      const node = this.#nodes.add(directory, name, 'symlink', { mode: 0o777, ...creation });
      node.target = target.slice();
      return node.id;
    });
  }

  mknod(
    directory: NodeId,
    name: Bytes,
    kind: 'character' | 'block' | 'fifo' | 'socket',
    creation: Creation,
    device?: { readonly major: number; readonly minor: number },
  ): Io<NodeId> {
    return atOnce(() => {
      const numbered = kind === 'character' || kind === 'block' ? (device ?? { major: 0, minor: 0 }) : undefined;
      return this.#nodes.add(directory, name, kind, creation, numbered).id;
    });
  }

  link(id: NodeId, directory: NodeId, name: Bytes): Io<void> {
    return atOnce(() => {
      const node = this.#nodes.get(id);
      const into = this.#nodes.vacant(directory, name);
      if (node.kind === 'directory') throw new Posix('EPERM', { inode: id });
      if (node.links >= this.#nodes.maximumLinks) throw new Posix('EMLINK', { inode: id });
      into.entries.set(decodeName(name), id);
      node.links++;
      node.ctime = into.mtime = into.ctime = this.#nodes.now();
    });
  }

  unlink(directory: NodeId, name: Bytes): Io<void> {
    return atOnce(() => {
      const { parent, node } = this.#nodes.present(directory, name);
      if (node.kind === 'directory') throw new Posix('EISDIR', { inode: node.id });
      parent.entries.delete(decodeName(name));
      parent.mtime = parent.ctime = this.#nodes.now();
      this.#nodes.drop(node, parent.ctime);
    });
  }

  rmdir(directory: NodeId, name: Bytes): Io<void> {
    return atOnce(() => {
      const { parent, node } = this.#nodes.present(directory, name);
      if (node.kind !== 'directory') throw new Posix('ENOTDIR', { inode: node.id });
      if (node.entries.size > 0) throw new Posix('ENOTEMPTY', { inode: node.id });
      parent.entries.delete(decodeName(name));
      parent.links--;
      parent.mtime = parent.ctime = this.#nodes.now();
      this.#nodes.remove(node);
    });
  }

  rename(directory: NodeId, name: Bytes, newDirectory: NodeId, newName: Bytes): Io<void> {
    return atOnce(() => {
      this.#nodes.directory(directory);
      const into = this.#nodes.directory(newDirectory);
      const { parent, node } = this.#nodes.present(directory, name);
      this.#nodes.checkName(newName);
      const moved = node.kind === 'directory';
      if (moved && this.#nodes.isInside(into.id, node.id)) throw new Posix('EINVAL', { inode: node.id });
      const replacedId = into.entries.get(decodeName(newName));
      const replaced = replacedId === undefined ? undefined : this.#nodes.get(replacedId);
      if (replaced === node) return;
      if (replaced !== undefined) {
        if (this.#nodes.isInside(parent.id, replaced.id)) throw new Posix('ENOTEMPTY', { inode: replaced.id });
        if (moved && replaced.kind !== 'directory') throw new Posix('ENOTDIR', { inode: replaced.id });
        if (!moved && replaced.kind === 'directory') throw new Posix('EISDIR', { inode: replaced.id });
        if (replaced.entries.size > 0) throw new Posix('ENOTEMPTY', { inode: replaced.id });
      } else if (moved && parent !== into && into.links >= this.#nodes.maximumLinks) {
        throw new Posix('EMLINK', { inode: into.id });
      }
      const now = this.#nodes.now();
      parent.entries.delete(decodeName(name));
      into.entries.set(decodeName(newName), node.id);
      if (moved) {
        parent.links--;
        into.links++;
        node.parent = into.id;
      }
      parent.mtime = parent.ctime = into.mtime = into.ctime = node.ctime = now;
      if (replaced?.kind === 'directory') {
        into.links--;
        this.#nodes.remove(replaced);
      } else if (replaced !== undefined) this.#nodes.drop(replaced, now);
    });
  }

  write(id: NodeId, offset: number, bytes: Bytes): Io<void> {
    return atOnce(() => {
      const node = this.#nodes.file(id);
      if (bytes.length === 0) return;
      node.xattrs.delete(CAPABILITY);
      node.contents.write(offset, bytes);
      node.mtime = node.ctime = this.#nodes.now();
    });
  }

  truncate(id: NodeId, size: number): Io<void> {
    return atOnce(() => {
      const node = this.#nodes.file(id);
      if (size < 0) throw new Posix('EINVAL', { inode: id });
      node.xattrs.delete(CAPABILITY);
      node.contents.truncate(size);
      node.mtime = node.ctime = this.#nodes.now();
    });
  }

  punch(id: NodeId, offset: number, length: number): Io<void> {
    return atOnce(() => {
      const node = this.#nodes.file(id);
      if (offset < 0 || length <= 0) throw new Posix('EINVAL', { inode: id });
      node.xattrs.delete(CAPABILITY);
      node.contents.punch(offset, length);
      node.mtime = node.ctime = this.#nodes.now();
    });
  }

  setAttributes(id: NodeId, attributes: Attributes): Io<void> {
    return atOnce(() => {
      const node = this.#nodes.get(id);
      if (attributes.mode !== undefined) applyMode(node, attributes.mode);
      const chown = attributes.uid !== undefined || attributes.gid !== undefined;
      if (chown && node.kind !== 'directory') node.xattrs.delete(CAPABILITY);
      node.uid = attributes.uid ?? node.uid;
      node.gid = attributes.gid ?? node.gid;
      node.atime = attributes.atime ?? node.atime;
      node.mtime = attributes.mtime ?? node.mtime;
      node.ctime = this.#nodes.now();
    });
  }

  setXattr(id: NodeId, name: Bytes, value: Bytes): Io<void> {
    return atOnce(() => {
      const node = this.#nodes.get(id);
      const text = decodeName(name);
      if (text === ACCESS_ACL || text === DEFAULT_ACL) setAcl(node, text, value);
      else node.xattrs.set(text, value.slice());
      node.ctime = this.#nodes.now();
    });
  }

  removeXattr(id: NodeId, name: Bytes): Io<void> {
    return atOnce(() => {
      const node = this.#nodes.get(id);
      if (!node.xattrs.delete(decodeName(name))) throw new Posix('ENODATA', { inode: id });
      node.ctime = this.#nodes.now();
    });
  }

  setLabel(label: Bytes): Io<void> {
    return atOnce(() => {
      this.label = label.slice();
    });
  }

  *transaction<T>(body: () => Io<T>): Io<T> {
    const restore = this.#nodes.remember();
    try {
      return yield* body();
    } catch (error) {
      restore();
      throw error;
    }
  }

  sync(): Io<void> {
    return atOnce(() => undefined);
  }
}

/** A computation without steps. */
// biome-ignore lint/correctness/useYield: memory needs none
function* atOnce<T>(compute: () => T): Io<T> {
  return compute();
}

/** Orders directory entries by their names' bytes. */
export function byName(a: { readonly name: Bytes }, b: { readonly name: Bytes }): number {
  return compareBytes(a.name, b.name);
}
