/** Paths as bytes: limits, splitting, joining. No I/O. */
import { type Bytes, decodeName, encodeName } from '../bytes/index.ts';
import { Posix, type Where } from '../errors.ts';

/** A guest path: text (UTF-8; lone surrogates U+DC80..U+DCFF stand for bytes that are none) or bytes. */
export type Path = string | Bytes;

export const SLASH = 0x2f;
const DOT = 0x2e;

/** Bytes of a path, the terminating NUL of C counted: PATH_MAX of linux/limits.h. */
export const PATH_MAX = 4096;
/** Bytes of one name: NAME_MAX of linux/limits.h. */
export const NAME_MAX = 255;
/** Symbolic links followed in one resolution: MAXSYMLINKS of linux/namei.h. */
export const SYMLINK_MAX = 40;

/** The longest name in bytes that a type of file system can hold: those with UTF-16 names take 255 units of up to 3 bytes each. */
export function longestName(type: string): number {
  return type === 'vfat' || type === 'exfat' || type === 'ntfs' ? 3 * NAME_MAX : NAME_MAX;
}

/** Bytes of a path; throws Posix: ENOENT for the empty one, EINVAL for a NUL byte, ENAMETOOLONG from 4096 bytes on. */
export function pathBytes(path: Path): Bytes {
  const bytes = typeof path === 'string' ? encodeName(path) : path;
  if (bytes.length === 0) throw new Posix('ENOENT', {}, 'the empty path names nothing');
  if (bytes.length >= PATH_MAX) throw new Posix('ENAMETOOLONG', { path: `${pathText(bytes.subarray(0, 64))}...` });
  if (bytes.includes(0)) throw new Posix('EINVAL', wherePath(path), 'a path cannot contain a NUL byte');
  return bytes;
}

/** A path for people. */
export function pathText(path: Path): string {
  return typeof path === 'string' ? path : decodeName(path);
}

/** The place of an error. */
export function wherePath(path: Path): Where {
  return { path: pathText(path) };
}

export function isDot(name: Bytes): boolean {
  return name.length === 1 && name[0] === DOT;
}

export function isDotDot(name: Bytes): boolean {
  return name.length === 2 && name[0] === DOT && name[1] === DOT;
}

/** `directory` and `name` joined by exactly one slash. */
export function joinPath(directory: Bytes, name: Bytes): Bytes {
  const bare = directory.length > 0 && directory[directory.length - 1] === SLASH ? directory.length - 1 : directory.length;
  const joined = new Uint8Array(bare + 1 + name.length);
  joined.set(bare === directory.length ? directory : directory.subarray(0, bare));
  joined[bare] = SLASH;
  joined.set(name, bare + 1);
  return joined;
}

/** The names of a path, without empty ones: `//a/./b/` gives `a`, `.`, `b`. */
export function pathNames(path: Bytes): Bytes[] {
  const names: Bytes[] = [];
  for (let start = 0; start < path.length; ) {
    const slash = path.indexOf(SLASH, start);
    const end = slash < 0 ? path.length : slash;
    if (end > start) names.push(path.subarray(start, end));
    start = end + 1;
  }
  return names;
}

/** Whether bytes are a name that an entry of a directory can have: not empty, without slash and NUL, neither `.` nor `..`. */
export function isPlainName(name: Bytes): boolean {
  if (name.length < 3 && (name.length === 0 || isDot(name) || isDotDot(name))) return false;
  for (let i = 0; i < name.length; i++) if (name[i] === SLASH || name[i] === 0) return false;
  return true;
}
