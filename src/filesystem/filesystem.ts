/**
 * The one interface behind which all file systems stand.
 *
 * A file system knows nodes and names. Paths, symbolic links, `..` and mount points are not its business: they live in `guest/`.
 * Names are bytes. A node is named by a number that stays valid while the node exists: the inode number where there is one.
 */
import type { Bytes } from '../bytes/struct.ts';
import type { Warning } from '../errors.ts';
import type { Io } from '../io/effect.ts';

export type { Warning } from '../errors.ts';

/** A node of a mounted file system. */
export type NodeId = number;

export type FileKind = 'file' | 'directory' | 'symlink' | 'character' | 'block' | 'fifo' | 'socket';

/** The file type bits of `st_mode`, stat(2) and inode(7). */
export const S_IFMT = 0o170000;
export const S_IFSOCK = 0o140000;
export const S_IFLNK = 0o120000;
export const S_IFREG = 0o100000;
export const S_IFBLK = 0o060000;
export const S_IFDIR = 0o040000;
export const S_IFCHR = 0o020000;
export const S_IFIFO = 0o010000;

const KINDS: ReadonlyMap<number, FileKind> = new Map([
  [S_IFSOCK, 'socket'],
  [S_IFLNK, 'symlink'],
  [S_IFREG, 'file'],
  [S_IFBLK, 'block'],
  [S_IFDIR, 'directory'],
  [S_IFCHR, 'character'],
  [S_IFIFO, 'fifo'],
]);

/** The kind that the type bits of a mode stand for; undefined for bits that mean nothing. */
export function kindOfMode(mode: number): FileKind | undefined {
  return KINDS.get(mode & S_IFMT);
}

/** The type bits of a mode for a kind. */
export function modeOfKind(kind: FileKind): number {
  for (const [bits, name] of KINDS) if (name === kind) return bits;
  throw new RangeError(`no such kind: ${String(kind)}`);
}

/** A point in time: whole seconds since 1970-01-01 UTC, floored, and nanoseconds 0..999,999,999 after it. */
export interface Timestamp {
  readonly seconds: number;
  readonly nanoseconds: number;
}

/** What stat(2) tells, and a little more. */
export interface Stat {
  readonly node: NodeId;
  readonly kind: FileKind;
  /** Type and permission bits. */
  readonly mode: number;
  readonly links: number;
  readonly uid: number;
  readonly gid: number;
  /** Device number of a block or character device. */
  readonly device?: { readonly major: number; readonly minor: number };
  /** Length in bytes. */
  readonly size: number;
  /** Space taken, in units of 512 bytes. */
  readonly blocks: number;
  /** Preferred I/O size: the file system's block or cluster, in bytes. */
  readonly blockSize: number;
  readonly atime: Timestamp;
  readonly mtime: Timestamp;
  readonly ctime: Timestamp;
  /** Time of creation, where the file system keeps it. */
  readonly btime?: Timestamp;
  /** The inode flags of ext2/3/4 (`FS_*_FL`), or FAT attributes; 0 where there are none. */
  readonly flags: number;
  readonly generation?: number;
}

export interface DirectoryEntry {
  readonly name: Bytes;
  readonly node: NodeId;
  /** The kind as the directory tells it; undefined where it does not (then `stat` knows). */
  readonly kind?: FileKind;
}

/** A part of a directory, and where to go on: `next` is undefined after the last part. */
export interface DirectoryPart {
  readonly entries: readonly DirectoryEntry[];
  readonly next?: number;
}

/** An extended attribute under its full name, such as `security.selinux`; the value as getxattr(2) returns it. */
export interface ExtendedAttribute {
  readonly name: Bytes;
  readonly value: Bytes;
}

/** A run of a file: stored bytes, or a hole that reads as zeros. */
export interface FileRun {
  readonly length: number;
  readonly hole: boolean;
  /** Byte offset on the file system's device where the run stands; undefined for holes and bytes kept elsewhere (inline). */
  readonly deviceOffset?: number;
}

/** What statvfs(2) tells; counts are in units of `blockSize`. */
export interface Usage {
  readonly blockSize: number;
  readonly blocks: number;
  readonly freeBlocks: number;
  /** Free for users other than root. */
  readonly availableBlocks: number;
  readonly inodes: number;
  readonly freeInodes: number;
  readonly maximumNameLength: number;
}

export interface FileSystem {
  /** The type as `blkid` and /etc/fstab name it: `ext4`, `vfat`, ... */
  readonly type: string;
  /** The label; empty when there is none. */
  readonly label: Bytes;
  /** The UUID as `blkid` prints it; undefined when there is none. */
  readonly uuid?: string;
  readonly root: NodeId;
  /** What was found wrong or replayed while mounting. */
  readonly warnings: readonly Warning[];

  /** The node of a name in a directory, by the file system's own rules of equality; never called for `.` and `..`. */
  lookup(directory: NodeId, name: Bytes): Io<NodeId | undefined>;
  /** A part of a directory from `cursor` (undefined: the beginning), without `.` and `..`, in the order of the disk. */
  readDirectory(directory: NodeId, cursor?: number): Io<DirectoryPart>;
  stat(node: NodeId): Io<Stat>;
  /** Reads into `target` from byte `offset` of a regular file; returns how many bytes, fewer than asked only at the file's end. */
  read(node: NodeId, offset: number, target: Bytes): Io<number>;
  /** The run that begins at `offset` (below the file's size): at most `length` bytes of one state. */
  mapFile(node: NodeId, offset: number, length: number): Io<FileRun>;
  readlink(node: NodeId): Io<Bytes>;
  /** All extended attributes; POSIX ACLs in the form that getxattr(2) returns (version 2). */
  xattrs(node: NodeId): Io<readonly ExtendedAttribute[]>;
  usage(): Io<Usage>;
}

/** New attributes; what is absent stays. */
export interface Attributes {
  /** Permission bits, without the type. */
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly atime?: Timestamp;
  readonly mtime?: Timestamp;
}

/** What a new node gets. */
export interface Creation {
  /** Permission bits, without the type; no umask is applied. */
  readonly mode: number;
  readonly uid?: number;
  readonly gid?: number;
}

/** A regular file with all that belongs to it. */
export interface NewFile extends Creation {
  /** What it holds, from its beginning to its end. */
  readonly contents: Bytes;
  readonly atime: Timestamp;
  readonly mtime: Timestamp;
  readonly xattrs?: readonly ExtendedAttribute[];
}

export interface TransactionOptions {
  /**
   * No verb in it is expected to fail alone: when one throws, the transaction throws the same in the end and none of it happens, even where
   * its body went on. Faster, as the way back is kept once and not for each verb. Default false: a verb may fail and the others happen.
   */
  readonly whole?: boolean;
}

/**
 * A file system that can be changed. Every verb succeeds whole or throws and leaves everything as it was, on the device and in memory.
 * Times are stamped as Linux does; the clock is given when the file system is mounted.
 */
export interface WritableFileSystem extends FileSystem {
  create(directory: NodeId, name: Bytes, creation: Creation): Io<NodeId>;
  /**
   * `create`, `write`, `setAttributes` and `setXattr` as one verb, where the file system has a faster way to do all of them. Changes nothing
   * and gives undefined where the name is taken.
   */
  createFilled?(directory: NodeId, name: Bytes, file: NewFile): Io<NodeId | undefined>;
  /**
   * As `createFilled` inside of a whole transaction, where all that it takes is in memory. Undefined: nothing was done, and `createFilled` says
   * why or does it.
   */
  createFilledNow?(directory: NodeId, name: Bytes, file: NewFile): NodeId | undefined;
  mkdir(directory: NodeId, name: Bytes, creation: Creation): Io<NodeId>;
  symlink(directory: NodeId, name: Bytes, target: Bytes, creation?: Omit<Creation, 'mode'>): Io<NodeId>;
  mknod(
    directory: NodeId,
    name: Bytes,
    kind: 'character' | 'block' | 'fifo' | 'socket',
    creation: Creation,
    device?: { readonly major: number; readonly minor: number },
  ): Io<NodeId>;
  link(node: NodeId, directory: NodeId, name: Bytes): Io<void>;
  unlink(directory: NodeId, name: Bytes): Io<void>;
  rmdir(directory: NodeId, name: Bytes): Io<void>;
  /** rename(2): replaces what `newName` names, by POSIX's rules. */
  rename(directory: NodeId, name: Bytes, newDirectory: NodeId, newName: Bytes): Io<void>;
  /** Writes all of `bytes` at `offset`, extending the file; a gap becomes a hole or zeros. */
  write(node: NodeId, offset: number, bytes: Bytes): Io<void>;
  truncate(node: NodeId, size: number): Io<void>;
  /** Makes the range read as zeros and frees what it held, without changing the size. */
  punch(node: NodeId, offset: number, length: number): Io<void>;
  setAttributes(node: NodeId, attributes: Attributes): Io<void>;
  setXattr(node: NodeId, name: Bytes, value: Bytes): Io<void>;
  removeXattr(node: NodeId, name: Bytes): Io<void>;
  setLabel(label: Bytes): Io<void>;
  /** Runs several verbs as one: if `body` throws, none of them happened. */
  transaction<T>(body: () => Io<T>, options?: TransactionOptions): Io<T>;
  /** Writes out what is kept in memory. */
  sync(): Io<void>;
}
