/** What is free in a file system: making it read as zeros. */
import { findClear, findSet } from '../../bytes/bitmap.ts';
import { isZero } from '../../bytes/text.ts';
import type { WritableDevice } from '../../io/device.ts';
import type { Io } from '../../io/effect.ts';
import { readBlockBitmap } from '../bitmaps.ts';
import { clustersInGroup, groupFirstBlock } from '../layout.ts';
import type { Volume } from '../volume.ts';

/** Bytes that are looked at in one request. */
const REQUEST = 1 << 20;

/** The free runs of a file system, in bytes of its device. */
export function* eachFreeRun(volume: Volume, visit: (offset: number, length: number) => Io<void>): Io<void> {
  const { superblock } = volume;
  const { groupCount, clusterSize, blockSize } = superblock;
  for (let group = 0; group < groupCount; group++) {
    const bitmap = yield* readBlockBitmap(volume, group);
    const first = groupFirstBlock(superblock, group) * blockSize;
    const clusters = clustersInGroup(superblock, group);
    for (let start = findClear(bitmap, 0, clusters); start < clusters; ) {
      const end = findSet(bitmap, start, clusters);
      const offset = first + start * clusterSize;
      const limit = superblock.blocksCount * blockSize;
      yield* visit(offset, Math.min((end - start) * clusterSize, limit - offset));
      start = findClear(bitmap, end, clusters);
    }
  }
}

/** Makes every free block read as zeros, writing only where something else stood; how many bytes were cleared. */
export function* zeroFreeBlocks(volume: Volume, device: WritableDevice): Io<number> {
  const { blockSize } = volume.superblock;
  let cleared = 0;
  yield* eachFreeRun(volume, function* (offset, length) {
    for (let at = offset; at < offset + length; ) {
      const extent = yield* device.map(at, Math.min(REQUEST, offset + length - at));
      const step = extent.zero ? extent.length : Math.min(extent.length, REQUEST);
      if (!extent.zero) {
        const bytes = yield* device.read(at, step);
        const dirty: { start: number; end: number }[] = [];
        for (let k = 0; k < step; k += blockSize) {
          const end = Math.min(step, k + blockSize);
          if (isZero(bytes, k, end)) continue;
          const last = dirty[dirty.length - 1];
          if (last?.end === k) last.end = end;
          else dirty.push({ start: k, end });
        }
        for (const { start, end } of dirty) {
          yield* device.writeZeroes(at + start, end - start);
          cleared += end - start;
        }
      }
      at += step;
    }
  });
  return cleared;
}
