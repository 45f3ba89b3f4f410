/** The file that holds the journal, found through its inode or, when that is broken, through its copy in the superblock. */
import { viewOf } from '../bytes/struct.ts';
import { Corrupt, Unsupported } from '../errors.ts';
import { S_IFREG } from '../filesystem/filesystem.ts';
import type { Io } from '../io/effect.ts';
import { EXT4_EXT_MAGIC, EXT4_EXTENTS_FL, EXT4_INODE_128 } from './format/index.ts';
import { type Inode, parseInode } from './inode.ts';
import { readInode } from './inode-table.ts';
import { JournalFile, type JournalRun } from './journal/index.ts';
import { findRun } from './mapping.ts';
import type { Volume } from './volume.ts';

/** EXT2_MAX_JOURNAL_BLOCKS of e2fsprogs: 10,240,000 blocks. */
const MAX_JOURNAL_BLOCKS = 10_240_000;

/** The journal of a file system. Throws Unsupported when it is on a device of its own, Corrupt when there is no usable one. */
export function* findJournal(volume: Volume): Io<JournalFile> {
  const { raw, blockSize } = volume.superblock;
  if (raw.s_journal_inum === 0) {
    throw new Unsupported('external journal', 'the journal is on another device, and has changes that are not in the file system yet', {
      layer: 'ext4',
    });
  }
  const inode = yield* journalInode(volume, raw.s_journal_inum);
  const blocks = Math.floor(inode.size / blockSize);
  if (blocks > MAX_JOURNAL_BLOCKS) throw new Corrupt(`a journal of ${blocks} blocks`, { layer: 'ext4', inode: inode.number });
  const runs: JournalRun[] = [];
  for (let logical = 0; logical < blocks; ) {
    const run = yield* findRun(volume, inode, logical);
    if (run.zero || run.physical === undefined) throw new Corrupt('the journal has a hole', { layer: 'ext4', inode: inode.number });
    const length = Math.min(run.length, blocks - logical);
    runs.push({ logical, physical: run.physical, length });
    logical += length;
  }
  return new JournalFile(volume.device, blockSize, blocks, runs);
}

function* journalInode(volume: Volume, number: number): Io<Inode> {
  try {
    const inode = yield* readInode(volume, number);
    if (inode.kind !== 'file' || inode.links === 0) throw new Corrupt('the journal is no file', { layer: 'ext4', inode: number });
    return inode;
  } catch (error) {
    const copy = error instanceof Corrupt ? inodeFromCopy(volume, number) : undefined;
    if (copy === undefined) throw error;
    volume.complaints.warn(`${(error as Corrupt).message}; the copy in the superblock is used instead`, { inode: number });
    return copy;
  }
}

/** `s_jnl_blocks`: i_block, i_size_high and i_size of the journal's inode. */
function inodeFromCopy(volume: Volume, number: number): Inode | undefined {
  const { s_jnl_backup_type: kind, s_jnl_blocks: words } = volume.superblock.raw;
  if (kind !== 1 || words[0] === 0) return undefined;
  const bytes = new Uint8Array(volume.superblock.inodeSize);
  const block = new Uint8Array(60);
  for (let i = 0; i < 15; i++) viewOf(block).setUint32(4 * i, words[i] ?? 0, true);
  EXT4_INODE_128.write(bytes, 0, {
    i_mode: S_IFREG | 0o600,
    i_links_count: 1,
    i_block: block,
    i_size_high: words[15] ?? 0,
    i_size_lo: words[16] ?? 0,
    i_flags: viewOf(block).getUint16(0, true) === EXT4_EXT_MAGIC ? EXT4_EXTENTS_FL : 0,
  });
  return parseInode(volume.superblock, number, bytes, viewOf(bytes), 0);
}
