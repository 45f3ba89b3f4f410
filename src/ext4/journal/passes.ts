/**
 * The three passes over the log (fs/jbd2/recovery.c, do_one_pass): find its end, collect what is revoked, collect what is to be
 * replayed. Nothing is written: the outcome says which block of the device stands for which.
 */
import { Corrupt } from '../../errors.ts';
import type { Warning } from '../../filesystem/filesystem.ts';
import type { Io } from '../../io/effect.ts';
import { commitMatches, crc32beUpdate, dataChecksum, tailMatches } from './checksum.ts';
import {
  COMMIT_HEADER,
  JBD2_COMMIT_BLOCK,
  JBD2_CRC32_CHKSUM,
  JBD2_CRC32_CHKSUM_SIZE,
  JBD2_DESCRIPTOR_BLOCK,
  JBD2_REVOKE_BLOCK,
} from './format.ts';
import { comesAfter, type JournalFile, type LogBlock, LogWalker, nextSequence, readDataBlocks } from './log.ts';
import type { JournalSuperblock } from './superblock.ts';
import { blockTags, revokedBlocks } from './tags.ts';

/** What the passes need to know of the file system, and how strict they are. */
export interface PassOptions {
  /** Blocks of the file system: no home block lies beyond. */
  readonly blocksCount: number;
  /** Go on where the journal is damaged, as e2fsck does, and say so in `warnings`; otherwise damage is Corrupt. */
  readonly tolerant: boolean;
  readonly warnings: Warning[];
}

export interface Scanned {
  /** The sequence number that follows the last complete transaction. */
  readonly end: number;
  readonly transactions: number;
  /** Home blocks that occur in the log. */
  readonly written: ReadonlySet<number>;
}

function damaged(options: PassOptions, message: string, hint: string): void {
  if (!options.tolerant) throw new Corrupt(`${message}; ${hint}`, { layer: 'ext4 journal' });
  options.warnings.push({ message: `journal: ${message}` });
}

const REPAIR = 'run e2fsck on a copy of the image, or open it ignoring checksums';

function sumsBlocks(superblock: JournalSuperblock): boolean {
  return superblock.checksums === 'v2' || superblock.checksums === 'v3';
}

/** First pass: the log ends behind the last transaction whose commit block is there and right. */
export function* scanLog(file: JournalFile, superblock: JournalSuperblock, options: PassOptions): Io<Scanned> {
  const walker = new LogWalker(file, superblock);
  const written = new Set<number>();
  let transactions = 0;
  let end = walker.sequence;
  let lastCommitTime = 0n;
  // A wrong checksum may be left over from an older use of these blocks: the time in the commit block tells.
  let doubtful = false;
  let crc = 0xffffffff;
  for (;;) {
    const block: LogBlock | undefined = yield* walker.next();
    if (block === undefined) break;
    if (block.type === JBD2_DESCRIPTOR_BLOCK) {
      if (sumsBlocks(superblock) && !tailMatches(superblock.seed, block.bytes)) doubtful = true;
      const tags = blockTags(superblock, block.bytes);
      if (superblock.checksums === 'v1') crc = crc32beUpdate(crc, block.bytes);
      const indexes = walker.take(tags.length);
      if (indexes.length < tags.length) break;
      for (const tag of tags) written.add(tag.home);
      if (superblock.checksums === 'v1') {
        yield* readDataBlocks(file, indexes, (_, bytes) => {
          crc = crc32beUpdate(crc, bytes);
        });
      }
    } else if (block.type === JBD2_REVOKE_BLOCK) {
      if (sumsBlocks(superblock) && !tailMatches(superblock.seed, block.bytes)) doubtful = true;
    } else if (block.type === JBD2_COMMIT_BLOCK) {
      const commit = COMMIT_HEADER.read(block.bytes);
      const stale = commit.h_commit_sec < lastCommitTime;
      if (doubtful) {
        if (!stale) damaged(options, `transaction ${walker.sequence} has a wrong checksum in a descriptor or revoke block`, REPAIR);
        break;
      }
      const unused = commit.h_chksum_type === 0 && commit.h_chksum_size === 0 && commit.h_chksum[0] === 0;
      const typed = commit.h_chksum_type === JBD2_CRC32_CHKSUM && commit.h_chksum_size === JBD2_CRC32_CHKSUM_SIZE;
      const right =
        superblock.checksums === 'none' ||
        (superblock.checksums === 'v1' ? unused || (typed && commit.h_chksum[0] === crc) : commitMatches(superblock.seed, block.bytes));
      if (!right) {
        // With async_commit the last commit block may reach the disk before its transaction: that is a cut, no damage.
        const cut = superblock.asyncCommit && !(yield* hasCommitAfter(walker, superblock));
        if (!stale && !cut) damaged(options, `transaction ${end} has a wrong checksum`, REPAIR);
        break;
      }
      lastCommitTime = commit.h_commit_sec;
      crc = 0xffffffff;
      transactions++;
      walker.sequence = end = nextSequence(walker.sequence);
    } else {
      break;
    }
  }
  return { end, transactions, written };
}

/** Whether the log goes on to the commit block of the transaction after the one that the walker has just left. */
function* hasCommitAfter(walker: LogWalker, superblock: JournalSuperblock): Io<boolean> {
  walker.sequence = nextSequence(walker.sequence);
  for (;;) {
    const block: LogBlock | undefined = yield* walker.next();
    if (block === undefined) return false;
    if (block.type === JBD2_COMMIT_BLOCK) return true;
    if (block.type === JBD2_DESCRIPTOR_BLOCK) walker.take(blockTags(superblock, block.bytes).length);
    else if (block.type !== JBD2_REVOKE_BLOCK) return false;
  }
}

/**
 * Second pass: which home blocks are revoked, up to which transaction; the highest one counts. Only blocks that the log writes are
 * kept, so that the table is no larger than the log.
 */
export function* collectRevokes(
  file: JournalFile,
  superblock: JournalSuperblock,
  scanned: Scanned,
  options: PassOptions,
): Io<ReadonlyMap<number, number>> {
  const walker = new LogWalker(file, superblock);
  const revokes = new Map<number, number>();
  while (comesAfter(scanned.end, walker.sequence)) {
    const block: LogBlock | undefined = yield* walker.next();
    if (block === undefined) break;
    if (block.type === JBD2_DESCRIPTOR_BLOCK) walker.take(blockTags(superblock, block.bytes).length);
    else if (block.type === JBD2_COMMIT_BLOCK) walker.sequence = nextSequence(walker.sequence);
    else if (block.type === JBD2_REVOKE_BLOCK) {
      const revoked = revokedBlocks(superblock, block.bytes);
      if (revoked === undefined) damaged(options, `block ${block.index} revokes more than it can hold`, REPAIR);
      for (const home of revoked ?? []) {
        if (!scanned.written.has(home)) continue;
        const known = revokes.get(home);
        if (known === undefined || comesAfter(walker.sequence, known)) revokes.set(home, walker.sequence);
      }
    } else break;
  }
  return revokes;
}

export interface Replayed {
  /** Home block to the device's block that holds its contents. */
  readonly blocks: ReadonlyMap<number, number>;
  /** Home blocks whose copy in the journal has its first four bytes escaped. */
  readonly escaped: ReadonlySet<number>;
  /** Writes that a revoke record took back. */
  readonly revoked: number;
}

/** Third pass: the last copy of every block that is not revoked. */
export function* collectBlocks(
  file: JournalFile,
  superblock: JournalSuperblock,
  scanned: Scanned,
  revokes: ReadonlyMap<number, number>,
  options: PassOptions,
): Io<Replayed> {
  const walker = new LogWalker(file, superblock);
  const blocks = new Map<number, number>();
  const escaped = new Set<number>();
  let revoked = 0;
  while (comesAfter(scanned.end, walker.sequence)) {
    const block: LogBlock | undefined = yield* walker.next();
    if (block === undefined) break;
    if (block.type === JBD2_COMMIT_BLOCK) walker.sequence = nextSequence(walker.sequence);
    else if (block.type === JBD2_REVOKE_BLOCK) continue;
    else if (block.type !== JBD2_DESCRIPTOR_BLOCK) break;
    else {
      const tags = blockTags(superblock, block.bytes);
      const indexes = walker.take(tags.length);
      const live = tags
        .map((tag, position) => ({ tag, index: indexes[position]! }))
        .filter(({ tag }) => {
          const until = revokes.get(tag.home);
          return until === undefined || comesAfter(walker.sequence, until);
        });
      revoked += tags.length - live.length;
      const wrong = new Set<number>();
      if (sumsBlocks(superblock)) {
        const sequence = walker.sequence;
        const mask = superblock.checksums === 'v2' ? 0xffff : 0xffffffff;
        yield* readDataBlocks(
          file,
          live.map(({ index }) => index),
          (position, bytes) => {
            const sum = (dataChecksum(superblock.seed, sequence, bytes) & mask) >>> 0;
            if (sum !== live[position]!.tag.checksum) wrong.add(position);
          },
        );
      }
      live.forEach(({ tag, index }, position) => {
        if (wrong.has(position))
          damaged(options, `the copy of block ${tag.home} in transaction ${walker.sequence} has a wrong checksum`, REPAIR);
        else if (tag.home >= options.blocksCount)
          damaged(options, `transaction ${walker.sequence} writes block ${tag.home} of ${options.blocksCount}`, REPAIR);
        else {
          blocks.set(tag.home, file.blockOf(index));
          if (tag.escaped) escaped.add(tag.home);
          else escaped.delete(tag.home);
        }
      });
    }
  }
  return { blocks, escaped, revoked };
}
