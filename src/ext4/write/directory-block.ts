/** Entries in a block of a directory, or in a region of inline data: putting them in, taking them out. Plain functions on bytes. */
import { type Bytes, viewOf } from '../../bytes/struct.ts';
import type { FileKind } from '../../filesystem/filesystem.ts';
import { directoryBlockChecksum } from '../checksum.ts';
import { type DirectoryForm, entryLength, hasDirectoryTail, leastRecordLength, recordLength } from '../directory.ts';
import { EXT4_DIR_ENTRY_TAIL, EXT4_FT_DIR_CSUM } from '../format/index.ts';

/** `file_type`, the feature `filetype`. */
const TYPES: Readonly<Record<FileKind, number>> = { file: 1, directory: 2, character: 3, block: 4, fifo: 5, socket: 6, symlink: 7 };

/** An entry to be written. */
export interface NewEntry {
  readonly name: Bytes;
  readonly inode: number;
  readonly kind: FileKind;
}

/** `rec_len` as it stands on the disk (ext4_rec_len_to_disk). */
export function recordLengthOnDisk(length: number, blockSize: number): number {
  if (blockSize < 65536) return length;
  if (length === blockSize) return blockSize === 65536 ? 65535 : 0;
  return (length & 65532) | ((length >>> 16) & 3);
}

function lengthAt(view: DataView, at: number, form: DirectoryForm): number {
  return recordLength(view.getUint16(at + 4, true), form.blockSize);
}

function setLength(view: DataView, at: number, length: number, form: DirectoryForm): void {
  view.setUint16(at + 4, recordLengthOnDisk(length, form.blockSize), true);
}

/** Writes an entry of `length` bytes at `at`. */
export function writeEntry(bytes: Bytes, at: number, length: number, entry: NewEntry, form: DirectoryForm): void {
  const view = viewOf(bytes);
  view.setUint32(at, entry.inode, true);
  setLength(view, at, length, form);
  bytes[at + 6] = entry.name.length;
  bytes[at + 7] = form.hasFileType ? TYPES[entry.kind] : 0;
  bytes.set(entry.name, at + 8);
  bytes.fill(0, at + 8 + entry.name.length, at + Math.min(length, leastRecordLength(entry.name.length, form)));
}

/** Makes `[start, end)` one unused entry. */
export function writeUnused(bytes: Bytes, start: number, end: number, form: DirectoryForm): void {
  bytes.fill(0, start, end);
  setLength(viewOf(bytes), start, end - start, form);
}

/** Puts an entry into the first gap of `[start, end)` that is wide enough; false when there is none. */
export function insertEntry(bytes: Bytes, start: number, end: number, entry: NewEntry, form: DirectoryForm): boolean {
  const need = leastRecordLength(entry.name.length, form);
  const view = viewOf(bytes);
  for (let at = start; at < end; ) {
    const length = entryLength(bytes, at, form);
    const used = view.getUint32(at, true) === 0 ? 0 : leastRecordLength(bytes[at + 6]!, form);
    if (length - used >= need) {
      if (used > 0) setLength(view, at, used, form);
      writeEntry(bytes, at + used, length - used, entry, form);
      return true;
    }
    at += length;
  }
  return false;
}

/** Takes the entry at `at` out of `[start, end)`: the one before it grows, or it becomes an unused one. */
export function removeEntryAt(bytes: Bytes, start: number, at: number, form: DirectoryForm): void {
  const view = viewOf(bytes);
  for (let before = start; before < at; ) {
    const length = entryLength(bytes, before, form);
    if (before + length === at) {
      setLength(view, before, length + lengthAt(view, at, form), form);
      return;
    }
    before += length;
  }
  view.setUint32(at, 0, true);
}

/** Makes the entry at `at` name another inode. */
export function retargetEntry(bytes: Bytes, at: number, inode: number, kind: FileKind, form: DirectoryForm): void {
  viewOf(bytes).setUint32(at, inode, true);
  if (form.hasFileType) bytes[at + 7] = TYPES[kind];
}

/** The entries in use of `[start, end)`: raw bytes of each, for moving them. */
export interface RawEntry {
  readonly name: Bytes;
  readonly inode: number;
  readonly type: number;
  readonly size: number;
}

export function liveEntries(bytes: Bytes, start: number, end: number, form: DirectoryForm): RawEntry[] {
  const view = viewOf(bytes);
  const entries: RawEntry[] = [];
  for (let at = start; at < end; at += entryLength(bytes, at, form)) {
    const inode = view.getUint32(at, true);
    const nameLength = bytes[at + 6]!;
    if (inode === 0 || nameLength === 0) continue;
    const name = bytes.slice(at + 8, at + 8 + nameLength);
    entries.push({ name, inode, type: bytes[at + 7]!, size: leastRecordLength(nameLength, form) });
  }
  return entries;
}

/** Fills `[start, end)` with the entries, the last one stretched to the end. */
export function packEntries(bytes: Bytes, start: number, end: number, entries: readonly RawEntry[], form: DirectoryForm): void {
  bytes.fill(0, start, end);
  const view = viewOf(bytes);
  let at = start;
  entries.forEach((entry, i) => {
    const length = i === entries.length - 1 ? end - at : entry.size;
    view.setUint32(at, entry.inode, true);
    setLength(view, at, length, form);
    bytes[at + 6] = entry.name.length;
    bytes[at + 7] = entry.type;
    bytes.set(entry.name, at + 8);
    at += length;
  });
  if (entries.length === 0) writeUnused(bytes, start, end, form);
}

/** Where the entries of a block end: before its checksum, if it has one. */
export function entriesEnd(blockSize: number, metadataCsum: boolean): number {
  return metadataCsum ? blockSize - EXT4_DIR_ENTRY_TAIL.size : blockSize;
}

/** Makes the tail at the end of a block, which holds its checksum, look like an unused entry. */
export function prepareDirectoryTail(block: Bytes): void {
  if (hasDirectoryTail(block)) return;
  EXT4_DIR_ENTRY_TAIL.write(block, block.length - EXT4_DIR_ENTRY_TAIL.size, {
    det_reserved_zero1: 0,
    det_rec_len: EXT4_DIR_ENTRY_TAIL.size,
    det_reserved_zero2: 0,
    det_reserved_ft: EXT4_FT_DIR_CSUM,
  });
}

/** Puts the checksum of a block into its tail; `seed` is the directory's. */
export function sealDirectoryBlock(block: Bytes, seed: number): void {
  prepareDirectoryTail(block);
  const at = block.length - EXT4_DIR_ENTRY_TAIL.size;
  EXT4_DIR_ENTRY_TAIL.write(block, at, { det_checksum: directoryBlockChecksum(seed, block) });
}
