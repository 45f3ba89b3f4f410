/** Laying out extended attributes, inside of an inode and in a block: plain functions from entries to bytes (fs/ext4/xattr.c). */
import { type Bytes, viewOf } from '../../bytes/struct.ts';
import { compareBytes } from '../../bytes/text.ts';
import { EXT4_XATTR_ENTRY, EXT4_XATTR_HEADER, EXT4_XATTR_MAGIC } from '../format/index.ts';
import { type XattrEntry, xattrBlockHash, xattrEntryHash } from '../xattr.ts';

const padded = (length: number): number => (length + 3) & ~3;

/** Bytes that an entry takes, its value not counted. */
function entrySize(entry: XattrEntry): number {
  return EXT4_XATTR_ENTRY.size + padded(entry.name.length);
}

/** Bytes that entries take with their values and the end of the list. */
export function xattrSpace(entries: readonly XattrEntry[]): number {
  return entries.reduce((sum, entry) => sum + entrySize(entry) + (entry.valueInode === 0 ? padded(entry.valueSize) : 0), 4);
}

/** Whether two entries are of the same attribute. */
export function sameXattr(a: Pick<XattrEntry, 'nameIndex' | 'name'>, b: Pick<XattrEntry, 'nameIndex' | 'name'>): boolean {
  return a.nameIndex === b.nameIndex && compareBytes(a.name, b.name) === 0;
}

/**
 * Writes the entries to `bytes[first, end)`, the values downwards from `end`; offsets of values count from `valueBase`. The caller has
 * checked that they fit ({@link xattrSpace}). Returns the hashes as written.
 */
function writeEntries(
  bytes: Bytes,
  first: number,
  valueBase: number,
  entries: readonly XattrEntry[],
  hash: (entry: XattrEntry) => number,
): number[] {
  bytes.fill(0, first);
  let at = first;
  let valueAt = bytes.length;
  return entries.map((entry) => {
    const stored = entry.valueInode === 0 && entry.valueSize > 0;
    if (stored) {
      valueAt -= padded(entry.valueSize);
      bytes.set(entry.value, valueAt);
    }
    const e_hash = hash(entry);
    EXT4_XATTR_ENTRY.write(bytes, at, {
      e_name_len: entry.name.length,
      e_name_index: entry.nameIndex,
      e_value_offs: stored ? valueAt - valueBase : 0,
      e_value_inum: entry.valueInode,
      e_value_size: entry.valueSize,
      e_hash,
    });
    bytes.set(entry.name, at + EXT4_XATTR_ENTRY.size);
    at += entrySize(entry);
    return e_hash;
  });
}

/** Writes the attributes of an inode into its bytes from `header` on; without entries the space becomes zero. */
export function writeInsideInode(bytes: Bytes, header: number, entries: readonly XattrEntry[]): void {
  bytes.fill(0, header);
  if (entries.length === 0) return;
  viewOf(bytes).setUint32(header, EXT4_XATTR_MAGIC, true);
  // Only values that are kept elsewhere have a hash here.
  writeEntries(bytes, header + 4, header + 4, entries, (entry) => (entry.valueInode === 0 ? 0 : entry.hash));
}

/** A block of attributes with one user; its checksum is still missing. */
export function makeXattrBlock(blockSize: number, entries: readonly XattrEntry[]): Bytes {
  const bytes = new Uint8Array(blockSize);
  // The kernel stops searching at the first entry that is greater.
  const sorted = [...entries].sort((a, b) => a.nameIndex - b.nameIndex || a.name.length - b.name.length || compareBytes(a.name, b.name));
  const hashes = writeEntries(bytes, EXT4_XATTR_HEADER.size, 0, sorted, (entry) =>
    entry.valueInode === 0 ? xattrEntryHash(entry.name, entry.value) : entry.hash,
  );
  EXT4_XATTR_HEADER.write(bytes, 0, {
    h_magic: EXT4_XATTR_MAGIC,
    h_refcount: 1,
    h_blocks: 1,
    h_hash: xattrBlockHash(hashes),
  });
  return bytes;
}
