/** Extended attributes (fs/ext4/xattr.h). */
import { le, type Struct, struct, u8 } from '../../bytes/struct.ts';

/** `h_magic` of both headers. */
export const EXT4_XATTR_MAGIC = 0xea020000;
/** `h_refcount` at most. */
export const EXT4_XATTR_REFCOUNT_MAX = 1024;
/** The longest value, in bytes (XATTR_SIZE_MAX of linux/limits.h). */
export const XATTR_SIZE_MAX = 65536;

const IBODY_HEADER = { h_magic: le.u32(0) };
/** Stands at byte `128 + i_extra_isize` of the inode; value offsets count from the first entry behind it. */
export const EXT4_XATTR_IBODY_HEADER: Struct<typeof IBODY_HEADER> = struct('ext4_xattr_ibody_header', 4, IBODY_HEADER);

const HEADER = {
  h_magic: le.u32(0x00),
  h_refcount: le.u32(0x04),
  h_blocks: le.u32(0x08),
  h_hash: le.u32(0x0c),
  h_checksum: le.u32(0x10),
};
/** Stands at the start of a block of attributes; value offsets count from the start of the block. */
export const EXT4_XATTR_HEADER: Struct<typeof HEADER> = struct('ext4_xattr_header', 32, HEADER);

const ENTRY = {
  e_name_len: u8(0x0),
  e_name_index: u8(0x1),
  e_value_offs: le.u16(0x2),
  e_value_inum: le.u32(0x4),
  e_value_size: le.u32(0x8),
  e_hash: le.u32(0xc),
};
/** Followed by the name, padded to 4 bytes; the list ends with four zero bytes. */
export const EXT4_XATTR_ENTRY: Struct<typeof ENTRY> = struct('ext4_xattr_entry', 16, ENTRY);

export const EXT4_XATTR_INDEX_POSIX_ACL_ACCESS = 2;
export const EXT4_XATTR_INDEX_POSIX_ACL_DEFAULT = 3;
export const EXT4_XATTR_INDEX_SYSTEM = 7;
export const EXT4_XATTR_INDEX_ENCRYPTION = 9;

/**
 * What `e_name_index` puts before the name (ext4_xattr_handler_map). Indexes that are absent are not shown by the kernel: inline data,
 * the encryption context, rich ACLs.
 */
export const XATTR_PREFIXES: ReadonlyMap<number, string> = new Map([
  [1, 'user.'],
  [EXT4_XATTR_INDEX_POSIX_ACL_ACCESS, 'system.posix_acl_access'],
  [EXT4_XATTR_INDEX_POSIX_ACL_DEFAULT, 'system.posix_acl_default'],
  [4, 'trusted.'],
  [6, 'security.'],
  [10, 'gnu.'],
]);
