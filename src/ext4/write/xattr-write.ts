/** Setting and removing extended attributes: inside of the inode, in its block, in inodes that hold values. */
import type { Bytes } from '../../bytes/struct.ts';
import { viewOf } from '../../bytes/struct.ts';
import { decodeName, encodeName } from '../../bytes/text.ts';
import { Posix } from '../../errors.ts';
import type { Io } from '../../io/effect.ts';
import { eaInodeHash, xattrBlockChecksum } from '../checksum.ts';
import { COMPAT, EXT4_EA_INODE_FL, EXT4_EXTENTS_FL, EXT4_XATTR_HEADER, INCOMPAT, XATTR_PREFIXES, XATTR_SIZE_MAX } from '../format/index.ts';
import { groupFirstBlock } from '../layout.ts';
import { type XattrEntry, xattrInodeEntryHash } from '../xattr.ts';
import { readBlockXattrs, readInodeXattrs } from '../xattr-read.ts';
import { initialiseExtents } from './extent-store.ts';
import { giveBackBlocks, takeBlocks } from './file-blocks.ts';
import type { InodeEdit } from './inode-edit.ts';
import type { WritableVolume } from './writable-volume.ts';
import { makeXattrBlock, sameXattr, writeInsideInode, xattrSpace } from './xattr-layout.ts';

/** The longest name behind the prefix. */
const MAX_NAME = 255;

/** An attribute's name as the disk keeps it. */
export interface XattrName {
  readonly nameIndex: number;
  readonly name: Bytes;
}

/** The parts of a full name. Throws Posix EOPNOTSUPP for a prefix that ext4 does not keep, ERANGE for a name that is too long. */
export function splitXattrName(full: Bytes): XattrName {
  const text = decodeName(full);
  for (const [nameIndex, prefix] of XATTR_PREFIXES) {
    const whole = !prefix.endsWith('.');
    if (whole ? text !== prefix : !text.startsWith(prefix) || text.length === prefix.length) continue;
    const name = encodeName(text.slice(prefix.length));
    if (name.length > MAX_NAME) throw new Posix('ERANGE');
    return { nameIndex, name };
  }
  throw new Posix('EOPNOTSUPP');
}

/** Sets an attribute. Throws Posix ENOSPC when there is no room for it, E2BIG for a value beyond 64 KiB. */
export function* setAttribute(volume: WritableVolume, edit: InodeEdit, name: XattrName, value: Bytes): Io<void> {
  if (value.length > XATTR_SIZE_MAX) throw new Posix('E2BIG', { layer: 'ext4', inode: edit.number });
  const { superblock } = volume;
  if ((superblock.compat & COMPAT.ext_attr) === 0) volume.changeSuperblock({ s_feature_compat: superblock.compat | COMPAT.ext_attr });
  const inside = yield* readInodeXattrs(volume, edit.inode);
  const outside = yield* readBlockXattrs(volume, edit.inode);
  const old = [...inside, ...outside].find((entry) => sameXattr(entry, name));
  const keptByOthers = old !== undefined && outside.includes(old) && (yield* refcountOf(volume, edit)) > 1;
  const otherInside = inside.filter((entry) => !sameXattr(entry, name));
  const otherOutside = outside.filter((entry) => !sameXattr(entry, name));
  const plain: XattrEntry = { ...name, valueInode: 0, valueSize: value.length, value, hash: 0 };
  const fits = (entry: XattrEntry): boolean =>
    fitsInside(volume, edit, [...otherInside, entry]) || fitsBlock(volume, [...otherOutside, entry]);
  let entry = plain;
  if (!fits(plain)) {
    if ((superblock.incompat & INCOMPAT.ea_inode) === 0 || value.length === 0)
      throw new Posix('ENOSPC', { layer: 'ext4', inode: edit.number });
    entry = yield* makeValueInode(volume, edit, name, value);
    if (!fits(entry)) throw new Posix('ENOSPC', { layer: 'ext4', inode: edit.number });
  }
  if (fitsInside(volume, edit, [...otherInside, entry])) {
    storeInside(edit, [...otherInside, entry]);
    if (otherOutside.length !== outside.length) yield* storeOutside(volume, edit, otherOutside);
  } else {
    if (otherInside.length !== inside.length) storeInside(edit, otherInside);
    yield* storeOutside(volume, edit, [...otherOutside, entry], entry);
  }
  if (old !== undefined) yield* releaseValue(volume, edit, old, keptByOthers);
}

/** Removes an attribute. Throws Posix ENODATA when there is none. */
export function* removeAttribute(volume: WritableVolume, edit: InodeEdit, name: XattrName): Io<void> {
  const inside = yield* readInodeXattrs(volume, edit.inode);
  const outside = yield* readBlockXattrs(volume, edit.inode);
  const old = [...inside, ...outside].find((entry) => sameXattr(entry, name));
  if (old === undefined) throw new Posix('ENODATA', { layer: 'ext4', inode: edit.number });
  const keptByOthers = outside.includes(old) && (yield* refcountOf(volume, edit)) > 1;
  if (inside.includes(old))
    storeInside(
      edit,
      inside.filter((entry) => entry !== old),
    );
  else
    yield* storeOutside(
      volume,
      edit,
      outside.filter((entry) => entry !== old),
    );
  yield* releaseValue(volume, edit, old, keptByOthers);
}

/** Whether the inode has an attribute of this name. */
export function* hasAttribute(volume: WritableVolume, edit: InodeEdit, name: XattrName): Io<boolean> {
  const inside = yield* readInodeXattrs(volume, edit.inode);
  if (inside.some((entry) => sameXattr(entry, name))) return true;
  return (yield* readBlockXattrs(volume, edit.inode)).some((entry) => sameXattr(entry, name));
}

/** Gives back all that the attributes of a deleted inode take outside of it. */
export function* releaseAttributes(volume: WritableVolume, edit: InodeEdit): Io<void> {
  const inside = yield* readInodeXattrs(volume, edit.inode);
  for (const entry of inside) yield* releaseValue(volume, edit, entry);
  // What the block refers to is released with its last user only.
  if (edit.inode.fileAcl === 0) return;
  const outside = yield* readBlockXattrs(volume, edit.inode);
  const shared = (yield* refcountOf(volume, edit)) > 1;
  yield* storeOutside(volume, edit, []);
  if (shared) return;
  for (const entry of outside) yield* releaseValue(volume, edit, entry);
}

/** Replaces the attributes inside of the inode; for inline data. */
export function storeInside(edit: InodeEdit, entries: readonly XattrEntry[]): void {
  const extra = edit.inode.extraSize;
  writeInsideInode(edit.bytes, 128 + extra, entries);
  edit.touch();
}

/** Whether the entries have room inside of the inode. */
export function fitsInside(volume: WritableVolume, edit: InodeEdit, entries: readonly XattrEntry[]): boolean {
  const { extraSize } = edit.inode;
  return extraSize > 0 && xattrSpace(entries) <= volume.superblock.inodeSize - 128 - extraSize - 4;
}

function fitsBlock(volume: WritableVolume, entries: readonly XattrEntry[]): boolean {
  return xattrSpace(entries) <= volume.superblock.blockSize - EXT4_XATTR_HEADER.size;
}

function* refcountOf(volume: WritableVolume, edit: InodeEdit): Io<number> {
  const bytes = yield* volume.cache.read(volume.offsetOfBlock(edit.inode.fileAcl, edit.number), EXT4_XATTR_HEADER.size);
  return EXT4_XATTR_HEADER.read(bytes).h_refcount;
}

/**
 * Makes the inode's block hold the entries: in place if nobody shares it, else in a block of its own; none: without a block. `added` is
 * the one among them that is new.
 */
function* storeOutside(volume: WritableVolume, edit: InodeEdit, entries: readonly XattrEntry[], added?: XattrEntry): Io<void> {
  const { superblock } = volume;
  const { clusterRatio } = superblock;
  const old = edit.inode.fileAcl;
  const shared = old !== 0 && (yield* refcountOf(volume, edit)) > 1;
  if (shared) {
    const bytes = yield* volume.readBlock(old, edit.number);
    EXT4_XATTR_HEADER.write(bytes, 0, { h_refcount: EXT4_XATTR_HEADER.read(bytes).h_refcount - 1 });
    yield* writeSealed(volume, edit, old, bytes);
    // A value that an inode holds has one more user now: the copy.
    for (const entry of entries) {
      if (entry.valueInode !== 0 && entry !== added) yield* addReference(volume, entry.valueInode, 1);
    }
  }
  if (entries.length === 0) {
    if (old === 0) return;
    if (!shared) yield* volume.blocks.free(old - (old % clusterRatio), clusterRatio);
    edit.setFileAcl(0);
    edit.addBlocks(-clusterRatio);
    return;
  }
  let block = old;
  if (old === 0 || shared) {
    const group = Math.floor((edit.number - 1) / superblock.inodesPerGroup);
    block = (yield* volume.blocks.allocate(groupFirstBlock(superblock, group), 1)).start;
    edit.setFileAcl(block);
    if (old === 0) edit.addBlocks(clusterRatio);
  }
  yield* writeSealed(volume, edit, block, makeXattrBlock(superblock.blockSize, entries));
}

function* writeSealed(volume: WritableVolume, edit: InodeEdit, block: number, bytes: Bytes): Io<void> {
  const { metadataCsum, checksumSeed } = volume.superblock;
  if (metadataCsum) EXT4_XATTR_HEADER.write(bytes, 0, { h_checksum: xattrBlockChecksum(checksumSeed, block, bytes) });
  yield* volume.writeBlock(block, bytes, edit.number);
}

/** The blocks that a value in an inode of its own is charged with, to each inode that uses it. */
function chargedBlocks(volume: WritableVolume, size: number): number {
  const { clusterSize, clusterRatio } = volume.superblock;
  return Math.ceil(size / clusterSize) * clusterRatio;
}

/** Stores a value in an inode of its own, with one user. */
function* makeValueInode(volume: WritableVolume, edit: InodeEdit, name: XattrName, value: Bytes): Io<XattrEntry> {
  const { superblock } = volume;
  const number = yield* volume.inodeNumbers.allocate(edit.number, false);
  const holder = volume.editNew(number);
  const hash = eaInodeHash(superblock.checksumSeed, value);
  holder.change({ i_mode: 0o100600, i_links_count: 1, i_flags: (EXT4_EA_INODE_FL | EXT4_EXTENTS_FL) >>> 0 });
  initialiseExtents(holder);
  holder.setSize(value.length);
  // Its time of access is the hash of the value, its time of change and version are the number of users.
  holder.change({ i_atime: hash, i_atime_extra: 0, i_ctime: 0, i_ctime_extra: 0, i_version_lo: 1, i_version_hi: 0 });
  const count = Math.ceil(value.length / superblock.blockSize);
  for (const run of yield* takeBlocks(volume, holder, 0, count)) {
    const bytes = new Uint8Array(run.length * superblock.blockSize);
    bytes.set(value.subarray(run.logical * superblock.blockSize, (run.logical + run.length) * superblock.blockSize));
    yield* volume.cache.write(run.physical * superblock.blockSize, bytes);
  }
  edit.addBlocks(chargedBlocks(volume, value.length));
  return { ...name, valueInode: number, valueSize: value.length, value: new Uint8Array(0), hash: xattrInodeEntryHash(name.name, hash) };
}

/**
 * Drops an entry's use of an inode that holds its value; the last user's drop deletes that inode. `keptByOthers`: the entry goes on
 * standing in a block that others share.
 */
function* releaseValue(volume: WritableVolume, edit: InodeEdit, entry: XattrEntry, keptByOthers = false): Io<void> {
  if (entry.valueInode === 0) return;
  edit.addBlocks(-chargedBlocks(volume, entry.valueSize));
  if (keptByOthers) return;
  if ((yield* addReference(volume, entry.valueInode, -1)) > 0) return;
  const holder = yield* volume.edit(entry.valueInode);
  yield* giveBackBlocks(volume, holder, 0, Math.ceil(holder.inode.size / volume.superblock.blockSize));
  const { seconds } = volume.now();
  holder.change({ i_links_count: 0, i_dtime: Math.max(seconds, volume.superblock.inodesCount) >>> 0 });
  holder.setSize(0);
  yield* volume.inodeNumbers.free(entry.valueInode, false);
}

/** Counts users of a value; returns how many there are now. */
function* addReference(volume: WritableVolume, number: number, change: number): Io<number> {
  const holder = yield* volume.edit(number);
  const view = viewOf(holder.bytes);
  // Only the low half matters: no file system has 2^32 users of one value.
  const users = view.getUint32(0x24, true) + change;
  holder.change({ i_version_lo: users });
  return users;
}
