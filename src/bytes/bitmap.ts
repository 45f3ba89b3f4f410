/** Bitmaps whose bit `i` is bit `i & 7` of byte `i >> 3`, as ext2/3/4 keep theirs. */
import type { Bytes } from './struct.ts';

export function testBit(bitmap: Bytes, bit: number): boolean {
  return ((bitmap[bit >>> 3]! >>> (bit & 7)) & 1) !== 0;
}

/** Sets the bits `[start, end)`. */
export function setBits(bitmap: Bytes, start: number, end: number): void {
  for (let bit = start; bit < end; ) {
    if ((bit & 7) === 0 && bit + 8 <= end) {
      const bytes = (end - bit) >>> 3;
      bitmap.fill(0xff, bit >>> 3, (bit >>> 3) + bytes);
      bit += bytes * 8;
    } else {
      bitmap[bit >>> 3]! |= 1 << (bit & 7);
      bit++;
    }
  }
}

/** Clears the bits `[start, end)`. */
export function clearBits(bitmap: Bytes, start: number, end: number): void {
  for (let bit = start; bit < end; ) {
    if ((bit & 7) === 0 && bit + 8 <= end) {
      const bytes = (end - bit) >>> 3;
      bitmap.fill(0, bit >>> 3, (bit >>> 3) + bytes);
      bit += bytes * 8;
    } else {
      bitmap[bit >>> 3]! &= ~(1 << (bit & 7));
      bit++;
    }
  }
}

/** The first clear bit in `[start, end)`; `end` when there is none. */
export function nextClear(bitmap: Bytes, start: number, end: number): number {
  let bit = start;
  while (bit < end) {
    if ((bit & 7) === 0 && bitmap[bit >>> 3] === 0xff) bit += 8;
    else if (testBit(bitmap, bit)) bit++;
    else return bit;
  }
  return end;
}

/** The first set bit in `[start, end)`; `end` when there is none. */
export function nextSet(bitmap: Bytes, start: number, end: number): number {
  let bit = start;
  while (bit < end) {
    if ((bit & 7) === 0 && bitmap[bit >>> 3] === 0) bit += 8;
    else if (!testBit(bitmap, bit)) bit++;
    else return bit;
  }
  return end;
}

/**
 * A run of clear bits in `[start, end)`: the first one of at least `wanted` bits, cut to them, else the longest there is; undefined when
 * all bits are set.
 */
export function findClearRun(bitmap: Bytes, start: number, end: number, wanted: number): { start: number; length: number } | undefined {
  let best: { start: number; length: number } | undefined;
  for (let bit = nextClear(bitmap, start, end); bit < end; ) {
    const stop = nextSet(bitmap, bit, Math.min(end, bit + wanted));
    const length = stop - bit;
    if (length >= wanted) return { start: bit, length: wanted };
    if (best === undefined || length > best.length) best = { start: bit, length };
    bit = nextClear(bitmap, stop, end);
  }
  return best;
}

/** How many bits of `[start, end)` are set. */
export function countSet(bitmap: Bytes, start: number, end: number): number {
  let count = 0;
  for (let bit = start; bit < end; ) {
    if ((bit & 7) === 0 && bit + 8 <= end) {
      let byte = bitmap[bit >>> 3]!;
      for (; byte !== 0; byte &= byte - 1) count++;
      bit += 8;
    } else if (testBit(bitmap, bit++)) count++;
  }
  return count;
}
