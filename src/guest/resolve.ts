/**
 * The one path walker. Paths are resolved as path_resolution(7) says, inside a root that nothing leaves: `..` at the root stays there, an
 * absolute link starts again at the root, and so does every path given by a caller.
 */

import { type Bytes, concatBytes } from '../bytes/index.ts';
import { untilNul } from '../bytes/text.ts';
import { Posix } from '../errors.ts';
import type { Io } from '../io/effect.ts';
import type { MountTable, Place } from './mounts.ts';
import { isDot, isDotDot, longestName, PATH_MAX, type Path, pathBytes, SLASH, SYMLINK_MAX, wherePath } from './path.ts';

/** Where a path leads. */
export interface Resolution {
  /** What the path names; undefined when only its last name does not exist. */
  readonly place: Place | undefined;
  /** The directory that holds the last name; for a path that ends in `/`, `.` or `..` alone, the parent of `place`. */
  readonly parent: Place;
  /** The last name; undefined where the path ends in the root, `.` or `..`, which cannot be created or removed. */
  readonly name: Bytes | undefined;
  /** The path ends in a slash: what it names has to be a directory. */
  readonly slashed: boolean;
}

export interface ResolveOptions {
  /** Follow a symbolic link that the last name is. Default true. A trailing slash follows it in any case. */
  readonly followLast?: boolean;
  /**
   * Take the last name as it is, a slash behind it or not: neither follow it nor insist on a directory. This is how the kernel looks up
   * what is to be made, removed or renamed. Default false.
   */
  readonly keepLast?: boolean;
  /** Look up as open(2) with O_CREAT does: a slash behind the last name, in the path or in a link, is EISDIR. Default false. */
  readonly create?: boolean;
  /** The directory where a relative path begins; default the root. */
  readonly from?: Place;
}

/**
 * Walks a path. Throws Posix: ENOENT (empty path; a name before the last is missing; an empty link), ENOTDIR, ELOOP (more than 40
 * links), ENAMETOOLONG (a name beyond 255 bytes, a path or link of 4096 and more), EINVAL (NUL byte).
 */
export function* resolvePath(table: MountTable, path: Path, options: ResolveOptions = {}): Io<Resolution> {
  const { followLast = true, keepLast = false, create = false } = options;
  let rest = pathBytes(path);
  let at = 0;
  let links = 0;
  let here = rest[0] === SLASH || options.from === undefined ? yield* table.rootPlace() : options.from;
  for (;;) {
    while (rest[at] === SLASH) at++;
    if (at >= rest.length) return { place: here, parent: here.parent ?? here, name: undefined, slashed: true };
    const slash = rest.indexOf(SLASH, at);
    const end = slash < 0 ? rest.length : slash;
    const slashed = slash >= 0;
    const name = rest.subarray(at, end);
    at = end;
    while (rest[at] === SLASH) at++;
    const last = at >= rest.length;
    if (isDot(name)) continue;
    if (isDotDot(name)) {
      here = here.parent ?? here;
      continue;
    }
    if (create && last && slashed) throw new Posix('EISDIR', wherePath(path));
    const child = yield* descend(table, here, name, path);
    if (child === undefined) {
      if (last) return { place: undefined, parent: here, name, slashed };
      throw new Posix('ENOENT', wherePath(path));
    }
    if (last && keepLast) return { place: child, parent: here, name, slashed };
    const { kind } = child.stat;
    if (kind === 'symlink' && (followLast || slashed)) {
      if (++links > SYMLINK_MAX) throw new Posix('ELOOP', wherePath(path));
      const target = untilNul(yield* child.mount.fileSystem.readlink(child.node));
      if (target.length === 0) throw new Posix('ENOENT', wherePath(path), 'a symbolic link on the way is empty');
      if (target.length >= PATH_MAX) throw new Posix('ENAMETOOLONG', wherePath(path));
      rest = slashed ? concatBytes(target, rest.subarray(end)) : target;
      at = 0;
      if (target[0] === SLASH) here = yield* table.rootPlace();
      continue;
    }
    if (slashed && kind !== 'directory') throw new Posix('ENOTDIR', wherePath(path));
    if (last) return { place: child, parent: here, name, slashed };
    here = child;
  }
}

function* descend(table: MountTable, directory: Place, name: Bytes, path: Path): Io<Place | undefined> {
  const { fileSystem } = directory.mount;
  if (name.length > longestName(fileSystem.type)) throw new Posix('ENAMETOOLONG', wherePath(path));
  const node = yield* fileSystem.lookup(directory.node, name);
  return node === undefined ? undefined : yield* table.place(directory, name, node);
}
