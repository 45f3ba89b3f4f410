/**
 * The four ways in which this library refuses to go on. Every error that leaves it is one of these:
 *
 * - {@link Corrupt}: the image breaks the rules of its own format,
 * - {@link Unsupported}: the image is fine, this library cannot do it,
 * - {@link Posix}: the answer a kernel would give (ENOENT, ENOSPC, EIO, ...),
 * - {@link Refused}: a safety rule of ours forbids it.
 */

/** Where in the image an error arose; every field is optional and machine-readable. */
export interface Where {
  /** The room of the code that speaks, such as `qcow2`, `gpt`, `ext4`. */
  readonly layer?: string;
  /** The image file, device or URL, as the caller named it. */
  readonly image?: string;
  /** Byte offset on the device that `layer` reads. */
  readonly offset?: number;
  /** Inode number of the file system concerned. */
  readonly inode?: number;
  /** Guest path, lossily decoded for people. */
  readonly path?: string;
}

/** A problem that did not stop the work but that the user should know of. */
export interface Warning {
  readonly message: string;
  /** Byte offset on the device of the room that warns. */
  readonly offset?: number;
  readonly inode?: number;
}

export type ErrorFamily = 'corrupt' | 'unsupported' | 'posix' | 'refused';

/** The common base: `code` for programs, `message` for people, `where` for both. */
export abstract class GuestlessError extends Error {
  abstract readonly family: ErrorFamily;
  readonly code: string;
  readonly where: Where;

  constructor(code: string, message: string, where: Where = {}, options?: { readonly cause?: unknown }) {
    super(describe(message, where), options);
    this.name = new.target.name;
    this.code = code;
    this.where = where;
  }
}

/** The image contradicts its format: a bad checksum, an impossible length, a loop. */
export class Corrupt extends GuestlessError {
  readonly family = 'corrupt' as const;
  constructor(message: string, where: Where = {}, options?: { readonly cause?: unknown }) {
    super('CORRUPT', message, where, options);
  }
}

/** A valid thing that this library does not do; `feature` is its name in the format's own terms. */
export class Unsupported extends GuestlessError {
  readonly family = 'unsupported' as const;
  readonly feature: string;
  constructor(feature: string, message: string = `${feature} is not supported`, where: Where = {}) {
    super('UNSUPPORTED', message, where);
    this.feature = feature;
  }
}

/** Refused by a safety rule of this library, or used in a way it cannot be used. */
export class Refused extends GuestlessError {
  readonly family = 'refused' as const;
  constructor(message: string, where: Where = {}, options?: { readonly cause?: unknown }) {
    super('REFUSED', message, where, options);
  }
}

/** Messages of errno(3) for the codes that this library produces. */
const STRERROR = {
  E2BIG: 'Argument list too long',
  EACCES: 'Permission denied',
  EBADF: 'Bad file descriptor',
  EBUSY: 'Device or resource busy',
  EEXIST: 'File exists',
  EFBIG: 'File too large',
  EINTR: 'Interrupted system call',
  EINVAL: 'Invalid argument',
  EIO: 'Input/output error',
  EISDIR: 'Is a directory',
  ELOOP: 'Too many levels of symbolic links',
  EMFILE: 'Too many open files',
  EMLINK: 'Too many links',
  ENAMETOOLONG: 'File name too long',
  ENODATA: 'No data available',
  ENODEV: 'No such device',
  ENOENT: 'No such file or directory',
  ENOKEY: 'Required key not available',
  ENOSPC: 'No space left on device',
  ENOTDIR: 'Not a directory',
  ENOTEMPTY: 'Directory not empty',
  ENXIO: 'No such device or address',
  EOPNOTSUPP: 'Operation not supported',
  EOVERFLOW: 'Value too large for defined data type',
  EPERM: 'Operation not permitted',
  EPIPE: 'Broken pipe',
  ERANGE: 'Numerical result out of range',
  EROFS: 'Read-only file system',
  ETXTBSY: 'Text file busy',
  EXDEV: 'Invalid cross-device link',
} as const;

export type Errno = keyof typeof STRERROR;

/** The text of strerror(3) for an errno name, without the name. */
export function strerror(code: Errno): string {
  return STRERROR[code];
}

/** Whether a string is an errno name known here. */
export function isErrno(code: string): code is Errno {
  return Object.hasOwn(STRERROR, code);
}

/** What a kernel would answer; `code` is the errno name. */
export class Posix extends GuestlessError {
  readonly family = 'posix' as const;
  declare readonly code: Errno;
  constructor(code: Errno, where: Where = {}, message: string = strerror(code), options?: { readonly cause?: unknown }) {
    super(code, message, where, options);
  }
}

function describe(message: string, where: Where): string {
  const parts: string[] = [];
  if (where.image !== undefined) parts.push(where.image);
  if (where.path !== undefined) parts.push(where.path);
  if (where.layer !== undefined) parts.push(where.layer);
  const prefix = parts.length > 0 ? `${parts.join(': ')}: ` : '';
  const details: string[] = [];
  if (where.inode !== undefined) details.push(`inode ${where.inode}`);
  if (where.offset !== undefined) details.push(`at byte ${where.offset}`);
  const suffix = details.length > 0 ? ` (${details.join(', ')})` : '';
  return `${prefix}${message}${suffix}`;
}
