/** Replays a journal in memory: what a mount would do, without writing. */
import type { Bytes } from '../../bytes/struct.ts';
import type { Warning } from '../../filesystem/filesystem.ts';
import type { BlockDevice } from '../../io/device.ts';
import type { Io } from '../../io/effect.ts';
import { superblockChecksum } from '../checksum.ts';
import { EXT4_SUPER_BLOCK, INCOMPAT, RO_COMPAT, SUPERBLOCK_OFFSET } from '../format/index.ts';
import type { Superblock } from '../superblock.ts';
import { journalSuperblockChecksum } from './checksum.ts';
import { ReplayedDevice } from './device.ts';
import { readFastCommits } from './fast-commit.ts';
import { FastCommitState } from './fast-commit-state.ts';
import { JOURNAL_SUPERBLOCK } from './format.ts';
import { type JournalFile, nextSequence } from './log.ts';
import { collectBlocks, collectRevokes, type PassOptions, scanLog } from './passes.ts';
import { type JournalSuperblock, parseJournalSuperblock } from './superblock.ts';

export interface RecoverOptions {
  /**
   * `ignore` goes on past wrong checksums inside the journal as e2fsck does: transactions behind one, and blocks that have one, are left
   * out, with a warning. By default such a journal is Corrupt.
   */
  readonly checksums?: 'verify' | 'ignore';
}

/** A journal that had something to tell, and the device as it is after that. */
export interface RecoveredJournal {
  /** Shows the replayed contents; its superblock no longer has `needs_recovery`. */
  readonly device: ReplayedDevice;
  readonly superblock: JournalSuperblock;
  readonly file: JournalFile;
  /** Full transactions replayed. */
  readonly transactions: number;
  /** Blocks that differ from the disk because of them. */
  readonly blocks: number;
  /** Writes that revoke records took back. */
  readonly revoked: number;
  /** What fast commits changed after the last full transaction; undefined when there are none. */
  readonly fastCommits: FastCommitState | undefined;
  /** The sequence number from which a writer goes on. */
  readonly nextSequence: number;
  readonly warnings: readonly Warning[];
}

/**
 * Reads the journal `file` of the file system with `superblock` on `device`, and returns undefined when nothing is in it. Memory: a few
 * numbers for every block in the log. Throws Corrupt for a journal that cannot be trusted, Unsupported for unknown features.
 */
export function* recoverJournal(
  device: BlockDevice,
  superblock: Superblock,
  file: JournalFile,
  options: RecoverOptions = {},
): Io<RecoveredJournal | undefined> {
  const head = yield* file.read(0);
  const journal = parseJournalSuperblock(head, superblock.blockSize, file.blocks, { offset: file.blockOf(0) * file.blockSize });
  if (journal.start === 0) return undefined;
  const warnings: Warning[] = [];
  const pass: PassOptions = { blocksCount: superblock.blocksCount, tolerant: options.checksums === 'ignore', warnings };
  const scanned = yield* scanLog(file, journal, pass);
  const revokes = yield* collectRevokes(file, journal, scanned, pass);
  const replayed = yield* collectBlocks(file, journal, scanned, revokes, pass);
  const operations = yield* readFastCommits(file, journal, scanned.end, superblock);
  const after = new ReplayedDevice(device, superblock.blockSize, replayed.blocks, replayed.escaped);
  yield* clearNeedsRecovery(after);
  if (journal.raw.s_errno !== 0)
    warnings.push({ message: `the journal recorded error ${journal.raw.s_errno}: the file system may be damaged` });
  return {
    device: after,
    superblock: journal,
    file,
    transactions: scanned.transactions,
    blocks: replayed.blocks.size,
    revoked: replayed.revoked,
    fastCommits: operations.length > 0 ? new FastCommitState(operations) : undefined,
    nextSequence: nextSequence(scanned.end),
    warnings,
  };
}

/** Patches the superblock, which the replay may have replaced: no recovery is needed any more. */
function* clearNeedsRecovery(device: ReplayedDevice): Io<void> {
  const block = Math.floor(SUPERBLOCK_OFFSET / device.blockSize);
  const within = SUPERBLOCK_OFFSET - block * device.blockSize;
  const bytes = (yield* device.read(block * device.blockSize, device.blockSize)).slice();
  const superblock = bytes.subarray(within, within + EXT4_SUPER_BLOCK.size);
  const fields = EXT4_SUPER_BLOCK.read(superblock);
  const valid = superblockChecksum(superblock) === fields.s_checksum;
  EXT4_SUPER_BLOCK.write(superblock, 0, { s_feature_incompat: (fields.s_feature_incompat & ~INCOMPAT.needs_recovery) >>> 0 });
  // A wrong checksum stays wrong, for the reader to find.
  if ((fields.s_feature_ro_compat & RO_COMPAT.metadata_csum) !== 0 && valid) {
    EXT4_SUPER_BLOCK.write(superblock, 0, { s_checksum: superblockChecksum(superblock) });
  }
  device.patch(block, bytes);
}

/** Block 0 of the journal once it is empty: what a writer stores after it has stored the replayed blocks. */
export function emptiedJournalSuperblock(block: Bytes, recovered: RecoveredJournal): Bytes {
  const bytes = block.slice();
  JOURNAL_SUPERBLOCK.write(bytes, 0, { s_start: 0, s_sequence: recovered.nextSequence });
  const { checksums } = recovered.superblock;
  if (checksums === 'v2' || checksums === 'v3') JOURNAL_SUPERBLOCK.write(bytes, 0, { s_checksum: journalSuperblockChecksum(bytes) });
  return bytes;
}
