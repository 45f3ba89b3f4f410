/** Taking names away and moving them: unlink, rmdir, rename, link. */
import { type Bytes, viewOf } from '../../bytes/struct.ts';
import { sameBytes } from '../../bytes/text.ts';
import { Corrupt, Posix } from '../../errors.ts';
import type { Io } from '../../io/effect.ts';
import { EXT4_APPEND_FL, EXT4_IMMUTABLE_FL, EXT4_INLINE_DATA_FL, EXT4_ROOT_INO } from '../format/index.ts';
import { readNode } from '../inode-table.ts';
import { lookupName } from '../lookup.ts';
import { deleteInode } from './delete-inode.ts';
import { readForChange } from './directory-blocks.ts';
import { addName, isEmptyDirectory, removeName, retargetName, setParent } from './directory-write.ts';
import type { InodeEdit } from './inode-edit.ts';
import {
  addSubdirectoryLink,
  checkName,
  checkRoomForSubdirectory,
  dropSubdirectoryLink,
  EXT4_LINK_MAX,
  refuseExisting,
  touchDirectory,
} from './node-create.ts';
import type { WritableVolume } from './writable-volume.ts';

/** How many directories deep a tree may be when a move is checked; more is taken for a loop. */
const MAX_DEPTH = 65536;

/** Throws Posix EPERM for a file that is immutable or can only be appended to. */
export function checkChangeable(edit: InodeEdit): void {
  if ((edit.inode.flags & (EXT4_IMMUTABLE_FL | EXT4_APPEND_FL)) !== 0) throw new Posix('EPERM', { layer: 'ext4', inode: edit.number });
}

/** The node of a name, for changing. Throws Posix ENOENT. */
function* named(volume: WritableVolume, directory: InodeEdit, name: Bytes): Io<InodeEdit> {
  const number = yield* lookupName(volume, directory.inode, name);
  if (number === undefined) throw new Posix('ENOENT', { layer: 'ext4', inode: directory.number });
  yield* readNode(volume, number);
  return yield* volume.edit(number);
}

/** One name of an inode is gone; the last one takes the inode with it. */
function* dropLink(volume: WritableVolume, edit: InodeEdit): Io<void> {
  const { links } = edit.inode;
  if (links <= 1) return yield* deleteInode(volume, edit);
  edit.change({ i_links_count: links - 1 });
  edit.setTimes({ ctime: volume.now() });
}

export function* unlinkNode(volume: WritableVolume, directory: InodeEdit, name: Bytes): Io<void> {
  const edit = yield* named(volume, directory, name);
  if (edit.inode.kind === 'directory') throw new Posix('EISDIR', { layer: 'ext4', inode: edit.number });
  checkChangeable(edit);
  yield* removeName(volume, directory, name);
  touchDirectory(volume, directory);
  yield* dropLink(volume, edit);
}

export function* removeDirectory(volume: WritableVolume, directory: InodeEdit, name: Bytes): Io<void> {
  const edit = yield* named(volume, directory, name);
  if (edit.inode.kind !== 'directory') throw new Posix('ENOTDIR', { layer: 'ext4', inode: edit.number });
  checkChangeable(edit);
  if (!(yield* isEmptyDirectory(volume, edit))) throw new Posix('ENOTEMPTY', { layer: 'ext4', inode: edit.number });
  yield* removeName(volume, directory, name);
  dropSubdirectoryLink(directory);
  touchDirectory(volume, directory);
  yield* deleteInode(volume, edit);
}

export function* linkNode(volume: WritableVolume, edit: InodeEdit, directory: InodeEdit, name: Bytes): Io<void> {
  checkName(name);
  yield* refuseExisting(volume, directory, name);
  const { kind, links } = edit.inode;
  if (kind === 'directory') throw new Posix('EPERM', { layer: 'ext4', inode: edit.number });
  checkChangeable(edit);
  if (links >= EXT4_LINK_MAX) throw new Posix('EMLINK', { layer: 'ext4', inode: edit.number });
  yield* addName(volume, directory, name, edit.number, kind);
  edit.change({ i_links_count: links + 1 });
  edit.setTimes({ ctime: volume.now() });
  touchDirectory(volume, directory);
}

/** rename(2). */
export function* renameNode(volume: WritableVolume, from: InodeEdit, name: Bytes, to: InodeEdit, newName: Bytes): Io<void> {
  checkName(newName);
  const edit = yield* named(volume, from, name);
  const { kind } = edit.inode;
  checkChangeable(edit);
  const existing = yield* lookupName(volume, to.inode, newName);
  if (existing === edit.number && !(from === to && !sameBytes(name, newName) && (yield* isOnlyName(volume, from, name, newName)))) return;
  const moves = from !== to;
  if (kind === 'directory' && moves) yield* refuseOwnDescendant(volume, edit.number, to);
  if (existing !== undefined && existing !== edit.number) {
    yield* replace(volume, edit, from, name, to, newName, yield* volume.edit(existing));
  } else {
    if (kind === 'directory' && moves) checkRoomForSubdirectory(volume, to);
    // A name that differs from the old one in case only has to go first.
    if (existing === undefined) {
      yield* addName(volume, to, newName, edit.number, kind);
      yield* removeName(volume, from, name);
    } else {
      yield* removeName(volume, from, name);
      yield* addName(volume, to, newName, edit.number, kind);
    }
    if (kind === 'directory' && moves) addSubdirectoryLink(to);
  }
  if (kind === 'directory' && moves) {
    yield* setParent(volume, edit, to.number);
    dropSubdirectoryLink(from);
  }
  edit.setTimes({ ctime: volume.now() });
  touchDirectory(volume, from);
  touchDirectory(volume, to);
}

/** Whether both spellings are one name in a directory that ignores case. */
function* isOnlyName(volume: WritableVolume, directory: InodeEdit, name: Bytes, newName: Bytes): Io<boolean> {
  const found = yield* lookupName(volume, directory.inode, newName);
  if (found === undefined) return false;
  yield* removeName(volume, directory, name);
  const still = yield* lookupName(volume, directory.inode, newName);
  const { kind } = (yield* volume.edit(found)).inode;
  yield* addName(volume, directory, name, found, kind);
  return still === undefined;
}

/** Puts a node in the place of another one, which loses this name. */
function* replace(
  volume: WritableVolume,
  edit: InodeEdit,
  from: InodeEdit,
  name: Bytes,
  to: InodeEdit,
  newName: Bytes,
  target: InodeEdit,
): Io<void> {
  const { kind } = edit.inode;
  const targetIsDirectory = target.inode.kind === 'directory';
  if (kind === 'directory' && !targetIsDirectory) throw new Posix('ENOTDIR', { layer: 'ext4', inode: target.number });
  if (kind !== 'directory' && targetIsDirectory) {
    // Linux looks first whether the target is above what moves, which makes it not empty (do_renameat2).
    const isAbove = yield* isSelfOrAbove(volume, target.number, from);
    throw new Posix(isAbove ? 'ENOTEMPTY' : 'EISDIR', { layer: 'ext4', inode: target.number });
  }
  checkChangeable(target);
  if (targetIsDirectory && !(yield* isEmptyDirectory(volume, target)))
    throw new Posix('ENOTEMPTY', { layer: 'ext4', inode: target.number });
  yield* retargetName(volume, to, newName, edit.number, kind);
  yield* removeName(volume, from, name);
  if (!targetIsDirectory) return yield* dropLink(volume, target);
  // One directory for another: the new parent keeps its count, unless the old one loses the moved directory to itself.
  if (from === to) dropSubdirectoryLink(to);
  yield* deleteInode(volume, target);
}

/** Throws Posix EINVAL when `directory` lies below the directory `number`, or is it. */
function* refuseOwnDescendant(volume: WritableVolume, number: number, directory: InodeEdit): Io<void> {
  if (yield* isSelfOrAbove(volume, number, directory))
    throw new Posix('EINVAL', { layer: 'ext4', inode: number }, 'a directory cannot be moved into itself');
}

/** Whether the directory `number` is `directory` or one above it. */
function* isSelfOrAbove(volume: WritableVolume, number: number, directory: InodeEdit): Io<boolean> {
  let at = directory.number;
  for (let depth = 0; depth < MAX_DEPTH; depth++) {
    if (at === number) return true;
    if (at === EXT4_ROOT_INO) return false;
    at = yield* parentOf(volume, yield* volume.edit(at));
  }
  throw new Corrupt('the directories above this one form a loop', { layer: 'ext4', inode: directory.number });
}

/** The inode that `..` names. */
function* parentOf(volume: WritableVolume, edit: InodeEdit): Io<number> {
  if ((edit.inode.flags & EXT4_INLINE_DATA_FL) !== 0) return viewOf(edit.bytes).getUint32(0x28, true);
  const { bytes } = yield* readForChange(volume, edit, 0);
  return viewOf(bytes).getUint32(12, true);
}
