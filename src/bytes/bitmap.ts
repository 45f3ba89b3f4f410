/** Bitmaps as file systems keep them: bit i in byte i >> 3, the least significant first. */
import type { Bytes } from './struct.ts';

/** Whether bit `index` is set. */
export function testBit(bitmap: Bytes, index: number): boolean {
  return ((bitmap[Math.floor(index / 8)]! >>> (index & 7)) & 1) === 1;
}

export function setBit(bitmap: Bytes, index: number): void {
  const at = Math.floor(index / 8);
  bitmap[at] = bitmap[at]! | (1 << (index & 7));
}

export function clearBit(bitmap: Bytes, index: number): void {
  const at = Math.floor(index / 8);
  bitmap[at] = bitmap[at]! & ~(1 << (index & 7));
}

/** Sets the bits `[start, end)`. */
export function setBits(bitmap: Bytes, start: number, end: number): void {
  let index = start;
  while (index < end && (index & 7) !== 0) setBit(bitmap, index++);
  const whole = Math.floor((end - index) / 8);
  if (whole > 0) bitmap.fill(0xff, index / 8, index / 8 + whole);
  for (index += Math.max(0, whole) * 8; index < end; index++) setBit(bitmap, index);
}

/** Clears the bits `[start, end)`. */
export function clearBits(bitmap: Bytes, start: number, end: number): void {
  let index = start;
  while (index < end && (index & 7) !== 0) clearBit(bitmap, index++);
  const whole = Math.floor((end - index) / 8);
  if (whole > 0) bitmap.fill(0, index / 8, index / 8 + whole);
  for (index += Math.max(0, whole) * 8; index < end; index++) clearBit(bitmap, index);
}

/** The first clear bit in `[start, end)`; `end` when all are set. */
export function findClear(bitmap: Bytes, start: number, end: number): number {
  for (let index = start; index < end; ) {
    if ((index & 7) === 0 && bitmap[index / 8] === 0xff) index += 8;
    else if (testBit(bitmap, index)) index++;
    else return index;
  }
  return end;
}

/** The first set bit in `[start, end)`; `end` when all are clear. */
export function findSet(bitmap: Bytes, start: number, end: number): number {
  for (let index = start; index < end; ) {
    if ((index & 7) === 0 && bitmap[index / 8] === 0) index += 8;
    else if (!testBit(bitmap, index)) index++;
    else return index;
  }
  return end;
}

/**
 * A run of clear bits in `[start, end)`: the first one of at least `wanted` bits, cut to them, else the longest there is; undefined when
 * all bits are set.
 */
export function findClearRun(
  bitmap: Bytes,
  start: number,
  end: number,
  wanted: number,
): { readonly start: number; readonly length: number } | undefined {
  let best: { start: number; length: number } | undefined;
  for (let index = findClear(bitmap, start, end); index < end; ) {
    const stop = findSet(bitmap, index, Math.min(end, index + wanted));
    const length = stop - index;
    if (length >= wanted) return { start: index, length: wanted };
    if (best === undefined || length > best.length) best = { start: index, length };
    index = findClear(bitmap, stop, end);
  }
  return best;
}

const ONES = Uint8Array.from({ length: 256 }, (_, byte) => {
  let count = 0;
  for (let rest = byte; rest > 0; rest &= rest - 1) count++;
  return count;
});

/** How many of the bits `[0, end)` are clear. */
export function countClear(bitmap: Bytes, end: number): number {
  let set = 0;
  const whole = Math.floor(end / 8);
  for (let at = 0; at < whole; at++) set += ONES[bitmap[at]!]!;
  for (let index = whole * 8; index < end; index++) if (testBit(bitmap, index)) set++;
  return end - set;
}
