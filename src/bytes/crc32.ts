/**
 * Cyclic redundancy checks over the reflected polynomials in use on disks.
 *
 * Slicing by eight: eight bytes are folded per step by eight tables (Kounavis and Berry, "Novel Table Lookup-Based Algorithms for
 * High-Performance CRC Generation"). Nothing is inverted inside {@link crc32cUpdate}: ext4 and jbd2 keep a running value without the
 * usual inversion before and after.
 */
import type { Bytes } from './struct.ts';

function slicingTables(polynomial: number): readonly Uint32Array[] {
  const tables = Array.from({ length: 8 }, () => new Uint32Array(256));
  for (let byte = 0; byte < 256; byte++) {
    let value = byte;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ polynomial : value >>> 1;
    (tables[0] as Uint32Array)[byte] = value;
  }
  for (let k = 1; k < 8; k++) {
    const below = tables[k - 1] as Uint32Array;
    const table = tables[k] as Uint32Array;
    for (let byte = 0; byte < 256; byte++) {
      const value = below[byte] as number;
      table[byte] = (value >>> 8) ^ ((tables[0] as Uint32Array)[value & 0xff] as number);
    }
  }
  return tables;
}

function makeUpdate(polynomial: number): (seed: number, bytes: Bytes, start?: number, end?: number) => number {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = slicingTables(polynomial) as [
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
  ];
  return (seed, bytes, start = 0, end = bytes.length) => {
    let crc = seed >>> 0;
    let i = start;
    // The index is in bounds by construction; the assertions keep the loop free of checks.
    for (; i + 8 <= end; i += 8) {
      const low = crc ^ (bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24));
      crc =
        t7[low & 0xff]! ^
        t6[(low >>> 8) & 0xff]! ^
        t5[(low >>> 16) & 0xff]! ^
        t4[low >>> 24]! ^
        t3[bytes[i + 4]!]! ^
        t2[bytes[i + 5]!]! ^
        t1[bytes[i + 6]!]! ^
        t0[bytes[i + 7]!]!;
    }
    for (; i < end; i++) crc = (crc >>> 8) ^ t0[(crc ^ bytes[i]!) & 0xff]!;
    return crc >>> 0;
  };
}

/** CRC-32C (Castagnoli, 0x82F63B78) continued from `seed` over `bytes[start, end)`, neither inverted before nor after. */
export const crc32cUpdate: (seed: number, bytes: Bytes, start?: number, end?: number) => number = makeUpdate(0x82f63b78);

/** CRC-32 (IEEE 802.3) continued from `seed`, neither inverted before nor after: begin with 0xffffffff and invert the end. */
export const crc32Update: (seed: number, bytes: Bytes, start?: number, end?: number) => number = makeUpdate(0xedb88320);

/** CRC-32 as in IEEE 802.3, gzip and GPT, with the customary inversions. */
export function crc32(bytes: Bytes, start = 0, end: number = bytes.length): number {
  return ~crc32Update(0xffffffff, bytes, start, end) >>> 0;
}

const CRC16_TABLE = Uint16Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xa001 : value >>> 1;
  return value;
});

/** CRC-16 (reflected 0x8005) continued from `seed`: the group descriptor checksum of ext4's uninit_bg. */
export function crc16Update(seed: number, bytes: Bytes, start = 0, end: number = bytes.length): number {
  let crc = seed & 0xffff;
  for (let i = start; i < end; i++) crc = (crc >>> 8) ^ CRC16_TABLE[(crc ^ bytes[i]!) & 0xff]!;
  return crc;
}
