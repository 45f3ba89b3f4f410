/** The contents of regular files. */
import type { Bytes } from '../bytes/struct.ts';
import type { FileRun } from '../filesystem/filesystem.ts';
import type { Io } from '../io/effect.ts';
import { EXT4_INLINE_DATA_FL } from './format/inode.ts';
import { readInlineData } from './inline.ts';
import type { Inode } from './inode.ts';
import { findRun } from './mapping.ts';
import type { Volume } from './volume.ts';

/** How many runs of one state are joined into one answer of {@link mapData} at most. */
const MAX_JOINED_RUNS = 256;

/** Reads from byte `offset` into `target`, up to the file's end; returns how many bytes. */
export function* readData(volume: Volume, inode: Inode, offset: number, target: Bytes): Io<number> {
  const wanted = Math.min(target.length, inode.size - offset);
  if (!(wanted > 0)) return 0;
  if ((inode.flags & EXT4_INLINE_DATA_FL) !== 0) {
    const data = yield* readInlineData(volume, inode);
    const part = data.subarray(offset, offset + wanted);
    target.set(part);
    target.fill(0, part.length, wanted);
    return wanted;
  }
  const { blockSize } = volume.superblock;
  // A read that was put off: runs that continue each other on the device become one.
  let pendingOffset = 0;
  let pendingStart = 0;
  let pendingLength = 0;
  for (let done = 0; done < wanted; ) {
    const logical = Math.floor((offset + done) / blockSize);
    const skip = offset + done - logical * blockSize;
    const run = yield* findRun(volume, inode, logical);
    const length = Math.min(run.length * blockSize - skip, wanted - done);
    if (run.zero || run.physical === undefined) {
      target.fill(0, done, done + length);
    } else {
      const deviceOffset = run.physical * blockSize + skip;
      if (pendingLength > 0 && pendingOffset + pendingLength === deviceOffset && pendingStart + pendingLength === done) {
        pendingLength += length;
      } else {
        if (pendingLength > 0) yield* volume.device.readInto(pendingOffset, target.subarray(pendingStart, pendingStart + pendingLength));
        pendingOffset = deviceOffset;
        pendingStart = done;
        pendingLength = length;
      }
    }
    done += length;
  }
  if (pendingLength > 0) {
    const all = pendingStart === 0 && pendingLength === target.length;
    yield* volume.device.readInto(pendingOffset, all ? target : target.subarray(pendingStart, pendingStart + pendingLength));
  }
  return wanted;
}

/** The run at `offset`, at most `length` bytes and never beyond the file's end; neighbours of one state are joined. */
export function* mapData(volume: Volume, inode: Inode, offset: number, length: number): Io<FileRun> {
  const wanted = Math.min(length, inode.size - offset);
  if ((inode.flags & EXT4_INLINE_DATA_FL) !== 0) return { length: wanted, hole: false };
  const { blockSize } = volume.superblock;
  const first = Math.floor(offset / blockSize);
  const skip = offset - first * blockSize;
  const head = yield* findRun(volume, inode, first);
  let blocks = head.length;
  for (let joined = 1; joined < MAX_JOINED_RUNS && blocks * blockSize - skip < wanted; joined++) {
    const next = yield* findRun(volume, inode, first + blocks);
    if (next.zero !== head.zero || (!head.zero && next.physical !== head.physical! + blocks)) break;
    blocks += next.length;
  }
  const bytes = Math.min(blocks * blockSize - skip, wanted);
  return head.zero ? { length: bytes, hole: true } : { length: bytes, hole: false, deviceOffset: head.physical! * blockSize + skip };
}
