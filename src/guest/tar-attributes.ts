/** Extended attributes and ACLs in the extended records of a tar archive, as GNU tar, bsdtar and star write them. */
import { type Bytes, decodeName, encodeName } from '../bytes/index.ts';
import type { ExtendedAttribute } from '../filesystem/filesystem.ts';
import { aclBytes } from './posix-acl.ts';

const XATTR = 'SCHILY.xattr.';

/** The attributes that records, by their keys, stand for. */
export function extendedAttributes(records: ReadonlyMap<string, Bytes>): ExtendedAttribute[] {
  const found: ExtendedAttribute[] = [];
  for (const [key, value] of records) {
    if (key.startsWith(XATTR)) {
      const name = key.slice(XATTR.length).replaceAll('%3D', '=').replaceAll('%25', '%');
      found.push({ name: encodeName(name), value });
    } else if (key === 'RHT.security.selinux') found.push({ name: encodeName('security.selinux'), value });
    else if (key === 'SCHILY.acl.access' || key === 'SCHILY.acl.default') {
      const bytes = aclBytes(decodeName(value));
      const name = key === 'SCHILY.acl.access' ? 'system.posix_acl_access' : 'system.posix_acl_default';
      if (bytes !== undefined) found.push({ name: encodeName(name), value: bytes });
    }
  }
  return found;
}
