/** What statfs(2) tells, computed as the kernel does (ext4_statfs and ext4_calculate_overhead in fs/ext4/super.c), with `bsddf`. */
import type { Usage } from '../filesystem/filesystem.ts';
import type { Io } from '../io/effect.ts';
import { COMPAT, EXT4_NAME_LEN, INCOMPAT, RO_COMPAT } from './format/index.ts';
import { readInode } from './inode-table.ts';
import { descriptorBlocksInGroup, hasSuperblockCopy, superblockBlock } from './layout.ts';
import { findOrphans } from './orphans.ts';
import type { Superblock } from './superblock.ts';
import type { Volume } from './volume.ts';

/** Clusters that the kernel keeps back for delayed allocation at most. */
const MAX_RESERVED_CLUSTERS = 4096;

export function* readUsage(volume: Volume): Io<Usage> {
  const { superblock } = volume;
  let freeClusters = 0;
  let freeInodes = 0;
  for (let group = 0; group < superblock.groupCount; group++) {
    const descriptor = yield* volume.groups.descriptor(group);
    freeClusters += descriptor.freeClusters;
    freeInodes += descriptor.freeInodes;
  }
  // A mount would have deleted the orphans by now.
  const orphans = yield* findOrphans(volume);
  const { clusterRatio, blocksCount } = superblock;
  const overhead = (yield* overheadClusters(volume)) * clusterRatio;
  const freeBlocks = freeClusters * clusterRatio + orphans.freedBlocks;
  const kept = superblock.reservedBlocks + reservedClusters(superblock) * clusterRatio;
  return {
    blockSize: superblock.blockSize,
    blocks: Math.max(0, blocksCount - overhead),
    freeBlocks,
    availableBlocks: Math.max(0, freeBlocks - kept),
    inodes: superblock.inodesCount,
    freeInodes: freeInodes + orphans.deleted.length,
    maximumNameLength: EXT4_NAME_LEN,
  };
}

/** ext4_set_resv_clusters: a fiftieth of all clusters, where extents are in use. */
function reservedClusters(superblock: Superblock): number {
  if ((superblock.incompat & INCOMPAT.extents) === 0) return 0;
  return Math.min(MAX_RESERVED_CLUSTERS, Math.floor(Math.floor(superblock.blocksCount / superblock.clusterRatio) / 50));
}

function* overheadClusters(volume: Volume): Io<number> {
  const { superblock } = volume;
  const bigalloc = (superblock.roCompat & RO_COMPAT.bigalloc) !== 0;
  const stored = superblock.raw.s_overhead_clusters;
  if (bigalloc && stored > 0 && stored <= superblock.blocksCount) return stored;
  let overhead = Math.floor(superblock.firstDataBlock / superblock.clusterRatio);
  if (bigalloc) overhead += yield* metadataClusters(volume);
  else for (let group = 0; group < superblock.groupCount; group++) overhead += metadataBlocks(superblock, group);
  return overhead + (yield* journalClusters(volume));
}

function tableBlocks(superblock: Superblock): number {
  return Math.ceil((superblock.inodesPerGroup * superblock.inodeSize) / superblock.blockSize);
}

/** Blocks of metadata that are counted for a group, wherever they stand. */
function metadataBlocks(superblock: Superblock, group: number): number {
  const copy = hasSuperblockCopy(superblock, group);
  const reserved = copy ? superblock.raw.s_reserved_gdt_blocks : 0;
  return (copy ? 1 : 0) + descriptorBlocksInGroup(superblock, group) + reserved + tableBlocks(superblock) + 2;
}

/** The same in clusters, which several structures may share. */
function* metadataClusters(volume: Volume): Io<number> {
  const { superblock } = volume;
  const { clusterRatio } = superblock;
  const used = new Set<number>();
  const mark = (block: number, count: number): void => {
    for (let cluster = Math.floor(block / clusterRatio); cluster * clusterRatio < block + count; cluster++) used.add(cluster);
  };
  for (let group = 0; group < superblock.groupCount; group++) {
    const descriptor = yield* volume.groups.descriptor(group);
    mark(descriptor.blockBitmap, 1);
    mark(descriptor.inodeBitmap, 1);
    mark(descriptor.inodeTable, tableBlocks(superblock));
    const copy = hasSuperblockCopy(superblock, group);
    const blocks = (copy ? 1 + superblock.raw.s_reserved_gdt_blocks : 0) + descriptorBlocksInGroup(superblock, group);
    if (blocks > 0) mark(superblockBlock(superblock, group), blocks);
  }
  return used.size;
}

function* journalClusters(volume: Volume): Io<number> {
  const { superblock } = volume;
  const { s_journal_inum: number } = superblock.raw;
  if ((superblock.compat & COMPAT.has_journal) === 0 || number === 0) return 0;
  const { size } = yield* readInode(volume, number);
  return Math.ceil(Math.floor(size / superblock.blockSize) / superblock.clusterRatio);
}
