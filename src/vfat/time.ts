/** FAT dates and times: local time of the writer, without a zone; read and written as Linux does (fs/fat/misc.c). */
import type { Timestamp } from '../filesystem/filesystem.ts';

/** Days before each month of a common year; the months 0 and 13..15, which only damaged entries hold, count as Linux counts them. */
const DAYS_BEFORE = [0, 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 0, 0, 0] as const;
/** Days from 1970-01-01 to 1980-01-01. */
const EPOCH_DAYS = 3652;
const DAY = 86_400;
/** 2100 is no leap year; years count from 1980. */
const YEAR_2100 = 120;
/** 1980-01-01 00:00:00 and 2107-12-31 23:59:58 in seconds since 1970. */
export const EARLIEST: number = EPOCH_DAYS * DAY;
export const LATEST = 4_354_819_198;

export interface FatTime {
  readonly date: number;
  readonly time: number;
  /** Units of 10 ms, 0..199, on top of `time`. */
  readonly hundredths: number;
}

/** The point in time of a date, a time of day and 10 ms units; `zoneMinutes` is how far the writer's clock was ahead of UTC. */
export function decodeTime(date: number, time: number, hundredths: number, zoneMinutes: number): Timestamp {
  const year = date >> 9;
  const month = Math.max(1, (date >> 5) & 15);
  const day = Math.max(1, date & 31) - 1;
  let leapDays = (year + 3) >> 2;
  if (year > YEAR_2100) leapDays--;
  if ((year & 3) === 0 && year !== YEAR_2100 && month > 2) leapDays++;
  const days = year * 365 + leapDays + (DAYS_BEFORE[month] ?? 0) + day + EPOCH_DAYS;
  const ofDay = (time >> 11) * 3600 + ((time >> 5) & 63) * 60 + (time & 31) * 2;
  return {
    seconds: days * DAY + ofDay - zoneMinutes * 60 + Math.floor(hundredths / 100),
    nanoseconds: (hundredths % 100) * 10_000_000,
  };
}

/** The nearest earlier time that FAT can hold, from 1980 to 2107. */
export function encodeTime(at: Timestamp, zoneMinutes: number): FatTime {
  const local = at.seconds + zoneMinutes * 60;
  if (local < EARLIEST) return { date: (0 << 9) | (1 << 5) | 1, time: 0, hundredths: 0 };
  if (local > LATEST + 1) return { date: (127 << 9) | (12 << 5) | 31, time: (23 << 11) | (59 << 5) | 29, hundredths: 199 };
  const moment = new Date(local * 1000);
  return {
    date: ((moment.getUTCFullYear() - 1980) << 9) | ((moment.getUTCMonth() + 1) << 5) | moment.getUTCDate(),
    time: (moment.getUTCHours() << 11) | (moment.getUTCMinutes() << 5) | (moment.getUTCSeconds() >> 1),
    hundredths: (moment.getUTCSeconds() & 1) * 100 + Math.floor(at.nanoseconds / 10_000_000),
  };
}
