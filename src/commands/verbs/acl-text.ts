/**
 * Access control lists as text, acl(5) and acl_to_text(3), and as the bytes of their attributes (include/uapi/linux/posix_acl_xattr.h,
 * version 2). Users and groups are numbers: whose names to use is the guest's business.
 */
import { type Bytes, viewOf } from '../../bytes/struct.ts';
import { Posix } from '../../errors.ts';

export interface AclEntry {
  readonly tag: 'user' | 'group' | 'mask' | 'other';
  /** The user or group that an entry is about; absent for the file's own. */
  readonly id?: number;
  /** Bits: 4 read, 2 write, 1 execute. */
  readonly permissions: number;
}

/** ACL_USER_OBJ and so on. */
const TAGS = [
  { code: 0x01, tag: 'user', named: false },
  { code: 0x02, tag: 'user', named: true },
  { code: 0x04, tag: 'group', named: false },
  { code: 0x08, tag: 'group', named: true },
  { code: 0x10, tag: 'mask', named: false },
  { code: 0x20, tag: 'other', named: false },
] as const;
const VERSION = 2;
const HEADER = 4;
const ENTRY = 8;
const NO_ID = 0xffffffff;

function codeOf(entry: AclEntry): number {
  return TAGS.find(({ tag, named }) => tag === entry.tag && named === (entry.id !== undefined))?.code ?? 0;
}

/** In the order of acl_valid(3): by tag, then by number. */
function sorted(entries: readonly AclEntry[]): AclEntry[] {
  return [...entries].sort((a, b) => codeOf(a) - codeOf(b) || (a.id ?? 0) - (b.id ?? 0));
}

/** One of each that the file has itself, nobody named twice, and a mask where somebody is named. */
export function isValidAcl(entries: readonly AclEntry[]): boolean {
  const seen = new Set<string>();
  for (const entry of entries) {
    const key = `${codeOf(entry)}:${entry.id ?? ''}`;
    if (seen.has(key)) return false;
    seen.add(key);
  }
  const needsMask = entries.some((entry) => entry.id !== undefined);
  return seen.has('1:') && seen.has('4:') && seen.has('32:') && (!needsMask || seen.has('16:'));
}

/** Throws EINVAL for text that is no list, ENOENT for the name of a user or group. */
export function parseAcl(text: string): AclEntry[] {
  const entries: AclEntry[] = [];
  for (const line of text.split('\n')) {
    const bare = line.replace(/#.*$/s, '');
    if (bare.trim() === '') continue;
    for (const word of bare.split(',')) entries.push(parseEntry(word.trim()));
  }
  return sorted(entries);
}

const KINDS: Readonly<Record<string, AclEntry['tag']>> = {
  u: 'user',
  user: 'user',
  g: 'group',
  group: 'group',
  m: 'mask',
  mask: 'mask',
  o: 'other',
  other: 'other',
};

function parseEntry(word: string): AclEntry {
  const invalid = new Posix('EINVAL', {}, `'${word}' is no entry of an access control list, such as user::rwx or group:1000:r-x`);
  const parts = word.split(':');
  const [kind = '', first = '', second] = parts;
  const tag = Object.hasOwn(KINDS, kind) ? KINDS[kind] : undefined;
  if (tag === undefined || parts.length > 3) throw invalid;
  const bare = tag === 'mask' || tag === 'other';
  const who = second === undefined ? '' : first;
  const rights = second ?? first;
  if ((second === undefined && !bare) || (bare && who !== '') || !/^(?:r|w|x|-){1,3}$/.test(rights) || !isOnce(rights)) throw invalid;
  const permissions = (rights.includes('r') ? 4 : 0) | (rights.includes('w') ? 2 : 0) | (rights.includes('x') ? 1 : 0);
  if (who === '') return { tag, permissions };
  if (!/^(?:0x[0-9a-fA-F]{1,8}|[0-9]{1,11})$/.test(who))
    throw new Posix('ENOENT', {}, `'${who}' is no number of a ${tag}; names are not known here`);
  const id = /^0[0-7]+$/.test(who) ? Number.parseInt(who, 8) : Number(who);
  if (!(id <= NO_ID)) throw invalid;
  return { tag, id, permissions };
}

function isOnce(rights: string): boolean {
  return ['r', 'w', 'x'].every((letter) => rights.split(letter).length <= 2);
}

function rightsText(permissions: number): string {
  return (permissions & 4 ? 'r' : '-') + (permissions & 2 ? 'w' : '-') + (permissions & 1 ? 'x' : '-');
}

/** One entry a line; where the mask takes rights away, what is left stands behind a tab. */
export function formatAcl(entries: readonly AclEntry[]): string {
  const mask = entries.find(({ tag }) => tag === 'mask')?.permissions ?? 7;
  return entries
    .map(({ tag, id, permissions }) => {
      const masked = id !== undefined || tag === 'group';
      const effective = masked && (permissions & mask) !== permissions ? `\t#effective:${rightsText(permissions & mask)}` : '';
      return `${tag}:${id ?? ''}:${rightsText(permissions)}${effective}\n`;
    })
    .join('');
}

/** Undefined for bytes that are no list. */
export function decodeAcl(bytes: Bytes): AclEntry[] | undefined {
  if (bytes.length < HEADER || (bytes.length - HEADER) % ENTRY !== 0) return undefined;
  const view = viewOf(bytes);
  if (view.getUint32(0, true) !== VERSION) return undefined;
  const entries: AclEntry[] = [];
  for (let at = HEADER; at < bytes.length; at += ENTRY) {
    const kind = TAGS.find(({ code }) => code === view.getUint16(at, true));
    if (kind === undefined) return undefined;
    const permissions = view.getUint16(at + 2, true) & 7;
    entries.push({ tag: kind.tag, permissions, ...(kind.named ? { id: view.getUint32(at + 4, true) } : {}) });
  }
  return entries;
}

export function encodeAcl(entries: readonly AclEntry[]): Bytes {
  const bytes = new Uint8Array(HEADER + entries.length * ENTRY);
  const view = viewOf(bytes);
  view.setUint32(0, VERSION, true);
  sorted(entries).forEach((entry, i) => {
    view.setUint16(HEADER + i * ENTRY, codeOf(entry), true);
    view.setUint16(HEADER + i * ENTRY + 2, entry.permissions, true);
    view.setUint32(HEADER + i * ENTRY + 4, entry.id ?? NO_ID, true);
  });
  return bytes;
}
