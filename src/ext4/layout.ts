/** Where superblock copies and group descriptors stand: plain arithmetic on a superblock (fs/ext4/balloc.c, super.c). */
import { COMPAT, INCOMPAT, RO_COMPAT } from './format/features.ts';
import type { Superblock } from './superblock.ts';

/** The first block of a group. */
export function groupFirstBlock(superblock: Superblock, group: number): number {
  return superblock.firstDataBlock + group * superblock.blocksPerGroup;
}

/** How many blocks a group has: the last one may be shorter. */
export function blocksInGroup(superblock: Superblock, group: number): number {
  return Math.min(superblock.blocksPerGroup, superblock.blocksCount - groupFirstBlock(superblock, group));
}

/** How many clusters a group has. */
export function clustersInGroup(superblock: Superblock, group: number): number {
  return Math.ceil(blocksInGroup(superblock, group) / superblock.clusterRatio);
}

function isPowerOf(base: number, value: number): boolean {
  let power = base;
  while (power < value) power *= base;
  return power === value;
}

/** What decides which groups hold copies of the superblock. */
export type BackupRule = Pick<Superblock, 'compat' | 'roCompat'> & { readonly raw: Pick<Superblock['raw'], 's_backup_bgs'> };

/** Whether a group begins with a copy of the superblock (ext4_bg_has_super). */
export function hasSuperblockCopy(superblock: BackupRule, group: number): boolean {
  if (group === 0) return true;
  if ((superblock.compat & COMPAT.sparse_super2) !== 0) return superblock.raw.s_backup_bgs.includes(group);
  if (group === 1 || (superblock.roCompat & RO_COMPAT.sparse_super) === 0) return true;
  return group % 2 === 1 && (isPowerOf(3, group) || isPowerOf(5, group) || isPowerOf(7, group));
}

/** Descriptors that fit into one block. */
export function descriptorsPerBlock(superblock: Superblock): number {
  return Math.floor(superblock.blockSize / superblock.groupDescriptorSize);
}

/** Blocks of descriptors in the whole file system. */
export function descriptorBlockCount(superblock: Superblock): number {
  return Math.ceil(superblock.groupCount / descriptorsPerBlock(superblock));
}

/**
 * The block that holds descriptor block `index` (ext4's descriptor_loc), for a superblock that was read from group `fromGroup`: a
 * backup superblock is followed by descriptors of its own.
 */
export function descriptorBlockLocation(superblock: Superblock, index: number, fromGroup = 0): number {
  const metaBg = (superblock.incompat & INCOMPAT.meta_bg) !== 0;
  if (!metaBg || index < superblock.raw.s_first_meta_bg) {
    return superblockBlock(superblock, fromGroup) + 1 + index;
  }
  const group = index * descriptorsPerBlock(superblock);
  let behind = hasSuperblockCopy(superblock, group) ? 1 : 0;
  // With 1 KiB blocks and bigalloc group 0 begins at block 0, but its superblock stands in block 1.
  if (group === 0 && superblock.blockSize === 1024 && superblock.firstDataBlock === 0) behind++;
  return groupFirstBlock(superblock, group) + behind;
}

/** The blocks of descriptor block `index`: the one in use first, then its copies. */
export function descriptorBlockCopies(superblock: Superblock, index: number): number[] {
  const perBlock = descriptorsPerBlock(superblock);
  const metaBg = (superblock.incompat & INCOMPAT.meta_bg) !== 0 && index >= superblock.raw.s_first_meta_bg;
  const blocks = [descriptorBlockLocation(superblock, index)];
  for (let group = 1; group < superblock.groupCount; group++) {
    const copy = hasSuperblockCopy(superblock, group);
    if (metaBg) {
      if (group !== index * perBlock + 1 && group !== (index + 1) * perBlock - 1) continue;
      blocks.push(groupFirstBlock(superblock, group) + (copy ? 1 : 0));
    } else if (copy) blocks.push(superblockBlock(superblock, group) + 1 + index);
  }
  return blocks;
}

/** The block in which the superblock of a group stands. */
export function superblockBlock(superblock: Superblock, group: number): number {
  if (group === 0) return superblock.blockSize === 1024 ? 1 : 0;
  return groupFirstBlock(superblock, group);
}

/** How many blocks of descriptors a group holds: its part, or its copy of all (ext4_bg_num_gdb). */
export function descriptorBlocksInGroup(superblock: Superblock, group: number): number {
  const metaBg = (superblock.incompat & INCOMPAT.meta_bg) !== 0;
  const perBlock = descriptorsPerBlock(superblock);
  const metaGroup = Math.floor(group / perBlock);
  if (!metaBg || metaGroup < superblock.raw.s_first_meta_bg) {
    if (!hasSuperblockCopy(superblock, group)) return 0;
    return metaBg ? superblock.raw.s_first_meta_bg : descriptorBlockCount(superblock);
  }
  const within = group - metaGroup * perBlock;
  return within === 0 || within === 1 || within === perBlock - 1 ? 1 : 0;
}
