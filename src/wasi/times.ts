/** The times that a call of WASI sets. */
import { wasi } from '@bjorn3/browser_wasi_shim';
import { Posix } from '../errors.ts';
import type { Timestamp } from '../filesystem/filesystem.ts';
import { timestamp } from './stat.ts';

/** Undefined: the time stays. Throws EINVAL when a time is to be both given and now. */
export function times(
  atim: bigint,
  mtim: bigint,
  flags: number,
  now: Timestamp,
): { atime: Timestamp | undefined; mtime: Timestamp | undefined } {
  const chosen = (given: number, current: number, time: bigint): Timestamp | undefined => {
    if ((flags & given) !== 0 && (flags & current) !== 0) throw new Posix('EINVAL');
    if ((flags & current) !== 0) return now;
    return (flags & given) !== 0 ? timestamp(time) : undefined;
  };
  return {
    atime: chosen(wasi.FSTFLAGS_ATIM, wasi.FSTFLAGS_ATIM_NOW, atim),
    mtime: chosen(wasi.FSTFLAGS_MTIM, wasi.FSTFLAGS_MTIM_NOW, mtim),
  };
}
