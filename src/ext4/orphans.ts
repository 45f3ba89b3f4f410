/**
 * Files that were deleted or cut short while the machine stopped (fs/ext4/orphan.c). A mount finishes that work. For reading it shows in
 * few places: deleted ones have no name any more, and what lies behind the size of a file cannot be read; but the space they hold counts
 * as free.
 */
import { type Bytes, type Field, le, type Struct, struct, viewOf } from '../bytes/struct.ts';
import { Corrupt, GuestlessError } from '../errors.ts';
import type { Io } from '../io/effect.ts';
import { inodeSeed, orphanBlockChecksum } from './checksum.ts';
import { COMPAT, EXT4_ERROR_FS, RO_COMPAT } from './format/index.ts';
import { readInode } from './inode-table.ts';
import { findRun } from './mapping.ts';
import type { Volume } from './volume.ts';

const TAIL: Readonly<Record<'ob_magic' | 'ob_checksum', Field<number>>> = { ob_magic: le.u32(0), ob_checksum: le.u32(4) };
/** The last bytes of each block of the orphan file; inode numbers stand before it, 0 where there is none. */
export const EXT4_ORPHAN_BLOCK_TAIL: Struct<typeof TAIL> = struct('ext4_orphan_block_tail', 8, TAIL);
/** `ob_magic`. */
export const EXT4_ORPHAN_BLOCK_MAGIC = 0x0b10ca04;
/** Blocks of an orphan file at most (EXT4_MAX_ORPHAN_FILE_BLOCKS). */
const MAX_ORPHAN_FILE_BLOCKS = 512;
/** Orphans followed at most: more open files without a name than any kernel leaves. */
const MAX_ORPHANS = 1 << 17;

export interface Orphans {
  /** Inodes without a name left: to be deleted. */
  readonly deleted: readonly number[];
  /** Inodes that keep a name: what lies behind their size is to be freed. */
  readonly truncated: readonly number[];
  /** Blocks of the file system that deleting gives back. */
  readonly freedBlocks: number;
}

/**
 * The orphans that a mount would process: those on the list that `s_last_orphan` begins (each inode's `i_dtime` names the next), and those
 * in the orphan file. What is wrong with the list or the file becomes a warning and ends it, as it does for the kernel.
 */
export function* findOrphans(volume: Volume): Io<Orphans> {
  const { superblock, complaints } = volume;
  const deleted: number[] = [];
  const truncated: number[] = [];
  let freedBlocks = 0;
  const seen = new Set<number>();
  // The kernel clears the list of a file system with errors without looking at it.
  if ((superblock.raw.s_state & EXT4_ERROR_FS) !== 0) return { deleted, truncated, freedBlocks };

  function* visit(number: number): Io<number> {
    if (number < superblock.firstInode || number > superblock.inodesCount)
      throw new Corrupt(`the orphan list names inode ${number}`, { layer: 'ext4' });
    if (seen.has(number)) throw new Corrupt(`the orphan list comes back to inode ${number}`, { layer: 'ext4' });
    if (seen.size >= MAX_ORPHANS) throw new Corrupt(`there are more than ${MAX_ORPHANS} orphans`, { layer: 'ext4' });
    seen.add(number);
    const inode = yield* readInode(volume, number);
    (inode.links === 0 ? deleted : truncated).push(number);
    if (inode.links === 0) freedBlocks += Math.floor((inode.blocks * 512) / superblock.blockSize);
    return inode.dtime;
  }

  try {
    for (let next = superblock.raw.s_last_orphan; next !== 0; ) next = yield* visit(next);
    if ((superblock.compat & COMPAT.orphan_file) !== 0 && (superblock.roCompat & RO_COMPAT.orphan_present) !== 0) {
      for (const number of yield* readOrphanFile(volume)) yield* visit(number);
    }
  } catch (error) {
    if (!(error instanceof GuestlessError)) throw error;
    complaints.warn(`orphans: ${error.message}`);
  }
  return { deleted, truncated, freedBlocks };
}

/** The inode numbers in the orphan file. */
function* readOrphanFile(volume: Volume): Io<number[]> {
  const { superblock } = volume;
  const file = yield* readInode(volume, superblock.raw.s_orphan_file_inum);
  const blocks = Math.floor(file.size / superblock.blockSize);
  if (blocks > MAX_ORPHAN_FILE_BLOCKS) throw new Corrupt(`the orphan file has ${blocks} blocks`, { layer: 'ext4', inode: file.number });
  const seed = inodeSeed(superblock.checksumSeed, file.number, file.generation);
  const numbers: number[] = [];
  for (let logical = 0; logical < blocks; logical++) {
    const run = yield* findRun(volume, file, logical);
    if (run.zero || run.physical === undefined) throw new Corrupt('the orphan file has a hole', { layer: 'ext4', inode: file.number });
    const offset = volume.offsetOfBlock(run.physical, file.number);
    const bytes: Bytes = yield* volume.cache.read(offset, superblock.blockSize);
    const end = bytes.length - EXT4_ORPHAN_BLOCK_TAIL.size;
    const tail = EXT4_ORPHAN_BLOCK_TAIL.read(bytes, end);
    if (tail.ob_magic !== EXT4_ORPHAN_BLOCK_MAGIC)
      throw new Corrupt('a block of the orphan file has no magic number', { layer: 'ext4', offset });
    if (superblock.metadataCsum && orphanBlockChecksum(seed, run.physical, bytes) !== tail.ob_checksum) {
      volume.complaints.mismatch('orphan file', { inode: file.number, offset });
    }
    const view = viewOf(bytes);
    for (let at = 0; at + 4 <= end; at += 4) {
      const number = view.getUint32(at, true);
      if (number !== 0) numbers.push(number);
    }
  }
  return numbers;
}
