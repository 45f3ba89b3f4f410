/** POSIX access control lists of the model, in the form of getxattr(2): how they and the mode follow each other (posix_acl(5), acl(5)). */
import type { Bytes } from '../bytes/index.ts';
import { Posix } from '../errors.ts';
import type { FileKind, NodeId } from '../filesystem/filesystem.ts';

export const ACCESS_ACL = 'system.posix_acl_access';
export const DEFAULT_ACL = 'system.posix_acl_default';

const HEADER = 4;
const ENTRY = 8;
const TAG = { owner: 1, user: 2, group: 4, namedGroup: 8, mask: 16, other: 32 } as const;

const view = (acl: Bytes): DataView => new DataView(acl.buffer, acl.byteOffset, acl.byteLength);
const count = (acl: Bytes): number => (acl.length - HEADER) / ENTRY;
const tagAt = (acl: Bytes, i: number): number => view(acl).getUint16(HEADER + ENTRY * i, true);
const permissionsAt = (acl: Bytes, i: number): number => view(acl).getUint16(HEADER + ENTRY * i + 2, true);

function placesOf(acl: Bytes, tag: number): number[] {
  return Array.from({ length: count(acl) }, (_, i) => i).filter((i) => tagAt(acl, i) === tag);
}

/** Whether this is a list that Linux takes. */
function isAcl(acl: Bytes): boolean {
  if (acl.length < HEADER || (acl.length - HEADER) % ENTRY !== 0 || view(acl).getUint32(0, true) !== 2) return false;
  for (let i = 1; i < count(acl); i++) if (tagAt(acl, i - 1) > tagAt(acl, i)) return false;
  const single = [TAG.owner, TAG.group, TAG.other].every((tag) => placesOf(acl, tag).length === 1);
  const named = placesOf(acl, TAG.user).length + placesOf(acl, TAG.namedGroup).length;
  const masks = placesOf(acl, TAG.mask).length;
  return single && masks <= 1 && (named === 0 || masks === 1);
}

/** Whether the list says no more than a mode can. */
function isPlain(acl: Bytes): boolean {
  return count(acl) === 3;
}

/** The entries that stand for the three digits of a mode: owner, mask or else group, others. */
function digits(acl: Bytes): readonly [number, number, number] {
  const [group] = placesOf(acl, TAG.mask).concat(placesOf(acl, TAG.group));
  return [placesOf(acl, TAG.owner)[0] ?? 0, group ?? 0, placesOf(acl, TAG.other)[0] ?? 0];
}

/** The nine permission bits that the list stands for. */
function modeOfAcl(acl: Bytes): number {
  const [owner, group, other] = digits(acl);
  return (permissionsAt(acl, owner) << 6) | (permissionsAt(acl, group) << 3) | permissionsAt(acl, other);
}

/** A list like this one that stands for another mode. */
function aclWithMode(acl: Bytes, mode: number): Bytes {
  const changed = acl.slice();
  digits(acl).forEach((place, i) => {
    view(changed).setUint16(HEADER + ENTRY * place + 2, (mode >> (6 - 3 * i)) & 7, true);
  });
  return changed;
}

/** What of a node has to do with its lists. */
export interface AclHolder {
  readonly id: NodeId;
  readonly kind: FileKind;
  permissions: number;
  readonly xattrs: Map<string, Bytes>;
}

/** Sets a list. An access list that a mode can tell becomes the mode; an empty list is none. */
export function setAcl(node: AclHolder, name: typeof ACCESS_ACL | typeof DEFAULT_ACL, acl: Bytes): void {
  const isEmpty = acl.length === HEADER;
  if (node.kind === 'symlink') throw new Posix('EOPNOTSUPP', { inode: node.id });
  if (!isEmpty && !isAcl(acl)) throw new Posix('EINVAL', { inode: node.id });
  if (!isEmpty && name === DEFAULT_ACL && node.kind !== 'directory') throw new Posix('EACCES', { inode: node.id });
  if (!isEmpty && name === ACCESS_ACL) node.permissions = (node.permissions & ~0o777) | modeOfAcl(acl);
  if (isEmpty || (name === ACCESS_ACL && isPlain(acl))) node.xattrs.delete(name);
  else node.xattrs.set(name, acl.slice());
}

/** A new node takes over the default list of its directory, cut by its mode. */
export function inheritAcl(node: AclHolder, parent: AclHolder): void {
  const acl = parent.xattrs.get(DEFAULT_ACL);
  if (acl === undefined || node.kind === 'symlink') return;
  const mode = node.permissions & modeOfAcl(acl);
  node.permissions = (node.permissions & ~0o777) | mode;
  if (!isPlain(acl)) node.xattrs.set(ACCESS_ACL, aclWithMode(acl, mode));
  if (node.kind === 'directory') node.xattrs.set(DEFAULT_ACL, acl);
}

/** A change of the mode goes into the access list, where there is one. */
export function applyMode(node: AclHolder, mode: number): void {
  node.permissions = mode & 0o7777;
  const acl = node.xattrs.get(ACCESS_ACL);
  if (acl !== undefined) node.xattrs.set(ACCESS_ACL, aclWithMode(acl, mode));
}
