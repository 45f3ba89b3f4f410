/** What differs between two trees, path by path. */
import { type Bytes, decodeName, sameBytes } from '../bytes/index.ts';
import type { Timestamp } from '../filesystem/filesystem.ts';
import type { Io } from '../io/effect.ts';
import { readFully } from './file-data.ts';
import { type Path, SLASH } from './path.ts';
import type { GuestTree } from './tree.ts';
import { type WalkEntry, type WalkOptions, walk } from './walk.ts';

/** In what two nodes of one path differ. */
export type DiffReason = 'kind' | 'mode' | 'uid' | 'gid' | 'size' | 'content' | 'target' | 'device' | 'xattrs' | 'mtime' | 'links';

/** One line: `+` is only in the second tree, `-` only in the first, `=` is in both and differs in `reasons`. */
export interface Difference {
  readonly sign: '+' | '-' | '=';
  readonly path: Bytes;
  readonly before?: WalkEntry;
  readonly after?: WalkEntry;
  readonly reasons: readonly DiffReason[];
}

export interface DiffOptions extends Omit<WalkOptions, 'order'> {
  /** Compare times of modification. Default false. */
  readonly times?: boolean;
  /** Compare numbers of links. Default false. */
  readonly links?: boolean;
  /** Read files of equal size to compare them. Default true. */
  readonly contents?: boolean;
  /** Compare extended attributes. Default true. */
  readonly xattrs?: boolean;
}

const BUFFER = 1 << 20;

/** Shows the differences, depth first, the names of each directory in byte order. */
export function* diffTrees(
  before: GuestTree,
  after: GuestTree,
  start: Path,
  options: DiffOptions,
  visit: (difference: Difference) => Io<void> | undefined,
): Io<void> {
  const walks = [yield* walk(before, start, options), yield* walk(after, start, options)] as const;
  const comparer = new Comparer(options);
  let one = yield* walks[0].next();
  let other = yield* walks[1].next();
  while (one !== undefined || other !== undefined) {
    const order = one === undefined ? 1 : other === undefined ? -1 : compareWalked(one.path, other.path);
    let difference: Difference | undefined;
    if (order < 0 && one !== undefined) difference = { sign: '-', path: one.path, before: one, reasons: [] };
    else if (order > 0 && other !== undefined) difference = { sign: '+', path: other.path, after: other, reasons: [] };
    else if (one !== undefined && other !== undefined) {
      const reasons = yield* comparer.reasons(one, other);
      if (reasons.length > 0) difference = { sign: '=', path: one.path, before: one, after: other, reasons };
    }
    if (difference !== undefined) {
      const more = visit(difference);
      if (more !== undefined) yield* more;
    }
    if (order <= 0) one = yield* walks[0].next();
    if (order >= 0) other = yield* walks[1].next();
  }
}

/** A line for people: the sign, the path, and the reasons. */
export function diffLine(difference: Difference): string {
  const reasons = difference.reasons.length === 0 ? '' : ` (${difference.reasons.join(', ')})`;
  return `${difference.sign} ${decodeName(difference.path)}${reasons}`;
}

/** The order of a walk: byte order in which a slash comes before everything. */
function compareWalked(a: Bytes, b: Bytes): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const [one, other] = [a[i] as number, b[i] as number];
    if (one !== other) return one === SLASH ? -1 : other === SLASH ? 1 : one - other;
  }
  return a.length - b.length;
}

class Comparer {
  readonly #options: DiffOptions;
  readonly #buffers: readonly [Bytes, Bytes] = [new Uint8Array(BUFFER), new Uint8Array(BUFFER)];

  constructor(options: DiffOptions) {
    this.#options = options;
  }

  *reasons(one: WalkEntry, other: WalkEntry): Io<DiffReason[]> {
    const [a, b] = [one.stat, other.stat];
    const { times = false, links = false, contents = true, xattrs = true } = this.#options;
    const reasons: DiffReason[] = [];
    if (a.kind !== b.kind) reasons.push('kind');
    else if (a.mode !== b.mode) reasons.push('mode');
    if (a.uid !== b.uid) reasons.push('uid');
    if (a.gid !== b.gid) reasons.push('gid');
    if (links && a.links !== b.links) reasons.push('links');
    if (times && !sameTime(a.mtime, b.mtime)) reasons.push('mtime');
    if (a.kind === b.kind) {
      if (a.device?.major !== b.device?.major || a.device?.minor !== b.device?.minor) reasons.push('device');
      if (a.kind === 'symlink') {
        const target = yield* one.mount.fileSystem.readlink(one.node);
        if (!sameBytes(target, yield* other.mount.fileSystem.readlink(other.node))) reasons.push('target');
      } else if (a.kind === 'file') {
        if (a.size !== b.size) reasons.push('size');
        else if (contents && a.size > 0 && !(yield* this.#sameContents(one, other))) reasons.push('content');
      }
    }
    if (xattrs && !(yield* sameXattrs(one, other))) reasons.push('xattrs');
    return reasons;
  }

  *#sameContents(one: WalkEntry, other: WalkEntry): Io<boolean> {
    const { size } = one.stat;
    const files = [one, other].map(({ mount, node }) => ({ fileSystem: mount.fileSystem, node, size }));
    const [first, second] = files as [(typeof files)[0], (typeof files)[0]];
    for (let offset = 0; offset < size; ) {
      const runs = [
        yield* first.fileSystem.mapFile(first.node, offset, size - offset),
        yield* second.fileSystem.mapFile(second.node, offset, size - offset),
      ];
      const shared = Math.min(...runs.map((run) => run.length));
      if (runs.every((run) => run.hole)) {
        offset += shared;
        continue;
      }
      const length = Math.min(BUFFER, size - offset);
      const [a, b] = this.#buffers;
      yield* readFully(first, offset, a.subarray(0, length));
      yield* readFully(second, offset, b.subarray(0, length));
      if (!sameStart(a, b, length)) return false;
      offset += length;
    }
    return true;
  }
}

/** Compares the first `length` bytes of two buffers that begin at multiples of 4. */
function sameStart(a: Bytes, b: Bytes, length: number): boolean {
  const words = length >> 2;
  const one = new Int32Array(a.buffer, a.byteOffset, words);
  const other = new Int32Array(b.buffer, b.byteOffset, words);
  for (let i = 0; i < words; i++) if (one[i] !== other[i]) return false;
  for (let i = words * 4; i < length; i++) if (a[i] !== b[i]) return false;
  return true;
}

function* sameXattrs(one: WalkEntry, other: WalkEntry): Io<boolean> {
  const a = yield* one.mount.fileSystem.xattrs(one.node);
  const b = yield* other.mount.fileSystem.xattrs(other.node);
  if (a.length !== b.length) return false;
  if (a.length === 0) return true;
  const values = new Map(a.map(({ name, value }) => [decodeName(name), value]));
  return b.every(({ name, value }) => {
    const known = values.get(decodeName(name));
    return known !== undefined && sameBytes(known, value);
  });
}

function sameTime(a: Timestamp, b: Timestamp): boolean {
  return a.seconds === b.seconds && a.nanoseconds === b.nanoseconds;
}
