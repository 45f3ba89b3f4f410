/** Inodes, decoded and checked as ext4_iget does (fs/ext4/inode.c), and their times. Pure: bytes in, records out. */
import { type Bytes, joinU64 } from '../bytes/struct.ts';
import { Corrupt } from '../errors.ts';
import { type FileKind, kindOfMode, S_IFLNK, S_IFMT, S_IFREG, type Timestamp } from '../filesystem/filesystem.ts';
import type { ExtentNode } from './extent-node.ts';
import { EXT4_HUGE_FILE_FL, EXT4_XATTR_MAGIC, INCOMPAT, RO_COMPAT } from './format/index.ts';
import type { Superblock } from './superblock.ts';

export interface Inode {
  readonly number: number;
  readonly kind: FileKind;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly links: number;
  /** Length in bytes. */
  readonly size: number;
  /** Space taken, in units of 512 bytes. */
  readonly blocks: number;
  /** `EXT4_*_FL`. */
  readonly flags: number;
  readonly generation: number;
  /** Block number of the extended attributes; 0: none. */
  readonly fileAcl: number;
  /** The 60 bytes of `i_block`: pointers, an extent root, a link target, inline data or a device number. */
  readonly block: Bytes;
  readonly atime: Timestamp;
  readonly mtime: Timestamp;
  readonly ctime: Timestamp;
  readonly btime: Timestamp | undefined;
  /** Bytes behind the first 128 that hold fields; attributes follow them. */
  readonly extraSize: number;
  /** Attributes stand inside of the inode, behind its fields. */
  readonly hasAttributes: boolean;
  /** `i_dtime`: when it was deleted, or the next inode of the orphan list. */
  readonly dtime: number;
  /** `i_version`, 64 bits; the reference count's low half in an inode that holds an attribute's value. */
  readonly versionLow: number;
  readonly projectId: number;
  /** The decoded root of the extent tree, once it was wanted. */
  extentRoot: ExtentNode | undefined;
}

const TWO_32 = 0x1_0000_0000;

/** Seconds and nanoseconds of a time and its extra word (EXT4_DECODE_EXTRA_TIME): 2 bits of epoch, 30 of nanoseconds. */
export function decodeTime(seconds: number, extra: number): Timestamp {
  const signed = seconds | 0;
  const nanoseconds = extra >>> 2;
  return { seconds: signed + (extra & 3) * TWO_32, nanoseconds: nanoseconds < 1_000_000_000 ? nanoseconds : 0 };
}

/** The two words of a time; seconds outside of -2^31 .. 2^34 - 2^31 - 1 are clamped, as the kernel does. */
export function encodeTime(time: Timestamp): { readonly seconds: number; readonly extra: number } {
  const clamped = Math.min(Math.max(time.seconds, -0x8000_0000), 0x3_7fff_ffff);
  const epoch = Math.floor((clamped + 0x8000_0000) / TWO_32);
  return { seconds: (clamped - epoch * TWO_32) >>> 0, extra: (time.nanoseconds * 4 + epoch) >>> 0 };
}

/** The bytes of an inode all of which are zero: never used. */
function isUnused(view: DataView, at: number): boolean {
  for (let i = 0; i < 128; i += 4) if (view.getUint32(at + i) !== 0) return false;
  return true;
}

/** Decodes the inode at `at` of `bytes`, of which `view` is a view. Throws Corrupt for one that no kernel would accept; its checksum is the caller's business. */
export function parseInode(superblock: Superblock, number: number, bytes: Bytes, view: DataView, at: number): Inode {
  const mode = view.getUint16(at, true);
  const kind = kindOfMode(mode);
  if (kind === undefined) {
    const what = isUnused(view, at) ? 'it was never used' : `mode 0${mode.toString(8)} means no kind of file`;
    throw new Corrupt(`bad inode: ${what}`, { layer: 'ext4', inode: number });
  }
  const extraSize = extraSizeOf(superblock, number, view, at);
  const flags = view.getUint32(at + 0x20, true);
  const atime = view.getUint32(at + 0x08, true);
  const ctime = view.getUint32(at + 0x0c, true);
  const mtime = view.getUint32(at + 0x10, true);
  const has64bit = (superblock.incompat & INCOMPAT['64bit']) !== 0;
  return {
    number,
    kind,
    mode,
    uid: view.getUint16(at + 0x02, true) + view.getUint16(at + 0x78, true) * 65536,
    gid: view.getUint16(at + 0x18, true) + view.getUint16(at + 0x7a, true) * 65536,
    links: view.getUint16(at + 0x1a, true),
    size: sizeOf(superblock, number, mode, view, at),
    blocks: blocksOf(superblock, flags, view, at),
    flags,
    generation: view.getUint32(at + 0x64, true),
    fileAcl: view.getUint32(at + 0x68, true) + (has64bit ? view.getUint16(at + 0x76, true) * TWO_32 : 0),
    block: bytes.slice(at + 0x28, at + 0x64),
    ctime: decodeTime(ctime, extraSize >= 8 ? view.getUint32(at + 0x84, true) : 0),
    mtime: decodeTime(mtime, extraSize >= 12 ? view.getUint32(at + 0x88, true) : 0),
    atime: decodeTime(atime, extraSize >= 16 ? view.getUint32(at + 0x8c, true) : 0),
    btime: extraSize >= 20 ? decodeTime(view.getUint32(at + 0x90, true), extraSize >= 24 ? view.getUint32(at + 0x94, true) : 0) : undefined,
    extraSize,
    hasAttributes: hasAttributes(superblock, extraSize, view, at),
    dtime: view.getUint32(at + 0x14, true),
    versionLow: view.getUint32(at + 0x24, true),
    projectId: extraSize >= 32 ? view.getUint32(at + 0x9c, true) : 0,
    extentRoot: undefined,
  };
}

function extraSizeOf(superblock: Superblock, number: number, view: DataView, at: number): number {
  if (superblock.inodeSize === 128) return 0;
  const extraSize = view.getUint16(at + 0x80, true);
  if (128 + extraSize > superblock.inodeSize || (extraSize & 3) !== 0) {
    throw new Corrupt(`bad inode: extra size ${extraSize} of an inode of ${superblock.inodeSize} bytes`, { layer: 'ext4', inode: number });
  }
  return extraSize;
}

function hasAttributes({ inodeSize }: Superblock, extraSize: number, view: DataView, at: number): boolean {
  const header = 128 + extraSize;
  return extraSize > 0 && header + 8 <= inodeSize && view.getUint32(at + header, true) === EXT4_XATTR_MAGIC;
}

function sizeOf(superblock: Superblock, number: number, mode: number, view: DataView, at: number): number {
  const low = view.getUint32(at + 0x04, true);
  const hasHigh = (mode & S_IFMT) === S_IFREG || (superblock.incompat & INCOMPAT.large_dir) !== 0;
  const high = hasHigh ? view.getUint32(at + 0x6c, true) : 0;
  if (high >= 0x20_0000) throw new Corrupt('bad inode: its size exceeds 2^53 bytes', { layer: 'ext4', inode: number });
  return joinU64(high, low);
}

function blocksOf(superblock: Superblock, flags: number, view: DataView, at: number): number {
  const low = view.getUint32(at + 0x1c, true);
  if ((superblock.roCompat & RO_COMPAT.huge_file) === 0) return low;
  const count = view.getUint16(at + 0x74, true) * TWO_32 + low;
  return (flags & EXT4_HUGE_FILE_FL) === 0 ? count : count * (superblock.blockSize / 512);
}

/** Major and minor number of a device inode, in the old form of 8 and 8 bits or the new one of 12 and 20 (linux/kdev_t.h). */
export function deviceNumber(block: Bytes): { readonly major: number; readonly minor: number } {
  const word = (at: number): number => block[at]! + block[at + 1]! * 0x100 + block[at + 2]! * 0x1_0000 + block[at + 3]! * 0x100_0000;
  const old = word(0);
  if (old !== 0) return { major: (old >>> 8) & 0xff, minor: old & 0xff };
  const wide = word(4);
  return { major: (wide >>> 8) & 0xfff, minor: (wide & 0xff) | ((wide >>> 12) & 0xfff00) };
}

/** Whether a symbolic link's target stands in `i_block` (ext4_inode_is_fast_symlink). */
export function isFastSymlink(superblock: Superblock, inode: Inode): boolean {
  if ((inode.mode & S_IFMT) !== S_IFLNK) return false;
  if ((superblock.incompat & INCOMPAT.ea_inode) !== 0) return inode.size > 0 && inode.size < 60;
  const attributeBlocks = inode.fileAcl === 0 ? 0 : superblock.clusterSize / 512;
  return inode.blocks === attributeBlocks;
}
