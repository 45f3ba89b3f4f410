/** Verbs about links, and about where paths lead. */
import { type Bytes, decodeName, encodeName, sameBytes } from '../../bytes/index.ts';
import { Posix } from '../../errors.ts';
import { readSortedDirectory } from '../../guest/directory.ts';
import type { EditableTree } from '../../guest/edit.ts';
import type { Place } from '../../guest/mounts.ts';
import { joinPath } from '../../guest/path.ts';
import type { Io } from '../../io/effect.ts';
import { placesOf } from './entries.ts';
import { inDirectory } from './names.ts';
import type { Verbs } from './verb.ts';

/** ln -s: a link into a directory gets the last name of its target. */
function* linkPath(tree: EditableTree, target: string, linkname: string): Io<string> {
  const { place } = yield* tree.lookup(linkname);
  if (place?.stat.kind !== 'directory') return linkname;
  const last = /([^/]*)\/*$/.exec(target)?.[1] ?? '';
  return inDirectory(linkname, last === '' ? '.' : last);
}

/** Throws ENOENT for a target that is no absolute path: there is no current directory. */
function requireAbsolute(target: string): string {
  if (!target.startsWith('/')) throw new Posix('ENOENT', { path: target }, 'the target of a hard link is an absolute path');
  return target;
}

/** Removes what a link is to replace; a directory cannot be replaced. */
function* makeRoom(tree: EditableTree, path: string): Io<void> {
  const { place } = yield* tree.lookup(path, { keepLast: true });
  if (place === undefined) return;
  if (place.stat.kind === 'directory') throw new Posix('EISDIR', { path }, 'a directory cannot be replaced by a link');
  yield* tree.unlink(path);
}

export const linkVerbs: Verbs = {
  ln: {
    summary: 'gives a file another name',
    *run({ tree }, { target, linkname }) {
      yield* tree.link(requireAbsolute(target), linkname);
    },
  },
  ln_f: {
    summary: 'gives a file another name, replacing what has this name',
    *run({ tree }, { target, linkname }) {
      const source = yield* tree.resolve(requireAbsolute(target), { followLast: false });
      const { place } = yield* tree.lookup(linkname, { keepLast: true });
      if (place?.stat.kind === 'directory') throw new Posix('EEXIST', { path: linkname });
      if (place !== undefined && place.mount === source.mount && place.node === source.node) return;
      yield* tree.transaction(function* () {
        if (place !== undefined) yield* tree.unlink(linkname);
        yield* tree.link(target, linkname);
      });
    },
  },
  ln_s: {
    summary: 'makes a symbolic link',
    *run({ tree }, { target, linkname }) {
      yield* tree.symlink(requireTarget(target), yield* linkPath(tree, target, linkname));
    },
  },
  ln_sf: {
    summary: 'makes a symbolic link, replacing what has its name',
    *run({ tree }, { target, linkname }) {
      const path = yield* linkPath(tree, target, linkname);
      yield* tree.transaction(function* () {
        yield* makeRoom(tree, path);
        yield* tree.symlink(requireTarget(target), path);
      });
    },
  },
  readlink: {
    summary: 'gives the target of a symbolic link',
    *run({ tree }, { path }) {
      return decodeName(yield* tree.readlink(path));
    },
  },
  internal_readlinklist: {
    summary: 'gives the targets of symbolic links in a directory; empty for what is none',
    *run({ tree }, { path, names }) {
      return yield* linkTargets(tree, path, names);
    },
  },
  readlinklist: {
    summary: 'gives the targets of symbolic links in a directory; empty for what is none',
    *run({ tree }, { path, names }) {
      return yield* linkTargets(tree, path, names);
    },
  },
  realpath: {
    summary: 'gives the path free of symbolic links',
    *run({ tree }, { path }) {
      return decodeName(yield* tree.realpath(path));
    },
  },
  case_sensitive_path: {
    summary: 'finds a path whose letters may be of the wrong case',
    *run({ tree }, { path }) {
      return yield* trueCase(tree, path);
    },
  },
};

function requireTarget(target: string): string {
  if (target === '') throw new Posix('ENOENT', {}, 'a symbolic link cannot be empty');
  return target;
}

function* linkTargets(tree: EditableTree, path: string, names: readonly string[]): Io<string[]> {
  const targets: string[] = [];
  for (const place of yield* placesOf(tree, path, names)) {
    targets.push(place?.stat.kind === 'symlink' ? decodeName(yield* place.mount.fileSystem.readlink(place.node)) : '');
  }
  return targets;
}

/** The path as the directories spell it. The last name may be missing, and then stays as it is. */
function* trueCase(tree: EditableTree, path: string): Io<string> {
  const names = path.split('/').filter((name) => name !== '');
  let found: Bytes = encodeName('/');
  for (const [i, name] of names.entries()) {
    if (name === '.' || name === '..') throw new Posix('EINVAL', { path }, 'the path must not contain . or ..');
    const here = yield* tree.directory(found);
    const last = i === names.length - 1;
    const entry = yield* entryOfAnyCase(here, encodeName(name));
    if (entry === undefined && (!last || path.endsWith('/'))) throw new Posix('ENOENT', { path });
    found = joinPath(found, entry ?? encodeName(name));
  }
  if (names.length > 0 && path.endsWith('/')) yield* tree.directory(found);
  return decodeName(found);
}

/** The name of an entry that is the same but for case; of several the one that is spelled exactly so, else the first. */
function* entryOfAnyCase(directory: Place, name: Bytes): Io<Bytes | undefined> {
  const wanted = foldCase(name);
  const fitting: Bytes[] = [];
  for (const entry of yield* readSortedDirectory(directory.mount.fileSystem, directory.node)) {
    if (foldCase(entry.name) === wanted) fitting.push(entry.name);
  }
  const exact = fitting.find((other) => sameBytes(other, name));
  return exact ?? fitting[0];
}

/** A name without the case of its ASCII letters. */
function foldCase(name: Bytes): string {
  let text = '';
  for (const byte of name) text += String.fromCharCode(byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte);
  return text;
}
