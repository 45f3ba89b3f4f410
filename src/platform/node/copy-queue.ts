/** The queue of pieces between threads: counters in shared memory over a ring of pieces. */
import type { PieceCopier } from './copy-pieces.ts';

/** What threads share. */
export interface CopyShare {
  readonly control: Int32Array;
  readonly table: Float64Array;
  /** The descriptor that is written to. */
  readonly target: number;
  readonly unit: number;
}

/** Pieces in the ring. */
export const CAPACITY: number = 1 << 14;
/** Pieces that a thread takes at once. */
const BATCH = 16;

/** Counters of the control array. Pieces are counted from the first one on; piece n stands at n modulo {@link CAPACITY}. */
export const NEXT = 0;
export const PUBLISHED = 1;
/** Threads that hold a batch, or are about to take one. */
export const ACTIVE = 2;
/** 1 when threads shall end. */
export const STOP = 3;
/** One more than the first piece of a batch that failed; 0 as long as none has. */
export const FAILED = 4;
export const COUNTERS = 5;

/** Takes the next batch and copies it; false when there is none. A failure is noted and not thrown. */
export function copyBatch(control: Int32Array, copier: PieceCopier): boolean {
  Atomics.add(control, ACTIVE, 1);
  try {
    for (;;) {
      const first = Atomics.load(control, NEXT);
      const published = Atomics.load(control, PUBLISHED);
      if (first >= published || Atomics.load(control, FAILED) !== 0) return false;
      const at = first % CAPACITY;
      const count = Math.min(BATCH, published - first, CAPACITY - at);
      if (Atomics.compareExchange(control, NEXT, first, first + count) !== first) continue;
      try {
        copier.copy(at, at + count);
      } catch {
        // Who published the pieces finds out again what is wrong, and says it better.
        Atomics.compareExchange(control, FAILED, 0, first + 1);
      }
      return true;
    }
  } finally {
    Atomics.sub(control, ACTIVE, 1);
  }
}

/** The life of a helping thread. */
export function workOn({ control }: CopyShare, copier: PieceCopier): void {
  while (Atomics.load(control, STOP) === 0) {
    const published = Atomics.load(control, PUBLISHED);
    if (!copyBatch(control, copier)) Atomics.wait(control, PUBLISHED, published, 50);
  }
}

/** How many pieces one batch can have, from its first on. */
export function batchEnd(first: number, published: number): number {
  return Math.min(first + BATCH, published);
}
