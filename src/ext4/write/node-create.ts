/** Making new nodes: the inode, what is in it, and its name. */
import { type Bytes, viewOf } from '../../bytes/struct.ts';
import { Posix } from '../../errors.ts';
import { type Creation, type FileKind, modeOfKind, type NewFile, type Timestamp } from '../../filesystem/filesystem.ts';
import type { Io } from '../../io/effect.ts';
import { EXT4_CASEFOLD_FL, EXT4_EXTENTS_FL, EXT4_INDEX_FL, INCOMPAT, RO_COMPAT } from '../format/index.ts';
import { isKnownAbsent, lookupName } from '../lookup.ts';
import { changeModeWithAcl, hasAttributes, inheritDefaultAcl, setXattrByName } from './acl-write.ts';
import { writeLeaf, writeLeafNow } from './directory-blocks.ts';
import { addName, blockBesideLast, initialiseDirectory, insertInto } from './directory-write.ts';
import { initialiseExtents } from './extent-store.ts';
import { writeData } from './file-write.ts';
import type { InodeEdit } from './inode-edit.ts';
import type { WritableVolume } from './writable-volume.ts';

/** `i_links_count` at most (EXT4_LINK_MAX). */
export const EXT4_LINK_MAX = 65000;
/** Targets shorter than this stand in `i_block`. */
const FAST_SYMLINK_LIMIT = 60;
/** The longest path that Linux takes, without its NUL. */
const LONGEST_TARGET = 4095;
const S_ISGID = 0o2000;
/** Flags that a new node takes over from its directory (EXT4_FL_INHERITED), as far as they are kept here. */
const SYNC_FL = 0x8;
const NODUMP_FL = 0x40;
const NOATIME_FL = 0x80;
const JOURNAL_DATA_FL = 0x4000;
const DIRSYNC_FL = 0x10000;
const INHERITED_BY_DIRECTORY = SYNC_FL | NODUMP_FL | NOATIME_FL | JOURNAL_DATA_FL | DIRSYNC_FL | EXT4_CASEFOLD_FL;
const INHERITED_BY_FILE = SYNC_FL | NODUMP_FL | NOATIME_FL | JOURNAL_DATA_FL;
const INHERITED_BY_OTHERS = NODUMP_FL | NOATIME_FL;

/** Throws Posix EEXIST when the directory has the name already. */
export function* refuseExisting(volume: WritableVolume, directory: InodeEdit, name: Bytes): Io<void> {
  const existing = yield* lookupName(volume, directory.inode, name);
  if (existing !== undefined) throw new Posix('EEXIST', { layer: 'ext4', inode: directory.number });
}

/** Throws Posix EINVAL or ENAMETOOLONG for what can be no name. */
export function checkName(name: Bytes): void {
  const dots = (name.length === 1 && name[0] === 0x2e) || (name.length === 2 && name[0] === 0x2e && name[1] === 0x2e);
  if (name.length === 0 || dots || name.includes(0x2f) || name.includes(0)) throw new Posix('EINVAL', { layer: 'ext4' });
  if (name.length > 255) throw new Posix('ENAMETOOLONG', { layer: 'ext4' });
}

/** Stamps a directory whose names changed. */
export function touchDirectory(volume: WritableVolume, directory: InodeEdit): void {
  const now = volume.now();
  const { mtime, ctime } = directory.inode;
  if (!isAt(mtime, now) || !isAt(ctime, now)) directory.setTimes({ mtime: now, ctime: now });
}

function isAt(a: Timestamp, b: Timestamp): boolean {
  return a.seconds === b.seconds && a.nanoseconds === b.nanoseconds;
}

/** Makes a fresh inode one of its kind. */
export function initialiseNode(
  volume: WritableVolume,
  directory: InodeEdit,
  edit: InodeEdit,
  kind: FileKind,
  mode: number,
  owner: { readonly uid?: number; readonly gid?: number },
  links: number,
): void {
  const inherited = kind === 'directory' ? INHERITED_BY_DIRECTORY : kind === 'file' ? INHERITED_BY_FILE : INHERITED_BY_OTHERS;
  const mapped = kind === 'file' || kind === 'directory';
  const extents = mapped && (volume.superblock.incompat & INCOMPAT.extents) !== 0;
  // inode_init_owner of fs/inode.c: a directory with the set-group-ID bit passes its group on, and to directories the bit too.
  const passesGroup = (directory.mode & S_ISGID) !== 0;
  edit.become(
    modeOfKind(kind) | (mode & 0o7777) | (passesGroup && kind === 'directory' ? S_ISGID : 0),
    links,
    ((directory.flags & inherited) | (extents ? EXT4_EXTENTS_FL : 0)) >>> 0,
  );
  if (extents) initialiseExtents(edit);
  edit.setOwner(owner.uid ?? 0, owner.gid ?? (passesGroup ? directory.inode.gid : 0));
}

/** A new inode with its name in a directory; the caller fills it. */
function* makeNode(
  volume: WritableVolume,
  directory: InodeEdit,
  name: Bytes,
  kind: FileKind,
  mode: number,
  owner: { readonly uid?: number; readonly gid?: number },
  links: number,
): Io<InodeEdit> {
  checkName(name);
  yield* refuseExisting(volume, directory, name);
  return yield* makeFreeNode(volume, directory, name, kind, mode, owner, links);
}

/** The same for a name that is free. */
function* makeFreeNode(
  volume: WritableVolume,
  directory: InodeEdit,
  name: Bytes,
  kind: FileKind,
  mode: number,
  owner: { readonly uid?: number; readonly gid?: number },
  links: number,
): Io<InodeEdit> {
  const near = kind === 'directory' ? undefined : volume.inodeNumbers.allocateNow(directory.number);
  const number = near ?? (yield* volume.inodeNumbers.allocate(directory.number, kind === 'directory'));
  const edit = volume.editNew(number);
  initialiseNode(volume, directory, edit, kind, mode, owner, links);
  const block = blockBesideLast(volume, directory, name);
  if (block === undefined || !insertInto(volume, directory, block, name, number, kind))
    yield* addName(volume, directory, name, number, kind);
  else if (!writeLeafNow(volume, directory, block)) yield* writeLeaf(volume, directory, block);
  touchDirectory(volume, directory);
  return edit;
}

export function* createFile(volume: WritableVolume, directory: InodeEdit, name: Bytes, creation: Creation): Io<InodeEdit> {
  return yield* makeNode(volume, directory, name, 'file', creation.mode, creation, 1);
}

/** A file with its contents and attributes: as `create`, `write`, `setAttributes` and `setXattr`; undefined where the name is taken. */
export function* createFilled(volume: WritableVolume, directory: InodeEdit, name: Bytes, file: NewFile): Io<InodeEdit | undefined> {
  checkName(name);
  const free = isKnownAbsent(volume, directory.inode, name) || (yield* lookupName(volume, directory.inode, name)) === undefined;
  if (!free) return undefined;
  const edit = yield* makeFreeNode(volume, directory, name, 'file', file.mode, file, 1);
  if (hasAttributes(directory)) yield* inheritDefaultAcl(volume, directory, edit);
  if (file.contents.length > 0) yield* writeData(volume, edit, 0, file.contents);
  if ((edit.mode & 0o7777) !== (file.mode & 0o7777)) yield* changeModeWithAcl(volume, edit, file.mode & 0o7777);
  for (const attribute of file.xattrs ?? []) yield* setXattrByName(volume, edit, attribute.name, attribute.value);
  edit.setTimes({ atime: file.atime, mtime: file.mtime });
  return edit;
}

export function* createDirectory(volume: WritableVolume, directory: InodeEdit, name: Bytes, creation: Creation): Io<InodeEdit> {
  checkRoomForSubdirectory(volume, directory);
  const edit = yield* makeNode(volume, directory, name, 'directory', creation.mode, creation, 2);
  yield* initialiseDirectory(volume, edit, directory.number);
  addSubdirectoryLink(directory);
  return edit;
}

export function* createSymlink(
  volume: WritableVolume,
  directory: InodeEdit,
  name: Bytes,
  target: Bytes,
  owner: Omit<Creation, 'mode'>,
): Io<InodeEdit> {
  if (target.length === 0) throw new Posix('ENOENT', { layer: 'ext4' }, 'a symbolic link cannot be empty');
  if (target.includes(0)) throw new Posix('EINVAL', { layer: 'ext4' });
  if (target.length > Math.min(LONGEST_TARGET, volume.superblock.blockSize - 1)) throw new Posix('ENAMETOOLONG', { layer: 'ext4' });
  const edit = yield* makeNode(volume, directory, name, 'symlink', 0o777, owner, 1);
  if (target.length < FAST_SYMLINK_LIMIT) {
    edit.bytes.set(target, 0x28);
    edit.touch();
    edit.setSize(target.length);
    return edit;
  }
  if ((volume.superblock.incompat & INCOMPAT.extents) !== 0) {
    edit.change({ i_flags: (edit.inode.flags | EXT4_EXTENTS_FL) >>> 0 });
    initialiseExtents(edit);
  }
  // The block is zero behind the target, which ends it.
  yield* writeData(volume, edit, 0, target);
  return edit;
}

export function* createSpecial(
  volume: WritableVolume,
  directory: InodeEdit,
  name: Bytes,
  kind: 'character' | 'block' | 'fifo' | 'socket',
  creation: Creation,
  device: { readonly major: number; readonly minor: number },
): Io<InodeEdit> {
  const edit = yield* makeNode(volume, directory, name, kind, creation.mode, creation, 1);
  if (kind === 'fifo' || kind === 'socket') return edit;
  const { major, minor } = device;
  if (!(major >= 0 && major < 4096 && minor >= 0 && minor < 1 << 20)) throw new Posix('EINVAL', { layer: 'ext4' });
  // The old form where it fits, else the new one in the second word (linux/kdev_t.h).
  const view = viewOf(edit.bytes);
  if (major < 256 && minor < 256) view.setUint32(0x28, major * 256 + minor, true);
  else view.setUint32(0x2c, ((minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12)) >>> 0, true);
  edit.touch();
  return edit;
}

/** Throws Posix EMLINK when a directory cannot hold one more directory: with dir_nlink an indexed one stops counting instead. */
export function checkRoomForSubdirectory(volume: WritableVolume, directory: InodeEdit): void {
  const { links, flags } = directory.inode;
  if (links < EXT4_LINK_MAX) return;
  const uncounted = (volume.superblock.roCompat & RO_COMPAT.dir_nlink) !== 0 && (flags & EXT4_INDEX_FL) !== 0;
  if (!uncounted) throw new Posix('EMLINK', { layer: 'ext4', inode: directory.number });
}

/** Counts a directory's `..` (ext4_inc_count): 1 stands for too many to count. */
export function addSubdirectoryLink(directory: InodeEdit): void {
  const { links } = directory.inode;
  if (links !== 1) directory.change({ i_links_count: links >= EXT4_LINK_MAX ? 1 : links + 1 });
}

/** Takes a directory's `..` away again (ext4_dec_count). */
export function dropSubdirectoryLink(directory: InodeEdit): void {
  const { links } = directory.inode;
  if (links > 2) directory.change({ i_links_count: links - 1 });
}
