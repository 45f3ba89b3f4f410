/** Access control lists while nodes change: they follow the mode, the mode follows them, and new nodes inherit the default (fs/posix_acl.c). */
import { type Bytes, viewOf } from '../../bytes/struct.ts';
import { Posix } from '../../errors.ts';
import type { Io } from '../../io/effect.ts';
import { aclFromDisk, aclToDisk } from '../acl.ts';
import { EXT4_XATTR_INDEX_POSIX_ACL_ACCESS, EXT4_XATTR_INDEX_POSIX_ACL_DEFAULT } from '../format/index.ts';
import { readBlockXattrs, readInodeXattrs, readXattrValue } from '../xattr-read.ts';
import type { InodeEdit } from './inode-edit.ts';
import type { WritableVolume } from './writable-volume.ts';
import { hasAttribute, removeAttribute, setAttribute, splitXattrName, type XattrName } from './xattr-write.ts';

const ACCESS: XattrName = { nameIndex: EXT4_XATTR_INDEX_POSIX_ACL_ACCESS, name: new Uint8Array(0) };
const DEFAULT: XattrName = { nameIndex: EXT4_XATTR_INDEX_POSIX_ACL_DEFAULT, name: new Uint8Array(0) };

const USER_OBJ = 0x01;
const USER = 0x02;
const GROUP_OBJ = 0x04;
const GROUP = 0x08;
const MASK = 0x10;
const OTHER = 0x20;
/** Bytes before the entries of the version-2 form, and of each entry. */
const HEADER = 4;
const ENTRY = 8;

interface AclEntry {
  readonly tag: number;
  readonly permissions: number;
  readonly id: number;
}

function decode(xattr: Bytes): AclEntry[] {
  const view = viewOf(xattr);
  const entries: AclEntry[] = [];
  for (let at = HEADER; at + ENTRY <= xattr.length; at += ENTRY) {
    entries.push({ tag: view.getUint16(at, true), permissions: view.getUint16(at + 2, true), id: view.getUint32(at + 4, true) });
  }
  return entries;
}

function encode(entries: readonly AclEntry[]): Bytes {
  const xattr = new Uint8Array(HEADER + ENTRY * entries.length);
  const view = viewOf(xattr);
  view.setUint32(0, 2, true);
  entries.forEach(({ tag, permissions, id }, i) => {
    view.setUint16(HEADER + ENTRY * i, tag, true);
    view.setUint16(HEADER + ENTRY * i + 2, permissions, true);
    view.setUint32(HEADER + ENTRY * i + 4, id, true);
  });
  return xattr;
}

/** Whether the list is one that Linux accepts: ordered by tag, one of each object, a mask where others are named (posix_acl_valid). */
function isValid(entries: readonly AclEntry[]): boolean {
  const count = (tag: number): number => entries.filter((entry) => entry.tag === tag).length;
  const ordered = entries.every((entry, i) => i === 0 || entries[i - 1]!.tag <= entry.tag);
  const named = count(USER) + count(GROUP);
  return (
    ordered &&
    entries.every(({ permissions }) => permissions <= 7) &&
    count(USER_OBJ) === 1 &&
    count(GROUP_OBJ) === 1 &&
    count(OTHER) === 1 &&
    count(MASK) <= 1 &&
    (named === 0 || count(MASK) === 1)
  );
}

/** The permission bits that a list stands for, and whether it says no more than they do (posix_acl_equiv_mode). */
function modeOf(entries: readonly AclEntry[]): { readonly mode: number; readonly plain: boolean } {
  const of = (tag: number): number | undefined => entries.find((entry) => entry.tag === tag)?.permissions;
  const group = of(MASK) ?? of(GROUP_OBJ) ?? 0;
  return { mode: ((of(USER_OBJ) ?? 0) << 6) | (group << 3) | (of(OTHER) ?? 0), plain: entries.length === 3 };
}

function* readAcl(volume: WritableVolume, edit: InodeEdit, name: XattrName): Io<AclEntry[] | undefined> {
  for (const entries of [yield* readInodeXattrs(volume, edit.inode), yield* readBlockXattrs(volume, edit.inode)]) {
    const entry = entries.find((one) => one.nameIndex === name.nameIndex && one.name.length === 0);
    if (entry !== undefined) return decode(aclFromDisk(yield* readXattrValue(volume, edit.inode, entry), { inode: edit.number }));
  }
  return undefined;
}

function* storeAcl(volume: WritableVolume, edit: InodeEdit, name: XattrName, entries: readonly AclEntry[]): Io<void> {
  const disk = aclToDisk(encode(entries));
  if (disk === undefined) throw new Posix('EINVAL', { layer: 'ext4', inode: edit.number });
  yield* setAttribute(volume, edit, name, disk);
}

/** setxattr(2): an access list changes the mode, and is not kept when the mode says it all. */
export function* setXattrByName(volume: WritableVolume, edit: InodeEdit, full: Bytes, value: Bytes): Io<void> {
  const name = splitXattrName(full);
  const isAcl = name.nameIndex === ACCESS.nameIndex || name.nameIndex === DEFAULT.nameIndex;
  if (!isAcl) return yield* setAttribute(volume, edit, name, value);
  const invalid = new Posix('EINVAL', { layer: 'ext4', inode: edit.number }, 'this is no access control list');
  if (value.length < HEADER || (value.length - HEADER) % ENTRY !== 0 || viewOf(value).getUint32(0, true) !== 2) throw invalid;
  if (edit.inode.kind === 'symlink') throw new Posix('EOPNOTSUPP', { layer: 'ext4', inode: edit.number });
  const entries = decode(value);
  if (entries.length === 0) {
    if (yield* hasAttribute(volume, edit, name)) yield* removeAttribute(volume, edit, name);
    return;
  }
  if (!isValid(entries)) throw invalid;
  if (name.nameIndex === DEFAULT.nameIndex) {
    if (edit.inode.kind !== 'directory') throw new Posix('EACCES', { layer: 'ext4', inode: edit.number });
    return yield* storeAcl(volume, edit, DEFAULT, entries);
  }
  const { mode, plain } = modeOf(entries);
  edit.change({ i_mode: (edit.inode.mode & ~0o777) | mode });
  if (!plain) return yield* storeAcl(volume, edit, ACCESS, entries);
  if (yield* hasAttribute(volume, edit, ACCESS)) yield* removeAttribute(volume, edit, ACCESS);
}

/** removexattr(2). */
export function* removeXattrByName(volume: WritableVolume, edit: InodeEdit, full: Bytes): Io<void> {
  yield* removeAttribute(volume, edit, splitXattrName(full));
}

/** chmod(2): the entries of an access list that stand for the mode follow it (posix_acl_chmod). */
export function* changeModeWithAcl(volume: WritableVolume, edit: InodeEdit, mode: number): Io<void> {
  edit.change({ i_mode: (edit.inode.mode & ~0o7777) | mode });
  if (edit.inode.kind === 'symlink') return;
  const entries = yield* readAcl(volume, edit, ACCESS);
  if (entries === undefined) return;
  const hasMask = entries.some((entry) => entry.tag === MASK);
  const changed = entries.map((entry) => {
    if (entry.tag === USER_OBJ) return { ...entry, permissions: (mode >> 6) & 7 };
    if (entry.tag === OTHER) return { ...entry, permissions: mode & 7 };
    if (entry.tag === (hasMask ? MASK : GROUP_OBJ)) return { ...entry, permissions: (mode >> 3) & 7 };
    return entry;
  });
  yield* storeAcl(volume, edit, ACCESS, changed);
}

/** Most nodes have no attributes at all. */
export function hasAttributes({ inode }: InodeEdit): boolean {
  return inode.hasAttributes || inode.fileAcl !== 0;
}

/** A new node takes the default list of its directory, cut by the mode it is made with (posix_acl_create). */
export function* inheritDefaultAcl(volume: WritableVolume, directory: InodeEdit, edit: InodeEdit): Io<void> {
  if (!hasAttributes(directory)) return;
  if (edit.inode.kind === 'symlink') return;
  const entries = yield* readAcl(volume, directory, DEFAULT);
  if (entries === undefined) return;
  const { mode } = edit.inode;
  const hasMask = entries.some((entry) => entry.tag === MASK);
  const access = entries.map((entry) => {
    if (entry.tag === USER_OBJ) return { ...entry, permissions: entry.permissions & (mode >> 6) & 7 };
    if (entry.tag === OTHER) return { ...entry, permissions: entry.permissions & mode & 7 };
    if (entry.tag === (hasMask ? MASK : GROUP_OBJ)) return { ...entry, permissions: entry.permissions & (mode >> 3) & 7 };
    return entry;
  });
  const cut = modeOf(access);
  edit.change({ i_mode: (mode & ~0o777) | cut.mode });
  if (!cut.plain) yield* storeAcl(volume, edit, ACCESS, access);
  if (edit.inode.kind === 'directory') yield* storeAcl(volume, edit, DEFAULT, entries);
}
