/**
 * The checksums of metadata_csum and gdt_csum. All are CRC-32C continued from a seed without any inversion; the group descriptor of
 * `uninit_bg` has a CRC-16 instead. Each function computes what should stand on the disk; comparing is the reader's business.
 */
import { crc16Update, crc32cUpdate } from '../bytes/crc32.ts';
import type { Bytes } from '../bytes/struct.ts';

const START = 0xffffffff;
const ZEROS = new Uint8Array(4);
const number = new Uint8Array(8);
const numberView = new DataView(number.buffer);

function withU32(seed: number, value: number): number {
  numberView.setUint32(0, value, true);
  return crc32cUpdate(seed, number, 0, 4);
}

function withU64(seed: number, value: number): number {
  numberView.setUint32(0, value % 0x1_0000_0000, true);
  numberView.setUint32(4, Math.floor(value / 0x1_0000_0000), true);
  return crc32cUpdate(seed, number, 0, 8);
}

/** The seed of a file system without `metadata_csum_seed`: over its UUID. */
export function seedOfUuid(uuid: Bytes): number {
  return crc32cUpdate(START, uuid);
}

/** The seed of all that belongs to one inode: its extent blocks and directory blocks too. */
export function inodeSeed(seed: number, inode: number, generation: number): number {
  return withU32(withU32(seed, inode), generation);
}

/** `s_checksum`: over the 1020 bytes before it. */
export function superblockChecksum(bytes: Bytes): number {
  return crc32cUpdate(START, bytes, 0, 0x3fc);
}

/** `bg_checksum` under metadata_csum; `bytes[at, at + size)` is the descriptor. */
export function groupDescriptorChecksum(seed: number, group: number, bytes: Bytes, at: number, size: number): number {
  let crc = crc32cUpdate(withU32(seed, group), bytes, at, at + 0x1e);
  crc = crc32cUpdate(crc, ZEROS, 0, 2);
  return crc32cUpdate(crc, bytes, at + 0x20, at + size) & 0xffff;
}

/** `bg_checksum` under uninit_bg (gdt_csum) without metadata_csum. */
export function groupDescriptorCrc16(uuid: Bytes, group: number, bytes: Bytes, at: number, size: number): number {
  let crc = crc16Update(0xffff, uuid);
  numberView.setUint32(0, group, true);
  crc = crc16Update(crc, number, 0, 4);
  crc = crc16Update(crc, bytes, at, at + 0x1e);
  return crc16Update(crc, bytes, at + 0x20, at + size);
}

/** Of a block or inode bitmap, over the first `length` bytes: clusters or inodes of a group, divided by 8. */
export function bitmapChecksum(seed: number, bitmap: Bytes, length: number): number {
  return crc32cUpdate(seed, bitmap, 0, length);
}

/** `i_checksum` of the inode in `bytes[at, at + size)`; all 32 bits, of which small inodes keep the low 16. */
export function inodeChecksum(seed: number, inode: number, bytes: Bytes, at: number, size: number): number {
  // i_generation stands at 0x64, little-endian like the number that enters the sum.
  let crc = crc32cUpdate(withU32(seed, inode), bytes, at + 0x64, at + 0x68);
  crc = crc32cUpdate(crc, bytes, at, at + 0x7c);
  crc = crc32cUpdate(crc, ZEROS, 0, 2);
  if (size === 128) return crc32cUpdate(crc, bytes, at + 0x7e, at + 128);
  if (!hasChecksumHigh(bytes, at, size)) return crc32cUpdate(crc, bytes, at + 0x7e, at + size);
  crc = crc32cUpdate(crc, bytes, at + 0x7e, at + 0x82);
  crc = crc32cUpdate(crc, ZEROS, 0, 2);
  return crc32cUpdate(crc, bytes, at + 0x84, at + size);
}

/** Whether the inode has room for `i_checksum_hi`. */
export function hasChecksumHigh(bytes: Bytes, at: number, size: number): boolean {
  return size > 128 && bytes[at + 0x80]! + bytes[at + 0x81]! * 256 >= 4;
}

/** `et_checksum`, over the header and all `eh_max` entries; `seed` is the inode's. */
export function extentBlockChecksum(seed: number, block: Bytes, max: number): number {
  return crc32cUpdate(seed, block, 0, 12 + 12 * max);
}

/** `det_checksum` of a directory block without an index, over all before its tail; `seed` is the directory's. */
export function directoryBlockChecksum(seed: number, block: Bytes): number {
  return crc32cUpdate(seed, block, 0, block.length - 12);
}

/** `dt_checksum` of an index block whose `dx_countlimit` stands at `countOffset`; `seed` is the directory's. */
export function indexBlockChecksum(seed: number, block: Bytes, countOffset: number, count: number, limit: number): number {
  const tail = countOffset + 8 * limit;
  let crc = crc32cUpdate(seed, block, 0, countOffset + 8 * count);
  crc = crc32cUpdate(crc, block, tail, tail + 4);
  return crc32cUpdate(crc, ZEROS, 0, 4);
}

/** `h_checksum` of the block of attributes that stands at block number `blockNumber`. */
export function xattrBlockChecksum(seed: number, blockNumber: number, block: Bytes): number {
  let crc = crc32cUpdate(withU64(seed, blockNumber), block, 0, 0x10);
  crc = crc32cUpdate(crc, ZEROS, 0, 4);
  return crc32cUpdate(crc, block, 0x14);
}

/** Of a block of the orphan file: over all but its 8-byte tail; `seed` is the orphan file's inode seed. */
export function orphanBlockChecksum(seed: number, blockNumber: number, block: Bytes): number {
  return crc32cUpdate(withU64(seed, blockNumber), block, 0, block.length - 8);
}

/** `mmp_checksum`. */
export function mmpChecksum(seed: number, block: Bytes): number {
  return crc32cUpdate(seed, block, 0, 0x3fc);
}

/** What an attribute value kept in an inode of its own (ea_inode) is known by. */
export function eaInodeHash(seed: number, value: Bytes): number {
  return crc32cUpdate(seed, value);
}
