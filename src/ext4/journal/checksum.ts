/** Checksums of the journal: version 1 is a big-endian CRC-32 per transaction, versions 2 and 3 are CRC-32C per block. */
import { crc32cUpdate } from '../../bytes/crc32.ts';
import { type Bytes, viewOf } from '../../bytes/struct.ts';
import { BLOCK_TAIL_LENGTH, COMMIT_CHECKSUM_OFFSET } from './format.ts';

const START = 0xffffffff;
const ZEROS = new Uint8Array(4);
const SUPERBLOCK_CHECKSUM = 0xfc;
/** `struct commit_header` with its padding. */
const COMMIT_HEADER_LENGTH = 64;

const CRC32_BE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = (byte << 24) >>> 0;
  for (let bit = 0; bit < 8; bit++) value = value & 0x8000_0000 ? (value << 1) ^ 0x04c1_1db7 : value << 1;
  return value >>> 0;
});

/** `crc32_be` of the kernel, continued from `seed`: most significant bit first, nothing inverted. */
export function crc32beUpdate(seed: number, bytes: Bytes): number {
  let crc = seed | 0;
  for (let i = 0; i < bytes.length; i++) crc = (crc << 8) ^ CRC32_BE[(crc >>> 24) ^ bytes[i]!]!;
  return crc >>> 0;
}

/** What all sums of one journal start from. */
export function journalSeed(uuid: Bytes): number {
  return crc32cUpdate(START, uuid);
}

/** `s_checksum` of the 1024 bytes of a journal superblock. */
export function journalSuperblockChecksum(bytes: Bytes): number {
  let crc = crc32cUpdate(START, bytes, 0, SUPERBLOCK_CHECKSUM);
  crc = crc32cUpdate(crc, ZEROS);
  return crc32cUpdate(crc, bytes, SUPERBLOCK_CHECKSUM + 4, 1024);
}

/** Whether the tail of a descriptor or revoke block is right. */
export function tailMatches(seed: number, block: Bytes): boolean {
  const end = block.length - BLOCK_TAIL_LENGTH;
  return viewOf(block).getUint32(end) === crc32cUpdate(crc32cUpdate(seed, block, 0, end), ZEROS);
}

/** Whether `h_chksum[0]` of a commit block is right (versions 2 and 3). */
export function commitMatches(seed: number, block: Bytes): boolean {
  const stored = viewOf(block).getUint32(COMMIT_CHECKSUM_OFFSET);
  if (commitChecksum(seed, block) === stored) return true;
  // Some kernels summed a block that was zero behind the header and then wrote one that was not (jbd2_commit_block_csum_verify_partial).
  const partial = new Uint8Array(block.length);
  partial.set(block.subarray(0, COMMIT_HEADER_LENGTH));
  return commitChecksum(seed, partial) === stored;
}

function commitChecksum(seed: number, block: Bytes): number {
  let crc = crc32cUpdate(seed, block, 0, COMMIT_CHECKSUM_OFFSET);
  crc = crc32cUpdate(crc, ZEROS);
  return crc32cUpdate(crc, block, COMMIT_CHECKSUM_OFFSET + 4);
}

/** `t_checksum` of a data block as it stands in the journal; csum_v2 keeps the low 16 bits. */
export function dataChecksum(seed: number, sequence: number, block: Bytes): number {
  const bytes = new Uint8Array(4);
  viewOf(bytes).setUint32(0, sequence);
  return crc32cUpdate(crc32cUpdate(seed, bytes), block);
}
