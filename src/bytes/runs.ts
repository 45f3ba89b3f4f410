/** Runs of zeros in bytes, by units of the disk that they come from. */
import type { Bytes } from './struct.ts';
import { isZero } from './text.ts';

/** A run of `[start, end)` that is all zeros, or in which no unit is. */
export interface ZeroRun {
  readonly zero: boolean;
  readonly end: number;
}

/**
 * The run that begins at `start`. `offset` is where the first of `bytes` stands on the disk: units of `unit` bytes are aligned there, so the first and
 * the last one may be cut.
 */
export function zeroRun(bytes: Bytes, start: number, offset: number, unit: number): ZeroRun {
  let end = Math.min(bytes.length, start + unit - ((offset + start) % unit));
  const zero = isZero(bytes, start, end);
  while (end < bytes.length) {
    const next = Math.min(end + unit, bytes.length);
    if (isZero(bytes, end, next) !== zero) break;
    end = next;
  }
  return { zero, end };
}
