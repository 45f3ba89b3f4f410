/**
 * The inode that holds the blocks kept for more descriptors (inode 7). The second-level map names those of group 0, and each of those lists its
 * counterparts in the groups with copies (ext2fs_create_resize_inode of e2fsprogs).
 */
import { type Bytes, viewOf } from '../bytes/struct.ts';
import { Corrupt } from '../errors.ts';
import { descriptorBlocksInGroup, hasSuperblockCopy, superblockBlock } from './layout.ts';
import type { Superblock } from './superblock.ts';

export interface ResizeInodeMap {
  /** The second-level map. */
  readonly map: Bytes;
  /** The kept blocks of group 0, with what they list. */
  readonly lists: readonly { readonly block: number; readonly bytes: Bytes }[];
  /** Blocks that the inode owns, the map included. */
  readonly blocks: number;
}

/** What the inode's blocks hold in a file system with this superblock. */
export function resizeInodeMap(superblock: Superblock): ResizeInodeMap {
  const { blockSize, blocksPerGroup, groupCount, raw } = superblock;
  const perBlock = blockSize / 4;
  const backups: number[] = [];
  for (let group = 1; group < groupCount; group++) if (hasSuperblockCopy(superblock, group)) backups.push(group);
  const descriptors = descriptorBlocksInGroup(superblock, 0);
  const reserved = raw.s_reserved_gdt_blocks;
  if (backups.length > perBlock)
    throw new Corrupt(`${backups.length} copies of the superblock do not fit into the resize inode`, { layer: 'ext4' });
  const first = superblockBlock(superblock, 0) + 1 + descriptors;
  const map = new Uint8Array(blockSize);
  const view = viewOf(map);
  const lists: { block: number; bytes: Bytes }[] = [];
  for (let i = 0; i < reserved; i++) {
    view.setUint32(((descriptors + i) % perBlock) * 4, first + i, true);
    const bytes = new Uint8Array(blockSize);
    const list = viewOf(bytes);
    backups.forEach((group, k) => {
      list.setUint32(k * 4, first + i + group * blocksPerGroup, true);
    });
    lists.push({ block: first + i, bytes });
  }
  return { map, lists, blocks: 1 + reserved * (1 + backups.length) };
}
