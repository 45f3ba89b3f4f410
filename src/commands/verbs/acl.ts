/** Verbs about POSIX access control lists, in the text form of acl(5). */
import { decodeName } from '../../bytes/index.ts';
import type { Bytes } from '../../bytes/struct.ts';
import { Posix } from '../../errors.ts';
import type { Place } from '../../guest/mounts.ts';
import type { Io } from '../../io/effect.ts';
import { type AclEntry, decodeAcl, encodeAcl, formatAcl, isValidAcl, parseAcl } from './acl-text.ts';
import type { Verbs } from './verb.ts';

const ATTRIBUTES: Readonly<Record<string, string>> = {
  access: 'system.posix_acl_access',
  default: 'system.posix_acl_default',
};

function attributeOf(type: string): string {
  const name = Object.hasOwn(ATTRIBUTES, type) ? ATTRIBUTES[type] : undefined;
  if (name === undefined) throw new Posix('EINVAL', {}, `there is no kind of access control list '${type}': access, default`);
  return name;
}

function* stored(place: Place, attribute: string): Io<Bytes | undefined> {
  const found = (yield* place.mount.fileSystem.xattrs(place.node)).find(({ name }) => decodeName(name) === attribute);
  return found?.value;
}

/** The list that permission bits are. */
function entriesOfMode(mode: number): AclEntry[] {
  return [
    { tag: 'user', permissions: (mode >> 6) & 7 },
    { tag: 'group', permissions: (mode >> 3) & 7 },
    { tag: 'other', permissions: mode & 7 },
  ];
}

export const aclVerbs: Verbs = {
  acl_get_file: {
    summary: 'gives the access control list of a file as text',
    *run({ tree }, { path, acltype }) {
      const attribute = attributeOf(acltype);
      const place = yield* tree.resolve(path);
      if (acltype === 'default' && place.stat.kind !== 'directory') throw new Posix('EACCES', { path });
      const bytes = yield* stored(place, attribute);
      if (bytes === undefined) return acltype === 'default' ? '' : formatAcl(entriesOfMode(place.stat.mode));
      const entries = decodeAcl(bytes);
      if (entries === undefined) throw new Posix('EINVAL', { path }, 'the attribute holds no access control list');
      return formatAcl(entries);
    },
  },
  acl_set_file: {
    summary: 'sets the access control list of a file from text',
    *run({ tree }, { path, acltype, acl }) {
      const attribute = attributeOf(acltype);
      const entries = parseAcl(acl);
      const place = yield* tree.resolve(path);
      if (acltype === 'default' && place.stat.kind !== 'directory') throw new Posix('EACCES', { path });
      if (entries.length > 0 && !isValidAcl(entries))
        throw new Posix('EINVAL', { path }, 'the access control list lacks entries, or has some twice');
      if (entries.length > 0) yield* tree.setxattr(path, attribute, encodeAcl(entries));
      else if ((yield* stored(place, attribute)) !== undefined) yield* tree.removexattr(path, attribute);
    },
  },
  acl_delete_def_file: {
    summary: 'removes the default access control list of a directory',
    *run({ tree }, { dir }) {
      const place = yield* tree.resolve(dir);
      if ((yield* stored(place, ATTRIBUTES['default'] ?? '')) !== undefined) yield* tree.removexattr(dir, ATTRIBUTES['default'] ?? '');
    },
  },
};
