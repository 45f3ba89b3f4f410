/** Which blocks of a new file system are taken: few long runs, so a file system of many terabytes costs little memory. */

/** A run of blocks: from `start` to before `end`. */
export interface Run {
  readonly start: number;
  readonly end: number;
}

export class Space {
  /** Taken runs in ascending order; no two touch. */
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];
  readonly #limit: number;

  /** Blocks are numbered from 0; there are none from `limit` on. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** The index of the first run that ends behind `block`. */
  #after(block: number): number {
    let low = 0;
    let high = this.#ends.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#ends[middle]! <= block) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  isFree(block: number, count: number): boolean {
    const i = this.#after(block);
    return block + count <= this.#limit && (i === this.#starts.length || this.#starts[i]! >= block + count);
  }

  /** Takes free blocks. */
  take(block: number, count: number): void {
    const i = this.#after(block);
    const joinsLeft = i > 0 && this.#ends[i - 1] === block;
    const joinsRight = this.#starts[i] === block + count;
    if (joinsLeft && joinsRight) {
      this.#ends[i - 1] = this.#ends[i]!;
      this.#starts.splice(i, 1);
      this.#ends.splice(i, 1);
    } else if (joinsLeft) this.#ends[i - 1] = block + count;
    else if (joinsRight) this.#starts[i] = block;
    else {
      this.#starts.splice(i, 0, block);
      this.#ends.splice(i, 0, block + count);
    }
  }

  /** The first block from `from` on, and before `end`, at which `count` blocks are free; undefined when there is none. */
  find(from: number, end: number, count: number): number | undefined {
    let block = from;
    for (let i = this.#after(from); ; i++) {
      const start = this.#starts[i] ?? this.#limit;
      if (start - block >= count) return block < end ? block : undefined;
      if (i >= this.#starts.length) return undefined;
      block = Math.max(block, this.#ends[i]!);
      if (block >= end) return undefined;
    }
  }

  /** The first free run from `from` on, `count` blocks at most; undefined when nothing is free there. */
  freeRun(from: number, count: number): Run | undefined {
    const start = this.find(from, this.#limit, 1);
    if (start === undefined) return undefined;
    const next = this.#starts[this.#after(start)] ?? this.#limit;
    return { start, end: Math.min(next, start + count) };
  }

  /** The taken runs within `[start, end)`, cut to it. */
  taken(start: number, end: number): readonly Run[] {
    const runs: Run[] = [];
    for (let i = this.#after(start); i < this.#starts.length && this.#starts[i]! < end; i++) {
      runs.push({ start: Math.max(start, this.#starts[i]!), end: Math.min(end, this.#ends[i]!) });
    }
    return runs;
  }

  /** How many blocks of `[start, end)` are free. */
  freeIn(start: number, end: number): number {
    let free = end - start;
    for (const run of this.taken(start, end)) free -= run.end - run.start;
    return free;
  }
}
