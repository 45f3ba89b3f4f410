/** Changing a list of extents: plain functions, no I/O. */
import type { FileExtent } from './extent-store.ts';

/** The index of the first extent that ends behind `logical`. */
export function extentBehind(extents: readonly FileExtent[], logical: number): number {
  let low = 0;
  let high = extents.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const extent = extents[middle]!;
    if (extent.logical + extent.length > logical) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The part `[from, to)` of an extent. */
export function part(extent: FileExtent, from: number, to: number): FileExtent {
  const start = Math.max(from, extent.logical);
  const end = Math.min(to, extent.logical + extent.length);
  return { ...extent, logical: start, physical: extent.physical + (start - extent.logical), length: end - start };
}

/** Takes `[from, to)` out of the list, in place; returns what was there. */
export function cutOut(extents: FileExtent[], from: number, to: number): FileExtent[] {
  const first = extentBehind(extents, from);
  const removed: FileExtent[] = [];
  const kept: FileExtent[] = [];
  let last = first;
  for (; last < extents.length && extents[last]!.logical < to; last++) {
    const extent = extents[last]!;
    removed.push(part(extent, from, to));
    if (extent.logical < from) kept.push(part(extent, extent.logical, from));
    if (extent.logical + extent.length > to) kept.push(part(extent, to, extent.logical + extent.length));
  }
  extents.splice(first, last - first, ...kept);
  return removed;
}

/** Puts an extent where nothing is, in place. */
export function putIn(extents: FileExtent[], extent: FileExtent): void {
  extents.splice(extentBehind(extents, extent.logical), 0, extent);
}
