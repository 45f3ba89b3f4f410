/** Counting references to host clusters, sparsely: memory follows what is referenced, not how long the file is. */

const CHUNK = 4096;

export class ReferenceCounts {
  readonly #chunks = new Map<number, Uint32Array>();

  /** References to a cluster so far. */
  get(cluster: number): number {
    return this.#chunks.get(Math.floor(cluster / CHUNK))?.[cluster % CHUNK] ?? 0;
  }

  /** Adds references; the new count. */
  add(cluster: number, count: number): number {
    const index = Math.floor(cluster / CHUNK);
    let chunk = this.#chunks.get(index);
    if (chunk === undefined) {
      chunk = new Uint32Array(CHUNK);
      this.#chunks.set(index, chunk);
    }
    const sum = (chunk[cluster % CHUNK] ?? 0) + count;
    chunk[cluster % CHUNK] = Math.min(sum, 0xffffffff);
    return sum;
  }

  /** Numbers of the first clusters of all stretches of `CHUNK` clusters that have references. */
  stretches(): number[] {
    return [...this.#chunks.keys()].map((index) => index * CHUNK).sort((a, b) => a - b);
  }

  /** The counts of the stretch that begins at `first`, if it has any. */
  stretch(first: number): Uint32Array | undefined {
    return this.#chunks.get(Math.floor(first / CHUNK));
  }

  /** Clusters in a stretch. */
  static readonly STRETCH: number = CHUNK;
}
