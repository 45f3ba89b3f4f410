/** What is free in an ext2, ext3 or ext4 file system. */
import { findClear, findSet } from '../../bytes/bitmap.ts';
import { clearRange } from '../../io/clearing.ts';
import type { WritableDevice } from '../../io/device.ts';
import type { Io } from '../../io/effect.ts';
import { readBlockBitmap } from '../bitmaps.ts';
import { clustersInGroup, groupFirstBlock } from '../layout.ts';
import type { Volume } from '../volume.ts';

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
    cleared += yield* clearRange(device, offset, length, blockSize);
  });
  return cleared;
}
