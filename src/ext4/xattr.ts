/** Lists of extended attributes, decoded and checked (fs/ext4/xattr.c). Pure: bytes in, entries out. */
import { type Bytes, viewOf } from '../bytes/struct.ts';
import { encodeName } from '../bytes/text.ts';
import { Corrupt, type Where } from '../errors.ts';
import { EXT4_XATTR_ENTRY, XATTR_PREFIXES, XATTR_SIZE_MAX } from './format/xattr.ts';

/** One entry of a list; the value stands there, or in an inode of its own. */
export interface XattrEntry {
  readonly nameIndex: number;
  /** The name without its prefix. */
  readonly name: Bytes;
  /** The inode that holds the value; 0: `value` does. */
  readonly valueInode: number;
  readonly valueSize: number;
  /** Empty when an inode holds it. */
  readonly value: Bytes;
  readonly hash: number;
}

/**
 * Decodes the entries from `first` up to the terminator; value offsets count from `valueBase`, and nothing reaches beyond `end`.
 * The records own their bytes.
 */
export function parseXattrEntries(bytes: Bytes, first: number, valueBase: number, end: number, where: Where): XattrEntry[] {
  const corrupt = (message: string): Corrupt => new Corrupt(`extended attributes: ${message}`, { layer: 'ext4', ...where });
  const view = viewOf(bytes);
  const entries: XattrEntry[] = [];
  let at = first;
  for (;;) {
    if (at + 4 > end) throw corrupt('the list does not end');
    if (view.getUint32(at, true) === 0) break;
    if (at + 16 > end) throw corrupt('an entry reaches beyond the end');
    const raw = EXT4_XATTR_ENTRY.read(bytes, at);
    const next = at + 16 + ((raw.e_name_len + 3) & ~3);
    if (next > end) throw corrupt('a name reaches beyond the end');
    if (raw.e_value_size > XATTR_SIZE_MAX) throw corrupt(`a value of ${raw.e_value_size} bytes`);
    const name = bytes.slice(at + 16, at + 16 + raw.e_name_len);
    if (name.includes(0)) throw corrupt('a name with a zero byte');
    const start = valueBase + raw.e_value_offs;
    const stored = raw.e_value_inum === 0 && raw.e_value_size > 0;
    if (stored && start + raw.e_value_size > end) throw corrupt('a value reaches beyond the end');
    entries.push({
      nameIndex: raw.e_name_index,
      name,
      valueInode: raw.e_value_inum,
      valueSize: raw.e_value_size,
      value: stored ? bytes.slice(start, start + raw.e_value_size) : new Uint8Array(0),
      hash: raw.e_hash,
    });
    at = next;
  }
  // Values grow downwards from the end and must not reach into the list.
  const listEnd = at + 4;
  for (let scan = first; scan < at; ) {
    const raw = EXT4_XATTR_ENTRY.read(bytes, scan);
    if (raw.e_value_inum === 0 && raw.e_value_size > 0 && valueBase + raw.e_value_offs < listEnd)
      throw corrupt('a value overlaps the list');
    scan += 16 + ((raw.e_name_len + 3) & ~3);
  }
  return entries;
}

/** The full name, as the kernel shows it; undefined for what it does not show (system.data, the encryption context). */
export function fullXattrName(entry: XattrEntry): Bytes | undefined {
  const prefix = XATTR_PREFIXES.get(entry.nameIndex);
  if (prefix === undefined) return undefined;
  const head = encodeName(prefix);
  const name = new Uint8Array(head.length + entry.name.length);
  name.set(head);
  name.set(entry.name, head.length);
  return name;
}

/** The part of an entry's hash that its name makes (ext4_xattr_hash_entry). `signed`: as some old kernels counted name bytes. */
function xattrNameHash(name: Bytes, signed = false): number {
  let hash = 0;
  for (const byte of name) hash = ((hash << 5) ^ (hash >>> 27) ^ (signed && byte > 127 ? byte - 256 : byte)) >>> 0;
  return hash;
}

/** `e_hash` of an entry whose value is stored with it; of one in an inode, `words` is that inode's hash alone. */
export function xattrEntryHash(name: Bytes, value: Bytes, signed = false): number {
  let hash = xattrNameHash(name, signed);
  for (let i = 0; i < value.length; i += 4) {
    const word = value[i]! | ((value[i + 1] ?? 0) << 8) | ((value[i + 2] ?? 0) << 16) | ((value[i + 3] ?? 0) << 24);
    hash = ((hash << 16) ^ (hash >>> 16) ^ word) >>> 0;
  }
  return hash;
}

/** `e_hash` of an entry whose value is in an inode, from the hash of the value. */
export function xattrInodeEntryHash(name: Bytes, valueHash: number, signed = false): number {
  const hash = xattrNameHash(name, signed);
  return ((hash << 16) ^ (hash >>> 16) ^ valueHash) >>> 0;
}

/** `h_hash` of a block of attributes: 0 when any entry has none. */
export function xattrBlockHash(hashes: readonly number[]): number {
  let hash = 0;
  for (const entry of hashes) {
    if (entry === 0) return 0;
    hash = ((hash << 16) ^ (hash >>> 16) ^ entry) >>> 0;
  }
  return hash;
}
