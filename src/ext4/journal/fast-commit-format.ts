/** Records of the fast-commit area, all little-endian (fs/ext4/fast_commit.h): a tag, a length, a value. */
import { type Bytes, type Field, le, raw, type Struct, struct } from '../../bytes/struct.ts';

type Numbers<Names extends string> = Readonly<Record<Names, Field<number>>>;

export const EXT4_FC_TAG_ADD_RANGE = 1;
export const EXT4_FC_TAG_DEL_RANGE = 2;
export const EXT4_FC_TAG_CREAT = 3;
export const EXT4_FC_TAG_LINK = 4;
export const EXT4_FC_TAG_UNLINK = 5;
export const EXT4_FC_TAG_INODE = 6;
export const EXT4_FC_TAG_PAD = 7;
export const EXT4_FC_TAG_TAIL = 8;
export const EXT4_FC_TAG_HEAD = 9;

const TL: Numbers<'fc_tag' | 'fc_len'> = { fc_tag: le.u16(0), fc_len: le.u16(2) };
export const EXT4_FC_TL: Struct<typeof TL> = struct('ext4_fc_tl', 4, TL);

const HEAD: Numbers<'fc_features' | 'fc_tid'> = { fc_features: le.u32(0), fc_tid: le.u32(4) };
export const EXT4_FC_HEAD: Struct<typeof HEAD> = struct('ext4_fc_head', 8, HEAD);

const ADD_RANGE: Numbers<'fc_ino'> & { readonly fc_ex: Field<Bytes> } = { fc_ino: le.u32(0), fc_ex: raw(4, 12) };
/** `fc_ex` is an ext4_extent. */
export const EXT4_FC_ADD_RANGE: Struct<typeof ADD_RANGE> = struct('ext4_fc_add_range', 16, ADD_RANGE);

const DEL_RANGE: Numbers<'fc_ino' | 'fc_lblk' | 'fc_len'> = { fc_ino: le.u32(0), fc_lblk: le.u32(4), fc_len: le.u32(8) };
export const EXT4_FC_DEL_RANGE: Struct<typeof DEL_RANGE> = struct('ext4_fc_del_range', 12, DEL_RANGE);

const DENTRY_INFO: Numbers<'fc_parent_ino' | 'fc_ino'> = { fc_parent_ino: le.u32(0), fc_ino: le.u32(4) };
/** The name follows, to the end of the value. */
export const EXT4_FC_DENTRY_INFO: Struct<typeof DENTRY_INFO> = struct('ext4_fc_dentry_info', 8, DENTRY_INFO);

const INODE: Numbers<'fc_ino'> = { fc_ino: le.u32(0) };
/** The inode as it stands in the inode table follows, to the end of the value. */
export const EXT4_FC_INODE: Struct<typeof INODE> = struct('ext4_fc_inode', 4, INODE);

const TAIL: Numbers<'fc_tid' | 'fc_crc'> = { fc_tid: le.u32(0), fc_crc: le.u32(4) };
export const EXT4_FC_TAIL: Struct<typeof TAIL> = struct('ext4_fc_tail', 8, TAIL);
