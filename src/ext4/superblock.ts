/** The superblock, decoded and checked: everything else computes with numbers that passed here. */
import type { Bytes } from '../bytes/struct.ts';
import { joinU64 } from '../bytes/struct.ts';
import { untilNul } from '../bytes/text.ts';
import { Corrupt, Unsupported, type Where } from '../errors.ts';
import { seedOfUuid, superblockChecksum } from './checksum.ts';
import {
  COMPAT,
  EXT2_FLAGS_TEST_FILESYS,
  EXT4_GOOD_OLD_FIRST_INO,
  EXT4_GOOD_OLD_INODE_SIZE,
  EXT4_SUPER_BLOCK,
  EXT4_SUPER_MAGIC,
  featureNames,
  INCOMPAT,
  type RawSuperblock,
  READABLE_INCOMPAT,
  RO_COMPAT,
} from './format/index.ts';

/** A superblock whose geometry is possible. Sizes are bytes, counts are as their names say. */
export interface Superblock {
  /** The fields as they stand on the disk. */
  readonly raw: RawSuperblock;
  readonly type: 'ext2' | 'ext3' | 'ext4';
  readonly compat: number;
  readonly incompat: number;
  readonly roCompat: number;
  readonly blockSize: number;
  /** The unit of allocation; the block size unless `bigalloc`. */
  readonly clusterSize: number;
  /** Blocks per cluster. */
  readonly clusterRatio: number;
  readonly blocksCount: number;
  readonly reservedBlocks: number;
  readonly firstDataBlock: number;
  readonly blocksPerGroup: number;
  readonly clustersPerGroup: number;
  readonly inodesCount: number;
  readonly inodesPerGroup: number;
  readonly inodeSize: number;
  readonly firstInode: number;
  readonly groupCount: number;
  readonly groupDescriptorSize: number;
  readonly uuid: Bytes;
  readonly label: Bytes;
  readonly metadataCsum: boolean;
  /** `uninit_bg` without metadata_csum: descriptors have a CRC-16. */
  readonly gdtCsum: boolean;
  /** The seed of metadata checksums, and of the hashes of ea_inode values. */
  readonly checksumSeed: number;
  /** Why this must not be written; undefined when nothing is against it. */
  readonly readOnlyReason: string | undefined;
}

export interface SuperblockOptions {
  /** `ignore` accepts a wrong checksum and tells `onMismatch`. */
  readonly checksums?: 'verify' | 'ignore';
  readonly onMismatch?: (message: string) => void;
}

/** Largest `s_log_block_size`: 64 KiB. */
const MAX_LOG_BLOCK_SIZE = 6;
/** Largest `s_log_cluster_size`: EXT4_MAX_CLUSTER_LOG_SIZE, 1 GiB, less the 10 of the unit. */
const MAX_LOG_CLUSTER_SIZE = 20;
/** EXT4_MAX_DESC_SIZE. */
const MAX_DESCRIPTOR_SIZE = 1024;

const EXT2_RO_COMPAT = RO_COMPAT.sparse_super | RO_COMPAT.large_file | RO_COMPAT.btree_dir;
const EXT3_INCOMPAT = INCOMPAT.filetype | INCOMPAT.needs_recovery | INCOMPAT.meta_bg;
const KNOWN_RO_COMPAT = Object.values(RO_COMPAT).reduce((sum, bit) => sum | bit, 0);
const FORBIDS_WRITING = RO_COMPAT.has_snapshot | RO_COMPAT.replica | RO_COMPAT['read-only'] | RO_COMPAT.shared_blocks | RO_COMPAT.btree_dir;

/** Whether the 1024 bytes claim to be a superblock of ext2, ext3 or ext4. */
export function hasSuperblockMagic(bytes: Bytes): boolean {
  return bytes[0x38] === (EXT4_SUPER_MAGIC & 0xff) && bytes[0x39] === EXT4_SUPER_MAGIC >> 8;
}

/**
 * Decodes and checks the 1024 bytes of a superblock. Throws Corrupt for an impossible one, Unsupported for features that this library
 * cannot read, by name. `where.offset` is the superblock's place.
 */
export function parseSuperblock(bytes: Bytes, where: Where = {}, options: SuperblockOptions = {}): Superblock {
  const corrupt = (message: string): Corrupt => new Corrupt(`superblock: ${message}`, { layer: 'ext4', ...where });
  const raw = EXT4_SUPER_BLOCK.read(bytes);
  if (raw.s_magic !== EXT4_SUPER_MAGIC)
    throw corrupt(`magic 0x${raw.s_magic.toString(16)} instead of 0xef53; this is no ext2, ext3 or ext4`);
  const compat = raw.s_feature_compat;
  const incompat = raw.s_feature_incompat;
  const roCompat = raw.s_feature_ro_compat;
  refuseUnreadable(incompat, where);
  const metadataCsum = (roCompat & RO_COMPAT.metadata_csum) !== 0;
  if (metadataCsum) {
    if (raw.s_checksum_type !== 1) throw new Unsupported(`checksum type ${raw.s_checksum_type}`, undefined, { layer: 'ext4', ...where });
    const checksum = superblockChecksum(bytes);
    if (checksum !== raw.s_checksum) {
      const message = `checksum 0x${raw.s_checksum.toString(16)} does not match its contents (0x${checksum.toString(16)})`;
      if (options.checksums !== 'ignore') throw corrupt(message);
      options.onMismatch?.(`superblock: ${message}`);
    }
  }
  const has64bit = (incompat & INCOMPAT['64bit']) !== 0;
  const join = (high: number, low: number): number => {
    if (has64bit && high >= 0x20_0000) throw corrupt('a number of blocks that exceeds 2^53');
    return has64bit ? joinU64(high, low) : low;
  };
  const sizes = checkSizes(raw, corrupt);
  const { blockSize, clusterRatio, blocksPerGroup, inodesPerGroup } = sizes;
  const blocksCount = join(raw.s_blocks_count_hi, raw.s_blocks_count_lo);
  if (blocksCount * blockSize > Number.MAX_SAFE_INTEGER) throw corrupt(`${blocksCount} blocks of ${blockSize} bytes exceed 2^53 bytes`);
  const firstDataBlock = raw.s_first_data_block;
  if (firstDataBlock >= blocksCount) throw corrupt(`first data block ${firstDataBlock} beyond the ${blocksCount} blocks`);
  if (firstDataBlock !== (blockSize === 1024 && clusterRatio === 1 ? 1 : 0)) {
    throw corrupt(`first data block ${firstDataBlock} with blocks of ${blockSize} bytes`);
  }
  const groupCount = Math.ceil((blocksCount - firstDataBlock) / blocksPerGroup);
  if (groupCount * inodesPerGroup !== raw.s_inodes_count) {
    throw corrupt(`${raw.s_inodes_count} inodes are not ${inodesPerGroup} in each of ${groupCount} groups`);
  }
  const metaGroups = Math.ceil((groupCount * sizes.groupDescriptorSize) / blockSize);
  if ((incompat & INCOMPAT.meta_bg) !== 0 && raw.s_first_meta_bg > metaGroups) {
    throw corrupt(`first meta block group ${raw.s_first_meta_bg} of ${metaGroups}`);
  }
  return {
    raw,
    type: typeOf(compat, incompat, roCompat),
    compat,
    incompat,
    roCompat,
    ...sizes,
    blocksCount,
    reservedBlocks: join(raw.s_r_blocks_count_hi, raw.s_r_blocks_count_lo),
    firstDataBlock,
    inodesCount: raw.s_inodes_count,
    groupCount,
    uuid: raw.s_uuid,
    label: untilNul(raw.s_volume_name),
    metadataCsum,
    gdtCsum: !metadataCsum && (roCompat & RO_COMPAT.uninit_bg) !== 0,
    checksumSeed: (incompat & INCOMPAT.metadata_csum_seed) !== 0 ? raw.s_checksum_seed : seedOfUuid(raw.s_uuid),
    readOnlyReason: readOnlyReasonOf(raw),
  };
}

interface Sizes {
  readonly blockSize: number;
  readonly clusterSize: number;
  readonly clusterRatio: number;
  readonly blocksPerGroup: number;
  readonly clustersPerGroup: number;
  readonly inodesPerGroup: number;
  readonly inodeSize: number;
  readonly firstInode: number;
  readonly groupDescriptorSize: number;
}

/** The bounds of ext4_fill_super and its parts (fs/ext4/super.c). */
function checkSizes(raw: RawSuperblock, corrupt: (message: string) => Corrupt): Sizes {
  if (raw.s_log_block_size > MAX_LOG_BLOCK_SIZE) throw corrupt(`block size 2^${raw.s_log_block_size + 10} exceeds 64 KiB`);
  const blockSize = 1024 << raw.s_log_block_size;
  const bigalloc = (raw.s_feature_ro_compat & RO_COMPAT.bigalloc) !== 0;
  if (raw.s_log_cluster_size > MAX_LOG_CLUSTER_SIZE || raw.s_log_cluster_size < raw.s_log_block_size) {
    throw corrupt(`cluster size 2^${raw.s_log_cluster_size + 10} with blocks of ${blockSize} bytes`);
  }
  if (!bigalloc && raw.s_log_cluster_size !== raw.s_log_block_size) {
    throw corrupt(`cluster size 2^${raw.s_log_cluster_size + 10} differs from the block size without bigalloc`);
  }
  const clusterRatio = 2 ** (raw.s_log_cluster_size - raw.s_log_block_size);
  const blocksPerGroup = raw.s_blocks_per_group;
  const clustersPerGroup = bigalloc ? raw.s_clusters_per_group : blocksPerGroup;
  if (clustersPerGroup < 1 || clustersPerGroup > blockSize * 8 || clustersPerGroup * clusterRatio !== blocksPerGroup) {
    throw corrupt(`${clustersPerGroup} clusters and ${blocksPerGroup} blocks per group`);
  }
  const old = raw.s_rev_level === 0;
  const inodeSize = old ? EXT4_GOOD_OLD_INODE_SIZE : raw.s_inode_size;
  if (inodeSize < 128 || inodeSize > blockSize || (inodeSize & (inodeSize - 1)) !== 0) throw corrupt(`inode size ${inodeSize}`);
  const firstInode = old ? EXT4_GOOD_OLD_FIRST_INO : raw.s_first_ino;
  if (firstInode < EXT4_GOOD_OLD_FIRST_INO) throw corrupt(`first inode ${firstInode}`);
  const inodesPerGroup = raw.s_inodes_per_group;
  if (inodesPerGroup < blockSize / inodeSize || inodesPerGroup > blockSize * 8) throw corrupt(`${inodesPerGroup} inodes per group`);
  let groupDescriptorSize = 32;
  if ((raw.s_feature_incompat & INCOMPAT['64bit']) !== 0) {
    groupDescriptorSize = raw.s_desc_size;
    if (groupDescriptorSize < 64 || groupDescriptorSize > MAX_DESCRIPTOR_SIZE || (groupDescriptorSize & (groupDescriptorSize - 1)) !== 0) {
      throw corrupt(`group descriptor size ${groupDescriptorSize}`);
    }
  }
  return {
    blockSize,
    clusterSize: blockSize * clusterRatio,
    clusterRatio,
    blocksPerGroup,
    clustersPerGroup,
    inodesPerGroup,
    inodeSize,
    firstInode,
    groupDescriptorSize,
  };
}

function refuseUnreadable(incompat: number, where: Where): void {
  const unreadable = incompat & ~READABLE_INCOMPAT;
  if (unreadable === 0) return;
  const names = featureNames(unreadable, INCOMPAT, 'I');
  const message =
    (unreadable & INCOMPAT.journal_dev) !== 0
      ? 'journal_dev: this device is the external journal of another file system'
      : `incompatible features that cannot be read: ${names.join(', ')}`;
  throw new Unsupported(names.join(','), message, { layer: 'ext4', ...where });
}

/** ext2, ext3 or ext4 by the features in use, as blkid tells them apart. */
function typeOf(compat: number, incompat: number, roCompat: number): 'ext2' | 'ext3' | 'ext4' {
  if ((incompat & ~EXT3_INCOMPAT) !== 0 || (roCompat & ~EXT2_RO_COMPAT) !== 0) return 'ext4';
  return (compat & COMPAT.has_journal) !== 0 ? 'ext3' : 'ext2';
}

function readOnlyReasonOf(raw: RawSuperblock): string | undefined {
  const reasons: string[] = [];
  const forbidding = raw.s_feature_ro_compat & (~KNOWN_RO_COMPAT | FORBIDS_WRITING);
  if (forbidding !== 0) reasons.push(`features ${featureNames(forbidding, RO_COMPAT, 'R').join(', ')}`);
  if (raw.s_rev_level > 1) reasons.push(`revision level ${raw.s_rev_level}`);
  const both = RO_COMPAT.metadata_csum | RO_COMPAT.uninit_bg;
  if ((raw.s_feature_ro_compat & both) === both) reasons.push('features metadata_csum and uninit_bg exclude each other');
  if ((raw.s_flags & EXT2_FLAGS_TEST_FILESYS) !== 0) reasons.push('flag of a development file system');
  return reasons.length === 0 ? undefined : reasons.join('; ');
}
