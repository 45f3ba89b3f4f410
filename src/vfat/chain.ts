/** The runs of one cluster chain, found as far as they are asked for and remembered. */
import { Corrupt } from '../errors.ts';
import type { Io } from '../io/effect.ts';
import { type ClusterRun, END_OF_CHAIN, type FatTable } from './table.ts';

/** Runs to remember of one chain; the oldest go first, and are found again when they are needed. */
const MAX_RUNS = 16_384;

export class Chain {
  readonly first: number;
  readonly #table: FatTable;
  #runs: ClusterRun[] = [];
  /** The cluster that follows the last remembered run. */
  #next: number;
  /** Where in the chain `#next` stands: the number of clusters walked so far. */
  #walked = 0;
  // Brent's cycle finder: a cluster left behind at each power of two; meeting it again means a loop.
  #milestone: number;
  #stride = 1;
  #sinceMilestone = 0;

  /** A chain that begins at `first`, or one without clusters: 0. Throws Corrupt when the number is no cluster's. */
  constructor(table: FatTable, first: number) {
    if (first !== 0) table.checkCluster(first, 'the start of the chain');
    this.#table = table;
    this.first = first;
    this.#next = first === 0 ? END_OF_CHAIN : first;
    this.#milestone = this.#next;
  }

  /** Clusters found so far. */
  get walked(): number {
    return this.#walked;
  }

  /** The part from cluster `index` of the chain to the end of its run; undefined beyond the end. Throws Corrupt for loops and broken links. */
  *runAt(index: number): Io<ClusterRun | undefined> {
    if (index < (this.#runs[0]?.index ?? 0)) this.#restart();
    while (index >= this.#walked) if (!(yield* this.#extend(index))) return undefined;
    const run = this.#runs[this.#search(index)] as ClusterRun;
    const skip = index - run.index;
    return { index, cluster: run.cluster + skip, count: run.count - skip };
  }

  /** The number of clusters in the chain, counted no further than `limit`. */
  *length(limit: number): Io<number> {
    while (this.#walked < limit) if (!(yield* this.#extend(this.#walked))) break;
    return Math.min(this.#walked, limit);
  }

  /** Takes note of clusters that were linked to the end of the chain, if that end is known. */
  append(added: readonly { readonly cluster: number; readonly count: number }[]): void {
    if (this.#next !== END_OF_CHAIN || this.first === 0) return;
    for (const { cluster, count } of added) this.#push(cluster, count);
  }

  #push(cluster: number, count: number): void {
    const last = this.#runs[this.#runs.length - 1];
    if (last !== undefined && last.cluster + last.count === cluster) {
      this.#runs[this.#runs.length - 1] = { index: last.index, cluster: last.cluster, count: last.count + count };
    } else {
      if (this.#runs.length >= MAX_RUNS) this.#runs = this.#runs.slice(MAX_RUNS >> 1);
      this.#runs.push({ index: this.#walked, cluster, count });
    }
    this.#walked += count;
  }

  #restart(): void {
    this.#runs = [];
    this.#walked = 0;
    this.#next = this.first === 0 ? END_OF_CHAIN : this.first;
    this.#milestone = this.#next;
    this.#stride = 1;
    this.#sinceMilestone = 0;
  }

  /** Finds the next run; false at the end of the chain. */
  *#extend(index: number): Io<boolean> {
    const cluster = this.#next;
    if (cluster === END_OF_CHAIN) return false;
    if (this.#walked > this.#table.geometry.clusters) throw this.#loop();
    // Not much further than asked: the first byte of a huge file must not cost its whole chain.
    const limit = Math.max(4096, 2 * (index - this.#walked + 1));
    const { count, next } = yield* this.#table.follow(cluster, limit);
    this.#push(cluster, count);
    this.#next = next;
    if (next !== cluster + count) this.#watch(next);
    return true;
  }

  /** Takes note of a jump in the chain: in a loop the same jumps come again, wherever the runs between them were cut. */
  #watch(next: number): void {
    if (next === END_OF_CHAIN) return;
    if (next === this.#milestone) throw this.#loop();
    this.#sinceMilestone++;
    if (this.#sinceMilestone === this.#stride) {
      this.#milestone = next;
      this.#stride *= 2;
      this.#sinceMilestone = 0;
    }
  }

  #loop(): Corrupt {
    return new Corrupt(`the cluster chain that begins at ${this.first} loops; run fsck.vfat`, { layer: 'vfat' });
  }

  /** The remembered run that holds the cluster `index` of the chain. */
  #search(index: number): number {
    let low = 0;
    let high = this.#runs.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#runs[middle]?.index ?? 0) <= index) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
