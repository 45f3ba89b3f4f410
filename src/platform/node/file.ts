/** Files of the host as byte sources: positional and synchronous. */
import * as fs from 'node:fs';
import type { Bytes } from '../../bytes/struct.ts';
import { encodeName } from '../../bytes/text.ts';
import { type Errno, GuestlessError, isErrno, Posix, Refused, strerror } from '../../errors.ts';
import type { WritableSource } from '../../io/source.ts';

/** Small requests cost a file little: one system call of a few microseconds. */
const FILE_REQUEST = 16_384;

/** A file name of the host in the form that node:fs takes without loss: bytes that are no UTF-8 are lone surrogates in our names. */
export function hostPath(name: string): string | Buffer {
  return /[\udc80-\udcff]/u.test(name) ? Buffer.from(encodeName(name)) : name;
}

/** Turns an error of node:fs into ours; anything else passes through. */
export function posixError(error: unknown, name: string, offset?: number): unknown {
  if (error instanceof GuestlessError) return error;
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  if (code === undefined || typeof code !== 'string') return error;
  const known: Errno = isErrno(code) ? code : 'EIO';
  const message = isErrno(code) ? strerror(code) : `${strerror('EIO')} (${code})`;
  return new Posix(known, offset === undefined ? { image: name } : { image: name, offset }, message, { cause: error });
}

/** A regular file or block device of the host. Opened read-only unless asked otherwise. */
export class FileSource implements WritableSource {
  readonly name: string;
  readonly identity: string;
  readonly preferredRequest: number = FILE_REQUEST;
  readonly allocated: number;
  readonly writable: boolean;
  #size: number;
  #descriptor: number | undefined;
  /** What is under way in other threads, and whether the file is to be closed after it: a descriptor's number is soon used again. */
  #background = 0;
  #closing = false;

  private constructor(name: string, descriptor: number, writable: boolean) {
    const stat = fs.fstatSync(descriptor);
    this.name = name;
    this.writable = writable;
    this.identity = `file:${stat.dev}:${stat.ino}`;
    this.allocated = stat.blocks * 512;
    this.#size = stat.isBlockDevice() ? blockDeviceSize(descriptor) : stat.size;
    this.#descriptor = descriptor;
  }

  /**
   * Opens a file, which is called `options.name` in messages where that is given. Throws Posix (ENOENT, EACCES, EISDIR, ...), and Refused for
   * what is no file of bytes, such as a FIFO.
   */
  static open(name: string, options: { readonly writable?: boolean; readonly name?: string } = {}): FileSource {
    const writable = options.writable ?? false;
    let descriptor: number;
    try {
      // O_NONBLOCK: opening a FIFO must not wait for a writer.
      descriptor = fs.openSync(hostPath(name), (writable ? fs.constants.O_RDWR : fs.constants.O_RDONLY) | fs.constants.O_NONBLOCK);
    } catch (error) {
      throw posixError(error, name);
    }
    const stat = fs.fstatSync(descriptor);
    if (!stat.isFile() && !stat.isBlockDevice()) {
      fs.closeSync(descriptor);
      if (stat.isDirectory()) throw new Posix('EISDIR', { image: name });
      throw new Refused('not a regular file or block device', { image: name });
    }
    return new FileSource(options.name ?? name, descriptor, writable);
  }

  /** Takes over a descriptor that was opened elsewhere; `name` is for messages. */
  static adopt(name: string, descriptor: number, writable: boolean): FileSource {
    return new FileSource(name, descriptor, writable);
  }

  get size(): number {
    return this.#size;
  }

  get descriptor(): number {
    if (this.#descriptor === undefined || this.#closing) throw new Refused('the file is closed', { image: this.name });
    return this.#descriptor;
  }

  readSync(offset: number, target: Bytes): number {
    try {
      return fs.readSync(this.descriptor, target, 0, target.length, offset);
    } catch (error) {
      throw posixError(error, this.name, offset);
    }
  }

  writeSync(offset: number, bytes: Bytes): void {
    try {
      for (let done = 0; done < bytes.length; ) done += fs.writeSync(this.descriptor, bytes, done, bytes.length - done, offset + done);
    } catch (error) {
      throw posixError(error, this.name, offset);
    }
    this.#size = Math.max(this.#size, offset + bytes.length);
  }

  writePiecesSync(offset: number, pieces: readonly Bytes[]): void {
    const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
    try {
      const done = fs.writevSync(this.descriptor, pieces, offset);
      if (done < length) this.#writeRest(offset, pieces, done);
    } catch (error) {
      throw posixError(error, this.name, offset);
    }
    this.#size = Math.max(this.#size, offset + length);
  }

  /** What a short write left. */
  #writeRest(offset: number, pieces: readonly Bytes[], done: number): void {
    let start = 0;
    for (const piece of pieces) {
      const end = start + piece.length;
      if (end > done) this.writeSync(offset + Math.max(start, done), piece.subarray(Math.max(0, done - start)));
      start = end;
    }
  }

  truncateSync(size: number): void {
    try {
      fs.ftruncateSync(this.descriptor, size);
    } catch (error) {
      throw posixError(error, this.name, size);
    }
    this.#size = size;
  }

  flushSync(): void {
    try {
      fs.fdatasyncSync(this.descriptor);
    } catch (error) {
      throw posixError(error, this.name);
    }
  }

  /**
   * Begins to make durable what was written so far. An error is told here, and perhaps by no later flush: the system tells each error once
   * for a descriptor.
   */
  flushInBackground(): Promise<void> {
    const { descriptor } = this;
    this.#background++;
    return new Promise((resolve, reject) => {
      fs.fdatasync(descriptor, (error) => {
        this.#background--;
        if (this.#closing) this.close();
        if (error === null) resolve();
        else reject(posixError(error, this.name));
      });
    });
  }

  close(): void {
    this.#closing = true;
    if (this.#background > 0) return;
    if (this.#descriptor !== undefined) fs.closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }
}

/** A block device's stat has no size: the last readable byte is searched, as node has no seek to the end. */
function blockDeviceSize(descriptor: number): number {
  const probe = new Uint8Array(1);
  const readable = (offset: number): boolean => {
    try {
      return fs.readSync(descriptor, probe, 0, 1, offset) === 1;
    } catch {
      return false;
    }
  };
  if (!readable(0)) return 0;
  let low = 0;
  let high = 512;
  while (readable(high) && high < 2 ** 52) [low, high] = [high, high * 2];
  while (high - low > 1) {
    const middle = low + Math.floor((high - low) / 2);
    if (readable(middle)) low = middle;
    else high = middle;
  }
  return low + 1;
}
