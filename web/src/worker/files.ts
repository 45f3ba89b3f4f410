/** Looking at files: directories, details, contents, search. */
import { compareBytes, decodeName, encodeName } from '../../../src/bytes/text.ts';
import { type Accounts, readAccounts } from '../../../src/commands/accounts.ts';
import { GuestlessError } from '../../../src/errors.ts';
import type { DirectoryEntry, Stat, Timestamp } from '../../../src/filesystem/filesystem.ts';
import { joinPath, pathBytes } from '../../../src/guest/path.ts';
import type { GuestTree } from '../../../src/guest/tree.ts';
import { walk } from '../../../src/guest/walk.ts';
import type { Io } from '../../../src/io/effect.ts';
import { type Brief, type Details, type Entry, type Failure, KIND_OF, type Kind, type Piece } from '../protocol.ts';
import { run, Turn } from './driver.ts';
import { failureOf } from './failure.ts';

/** Entries of a directory that go to the page at once: it draws between two of them. */
const AT_ONCE = 500;
/** Entries that are listed at most. */
const MOST_ENTRIES = 1_000_000;
const MOST_FOUND = 5000;
const MOST_EXTENTS = 200;
/** Bytes of an attribute's value that are shown. */
const VALUE_LENGTH = 256;

function kindOf(entry: DirectoryEntry): Kind {
  return entry.kind === undefined ? '?' : KIND_OF[entry.kind];
}

/** Gives the entries of a directory, directories first, each sort by the bytes of the names. A directory damaged halfway gives what it has. */
export async function list(
  tree: GuestTree,
  path: string,
  part: (entries: readonly Entry[]) => void,
  signal: AbortSignal,
): Promise<{ problem?: Failure }> {
  const turn = new Turn();
  const found: DirectoryEntry[] = [];
  let problem: Failure | undefined;
  let cursor: number | undefined;
  do {
    try {
      const { entries, next } = await run(tree.readdirPart(path, cursor), signal);
      for (const entry of entries) found.push(entry);
      cursor = next;
    } catch (error) {
      if (!(error instanceof GuestlessError) || found.length === 0) throw error;
      problem = failureOf(error);
      break;
    }
  } while (cursor !== undefined && found.length < MOST_ENTRIES);
  found.sort((a, b) => Number(b.kind === 'directory') - Number(a.kind === 'directory') || compareBytes(a.name, b.name));
  for (let at = 0; at < found.length; at += AT_ONCE) {
    part(found.slice(at, at + AT_ONCE).map((entry) => [decodeName(entry.name), kindOf(entry)] as const));
    if (turn.over) await turn.next();
    signal.throwIfAborted();
  }
  return problem === undefined ? {} : { problem };
}

export function* briefs(tree: GuestTree, folder: string, names: readonly string[]): Io<(Brief | undefined)[]> {
  const found: (Brief | undefined)[] = [];
  const base = pathBytes(folder);
  for (const name of names) {
    const path = joinPath(base, encodeName(name));
    try {
      const { size, mode, mtime, kind } = yield* tree.lstat(path);
      const target = kind === 'symlink' ? { target: decodeName(yield* tree.readlink(path)) } : {};
      found.push({ size, mode, mtime: milliseconds(mtime), ...target });
    } catch (error) {
      if (!(error instanceof GuestlessError)) throw error;
      found.push(undefined);
    }
  }
  return found;
}

function milliseconds({ seconds, nanoseconds }: Timestamp): number {
  return seconds * 1000 + Math.floor(nanoseconds / 1_000_000);
}

/** `writing`: the tree is one that can be changed, so that what is read-only in it says something. */
export function* details(tree: GuestTree, path: string, writing: boolean): Io<Details> {
  const { mount, node, stat } = yield* tree.resolve(path, { followLast: false });
  const problems: string[] = [];
  function* attempt<T>(io: Io<T>, otherwise: T): Io<T> {
    try {
      return yield* io;
    } catch (error) {
      if (!(error instanceof GuestlessError)) throw error;
      problems.push(error.message);
      return otherwise;
    }
  }
  const accounts: Accounts = yield* attempt(readAccounts(tree), { users: new Map(), groups: new Map() });
  const xattrs = yield* attempt(mount.fileSystem.xattrs(node), []);
  const target = stat.kind === 'symlink' ? yield* attempt(mount.fileSystem.readlink(node), undefined) : undefined;
  const reached = stat.kind === 'symlink' ? yield* reach(tree, path) : stat;
  const extents: { offset: number; length: number; place?: number }[] = [];
  let moreExtents = false;
  function* map(): Io<void> {
    for (let offset = 0; offset < stat.size; ) {
      const run = yield* mount.fileSystem.mapFile(node, offset, stat.size - offset);
      const last = extents.at(-1);
      const place = run.hole || run.deviceOffset === undefined ? {} : { place: run.deviceOffset };
      if (last !== undefined && continues(last, place.place)) last.length += run.length;
      else if (extents.length >= MOST_EXTENTS) {
        moreExtents = true;
        return;
      } else extents.push({ offset, length: run.length, ...place });
      offset += Math.max(1, run.length);
    }
  }
  if (stat.kind === 'file') yield* attempt(map(), undefined);
  const user = accounts.users.get(stat.uid);
  const group = accounts.groups.get(stat.gid);
  const times: [string, Timestamp | undefined][] = [
    ['Modified', stat.mtime],
    ['Accessed', stat.atime],
    ['Changed', stat.ctime],
    ['Created', stat.btime],
  ];
  return {
    path:
      decodeName(yield* tree.realpath(path.slice(0, path.lastIndexOf('/')) || '/')).replace(/\/$/, '') + path.slice(path.lastIndexOf('/')),
    kind: KIND_OF[stat.kind],
    inode: stat.node,
    mode: stat.mode,
    links: stat.links,
    uid: stat.uid,
    gid: stat.gid,
    ...(user === undefined ? {} : { user }),
    ...(group === undefined ? {} : { group }),
    size: stat.size,
    allocated: stat.blocks * 512,
    ...(stat.device === undefined ? {} : { device: `${stat.device.major}:${stat.device.minor}` }),
    fileSystem: mount.fileSystem.type,
    on: mount.device,
    readOnly: mount.readOnly && writing,
    times: times.flatMap(([name, time]) =>
      time === undefined ? [] : [[name, milliseconds(time), String(time.nanoseconds).padStart(9, '0')] as const],
    ),
    ...(target === undefined ? {} : { target: decodeName(target) }),
    ...(reached?.kind === 'file' ? { contents: reached.size } : {}),
    xattrs: xattrs.map(({ name, value }) => [decodeName(name), decodeName(value.subarray(0, VALUE_LENGTH))] as const),
    extents,
    moreExtents,
    problems,
  };
}

/** What a link leads to; undefined where that is nothing. */
function* reach(tree: GuestTree, path: string): Io<Stat | undefined> {
  try {
    return yield* tree.stat(path);
  } catch (error) {
    if (!(error instanceof GuestlessError)) throw error;
    return undefined;
  }
}

function continues(last: { readonly length: number; readonly place?: number }, place: number | undefined): boolean {
  return last.place === undefined ? place === undefined : place === last.place + last.length;
}

/** Bytes of a file; a symbolic link is followed. */
export function* read(tree: GuestTree, path: string, offset: number, length: number): Io<Piece> {
  const { size } = yield* tree.stat(path);
  const bytes = new Uint8Array(Math.max(0, Math.min(length, size - offset)));
  const got = yield* tree.readInto(path, offset, bytes);
  return { bytes: bytes.subarray(0, got), size };
}

/** All paths whose last name contains a text, upper and lower case being the same; `*` and `?` are wildcards. */
export async function search(
  tree: GuestTree,
  from: string,
  text: string,
  part: (found: readonly (readonly [string, Kind])[]) => void,
  signal: AbortSignal,
): Promise<{ stopped: boolean; problems: number }> {
  const fits = matcher(text);
  const turn = new Turn();
  let problems = 0;
  let count = 0;
  let found: (readonly [string, Kind])[] = [];
  const walker = await run(walk(tree, from, { onError: () => problems++ }), signal);
  for (let entry = await run(walker.next(), signal); entry !== undefined; entry = await run(walker.next(), signal)) {
    if (entry.depth > 0 && fits(decodeName(entry.name))) {
      found.push([decodeName(entry.path), KIND_OF[entry.kind]]);
      if (++count >= MOST_FOUND) {
        part(found);
        return { stopped: true, problems };
      }
    }
    if (turn.over) {
      if (found.length > 0) part(found);
      found = [];
      await turn.next();
    }
  }
  if (found.length > 0) part(found);
  return { stopped: false, problems };
}

/** Wildcards are matched greedily with one step back, which takes time proportional to both lengths at most. */
function matcher(text: string): (name: string) => boolean {
  const wanted = text.toLowerCase();
  if (!/[*?]/.test(wanted)) return (name) => name.toLowerCase().includes(wanted);
  return (name) => wildcard(wanted, name.toLowerCase());
}

function wildcard(pattern: string, name: string): boolean {
  let p = 0;
  let n = 0;
  let star = -1;
  let back = 0;
  while (n < name.length) {
    if (p < pattern.length && (pattern[p] === '?' || (pattern[p] !== '*' && pattern[p] === name[n]))) {
      p++;
      n++;
    } else if (pattern[p] === '*') {
      star = p++;
      back = n;
    } else if (star >= 0) {
      p = star + 1;
      n = ++back;
    } else return false;
  }
  while (pattern[p] === '*') p++;
  return p === pattern.length;
}
