/** Verbs that copy and move files within a guest. */
import { decodeName } from '../../bytes/index.ts';
import { Posix } from '../../errors.ts';
import { pathOf } from '../../guest/mounts.ts';
import type { Io } from '../../io/effect.ts';
import { copyRange } from './contents.ts';
import { copy, destinationOf, requireOutside } from './copy-tree.ts';
import type { Handle } from './handle.ts';
import type { Verbs } from './verb.ts';

/** mv(1): rename(2), and from one file system to another a copy. */
function* move(handle: Handle, from: string, to: string): Io<void> {
  const { tree } = handle;
  const source = yield* tree.resolve(from, { followLast: false });
  const target = yield* destinationOf(tree, source, to);
  const { place } = yield* tree.lookup(target, { keepLast: true });
  if (place !== undefined && place.mount === source.mount && place.node === source.node) {
    throw new Posix('EINVAL', { path: to }, 'source and target are the same file');
  }
  yield* requireOutside(tree, source, target);
  try {
    yield* tree.rename(decodeName(pathOf(source)), target);
  } catch (error) {
    if (!(error instanceof Posix) || error.code !== 'EXDEV') throw error;
    yield* tree.transaction(function* () {
      yield* copy(handle, from, target, { recursive: true, preserve: true });
      yield* tree.rm(from, { recursive: true });
    });
  }
}

interface What {
  readonly all?: boolean | undefined;
  readonly mode?: boolean | undefined;
  readonly xattributes?: boolean | undefined;
  readonly ownership?: boolean | undefined;
}

function* copyAttributes({ tree }: Handle, from: string, to: string, what: What): Io<void> {
  const source = yield* tree.resolve(from);
  yield* tree.resolve(to);
  const wants = (one: boolean | undefined): boolean => what.all === true || one === true;
  yield* tree.transaction(function* () {
    // A new owner takes set-id bits away, so it comes first.
    if (wants(what.ownership)) yield* tree.chown(to, source.stat.uid, source.stat.gid);
    if (wants(what.mode)) yield* tree.chmod(to, source.stat.mode & 0o7777);
    if (!wants(what.xattributes)) return;
    for (const { name, value } of yield* source.mount.fileSystem.xattrs(source.node)) yield* tree.setxattr(to, name, value);
  });
}

export const copyVerbs: Verbs = {
  cp: {
    summary: 'copies a file, or into a directory',
    *run(handle, { src, dest }) {
      yield* copy(handle, src, dest, { recursive: false, preserve: false });
    },
  },
  cp_r: {
    summary: 'copies a file or directory with all that is in it',
    *run(handle, { src, dest }) {
      yield* copy(handle, src, dest, { recursive: true, preserve: false });
    },
  },
  cp_a: {
    summary: 'copies a file or directory with all that is in it and all attributes',
    *run(handle, { src, dest }) {
      yield* copy(handle, src, dest, { recursive: true, preserve: true });
    },
  },
  mv: {
    summary: 'moves a file, or into a directory',
    *run(handle, { src, dest }) {
      yield* move(handle, src, dest);
    },
  },
  rename: {
    summary: 'renames a file within its file system',
    *run({ tree }, { oldpath, newpath }) {
      yield* tree.rename(oldpath, newpath);
    },
  },
  copy_attributes: {
    summary: 'gives a file the permissions, owner or extended attributes of another one',
    *run(handle, { src, dest, all, mode, xattributes, ownership }) {
      yield* copyAttributes(handle, src, dest, { all, mode, xattributes, ownership });
    },
  },
  copy_file_to_file: {
    summary: 'copies bytes from one file to another',
    *run(handle, { src, dest, ...range }) {
      yield* copyRange(handle, src, dest, range);
    },
  },
  copy_size: {
    summary: 'copies a number of bytes from one file or device to another',
    *run(handle, { src, dest, size }) {
      yield* copyRange(handle, src, dest, { size });
    },
  },
  dd: {
    summary: 'copies a file or device onto another one',
    *run(handle, { src, dest }) {
      yield* copyRange(handle, src, dest, {});
    },
  },
};
