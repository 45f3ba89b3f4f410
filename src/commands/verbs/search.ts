/** Verbs that look for lines: the family of grep(1). */
import { type Bytes, decodeName, encodeName } from '../../bytes/index.ts';
import { Posix } from '../../errors.ts';
import { forEachChunk } from '../../guest/file-data.ts';
import type { Io } from '../../io/effect.ts';
import type { Handle } from './handle.ts';
import { LineSplitter } from './lines.ts';
import { lineMatcher, type RegularExpressionOptions } from './regular-expression/index.ts';
import type { Verb, Verbs } from './verb.ts';

/** Bytes read at once; a piece with a NUL byte ends the search, as grep(1) takes it for binary. */
const PIECE = 98_304;
/** Bytes that the lines found may have together: the largest message of the API. */
const FOUND_LIMIT = 4 << 20;

interface Search extends RegularExpressionOptions {
  /** The file may be compressed with gzip. */
  readonly compressed?: boolean;
}

function* search(handle: Handle, expression: string, path: string, options: Search): Io<string[]> {
  if (options.extended === true && options.fixed === true) throw new Posix('EINVAL', {}, 'extended and fixed exclude each other');
  const file = yield* handle.tree.file(path);
  const matches = lineMatcher(encodeName(expression), options);
  const found: string[] = [];
  let size = 0;
  let binary = false;
  const lines = new LineSplitter((line) => {
    if (!matches(line)) return;
    size += line.length + 4;
    if (size > FOUND_LIMIT) throw new Posix('E2BIG', { path }, 'the lines that match are more than an answer can hold');
    found.push(decodeName(line));
  });
  const take = (piece: Bytes): void => {
    for (let at = 0; at < piece.length && !binary; at += PIECE) {
      const part = piece.subarray(at, at + PIECE);
      binary = part.includes(0);
      if (!binary) lines.push(part);
    }
  };
  const unpack = options.compressed === true && (yield* isGzip(handle, path)) ? handle.host.codecs.stream('gzip') : undefined;
  yield* forEachChunk(file, { chunkSize: PIECE }, (piece) => {
    if (binary) return undefined;
    if (unpack === undefined) take(piece);
    else {
      unpack.push(piece);
      for (let out = unpack.next(); out !== undefined; out = unpack.next()) take(out);
    }
    return undefined;
  });
  if (!binary) {
    unpack?.finish();
    lines.end();
  }
  return found;
}

/** zgrep(1) takes what is not compressed as it is. */
function* isGzip(handle: Handle, path: string): Io<boolean> {
  const magic = new Uint8Array(2);
  return (yield* handle.tree.readInto(path, 0, magic)) === 2 && magic[0] === 0x1f && magic[1] === 0x8b;
}

/** A verb whose options are in its name. */
function grepVerb(options: Search, what: string): Verb<{ readonly regex: string; readonly path: string }, readonly string[]> {
  return {
    summary: `lists the lines that match ${what}`,
    *run(handle, { regex, path }) {
      return yield* search(handle, regex, path, options);
    },
  };
}

function fgrepVerb(options: Search, what: string): Verb<{ readonly pattern: string; readonly path: string }, readonly string[]> {
  return {
    summary: `lists the lines that hold ${what}`,
    *run(handle, { pattern, path }) {
      return yield* search(handle, pattern, path, { ...options, fixed: true });
    },
  };
}

const EXTENDED = { extended: true } as const;
const INSENSITIVE = { insensitive: true } as const;
const COMPRESSED = { compressed: true } as const;

export const searchVerbs: Verbs = {
  grep: {
    summary: 'lists the lines of a file that match a regular expression',
    *run(handle, { regex, path, extended = false, fixed = false, insensitive = false, compressed = false }) {
      return yield* search(handle, regex, path, { extended, fixed, insensitive, compressed });
    },
  },
  egrep: grepVerb(EXTENDED, 'an extended regular expression'),
  fgrep: fgrepVerb({}, 'a text'),
  grepi: grepVerb(INSENSITIVE, 'a regular expression in either case'),
  egrepi: grepVerb({ ...EXTENDED, ...INSENSITIVE }, 'an extended regular expression in either case'),
  fgrepi: fgrepVerb(INSENSITIVE, 'a text in either case'),
  zgrep: grepVerb(COMPRESSED, 'a regular expression, of a compressed file'),
  zegrep: grepVerb({ ...EXTENDED, ...COMPRESSED }, 'an extended regular expression, of a compressed file'),
  zfgrep: fgrepVerb(COMPRESSED, 'a text, of a compressed file'),
  zgrepi: grepVerb({ ...INSENSITIVE, ...COMPRESSED }, 'a regular expression in either case, of a compressed file'),
  zegrepi: grepVerb({ ...EXTENDED, ...INSENSITIVE, ...COMPRESSED }, 'an extended regular expression in either case, of a compressed file'),
  zfgrepi: fgrepVerb({ ...INSENSITIVE, ...COMPRESSED }, 'a text in either case, of a compressed file'),
};
