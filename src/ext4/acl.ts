/** POSIX ACLs: the form on the disk (fs/ext4/acl.h, version 1) and the one that getxattr(2) returns (version 2). */
import { type Bytes, viewOf } from '../bytes/struct.ts';
import { Corrupt, type Where } from '../errors.ts';

const EXT4_ACL_VERSION = 1;
const POSIX_ACL_XATTR_VERSION = 2;
const ACL_USER_OBJ = 0x01;
const ACL_USER = 0x02;
const ACL_GROUP_OBJ = 0x04;
const ACL_GROUP = 0x08;
const ACL_MASK = 0x10;
const ACL_OTHER = 0x20;
const ACL_UNDEFINED_ID = 0xffffffff;

/** The version-2 form of an ACL from the disk. Throws Corrupt for one that is no ACL. */
export function aclFromDisk(disk: Bytes, where: Where): Bytes {
  const corrupt = (message: string): Corrupt => new Corrupt(`access control list: ${message}`, { layer: 'ext4', ...where });
  const view = viewOf(disk);
  if (disk.length < 4 || view.getUint32(0, true) !== EXT4_ACL_VERSION) throw corrupt('unknown version');
  const words: [number, number, number][] = [];
  for (let at = 4; at < disk.length; ) {
    if (at + 4 > disk.length) throw corrupt('it ends inside of an entry');
    const tag = view.getUint16(at, true);
    const permissions = view.getUint16(at + 2, true);
    if (tag === ACL_USER || tag === ACL_GROUP) {
      if (at + 8 > disk.length) throw corrupt('it ends inside of an entry');
      words.push([tag, permissions, view.getUint32(at + 4, true)]);
      at += 8;
    } else if (tag === ACL_USER_OBJ || tag === ACL_GROUP_OBJ || tag === ACL_MASK || tag === ACL_OTHER) {
      words.push([tag, permissions, ACL_UNDEFINED_ID]);
      at += 4;
    } else throw corrupt(`unknown tag 0x${tag.toString(16)}`);
  }
  const result = new Uint8Array(4 + 8 * words.length);
  const out = viewOf(result);
  out.setUint32(0, POSIX_ACL_XATTR_VERSION, true);
  words.forEach(([tag, permissions, id], i) => {
    out.setUint16(4 + 8 * i, tag, true);
    out.setUint16(6 + 8 * i, permissions, true);
    out.setUint32(8 + 8 * i, id, true);
  });
  return result;
}

/** The form for the disk of a version-2 ACL; undefined for bytes that are none (setxattr(2) answers EINVAL then). */
export function aclToDisk(xattr: Bytes): Bytes | undefined {
  const view = viewOf(xattr);
  if (xattr.length < 4 || (xattr.length - 4) % 8 !== 0 || view.getUint32(0, true) !== POSIX_ACL_XATTR_VERSION) return undefined;
  const result = new Uint8Array(xattr.length);
  const out = viewOf(result);
  out.setUint32(0, EXT4_ACL_VERSION, true);
  let end = 4;
  for (let at = 4; at < xattr.length; at += 8) {
    const tag = view.getUint16(at, true);
    out.setUint16(end, tag, true);
    out.setUint16(end + 2, view.getUint16(at + 2, true), true);
    end += 4;
    if (tag === ACL_USER || tag === ACL_GROUP) {
      out.setUint32(end, view.getUint32(at + 4, true), true);
      end += 4;
    } else if (tag !== ACL_USER_OBJ && tag !== ACL_GROUP_OBJ && tag !== ACL_MASK && tag !== ACL_OTHER) return undefined;
  }
  return result.slice(0, end);
}
