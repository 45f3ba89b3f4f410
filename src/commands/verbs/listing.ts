/** Verbs that list directories and trees. */
import { type Bytes, compareBytes, concatBytes, decodeName, encodeName } from '../../bytes/index.ts';
import { Posix } from '../../errors.ts';
import { walk } from '../../guest/walk.ts';
import type { Io } from '../../io/effect.ts';
import type { DirentStruct } from '../api/calls.ts';
import { globExpand } from './glob-expand.ts';
import type { Handle } from './handle.ts';
import { longList } from './long-list.ts';
import { kindLetter } from './names.ts';
import type { Verbs } from './verb.ts';

/** The names below a directory, from its path on; the directory itself is not among them. */
function* namesBelow({ tree }: Handle, directory: string, visit: (name: string) => Io<void>): Io<void> {
  const { stat } = yield* tree.resolve(directory);
  if (stat.kind !== 'directory') throw new Posix('ENOTDIR', { path: directory });
  const walker = yield* walk(tree, directory);
  const top = (yield* walker.next())?.path ?? encodeName('/');
  // The names go on where the path as it was given ends: a slash at its end is not in them.
  const slash = directory.endsWith('/') ? '' : '/';
  for (let entry = yield* walker.next(); entry !== undefined; entry = yield* walker.next()) {
    yield* visit(slash + relativeName(top, entry.path));
  }
}

/** The path of what is below `top`, from there. */
export function relativeName(top: Bytes, path: Bytes): string {
  return decodeName(path.subarray(top.length === 1 ? 1 : top.length + 1));
}

function* entriesOf({ tree }: Handle, path: string): Io<DirentStruct[]> {
  const here = yield* tree.directory(path);
  const dots = [
    { ino: here.node, ftyp: 'd', name: '.' },
    { ino: (here.parent ?? here).node, ftyp: 'd', name: '..' },
  ];
  const entries = yield* tree.readdir(path);
  return [...dots, ...entries.map(({ name, node, kind }) => ({ ino: node, ftyp: kindLetter(kind), name: decodeName(name) }))];
}

export const listingVerbs: Verbs = {
  ls: {
    summary: 'lists the names in a directory',
    *run({ tree }, { directory }) {
      return yield* tree.names(directory);
    },
  },
  ls0: {
    summary: 'lists the names in a directory, each with a NUL byte behind it',
    *run({ tree }, { dir, filenames }) {
      for (const name of yield* tree.names(dir)) yield* filenames(withNul(name));
    },
  },
  readdir: {
    summary: 'lists the entries of a directory in the order of the disk',
    *run(handle, { dir }) {
      return yield* entriesOf(handle, dir);
    },
  },
  internal_readdir: {
    summary: 'lists the entries of a directory in the order of the disk, as a stream',
    *run(handle, { dir, filename }) {
      for (const entry of yield* entriesOf(handle, dir)) yield* filename(encodeEntry(entry));
    },
  },
  ll: {
    summary: 'lists a directory as ls -la does',
    *run(handle, { directory }) {
      return yield* longList(handle, directory, { context: false });
    },
  },
  llz: {
    summary: 'lists a directory as ls -laZ does',
    *run(handle, { directory }) {
      return yield* longList(handle, directory, { context: true });
    },
  },
  find: {
    summary: 'lists all that is below a directory, sorted',
    *run(handle, { directory }) {
      const names: string[] = [];
      yield* namesBelow(handle, directory, function* (name) {
        names.push(name);
      });
      return names.sort((a, b) => compareBytes(encodeName(a), encodeName(b)));
    },
  },
  find0: {
    summary: 'lists all that is below a directory, each name with a NUL byte behind it',
    *run(handle, { directory, files }) {
      yield* namesBelow(handle, directory, (name) => files(withNul(name)));
    },
  },
  glob_expand: {
    summary: 'lists the paths that fit a shell pattern',
    *run({ tree }, { pattern, directoryslash }) {
      return yield* globExpand(tree, pattern, directoryslash ?? true);
    },
  },
};

function withNul(name: string): Bytes {
  return concatBytes(encodeName(name), Uint8Array.of(0));
}

/** An entry as XDR has it (RFC 4506): a number of eight bytes, a character in four, a string. */
function encodeEntry({ ino, ftyp, name }: DirentStruct): Bytes {
  const bytes = encodeName(name);
  const encoded = new Uint8Array(16 + Math.ceil(bytes.length / 4) * 4);
  const view = new DataView(encoded.buffer);
  view.setUint32(0, Math.floor(ino / 2 ** 32));
  view.setUint32(4, ino >>> 0);
  view.setUint32(8, ftyp.charCodeAt(0));
  view.setUint32(12, bytes.length);
  encoded.set(bytes, 16);
  return encoded;
}
