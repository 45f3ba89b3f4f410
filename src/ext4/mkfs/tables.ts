/** Where the bitmaps and inode tables of a new file system stand (ext2fs_allocate_group_table of e2fsprogs). */
import { Posix } from '../../errors.ts';
import { descriptorBlocksInGroup, groupFirstBlock, hasSuperblockCopy, superblockBlock } from '../layout.ts';
import type { Superblock } from '../superblock.ts';
import type { Space } from './space.ts';

/** Block numbers of the tables of each group that was asked for, by its number. */
export interface Tables {
  readonly blockBitmap: readonly number[];
  readonly inodeBitmap: readonly number[];
  readonly inodeTable: readonly number[];
  /** Groups in which tables of other groups stand, so that their bitmap cannot be derived from their own descriptor. */
  readonly touched: ReadonlySet<number>;
}

/** Takes the superblocks, the descriptors and the blocks kept for more of them, of all groups from `from` on. */
export function takeCopies(superblock: Superblock, space: Space, from = 0): void {
  if (from === 0 && superblock.firstDataBlock > 0) space.take(0, superblock.firstDataBlock);
  for (let group = from; group < superblock.groupCount; group++) {
    const copy = hasSuperblockCopy(superblock, group);
    const count = descriptorBlocksInGroup(superblock, group) + (copy ? 1 + superblock.raw.s_reserved_gdt_blocks : 0);
    if (count > 0) space.take(superblockBlock(superblock, group), count);
  }
}

/** Places the tables of all groups from `from` on and takes their blocks. Throws Posix (ENOSPC). */
export function placeTables(superblock: Superblock, space: Space, from = 0): Tables {
  const tableBlocks = Math.ceil((superblock.inodesPerGroup * superblock.inodeSize) / superblock.blockSize);
  const placer = new Placer(superblock, space);
  const blockBitmap: number[] = [];
  const inodeBitmap: number[] = [];
  const inodeTable: number[] = [];
  for (let group = from; group < superblock.groupCount; group++) {
    const first = group === from || group % placer.flexible === 0;
    const before = first ? undefined : group - 1;
    const follow = (table: readonly number[], count: number): number | undefined =>
      before === undefined ? undefined : table[before]! + count;
    const block = placer.place(group, follow(blockBitmap, 1), 1);
    blockBitmap[group] = block;
    const inode = placer.place(group, follow(inodeBitmap, 1) ?? block + placer.groupsFrom(group), 1);
    inodeBitmap[group] = inode;
    inodeTable[group] = placer.place(group, follow(inodeTable, tableBlocks) ?? inode + placer.groupsFrom(group), tableBlocks);
  }
  return { blockBitmap, inodeBitmap, inodeTable, touched: placer.touched };
}

class Placer {
  readonly #superblock: Superblock;
  readonly #space: Space;
  /** Groups of a flexible group; 1 where there are none. */
  readonly flexible: number;
  readonly touched = new Set<number>();

  constructor(superblock: Superblock, space: Space) {
    this.#superblock = superblock;
    this.#space = space;
    this.flexible = 2 ** superblock.raw.s_log_groups_per_flex;
  }

  /** Takes `count` blocks for a table of `group`, at `goal` where that is free. */
  place(group: number, goal: number | undefined, count: number): number {
    const found = this.flexible > 1 ? this.#nearGoal(group, goal, count) : this.#inGroup(group, count);
    if (found === undefined) throw new Posix('ENOSPC', { layer: 'ext4' }, `no room for the tables of block group ${group}`);
    this.#space.take(found, count);
    if (this.flexible > 1) {
      const { firstDataBlock, blocksPerGroup } = this.#superblock;
      const last = Math.floor((found + count - 1 - firstDataBlock) / blocksPerGroup);
      for (let one = Math.floor((found - firstDataBlock) / blocksPerGroup); one <= last; one++) this.touched.add(one);
    }
    return found;
  }

  /** Blocks left for the bitmaps of the flexible group that begins with `group`: libext2fs leaves room for all when it is alone. */
  groupsFrom(group: number): number {
    const groups = Math.min(group + this.flexible, this.#superblock.groupCount) - group;
    return groups === 1 ? this.flexible : groups;
  }

  #inGroup(group: number, count: number): number | undefined {
    return this.#space.find(groupFirstBlock(this.#superblock, group), this.#endOf(group), count);
  }

  #endOf(group: number): number {
    return Math.min(groupFirstBlock(this.#superblock, group) + this.#superblock.blocksPerGroup, this.#superblock.blocksCount);
  }

  /** Right behind the table of the group before, or behind a small obstacle, or where the rest of the flexible group's tables fit. */
  #nearGoal(group: number, goal: number | undefined, count: number): number | undefined {
    const { groupCount, blocksPerGroup } = this.#superblock;
    const firstGroup = group - (group % this.flexible);
    const lastGroup = Math.min(firstGroup + this.flexible - 1, groupCount - 1);
    const all = Math.min((lastGroup - group + 1) * count, Math.floor(blocksPerGroup / 4));
    if (goal !== undefined) {
      const near = this.#space.find(goal, goal + all, count);
      if (near !== undefined) return near;
    }
    const start = groupFirstBlock(this.#superblock, firstGroup);
    const end = this.#endOf(lastGroup);
    const space = this.#space;
    const from = space.find(start, end, all) ?? start;
    return space.find(from, end, count) ?? space.find(groupFirstBlock(this.#superblock, group), end, count);
  }
}
