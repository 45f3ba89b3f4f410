/** How attributes of files are shown. */
import { decodeName } from '../bytes/text.ts';
import type { FileKind, Stat, Timestamp } from '../filesystem/filesystem.ts';

/** The letter of a kind, as ls(1) and virt-ls write it. */
export const KIND_LETTER: Readonly<Record<FileKind, string>> = {
  file: '-',
  directory: 'd',
  symlink: 'l',
  character: 'c',
  block: 'b',
  fifo: 'p',
  socket: 's',
};

/** `rwxr-sr-t` of the permission bits, as ls -l shows them. */
export function permissions(mode: number): string {
  const triple = (bits: number, special: boolean, letter: string): string => {
    const execute = (bits & 1) !== 0;
    const last = special ? (execute ? letter : letter.toUpperCase()) : execute ? 'x' : '-';
    return `${(bits & 4) !== 0 ? 'r' : '-'}${(bits & 2) !== 0 ? 'w' : '-'}${last}`;
  };
  return (
    triple((mode >> 6) & 7, (mode & 0o4000) !== 0, 's') +
    triple((mode >> 3) & 7, (mode & 0o2000) !== 0, 's') +
    triple(mode & 7, (mode & 0o1000) !== 0, 't')
  );
}

/** Permission bits in octal, at least four digits. */
export function octal(mode: number): string {
  return (mode & 0o7777).toString(8).padStart(4, '0');
}

/** `2024-01-02 03:04:05` in UTC; the number of seconds where the calendar ends. */
export function dateTime({ seconds }: Timestamp): string {
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime())) return String(seconds);
  return date
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/, '');
}

/** `2024-01-02T03:04:05.123456789Z`. */
export function isoTime(time: Timestamp): string {
  return `${dateTime(time).replace(' ', 'T')}.${String(time.nanoseconds).padStart(9, '0')}Z`;
}

const UNITS = ['', 'K', 'M', 'G', 'T', 'P', 'E'] as const;

/** A number of bytes with a unit, rounded up as df -h does: 512, 1.5K, 20M. */
export function humanSize(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  if (unit === 0) return String(bytes);
  const tenths = Math.ceil(value * 10) / 10;
  if (tenths < 10) return `${tenths.toFixed(1)}${UNITS[unit]}`;
  const whole = Math.ceil(value);
  return whole === 1024 && unit < UNITS.length - 1 ? `1.0${UNITS[unit + 1]}` : `${whole}${UNITS[unit]}`;
}

/** What programs get of a file. */
export function statRecord(path: Uint8Array, stat: Stat, target?: Uint8Array): Record<string, unknown> {
  return {
    path: decodeName(path),
    type: stat.kind,
    mode: octal(stat.mode),
    size: stat.size,
    links: stat.links,
    uid: stat.uid,
    gid: stat.gid,
    inode: stat.node,
    blocks: stat.blocks,
    blockSize: stat.blockSize,
    ...(stat.device === undefined ? {} : { device: stat.device }),
    atime: isoTime(stat.atime),
    mtime: isoTime(stat.mtime),
    ctime: isoTime(stat.ctime),
    ...(stat.btime === undefined ? {} : { btime: isoTime(stat.btime) }),
    flags: stat.flags,
    ...(target === undefined ? {} : { target: decodeName(target) }),
  };
}
