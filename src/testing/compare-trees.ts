/** Whether two file systems hold the same tree, and where they differ. */
import { type Bytes, compareBytes, concatBytes, decodeName, encodeName, sameBytes } from '../bytes/index.ts';
import type { DirectoryEntry, FileSystem, NodeId, Stat, Timestamp } from '../filesystem/filesystem.ts';
import type { Io } from '../io/effect.ts';

export interface CompareOptions {
  /** Compare times of modification (default), no times, or those of access and change too. */
  readonly times?: boolean | 'all';
  /** Compare owners, permissions, extended attributes and hard links. Default true; FAT keeps none of them. */
  readonly attributes?: boolean;
  /** Names to leave out at the root, such as `lost+found`. */
  readonly ignore?: readonly string[];
}

const SLASH = Uint8Array.of(0x2f);

/** What differs, one line each as `path: what`; empty when the trees are equal. Contents are compared byte by byte. */
export function* compareTrees(a: FileSystem, b: FileSystem, options: CompareOptions = {}): Io<string[]> {
  const comparison = new Comparison(a, b, options);
  yield* comparison.node(a.root, b.root, new Uint8Array(0));
  return comparison.differences;
}

class Comparison {
  readonly differences: string[] = [];
  readonly #a: FileSystem;
  readonly #b: FileSystem;
  readonly #times: boolean | 'all';
  readonly #attributes: boolean;
  readonly #ignore: ReadonlySet<string>;
  /** Nodes of `a` with several names, and the node of `b` under the first of them. */
  readonly #linked = new Map<NodeId, NodeId>();

  constructor(a: FileSystem, b: FileSystem, options: CompareOptions) {
    this.#a = a;
    this.#b = b;
    this.#times = options.times ?? true;
    this.#attributes = options.attributes ?? true;
    this.#ignore = new Set(options.ignore ?? []);
  }

  *node(inA: NodeId, inB: NodeId, path: Bytes): Io<void> {
    const a = yield* this.#a.stat(inA);
    const b = yield* this.#b.stat(inB);
    const say = (what: string): void => {
      this.differences.push(`${path.length === 0 ? '/' : decodeName(path)}: ${what}`);
    };
    if (a.kind !== b.kind) return say(`${a.kind}, ${b.kind}`);
    if (a.kind !== 'directory' && a.size !== b.size) return say(`size ${a.size}, ${b.size}`);
    for (const time of this.#times === 'all' ? (['mtime', 'atime', 'ctime'] as const) : this.#times ? (['mtime'] as const) : []) {
      if (!sameTime(a[time], b[time])) say(`${time} ${timeText(a[time])}, ${timeText(b[time])}`);
    }
    if (this.#attributes) yield* this.#compareAttributes(a, b, say);
    if (a.kind === 'directory') yield* this.#directory(inA, inB, path);
    else if (a.kind === 'symlink') {
      const [one, other] = [yield* this.#a.readlink(inA), yield* this.#b.readlink(inB)];
      if (!sameBytes(one, other)) say(`link to ${decodeName(one)}, ${decodeName(other)}`);
    } else if (a.kind === 'file') yield* this.#contents(a, b, say);
  }

  *#compareAttributes(a: Stat, b: Stat, say: (what: string) => void): Io<void> {
    if (a.mode !== b.mode) say(`mode ${a.mode.toString(8)}, ${b.mode.toString(8)}`);
    if (a.uid !== b.uid || a.gid !== b.gid) say(`owner ${a.uid}:${a.gid}, ${b.uid}:${b.gid}`);
    if (a.links !== b.links) say(`links ${a.links}, ${b.links}`);
    if (a.device?.major !== b.device?.major || a.device?.minor !== b.device?.minor) say('device number');
    if (a.kind !== 'directory' && a.links > 1) {
      const known = this.#linked.get(a.node);
      if (known === undefined) this.#linked.set(a.node, b.node);
      else if (known !== b.node) say('linked to another file');
    }
    const [one, other] = [yield* this.#a.xattrs(a.node), yield* this.#b.xattrs(b.node)];
    const text = (list: typeof one): string =>
      list
        .map(({ name, value }) => `${decodeName(name)}=${Array.from(value, (byte) => byte.toString(16).padStart(2, '0')).join('')}`)
        .sort()
        .join(' ');
    if (text(one) !== text(other)) say(`xattrs ${text(one)}, ${text(other)}`);
  }

  *#directory(inA: NodeId, inB: NodeId, path: Bytes): Io<void> {
    const ignored = path.length === 0 ? this.#ignore : new Set<string>();
    const a = yield* sorted(this.#a, inA, ignored);
    const b = yield* sorted(this.#b, inB, ignored);
    for (let i = 0, k = 0; i < a.length || k < b.length; ) {
      const [one, other] = [a[i], b[k]];
      const order = one === undefined ? 1 : other === undefined ? -1 : compareBytes(one.name, other.name);
      const below = concatBytes(path, SLASH, ((order <= 0 ? one : other) as DirectoryEntry).name);
      if (order < 0) this.differences.push(`${decodeName(below)}: only in the first`);
      else if (order > 0) this.differences.push(`${decodeName(below)}: only in the second`);
      else yield* this.node((one as DirectoryEntry).node, (other as DirectoryEntry).node, below);
      if (order <= 0) i++;
      if (order >= 0) k++;
    }
  }

  *#contents(a: Stat, b: Stat, say: (what: string) => void): Io<void> {
    const [one, other] = [new Uint8Array(65_536), new Uint8Array(65_536)];
    for (let offset = 0; offset < a.size; ) {
      // Holes of both are passed over: a sparse file may be a terabyte long.
      const runA = yield* this.#a.mapFile(a.node, offset, a.size - offset);
      const runB = yield* this.#b.mapFile(b.node, offset, a.size - offset);
      if (runA.hole && runB.hole) {
        offset += Math.min(runA.length, runB.length);
        continue;
      }
      const [gotA, gotB] = [yield* this.#a.read(a.node, offset, one), yield* this.#b.read(b.node, offset, other)];
      const got = Math.min(gotA, gotB);
      if (got === 0) return say(`no bytes at ${offset}`);
      const length = Math.min(got, a.size - offset);
      for (let i = 0; i < length; i++) if (one[i] !== other[i]) return say(`contents at byte ${offset + i}`);
      offset += length;
    }
  }
}

function* sorted(system: FileSystem, directory: NodeId, ignore: ReadonlySet<string>): Io<DirectoryEntry[]> {
  const ignored = [...ignore].map(encodeName);
  const entries: DirectoryEntry[] = [];
  for (let part = yield* system.readDirectory(directory); ; part = yield* system.readDirectory(directory, part.next)) {
    entries.push(...part.entries.filter((entry) => !ignored.some((name) => sameBytes(name, entry.name))));
    if (part.next === undefined) return entries.sort((a, b) => compareBytes(a.name, b.name));
  }
}

function sameTime(a: Timestamp, b: Timestamp): boolean {
  return a.seconds === b.seconds && a.nanoseconds === b.nanoseconds;
}

function timeText(time: Timestamp): string {
  return `${time.seconds}.${String(time.nanoseconds).padStart(9, '0')}`;
}
