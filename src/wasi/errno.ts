/** Errors as WASI preview 1 numbers them. */
import { wasi } from '@bjorn3/browser_wasi_shim';
import { type Errno, GuestlessError, Posix } from '../errors.ts';

const ERRNO: Readonly<Record<Errno, number>> = {
  E2BIG: wasi.ERRNO_2BIG,
  EACCES: wasi.ERRNO_ACCES,
  EBADF: wasi.ERRNO_BADF,
  EBUSY: wasi.ERRNO_BUSY,
  EEXIST: wasi.ERRNO_EXIST,
  EFBIG: wasi.ERRNO_FBIG,
  EINTR: wasi.ERRNO_INTR,
  EINVAL: wasi.ERRNO_INVAL,
  EIO: wasi.ERRNO_IO,
  EISDIR: wasi.ERRNO_ISDIR,
  ELOOP: wasi.ERRNO_LOOP,
  EMFILE: wasi.ERRNO_MFILE,
  EMLINK: wasi.ERRNO_MLINK,
  ENAMETOOLONG: wasi.ERRNO_NAMETOOLONG,
  ENODATA: wasi.ERRNO_NOMSG,
  ENODEV: wasi.ERRNO_NODEV,
  ENOENT: wasi.ERRNO_NOENT,
  ENOKEY: wasi.ERRNO_ACCES,
  ENOSPC: wasi.ERRNO_NOSPC,
  ENOTDIR: wasi.ERRNO_NOTDIR,
  ENOTEMPTY: wasi.ERRNO_NOTEMPTY,
  ENXIO: wasi.ERRNO_NXIO,
  EOPNOTSUPP: wasi.ERRNO_NOTSUP,
  EOVERFLOW: wasi.ERRNO_OVERFLOW,
  EPERM: wasi.ERRNO_PERM,
  EPIPE: wasi.ERRNO_PIPE,
  ERANGE: wasi.ERRNO_RANGE,
  EROFS: wasi.ERRNO_ROFS,
  ETXTBSY: wasi.ERRNO_TXTBSY,
  EXDEV: wasi.ERRNO_XDEV,
};

/** The number of an error of ours. What is no error of ours is a fault of this library, and thrown again. */
export function errnoOf(error: unknown): number {
  if (error instanceof Posix) return ERRNO[error.code];
  if (!(error instanceof GuestlessError)) throw error;
  return { corrupt: wasi.ERRNO_IO, unsupported: wasi.ERRNO_NOTSUP, refused: wasi.ERRNO_PERM, posix: wasi.ERRNO_IO }[error.family];
}

/** Runs a step of a call; its errors are the call's. A call must not throw: that would unwind the program. */
export function guard<T extends { readonly ret: number }>(step: () => T, failed: Omit<T, 'ret'>): T {
  try {
    return step();
  } catch (error) {
    return { ...failed, ret: errnoOf(error) } as unknown as T;
  }
}

/** The same for calls that give a number alone. */
export function guardNumber(step: () => void): number {
  try {
    step();
    return wasi.ERRNO_SUCCESS;
  } catch (error) {
    return errnoOf(error);
  }
}
