/** Verbs about extended attributes. */
import { type Bytes, compareBytes, decodeName, encodeName } from '../../bytes/index.ts';
import { Posix } from '../../errors.ts';
import type { ExtendedAttribute } from '../../filesystem/filesystem.ts';
import type { EditableTree } from '../../guest/edit.ts';
import type { Io } from '../../io/effect.ts';
import type { XattrStruct } from '../api/calls.ts';
import { placesOf } from './entries.ts';
import type { Verbs } from './verb.ts';

/** The longest value, XATTR_SIZE_MAX of linux/limits.h. */
const VALUE_LIMIT = 65_536;
const NAMESPACES = /^(?:user|trusted|security|system)\../;

interface Follow {
  readonly followLast: boolean;
}
const FOLLOW: Follow = { followLast: true };
const STAY: Follow = { followLast: false };

/** In the order of the names. */
function* attributesOf(tree: EditableTree, path: string, follow: Follow): Io<XattrStruct[]> {
  return sorted(yield* tree.xattrs(path, follow));
}

function sorted(attributes: readonly ExtendedAttribute[]): XattrStruct[] {
  const found = [...attributes].sort((a, b) => compareBytes(a.name, b.name));
  return found.map(({ name, value }) => ({ attrname: decodeName(name), attrval: value }));
}

function* attributeOf(tree: EditableTree, path: string, name: string, follow: Follow): Io<Bytes> {
  yield* tree.resolve(path, follow);
  requireNamespace(name, path);
  return yield* tree.getxattr(path, name, follow);
}

/** Throws EOPNOTSUPP, and ERANGE for a name too short or long. */
function requireNamespace(name: string, path: string): void {
  const { length } = encodeName(name);
  if (length === 0 || length > 255) throw new Posix('ERANGE', { path }, 'the name of an attribute has 1 to 255 bytes');
  if (!NAMESPACES.test(name)) throw new Posix('EOPNOTSUPP', { path });
}

function* setAttribute(tree: EditableTree, path: string, name: string, text: string, length: number, follow: Follow): Io<void> {
  const value = encodeName(text);
  if (length < 0 || length > VALUE_LIMIT) throw new Posix('E2BIG', { path });
  if (length > value.length) throw new Posix('EINVAL', { path }, `the value has ${value.length} bytes, its length says ${length}`);
  requireNamespace(name, path);
  yield* requireUserTarget(tree, path, name, follow);
  yield* tree.setxattr(path, name, value.subarray(0, length), follow);
}

/** Attributes of users are for regular files and directories only: xattr(7). */
function* requireUserTarget(tree: EditableTree, path: string, name: string, follow: Follow): Io<void> {
  if (!name.startsWith('user.')) return;
  const { kind } = (yield* tree.resolve(path, follow)).stat;
  if (kind !== 'file' && kind !== 'directory') throw new Posix('EPERM', { path });
}

function* removeAttribute(tree: EditableTree, path: string, name: string, follow: Follow): Io<void> {
  requireNamespace(name, path);
  yield* requireUserTarget(tree, path, name, follow);
  yield* tree.removexattr(path, name, follow);
}

/**
 * The attributes of several files in one flat list: for each file an entry without a name whose value is their number as C text, or
 * empty where they cannot be read, and behind it the attributes.
 */
function* attributeList(tree: EditableTree, path: string, names: readonly string[]): Io<XattrStruct[]> {
  const list: XattrStruct[] = [];
  for (const place of yield* placesOf(tree, path, names)) {
    if (place === undefined) list.push({ attrname: '', attrval: new Uint8Array(0) });
    else {
      const found = sorted(yield* place.mount.fileSystem.xattrs(place.node));
      list.push({ attrname: '', attrval: encodeName(`${found.length}\0`) }, ...found);
    }
  }
  return list;
}

export const xattrVerbs: Verbs = {
  getxattrs: {
    summary: 'lists the extended attributes of a file',
    *run({ tree }, { path }) {
      return yield* attributesOf(tree, path, FOLLOW);
    },
  },
  lgetxattrs: {
    summary: 'lists the extended attributes of a file, of a symbolic link itself',
    *run({ tree }, { path }) {
      return yield* attributesOf(tree, path, STAY);
    },
  },
  getxattr: {
    summary: 'gives one extended attribute of a file',
    *run({ tree }, { path, name }) {
      return yield* attributeOf(tree, path, name, FOLLOW);
    },
  },
  lgetxattr: {
    summary: 'gives one extended attribute of a file, of a symbolic link itself',
    *run({ tree }, { path, name }) {
      return yield* attributeOf(tree, path, name, STAY);
    },
  },
  setxattr: {
    summary: 'sets an extended attribute of a file',
    *run({ tree }, { xattr, val, vallen, path }) {
      yield* setAttribute(tree, path, xattr, val, vallen, FOLLOW);
    },
  },
  lsetxattr: {
    summary: 'sets an extended attribute of a file, of a symbolic link itself',
    *run({ tree }, { xattr, val, vallen, path }) {
      yield* setAttribute(tree, path, xattr, val, vallen, STAY);
    },
  },
  removexattr: {
    summary: 'removes an extended attribute of a file',
    *run({ tree }, { xattr, path }) {
      yield* removeAttribute(tree, path, xattr, FOLLOW);
    },
  },
  lremovexattr: {
    summary: 'removes an extended attribute of a file, of a symbolic link itself',
    *run({ tree }, { xattr, path }) {
      yield* removeAttribute(tree, path, xattr, STAY);
    },
  },
  internal_lxattrlist: {
    summary: 'lists the extended attributes of several files of a directory',
    *run({ tree }, { path, names }) {
      return yield* attributeList(tree, path, names);
    },
  },
  lxattrlist: {
    summary: 'lists the extended attributes of several files of a directory',
    *run({ tree }, { path, names }) {
      return yield* attributeList(tree, path, names);
    },
  },
};
