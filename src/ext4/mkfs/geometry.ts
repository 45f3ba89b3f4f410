/** The geometry of a new file system: how many groups of which size, how many inodes in each (ext2fs_initialize of e2fsprogs). */
import { Posix } from '../../errors.ts';
import { COMPAT, INCOMPAT, RO_COMPAT } from '../format/index.ts';
import { hasSuperblockCopy } from '../layout.ts';
import type { FeatureWords } from './features.ts';
import { invalid, type Plan } from './options.ts';

/** Sizes in blocks unless said otherwise. */
export interface Geometry extends FeatureWords {
  readonly blocksCount: number;
  readonly firstDataBlock: number;
  readonly blocksPerGroup: number;
  readonly groupCount: number;
  readonly inodesPerGroup: number;
  /** Of a group's inode table. */
  readonly tableBlocks: number;
  /** In bytes. */
  readonly descriptorSize: number;
  readonly descriptorBlocks: number;
  readonly reservedGdtBlocks: number;
  readonly reservedBlocks: number;
  /** `s_backup_bgs`. */
  readonly backupGroups: readonly number[];
}

/** EXT2_MAX_BLOCKS_PER_GROUP: counts in descriptors have 16 bits. */
const MAX_BLOCKS_PER_GROUP = 65528;
const FIRST_INODE = 11;
/** Blocks that a last group must have beyond its own metadata. */
const LAST_GROUP_ROOM = 50;
/** A file system grows online to 1024 times its size at most, and to this many blocks. */
const MAX_RESIZE = 2 ** 32 - 1;

/** Throws Posix (ENOSPC) when the device is too small, Posix (EINVAL) for numbers that do not go together. */
export function geometryFor(plan: Plan): Geometry {
  const { blockSize } = plan;
  const firstDataBlock = blockSize === 1024 ? 1 : 0;
  let blocksCount = plan.blocksCount;
  let reservedBlocks = plan.reservedBlocks;
  let blocksPerGroup = plan.blocksPerGroup ?? Math.min(8 * blockSize, MAX_BLOCKS_PER_GROUP);
  // Each round makes one of the two smaller.
  for (;;) {
    if (blocksCount <= firstDataBlock) throw tooSmall(plan.blocksCount);
    const groupCount = Math.ceil((blocksCount - firstDataBlock) / blocksPerGroup);
    const inodesCount = Math.max(plan.inodesCount, FIRST_INODE + 1);
    const wanted = Math.ceil(inodesCount / groupCount);
    if (wanted > blockSize * 8) {
      if (blocksPerGroup < 256) throw invalid('too many inodes');
      blocksPerGroup -= 8;
      blocksCount = plan.blocksCount;
      continue;
    }
    const inodesPerGroup = inodesPerGroupFor(plan, wanted, groupCount);
    if (inodesPerGroup * groupCount <= FIRST_INODE) throw tooSmall(plan.blocksCount);
    const found = withDescriptors(plan, { reservedBlocks, blocksCount, firstDataBlock, blocksPerGroup, groupCount, inodesPerGroup });
    if (lengthOfMetadata(found) > blocksPerGroup) throw invalid('too many inodes for the size of the groups');
    const remainder = (blocksCount - firstDataBlock) % blocksPerGroup;
    const least = metadataOfLastGroup(found);
    if (groupCount === 1 && remainder !== 0 && remainder < least) throw tooSmall(plan.blocksCount);
    if (remainder !== 0 && remainder < least + LAST_GROUP_ROOM) {
      // The share of reserved blocks stays, as far as whole numbers allow.
      blocksCount -= remainder;
      reservedBlocks = Math.floor((plan.reservedBlocks * blocksCount) / plan.blocksCount);
      continue;
    }
    return found;
  }
}

function tooSmall(blocks: number): Posix {
  return new Posix('ENOSPC', { layer: 'ext4' }, `${blocks} blocks are too few for a file system`);
}

/** Fills whole blocks of the table, and whole bytes of the bitmap. */
function inodesPerGroupFor({ blockSize, inodeSize }: Plan, wanted: number, groupCount: number): number {
  const perBlock = blockSize / inodeSize;
  let least = Math.min(wanted, Math.min(blockSize * 8, 65536 - perBlock));
  for (;;) {
    const filled = Math.ceil(least / perBlock) * perBlock;
    const inodes = Math.floor(Math.max(filled, 8) / 8) * 8;
    if (inodes * groupCount < 2 ** 32) return inodes;
    least--;
  }
}

type Sizes = Pick<Geometry, 'reservedBlocks' | 'blocksCount' | 'firstDataBlock' | 'blocksPerGroup' | 'groupCount' | 'inodesPerGroup'>;

function withDescriptors(plan: Plan, sizes: Sizes): Geometry {
  const { blockSize, inodeSize } = plan;
  let { compat, incompat } = plan;
  const { blocksPerGroup, groupCount } = sizes;
  const descriptorSize = (incompat & INCOMPAT['64bit']) === 0 ? 32 : 64;
  const perBlock = blockSize / descriptorSize;
  const descriptorBlocks = Math.ceil(groupCount / perBlock);
  let reservedGdtBlocks = 0;
  if ((compat & COMPAT.resize_inode) !== 0) {
    const keep = (blocks: number, from: number): number =>
      Math.max(0, Math.ceil(Math.ceil((blocks - from) / blocksPerGroup) / perBlock) - descriptorBlocks);
    const asked = plan.options.maximumOnlineResize;
    if (asked !== undefined && !(asked > plan.blocksCount)) throw invalid('the resize maximum must be greater than the file system size');
    const byDefault = keep(Math.min(sizes.blocksCount * 1024, MAX_RESIZE), sizes.firstDataBlock);
    // A maximum that needs no more descriptors is no wish at all.
    reservedGdtBlocks = Math.min((asked === undefined ? 0 : keep(asked, 0)) || byDefault, blockSize / 4);
  }
  if (reservedGdtBlocks + descriptorBlocks > (blocksPerGroup * 3) / 4) {
    incompat |= INCOMPAT.meta_bg;
    compat &= ~COMPAT.resize_inode;
    reservedGdtBlocks = 0;
  }
  return {
    ...sizes,
    compat,
    incompat,
    roCompat: plan.roCompat | ((compat & COMPAT.resize_inode) !== 0 && resizeInodeSize(blockSize) >= 2 ** 31 ? RO_COMPAT.large_file : 0),
    tableBlocks: Math.ceil((sizes.inodesPerGroup * inodeSize) / blockSize),
    descriptorSize,
    descriptorBlocks,
    reservedGdtBlocks,
    backupGroups: backupGroupsOf(compat, groupCount),
  };
}

/** Bytes of the file that holds the blocks kept for descriptors: all that a map of two levels reaches. */
export function resizeInodeSize(blockSize: number): number {
  const perBlock = blockSize / 4;
  return (perBlock * perBlock + perBlock + 12) * blockSize;
}

/** With sparse_super2: group 1 and the last one, as far as there are such. */
function backupGroupsOf(compat: number, groupCount: number): readonly number[] {
  if ((compat & COMPAT.sparse_super2) === 0) return [0, 0];
  const last = groupCount - 1;
  const first = Math.min(1, last);
  return [first, last === first ? 0 : last];
}

/** The most that a group holds of metadata. */
function lengthOfMetadata(geometry: Geometry): number {
  const descriptors = (geometry.incompat & INCOMPAT.meta_bg) === 0 ? geometry.descriptorBlocks : 1;
  return 3 + geometry.tableBlocks + geometry.reservedGdtBlocks + descriptors;
}

function metadataOfLastGroup(geometry: Geometry): number {
  const { compat, roCompat, backupGroups, groupCount, tableBlocks, descriptorBlocks, reservedGdtBlocks } = geometry;
  const copy = hasSuperblockCopy({ compat, roCompat, raw: { s_backup_bgs: [...backupGroups] } }, groupCount - 1);
  return 2 + tableBlocks + (copy ? 1 + descriptorBlocks + reservedGdtBlocks : 0);
}

/** Whether descriptors have checksums, and flags for what was never written. */
export function hasGroupChecksums({ roCompat }: FeatureWords): boolean {
  return (roCompat & (RO_COMPAT.metadata_csum | RO_COMPAT.uninit_bg)) !== 0;
}
