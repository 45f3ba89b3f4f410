/** Writing, lengthening, shortening and punching regular files. */
import type { Bytes } from '../../bytes/struct.ts';
import { concatBytes } from '../../bytes/text.ts';
import { Posix } from '../../errors.ts';
import type { Io } from '../../io/effect.ts';
import { EXT4_EXTENTS_FL, EXT4_INLINE_DATA_FL, INCOMPAT } from '../format/index.ts';
import { readInlineData, readInlineTail } from '../inline.ts';
import { findRun } from '../mapping.ts';
import { initialiseExtents } from './extent-store.ts';
import { giveBackBlocks, logicalEnd, takeBlocks, takeFirstBlocks } from './file-blocks.ts';
import { dropInlineTail, storeInlineTail } from './inline-write.ts';
import type { InodeEdit } from './inode-edit.ts';
import type { WritableVolume } from './writable-volume.ts';

/** Bytes of `i_block`. */
const IN_INODE = 60;

/** Bytes that are copied to be written with zeros around them in one piece; of longer ones only the ends are. */
const PADDED_AT_ONCE: number = 1 << 17;

/** Throws Posix EFBIG for a size that the file cannot have. */
function checkSize(volume: WritableVolume, edit: InodeEdit, size: number): void {
  const limit = logicalEnd(volume, edit) * volume.superblock.blockSize;
  if (!Number.isSafeInteger(size) || size > limit) throw new Posix('EFBIG', { layer: 'ext4', inode: edit.number });
}

/** Writes all of `bytes` at `offset`; a gap behind the end becomes a hole. */
export function* writeData(volume: WritableVolume, edit: InodeEdit, offset: number, bytes: Bytes): Io<void> {
  if (bytes.length === 0) return;
  const end = offset + bytes.length;
  if (isInline(edit)) {
    const tail = yield* readInlineTail(volume, edit.inode);
    if (end <= IN_INODE + tail.length) {
      const data = concatBytes(edit.inode.block, tail);
      if (offset > edit.size) data.fill(0, edit.size, offset);
      data.set(bytes, offset);
      yield* storeInline(volume, edit, data, tail.length);
      if (end > edit.size) edit.setSize(end);
      return;
    }
    yield* spill(volume, edit);
  }
  checkSize(volume, edit, end);
  const { blockSize } = volume.superblock;
  const oldSize = edit.size;
  if (oldSize === 0 && offset === 0 && end <= PADDED_AT_ONCE) {
    const start = takeFirstBlocks(volume, edit, Math.ceil(end / blockSize));
    if (start !== undefined) {
      const padded = volume.scratch(Math.ceil(end / blockSize) * blockSize);
      padded.set(bytes);
      padded.fill(0, end);
      if (!volume.cache.writeNow(start * blockSize, padded)) yield* volume.cache.write(start * blockSize, padded);
      edit.setSize(end);
      return;
    }
  }
  if (offset > oldSize) yield* zeroTail(volume, edit, oldSize);
  const first = Math.floor(offset / blockSize);
  const runs = yield* takeBlocks(volume, edit, first, Math.ceil(end / blockSize) - first);
  for (const run of runs) {
    const start = run.logical * blockSize;
    const from = Math.max(start, offset);
    const to = Math.min(start + run.length * blockSize, end);
    const place = run.physical * blockSize;
    const part = bytes.subarray(from - offset, to - offset);
    if (!run.fresh) {
      yield* volume.cache.write(place + (from - start), part);
      continue;
    }
    // A fresh block is written whole: what lies around the bytes becomes zero.
    const paddedTo = Math.ceil(to / blockSize) * blockSize;
    const head = from - Math.floor(from / blockSize) * blockSize;
    const at = place + (from - head - start);
    if (head === 0 && paddedTo === to) yield* volume.cache.write(at, part);
    else yield* writePadded(volume, at, head, part, paddedTo - to);
  }
  if (end > oldSize) edit.setSize(end);
}

/** Writes zeros, bytes and zeros; the middle of long bytes is not copied. */
function* writePadded(volume: WritableVolume, at: number, head: number, bytes: Bytes, tail: number): Io<void> {
  const { blockSize } = volume.superblock;
  if (bytes.length <= PADDED_AT_ONCE) {
    const padded = volume.scratch(head + bytes.length + tail);
    padded.fill(0, 0, head);
    padded.set(bytes, head);
    padded.fill(0, head + bytes.length);
    yield* volume.cache.write(at, padded);
    return;
  }
  const first = blockSize - head;
  const last = bytes.length - (tail === 0 ? 0 : blockSize - tail);
  yield* volume.cache.write(at, concatBytes(new Uint8Array(head), bytes.subarray(0, first)));
  yield* volume.cache.write(at + blockSize, bytes.subarray(first, last));
  if (last < bytes.length) yield* volume.cache.write(at + head + last, concatBytes(bytes.subarray(last), new Uint8Array(tail)));
}

/** Sets the length: what is cut off is given back, what is added reads as zeros. */
export function* truncateData(volume: WritableVolume, edit: InodeEdit, size: number): Io<void> {
  const oldSize = edit.size;
  if (isInline(edit)) {
    const tail = yield* readInlineTail(volume, edit.inode);
    if (size <= IN_INODE + tail.length) {
      const data = concatBytes(edit.inode.block, tail);
      data.fill(0, Math.min(size, oldSize));
      yield* storeInline(volume, edit, data, Math.max(0, size - IN_INODE));
      edit.setSize(size);
      return;
    }
    yield* spill(volume, edit);
  }
  checkSize(volume, edit, size);
  const { blockSize } = volume.superblock;
  if (size <= oldSize) {
    yield* giveBackBlocks(volume, edit, Math.ceil(size / blockSize), logicalEnd(volume, edit) + 1);
    edit.setSize(size);
    yield* zeroTail(volume, edit, size);
  } else {
    yield* zeroTail(volume, edit, oldSize);
    edit.setSize(size);
  }
}

/** Makes `[offset, offset + length)` read as zeros and gives back the whole blocks in it. The size stays. */
export function* punchData(volume: WritableVolume, edit: InodeEdit, offset: number, length: number): Io<void> {
  const end = Math.min(offset + length, edit.size);
  if (offset >= end) return;
  if (isInline(edit)) {
    const tail = yield* readInlineTail(volume, edit.inode);
    const data = concatBytes(edit.inode.block, tail);
    data.fill(0, offset, end);
    yield* storeInline(volume, edit, data, tail.length);
    return;
  }
  const { blockSize } = volume.superblock;
  const first = Math.ceil(offset / blockSize);
  // The last block goes too when all of it that belongs to the file is punched.
  const last = end === edit.size ? Math.ceil(end / blockSize) : Math.floor(end / blockSize);
  if (first > last) {
    yield* zeroWithin(volume, edit, offset, end);
    return;
  }
  yield* zeroWithin(volume, edit, offset, first * blockSize);
  yield* giveBackBlocks(volume, edit, first, last);
  if (end > last * blockSize) yield* zeroWithin(volume, edit, last * blockSize, end);
}

/** Zeroes what stands behind byte `size` in the block that holds it. */
function* zeroTail(volume: WritableVolume, edit: InodeEdit, size: number): Io<void> {
  const { blockSize } = volume.superblock;
  if (size % blockSize !== 0) yield* zeroWithin(volume, edit, size, Math.ceil(size / blockSize) * blockSize);
}

/** Writes zeros over `[from, to)` of one block, if it is stored. */
function* zeroWithin(volume: WritableVolume, edit: InodeEdit, from: number, to: number): Io<void> {
  if (from >= to) return;
  const { blockSize } = volume.superblock;
  const logical = Math.floor(from / blockSize);
  const run = yield* findRun(volume, edit.inode, logical);
  if (run.zero || run.physical === undefined) return;
  yield* volume.cache.write(run.physical * blockSize + (from - logical * blockSize), new Uint8Array(to - from));
}

function isInline(edit: InodeEdit): boolean {
  return (edit.flags & EXT4_INLINE_DATA_FL) !== 0;
}

/** Writes inline data: 60 bytes into the inode, `tailLength` more into the attribute. */
function* storeInline(volume: WritableVolume, edit: InodeEdit, data: Bytes, tailLength: number): Io<void> {
  edit.bytes.set(data.subarray(0, IN_INODE), 0x28);
  edit.touch();
  yield* storeInlineTail(volume, edit, data.slice(IN_INODE, IN_INODE + tailLength));
}

/** Moves inline data out into blocks. */
export function* spill(volume: WritableVolume, edit: InodeEdit): Io<void> {
  const data = (yield* readInlineData(volume, edit.inode)).slice();
  const { size } = edit;
  yield* dropInlineTail(volume, edit);
  const hasExtents = (volume.superblock.incompat & INCOMPAT.extents) !== 0;
  const flags = edit.inode.flags & ~EXT4_INLINE_DATA_FL;
  edit.bytes.fill(0, 0x28, 0x28 + IN_INODE);
  edit.change({ i_flags: (hasExtents ? flags | EXT4_EXTENTS_FL : flags) >>> 0 });
  if (hasExtents) initialiseExtents(edit);
  edit.setSize(0);
  if (data.length > 0) yield* writeData(volume, edit, 0, data);
  edit.setSize(size);
}
