/** Names in directories: adding, removing, retargeting them, in whichever form the directory stands. */
import { type Bytes, viewOf } from '../../bytes/struct.ts';
import { Corrupt, Posix } from '../../errors.ts';
import type { FileKind } from '../../filesystem/filesystem.ts';
import type { Io } from '../../io/effect.ts';
import { type DirectoryForm, leastRecordLength, type PlacedEntry, parseEntries } from '../directory.ts';
import { directoryForm, readDirectoryPart } from '../directory-read.ts';
import { COMPAT, EXT4_ENCRYPT_FL, EXT4_EXTENTS_FL, EXT4_INDEX_FL, EXT4_INLINE_DATA_FL, INCOMPAT } from '../format/index.ts';
import { readInlineTail } from '../inline.ts';
import { equality, findStoredName } from '../lookup.ts';
import { entriesEnd, insertEntry, type NewEntry, removeEntryAt, retargetEntry, writeEntry, writeUnused } from './directory-block.ts';
import {
  appendBlock,
  blockCount,
  type DirectoryBlock,
  peekForChange,
  readForChange,
  writeIndexBlock,
  writeLeaf,
} from './directory-blocks.ts';
import { insertIndexed, makeIndex } from './directory-index.ts';
import { initialiseExtents } from './extent-store.ts';
import { dropInlineTail, storeInlineTail } from './inline-write.ts';
import type { InodeEdit } from './inode-edit.ts';
import type { WritableVolume } from './writable-volume.ts';

/** `rec_len` of the entry `.`. */
const DOT_LENGTH = 12;
/** Where the entries in `i_block` begin, behind the parent's number. */
const INLINE_START = 4;
const INLINE_END = 60;
const DOT: Bytes = Uint8Array.of(0x2e);
const DOT_DOT: Bytes = Uint8Array.of(0x2e, 0x2e);

/** Throws for directories whose names cannot be made without a key. */
function refuseEncrypted(edit: InodeEdit): void {
  if ((edit.inode.flags & EXT4_ENCRYPT_FL) !== 0) throw new Posix('ENOKEY', { layer: 'ext4', inode: edit.number });
}

function isInline(edit: InodeEdit): boolean {
  return (edit.inode.flags & EXT4_INLINE_DATA_FL) !== 0;
}

function isIndexed(volume: WritableVolume, edit: InodeEdit): boolean {
  return (edit.inode.flags & EXT4_INDEX_FL) !== 0 && (volume.superblock.compat & COMPAT.dir_index) !== 0;
}

/** Gives a new directory its first block with `.` and `..`. */
export function* initialiseDirectory(volume: WritableVolume, edit: InodeEdit, parent: number): Io<void> {
  const { blockSize, metadataCsum } = volume.superblock;
  const form = directoryForm(volume, edit.inode);
  volume.roomHints.delete(edit.number);
  const block = yield* appendBlock(volume, edit);
  const end = entriesEnd(blockSize, metadataCsum);
  writeEntry(block.bytes, 0, DOT_LENGTH, { name: DOT, inode: edit.number, kind: 'directory' }, form);
  writeEntry(block.bytes, DOT_LENGTH, end - DOT_LENGTH, { name: DOT_DOT, inode: parent, kind: 'directory' }, form);
  yield* writeLeaf(volume, edit, block);
}

/** Whether a directory holds nothing but `.` and `..`. */
export function* isEmptyDirectory(volume: WritableVolume, edit: InodeEdit): Io<boolean> {
  for (let cursor: number | undefined = 0; cursor !== undefined; ) {
    const part: { readonly entries: readonly unknown[]; readonly next?: number } = yield* readDirectoryPart(volume, edit.inode, cursor);
    if (part.entries.length > 0) return false;
    cursor = part.next;
  }
  return true;
}

/** Adds a name that the directory does not have. Throws Posix ENOSPC when there is no room for it. */
export function* addName(volume: WritableVolume, edit: InodeEdit, name: Bytes, inode: number, kind: FileKind): Io<void> {
  refuseEncrypted(edit);
  const entry: NewEntry = { name, inode, kind };
  const form = directoryForm(volume, edit.inode);
  if (isInline(edit)) {
    if (yield* insertInline(volume, edit, entry, form)) return;
    yield* spillDirectory(volume, edit, form);
  }
  if (isIndexed(volume, edit)) return yield* insertIndexed(volume, edit, entry);
  // Without the feature an index is stale from the first change on; what it was remains as unused entries.
  const end = entriesEnd(volume.superblock.blockSize, volume.superblock.metadataCsum);
  const blocks = blockCount(volume, edit);
  const length = leastRecordLength(name.length, form);
  const hint = volume.roomHints.get(edit.number);
  for (let logical = hint !== undefined && hint.length <= length ? hint.logical : 0; logical < blocks; logical++) {
    const block = yield* readForChange(volume, edit, logical);
    if (!insertEntry(block.bytes, 0, end, entry, form)) continue;
    volume.roomHints.set(edit.number, { logical, length });
    return yield* writeLeaf(volume, edit, block);
  }
  if (blocks === 1 && (volume.superblock.compat & COMPAT.dir_index) !== 0) {
    yield* makeIndex(volume, edit);
    return yield* insertIndexed(volume, edit, entry);
  }
  const block = yield* appendBlock(volume, edit);
  volume.roomHints.set(edit.number, { logical: block.logical, length });
  writeUnused(block.bytes, 0, end, form);
  insertEntry(block.bytes, 0, end, entry, form);
  yield* writeLeaf(volume, edit, block);
}

/**
 * The block in memory where the name before found room, for a name that the directory does not have. Undefined: {@link addName} finds a
 * place.
 */
export function blockBesideLast(volume: WritableVolume, edit: InodeEdit, name: Bytes): DirectoryBlock | undefined {
  const directory = edit.inode;
  if ((directory.flags & (EXT4_ENCRYPT_FL | EXT4_INLINE_DATA_FL | EXT4_INDEX_FL)) !== 0) return undefined;
  const hint = volume.roomHints.get(edit.number);
  const form = directoryForm(volume, directory);
  if (hint === undefined || hint.length > leastRecordLength(name.length, form)) return undefined;
  return peekForChange(volume, edit, hint.logical);
}

/** Puts a name into a block, which the caller writes with {@link writeLeaf}; false, and nothing was done, where there is no room. */
export function insertInto(
  volume: WritableVolume,
  edit: InodeEdit,
  block: DirectoryBlock,
  name: Bytes,
  inode: number,
  kind: FileKind,
): boolean {
  const end = entriesEnd(volume.superblock.blockSize, volume.superblock.metadataCsum);
  return insertEntry(block.bytes, 0, end, { name, inode, kind }, directoryForm(volume, edit.inode));
}

/** Where a name stands. */
type NamePlace =
  | { readonly at: 'block'; readonly logical: number; readonly offset: number; readonly node: number }
  | { readonly at: 'inode' | 'tail'; readonly offset: number; readonly node: number };

function* findName(volume: WritableVolume, edit: InodeEdit, name: Bytes): Io<NamePlace> {
  refuseEncrypted(edit);
  const { inode } = edit;
  if (isInline(edit)) {
    const form = directoryForm(volume, inode);
    const same = equality(volume, inode, name);
    for (const region of ['inode', 'tail'] as const) {
      const entries: PlacedEntry[] = [];
      if (region === 'inode') parseEntries(inode.block, INLINE_START, INLINE_END, form, { inode: edit.number }, entries);
      else {
        const tail = yield* readInlineTail(volume, inode);
        parseEntries(tail, 0, tail.length, form, { inode: edit.number }, entries);
      }
      const entry = entries.find((one) => same(one.name));
      if (entry !== undefined) return { at: region, offset: entry.offset, node: entry.node };
    }
    throw new Posix('ENOENT', { layer: 'ext4', inode: edit.number });
  }
  const found = yield* findStoredName(volume, inode, name);
  if (found === undefined) throw new Posix('ENOENT', { layer: 'ext4', inode: edit.number });
  return { at: 'block', ...found };
}

/** Removes a name; returns the inode that it named. Throws Posix ENOENT. */
export function* removeName(volume: WritableVolume, edit: InodeEdit, name: Bytes): Io<number> {
  const place = yield* findName(volume, edit, name);
  yield* changeAt(volume, edit, place, (bytes, start, form) => removeEntryAt(bytes, start, place.offset, form));
  const hint = volume.roomHints.get(edit.number);
  if (place.at === 'block' && hint !== undefined && place.logical < hint.logical) volume.roomHints.delete(edit.number);
  return place.node;
}

/** Makes a name stand for another inode. Throws Posix ENOENT. */
export function* retargetName(volume: WritableVolume, edit: InodeEdit, name: Bytes, inode: number, kind: FileKind): Io<void> {
  const place = yield* findName(volume, edit, name);
  yield* changeAt(volume, edit, place, (bytes, _, form) => retargetEntry(bytes, place.offset, inode, kind, form));
}

type Change = (bytes: Bytes, start: number, form: DirectoryForm) => void;

function* changeAt(volume: WritableVolume, edit: InodeEdit, place: NamePlace, change: Change): Io<void> {
  const form = directoryForm(volume, edit.inode);
  if (place.at === 'block') {
    const block = yield* readForChange(volume, edit, place.logical);
    change(block.bytes, 0, form);
    yield* writeLeaf(volume, edit, block);
  } else if (place.at === 'inode') {
    change(edit.bytes.subarray(0x28, 0x28 + INLINE_END), INLINE_START, form);
    edit.touch();
  } else {
    const tail = (yield* readInlineTail(volume, edit.inode)).slice();
    change(tail, 0, form);
    yield* storeInlineTail(volume, edit, tail);
  }
}

/** Makes `..` name another directory. */
export function* setParent(volume: WritableVolume, edit: InodeEdit, parent: number): Io<void> {
  if (isInline(edit)) {
    viewOf(edit.bytes).setUint32(0x28, parent, true);
    edit.touch();
    return;
  }
  const block = yield* readForChange(volume, edit, 0);
  const view = viewOf(block.bytes);
  const isDotDot = view.getUint16(4, true) === DOT_LENGTH && block.bytes[DOT_LENGTH + 6] === 2 && block.bytes[DOT_LENGTH + 8] === 0x2e;
  if (!isDotDot) throw new Corrupt('a directory that does not begin with . and ..', { layer: 'ext4', inode: edit.number });
  view.setUint32(DOT_LENGTH, parent, true);
  if ((edit.inode.flags & EXT4_INDEX_FL) !== 0) yield* writeIndexBlock(volume, edit, block);
  else yield* writeLeaf(volume, edit, block);
}

/** Puts a name into one of the two regions inside of the inode; false when neither has room. */
function* insertInline(volume: WritableVolume, edit: InodeEdit, entry: NewEntry, form: DirectoryForm): Io<boolean> {
  if (insertEntry(edit.bytes.subarray(0x28, 0x28 + INLINE_END), INLINE_START, INLINE_END, entry, form)) {
    edit.touch();
    return true;
  }
  const tail = (yield* readInlineTail(volume, edit.inode)).slice();
  if (tail.length === 0 || !insertEntry(tail, 0, tail.length, entry, form)) return false;
  yield* storeInlineTail(volume, edit, tail);
  return true;
}

/** Moves the entries inside of the inode out into a block. */
function* spillDirectory(volume: WritableVolume, edit: InodeEdit, form: DirectoryForm): Io<void> {
  const { inode } = edit;
  const parent = viewOf(inode.block).getUint32(0, true);
  const entries: PlacedEntry[] = [];
  parseEntries(inode.block, INLINE_START, INLINE_END, form, { inode: edit.number }, entries);
  const tail = yield* readInlineTail(volume, inode);
  if (tail.length > 0) parseEntries(tail, 0, tail.length, form, { inode: edit.number }, entries);
  yield* dropInlineTail(volume, edit);
  const hasExtents = (volume.superblock.incompat & INCOMPAT.extents) !== 0;
  const flags = inode.flags & ~EXT4_INLINE_DATA_FL;
  edit.bytes.fill(0, 0x28, 0x28 + INLINE_END);
  edit.change({ i_flags: (hasExtents ? flags | EXT4_EXTENTS_FL : flags) >>> 0 });
  if (hasExtents) initialiseExtents(edit);
  edit.setSize(0);
  yield* initialiseDirectory(volume, edit, parent);
  for (const { name, node, kind } of entries) {
    if (kind === undefined && form.hasFileType) throw new Corrupt('a name without a type', { layer: 'ext4', inode: edit.number });
    yield* addName(volume, edit, name, node, kind ?? 'file');
  }
}
