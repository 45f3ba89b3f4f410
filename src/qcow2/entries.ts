/**
 * Entries of L1 and L2 tables (qcow2.rst, "Cluster mapping"). An entry is handled as two unsigned 32-bit halves: its flags are the
 * top bits, which no number of 53 bits could keep.
 */
import { joinU64 } from '../bytes/struct.ts';
import { Corrupt, type Where } from '../errors.ts';

/** Bit 63 in the high half: the refcount of what the entry points to is 1. */
export const COPIED = 0x80000000;
/** Bit 62 in the high half. */
export const COMPRESSED = 0x40000000;
/** Bit 0 of the low half: reads as zeros. */
export const ZERO = 1;
/** Bits 9 to 55 are the offset. */
const OFFSET_HIGH = 0x00ffffff;
const OFFSET_LOW = 0xfffffe00;
/** Reserved in a standard L2 entry: bits 1 to 8, and 56 to 61; bit 0 as well with extended entries. */
export const L2_RESERVED_HIGH = 0x3f000000;
export const L2_RESERVED_LOW = 0x1fe;
/** Reserved in an L1 entry: bits 0 to 8, and 56 to 62. */
export const L1_RESERVED_HIGH = 0x7f000000;
export const L1_RESERVED_LOW = 0x1ff;

export const UNALLOCATED = 0;
export const ZERO_PLAIN = 1;
export const ZERO_ALLOCATED = 2;
export const NORMAL = 3;
export const COMPRESSED_CLUSTER = 4;
/** The types of clusters, in the order in which QEMU tells them apart. */
export type ClusterType = 0 | 1 | 2 | 3 | 4;

/** The host offset in an L1 or standard L2 entry. Throws Corrupt beyond 2^53 - 1. */
export function entryOffset(high: number, low: number): number {
  return joinU64((high & OFFSET_HIGH) >>> 0, (low & OFFSET_LOW) >>> 0);
}

/** What an L2 entry is. `zeroFlag` is false with extended L2 entries, whose zeros are told by their bitmaps. */
export function clusterType(high: number, low: number, zeroFlag: boolean, dataFile: boolean): ClusterType {
  if (high & COMPRESSED) return COMPRESSED_CLUSTER;
  const somewhere = (high & OFFSET_HIGH) !== 0 || (low & OFFSET_LOW) !== 0;
  if (zeroFlag && low & ZERO) return somewhere ? ZERO_ALLOCATED : ZERO_PLAIN;
  // In a data file offset 0 is a place like any other; the COPIED flag tells it from nothing.
  return somewhere || (dataFile && high & COPIED) ? NORMAL : UNALLOCATED;
}

/** Where a compressed cluster stands: any byte may be its first; `length` goes to the end of its last sector. */
export interface CompressedRange {
  readonly offset: number;
  readonly length: number;
}

/** Decodes a compressed cluster descriptor: x = 62 - (cluster_bits - 8) bits of offset, then the number of further sectors. */
export function compressedRange(high: number, low: number, clusterBits: number, where: Where): CompressedRange {
  // x is 49 to 61, so the split lies in the high half.
  const split = 62 - (clusterBits - 8) - 32;
  const offset = joinU64((high & (2 ** split - 1)) >>> 0, low >>> 0);
  if (offset >= 2 ** 56) throw new Corrupt(`a compressed cluster at ${offset}`, where);
  const sectors = ((high & 0x3fffffff) >>> split) + 1;
  return { offset, length: sectors * 512 - (offset % 512) };
}

/** Encodes a compressed cluster descriptor for `length` bytes at `offset`, as the halves of an L2 entry. */
export function encodeCompressedRange(offset: number, length: number, clusterBits: number): { high: number; low: number } {
  const split = 62 - (clusterBits - 8) - 32;
  const sectors = Math.floor((offset + length - 1) / 512) - Math.floor(offset / 512);
  return { high: (COMPRESSED | (sectors << split) | Math.floor(offset / 2 ** 32)) >>> 0, low: offset % 2 ** 32 };
}
