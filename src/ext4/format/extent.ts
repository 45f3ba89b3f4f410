/** The nodes of an extent tree (fs/ext4/ext4_extents.h): a header, then entries of 12 bytes. */
import { le, type Struct, struct } from '../../bytes/struct.ts';

const HEADER = {
  eh_magic: le.u16(0),
  eh_entries: le.u16(2),
  eh_max: le.u16(4),
  eh_depth: le.u16(6),
  eh_generation: le.u32(8),
};
export const EXT4_EXTENT_HEADER: Struct<typeof HEADER> = struct('ext4_extent_header', 12, HEADER);

const LEAF = { ee_block: le.u32(0), ee_len: le.u16(4), ee_start_hi: le.u16(6), ee_start_lo: le.u32(8) };
export const EXT4_EXTENT: Struct<typeof LEAF> = struct('ext4_extent', 12, LEAF);

const INDEX = { ei_block: le.u32(0), ei_leaf_lo: le.u32(4), ei_leaf_hi: le.u16(8), ei_unused: le.u16(10) };
export const EXT4_EXTENT_IDX: Struct<typeof INDEX> = struct('ext4_extent_idx', 12, INDEX);

/** `eh_magic`. */
export const EXT4_EXT_MAGIC = 0xf30a;
/** `eh_depth` of the root at most: enough for 2^32 blocks at any block size. */
export const EXT4_MAX_EXTENT_DEPTH = 5;
/** The longest initialised extent, in blocks; `ee_len` above it means an uninitialised one of `ee_len - 32768`. */
export const EXT_INIT_MAX_LEN = 32768;
