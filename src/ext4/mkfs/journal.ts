/** New journals: how large, what their first block says, and those on a device of their own. */
import type { Bytes } from '../../bytes/struct.ts';
import { uuidText } from '../../bytes/uuid.ts';
import { Posix } from '../../errors.ts';
import type { BlockDevice, WritableDevice } from '../../io/device.ts';
import type { Io } from '../../io/effect.ts';
import { EXT4_SUPER_BLOCK, EXT4_SUPER_MAGIC, INCOMPAT, SUPERBLOCK_OFFSET } from '../format/index.ts';
import { JBD2_MAGIC_NUMBER, JBD2_SUPERBLOCK_V2, JOURNAL_SUPERBLOCK } from '../journal/format.ts';
import { invalid, type MakeExt4Options, type Plan, planFor } from './options.ts';
import { defaultJournalBlocks } from './profile.ts';
import { newSuperblock } from './superblock.ts';

/** JBD2_MIN_JOURNAL_BLOCKS and EXT2_MAX_JOURNAL_BLOCKS. */
const LEAST_BLOCKS = 1024;
const MOST_BLOCKS = 10_240_000;
/** File systems that can share an external journal (JBD2_USERS_MAX). */
const MAX_USERS = 48;
const UUID_LENGTH = 16;
/** A journal device has its own superblock in the block behind the one of ext. */
const blockOfDeviceJournal = (blockSize: number): number => (blockSize === 1024 ? 2 : 1);

/** Blocks of the journal; undefined: the file system is too small for one. Throws Posix (EINVAL) for a size that was asked for and cannot be. */
export function journalBlocksFor({ options, blockSize, blocksCount }: Plan, freeBlocks: number): number | undefined {
  if (options.journalSize === undefined) return defaultJournalBlocks(blocksCount);
  const blocks = (options.journalSize * 2 ** 20) / blockSize;
  if (!(blocks >= LEAST_BLOCKS && blocks <= MOST_BLOCKS)) {
    throw invalid(`a journal of ${blocks} blocks; it must have ${LEAST_BLOCKS} to ${MOST_BLOCKS} blocks`);
  }
  if (blocks > freeBlocks / 2) throw invalid('the journal is too big for the file system');
  return blocks;
}

/** The first block of an empty journal of `blocks` blocks in a file (ext2fs_create_journal_superblock). */
export function newJournalSuperblock(blockSize: number, blocks: number, uuid: Bytes): Bytes {
  const bytes = new Uint8Array(blockSize);
  JOURNAL_SUPERBLOCK.write(bytes, 0, {
    h_magic: JBD2_MAGIC_NUMBER,
    h_blocktype: JBD2_SUPERBLOCK_V2,
    s_blocksize: blockSize,
    s_maxlen: blocks,
    s_first: 1,
    s_sequence: 1,
    s_uuid: uuid,
    s_nr_users: 1,
  });
  return bytes;
}

/** Makes a device the external journal of ext3 and ext4 file systems with blocks of the same size. Throws Posix (EINVAL, ENOSPC). */
export function* makeJournalDevice(device: WritableDevice, options: MakeExt4Options): Io<void> {
  const plan = planFor(device.size, { ...options, type: 'ext2', features: 'none,journal_dev', inodesCount: 1 });
  const { blockSize, blocksCount } = plan;
  if (blocksCount < LEAST_BLOCKS) throw new Posix('ENOSPC', { layer: 'ext4' }, `${blocksCount} blocks are too few for a journal`);
  const bytes = newSuperblock(plan, {
    ...plan,
    firstDataBlock: blockSize === 1024 ? 1 : 0,
    blocksPerGroup: 8 * blockSize,
    groupCount: 0,
    inodesPerGroup: 0,
    tableBlocks: 0,
    descriptorSize: 0,
    descriptorBlocks: 0,
    reservedGdtBlocks: 0,
    reservedBlocks: 0,
    backupGroups: [0, 0],
  });
  EXT4_SUPER_BLOCK.write(bytes, 0, { s_blocks_count_lo: blocksCount, s_lastcheck: 0 });
  const block = blockOfDeviceJournal(blockSize);
  const head = newJournalSuperblock(blockSize, blocksCount, plan.uuid);
  JOURNAL_SUPERBLOCK.write(head, 0, { s_nr_users: 0, s_first: block + 1 });
  const start = new Uint8Array((block + 2) * blockSize);
  start.set(bytes, SUPERBLOCK_OFFSET);
  start.set(head, block * blockSize);
  yield* device.write(0, start);
}

interface JournalDevice {
  readonly uuid: Bytes;
  readonly blockSize: number;
  /** The superblock of the journal, and where it stands. */
  readonly offset: number;
  readonly bytes: Bytes;
}

/** Reads the journal of a device that was made for it. Throws Posix (EINVAL) for any other device. */
export function* readJournalDevice(device: BlockDevice): Io<JournalDevice> {
  const refuse = (message: string): Posix => invalid(`the journal device ${message}`);
  if (device.size < 4 * 65536) throw refuse('is too small');
  const fields = EXT4_SUPER_BLOCK.read((yield* device.read(SUPERBLOCK_OFFSET, EXT4_SUPER_BLOCK.size)).slice());
  if (fields.s_magic !== EXT4_SUPER_MAGIC || (fields.s_feature_incompat & INCOMPAT.journal_dev) === 0) {
    throw refuse('holds no journal; mke2journal makes one');
  }
  if (fields.s_log_block_size > 6) throw refuse('has blocks of an impossible size');
  const blockSize = 1024 << fields.s_log_block_size;
  const offset = blockOfDeviceJournal(blockSize) * blockSize;
  const bytes = (yield* device.read(offset, JOURNAL_SUPERBLOCK.size)).slice();
  const journal = JOURNAL_SUPERBLOCK.read(bytes);
  if (journal.h_magic !== JBD2_MAGIC_NUMBER || journal.h_blocktype !== JBD2_SUPERBLOCK_V2) throw refuse('has no superblock of a journal');
  return { uuid: fields.s_uuid, blockSize, offset, bytes };
}

/** The superblock of the journal with one more file system that uses it (ext2fs_add_journal_device). */
export function withUser({ bytes }: JournalDevice, uuid: Bytes): Bytes {
  const changed = bytes.slice();
  const journal = JOURNAL_SUPERBLOCK.read(changed);
  const users = journal.s_nr_users;
  if (users >= MAX_USERS) throw invalid('the journal device serves too many file systems');
  for (let i = 0; i < users; i++) {
    if (uuidText(journal.s_users.subarray(i * UUID_LENGTH, (i + 1) * UUID_LENGTH)) === uuidText(uuid)) return changed;
  }
  journal.s_users.set(uuid, users * UUID_LENGTH);
  JOURNAL_SUPERBLOCK.write(changed, 0, { s_users: journal.s_users, s_nr_users: users + 1 });
  return changed;
}
