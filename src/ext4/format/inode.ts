/** `struct ext4_inode` (fs/ext4/ext4.h). A field beyond byte 128 exists when `128 + i_extra_isize` covers it. */
import { type Decoded, le, raw, type Struct, struct } from '../../bytes/struct.ts';

const GOOD_OLD = {
  i_mode: le.u16(0x00),
  i_uid: le.u16(0x02),
  i_size_lo: le.u32(0x04),
  i_atime: le.u32(0x08),
  i_ctime: le.u32(0x0c),
  i_mtime: le.u32(0x10),
  i_dtime: le.u32(0x14),
  i_gid: le.u16(0x18),
  i_links_count: le.u16(0x1a),
  i_blocks_lo: le.u32(0x1c),
  i_flags: le.u32(0x20),
  i_version_lo: le.u32(0x24),
  i_block: raw(0x28, 60),
  i_generation: le.u32(0x64),
  i_file_acl_lo: le.u32(0x68),
  i_size_high: le.u32(0x6c),
  i_obso_faddr: le.u32(0x70),
  i_blocks_high: le.u16(0x74),
  i_file_acl_high: le.u16(0x76),
  i_uid_high: le.u16(0x78),
  i_gid_high: le.u16(0x7a),
  i_checksum_lo: le.u16(0x7c),
  i_reserved: le.u16(0x7e),
};

const LARGE = {
  ...GOOD_OLD,
  i_extra_isize: le.u16(0x80),
  i_checksum_hi: le.u16(0x82),
  i_ctime_extra: le.u32(0x84),
  i_mtime_extra: le.u32(0x88),
  i_atime_extra: le.u32(0x8c),
  i_crtime: le.u32(0x90),
  i_crtime_extra: le.u32(0x94),
  i_version_hi: le.u32(0x98),
  i_projid: le.u32(0x9c),
};

/** The first 128 bytes: all of an inode of revision 0. */
export const EXT4_INODE_128: Struct<typeof GOOD_OLD> = struct('ext4_inode', 128, GOOD_OLD);
/** The inode with all fields that are known today, 160 bytes. */
export const EXT4_INODE: Struct<typeof LARGE> = struct('ext4_inode', 160, LARGE);
export type RawInode = Decoded<typeof EXT4_INODE>;

/** `i_flags`. */
export const EXT4_IMMUTABLE_FL = 0x10;
export const EXT4_APPEND_FL = 0x20;
export const EXT4_ENCRYPT_FL = 0x800;
export const EXT4_INDEX_FL = 0x1000;
export const EXT4_HUGE_FILE_FL = 0x40000;
export const EXT4_EXTENTS_FL = 0x80000;
export const EXT4_VERITY_FL = 0x100000;
export const EXT4_EA_INODE_FL = 0x200000;
export const EXT4_INLINE_DATA_FL = 0x10000000;
export const EXT4_PROJINHERIT_FL = 0x20000000;
export const EXT4_CASEFOLD_FL = 0x40000000;

/** Number of direct pointers in `i_block`; single, double and triple indirect ones follow. */
export const EXT4_NDIR_BLOCKS = 12;
