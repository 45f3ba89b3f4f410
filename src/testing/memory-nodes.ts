/** The nodes of a file system in memory: which there are, how they are found by name, made and dropped, and what a new one inherits. */
import { type Bytes, decodeName, encodeName, sameBytes } from '../bytes/index.ts';
import { type Errno, Posix } from '../errors.ts';
import type { Creation, FileKind, NodeId, Timestamp } from '../filesystem/filesystem.ts';
import { inheritAcl } from './memory-acl.ts';
import { MemoryContents } from './memory-contents.ts';

export interface Node {
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

export const ROOT: NodeId = 2;
export const NAME_MAX = 255;
const FIRST_NODE = 11;
const EMPTY: Bytes = new Uint8Array(0);

export class MemoryNodes {
  readonly now: () => Timestamp;
  readonly maximumLinks: number;
  #all = new Map<NodeId, Node>();
  #next = FIRST_NODE;

  constructor(clock: () => Timestamp, maximumLinks: number, root: Creation) {
    this.now = clock;
    this.maximumLinks = maximumLinks;
    this.#make(ROOT, 'directory', root, ROOT);
  }

  get size(): number {
    return this.#all.size;
  }

  /** Keeps what there is now; the result puts it back. */
  remember(): () => void {
    const copies = [...this.#all].map(([id, node]): [NodeId, Node] => [
      id,
      { ...node, contents: node.contents.copy(), entries: new Map(node.entries), xattrs: new Map(node.xattrs) },
    ]);
    return () => {
      this.#all = new Map(copies);
    };
  }

  get(id: NodeId): Node {
    const node = this.#all.get(id);
    if (node === undefined) throw new Posix('ENOENT', { inode: id }, 'no such node');
    return node;
  }

  directory(id: NodeId): Node {
    const node = this.get(id);
    if (node.kind !== 'directory') throw new Posix('ENOTDIR', { inode: id });
    return node;
  }

  file(id: NodeId): Node {
    const node = this.get(id);
    if (node.kind === 'directory') throw new Posix('EISDIR', { inode: id });
    if (node.kind !== 'file') throw new Posix('EINVAL', { inode: id });
    return node;
  }

  /** The node of a name, which has to be there, and its directory. */
  present(directory: NodeId, name: Bytes): { parent: Node; node: Node } {
    const parent = this.directory(directory);
    this.checkName(name);
    const id = parent.entries.get(decodeName(name));
    if (id === undefined) throw new Posix('ENOENT', { inode: directory });
    return { parent, node: this.get(id) };
  }

  /** The directory, in which the name has to be free. */
  vacant(directory: NodeId, name: Bytes): Node {
    const parent = this.directory(directory);
    this.checkName(name);
    if (parent.entries.has(decodeName(name))) throw new Posix('EEXIST', { inode: directory });
    return parent;
  }

  /** Throws Posix for what is no name of a new file. */
  checkName(name: Bytes): void {
    const refuse = (code: Errno): never => {
      throw new Posix(code, { path: decodeName(name) });
    };
    if (name.length === 0) refuse('ENOENT');
    if (name.length > NAME_MAX) refuse('ENAMETOOLONG');
    if (name.includes(0) || name.includes(0x2f)) refuse('EINVAL');
    if (sameBytes(name, encodeName('.')) || sameBytes(name, encodeName('..'))) refuse('EEXIST');
  }

  /** Whether a directory is `ancestor` or stands below it. */
  isInside(directory: NodeId, ancestor: NodeId): boolean {
    for (let here = directory; ; here = this.get(here).parent) {
      if (here === ancestor) return true;
      if (here === ROOT) return false;
    }
  }

  /** A new node under a free name. */
  add(directory: NodeId, name: Bytes, kind: FileKind, creation: Creation, device?: Node['device']): Node {
    const parent = this.vacant(directory, name);
    if (kind === 'directory' && parent.links >= this.maximumLinks) throw new Posix('EMLINK', { inode: directory });
    const inherits = (parent.permissions & 0o2000) !== 0;
    const mode = inherits && kind === 'directory' ? creation.mode | 0o2000 : creation.mode;
    const gid = creation.gid ?? (inherits ? parent.gid : 0);
    const node = this.#make(this.#next++, kind, { ...creation, mode, gid }, directory, device);
    inheritAcl(node, parent);
    parent.entries.set(decodeName(name), node.id);
    if (kind === 'directory') parent.links++;
    parent.mtime = parent.ctime = node.ctime;
    return node;
  }

  #make(id: NodeId, kind: FileKind, creation: Creation, parent: NodeId, device?: Node['device']): Node {
    const now = this.now();
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
    this.#all.set(id, node);
    return node;
  }

  /** The node is gone, whatever its links say. */
  remove(node: Node): void {
    this.#all.delete(node.id);
  }

  /** One link less; the node goes with its last one. */
  drop(node: Node, now: Timestamp): void {
    node.links--;
    node.ctime = now;
    if (node.links === 0) this.remove(node);
  }
}
