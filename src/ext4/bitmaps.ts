/** The block and inode bitmaps of a group, verified, or made up where the group says that they were never written. */
import { setBits } from '../bytes/bitmap.ts';
import type { Bytes } from '../bytes/struct.ts';
import type { Io } from '../io/effect.ts';
import { bitmapChecksum } from './checksum.ts';
import { EXT4_BG_BLOCK_UNINIT, EXT4_BG_INODE_UNINIT } from './format/index.ts';
import type { GroupDescriptor } from './groups.ts';
import { clustersInGroup, descriptorBlocksInGroup, groupFirstBlock, hasSuperblockCopy, superblockBlock } from './layout.ts';
import type { Superblock } from './superblock.ts';
import type { Volume } from './volume.ts';

/** Descriptors as short as this have no room for the high half of a bitmap's checksum. */
const FULL_DESCRIPTOR = 64;
/** Groups of a flexible group that are asked at most whether their tables lie in a group. */
const MAX_FLEXIBLE_GROUPS = 1024;

/** A copy of the block bitmap of a group: a bit for each cluster, and ones behind the last (ext4_read_block_bitmap). */
export function* readBlockBitmap(volume: Volume, group: number): Io<Bytes> {
  const { superblock } = volume;
  const descriptor = yield* volume.groups.descriptor(group);
  const grouped = superblock.metadataCsum || superblock.gdtCsum;
  if (grouped && (descriptor.flags & EXT4_BG_BLOCK_UNINIT) !== 0) return yield* metadataBitmap(volume, group);
  const offset = descriptor.blockBitmap * superblock.blockSize;
  const bitmap = (yield* volume.cache.read(offset, superblock.blockSize)).slice();
  const bytes = Math.floor(superblock.clustersPerGroup / 8);
  verify(volume, bitmap, bytes, descriptor.blockBitmapChecksum, `block bitmap of group ${group}`, offset);
  return bitmap;
}

/** A copy of the inode bitmap of a group: a bit for each inode, and ones behind the last (ext4_read_inode_bitmap). */
export function* readInodeBitmap(volume: Volume, group: number): Io<Bytes> {
  const { superblock } = volume;
  const descriptor = yield* volume.groups.descriptor(group);
  const grouped = superblock.metadataCsum || superblock.gdtCsum;
  if (grouped && (descriptor.flags & EXT4_BG_INODE_UNINIT) !== 0) {
    const bitmap = new Uint8Array(superblock.blockSize);
    setBits(bitmap, superblock.inodesPerGroup, superblock.blockSize * 8);
    return bitmap;
  }
  const offset = descriptor.inodeBitmap * superblock.blockSize;
  const bitmap = (yield* volume.cache.read(offset, superblock.blockSize)).slice();
  const bytes = Math.floor(superblock.inodesPerGroup / 8);
  verify(volume, bitmap, bytes, descriptor.inodeBitmapChecksum, `inode bitmap of group ${group}`, offset);
  return bitmap;
}

function verify(volume: Volume, bitmap: Bytes, bytes: number, stored: number, what: string, offset: number): void {
  const { superblock } = volume;
  if (!superblock.metadataCsum) return;
  const checksum = bitmapChecksum(superblock.checksumSeed, bitmap, bytes);
  const matches = superblock.groupDescriptorSize >= FULL_DESCRIPTOR ? checksum === stored : (checksum & 0xffff) === stored;
  if (!matches) volume.complaints.mismatch(what, { offset });
}

/**
 * What a bitmap that was never written stands for, and what every one has to have set: the copies of superblock and descriptors, tables of
 * any group that lie here, and the bits behind the last cluster.
 */
export function* metadataBitmap(volume: Volume, group: number): Io<Bytes> {
  const { superblock } = volume;
  const { blockSize, clusterRatio, groupCount } = superblock;
  const bitmap = new Uint8Array(blockSize);
  const first = groupFirstBlock(superblock, group);
  const clusters = clustersInGroup(superblock, group);
  const mark = (block: number, count: number): void => {
    const from = Math.max(0, Math.floor((block - first) / clusterRatio));
    const to = Math.min(clusters, Math.ceil((block + count - first) / clusterRatio));
    if (from < to) setBits(bitmap, from, to);
  };
  const copy = hasSuperblockCopy(superblock, group);
  const behind = descriptorBlocksInGroup(superblock, group) + (copy ? 1 + superblock.raw.s_reserved_gdt_blocks : 0);
  if (behind > 0) mark(superblockBlock(superblock, group), behind);
  // The tables that may lie here are those of the flexible group.
  const flexible = Math.min(2 ** Math.min(superblock.raw.s_log_groups_per_flex, 31), MAX_FLEXIBLE_GROUPS);
  const from = group - (group % flexible);
  for (let other = from; other < Math.min(from + flexible, groupCount); other++) {
    markTables(superblock, yield* volume.groups.descriptor(other), mark);
  }
  setBits(bitmap, clusters, blockSize * 8);
  return bitmap;
}

function markTables(superblock: Superblock, descriptor: GroupDescriptor, mark: (block: number, count: number) => void): void {
  mark(descriptor.blockBitmap, 1);
  mark(descriptor.inodeBitmap, 1);
  mark(descriptor.inodeTable, Math.ceil((superblock.inodesPerGroup * superblock.inodeSize) / superblock.blockSize));
}
