/**
 * A file system in memory that keeps POSIX's rules and nothing else: the model against which file systems on disks are judged, and a
 * quick stand-in for them in tests.
 *
 * Rules and error order are those of Linux for a user who may do everything: rename(2), unlink(2), rmdir(2), link(2), mknod(2),
 * setxattr(2) and the stamping of times in fs/namei.c and fs/libfs.c.
 */
import { type Bytes, compareBytes, decodeName, encodeName, sameBytes } from '../bytes/index.ts';
import { type Errno, Posix } from '../errors.ts';
import {
  type Attributes,
  type Creation,
  type DirectoryPart,
  type ExtendedAttribute,
  type FileKind,
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
import { ACCESS_ACL, aclWithMode, DEFAULT_ACL, isAcl, isPlain, modeOfAcl } from './memory-acl.ts';
import { MemoryContents } from './memory-contents.ts';

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

interface Node {
  readonly id: NodeId;
  readonly kind: FileKind;
  permissions: number;
  uid: number;
  gid: number;
  links: number;
  atime: Timestamp;
  mtime: Timestamp;
  ctime: Timestamp;
  readonly btime: Timestamp;
  readonly device?: { readonly major: number; readonly minor: number };
  readonly contents: MemoryContents;
  target: Bytes;
  /** From the name as text (lossless) to the node; insertion order is the order of the disk. */
  readonly entries: Map<string, NodeId>;
  parent: NodeId;
  readonly xattrs: Map<string, Bytes>;
}

const NAME_MAX = 255;
const BLOCK = 4096;
const EMPTY: Bytes = new Uint8Array(0);

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
  readonly root: NodeId = 2;
  readonly warnings: readonly Warning[] = [];
  label: Bytes;
  readonly #clock: () => Timestamp;
  readonly #maximumLinks: number;
  readonly #directoryPart: number;
  #nodes = new Map<NodeId, Node>();
  #next = 11;

  constructor(options: MemoryOptions = {}) {
    this.type = options.type ?? 'memory';
    this.label = encodeName(options.label ?? '');
    this.uuid = options.uuid ?? '6d656d6f-7279-4673-8000-000000000001';
    this.#clock = options.clock ?? steppingClock();
    this.#maximumLinks = options.maximumLinks ?? 65_000;
    this.#directoryPart = options.directoryPart ?? 64;
    const root = this.#make(this.root, 'directory', { mode: 0o755, ...options.root }, this.root);
    root.links = 2;
  }

  lookup(directory: NodeId, name: Bytes): Io<NodeId | undefined> {
    return atOnce(() => {
      return this.#directory(directory).entries.get(decodeName(name));
    });
  }

  readDirectory(directory: NodeId, cursor = 0): Io<DirectoryPart> {
    return atOnce(() => {
      const all = [...this.#directory(directory).entries];
      const end = cursor + this.#directoryPart;
      const entries = all.slice(cursor, end).map(([name, node]) => ({ name: encodeName(name), node, kind: this.#node(node).kind }));
      return end < all.length ? { entries, next: end } : { entries };
    });
  }

  stat(id: NodeId): Io<Stat> {
    return atOnce(() => {
      const node = this.#node(id);
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
      return this.#file(id).contents.read(offset, target);
    });
  }

  mapFile(id: NodeId, offset: number, length: number): Io<FileRun> {
    return atOnce(() => {
      return this.#file(id).contents.run(offset, length);
    });
  }

  readlink(id: NodeId): Io<Bytes> {
    return atOnce(() => {
      const node = this.#node(id);
      if (node.kind !== 'symlink') throw new Posix('EINVAL', { inode: id });
      return node.target;
    });
  }

  xattrs(id: NodeId): Io<readonly ExtendedAttribute[]> {
    return atOnce(() => {
      return [...this.#node(id).xattrs].map(([name, value]) => ({ name: encodeName(name), value }));
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
      return this.#add(directory, name, 'file', creation).id;
    });
  }

  mkdir(directory: NodeId, name: Bytes, creation: Creation): Io<NodeId> {
    return atOnce(() => {
      return this.#add(directory, name, 'directory', creation).id;
    });
  }

  symlink(directory: NodeId, name: Bytes, target: Bytes, creation: Omit<Creation, 'mode'> = {}): Io<NodeId> {
    return atOnce(() => {
      this.#vacant(directory, name);
      if (target.length === 0) throw new Posix('ENOENT');
      if (target.length >= BLOCK) throw new Posix('ENAMETOOLONG');
      const node = this.#add(directory, name, 'symlink', { mode: 0o777, ...creation });
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
      return this.#add(directory, name, kind, creation, numbered).id;
    });
  }

  link(id: NodeId, directory: NodeId, name: Bytes): Io<void> {
    return atOnce(() => {
      const node = this.#node(id);
      const into = this.#vacant(directory, name);
      if (node.kind === 'directory') throw new Posix('EPERM', { inode: id });
      if (node.links >= this.#maximumLinks) throw new Posix('EMLINK', { inode: id });
      into.entries.set(decodeName(name), id);
      node.links++;
      node.ctime = into.mtime = into.ctime = this.#clock();
    });
  }

  unlink(directory: NodeId, name: Bytes): Io<void> {
    return atOnce(() => {
      const { parent, node } = this.#present(directory, name);
      if (node.kind === 'directory') throw new Posix('EISDIR', { inode: node.id });
      parent.entries.delete(decodeName(name));
      parent.mtime = parent.ctime = this.#clock();
      this.#drop(node, parent.ctime);
    });
  }

  rmdir(directory: NodeId, name: Bytes): Io<void> {
    return atOnce(() => {
      const { parent, node } = this.#present(directory, name);
      if (node.kind !== 'directory') throw new Posix('ENOTDIR', { inode: node.id });
      if (node.entries.size > 0) throw new Posix('ENOTEMPTY', { inode: node.id });
      parent.entries.delete(decodeName(name));
      parent.links--;
      parent.mtime = parent.ctime = this.#clock();
      this.#nodes.delete(node.id);
    });
  }

  rename(directory: NodeId, name: Bytes, newDirectory: NodeId, newName: Bytes): Io<void> {
    return atOnce(() => {
      this.#directory(directory);
      const into = this.#directory(newDirectory);
      const { parent, node } = this.#present(directory, name);
      this.#checkName(newName);
      const moved = node.kind === 'directory';
      if (moved && this.#isInside(into.id, node.id)) throw new Posix('EINVAL', { inode: node.id });
      const replacedId = into.entries.get(decodeName(newName));
      const replaced = replacedId === undefined ? undefined : this.#node(replacedId);
      if (replaced === node) return;
      if (replaced !== undefined) {
        if (this.#isInside(parent.id, replaced.id)) throw new Posix('ENOTEMPTY', { inode: replaced.id });
        if (moved && replaced.kind !== 'directory') throw new Posix('ENOTDIR', { inode: replaced.id });
        if (!moved && replaced.kind === 'directory') throw new Posix('EISDIR', { inode: replaced.id });
        if (replaced.entries.size > 0) throw new Posix('ENOTEMPTY', { inode: replaced.id });
      } else if (moved && parent !== into && into.links >= this.#maximumLinks) {
        throw new Posix('EMLINK', { inode: into.id });
      }
      const now = this.#clock();
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
        this.#nodes.delete(replaced.id);
      } else if (replaced !== undefined) this.#drop(replaced, now);
    });
  }

  write(id: NodeId, offset: number, bytes: Bytes): Io<void> {
    return atOnce(() => {
      const node = this.#file(id);
      if (bytes.length === 0) return;
      node.xattrs.delete(CAPABILITY);
      node.contents.write(offset, bytes);
      node.mtime = node.ctime = this.#clock();
    });
  }

  truncate(id: NodeId, size: number): Io<void> {
    return atOnce(() => {
      const node = this.#file(id);
      if (size < 0) throw new Posix('EINVAL', { inode: id });
      node.xattrs.delete(CAPABILITY);
      node.contents.truncate(size);
      node.mtime = node.ctime = this.#clock();
    });
  }

  punch(id: NodeId, offset: number, length: number): Io<void> {
    return atOnce(() => {
      const node = this.#file(id);
      if (offset < 0 || length <= 0) throw new Posix('EINVAL', { inode: id });
      node.xattrs.delete(CAPABILITY);
      node.contents.punch(offset, length);
      node.mtime = node.ctime = this.#clock();
    });
  }

  setAttributes(id: NodeId, attributes: Attributes): Io<void> {
    return atOnce(() => {
      const node = this.#node(id);
      if (attributes.mode !== undefined) {
        node.permissions = attributes.mode & 0o7777;
        const acl = node.xattrs.get(ACCESS_ACL);
        if (acl !== undefined) node.xattrs.set(ACCESS_ACL, aclWithMode(acl, attributes.mode));
      }
      const chown = attributes.uid !== undefined || attributes.gid !== undefined;
      if (chown && node.kind !== 'directory') node.xattrs.delete(CAPABILITY);
      node.uid = attributes.uid ?? node.uid;
      node.gid = attributes.gid ?? node.gid;
      node.atime = attributes.atime ?? node.atime;
      node.mtime = attributes.mtime ?? node.mtime;
      node.ctime = this.#clock();
    });
  }

  setXattr(id: NodeId, name: Bytes, value: Bytes): Io<void> {
    return atOnce(() => {
      const node = this.#node(id);
      const text = decodeName(name);
      if (text === ACCESS_ACL || text === DEFAULT_ACL) this.#setAcl(node, text, value);
      else node.xattrs.set(text, value.slice());
      node.ctime = this.#clock();
    });
  }

  removeXattr(id: NodeId, name: Bytes): Io<void> {
    return atOnce(() => {
      const node = this.#node(id);
      if (!node.xattrs.delete(decodeName(name))) throw new Posix('ENODATA', { inode: id });
      node.ctime = this.#clock();
    });
  }

  setLabel(label: Bytes): Io<void> {
    return atOnce(() => {
      this.label = label.slice();
    });
  }

  *transaction<T>(body: () => Io<T>): Io<T> {
    const before = this.#snapshot();
    try {
      return yield* body();
    } catch (error) {
      this.#nodes = before;
      throw error;
    }
  }

  sync(): Io<void> {
    return atOnce(() => undefined);
  }

  #snapshot(): Map<NodeId, Node> {
    const copies = [...this.#nodes].map(([id, node]): [NodeId, Node] => [
      id,
      { ...node, contents: node.contents.copy(), entries: new Map(node.entries), xattrs: new Map(node.xattrs) },
    ]);
    return new Map(copies);
  }

  #node(id: NodeId): Node {
    const node = this.#nodes.get(id);
    if (node === undefined) throw new Posix('ENOENT', { inode: id }, 'no such node');
    return node;
  }

  #directory(id: NodeId): Node {
    const node = this.#node(id);
    if (node.kind !== 'directory') throw new Posix('ENOTDIR', { inode: id });
    return node;
  }

  #file(id: NodeId): Node {
    const node = this.#node(id);
    if (node.kind === 'directory') throw new Posix('EISDIR', { inode: id });
    if (node.kind !== 'file') throw new Posix('EINVAL', { inode: id });
    return node;
  }

  #present(directory: NodeId, name: Bytes): { parent: Node; node: Node } {
    const parent = this.#directory(directory);
    this.#checkName(name);
    const id = parent.entries.get(decodeName(name));
    if (id === undefined) throw new Posix('ENOENT', { inode: directory });
    return { parent, node: this.#node(id) };
  }

  /** The directory, in which the name has to be free. */
  #vacant(directory: NodeId, name: Bytes): Node {
    const parent = this.#directory(directory);
    this.#checkName(name);
    if (parent.entries.has(decodeName(name))) throw new Posix('EEXIST', { inode: directory });
    return parent;
  }

  #checkName(name: Bytes): void {
    const refuse = (code: Errno): never => {
      throw new Posix(code, { path: decodeName(name) });
    };
    if (name.length === 0) refuse('ENOENT');
    if (name.length > NAME_MAX) refuse('ENAMETOOLONG');
    if (name.includes(0) || name.includes(0x2f)) refuse('EINVAL');
    if (sameBytes(name, encodeName('.')) || sameBytes(name, encodeName('..'))) refuse('EEXIST');
  }

  /** An access list that a mode can tell becomes the mode; an empty list is none. */
  #setAcl(node: Node, name: string, acl: Bytes): void {
    const isEmpty = acl.length === 4;
    if (node.kind === 'symlink') throw new Posix('EOPNOTSUPP', { inode: node.id });
    if (!isEmpty && !isAcl(acl)) throw new Posix('EINVAL', { inode: node.id });
    if (!isEmpty && name === DEFAULT_ACL && node.kind !== 'directory') throw new Posix('EACCES', { inode: node.id });
    if (!isEmpty && name === ACCESS_ACL) node.permissions = (node.permissions & ~0o777) | modeOfAcl(acl);
    if (isEmpty || (name === ACCESS_ACL && isPlain(acl))) node.xattrs.delete(name);
    else node.xattrs.set(name, acl.slice());
  }

  /** A new node takes over the default list of its directory, cut by its mode. */
  #inheritAcl(node: Node, parent: Node): void {
    const acl = parent.xattrs.get(DEFAULT_ACL);
    if (acl === undefined || node.kind === 'symlink') return;
    const mode = node.permissions & modeOfAcl(acl);
    node.permissions = (node.permissions & ~0o777) | mode;
    if (!isPlain(acl)) node.xattrs.set(ACCESS_ACL, aclWithMode(acl, mode));
    if (node.kind === 'directory') node.xattrs.set(DEFAULT_ACL, acl);
  }

  #isInside(directory: NodeId, ancestor: NodeId): boolean {
    for (let here = directory; ; here = this.#node(here).parent) {
      if (here === ancestor) return true;
      if (here === this.root) return false;
    }
  }

  #add(directory: NodeId, name: Bytes, kind: FileKind, creation: Creation, device?: Node['device']): Node {
    const parent = this.#vacant(directory, name);
    if (kind === 'directory' && parent.links >= this.#maximumLinks) throw new Posix('EMLINK', { inode: directory });
    const inherits = (parent.permissions & 0o2000) !== 0;
    const mode = inherits && kind === 'directory' ? creation.mode | 0o2000 : creation.mode;
    const gid = creation.gid ?? (inherits ? parent.gid : 0);
    const node = this.#make(this.#next++, kind, { ...creation, mode, gid }, directory, device);
    this.#inheritAcl(node, parent);
    parent.entries.set(decodeName(name), node.id);
    if (kind === 'directory') parent.links++;
    parent.mtime = parent.ctime = node.ctime;
    return node;
  }

  #make(id: NodeId, kind: FileKind, creation: Creation, parent: NodeId, device?: Node['device']): Node {
    const now = this.#clock();
    const node: Node = {
      id,
      kind,
      permissions: creation.mode & 0o7777,
      uid: creation.uid ?? 0,
      gid: creation.gid ?? 0,
      links: kind === 'directory' ? 2 : 1,
      atime: now,
      mtime: now,
      ctime: now,
      btime: now,
      ...(device === undefined ? {} : { device }),
      contents: new MemoryContents(),
      target: EMPTY,
      entries: new Map(),
      parent,
      xattrs: new Map(),
    };
    this.#nodes.set(id, node);
    return node;
  }

  /** One link less; the node goes with its last one. */
  #drop(node: Node, now: Timestamp): void {
    node.links--;
    node.ctime = now;
    if (node.links === 0) this.#nodes.delete(node.id);
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
