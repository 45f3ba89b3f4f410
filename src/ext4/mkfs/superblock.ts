/** The superblock of a new file system. */
import type { Bytes } from '../../bytes/struct.ts';
import { viewOf } from '../../bytes/struct.ts';
import type { WritableDevice } from '../../io/device.ts';
import type { Io } from '../../io/effect.ts';
import { seedOfUuid, superblockChecksum } from '../checksum.ts';
import {
  EXT2_FLAGS_SIGNED_HASH,
  EXT2_FLAGS_TEST_FILESYS,
  EXT4_SUPER_BLOCK,
  EXT4_SUPER_MAGIC,
  EXT4_VALID_FS,
  INCOMPAT,
  type RawSuperblock,
  RO_COMPAT,
  SUPERBLOCK_OFFSET,
} from '../format/index.ts';
import { hasSuperblockCopy, superblockBlock } from '../layout.ts';
import type { Superblock } from '../superblock.ts';
import type { Geometry } from './geometry.ts';
import type { Plan } from './options.ts';

const FIRST_INODE = 11;
/** Bytes of extra fields of an inode: up to `i_projid`. */
export const EXTRA_SIZE = 32;
/** EXT2_DEFM_XATTR_USER and EXT2_DEFM_ACL: mke2fs.conf's `default_mntopts`. */
const DEFAULT_MOUNT_OPTIONS = 0x4 | 0x8;
/** `s_errors`: EXT4_ERRORS_CONTINUE. */
const ERRORS_CONTINUE = 1;
/** `s_max_mnt_count` -1: no check by count. */
const NO_MAXIMUM = 0xffff;
const DX_HASH_HALF_MD4 = 1;
const TWO_32 = 2 ** 32;

const high = (value: number): number => Math.floor(value / TWO_32);
const low = (value: number): number => value % TWO_32;

/** The 1024 bytes of the superblock of group 0, without counts of what is free. */
export function newSuperblock(plan: Plan, geometry: Geometry): Bytes {
  const { options, blockSize, now } = plan;
  const log = Math.log2(blockSize) - 10;
  const time = { low: low(now), high: high(now) & 0xff };
  const seed = viewOf(plan.hashSeed);
  const extra = plan.inodeSize > 128 ? EXTRA_SIZE : 0;
  const bytes = new Uint8Array(EXT4_SUPER_BLOCK.size);
  const fields: Partial<RawSuperblock> = {
    s_inodes_count: geometry.inodesPerGroup * geometry.groupCount,
    s_blocks_count_lo: low(geometry.blocksCount),
    s_blocks_count_hi: high(geometry.blocksCount),
    s_r_blocks_count_lo: low(geometry.reservedBlocks),
    s_r_blocks_count_hi: high(geometry.reservedBlocks),
    s_first_data_block: geometry.firstDataBlock,
    s_log_block_size: log,
    s_log_cluster_size: log,
    s_blocks_per_group: geometry.blocksPerGroup,
    s_clusters_per_group: geometry.blocksPerGroup,
    s_inodes_per_group: geometry.inodesPerGroup,
    s_wtime: time.low,
    s_wtime_hi: time.high,
    s_mkfs_time: time.low,
    s_mkfs_time_hi: time.high,
    s_lastcheck: time.low,
    s_lastcheck_hi: time.high,
    s_max_mnt_count: NO_MAXIMUM,
    s_magic: EXT4_SUPER_MAGIC,
    s_state: EXT4_VALID_FS,
    s_errors: ERRORS_CONTINUE,
    s_creator_os: options.creatorOs ?? 0,
    s_rev_level: 1,
    s_first_ino: FIRST_INODE,
    s_inode_size: plan.inodeSize,
    s_feature_compat: geometry.compat >>> 0,
    s_feature_incompat: geometry.incompat >>> 0,
    s_feature_ro_compat: geometry.roCompat >>> 0,
    s_uuid: plan.uuid,
    s_volume_name: plan.label,
    s_reserved_gdt_blocks: geometry.reservedGdtBlocks,
    s_hash_seed: [0, 4, 8, 12].map((at) => seed.getUint32(at, true)),
    s_def_hash_version: DX_HASH_HALF_MD4,
    s_desc_size: (geometry.incompat & INCOMPAT['64bit']) === 0 ? 0 : geometry.descriptorSize,
    s_default_mount_opts: DEFAULT_MOUNT_OPTIONS,
    s_min_extra_isize: extra,
    s_want_extra_isize: extra,
    s_flags: EXT2_FLAGS_SIGNED_HASH | (options.testFileSystem === true ? EXT2_FLAGS_TEST_FILESYS : 0),
    s_raid_stride: options.stride ?? 0,
    s_raid_stripe_width: options.stripeWidth ?? 0,
    s_mmp_update_interval: options.mmpUpdateInterval ?? 0,
    s_log_groups_per_flex: plan.logGroupsPerFlex,
    s_checksum_type: (geometry.roCompat & RO_COMPAT.metadata_csum) === 0 ? 0 : 1,
    s_checksum_seed: (geometry.incompat & INCOMPAT.metadata_csum_seed) === 0 ? 0 : seedOfUuid(plan.uuid),
    s_backup_bgs: [...geometry.backupGroups],
  };
  if (options.lastMounted !== undefined) {
    const path = new Uint8Array(64);
    path.set(options.lastMounted.subarray(0, 64));
    fields.s_last_mounted = path;
  }
  EXT4_SUPER_BLOCK.write(bytes, 0, fields);
  sealSuperblock(bytes);
  return bytes;
}

/** Puts the right checksum into the 1024 bytes of a superblock, if it has one. */
export function sealSuperblock(bytes: Bytes): void {
  const fields = EXT4_SUPER_BLOCK.read(bytes);
  if ((fields.s_feature_ro_compat & RO_COMPAT.metadata_csum) === 0) return;
  EXT4_SUPER_BLOCK.write(bytes, 0, { s_checksum: superblockChecksum(bytes) });
}

/** The copy for a backup group: it never says that the file system is clean (ext2fs_flush). */
export function backupSuperblock(primary: Bytes, group: number): Bytes {
  const bytes = primary.slice();
  const fields = EXT4_SUPER_BLOCK.read(bytes);
  EXT4_SUPER_BLOCK.write(bytes, 0, {
    s_block_group_nr: group,
    s_state: fields.s_state & ~EXT4_VALID_FS,
    s_feature_incompat: (fields.s_feature_incompat & ~INCOMPAT.needs_recovery) >>> 0,
  });
  sealSuperblock(bytes);
  return bytes;
}

/** Writes the superblock to a device: the copies of backup groups first, the one that makes it a file system last. */
export function* writeSuperblocks(device: WritableDevice, superblock: Superblock, primary: Bytes): Io<void> {
  const { groupCount, blockSize } = superblock;
  for (let group = 1; group < groupCount; group++) {
    if (!hasSuperblockCopy(superblock, group)) continue;
    const block = new Uint8Array(blockSize);
    block.set(backupSuperblock(primary, group));
    yield* device.write(superblockBlock(superblock, group) * blockSize, block);
  }
  yield* device.write(SUPERBLOCK_OFFSET, primary);
}
