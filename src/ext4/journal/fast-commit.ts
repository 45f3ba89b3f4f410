/**
 * Reads the fast-commit area (fs/ext4/fast_commit.c): what happened after the last full transaction, as operations instead of blocks.
 *
 * The area holds one fast commit after the other, each ended by a TAIL with the checksum of its records. What follows the last good
 * TAIL was under way when the machine stopped, and does not count.
 */
import { crc32cUpdate } from '../../bytes/crc32.ts';
import type { Bytes } from '../../bytes/struct.ts';
import { Corrupt, Unsupported } from '../../errors.ts';
import type { Io } from '../../io/effect.ts';
import { EXT_INIT_MAX_LEN, EXT4_EXTENT, EXT4_NAME_LEN } from '../format/index.ts';
import {
  EXT4_FC_ADD_RANGE,
  EXT4_FC_DEL_RANGE,
  EXT4_FC_DENTRY_INFO,
  EXT4_FC_HEAD,
  EXT4_FC_INODE,
  EXT4_FC_TAG_ADD_RANGE,
  EXT4_FC_TAG_CREAT,
  EXT4_FC_TAG_DEL_RANGE,
  EXT4_FC_TAG_HEAD,
  EXT4_FC_TAG_INODE,
  EXT4_FC_TAG_LINK,
  EXT4_FC_TAG_PAD,
  EXT4_FC_TAG_TAIL,
  EXT4_FC_TAG_UNLINK,
  EXT4_FC_TAIL,
  EXT4_FC_TL,
} from './fast-commit-format.ts';
import type { JournalFile } from './log.ts';
import type { JournalSuperblock } from './superblock.ts';

/** One operation of a fast commit, in the order in which it is to be applied. Blocks are file system blocks. */
export type FastCommitOperation =
  | { readonly kind: 'inode'; readonly inode: number /** As in the inode table, 128 bytes or more. */; readonly bytes: Bytes }
  | {
      readonly kind: 'addRange';
      readonly inode: number;
      readonly logical: number;
      readonly length: number;
      readonly physical: number;
      readonly uninitialized: boolean;
    }
  | { readonly kind: 'removeRange'; readonly inode: number; readonly logical: number; readonly length: number }
  | { readonly kind: 'create' | 'link' | 'unlink'; readonly parent: number; readonly inode: number; readonly name: Bytes };

/** The most records read: over ten times what a default area of 256 blocks of 4 KiB usually holds. */
const MAX_RECORDS = 100_000;
/** `fc_features` known: none. */
const KNOWN_FEATURES = 0;
const SLASH = 0x2f;
const DOT = 0x2e;
/** Bytes of a TAIL that enter its checksum: all but the checksum. */
const TAIL_SUMMED = EXT4_FC_TL.size + 4;

interface FastCommitRecord {
  readonly tag: number;
  readonly value: Bytes;
}

/** The lengths a record may have (ext4_fc_value_len_isvalid). */
function lengthIsValid(tag: number, length: number, inodeSize: number): boolean {
  switch (tag) {
    case EXT4_FC_TAG_ADD_RANGE:
      return length === EXT4_FC_ADD_RANGE.size;
    case EXT4_FC_TAG_DEL_RANGE:
      return length === EXT4_FC_DEL_RANGE.size;
    case EXT4_FC_TAG_CREAT:
    case EXT4_FC_TAG_LINK:
    case EXT4_FC_TAG_UNLINK:
      return length > EXT4_FC_DENTRY_INFO.size && length <= EXT4_FC_DENTRY_INFO.size + EXT4_NAME_LEN;
    case EXT4_FC_TAG_INODE:
      return length >= EXT4_FC_INODE.size + 128 && length <= EXT4_FC_INODE.size + inodeSize;
    case EXT4_FC_TAG_PAD:
      return true;
    case EXT4_FC_TAG_TAIL:
      return length >= EXT4_FC_TAIL.size;
    case EXT4_FC_TAG_HEAD:
      return length === EXT4_FC_HEAD.size;
    default:
      return false;
  }
}

/** The operations of all complete fast commits that belong to transaction `tid`, the one after the last that the log completes. */
export function* readFastCommits(
  file: JournalFile,
  superblock: JournalSuperblock,
  tid: number,
  { inodeSize, inodesCount }: { readonly inodeSize: number; readonly inodesCount: number },
): Io<readonly FastCommitOperation[]> {
  const complete: FastCommitOperation[] = [];
  let pending: FastCommitOperation[] = [];
  let crc = 0;
  let records = 0;
  for (let index = superblock.fastCommitFirst; index < superblock.fastCommitEnd; index++) {
    const block = yield* file.read(index);
    if (index === superblock.fastCommitFirst && EXT4_FC_TL.read(block).fc_tag !== EXT4_FC_TAG_HEAD) return complete;
    for (let at = 0; at + EXT4_FC_TL.size <= block.length; ) {
      const { fc_tag: tag, fc_len: length } = EXT4_FC_TL.read(block, at);
      const start = at + EXT4_FC_TL.size;
      if (start + length > block.length || !lengthIsValid(tag, length, inodeSize)) return complete;
      if (++records > MAX_RECORDS)
        throw new Unsupported('fast_commit', `the fast-commit area has more than ${MAX_RECORDS} records`, { layer: 'ext4 journal' });
      const record = { tag, value: block.subarray(start, start + length) };
      if (tag === EXT4_FC_TAG_TAIL) {
        crc = crc32cUpdate(crc, block, at, at + TAIL_SUMMED);
        const tail = EXT4_FC_TAIL.read(record.value);
        if (tail.fc_tid !== tid || tail.fc_crc !== crc) return complete;
        complete.push(...pending);
        pending = [];
        crc = 0;
      } else {
        crc = crc32cUpdate(crc, block, at, start + length);
        if (tag === EXT4_FC_TAG_HEAD) {
          const head = EXT4_FC_HEAD.read(record.value);
          if (head.fc_tid !== tid) return complete;
          if ((head.fc_features & ~KNOWN_FEATURES) !== 0) {
            throw new Unsupported(`fast_commit features 0x${head.fc_features.toString(16)}`, undefined, { layer: 'ext4 journal' });
          }
        } else {
          const operation = operationOf(record);
          // The kernel skips inodes that the file system does not have.
          if (operation !== undefined && operation.inode >= 1 && operation.inode <= inodesCount) pending.push(operation);
        }
      }
      at = start + length;
    }
  }
  return complete;
}

function operationOf({ tag, value }: FastCommitRecord): FastCommitOperation | undefined {
  switch (tag) {
    case EXT4_FC_TAG_INODE:
      return { kind: 'inode', inode: EXT4_FC_INODE.read(value).fc_ino, bytes: value.slice(EXT4_FC_INODE.size) };
    case EXT4_FC_TAG_ADD_RANGE: {
      const { fc_ino, fc_ex } = EXT4_FC_ADD_RANGE.read(value);
      const extent = EXT4_EXTENT.read(fc_ex);
      const uninitialized = extent.ee_len > EXT_INIT_MAX_LEN;
      return {
        kind: 'addRange',
        inode: fc_ino,
        logical: extent.ee_block,
        length: uninitialized ? extent.ee_len - EXT_INIT_MAX_LEN : extent.ee_len,
        physical: extent.ee_start_hi * 0x1_0000_0000 + extent.ee_start_lo,
        uninitialized,
      };
    }
    case EXT4_FC_TAG_DEL_RANGE: {
      const { fc_ino, fc_lblk, fc_len } = EXT4_FC_DEL_RANGE.read(value);
      return { kind: 'removeRange', inode: fc_ino, logical: fc_lblk, length: fc_len };
    }
    case EXT4_FC_TAG_CREAT:
    case EXT4_FC_TAG_LINK:
    case EXT4_FC_TAG_UNLINK: {
      const { fc_parent_ino, fc_ino } = EXT4_FC_DENTRY_INFO.read(value);
      const kind = tag === EXT4_FC_TAG_CREAT ? 'create' : tag === EXT4_FC_TAG_LINK ? 'link' : 'unlink';
      const name = value.slice(EXT4_FC_DENTRY_INFO.size);
      if (name.includes(0) || name.includes(SLASH) || (name.length <= 2 && name.every((byte) => byte === DOT))) {
        throw new Corrupt('a fast commit has a name that no entry may have', { layer: 'ext4 journal', inode: fc_parent_ino });
      }
      return { kind, parent: fc_parent_ino, inode: fc_ino, name };
    }
    default:
      return undefined;
  }
}
