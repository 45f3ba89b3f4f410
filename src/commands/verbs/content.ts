/** Verbs that say what files hold: their kind, architecture, texts within, bytes in hexadecimal, members of an initrd. */
import { type Bytes, concatBytes, decodeName, encodeName, sameBytes } from '../../bytes/index.ts';
import { decodedPieces, identifyStream } from '../../codec/index.ts';
import { Posix } from '../../errors.ts';
import { kindOfMode } from '../../filesystem/filesystem.ts';
import { forEachChunk } from '../../guest/file-data.ts';
import type { Io } from '../../io/effect.ts';
import { CpioReader, describeFile, fileArchitecture, type MagicSource, piecesOf } from '../../magic/index.ts';
import { isDeviceName, openSource } from './contents.ts';
import type { Handle } from './handle.ts';
import { HexDump } from './hex-dump.ts';
import { isStringsEncoding, StringsFinder } from './strings-finder.ts';
import type { Verbs } from './verb.ts';

/** What is said of a file that is no regular one. */
const KINDS = {
  directory: 'directory',
  symlink: 'symbolic link',
  character: 'character device',
  block: 'block device',
  fifo: 'FIFO',
  socket: 'socket',
} as const;

/** Bytes of text that one answer can carry. */
const ANSWER_LIMIT = (4 << 20) - 1024;
/** Members that are listed of an initrd. */
const MAX_MEMBERS = 1_000_000;

/** A file or device, read as far as it reaches. */
function* magicSource(handle: Handle, name: string): Io<MagicSource> {
  const source = yield* openSource(handle, name);
  return {
    size: source.size,
    *read(offset, length) {
      const bytes = new Uint8Array(Math.max(0, Math.min(length, source.size - offset)));
      if (bytes.length > 0) yield* source.readInto(offset, bytes);
      return bytes;
    },
  };
}

function* findStrings(handle: Handle, path: string, encoding: string): Io<string[]> {
  if (!isStringsEncoding(encoding)) {
    throw new Posix('EINVAL', {}, `unknown encoding '${encoding}': s, S, b, l, B or L`);
  }
  // strings(1) finds none in a directory, and says so to people only.
  if ((yield* handle.tree.stat(path)).kind === 'directory') return [];
  const file = yield* handle.tree.file(path);
  const finder = new StringsFinder(encoding, ANSWER_LIMIT);
  yield* forEachChunk(file, {}, (chunk) => {
    finder.push(chunk);
    return undefined;
  });
  return finder.finish();
}

/** The archive of an initrd, decompressed where it is compressed. */
function* openInitrd(handle: Handle, path: string): Io<CpioReader> {
  const source = yield* magicSource(handle, path);
  const head = yield* source.read(0, 16);
  const format = identifyStream(head);
  const pieces = piecesOf(source);
  return new CpioReader(format === undefined ? pieces : decodedPieces(pieces, handle.host.codecs.stream(format)));
}

export const contentVerbs: Verbs = {
  file: {
    summary: 'says what a file or device holds, as file(1) does',
    *run(handle, { path }) {
      let mode = 0;
      if (!isDeviceName(path)) {
        const stat = yield* handle.tree.lstat(path);
        if (stat.kind !== 'file') return KINDS[stat.kind];
        mode = stat.mode;
      }
      return yield* describeFile(yield* magicSource(handle, path), { mode, stream: (format) => handle.host.codecs.stream(format) });
    },
  },
  file_architecture: {
    summary: 'gives the architecture of a program, library, kernel or initrd',
    *run(handle, { filename }) {
      const { kind } = yield* handle.tree.lstat(filename);
      if (kind !== 'file') throw new Posix('EINVAL', { path: filename }, `unknown architecture: a ${kind} has none`);
      return yield* fileArchitecture(yield* magicSource(handle, filename), (format) => handle.host.codecs.stream(format));
    },
  },
  strings: {
    summary: 'gives the texts of four characters and more in a file',
    *run(handle, { path }) {
      return yield* findStrings(handle, path, 's');
    },
  },
  strings_e: {
    summary: 'gives the texts of four characters and more in a file, in an encoding of strings(1)',
    *run(handle, { encoding, path }) {
      return yield* findStrings(handle, path, encoding);
    },
  },
  hexdump: {
    summary: 'gives a file in hexadecimal, as hexdump -C does',
    *run({ tree }, { path }) {
      if ((yield* tree.stat(path)).kind === 'directory') return '';
      const dump = new HexDump(ANSWER_LIMIT);
      yield* forEachChunk(yield* tree.file(path), {}, (chunk) => {
        dump.push(chunk);
        return undefined;
      });
      return dump.finish();
    },
  },
  initrd_list: {
    summary: 'lists the files of an initrd',
    *run(handle, { path }) {
      const reader = yield* openInitrd(handle, path);
      const names: string[] = [];
      for (let member = yield* reader.next(); member !== undefined; member = yield* reader.next()) {
        names.push(decodeName(member.name));
        if (names.length > MAX_MEMBERS) throw new Posix('EFBIG', { path }, `the initrd has more than ${MAX_MEMBERS} members`);
      }
      return names;
    },
  },
  initrd_cat: {
    summary: 'gives one file of an initrd',
    *run(handle, { initrdpath, filename }) {
      const reader = yield* openInitrd(handle, initrdpath);
      const wanted = encodeName(filename);
      for (let member = yield* reader.next(); member !== undefined; member = yield* reader.next()) {
        if (!sameBytes(member.name, wanted)) continue;
        if (kindOfMode(member.mode) === 'directory') throw new Posix('EISDIR', { path: filename });
        if (member.size > ANSWER_LIMIT) throw new Posix('EFBIG', { path: filename }, 'the file is too large for an answer');
        const parts: Bytes[] = [];
        for (let piece = yield* reader.data(); piece !== undefined; piece = yield* reader.data()) parts.push(piece.slice());
        return concatBytes(...parts);
      }
      throw new Posix('ENOENT', { path: filename }, `there is no such file in ${initrdpath}; initrd-list lists them`);
    },
  },
};
