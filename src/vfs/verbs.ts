/**
 * The verbs of OpenStack nova's disk VFS (`nova/virt/disk/vfs/api.py`), in camel case.
 *
 * Paths are guest paths, relative to the root of the guest whether or not they begin with a slash. Anything with these methods can be
 * injected into: a guest in an image, or a recorder in a test.
 */
import type { Bytes } from '../bytes/struct.ts';
import type { Io } from '../io/effect.ts';

/** File contents: a string stands for its UTF-8 bytes. */
export type Content = string | Bytes;

export interface VfsVerbs {
  /** Makes a directory and all that are missing above it, 0755. */
  makePath(path: string): Io<void>;
  /** Appends, making the file (0644) if it is missing. */
  appendFile(path: string, content: Content): Io<void>;
  /** Replaces the whole content in place (same inode, mode, owner), making the file (0644) if it is missing. */
  replaceFile(path: string, content: Content): Io<void>;
  /** The whole content as text; bytes that are no UTF-8 are Posix EINVAL. */
  readFile(path: string): Io<string>;
  /** The whole content. */
  readFileBytes(path: string): Io<Bytes>;
  /** Whether something is there; a directory counts, a dangling link does not. */
  hasFile(path: string): Io<boolean>;
  setPermissions(path: string, mode: number): Io<void>;
  /** Owner and group by the guest's own names; null leaves one as it is. */
  setOwnership(path: string, user: string | null, group: string | null): Io<void>;
}
