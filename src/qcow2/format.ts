/**
 * The structures of qcow2 under the names of QEMU's docs/interop/qcow2.rst. All integers are big-endian.
 *
 * Limits are those of QEMU (block/qcow2.h, block/qcow2.c) or tighter.
 */
import { type Bytes, be, type Field, raw, type Struct, struct, u8 } from '../bytes/struct.ts';

type N = Field<number>;

/** "QFI" and 0xfb. */
export const MAGIC = 0x514649fb;

type HeaderFields = {
  readonly magic: N;
  readonly version: N;
  readonly backing_file_offset: N;
  readonly backing_file_size: N;
  readonly cluster_bits: N;
  readonly size: N;
  readonly crypt_method: N;
  readonly l1_size: N;
  readonly l1_table_offset: N;
  readonly refcount_table_offset: N;
  readonly refcount_table_clusters: N;
  readonly nb_snapshots: N;
  readonly snapshots_offset: N;
};

/** The fields of both versions: bytes 0 to 71. `size` is in bytes, `l1_size` in entries. */
export const HEADER: Struct<HeaderFields> = struct('qcow2 header', 72, {
  magic: be.u32(0),
  version: be.u32(4),
  backing_file_offset: be.u64(8),
  backing_file_size: be.u32(16),
  cluster_bits: be.u32(20),
  size: be.u64(24),
  crypt_method: be.u32(32),
  l1_size: be.u32(36),
  l1_table_offset: be.u64(40),
  refcount_table_offset: be.u64(48),
  refcount_table_clusters: be.u32(56),
  nb_snapshots: be.u32(60),
  snapshots_offset: be.u64(64),
});

type HeaderV3Fields = {
  readonly incompatible_features: Field<bigint>;
  readonly compatible_features: Field<bigint>;
  readonly autoclear_features: Field<bigint>;
  readonly refcount_order: N;
  readonly header_length: N;
};

/** What version 3 adds: bytes 72 to 103. */
export const HEADER_V3: Struct<HeaderV3Fields> = struct('qcow2 header, version 3', 104, {
  incompatible_features: be.u64bits(72),
  compatible_features: be.u64bits(80),
  autoclear_features: be.u64bits(88),
  refcount_order: be.u32(96),
  header_length: be.u32(100),
});

/** Where `compression_type` (u8) stands, if the header is longer than this. */
export const COMPRESSION_TYPE_OFFSET = 104;

export const INCOMPATIBLE_DIRTY: bigint = 1n << 0n;
export const INCOMPATIBLE_CORRUPT: bigint = 1n << 1n;
export const INCOMPATIBLE_DATA_FILE: bigint = 1n << 2n;
export const INCOMPATIBLE_COMPRESSION: bigint = 1n << 3n;
export const INCOMPATIBLE_EXTENDED_L2: bigint = 1n << 4n;
export const INCOMPATIBLE_KNOWN: bigint =
  INCOMPATIBLE_DIRTY | INCOMPATIBLE_CORRUPT | INCOMPATIBLE_DATA_FILE | INCOMPATIBLE_COMPRESSION | INCOMPATIBLE_EXTENDED_L2;
export const COMPATIBLE_LAZY_REFCOUNTS: bigint = 1n << 0n;
export const AUTOCLEAR_BITMAPS: bigint = 1n << 0n;
export const AUTOCLEAR_DATA_FILE_RAW: bigint = 1n << 1n;

export const CRYPT_NONE = 0;
export const CRYPT_AES = 1;
export const CRYPT_LUKS = 2;

type ExtensionFields = {
  readonly type: N;
  readonly length: N;
};

/** A header extension: this, then `length` bytes, padded to 8. */
export const EXTENSION: Struct<ExtensionFields> = struct('qcow2 header extension', 8, { type: be.u32(0), length: be.u32(4) });

export const EXTENSION_END = 0x00000000;
export const EXTENSION_BACKING_FORMAT = 0xe2792aca;
export const EXTENSION_FEATURE_NAMES = 0x6803f857;
export const EXTENSION_BITMAPS = 0x23852875;
export const EXTENSION_ENCRYPTION = 0x0537be77;
export const EXTENSION_DATA_FILE = 0x44415441;

type FeatureNameFields = {
  readonly type: N;
  readonly bit: N;
  readonly name: Field<Bytes>;
};

/** An entry of the feature name table. */
export const FEATURE_NAME: Struct<FeatureNameFields> = struct('qcow2 feature name', 48, { type: u8(0), bit: u8(1), name: raw(2, 46) });

type BitmapsExtensionFields = {
  readonly nb_bitmaps: N;
  readonly reserved: N;
  readonly bitmap_directory_size: N;
  readonly bitmap_directory_offset: N;
};

export const BITMAPS_EXTENSION: Struct<BitmapsExtensionFields> = struct('qcow2 bitmaps extension', 24, {
  nb_bitmaps: be.u32(0),
  reserved: be.u32(4),
  bitmap_directory_size: be.u64(8),
  bitmap_directory_offset: be.u64(16),
});

type EncryptionExtensionFields = {
  readonly offset: N;
  readonly length: N;
};

export const ENCRYPTION_EXTENSION: Struct<EncryptionExtensionFields> = struct('qcow2 full disk encryption header pointer', 16, {
  offset: be.u64(0),
  length: be.u64(8),
});

type SnapshotFields = {
  readonly l1_table_offset: N;
  readonly l1_size: N;
  readonly id_str_size: N;
  readonly name_size: N;
  readonly date_sec: N;
  readonly date_nsec: N;
  readonly vm_clock_nsec_high: N;
  readonly vm_clock_nsec_low: N;
  readonly vm_state_size: N;
  readonly extra_data_size: N;
};

/** The fixed part of a snapshot table entry; the clock is split, as it may use all 64 bits. */
export const SNAPSHOT: Struct<SnapshotFields> = struct('qcow2 snapshot', 40, {
  l1_table_offset: be.u64(0),
  l1_size: be.u32(8),
  id_str_size: be.u16(12),
  name_size: be.u16(14),
  date_sec: be.u32(16),
  date_nsec: be.u32(20),
  vm_clock_nsec_high: be.u32(24),
  vm_clock_nsec_low: be.u32(28),
  vm_state_size: be.u32(32),
  extra_data_size: be.u32(36),
});

type SnapshotExtraFields = {
  readonly vm_state_size_large: Field<bigint>;
  readonly disk_size: Field<bigint>;
  readonly icount: Field<bigint>;
};

/** The extra data of a snapshot; an entry may have less or more of it. */
export const SNAPSHOT_EXTRA: Struct<SnapshotExtraFields> = struct('qcow2 snapshot extra data', 24, {
  vm_state_size_large: be.u64bits(0),
  disk_size: be.u64bits(8),
  icount: be.u64bits(16),
});

type BitmapFields = {
  readonly bitmap_table_offset: N;
  readonly bitmap_table_size: N;
  readonly flags: N;
  readonly type: N;
  readonly granularity_bits: N;
  readonly name_size: N;
  readonly extra_data_size: N;
};

/** An entry of the bitmap directory; extra data, the name and padding to 8 follow. */
export const BITMAP: Struct<BitmapFields> = struct('qcow2 bitmap directory entry', 24, {
  bitmap_table_offset: be.u64(0),
  bitmap_table_size: be.u32(8),
  flags: be.u32(12),
  type: u8(16),
  granularity_bits: u8(17),
  name_size: be.u16(18),
  extra_data_size: be.u32(20),
});

export const BITMAP_IN_USE = 1;
export const BITMAP_AUTO = 2;
export const BITMAP_TRACKING = 1;

export const MIN_CLUSTER_BITS = 9;
export const MAX_CLUSTER_BITS = 21;
/** Extended L2 entries need subclusters of at least 512 bytes. */
export const MIN_CLUSTER_BITS_EXTENDED_L2 = 14;
export const MAX_BACKING_NAME = 1023;
export const MAX_FORMAT_NAME = 15;
export const MAX_DATA_FILE_NAME = 4095;
/** Bytes of an L1 table, active or of a snapshot. */
export const MAX_L1_BYTES: number = 32 << 20;
export const MAX_REFCOUNT_TABLE_BYTES: number = 8 << 20;
export const MAX_REFCOUNT_ORDER = 6;
export const MAX_SNAPSHOTS = 65536;
export const MAX_SNAPSHOT_EXTRA = 1024;
export const MAX_SNAPSHOT_TABLE_BYTES: number = 64 << 20;
export const MAX_BITMAPS = 65535;
export const MAX_BITMAP_DIRECTORY_BYTES: number = 1024 * MAX_BITMAPS;
export const MIN_BITMAP_GRANULARITY_BITS = 9;
export const MAX_BITMAP_GRANULARITY_BITS = 31;
export const MAX_ENCRYPTION_HEADER_BYTES: number = 16 << 20;
export const SECTOR = 512;
/** Subclusters in a cluster with extended L2 entries. */
export const SUBCLUSTERS = 32;
