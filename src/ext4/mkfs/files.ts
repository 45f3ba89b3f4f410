/** The files that every new file system begins with: the root, lost+found, the blocks kept for growing, the journal. */
import type { Bytes } from '../../bytes/struct.ts';
import { viewOf } from '../../bytes/struct.ts';
import { encodeName } from '../../bytes/text.ts';
import { S_IFDIR, S_IFREG } from '../../filesystem/filesystem.ts';
import { inodeSeed } from '../checksum.ts';
import type { DirectoryForm } from '../directory.ts';
import { EXT4_JOURNAL_INO, EXT4_RESIZE_INO, EXT4_ROOT_INO, INCOMPAT, type RawSuperblock } from '../format/index.ts';
import { descriptorBlocksInGroup, groupFirstBlock } from '../layout.ts';
import { resizeInodeMap } from '../resize-inode.ts';
import type { Superblock } from '../superblock.ts';
import { entriesEnd, sealDirectoryBlock, writeEntry, writeUnused } from '../write/directory-block.ts';
import type { Contents } from './contents.ts';
import { resizeInodeSize } from './geometry.ts';
import { newJournalSuperblock } from './journal.ts';

/** The first inode that is not reserved is lost+found's. */
export const LOST_AND_FOUND_INO = 11;
/** lost+found gets this many bytes, two blocks at least and twelve at most, so that e2fsck has room in it at once. */
const LOST_AND_FOUND_SIZE = 16384;

const dot = encodeName('.');
const dotDot = encodeName('..');

function formOf(superblock: Superblock): DirectoryForm {
  return {
    blockSize: superblock.blockSize,
    hasFileType: (superblock.incompat & INCOMPAT.filetype) !== 0,
    encrypted: false,
    storedHash: false,
    inodesCount: superblock.inodesCount,
  };
}

/** Where the blocks of a new inode are looked for: in its group, or at the start of its flexible group (ext2fs_find_inode_goal). */
function goalOf(superblock: Superblock, inode: number): number {
  const group = Math.floor((inode - 1) / superblock.inodesPerGroup);
  return groupFirstBlock(superblock, group - (group % 2 ** superblock.raw.s_log_groups_per_flex));
}

/** The blocks of a directory; `entries` follow `.` and `..` in the first one. */
function directoryBlocks(
  superblock: Superblock,
  inode: number,
  count: number,
  entries: readonly { readonly name: string; readonly inode: number }[],
): Bytes[] {
  const form = formOf(superblock);
  const { blockSize, metadataCsum, checksumSeed } = superblock;
  const end = entriesEnd(blockSize, metadataCsum);
  const blocks: Bytes[] = [];
  for (let i = 0; i < count; i++) {
    const bytes = new Uint8Array(blockSize);
    if (i > 0) writeUnused(bytes, 0, end, form);
    else {
      const all = [
        { name: dot, inode },
        { name: dotDot, inode: EXT4_ROOT_INO },
        ...entries.map((entry) => ({ name: encodeName(entry.name), inode: entry.inode })),
      ];
      let at = 0;
      all.forEach((entry, k) => {
        const length = k === all.length - 1 ? end - at : (8 + entry.name.length + 3) & ~3;
        writeEntry(bytes, at, length, { ...entry, kind: 'directory' }, form);
        at += length;
      });
    }
    if (metadataCsum) sealDirectoryBlock(bytes, inodeSeed(checksumSeed, inode, 0));
    blocks.push(bytes);
  }
  return blocks;
}

function addDirectory(
  contents: Contents,
  inode: number,
  mode: number,
  links: number,
  count: number,
  names: readonly { name: string; inode: number }[],
): void {
  const { superblock } = contents;
  const mapped = contents.map(inode, count, goalOf(superblock, inode));
  const blocks = directoryBlocks(superblock, inode, count, names);
  let i = 0;
  for (const { start, end } of mapped.runs) {
    for (let block = start; block < end; block++) contents.blocks.push({ block, bytes: blocks[i++]! });
  }
  contents.addInode(inode, mapped.taken, count * superblock.blockSize, {
    i_mode: S_IFDIR | mode,
    i_links_count: links,
    i_flags: mapped.flags,
    i_block: mapped.block,
  });
}

/** The root and lost+found. */
export function addDirectories(contents: Contents): void {
  const { blockSize } = contents.superblock;
  addDirectory(contents, EXT4_ROOT_INO, 0o755, 3, 1, [{ name: 'lost+found', inode: LOST_AND_FOUND_INO }]);
  addDirectory(contents, LOST_AND_FOUND_INO, 0o700, 2, lostAndFoundBlocks(blockSize), []);
}

/** How many blocks lost+found gets. */
export function lostAndFoundBlocks(blockSize: number): number {
  return Math.min(12, Math.max(2, LOST_AND_FOUND_SIZE / blockSize));
}

/** The inode that holds the blocks kept for more descriptors. */
export function addResizeInode(contents: Contents): void {
  const { superblock } = contents;
  const { blockSize } = superblock;
  const { map, lists, blocks } = resizeInodeMap(superblock);
  const tableBlocks = Math.ceil((superblock.inodesPerGroup * superblock.inodeSize) / blockSize);
  const double = contents.takeBlock(3 + lists.length + descriptorBlocksInGroup(superblock, 0) + tableBlocks);
  contents.blocks.push(...lists, { block: double, bytes: map });
  const block = new Uint8Array(60);
  viewOf(block).setUint32(13 * 4, double, true);
  contents.addInode(EXT4_RESIZE_INO, blocks, resizeInodeSize(blockSize), {
    i_mode: S_IFREG | 0o600,
    i_links_count: 1,
    i_block: block,
  });
}

/** The journal, empty, of `count` blocks; returns the superblock's fields that speak of it. */
export function addJournal(contents: Contents, count: number, goal: number): Partial<RawSuperblock> {
  const { superblock } = contents;
  const { blockSize } = superblock;
  const mapped = contents.map(EXT4_JOURNAL_INO, count, goal);
  const size = count * blockSize;
  contents.addInode(EXT4_JOURNAL_INO, mapped.taken, size, {
    i_mode: S_IFREG | 0o600,
    i_links_count: 1,
    i_flags: mapped.flags,
    i_block: mapped.block,
  });
  contents.zeros.push(...mapped.runs);
  contents.blocks.push({ block: mapped.runs[0]!.start, bytes: newJournalSuperblock(blockSize, count, superblock.uuid) });
  const words = viewOf(mapped.block);
  return {
    s_journal_inum: EXT4_JOURNAL_INO,
    s_jnl_backup_type: 1,
    s_jnl_blocks: [...Array.from({ length: 15 }, (_, i) => words.getUint32(i * 4, true)), Math.floor(size / 2 ** 32), size % 2 ** 32],
  };
}

/** Where the journal of a file system with extents goes: the emptiest group around the middle (get_midpoint_journal_block). */
export function journalGoal(contents: Contents): number {
  const { superblock, space } = contents;
  const { blocksCount, firstDataBlock, blocksPerGroup, groupCount } = superblock;
  if (!contents.usesExtents) return firstDataBlock;
  const freeIn = (group: number): number => {
    const from = groupFirstBlock(superblock, group);
    return space.freeIn(from, Math.min(from + blocksPerGroup, blocksCount));
  };
  const flexible = 2 ** superblock.raw.s_log_groups_per_flex;
  let group = Math.floor((Math.floor((blocksCount - firstDataBlock) / 2) - firstDataBlock) / blocksPerGroup);
  let first: number;
  if (flexible > 1 && group > flexible) {
    group -= group % flexible;
    while (group < groupCount && freeIn(group) === 0) group++;
    if (group === groupCount) group = 0;
    first = group;
  } else first = Math.max(0, group - 1);
  const last = group + 1 < groupCount ? group + 1 : group;
  let best = first;
  for (let other = first + 1; other <= last; other++) if (freeIn(other) > freeIn(best)) best = other;
  return groupFirstBlock(superblock, best);
}
