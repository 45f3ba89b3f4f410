/** Verbs that make and remove directories and other nodes. */
import { Posix } from '../../errors.ts';
import { kindOfMode, S_IFBLK, S_IFCHR, S_IFIFO, S_IFMT } from '../../filesystem/filesystem.ts';
import type { Io } from '../../io/effect.ts';
import type { Handle } from './handle.ts';
import type { Verbs } from './verb.ts';

/** Throws EINVAL for a negative mode. */
function requireMode(mode: number, path: string): void {
  if (mode < 0) throw new Posix('EINVAL', { path }, `the mode ${mode} is negative`);
}

/** Device numbers of Linux: 12 bits and 20 bits. */
function requireDevice(major: number, minor: number, path: string): void {
  if (major < 0 || major > 0xfff || minor < 0 || minor > 0xfffff)
    throw new Posix('EINVAL', { path }, `no device has the numbers ${major}, ${minor}`);
}

/** mknod(2) with the umask. */
function* makeNode(handle: Handle, path: string, mode: number, major: number, minor: number): Io<void> {
  requireMode(mode, path);
  const options = { mode: mode & 0o7777 & ~handle.umask };
  const kind = (mode & S_IFMT) === 0 ? 'file' : kindOfMode(mode);
  switch (kind) {
    case 'file':
      return yield* makeRegular(handle, path, options.mode);
    case 'character':
    case 'block':
      requireDevice(major, minor, path);
      return yield* handle.tree.mknod(path, kind, { ...options, device: { major, minor } });
    case 'fifo':
    case 'socket':
      return yield* handle.tree.mknod(path, kind, options);
    case 'directory':
      throw new Posix('EPERM', { path }, 'a directory is made with mkdir');
    default:
      throw new Posix('EINVAL', { path }, `the mode 0${mode.toString(8)} names no kind of file that mknod makes`);
  }
}

/** A regular file by mknod(2): a link that is there is not followed. */
function* makeRegular(handle: Handle, path: string, mode: number): Io<void> {
  const { place } = yield* handle.tree.lookup(path, { keepLast: true });
  if (place !== undefined) throw new Posix('EEXIST', { path });
  yield* handle.tree.writeFile(path, new Uint8Array(0), { mode, existing: 'new' });
}

/** The mode of a verb that gives the kind itself: no other kind may be in it. */
function ofKind(mode: number, kind: number, path: string): number {
  requireMode(mode, path);
  if ((mode & S_IFMT) !== 0) throw new Posix('EINVAL', { path }, `the mode 0${mode.toString(8)} holds more than permissions`);
  return mode | kind;
}

/** As libguestfs does it: a link is no directory, wherever it leads. */
function* makeAll(handle: Handle, path: string, asked: string): Io<void> {
  const { tree } = handle;
  try {
    return yield* tree.mkdir(path, { mode: 0o777 & ~handle.umask });
  } catch (error) {
    if (!(error instanceof Posix)) throw error;
    if (error.code === 'EEXIST') {
      if ((yield* tree.lstat(path)).kind !== 'directory') throw new Posix('ENOTDIR', { path: asked });
      return;
    }
    const parent = path.slice(0, path.lastIndexOf('/')).replace(/\/+$/, '') || '/';
    if (error.code !== 'ENOENT' || parent === path || parent === '/') throw error;
    yield* makeAll(handle, parent, asked);
  }
  yield* tree.mkdir(path, { mode: 0o777 & ~handle.umask });
}

export const directoryVerbs: Verbs = {
  mkdir: {
    summary: 'makes a directory',
    *run(handle, { path }) {
      yield* handle.tree.mkdir(path, { mode: 0o777 & ~handle.umask });
    },
  },
  mkdir_p: {
    summary: 'makes a directory and those above it that are missing',
    *run(handle, { path }) {
      yield* handle.tree.transaction(() => makeAll(handle, path.replace(/\/+$/, '') || '/', path));
    },
  },
  mkdir_mode: {
    summary: 'makes a directory with permission bits',
    *run(handle, { path, mode }) {
      requireMode(mode, path);
      yield* handle.tree.mkdir(path, { mode: mode & 0o1777 & ~handle.umask });
    },
  },
  rmdir: {
    summary: 'removes an empty directory',
    *run({ tree }, { path }) {
      yield* tree.rmdir(path);
    },
  },
  rm_rf: {
    summary: 'removes a file, or a directory with all that is in it; that it is not there is fine',
    *run({ tree }, { path }) {
      if (/^\/+$/.test(path)) throw new Posix('EINVAL', {}, 'the root directory cannot be removed');
      try {
        yield* tree.rm(path, { recursive: true, force: true });
      } catch (error) {
        if (!(error instanceof Posix) || (error.code !== 'ENOENT' && error.code !== 'ENOTDIR')) throw error;
      }
    },
  },
  mknod: {
    summary: 'makes a file, a device, a FIFO or a socket',
    *run(handle, { mode, devmajor, devminor, path }) {
      yield* makeNode(handle, path, mode, devmajor, devminor);
    },
  },
  mknod_b: {
    summary: 'makes a block device',
    *run(handle, { mode, devmajor, devminor, path }) {
      yield* makeNode(handle, path, ofKind(mode, S_IFBLK, path), devmajor, devminor);
    },
  },
  mknod_c: {
    summary: 'makes a character device',
    *run(handle, { mode, devmajor, devminor, path }) {
      yield* makeNode(handle, path, ofKind(mode, S_IFCHR, path), devmajor, devminor);
    },
  },
  mkfifo: {
    summary: 'makes a FIFO',
    *run(handle, { mode, path }) {
      yield* makeNode(handle, path, ofKind(mode, S_IFIFO, path), 0, 0);
    },
  },
};
