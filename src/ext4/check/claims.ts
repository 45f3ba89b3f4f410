/** Which blocks of a file system are claimed by what was found in it. */
import { setBits, testBit } from '../../bytes/bitmap.ts';
import type { Bytes } from '../../bytes/struct.ts';
import { clustersInGroup } from '../layout.ts';
import type { Superblock } from '../superblock.ts';

export class Claims {
  readonly #superblock: Superblock;
  readonly #groups = new Map<number, Bytes>();
  /** The first blocks that two things claimed, and how many there were. */
  readonly shared: { first: number | undefined; count: number } = { first: undefined, count: 0 };

  constructor(superblock: Superblock) {
    this.#superblock = superblock;
  }

  /** The clusters of a group that were claimed, with ones behind the last. */
  bitmap(group: number): Bytes {
    let bitmap = this.#groups.get(group);
    if (bitmap === undefined) {
      const { blockSize } = this.#superblock;
      bitmap = new Uint8Array(blockSize);
      setBits(bitmap, clustersInGroup(this.#superblock, group), blockSize * 8);
      this.#groups.set(group, bitmap);
    }
    return bitmap;
  }

  /** The group is done. */
  forget(group: number): void {
    this.#groups.delete(group);
  }

  /** Claims blocks; those outside of the file system are the caller's business. */
  add(block: number, count: number): void {
    const { firstDataBlock, blocksPerGroup, clusterRatio, blocksCount } = this.#superblock;
    const end = Math.min(block + count, blocksCount);
    for (let at = Math.max(block, firstDataBlock); at < end; ) {
      const group = Math.floor((at - firstDataBlock) / blocksPerGroup);
      const first = firstDataBlock + group * blocksPerGroup;
      const stop = Math.min(end, first + blocksPerGroup);
      this.#mark(group, Math.floor((at - first) / clusterRatio), Math.ceil((stop - first) / clusterRatio), at);
      at = stop;
    }
  }

  #mark(group: number, from: number, to: number, block: number): void {
    const bitmap = this.bitmap(group);
    // Several runs of one file may share a cluster, which says nothing.
    if (this.#superblock.clusterRatio === 1) {
      for (let i = from; i < to; i++) {
        if (!testBit(bitmap, i)) continue;
        this.shared.first ??= block + (i - from);
        this.shared.count++;
      }
    }
    setBits(bitmap, from, to);
  }
}
