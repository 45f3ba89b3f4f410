/**
 * POSIX access control lists: the bytes of the attributes `system.posix_acl_access` and `system.posix_acl_default`, and the text that
 * archives carry. Bytes: include/uapi/linux/posix_acl_xattr.h (version 2, little-endian). Text: acl(5), with numbers for names.
 */
import { type Bytes, viewOf } from '../bytes/struct.ts';

const VERSION = 2;
const HEADER = 4;
const ENTRY = 8;
const USER_OBJ = 0x01;
const USER = 0x02;
const GROUP_OBJ = 0x04;
const GROUP = 0x08;
const MASK = 0x10;
const OTHER = 0x20;
const NO_ID = 0xffffffff;

const NAMES: ReadonlyMap<number, string> = new Map([
  [USER_OBJ, 'user'],
  [USER, 'user'],
  [GROUP_OBJ, 'group'],
  [GROUP, 'group'],
  [MASK, 'mask'],
  [OTHER, 'other'],
]);

/** The text of an ACL, such as `user::rw-,user:1000:r--,group::r--,mask::r--,other::---`; undefined for bytes that are none. */
export function aclText(bytes: Bytes): string | undefined {
  if (bytes.length < HEADER || (bytes.length - HEADER) % ENTRY !== 0) return undefined;
  const view = viewOf(bytes);
  if (view.getUint32(0, true) !== VERSION) return undefined;
  const entries: string[] = [];
  for (let at = HEADER; at < bytes.length; at += ENTRY) {
    const tag = view.getUint16(at, true);
    const permissions = view.getUint16(at + 2, true);
    const name = NAMES.get(tag);
    if (name === undefined || permissions > 7) return undefined;
    const id = tag === USER || tag === GROUP ? String(view.getUint32(at + 4, true)) : '';
    entries.push(`${name}:${id}:${permissions & 4 ? 'r' : '-'}${permissions & 2 ? 'w' : '-'}${permissions & 1 ? 'x' : '-'}`);
  }
  return entries.join(',');
}

/**
 * The bytes of an ACL given as text; a fourth field holds the number where the second is a name, as star and libarchive write it.
 * Undefined for text that is none, and for names without a number.
 */
export function aclBytes(text: string): Bytes | undefined {
  const lines = text.split(/[,\n]/).map((line) => line.replace(/#.*/, '').trim());
  const entries: [number, number, number][] = [];
  for (const line of lines) {
    if (line === '') continue;
    const entry = parseEntry(line);
    if (entry === undefined) return undefined;
    entries.push(entry);
  }
  entries.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  const bytes = new Uint8Array(HEADER + entries.length * ENTRY);
  const view = viewOf(bytes);
  view.setUint32(0, VERSION, true);
  entries.forEach(([tag, id, permissions], i) => {
    view.setUint16(HEADER + i * ENTRY, tag, true);
    view.setUint16(HEADER + i * ENTRY + 2, permissions, true);
    view.setUint32(HEADER + i * ENTRY + 4, id, true);
  });
  return bytes;
}

function parseEntry(line: string): [number, number, number] | undefined {
  const match = /^(user|u|group|g|mask|m|other|o):(?:([^:]*):)?([r-][w-][x-])(?::(\d{1,10}))?$/.exec(line);
  if (match === null) return undefined;
  const [, kind = '', who = '', rights = '', number] = match;
  const permissions = (rights[0] === 'r' ? 4 : 0) | (rights[1] === 'w' ? 2 : 0) | (rights[2] === 'x' ? 1 : 0);
  const first = kind.charAt(0);
  if (first === 'm') return [MASK, NO_ID, permissions];
  if (first === 'o') return [OTHER, NO_ID, permissions];
  if (who === '') return [first === 'u' ? USER_OBJ : GROUP_OBJ, NO_ID, permissions];
  const id = Number(number ?? (/^\d{1,10}$/.test(who) ? who : Number.NaN));
  if (!(id < NO_ID)) return undefined;
  return [first === 'u' ? USER : GROUP, id, permissions];
}
