/** The geometry of a file system that grows: more groups of the same kind (adjust_fs_info of resize2fs). */
import { Posix, Unsupported } from '../../errors.ts';
import { COMPAT, INCOMPAT } from '../format/index.ts';
import { descriptorBlocksInGroup, descriptorsPerBlock, hasSuperblockCopy } from '../layout.ts';
import type { Superblock } from '../superblock.ts';

/** Blocks that a last group must have beyond its own metadata. */
const LAST_GROUP_ROOM = 50;
const TWO_32 = 2 ** 32;

/** What growing changes of a superblock's sizes. */
export interface Growth {
  readonly blocksCount: number;
  readonly groupCount: number;
  readonly reservedGdtBlocks: number;
  readonly reservedBlocks: number;
}

/**
 * The sizes of a file system of up to `blocks` blocks; fewer where a last group would have no room for more than its own tables. Undefined
 * when that is not more than it has. Throws Posix (EINVAL, EFBIG), Unsupported when no blocks were kept for the descriptors that it needs.
 */
export function grownTo(superblock: Superblock, blocks: number): Growth | undefined {
  const { firstDataBlock, blocksPerGroup, inodesPerGroup, blocksCount: before } = superblock;
  if ((superblock.incompat & INCOMPAT['64bit']) === 0 && blocks >= TWO_32) {
    throw new Posix('EFBIG', { layer: 'ext4' }, 'without the 64bit feature a file system has fewer than 2^32 blocks');
  }
  let blocksCount = blocks;
  for (;;) {
    if (blocksCount <= before) return undefined;
    const groupCount = Math.ceil((blocksCount - firstDataBlock) / blocksPerGroup);
    if (groupCount * inodesPerGroup >= TWO_32) {
      throw new Posix('EFBIG', { layer: 'ext4' }, `${groupCount} groups of ${inodesPerGroup} inodes are more than a file system can have`);
    }
    const reservedGdtBlocks = reservedGdtBlocksLeft(superblock, groupCount);
    const remainder = (blocksCount - firstDataBlock) % blocksPerGroup;
    if (remainder !== 0 && groupCount > superblock.groupCount && remainder < leastOfLastGroup(superblock, groupCount) + LAST_GROUP_ROOM) {
      blocksCount -= remainder;
      continue;
    }
    return {
      blocksCount,
      groupCount,
      reservedGdtBlocks,
      // The share stays.
      reservedBlocks: Math.floor((superblock.reservedBlocks / before) * blocksCount),
    };
  }
}

/** Descriptors of more groups stand in the blocks that were kept for them, next to those that are there. */
function reservedGdtBlocksLeft(superblock: Superblock, groupCount: number): number {
  const { compat, incompat, raw } = superblock;
  if ((incompat & INCOMPAT.meta_bg) !== 0) return raw.s_reserved_gdt_blocks;
  const more = descriptorBlocksFor(superblock, groupCount) - descriptorBlocksFor(superblock, superblock.groupCount);
  const reserved = (compat & COMPAT.resize_inode) === 0 ? 0 : raw.s_reserved_gdt_blocks;
  if (more > reserved) {
    throw new Unsupported(
      'resize',
      `the file system was made with room for the descriptors of ${Math.floor((reserved + descriptorBlocksFor(superblock, superblock.groupCount)) * descriptorsPerBlock(superblock))} block groups, and ${groupCount} would be needed; moving what stands behind them is not supported`,
      { layer: 'ext4' },
    );
  }
  return raw.s_reserved_gdt_blocks - more;
}

function descriptorBlocksFor(superblock: Superblock, groupCount: number): number {
  return Math.ceil(groupCount / descriptorsPerBlock(superblock));
}

function leastOfLastGroup(superblock: Superblock, groupCount: number): number {
  const { inodesPerGroup, inodeSize, blockSize, raw } = superblock;
  const tables = 2 + Math.ceil((inodesPerGroup * inodeSize) / blockSize);
  const last = groupCount - 1;
  if (!hasSuperblockCopy(superblock, last)) return tables + 1;
  return tables + 1 + descriptorBlocksInGroup({ ...superblock, groupCount }, last) + raw.s_reserved_gdt_blocks;
}
