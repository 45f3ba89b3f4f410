/**
 * The format of tar archives: headers of POSIX.1-1988 (ustar) and extended records of POSIX.1-2001 (pax). No I/O.
 *
 * The tar library among our dependencies was tried first. Its extended records are text, which loses the bytes of attributes and of
 * names that are no UTF-8; its times end at milliseconds, and it knows no sparse files. So these are our own.
 */
import { type Bytes, encodeName } from '../bytes/index.ts';
import { Corrupt } from '../errors.ts';
import type { Timestamp } from '../filesystem/filesystem.ts';

/** Everything in an archive stands in blocks of 512 bytes. */
export const TAR_BLOCK = 512;
/** GNU tar reads and writes 20 blocks at a time, and archives end at a multiple of that. */
export const TAR_RECORD: number = 20 * TAR_BLOCK;

/** `typeflag` of a header, as a character. */
export type TarType = '0' | '1' | '2' | '3' | '4' | '5' | '6' | '7' | 'x' | 'g' | 'L' | 'K' | 'S';

/** Offsets in a header: POSIX.1-2001, pax, "ustar Interchange Format". */
export const USTAR = {
  name: 0,
  mode: 100,
  uid: 108,
  gid: 116,
  size: 124,
  mtime: 136,
  chksum: 148,
  typeflag: 156,
  linkname: 157,
  magic: 257,
  version: 263,
  uname: 265,
  gname: 297,
  devmajor: 329,
  devminor: 337,
  prefix: 345,
} as const;

export const NAME_LENGTH = 100;
const PREFIX_LENGTH = 155;
/** The largest number of 7 octal digits: uid, gid, device numbers. */
export const MAX_OCTAL_7 = 0o7777777;
/** The largest number of 11 octal digits: size and mtime. */
export const MAX_OCTAL_11 = 0o77777777777;

const MAGIC = encodeName('ustar\u000000');
const SLASH = 0x2f;
const ZERO = 0x30;

/** What a header says; numbers that do not fit are written as 0 and belong into extended records. */
export interface TarHeader {
  readonly name: Bytes;
  readonly prefix?: Bytes | undefined;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  /** Whole seconds. */
  readonly mtime: number;
  readonly type: TarType;
  readonly linkname?: Bytes | undefined;
  readonly device?: { readonly major: number; readonly minor: number } | undefined;
}

/** Writes a header at `at`; the 512 bytes there are overwritten. */
export function writeTarHeader(target: Bytes, at: number, header: TarHeader): void {
  target.fill(0, at, at + TAR_BLOCK);
  target.set(header.name.length > NAME_LENGTH ? header.name.subarray(0, NAME_LENGTH) : header.name, at + USTAR.name);
  octal(target, at + USTAR.mode, 7, header.mode & 0o7777);
  octal(target, at + USTAR.uid, 7, header.uid);
  octal(target, at + USTAR.gid, 7, header.gid);
  octal(target, at + USTAR.size, 11, header.size);
  octal(target, at + USTAR.mtime, 11, header.mtime);
  target[at + USTAR.typeflag] = header.type.charCodeAt(0);
  if (header.linkname !== undefined) {
    target.set(header.linkname.length > NAME_LENGTH ? header.linkname.subarray(0, NAME_LENGTH) : header.linkname, at + USTAR.linkname);
  }
  target.set(MAGIC, at + USTAR.magic);
  if (header.device !== undefined) {
    octal(target, at + USTAR.devmajor, 7, header.device.major);
    octal(target, at + USTAR.devminor, 7, header.device.minor);
  }
  if (header.prefix !== undefined) target.set(header.prefix, at + USTAR.prefix);
  octal(target, at + USTAR.chksum, 6, tarChecksum(target, at));
  target[at + USTAR.chksum + 7] = 0x20;
}

/** The sum of a header's bytes, its checksum field counted as spaces. */
export function tarChecksum(block: Bytes, at: number): number {
  let sum = 8 * 0x20;
  for (let i = at, end = at + USTAR.chksum; i < end; i++) sum += block[i]!;
  for (let i = at + USTAR.chksum + 8, end = at + TAR_BLOCK; i < end; i++) sum += block[i]!;
  return sum;
}

function octal(target: Bytes, at: number, digits: number, value: number): void {
  const fits = value >= 0 && (digits >= 11 ? value <= MAX_OCTAL_11 : value <= MAX_OCTAL_7);
  // Sizes reach 2^33, and shifts only 2^31: the upper digits are done apart.
  let low = fits ? value % 0x100_0000 : 0;
  let high = fits ? (value - low) / 0x100_0000 : 0;
  let i = at + digits - 1;
  for (const end = Math.max(at, i - 7); i >= end; i--) {
    target[i] = ZERO + (low & 7);
    low >>>= 3;
  }
  for (; i >= at; i--) {
    target[i] = ZERO + (high & 7);
    high >>>= 3;
  }
}

/** The number of a field: octal digits, or base 256 where the first bit is set, as GNU tar writes it. Throws Corrupt. */
export function readTarNumber(block: Bytes, at: number, length: number): number {
  const first = block[at] as number;
  if (first & 0x80) {
    let value = first === 0xff ? -1 : first & 0x7f;
    for (let i = 1; i < length; i++) value = value * 256 + (block[at + i] as number);
    if (!Number.isSafeInteger(value)) throw new Corrupt('a number in a tar header is too large', { layer: 'tar' });
    return value;
  }
  let i = at;
  const end = at + length;
  while (i < end && block[i] === 0x20) i++;
  let value = 0;
  for (; i < end; i++) {
    const digit = (block[i] as number) - ZERO;
    if (digit < 0 || digit > 7) break;
    value = value * 8 + digit;
  }
  if (i < end && block[i] !== 0 && block[i] !== 0x20) throw new Corrupt('a number in a tar header is not octal', { layer: 'tar' });
  return value;
}

/** Whether the checksum of a header is right. */
export function hasTarChecksum(header: Bytes): boolean {
  try {
    return readTarNumber(header, USTAR.chksum, 8) === tarChecksum(header, 0);
  } catch (error) {
    if (error instanceof Corrupt) return false;
    throw error;
  }
}

/** A name of up to 255 bytes as prefix and name, split at a slash; undefined where it cannot be split so that both fit. */
export function splitName(name: Bytes): { readonly name: Bytes; readonly prefix?: Bytes } | undefined {
  if (name.length <= NAME_LENGTH) return { name };
  if (name.length > PREFIX_LENGTH + 1 + NAME_LENGTH) return undefined;
  const first = Math.max(1, name.length - NAME_LENGTH - 1);
  const slash = name.indexOf(SLASH, first);
  if (slash < 0 || slash > PREFIX_LENGTH || slash + 1 >= name.length) return undefined;
  return { name: name.subarray(slash + 1), prefix: name.subarray(0, slash) };
}

/** Bytes of one extended record, `LENGTH KEY=VALUE\n`, in which LENGTH counts itself. */
export function paxRecord(key: Bytes, value: Bytes): Bytes {
  const rest = 1 + key.length + 1 + value.length + 1;
  let length = rest + String(rest).length;
  if (String(length).length !== String(rest).length) length = rest + String(length).length;
  const record = new Uint8Array(length);
  const digits = String(length);
  for (let i = 0; i < digits.length; i++) record[i] = digits.charCodeAt(i);
  let at = digits.length;
  record[at++] = 0x20;
  record.set(key, at);
  at += key.length;
  record[at++] = 0x3d;
  record.set(value, at);
  record[length - 1] = 0x0a;
  return record;
}

/** A time as extended records have it: decimal seconds, exact to the nanosecond. */
export function paxTime(time: Timestamp): string {
  if (time.nanoseconds === 0) return String(time.seconds);
  // Seconds are floored: -1.5 is -2 and 500,000,000.
  const negative = time.seconds < 0;
  const seconds = negative ? -time.seconds - 1 : time.seconds;
  const nanoseconds = negative ? 1_000_000_000 - time.nanoseconds : time.nanoseconds;
  return `${negative ? '-' : ''}${seconds}.${String(nanoseconds).padStart(9, '0').replace(/0+$/, '')}`;
}

/** The time of a decimal text, digits beyond the nanosecond cut off; undefined for text that is none. */
export function parsePaxTime(text: string): Timestamp | undefined {
  const match = /^(-?)(\d{1,15})(?:\.(\d*))?$/.exec(text);
  if (match === null) return undefined;
  const [, sign, whole, fraction = ''] = match;
  const seconds = Number(whole);
  const nanoseconds = Number(fraction.slice(0, 9).padEnd(9, '0'));
  if (sign !== '-') return { seconds, nanoseconds };
  if (nanoseconds === 0) return { seconds: seconds === 0 ? 0 : -seconds, nanoseconds };
  return { seconds: -seconds - 1, nanoseconds: 1_000_000_000 - nanoseconds };
}

/** Bytes up to the next multiple of 512. */
export function tarPadding(length: number): number {
  return (TAR_BLOCK - (length % TAR_BLOCK)) % TAR_BLOCK;
}
