/** The journal's superblock: its geometry, checked, and the features in use. */
import type { Bytes } from '../../bytes/struct.ts';
import { Corrupt, Unsupported, type Where } from '../../errors.ts';
import { journalSeed, journalSuperblockChecksum } from './checksum.ts';
import {
  JBD2_CRC32C_CHKSUM,
  JBD2_DEFAULT_FAST_COMMIT_BLOCKS,
  JBD2_FEATURE_COMPAT_CHECKSUM,
  JBD2_INCOMPAT,
  JBD2_MAGIC_NUMBER,
  JBD2_MIN_JOURNAL_BLOCKS,
  JBD2_SUPERBLOCK_V1,
  JBD2_SUPERBLOCK_V2,
  JOURNAL_SUPERBLOCK,
  type RawJournalSuperblock,
} from './format.ts';

/** How the journal sums up its blocks: not at all, per transaction (v1), or per block (v2 and v3, which differ in the tags). */
export type JournalChecksums = 'none' | 'v1' | 'v2' | 'v3';

/** Block numbers are indexes into the journal, in file system blocks. */
export interface JournalSuperblock {
  readonly raw: RawJournalSuperblock;
  readonly blockSize: number;
  /** The log is `[first, last)` and wraps from `last` to `first`. */
  readonly first: number;
  readonly last: number;
  /** The fast-commit area is `[fastCommitFirst, fastCommitEnd)`; empty when there is none. */
  readonly fastCommitFirst: number;
  readonly fastCommitEnd: number;
  /** Block at which the oldest transaction begins; 0: the journal is empty. */
  readonly start: number;
  /** The sequence number that this transaction has. */
  readonly sequence: number;
  readonly checksums: JournalChecksums;
  readonly seed: number;
  readonly has64bit: boolean;
  readonly asyncCommit: boolean;
}

const KNOWN_INCOMPAT = Object.values(JBD2_INCOMPAT).reduce((sum, bit) => sum | bit, 0);

/**
 * Decodes block 0 of a journal of `blocks` blocks of `blockSize` bytes, by the rules of journal_check_superblock (fs/jbd2/journal.c).
 * Throws Corrupt for an impossible one, Unsupported for features unknown.
 */
export function parseJournalSuperblock(bytes: Bytes, blockSize: number, blocks: number, where: Where = {}): JournalSuperblock {
  const corrupt = (message: string): Corrupt => new Corrupt(`superblock: ${message}`, { layer: 'ext4 journal', ...where });
  const raw = JOURNAL_SUPERBLOCK.read(bytes);
  if (raw.h_magic !== JBD2_MAGIC_NUMBER) throw corrupt(`magic 0x${raw.h_magic.toString(16)} instead of 0xc03b3998`);
  if (raw.h_blocktype !== JBD2_SUPERBLOCK_V1 && raw.h_blocktype !== JBD2_SUPERBLOCK_V2) throw corrupt(`block type ${raw.h_blocktype}`);
  if (raw.s_blocksize !== blockSize) throw corrupt(`blocks of ${raw.s_blocksize} bytes on a file system with ${blockSize}`);
  if (raw.s_maxlen > blocks) throw corrupt(`${raw.s_maxlen} blocks in a journal of ${blocks}`);
  // Version 1 ends before the feature words.
  const extended = raw.h_blocktype === JBD2_SUPERBLOCK_V2;
  const compat = extended ? raw.s_feature_compat : 0;
  const incompat = extended ? raw.s_feature_incompat : 0;
  const unknown = (incompat & ~KNOWN_INCOMPAT) >>> 0;
  const unknownRo = extended ? raw.s_feature_ro_compat : 0;
  if (unknown !== 0 || unknownRo !== 0) {
    const feature = unknown !== 0 ? `journal incompat 0x${unknown.toString(16)}` : `journal ro_compat 0x${unknownRo.toString(16)}`;
    throw new Unsupported(feature, `journal features that this library does not know: ${feature}`, { layer: 'ext4 journal', ...where });
  }
  const has = (name: keyof typeof JBD2_INCOMPAT): boolean => (incompat & JBD2_INCOMPAT[name]) !== 0;
  const versions: JournalChecksums[] = [];
  if ((compat & JBD2_FEATURE_COMPAT_CHECKSUM) !== 0) versions.push('v1');
  if (has('csum_v2')) versions.push('v2');
  if (has('csum_v3')) versions.push('v3');
  if (versions.length > 1) throw corrupt(`checksum versions ${versions.join(' and ')} exclude each other`);
  const checksums = versions[0] ?? 'none';
  if (checksums === 'v2' || checksums === 'v3') {
    if (raw.s_checksum_type !== JBD2_CRC32C_CHKSUM) throw corrupt(`checksum type ${raw.s_checksum_type}`);
    if (journalSuperblockChecksum(bytes) !== raw.s_checksum) throw corrupt('its checksum does not match its contents');
  }
  const fastCommit = has('fast_commit') ? raw.s_num_fc_blks || JBD2_DEFAULT_FAST_COMMIT_BLOCKS : 0;
  if (raw.s_maxlen < JBD2_MIN_JOURNAL_BLOCKS || raw.s_maxlen - JBD2_MIN_JOURNAL_BLOCKS < fastCommit) {
    throw corrupt(`${raw.s_maxlen} blocks with ${fastCommit} for fast commits are too few`);
  }
  const last = raw.s_maxlen - fastCommit;
  if (raw.s_first === 0 || raw.s_first >= last) throw corrupt(`the log begins at block ${raw.s_first} of ${last}`);
  if (raw.s_start !== 0 && (raw.s_start < raw.s_first || raw.s_start >= last)) {
    throw corrupt(`the oldest transaction begins at block ${raw.s_start}, outside of ${raw.s_first} to ${last}`);
  }
  return {
    raw,
    blockSize,
    first: raw.s_first,
    last,
    // The kernel leaves the area's first block unused (j_fc_first = j_last + 1).
    fastCommitFirst: fastCommit > 0 ? last + 1 : raw.s_maxlen,
    fastCommitEnd: raw.s_maxlen,
    start: raw.s_start,
    sequence: raw.s_sequence,
    checksums,
    seed: journalSeed(raw.s_uuid),
    has64bit: has('64bit'),
    asyncCommit: has('async_commit'),
  };
}
