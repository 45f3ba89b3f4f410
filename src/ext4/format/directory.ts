/** Directory blocks (fs/ext4/ext4.h): entries that tile the block, the checksum tail, the roots and nodes of the hash tree. */
import { le, type Struct, struct, u8 } from '../../bytes/struct.ts';

/** `ext4_dir_entry_2`, without its name. Without the `filetype` feature `name_len` has 16 bits and takes the type's place too. */
const ENTRY = { inode: le.u32(0), rec_len: le.u16(4), name_len: u8(6), file_type: u8(7) };
export const EXT4_DIR_ENTRY_2: Struct<typeof ENTRY> = struct('ext4_dir_entry_2', 8, ENTRY);

const TAIL = {
  det_reserved_zero1: le.u32(0),
  det_rec_len: le.u16(4),
  det_reserved_zero2: u8(6),
  det_reserved_ft: u8(7),
  det_checksum: le.u32(8),
};
export const EXT4_DIR_ENTRY_TAIL: Struct<typeof TAIL> = struct('ext4_dir_entry_tail', 12, TAIL);
/** `det_reserved_ft`. */
export const EXT4_FT_DIR_CSUM = 0xde;

const DX_ROOT_INFO = {
  reserved_zero: le.u32(0),
  hash_version: u8(4),
  info_length: u8(5),
  indirect_levels: u8(6),
  unused_flags: u8(7),
};
/** Stands at byte 24 of block 0, after the entries `.` and `..`. */
export const DX_ROOT_INFO_STRUCT: Struct<typeof DX_ROOT_INFO> = struct('dx_root_info', 8, DX_ROOT_INFO);

const DX_COUNTLIMIT = { limit: le.u16(0), count: le.u16(2), block: le.u32(4) };
/** The first slot of a `dx_entry` array: its limit, its count and the block of hash 0. */
export const DX_COUNTLIMIT_STRUCT: Struct<typeof DX_COUNTLIMIT> = struct('dx_countlimit', 8, DX_COUNTLIMIT);

const DX_ENTRY = { hash: le.u32(0), block: le.u32(4) };
export const DX_ENTRY_STRUCT: Struct<typeof DX_ENTRY> = struct('dx_entry', 8, DX_ENTRY);

const DX_TAIL = { dt_reserved: le.u32(0), dt_checksum: le.u32(4) };
/** Follows the array's last possible slot. */
export const DX_TAIL_STRUCT: Struct<typeof DX_TAIL> = struct('dx_tail', 8, DX_TAIL);

/** The longest name in bytes. */
export const EXT4_NAME_LEN = 255;
