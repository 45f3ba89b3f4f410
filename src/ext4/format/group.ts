/** `struct ext4_group_desc` (fs/ext4/ext4.h). The low halves are 32 bytes; the high halves exist with `64bit` and 64 bytes or more. */
import { type Decoded, le, type Struct, struct } from '../../bytes/struct.ts';

const LOW = {
  bg_block_bitmap_lo: le.u32(0x00),
  bg_inode_bitmap_lo: le.u32(0x04),
  bg_inode_table_lo: le.u32(0x08),
  bg_free_blocks_count_lo: le.u16(0x0c),
  bg_free_inodes_count_lo: le.u16(0x0e),
  bg_used_dirs_count_lo: le.u16(0x10),
  bg_flags: le.u16(0x12),
  bg_exclude_bitmap_lo: le.u32(0x14),
  bg_block_bitmap_csum_lo: le.u16(0x18),
  bg_inode_bitmap_csum_lo: le.u16(0x1a),
  bg_itable_unused_lo: le.u16(0x1c),
  bg_checksum: le.u16(0x1e),
};

const FULL = {
  ...LOW,
  bg_block_bitmap_hi: le.u32(0x20),
  bg_inode_bitmap_hi: le.u32(0x24),
  bg_inode_table_hi: le.u32(0x28),
  bg_free_blocks_count_hi: le.u16(0x2c),
  bg_free_inodes_count_hi: le.u16(0x2e),
  bg_used_dirs_count_hi: le.u16(0x30),
  bg_itable_unused_hi: le.u16(0x32),
  bg_exclude_bitmap_hi: le.u32(0x34),
  bg_block_bitmap_csum_hi: le.u16(0x38),
  bg_inode_bitmap_csum_hi: le.u16(0x3a),
  bg_reserved: le.u32(0x3c),
};

export const EXT4_GROUP_DESC_32: Struct<typeof LOW> = struct('ext4_group_desc', 32, LOW);
export const EXT4_GROUP_DESC_64: Struct<typeof FULL> = struct('ext4_group_desc', 64, FULL);
export type RawGroupDescriptor = Decoded<typeof EXT4_GROUP_DESC_64>;

/** `bg_flags`. */
export const EXT4_BG_INODE_UNINIT = 0x1;
export const EXT4_BG_BLOCK_UNINIT = 0x2;
export const EXT4_BG_INODE_ZEROED = 0x4;
