/** Verbs that carry the contents of files and devices in and out, in whole and in part. */
import { type Bytes, decodeName, encodeName, untilNul } from '../../bytes/index.ts';
import { Posix } from '../../errors.ts';
import type { Io } from '../../io/effect.ts';
import type { Pull, Push } from '../api/values.ts';
import { openSource } from './contents.ts';
import { ensureFile, newFileMode } from './files.ts';
import type { Handle } from './handle.ts';
import { requireCount } from './names.ts';
import type { Verbs } from './verb.ts';

const PIECE = 1 << 18;
/** Bytes that one answer can carry: the largest message of the API, less what stands around them. */
const ANSWER_LIMIT = (4 << 20) - 1024;

function* sendRange(handle: Handle, from: string, offset: number, length: number | undefined, push: Push): Io<void> {
  const source = yield* openSource(handle, from);
  const end = Math.min(source.size, length === undefined ? source.size : offset + length);
  const piece = new Uint8Array(Math.max(0, Math.min(PIECE, end - offset)));
  for (let at = offset; at < end; at += piece.length) {
    const part = piece.subarray(0, Math.min(piece.length, end - at));
    yield* source.readInto(at, part);
    yield* push(part);
    yield* handle.progress(Math.min(at + piece.length, end) - offset, end - offset);
  }
}

/** A stream into a device, from a byte on. Throws ENOSPC where the device ends. */
function* writeDevice(handle: Handle, name: string, offset: number, pull: Pull): Io<void> {
  const device = yield* handle.device(name);
  let at = offset;
  for (let piece = yield* pull(); piece !== undefined; piece = yield* pull()) {
    if (at + piece.length > device.size) throw new Posix('ENOSPC', { path: name });
    if (piece.length > 0) yield* device.write(at, piece);
    at += piece.length;
  }
  handle.forget(name);
}

function* writeWhole(handle: Handle, path: string, content: Bytes, existing: 'replace' | 'append'): Io<void> {
  yield* handle.tree.writeFile(path, content, { mode: newFileMode(handle), existing });
}

/** A file as C text: what is behind its first NUL byte is not seen. */
function* readText(handle: Handle, path: string): Io<string> {
  return decodeName(untilNul(yield* handle.tree.readFile(path)));
}

export const streamVerbs: Verbs = {
  download: {
    summary: 'copies a file or device out of the guest',
    *run(handle, { remotefilename, filename }) {
      yield* sendRange(handle, remotefilename, 0, undefined, filename);
    },
  },
  download_offset: {
    summary: 'copies a part of a file or device out of the guest',
    *run(handle, { remotefilename, filename, offset, size }) {
      requireCount(offset, 'the offset');
      requireCount(size, 'the size');
      yield* sendRange(handle, remotefilename, offset, size, filename);
    },
  },
  upload: {
    summary: 'copies a file into the guest, onto a file or device',
    *run(handle, { filename, remotefilename }) {
      if (remotefilename.startsWith('/dev/')) return yield* writeDevice(handle, remotefilename, 0, filename);
      yield* handle.tree.writeFrom(remotefilename, { mode: newFileMode(handle) }, filename);
    },
  },
  upload_offset: {
    summary: 'copies a file into the guest, into a part of a file or device',
    *run(handle, { filename, remotefilename, offset }) {
      requireCount(offset, 'the offset');
      if (remotefilename.startsWith('/dev/')) return yield* writeDevice(handle, remotefilename, offset, filename);
      const { tree } = handle;
      yield* tree.transaction(function* () {
        yield* ensureFile(handle, remotefilename);
        let at = offset;
        for (let piece = yield* filename(); piece !== undefined; piece = yield* filename()) {
          if (piece.length > 0) yield* tree.write(remotefilename, at, piece);
          at += piece.length;
        }
      });
    },
  },
  pread: {
    summary: 'reads a part of a file',
    *run({ tree }, { path, count, offset }) {
      requireCount(count, 'the count');
      requireCount(offset, 'the offset');
      if (count > ANSWER_LIMIT) throw new Posix('EINVAL', { path }, `${count} bytes are more than an answer can hold; read fewer at once`);
      const { size } = yield* tree.file(path);
      const bytes = new Uint8Array(Math.max(0, Math.min(count, size - offset)));
      yield* tree.readInto(path, offset, bytes);
      return bytes;
    },
  },
  pwrite: {
    summary: 'writes into a part of a file',
    *run({ tree }, { path, content, offset }) {
      requireCount(offset, 'the offset');
      yield* tree.write(path, offset, content);
      return content.length;
    },
  },
  cat: {
    summary: 'gives a file as text',
    *run(handle, { path }) {
      return yield* readText(handle, path);
    },
  },
  read_file: {
    summary: 'gives a file',
    *run({ tree }, { path }) {
      return yield* tree.readFile(path);
    },
  },
  internal_write: {
    summary: 'writes a file',
    *run(handle, { path, content }) {
      yield* writeWhole(handle, path, content, 'replace');
    },
  },
  internal_write_append: {
    summary: 'writes at the end of a file',
    *run(handle, { path, content }) {
      yield* writeWhole(handle, path, content, 'append');
    },
  },
  write: {
    summary: 'writes a file',
    *run(handle, { path, content }) {
      yield* writeWhole(handle, path, content, 'replace');
    },
  },
  write_append: {
    summary: 'writes at the end of a file',
    *run(handle, { path, content }) {
      yield* writeWhole(handle, path, content, 'append');
    },
  },
  write_file: {
    summary: 'writes a file, the first bytes of a text or all of it',
    *run(handle, { path, content, size }) {
      const bytes = encodeName(content);
      requireCount(size, 'the size');
      if (size > bytes.length) throw new Posix('EINVAL', { path }, `the content has ${bytes.length} bytes, its size says ${size}`);
      yield* writeWhole(handle, path, size === 0 ? bytes : bytes.subarray(0, size), 'replace');
    },
  },
};
