/** Verbs about the lines and words of files. */
import { type Bytes, concatBytes, decodeName, untilNul } from '../../bytes/index.ts';
import { Posix } from '../../errors.ts';
import { type FileSource, forEachChunk, readFully } from '../../guest/file-data.ts';
import type { Io } from '../../io/effect.ts';
import type { Handle } from './handle.ts';
import type { Verbs } from './verb.ts';

const NEWLINE = 0x0a;
/** The longest line, in bytes: the limit of the API's messages is less. */
const LINE_LIMIT = 64 << 20;
/** Bytes that an answer may hold: the largest message of the API. */
const ANSWER_LIMIT = 4 << 20;
const PIECE = 65_536;

/** Cuts pieces of a file into lines without their newlines. */
export class LineSplitter {
  readonly #visit: (line: Bytes) => void;
  #rest: Bytes[] = [];
  #restLength = 0;

  constructor(visit: (line: Bytes) => void) {
    this.#visit = visit;
  }

  /** Takes the next piece; what it keeps is copied. */
  push(piece: Bytes): void {
    let start = 0;
    for (let end = piece.indexOf(NEWLINE); end >= 0; end = piece.indexOf(NEWLINE, start)) {
      this.#give(piece.subarray(start, end));
      start = end + 1;
    }
    if (start === piece.length) return;
    this.#restLength += piece.length - start;
    if (this.#restLength > LINE_LIMIT) throw new Posix('EOVERFLOW', {}, `a line of more than ${LINE_LIMIT} bytes`);
    this.#rest.push(piece.slice(start));
  }

  /** The end of the file: what is left is a line too. */
  end(): void {
    if (this.#restLength > 0) this.#give(new Uint8Array(0));
  }

  #give(last: Bytes): void {
    const line = this.#restLength === 0 ? last : concatBytes(...this.#rest, last);
    this.#rest = [];
    this.#restLength = 0;
    this.#visit(line);
  }
}

/** The lines of a text as C takes it: up to its first NUL byte. */
function textLines(bytes: Bytes): string[] {
  const text = untilNul(bytes);
  if (text.length === 0) return [];
  const lines: string[] = [];
  const splitter = new LineSplitter((line) => {
    lines.push(decodeName(line));
  });
  splitter.push(text);
  splitter.end();
  return lines;
}

function* readPart(file: FileSource, start: number, end: number, path: string): Io<Bytes> {
  const length = Math.max(0, end - start);
  if (length > ANSWER_LIMIT) throw new Posix('E2BIG', { path }, 'the lines are more than an answer can hold');
  const bytes = new Uint8Array(length);
  yield* readFully(file, start, bytes);
  return bytes;
}

/** The offset behind the `count`-th newline; the end of the file when there are fewer. */
function* afterLine(file: FileSource, count: number): Io<number> {
  if (count <= 0) return 0;
  const piece = new Uint8Array(Math.min(PIECE, file.size));
  let left = count;
  for (let at = 0; at < file.size; at += piece.length) {
    const part = piece.subarray(0, Math.min(piece.length, file.size - at));
    yield* readFully(file, at, part);
    for (let i = part.indexOf(NEWLINE); i >= 0; i = part.indexOf(NEWLINE, i + 1)) if (--left === 0) return at + i + 1;
  }
  return file.size;
}

/** The offset where the last `count` lines begin. */
function* beforeLastLines(file: FileSource, count: number): Io<number> {
  if (count <= 0) return file.size;
  const piece = new Uint8Array(Math.min(PIECE, file.size));
  let left = count;
  for (let end = file.size; end > 0; ) {
    const start = Math.max(0, end - piece.length);
    const part = piece.subarray(0, end - start);
    yield* readFully(file, start, part);
    for (let i = part.lastIndexOf(NEWLINE); i >= 0; i = i === 0 ? -1 : part.lastIndexOf(NEWLINE, i - 1)) {
      // The newline at the very end belongs to the last line.
      if (start + i + 1 < file.size && --left === 0) return start + i + 1;
    }
    end = start;
  }
  return 0;
}

/** head -n. */
function* firstLines({ tree }: Handle, path: string, count: number): Io<string[]> {
  const file = yield* tree.file(path);
  const end = count < 0 ? yield* beforeLastLines(file, -count) : yield* afterLine(file, count);
  return textLines(yield* readPart(file, 0, end, path));
}

/** tail -n; a negative count names the line to begin with, as `tail -n +N`. */
function* lastLines({ tree }: Handle, path: string, count: number): Io<string[]> {
  const file = yield* tree.file(path);
  const start = count < 0 ? yield* afterLine(file, -count - 1) : yield* beforeLastLines(file, count);
  return textLines(yield* readPart(file, start, file.size, path));
}

/** wc(1) in the C locale: a word has a printable character and ends at white space. */
function* countFile({ tree }: Handle, path: string, what: 'lines' | 'words'): Io<number> {
  let count = 0;
  let inWord = false;
  yield* forEachChunk(yield* tree.file(path), {}, (chunk) => {
    for (const byte of chunk) {
      if (what === 'lines') count += byte === NEWLINE ? 1 : 0;
      else if (byte === 0x20 || (byte >= 9 && byte <= 13)) inWord = false;
      else if (!inWord && byte > 0x20 && byte < 0x7f) {
        inWord = true;
        count++;
      }
    }
    return undefined;
  });
  return count;
}

/** The default of head(1) and tail(1). */
const TEN = 10;

export const lineVerbs: Verbs = {
  head: {
    summary: 'gives the first ten lines of a file',
    *run(handle, { path }) {
      return yield* firstLines(handle, path, TEN);
    },
  },
  head_n: {
    summary: 'gives the first lines of a file; with a negative number all but the last ones',
    *run(handle, { nrlines, path }) {
      return yield* firstLines(handle, path, nrlines);
    },
  },
  tail: {
    summary: 'gives the last ten lines of a file',
    *run(handle, { path }) {
      return yield* lastLines(handle, path, TEN);
    },
  },
  tail_n: {
    summary: 'gives the last lines of a file; with a negative number those from that line on',
    *run(handle, { nrlines, path }) {
      return yield* lastLines(handle, path, nrlines);
    },
  },
  wc_l: {
    summary: 'counts the lines of a file',
    *run(handle, { path }) {
      return yield* countFile(handle, path, 'lines');
    },
  },
  wc_w: {
    summary: 'counts the words of a file',
    *run(handle, { path }) {
      return yield* countFile(handle, path, 'words');
    },
  },
  wc_c: {
    summary: 'counts the bytes of a file',
    *run({ tree }, { path }) {
      return (yield* tree.file(path)).size;
    },
  },
  read_lines: {
    summary: 'gives the lines of a file',
    *run({ tree }, { path }) {
      const lines: string[] = [];
      const splitter = new LineSplitter((line) => {
        const bare = line[line.length - 1] === 0x0d ? line.subarray(0, -1) : line;
        lines.push(decodeName(untilNul(bare)));
      });
      splitter.push(yield* tree.readFile(path));
      splitter.end();
      return lines;
    },
  },
};
