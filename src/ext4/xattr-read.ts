/** Reading extended attributes: from the inode, from its block of attributes, from inodes that hold values. */
import type { Bytes } from '../bytes/struct.ts';
import { Corrupt, type Where } from '../errors.ts';
import type { ExtendedAttribute } from '../filesystem/filesystem.ts';
import type { Io } from '../io/effect.ts';
import { aclFromDisk } from './acl.ts';
import { eaInodeHash, xattrBlockChecksum } from './checksum.ts';
import {
  EXT4_EA_INODE_FL,
  EXT4_INLINE_DATA_FL,
  EXT4_XATTR_HEADER,
  EXT4_XATTR_INDEX_POSIX_ACL_ACCESS,
  EXT4_XATTR_INDEX_POSIX_ACL_DEFAULT,
  EXT4_XATTR_MAGIC,
  EXT4_XATTR_REFCOUNT_MAX,
  INCOMPAT,
} from './format/index.ts';
import type { Inode } from './inode.ts';
import { readInode, readInodeBytes } from './inode-table.ts';
import { findRun } from './mapping.ts';
import type { Volume } from './volume.ts';
import { fullXattrName, parseXattrEntries, type XattrEntry, xattrEntryHash, xattrInodeEntryHash } from './xattr.ts';

/** The entries inside of the inode. */
export function* readInodeXattrs(volume: Volume, inode: Inode): Io<XattrEntry[]> {
  // Most inodes have none: their bytes need not be read and verified once more.
  if (!inode.hasAttributes) return [];
  const { inodeSize } = volume.superblock;
  const header = 128 + inode.extraSize;
  const bytes = yield* readInodeBytes(volume, inode.number);
  const where = { inode: inode.number };
  const entries = parseXattrEntries(bytes, header + 4, header + 4, inodeSize, where);
  for (const entry of entries) if (entry.hash !== 0) checkHash(volume, entry, where);
  return entries;
}

/** The entries of the block of attributes. */
export function* readBlockXattrs(volume: Volume, inode: Inode): Io<XattrEntry[]> {
  if (inode.fileAcl === 0) return [];
  const { superblock } = volume;
  const offset = volume.offsetOfBlock(inode.fileAcl, inode.number);
  const bytes = yield* volume.cache.read(offset, superblock.blockSize);
  const where = { inode: inode.number, offset };
  const header = EXT4_XATTR_HEADER.read(bytes);
  if (header.h_magic !== EXT4_XATTR_MAGIC || header.h_blocks !== 1) {
    throw new Corrupt('extended attributes: a block without its header', { layer: 'ext4', ...where });
  }
  if (superblock.metadataCsum && xattrBlockChecksum(superblock.checksumSeed, inode.fileAcl, bytes) !== header.h_checksum) {
    volume.complaints.mismatch('extended attributes', where);
  }
  if (header.h_refcount === 0 || header.h_refcount > EXT4_XATTR_REFCOUNT_MAX) {
    volume.complaints.warn(`extended attributes: a block with a reference count of ${header.h_refcount}`, where);
  }
  const entries = parseXattrEntries(bytes, 32, 0, bytes.length, where);
  for (const entry of entries) checkHash(volume, entry, where);
  return entries;
}

function checkHash(volume: Volume, entry: XattrEntry, where: Pick<Where, 'offset' | 'inode'>): void {
  if (entry.valueInode !== 0) return;
  if (entry.hash === xattrEntryHash(entry.name, entry.value) || entry.hash === xattrEntryHash(entry.name, entry.value, true)) return;
  volume.complaints.mismatch('extended attributes: hash of an entry', where);
}

/** The value of an entry, wherever it stands. */
export function* readXattrValue(volume: Volume, inode: Inode, entry: XattrEntry): Io<Bytes> {
  if (entry.valueInode === 0) return entry.value;
  const where = { layer: 'ext4', inode: entry.valueInode };
  if ((volume.superblock.incompat & INCOMPAT.ea_inode) === 0) {
    throw new Corrupt('extended attributes: a value in an inode without the feature ea_inode', { ...where, inode: inode.number });
  }
  const holder = yield* readInode(volume, entry.valueInode);
  if ((holder.flags & EXT4_EA_INODE_FL) === 0 || holder.size !== entry.valueSize || (holder.flags & EXT4_INLINE_DATA_FL) !== 0) {
    throw new Corrupt(`extended attributes: an inode that holds no value of ${entry.valueSize} bytes`, where);
  }
  const value = yield* readBlocks(volume, holder, entry.valueSize);
  // As Lustre wrote them: the inode knows its one owner and has no hash.
  if (holder.mtime.seconds === inode.number && holder.generation === inode.generation) return value;
  const hash = eaInodeHash(volume.superblock.checksumSeed, value);
  const known = holder.atime.seconds >>> 0 === hash;
  if (!known || (entry.hash !== xattrInodeEntryHash(entry.name, hash) && entry.hash !== xattrInodeEntryHash(entry.name, hash, true))) {
    volume.complaints.mismatch('extended attributes: value in an inode', { inode: holder.number });
  }
  return value;
}

function* readBlocks(volume: Volume, holder: Inode, size: number): Io<Bytes> {
  const { blockSize } = volume.superblock;
  const value = new Uint8Array(size);
  for (let done = 0; done < size; ) {
    const run = yield* findRun(volume, holder, done / blockSize);
    const length = Math.min(run.length * blockSize, size - done);
    if (!run.zero) yield* volume.device.readInto(run.physical! * blockSize, value.subarray(done, done + length));
    done += length;
  }
  return value;
}

/** All attributes that the kernel shows, in the order of the disk. */
export function* readXattrs(volume: Volume, inode: Inode): Io<ExtendedAttribute[]> {
  const attributes: ExtendedAttribute[] = [];
  const inside = yield* readInodeXattrs(volume, inode);
  const entries = inode.fileAcl === 0 ? inside : [...inside, ...(yield* readBlockXattrs(volume, inode))];
  for (const entry of entries) {
    const name = fullXattrName(entry);
    if (name === undefined) continue;
    const value = yield* readXattrValue(volume, inode, entry);
    const isAcl = entry.nameIndex === EXT4_XATTR_INDEX_POSIX_ACL_ACCESS || entry.nameIndex === EXT4_XATTR_INDEX_POSIX_ACL_DEFAULT;
    attributes.push({ name, value: isAcl ? aclFromDisk(value, { inode: inode.number }) : value });
  }
  return attributes;
}
