/** What a disk stores whole or not at all. */
import type { Bytes } from '../bytes/index.ts';

/** Bytes of a sector. */
const SECTOR = 512;

/** A write in pieces that lie within one sector each. */
export function sectorsOf(offset: number, bytes: Bytes): (readonly [number, Bytes])[] {
  const pieces: (readonly [number, Bytes])[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = Math.min(bytes.length, at + SECTOR - ((offset + at) % SECTOR));
    pieces.push([offset + at, bytes.subarray(at, end)]);
    at = end;
  }
  return pieces;
}
