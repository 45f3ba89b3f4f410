/** Changes to the block map of a file, laid over the map that the disk has. */

/** A run of logical blocks: where it stands now, or a hole. */
export interface OverlayRange {
  readonly logical: number;
  readonly length: number;
  /** The first block on the device; undefined: a hole. */
  readonly physical: number | undefined;
  /** Allocated, but reads as zeros. */
  readonly uninitialized: boolean;
}

/** Ranges that do not overlap, in ascending order; a later one replaces what it covers. */
export class RangeOverlay {
  readonly #ranges: OverlayRange[] = [];

  get ranges(): readonly OverlayRange[] {
    return this.#ranges;
  }

  put(range: OverlayRange): void {
    if (range.length === 0) return;
    const end = range.logical + range.length;
    const first = this.#firstEndingAfter(range.logical);
    let last = first;
    const kept: OverlayRange[] = [];
    while (last < this.#ranges.length && this.#ranges[last]!.logical < end) {
      const old = this.#ranges[last++]!;
      if (old.logical < range.logical) kept.push(cut(old, old.logical, range.logical));
      if (kept[kept.length - 1] !== range && old.logical + old.length >= end) kept.push(range);
      if (old.logical + old.length > end) kept.push(cut(old, end, old.logical + old.length));
    }
    if (!kept.includes(range)) kept.push(range);
    this.#ranges.splice(first, last - first, ...kept);
  }

  /**
   * What the overlay says of the blocks from `logical` on: the part of a range that begins there, or (`range` undefined) that the next
   * `length` blocks are as on the disk; `length` is Infinity behind the last range.
   */
  at(logical: number): { readonly range: OverlayRange | undefined; readonly length: number } {
    const next = this.#ranges[this.#firstEndingAfter(logical)];
    if (next === undefined) return { range: undefined, length: Number.POSITIVE_INFINITY };
    if (next.logical > logical) return { range: undefined, length: next.logical - logical };
    const range = cut(next, logical, next.logical + next.length);
    return { range, length: range.length };
  }

  #firstEndingAfter(logical: number): number {
    let low = 0;
    let high = this.#ranges.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const range = this.#ranges[middle]!;
      if (range.logical + range.length <= logical) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** The part `[start, end)` of a range. */
function cut(range: OverlayRange, start: number, end: number): OverlayRange {
  return {
    logical: start,
    length: end - start,
    physical: range.physical === undefined ? undefined : range.physical + (start - range.logical),
    uninitialized: range.uninitialized,
  };
}
