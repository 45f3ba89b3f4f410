/** The file allocation table for writing: changes are gathered during a verb and then written to every copy. */
import type { Bytes } from '../bytes/struct.ts';
import { viewOf } from '../bytes/struct.ts';
import { Posix } from '../errors.ts';
import type { WritableCachedDevice } from '../io/cache.ts';
import type { Io } from '../io/effect.ts';
import type { Geometry } from './bpb.ts';
import { Chain } from './chain.ts';
import { FIRST_CLUSTER } from './format.ts';
import { entryIn, entryMask, FatTable, type TableWindow } from './table.ts';

/** Adjacent clusters. */
export interface Clusters {
  readonly cluster: number;
  readonly count: number;
}

/** Changes kept before they are written. */
const MAX_PENDING = 65_536;
/** How far to look for one run that holds all, once enough clusters were seen. */
const LOOK_AHEAD = 65_536;
/** Entries of changes that are written with one request, however few of them changed: at most this many bytes of table. */
const WRITE_SPAN = 4096;

/** What is remembered of the table between verbs. */
export interface AllocationState {
  /** No cluster below is free. */
  readonly lowestFree: number;
  /** The cluster that was taken last; what FSInfo calls the next free one. */
  readonly lastTaken: number;
  /** How many clusters were freed less those taken since mounting. */
  readonly freed: number;
}

export class WritableFatTable extends FatTable {
  readonly #device: WritableCachedDevice;
  readonly #pending = new Map<number, number>();
  #state: AllocationState = { lowestFree: FIRST_CLUSTER, lastTaken: 0, freed: 0 };

  constructor(cache: WritableCachedDevice, geometry: Geometry) {
    super(cache, geometry);
    this.#device = cache;
  }

  get state(): AllocationState {
    return this.#state;
  }

  /** Goes back to an earlier state and forgets what was not written. */
  restore(state: AllocationState): void {
    this.#state = state;
    this.#pending.clear();
  }

  protected override pending(cluster: number): number | undefined {
    return this.#pending.get(cluster);
  }

  /** Takes `count` clusters, right after cluster `after` where possible (0: anywhere), and links them to each other. Throws ENOSPC. */
  *allocate(count: number, after: number): Io<Clusters[]> {
    const taken: Clusters[] = [];
    let missing = count;
    if (after !== 0) {
      const adjacent = yield* this.#freeRun(after + 1, missing);
      if (adjacent > 0) taken.push({ cluster: after + 1, count: adjacent });
      missing -= adjacent;
    }
    if (missing > 0) taken.push(...(yield* this.#search(missing, taken[0])));
    const end = entryMask(this.geometry.bits);
    let previous = after;
    for (const { cluster, count: length } of taken) {
      if (previous !== 0) yield* this.#set(previous, cluster);
      for (let i = 0; i < length - 1; i++) {
        this.#pending.set(cluster + i, cluster + i + 1);
        if (this.#pending.size > MAX_PENDING) yield* this.flush();
      }
      previous = cluster + length - 1;
      yield* this.#set(previous, end);
    }
    this.#state = { ...this.#state, lastTaken: previous, freed: this.#state.freed - count };
    return taken;
  }

  /** Frees all clusters of a chain after its first `keep`, which end there. Throws Corrupt for a broken chain. */
  *release(first: number, keep: number): Io<void> {
    if (first === 0) return;
    const chain = new Chain(this, first);
    let freed = 0;
    let lowest = this.#state.lowestFree;
    const last = keep > 0 ? yield* chain.runAt(keep - 1) : undefined;
    if (keep > 0 && last === undefined) return;
    // Clearing follows one run behind reading.
    for (let index = keep; ; ) {
      const run = yield* chain.runAt(index);
      if (run === undefined) break;
      index += run.count;
      const following = yield* chain.runAt(index);
      for (let i = 0; i < run.count; i++) {
        this.#pending.set(run.cluster + i, 0);
        if (this.#pending.size > MAX_PENDING) yield* this.flush();
      }
      freed += run.count;
      lowest = Math.min(lowest, run.cluster);
      if (following === undefined) break;
    }
    if (last !== undefined && freed > 0) yield* this.#set(last.cluster, entryMask(this.geometry.bits));
    this.#state = { ...this.#state, lowestFree: lowest, freed: this.#state.freed + freed };
  }

  /** Writes the gathered changes to every copy of the table, each entry by itself: where copies differ elsewhere they stay so. */
  *flush(): Io<void> {
    if (this.#pending.size === 0) return;
    const { bits, fatOffset, fatLength, fatCount } = this.geometry;
    const changed = [...this.#pending.keys()].sort((a, b) => a - b);
    const byteOf = (cluster: number): number => Math.floor((cluster * bits) / 8);
    const width = bits === 32 ? 4 : 2;
    for (let i = 0; i < changed.length; ) {
      const start = byteOf(changed[i] ?? 0);
      let end = i + 1;
      while (end < changed.length && byteOf(changed[end] ?? 0) + width - start <= WRITE_SPAN) end++;
      const length = byteOf(changed[end - 1] ?? 0) + width - start;
      for (let copy = 0; copy < fatCount; copy++) {
        const at = fatOffset + copy * fatLength + start;
        const bytes = (yield* this.#device.read(at, length)).slice();
        for (let k = i; k < end; k++) this.#encode(bytes, changed[k] ?? 0, start);
        yield* this.#device.write(at, bytes);
      }
      i = end;
    }
    this.#pending.clear();
  }

  #encode(bytes: Bytes, cluster: number, start: number): void {
    const { bits } = this.geometry;
    const value = this.#pending.get(cluster) ?? 0;
    const view = viewOf(bytes);
    const at = Math.floor((cluster * bits) / 8) - start;
    if (bits === 32) {
      // The top four bits are not ours.
      view.setUint32(at, ((view.getUint32(at, true) & 0xf000_0000) | value) >>> 0, true);
    } else if (bits === 16) view.setUint16(at, value, true);
    else {
      const pair = view.getUint16(at, true);
      view.setUint16(at, (cluster & 1) === 0 ? (pair & 0xf000) | value : (pair & 0x000f) | (value << 4), true);
    }
  }

  *#set(cluster: number, value: number): Io<void> {
    this.#pending.set(cluster, value);
    if (this.#pending.size > MAX_PENDING) yield* this.flush();
  }

  /** Shows the runs of free clusters. */
  *eachFreeRun(visit: (cluster: number, count: number) => Io<void>): Io<void> {
    const { bits, lastCluster } = this.geometry;
    /** The first of the run that is going on; 0: there is none. */
    let first = 0;
    for (let cluster = FIRST_CLUSTER; cluster <= lastCluster; ) {
      const window = yield* this.window(cluster);
      const runs: (readonly [cluster: number, count: number])[] = [];
      for (; cluster <= window.last; cluster++) {
        const free = (this.pending(cluster) ?? entryIn(bits, window, cluster)) === 0;
        if (free && first === 0) first = cluster;
        else if (!free && first !== 0) {
          runs.push([first, cluster - first]);
          first = 0;
        }
      }
      for (const [start, count] of runs) yield* visit(start, count);
    }
    if (first !== 0) yield* visit(first, lastCluster + 1 - first);
  }

  /** How many clusters from `cluster` on are free, up to `limit`. */
  *#freeRun(cluster: number, limit: number): Io<number> {
    let count = 0;
    while (count < limit && cluster + count <= this.geometry.lastCluster) {
      const window = yield* this.window(cluster + count);
      const before = count;
      while (count < limit && cluster + count <= window.last && this.#isFree(window, cluster + count)) count++;
      if (cluster + count <= window.last || count === before) break;
    }
    return count;
  }

  #isFree(window: TableWindow, cluster: number): boolean {
    return (this.#pending.get(cluster) ?? entryIn(this.geometry.bits, window, cluster)) === 0;
  }

  /** Finds `count` free clusters: the first run that holds them all, else the first ones there are. `except` is spoken for. */
  *#search(count: number, except: Clusters | undefined): Io<Clusters[]> {
    const { lastCluster } = this.geometry;
    const found: { cluster: number; count: number }[] = [];
    let total = 0;
    let first = 0;
    let enoughAt = Number.POSITIVE_INFINITY;
    let whole: Clusters | undefined;
    for (let cluster = this.#state.lowestFree; cluster <= lastCluster && whole === undefined && cluster - enoughAt < LOOK_AHEAD; ) {
      const window = yield* this.window(cluster);
      for (; cluster <= window.last && whole === undefined; cluster++) {
        if (!this.#isFree(window, cluster)) continue;
        if (except !== undefined && cluster >= except.cluster && cluster < except.cluster + except.count) continue;
        if (first === 0) first = cluster;
        let run = found[found.length - 1];
        if (run !== undefined && run.cluster + run.count === cluster) run.count++;
        else {
          run = { cluster, count: 1 };
          found.push(run);
        }
        total++;
        if (total === count) enoughAt = cluster;
        if (run.count === count) whole = run;
      }
    }
    if (total < count) throw new Posix('ENOSPC', { layer: 'vfat' });
    const taken = whole === undefined ? cut(found, count) : [whole];
    const head = taken[0];
    if (except === undefined) {
      this.#state = { ...this.#state, lowestFree: head !== undefined && head.cluster === first ? first + head.count : first };
    }
    return taken;
  }
}

/** The first `count` clusters of runs. */
function cut(runs: readonly Clusters[], count: number): Clusters[] {
  const taken: Clusters[] = [];
  for (const run of runs) {
    if (count === 0) break;
    const length = Math.min(count, run.count);
    taken.push({ cluster: run.cluster, count: length });
    count -= length;
  }
  return taken;
}
