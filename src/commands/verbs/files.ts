/** Verbs that make, fill and compare single files. */
import { encodeName, isZero, sameBytes } from '../../bytes/text.ts';
import { Posix } from '../../errors.ts';
import { type FileSource, forEachChunk, readFully } from '../../guest/file-data.ts';
import type { Io } from '../../io/effect.ts';
import type { Handle } from './handle.ts';
import type { Verbs } from './verb.ts';

/** Bytes written or compared at once. */
const PIECE = 1 << 20;

/** The permission bits of a new file: 0666 without the umask. */
export function newFileMode(handle: Handle): number {
  return 0o666 & ~handle.umask;
}

/** Makes a regular file when it is not there; what is there stays as it is. Throws as open(2) with O_CREAT. */
export function* ensureFile(handle: Handle, path: string): Io<void> {
  yield* handle.tree.writeFile(path, new Uint8Array(0), { mode: newFileMode(handle), existing: 'append' });
}

/** Writes a pattern again and again until `length` bytes stand at the beginning of a file; what is behind them stays. */
function* fillWith(handle: Handle, path: string, pattern: Uint8Array, length: number): Io<void> {
  const { tree } = handle;
  if (length < 0) throw new Posix('EINVAL', { path }, `a length of ${length} bytes`);
  const repeats = Math.max(1, Math.min(Math.ceil(length / pattern.length), Math.floor(PIECE / pattern.length)));
  const piece = new Uint8Array(repeats * pattern.length);
  for (let at = 0; at < piece.length; at += pattern.length) piece.set(pattern, at);
  yield* tree.transaction(function* () {
    yield* ensureFile(handle, path);
    for (let at = 0; at < length; at += piece.length) {
      yield* tree.write(path, at, piece.subarray(0, Math.min(piece.length, length - at)));
      yield* handle.progress(Math.min(at + piece.length, length), length);
    }
  });
}

/** Makes a file of zeros with its space taken. */
function* allocate(handle: Handle, path: string, length: number): Io<void> {
  if (length <= 0) throw new Posix('EINVAL', { path }, `a length of ${length} bytes`);
  const { tree } = handle;
  const zeros = new Uint8Array(Math.min(PIECE, length));
  const free = yield* spaceAt(handle, path);
  if (length > free) throw new Posix('ENOSPC', { path });
  yield* tree.transaction(function* () {
    yield* tree.writeFile(path, new Uint8Array(0), { mode: newFileMode(handle) });
    for (let at = 0; at < length; at += zeros.length) yield* tree.write(path, at, zeros.subarray(0, Math.min(zeros.length, length - at)));
  });
}

/** Bytes that are free where a path lies or will lie, those that its file gives back counted. */
function* spaceAt({ tree }: Handle, path: string): Io<number> {
  const { place, parent } = yield* tree.lookup(path, { create: true });
  const usage = yield* (place ?? parent).mount.fileSystem.usage();
  return usage.freeBlocks * usage.blockSize + (place === undefined ? 0 : place.stat.blocks * 512);
}

function* sameContents(a: FileSource, b: FileSource): Io<boolean> {
  if (a.size !== b.size) return false;
  const piece = Math.min(PIECE, a.size);
  const [left, right] = [new Uint8Array(piece), new Uint8Array(piece)];
  for (let at = 0; at < a.size; at += piece) {
    const length = Math.min(piece, a.size - at);
    yield* readFully(a, at, left.subarray(0, length));
    yield* readFully(b, at, right.subarray(0, length));
    if (!sameBytes(left.subarray(0, length), right.subarray(0, length))) return false;
  }
  return true;
}

export const fileVerbs: Verbs = {
  touch: {
    summary: 'makes an empty file, or gives an existing one the time of now',
    *run(handle, { path }) {
      const { tree } = handle;
      const { place } = yield* tree.lookup(path, { followLast: false });
      if (place !== undefined && place.stat.kind !== 'file') throw new Posix('EINVAL', { path }, 'touch is for regular files only');
      const now = handle.host.now();
      yield* tree.transaction(function* () {
        yield* ensureFile(handle, path);
        yield* tree.utimes(path, now, now);
      });
    },
  },
  rm: {
    summary: 'removes a file',
    *run({ tree }, { path }) {
      yield* tree.unlink(path);
    },
  },
  rm_f: {
    summary: 'removes a file; that it is not there is fine',
    *run({ tree }, { path }) {
      try {
        yield* tree.unlink(path);
      } catch (error) {
        if (!(error instanceof Posix) || error.code !== 'ENOENT') throw error;
      }
    },
  },
  filesize: {
    summary: 'gives the length of a file in bytes',
    *run({ tree }, { file }) {
      return (yield* tree.stat(file)).size;
    },
  },
  equal: {
    summary: 'tells whether two files have the same contents',
    *run({ tree }, { file1, file2 }) {
      return yield* sameContents(yield* tree.file(file1), yield* tree.file(file2));
    },
  },
  is_zero: {
    summary: 'tells whether a file is empty or all zeros',
    *run({ tree }, { path }) {
      let zero = true;
      yield* forEachChunk(yield* tree.file(path), { skipHoles: true }, (chunk) => {
        zero &&= isZero(chunk);
        return undefined;
      });
      return zero;
    },
  },
  truncate: {
    summary: 'empties a file',
    *run(handle, { path }) {
      yield* handle.tree.truncate(path, 0);
    },
  },
  truncate_size: {
    summary: 'cuts a file to a length, or extends it with zeros',
    *run(handle, { path, size }) {
      yield* handle.tree.truncate(path, size);
    },
  },
  fallocate: {
    summary: 'makes a file of zeros that takes its whole space',
    *run(handle, { path, len }) {
      yield* allocate(handle, path, len);
    },
  },
  fallocate64: {
    summary: 'makes a file of zeros that takes its whole space',
    *run(handle, { path, len }) {
      yield* allocate(handle, path, len);
    },
  },
  fill: {
    summary: 'writes one byte many times into a file',
    *run(handle, { c, len, path }) {
      if (c < 0 || c > 255) throw new Posix('EINVAL', {}, `${c}: a byte is a number from 0 to 255`);
      yield* fillWith(handle, path, Uint8Array.of(c), len);
    },
  },
  fill_pattern: {
    summary: 'writes a pattern again and again into a file',
    *run(handle, { pattern, len, path }) {
      const bytes = encodeName(pattern);
      if (bytes.length === 0) throw new Posix('EINVAL', {}, 'the pattern is empty');
      yield* fillWith(handle, path, bytes, len);
    },
  },
  fill_dir: {
    summary: 'makes many empty files in a directory, named 00000000 and so on',
    *run(handle, { dir, nr }) {
      yield* handle.tree.transaction(function* () {
        for (let i = 0; i < nr; i++) {
          const path = `${dir}/${String(i).padStart(8, '0')}`;
          yield* handle.tree.writeFile(path, new Uint8Array(0), { mode: newFileMode(handle) });
        }
      });
    },
  },
  mktemp: {
    summary: 'makes an empty file with a name that is not taken yet',
    *run(handle, { tmpl, suffix }) {
      if (suffix?.includes('/') === true) throw new Posix('EINVAL', {}, 'the suffix must not contain a slash');
      return yield* temporaryName(handle, tmpl, suffix ?? '', (path) =>
        handle.tree.writeFile(path, new Uint8Array(0), { mode: 0o600, existing: 'new' }),
      );
    },
  },
  mkdtemp: {
    summary: 'makes a directory with a name that is not taken yet',
    *run(handle, { tmpl }) {
      return yield* temporaryName(handle, tmpl, '', (path) => handle.tree.mkdir(path, { mode: 0o700 }));
    },
  },
};

const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';
/** Names tried before mkdtemp(3) would give up too. */
const ATTEMPTS = 100;

/** Replaces the six letters X at the end of a template as mkstemps(3) does; returns the path that `make` could make. */
function* temporaryName(handle: Handle, template: string, suffix: string, make: (path: string) => Io<void>): Io<string> {
  if (!template.endsWith('XXXXXX')) throw new Posix('EINVAL', { path: template }, 'the template has to end in XXXXXX');
  for (let attempt = 0; ; attempt++) {
    let letters = '';
    for (const byte of handle.host.random(6)) letters += LETTERS[byte % LETTERS.length];
    const path = template.slice(0, -6) + letters + suffix;
    try {
      yield* make(path);
      return path;
    } catch (error) {
      if (!(error instanceof Posix) || error.code !== 'EEXIST' || attempt >= ATTEMPTS) throw error;
    }
  }
}
