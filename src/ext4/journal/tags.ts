/** What descriptor and revoke blocks list. */
import { type Bytes, viewOf } from '../../bytes/struct.ts';
import {
  BLOCK_TAIL_LENGTH,
  JBD2_FLAG_ESCAPE,
  JBD2_FLAG_LAST_TAG,
  JBD2_FLAG_SAME_UUID,
  JBD2_JOURNAL_REVOKE_HEADER,
  JOURNAL_BLOCK_TAG,
  JOURNAL_BLOCK_TAG3,
  TAG_BLOCKNR_HIGH,
  TAG_UUID_LENGTH,
  TAGS_OFFSET,
} from './format.ts';
import type { JournalSuperblock } from './superblock.ts';

/** One block of a transaction: it stands in the journal, and belongs to `home` on the file system's device. */
export interface BlockTag {
  /** Block number on the file system. */
  readonly home: number;
  /** The first four bytes were the journal's magic number, and were set to zero in the journal. */
  readonly escaped: boolean;
  readonly checksum: number;
}

type TagFormat = Pick<JournalSuperblock, 'checksums' | 'has64bit'>;

function tagLength(format: TagFormat): number {
  if (format.checksums === 'v3') return JOURNAL_BLOCK_TAG3.size;
  return JOURNAL_BLOCK_TAG.size + (format.checksums === 'v2' ? 2 : 0) + (format.has64bit ? 4 : 0);
}

function usableLength(format: TagFormat, block: Bytes): number {
  return block.length - (format.checksums === 'v2' || format.checksums === 'v3' ? BLOCK_TAIL_LENGTH : 0);
}

/** Inexact above 2^53, which no file system has: such a number fails the check against its size, and stale blocks may hold anything. */
function join(high: number, low: number): number {
  return high * 0x1_0000_0000 + low;
}

/** The tags of a descriptor block, in the order of the blocks that follow it. */
export function blockTags(format: TagFormat, block: Bytes): BlockTag[] {
  const view = viewOf(block);
  const length = tagLength(format);
  const end = usableLength(format, block);
  const tags: BlockTag[] = [];
  for (let at = TAGS_OFFSET; at + length <= end; ) {
    let flags: number;
    if (format.checksums === 'v3') {
      const tag = JOURNAL_BLOCK_TAG3.read(block, at);
      flags = tag.t_flags;
      const home = join(format.has64bit ? tag.t_blocknr_high : 0, tag.t_blocknr);
      tags.push({ home, escaped: (flags & JBD2_FLAG_ESCAPE) !== 0, checksum: tag.t_checksum });
    } else {
      const tag = JOURNAL_BLOCK_TAG.read(block, at);
      flags = tag.t_flags;
      const home = join(format.has64bit ? view.getUint32(at + TAG_BLOCKNR_HIGH) : 0, tag.t_blocknr);
      tags.push({ home, escaped: (flags & JBD2_FLAG_ESCAPE) !== 0, checksum: tag.t_checksum });
    }
    if ((flags & JBD2_FLAG_LAST_TAG) !== 0) break;
    at += length + ((flags & JBD2_FLAG_SAME_UUID) !== 0 ? 0 : TAG_UUID_LENGTH);
  }
  return tags;
}

/** The block numbers of a revoke block; undefined when its count is impossible. */
export function revokedBlocks(format: TagFormat, block: Bytes): number[] | undefined {
  const { r_count: used } = JBD2_JOURNAL_REVOKE_HEADER.read(block);
  if (used > usableLength(format, block)) return undefined;
  const view = viewOf(block);
  const length = format.has64bit ? 8 : 4;
  const blocks: number[] = [];
  for (let at = JBD2_JOURNAL_REVOKE_HEADER.size; at + length <= used; at += length) {
    blocks.push(format.has64bit ? join(view.getUint32(at), view.getUint32(at + 4)) : view.getUint32(at));
  }
  return blocks;
}
