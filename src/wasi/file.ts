/** An open regular file of the guest. */
import { Fd, wasi } from '@bjorn3/browser_wasi_shim';
import type { Bytes } from '../bytes/struct.ts';
import { Posix } from '../errors.ts';
import type { Stat } from '../filesystem/filesystem.ts';
import { runSync } from '../io/drivers.ts';
import { guard, guardNumber } from './errno.ts';
import type { OpenNode, WasiGuest } from './guest.ts';
import { fdstat, fileType, GuestFilestat } from './stat.ts';
import { times } from './times.ts';

const NOTHING: Bytes = new Uint8Array(0);
/** The most that one call reads; a program that asks for more asks again. */
const READ_MAX = 16 << 20;

export class GuestFile extends Fd {
  readonly #guest: WasiGuest;
  readonly #open: OpenNode;
  readonly #mayRead: boolean;
  readonly #mayWrite: boolean;
  #flags: number;
  #position = 0;

  constructor(guest: WasiGuest, open: OpenNode, rights: { readonly read: boolean; readonly write: boolean }, flags: number) {
    super();
    this.#guest = guest;
    this.#open = open;
    this.#mayRead = rights.read;
    this.#mayWrite = rights.write;
    this.#flags = flags;
  }

  #stat(): Stat {
    return runSync(this.#open.mount.fileSystem.stat(this.#open.node));
  }

  #read(offset: number, size: number): Bytes {
    if (!this.#mayRead) throw new Posix('EBADF');
    const target = new Uint8Array(Math.min(size, READ_MAX, Math.max(0, this.#stat().size - offset)));
    return target.subarray(0, target.length === 0 ? 0 : runSync(this.#open.mount.fileSystem.read(this.#open.node, offset, target)));
  }

  #write(offset: number, data: Bytes): void {
    if (!this.#mayWrite) throw new Posix('EBADF');
    if (data.length > 0) runSync(this.#guest.writable(this.#open).write(this.#open.node, offset, data));
  }

  override fd_fdstat_get(): { ret: number; fdstat: wasi.Fdstat } {
    return { ret: wasi.ERRNO_SUCCESS, fdstat: fdstat(fileType('file'), this.#flags) };
  }

  override fd_fdstat_set_flags(flags: number): number {
    this.#flags = flags;
    return wasi.ERRNO_SUCCESS;
  }

  override fd_filestat_get(): { ret: number; filestat: wasi.Filestat | null } {
    return guard<{ ret: number; filestat: wasi.Filestat | null }>(
      () => ({ ret: 0, filestat: new GuestFilestat(this.#stat(), this.#guest.device(this.#open.mount)) }),
      { filestat: null },
    );
  }

  override fd_filestat_set_size(size: bigint): number {
    return guardNumber(() => {
      if (!this.#mayWrite) throw new Posix('EINVAL');
      runSync(this.#guest.writable(this.#open).truncate(this.#open.node, length(size)));
    });
  }

  override fd_filestat_set_times(atim: bigint, mtim: bigint, flags: number): number {
    return guardNumber(() => {
      const { atime, mtime } = times(atim, mtim, flags, this.#guest.now());
      runSync(
        this.#guest.writable(this.#open).setAttributes(this.#open.node, {
          ...(atime === undefined ? {} : { atime }),
          ...(mtime === undefined ? {} : { mtime }),
        }),
      );
    });
  }

  override fd_allocate(offset: bigint, size: bigint): number {
    return guardNumber(() => {
      if (!this.#mayWrite) throw new Posix('EBADF');
      const end = length(offset) + length(size);
      if (end > this.#stat().size) runSync(this.#guest.writable(this.#open).truncate(this.#open.node, end));
    });
  }

  override fd_read(size: number): { ret: number; data: Bytes } {
    return guard(
      () => {
        const data = this.#read(this.#position, size);
        this.#position += data.length;
        return { ret: 0, data };
      },
      { data: NOTHING },
    );
  }

  override fd_pread(size: number, offset: bigint): { ret: number; data: Bytes } {
    return guard(() => ({ ret: 0, data: this.#read(length(offset), size) }), { data: NOTHING });
  }

  override fd_write(data: Bytes): { ret: number; nwritten: number } {
    return guard(
      () => {
        if ((this.#flags & wasi.FDFLAGS_APPEND) !== 0) this.#position = this.#stat().size;
        this.#write(this.#position, data);
        this.#position += data.length;
        return { ret: 0, nwritten: data.length };
      },
      { nwritten: 0 },
    );
  }

  override fd_pwrite(data: Bytes, offset: bigint): { ret: number; nwritten: number } {
    return guard(
      () => {
        this.#write(length(offset), data);
        return { ret: 0, nwritten: data.length };
      },
      { nwritten: 0 },
    );
  }

  override fd_seek(offset: bigint, whence: number): { ret: number; offset: bigint } {
    return guard(
      () => {
        const from = whence === wasi.WHENCE_SET ? 0 : whence === wasi.WHENCE_CUR ? this.#position : this.#stat().size;
        const position = BigInt(from) + offset;
        if (whence > wasi.WHENCE_END) throw new Posix('EINVAL');
        this.#position = length(position);
        return { ret: 0, offset: position };
      },
      { offset: 0n },
    );
  }

  override fd_tell(): { ret: number; offset: bigint } {
    return { ret: wasi.ERRNO_SUCCESS, offset: BigInt(this.#position) };
  }

  override fd_sync(): number {
    return wasi.ERRNO_SUCCESS;
  }

  override fd_close(): number {
    return guardNumber(() => this.#guest.close(this.#open));
  }
}

/** An offset or length of 64 bits as a number. Throws EINVAL below zero, EFBIG beyond 2^53. */
function length(value: bigint): number {
  if (value < 0n) throw new Posix('EINVAL');
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new Posix('EFBIG');
  return Number(value);
}
