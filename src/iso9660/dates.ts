/** Dates and times of ECMA-119, read as Linux reads them (fs/isofs/util.c). */
import { type Bytes, viewOf } from '../bytes/struct.ts';
import { latin1 } from '../bytes/text.ts';
import type { Timestamp } from '../filesystem/filesystem.ts';

/** Offsets from Greenwich beyond 13 hours are taken for rubbish and left out. */
const MAX_QUARTERS = 52;
const EPOCH: Timestamp = { seconds: 0, nanoseconds: 0 };

/** Seconds since 1970 of a date that need not exist: days and months that are too large go on counting. */
function seconds(year: number, month: number, day: number, hour: number, minute: number, second: number): number {
  // The arithmetic of days since 1970-01-01 in a calendar whose year begins in March, so that leap days come last.
  const shifted = month - 2 <= 0 ? month + 10 : month - 2;
  const years = month - 2 <= 0 ? year - 1 : year;
  const leaps = Math.floor(years / 4) - Math.floor(years / 100) + Math.floor(years / 400);
  const days = leaps + Math.floor((367 * shifted) / 12) + day + years * 365 - 719_499;
  return ((days * 24 + hour) * 60 + minute) * 60 + second;
}

/** The seven bytes of a directory record or a TF entry (9.1.5). */
export function shortDate(bytes: Bytes, at = 0): Timestamp {
  if (at + 7 > bytes.length) return EPOCH;
  const part = (i: number): number => bytes[at + i] ?? 0;
  const quarters = viewOf(bytes).getInt8(at + 6);
  const offset = Math.abs(quarters) <= MAX_QUARTERS ? quarters * 900 : 0;
  return { seconds: seconds(1900 + part(0), part(1), part(2), part(3), part(4), part(5)) - offset, nanoseconds: 0 };
}

/** The seventeen bytes of a volume descriptor or a long TF entry (8.4.26.1); undefined where no date stands. */
export function longDate(bytes: Bytes, at = 0): Timestamp | undefined {
  if (at + 17 > bytes.length) return undefined;
  const digits = latin1(bytes.subarray(at, at + 16));
  if (!/^\d{16}$/.test(digits) || /^0+$/.test(digits)) return undefined;
  const number = (from: number, to: number): number => Number(digits.slice(from, to));
  const quarters = viewOf(bytes).getInt8(at + 16);
  const offset = Math.abs(quarters) <= MAX_QUARTERS ? quarters * 900 : 0;
  const whole = seconds(number(0, 4), number(4, 6), number(6, 8), number(8, 10), number(10, 12), number(12, 14));
  return { seconds: whole - offset, nanoseconds: number(14, 16) * 10_000_000 };
}
