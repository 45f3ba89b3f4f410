/** On-disk structures of the journal, all big-endian (include/linux/jbd2.h). */
import { array, type Bytes, be, type Decoded, type Field, raw, type Struct, struct, u8 } from '../../bytes/struct.ts';

type Numbers<Names extends string> = Readonly<Record<Names, Field<number>>>;

/** `h_magic` of every block that belongs to the journal itself. */
export const JBD2_MAGIC_NUMBER = 0xc03b3998;

/** `h_blocktype`. */
export const JBD2_DESCRIPTOR_BLOCK = 1;
export const JBD2_COMMIT_BLOCK = 2;
export const JBD2_SUPERBLOCK_V1 = 3;
export const JBD2_SUPERBLOCK_V2 = 4;
export const JBD2_REVOKE_BLOCK = 5;

const HEADER: Numbers<'h_magic' | 'h_blocktype' | 'h_sequence'> = { h_magic: be.u32(0), h_blocktype: be.u32(4), h_sequence: be.u32(8) };
export const JOURNAL_HEADER: Struct<typeof HEADER> = struct('journal_header_t', 12, HEADER);

const SUPERBLOCK: typeof HEADER &
  Numbers<
    | 's_blocksize'
    | 's_maxlen'
    | 's_first'
    | 's_sequence'
    | 's_start'
    | 's_errno'
    | 's_feature_compat'
    | 's_feature_incompat'
    | 's_feature_ro_compat'
    | 's_nr_users'
    | 's_dynsuper'
    | 's_max_transaction'
    | 's_max_trans_data'
    | 's_checksum_type'
    | 's_num_fc_blks'
    | 's_head'
    | 's_checksum'
  > & { readonly s_uuid: Field<Bytes>; readonly s_users: Field<Bytes> } = {
  ...HEADER,
  s_blocksize: be.u32(0x0c),
  s_maxlen: be.u32(0x10),
  s_first: be.u32(0x14),
  s_sequence: be.u32(0x18),
  s_start: be.u32(0x1c),
  s_errno: be.i32(0x20),
  s_feature_compat: be.u32(0x24),
  s_feature_incompat: be.u32(0x28),
  s_feature_ro_compat: be.u32(0x2c),
  s_uuid: raw(0x30, 16),
  s_nr_users: be.u32(0x40),
  s_dynsuper: be.u32(0x44),
  s_max_transaction: be.u32(0x48),
  s_max_trans_data: be.u32(0x4c),
  s_checksum_type: u8(0x50),
  s_num_fc_blks: be.u32(0x54),
  s_head: be.u32(0x58),
  s_checksum: be.u32(0xfc),
  s_users: raw(0x100, 768),
};
export const JOURNAL_SUPERBLOCK: Struct<typeof SUPERBLOCK> = struct('journal_superblock_t', 1024, SUPERBLOCK);
export type RawJournalSuperblock = Decoded<typeof JOURNAL_SUPERBLOCK>;

/** `s_feature_compat`: transactions are summed up in their commit block (checksum v1). */
export const JBD2_FEATURE_COMPAT_CHECKSUM = 0x1;

/** `s_feature_incompat`. */
export const JBD2_INCOMPAT = {
  revoke: 0x1,
  '64bit': 0x2,
  async_commit: 0x4,
  csum_v2: 0x8,
  csum_v3: 0x10,
  fast_commit: 0x20,
} as const;

/** `s_checksum_type` and `h_chksum_type`. */
export const JBD2_CRC32_CHKSUM = 1;
export const JBD2_CRC32C_CHKSUM = 4;
/** `h_chksum_size` of a CRC-32. */
export const JBD2_CRC32_CHKSUM_SIZE = 4;

/** Flags of a block tag. */
export const JBD2_FLAG_ESCAPE = 1;
export const JBD2_FLAG_SAME_UUID = 2;
export const JBD2_FLAG_DELETED = 4;
export const JBD2_FLAG_LAST_TAG = 8;

/** Where the tags of a descriptor block begin. */
export const TAGS_OFFSET = 12;
/** A UUID follows a tag without JBD2_FLAG_SAME_UUID. */
export const TAG_UUID_LENGTH = 16;

const TAG3: Numbers<'t_blocknr' | 't_flags' | 't_blocknr_high' | 't_checksum'> = {
  t_blocknr: be.u32(0),
  t_flags: be.u32(4),
  t_blocknr_high: be.u32(8),
  t_checksum: be.u32(12),
};
/** A tag with csum_v3. */
export const JOURNAL_BLOCK_TAG3: Struct<typeof TAG3> = struct('journal_block_tag3_t', 16, TAG3);

const TAG: Numbers<'t_blocknr' | 't_checksum' | 't_flags'> = { t_blocknr: be.u32(0), t_checksum: be.u16(4), t_flags: be.u16(6) };
/** A tag without csum_v3; `t_blocknr_high` follows with 64bit, and two unused bytes with csum_v2. */
export const JOURNAL_BLOCK_TAG: Struct<typeof TAG> = struct('journal_block_tag_t', 8, TAG);
export const TAG_BLOCKNR_HIGH = 8;

/** The last four bytes of a descriptor or revoke block with csum_v2 or csum_v3. */
export const BLOCK_TAIL_LENGTH = 4;

const REVOKE: typeof HEADER & Numbers<'r_count'> = { ...HEADER, r_count: be.u32(12) };
/** `r_count` is the number of bytes in use, this header included; block numbers of 4 or 8 bytes follow. */
export const JBD2_JOURNAL_REVOKE_HEADER: Struct<typeof REVOKE> = struct('jbd2_journal_revoke_header_t', 16, REVOKE);

const COMMIT: typeof HEADER &
  Numbers<'h_chksum_type' | 'h_chksum_size' | 'h_commit_nsec'> & {
    readonly h_chksum: Field<number[]>;
    readonly h_commit_sec: Field<bigint>;
  } = {
  ...HEADER,
  h_chksum_type: u8(0x0c),
  h_chksum_size: u8(0x0d),
  h_chksum: array(0x10, 8, be.u32),
  h_commit_sec: be.u64bits(0x30),
  h_commit_nsec: be.u32(0x38),
};
export const COMMIT_HEADER: Struct<typeof COMMIT> = struct('commit_header', 0x3c, COMMIT);
/** Where `h_chksum[0]` stands. */
export const COMMIT_CHECKSUM_OFFSET = 0x10;

/** A log needs that many blocks beside its fast-commit area. */
export const JBD2_MIN_JOURNAL_BLOCKS = 1024;
/** The size of the fast-commit area when `s_num_fc_blks` is 0. */
export const JBD2_DEFAULT_FAST_COMMIT_BLOCKS = 256;
