/** Directory blocks, decoded and checked as the kernel does (__ext4_check_dir_entry in fs/ext4/dir.c). Pure: bytes in, entries out. */
import type { Bytes } from '../bytes/struct.ts';
import { Corrupt, type Where } from '../errors.ts';
import type { DirectoryEntry, FileKind } from '../filesystem/filesystem.ts';
import { EXT4_FT_DIR_CSUM } from './format/directory.ts';

/** `file_type`, the feature `filetype`. */
const KINDS: readonly (FileKind | undefined)[] = [undefined, 'file', 'directory', 'character', 'block', 'fifo', 'socket', 'symlink'];

/** How the entries of one directory stand. */
export interface DirectoryForm {
  /** The size of a block of the file system, in bytes. */
  readonly blockSize: number;
  /** Byte 7 is the type. */
  readonly hasFileType: boolean;
  /** Names are ciphertext and may hold any byte. */
  readonly encrypted: boolean;
  /** Each name is followed by its hash: encrypted and casefolded at once. */
  readonly storedHash: boolean;
  /** `s_inodes_count`. */
  readonly inodesCount: number;
}

/** An entry as it stands; `offset` is the byte in the region. */
export interface PlacedEntry extends DirectoryEntry {
  readonly offset: number;
}

/** `rec_len` in bytes: with blocks of 64 KiB, 65535 and 0 mean the whole block and the low two bits are high ones (ext4_rec_len_from_disk). */
export function recordLength(disk: number, blockSize: number): number {
  if (blockSize < 65536) return disk;
  return disk === 65535 || disk === 0 ? blockSize : (disk & 65532) + (disk & 3) * 65536;
}

/** The least `rec_len` of an entry with a name of so many bytes. */
export function leastRecordLength(nameLength: number, form: DirectoryForm): number {
  return (8 + nameLength + (form.storedHash ? 8 : 0) + 3) & ~3;
}

/** Decodes the entries that tile `bytes[start, end)` and adds them to `entries`, without `.`, `..` and unused ones. */
export function parseEntries(bytes: Bytes, start: number, end: number, form: DirectoryForm, where: Where, entries: PlacedEntry[]): void {
  const { blockSize, inodesCount } = form;
  const least = 12;
  for (let at = start; at < end; ) {
    if (at + 8 > end) throw bad('an entry reaches beyond the end', at, where);
    const inode = (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
    const length = recordLength(bytes[at + 4]! | (bytes[at + 5]! << 8), blockSize);
    const nameLength = bytes[at + 6]!;
    if (length < least || (length & 3) !== 0) throw bad(`an entry of ${length} bytes`, at, where);
    if (length < 8 + nameLength) throw bad(`an entry of ${length} bytes with a name of ${nameLength}`, at, where);
    const next = at + length;
    if (next > end) throw bad('an entry reaches beyond the end', at, where);
    if (inode !== 0 && nameLength !== 0) {
      if (inode > inodesCount) throw bad(`an entry names inode ${inode} of ${inodesCount}`, at, where);
      const name = bytes.slice(at + 8, at + 8 + nameLength);
      const dot = name[0] === 0x2e && (nameLength === 1 || (nameLength === 2 && name[1] === 0x2e));
      if (!dot) {
        if (!form.encrypted && hasForbiddenByte(bytes, at + 8, nameLength)) throw bad('a name with a slash or zero byte', at, where);
        if (form.storedHash && length < leastRecordLength(nameLength, form)) throw bad('an entry without room for its hash', at, where);
        const kind = form.hasFileType ? KINDS[bytes[at + 7]!] : undefined;
        entries.push(kind === undefined ? { name, node: inode, offset: at } : { name, node: inode, kind, offset: at });
      }
    }
    at = next;
  }
}

/**
 * Where the entry of a name stands in `bytes[start, end)`, compared byte by byte; -1: nowhere. Only for bytes that were decoded before:
 * of the lengths it checks no more than it needs to come to an end.
 */
export function findEntry(bytes: Bytes, start: number, end: number, form: DirectoryForm, name: Bytes): number {
  const { length } = name;
  if (length === 0 || (name[0] === 0x2e && (length === 1 || (length === 2 && name[1] === 0x2e)))) return -1;
  const first = name[0]!;
  const last = name[length - 1]!;
  for (let at = start; at < end; ) {
    if (bytes[at + 6] === length && bytes[at + 8] === first && bytes[at + 7 + length] === last && isName(bytes, at, name)) return at;
    at += entryLength(bytes, at, form);
  }
  return -1;
}

function isName(bytes: Bytes, at: number, name: Bytes): boolean {
  if ((bytes[at]! | bytes[at + 1]! | bytes[at + 2]! | bytes[at + 3]!) === 0) return false;
  for (let i = 1; i < name.length; i++) if (bytes[at + 8 + i] !== name[i]) return false;
  return true;
}

/** The inode of the entry at `at`. */
export function entryInode(bytes: Bytes, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
}

/** The length of the entry at `at`; throws Corrupt for one with which no walk would come to an end. */
export function entryLength(bytes: Bytes, at: number, form: DirectoryForm): number {
  const length = recordLength(bytes[at + 4]! | (bytes[at + 5]! << 8), form.blockSize);
  if (!(length >= 8)) throw new Corrupt(`directory: an entry of ${length} bytes`, { layer: 'ext4' });
  return length;
}

function hasForbiddenByte(bytes: Bytes, at: number, length: number): boolean {
  for (let i = at; i < at + length; i++) if (bytes[i] === 0x2f || bytes[i] === 0) return true;
  return false;
}

function bad(message: string, at: number, where: Where): Corrupt {
  return new Corrupt(`directory: ${message}`, {
    layer: 'ext4',
    ...where,
    ...(where.offset === undefined ? {} : { offset: where.offset + at }),
  });
}

/** Whether the block ends in a checksum tail (get_dirent_tail). */
export function hasDirectoryTail(block: Bytes): boolean {
  const at = block.length - 12;
  return (
    block[at] === 0 &&
    block[at + 1] === 0 &&
    block[at + 2] === 0 &&
    block[at + 3] === 0 &&
    block[at + 4] === 12 &&
    block[at + 5] === 0 &&
    block[at + 6] === 0 &&
    block[at + 7] === EXT4_FT_DIR_CSUM
  );
}

/**
 * Where the `dx_countlimit` of an index block stands: 32 in a root, 8 in a node; undefined when the block is none (get_dx_countlimit).
 */
export function countLimitOffset(block: Bytes, blockSize: number): number | undefined {
  const length = recordLength(block[4]! | (block[5]! << 8), blockSize);
  if (length === blockSize) return block[0] === 0 && block[1] === 0 && block[2] === 0 && block[3] === 0 ? 8 : undefined;
  if (length !== 12) return undefined;
  const parent = recordLength(block[16]! | (block[17]! << 8), blockSize);
  const info = block[24] === 0 && block[25] === 0 && block[26] === 0 && block[27] === 0 && block[29] === 8;
  return parent === blockSize - 12 && info ? 32 : undefined;
}
