/** Which clusters are changed, and how. */
import { BASE, type ClusterState } from './undo.ts';

/** Runs of clusters that are walked one by one instead of searched. */
const SHORT = 64;

/** The state of each cluster; those not named are {@link BASE}. */
export class ClusterTable {
  readonly #states = new Map<number, ClusterState>();
  #sorted: readonly number[] | undefined;

  /** How many clusters are not as in the base. */
  get size(): number {
    return this.#states.size;
  }

  get(cluster: number): ClusterState {
    return this.#states.get(cluster) ?? BASE;
  }

  set(cluster: number, state: ClusterState): void {
    if (state === BASE) {
      if (this.#states.delete(cluster)) this.#sorted = undefined;
      return;
    }
    if (!this.#states.has(cluster)) this.#sorted = undefined;
    this.#states.set(cluster, state);
  }

  clear(): void {
    this.#states.clear();
    this.#sorted = undefined;
  }

  states(): Iterable<ClusterState> {
    return this.#states.values();
  }

  /** The changed clusters in ascending order. */
  sorted(): readonly number[] {
    this.#sorted ??= [...this.#states.keys()].sort((a, b) => a - b);
    return this.#sorted;
  }

  /** The first changed cluster from `cluster` on, or `limit` when there is none before it. */
  nextChanged(cluster: number, limit: number): number {
    if (limit - cluster <= SHORT) {
      let next = cluster;
      while (next < limit && this.get(next) === BASE) next++;
      return next;
    }
    const sorted = this.sorted();
    let low = 0;
    let high = sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((sorted[middle] ?? 0) < cluster) low = middle + 1;
      else high = middle;
    }
    return Math.min(limit, sorted[low] ?? limit);
  }
}
