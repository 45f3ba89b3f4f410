/** A standard stream of a program. */
import { Fd, wasi } from '@bjorn3/browser_wasi_shim';
import type { Bytes } from '../bytes/struct.ts';
import { guard } from './errno.ts';
import { fdstat } from './stat.ts';

/** What one call reads at most. */
const READ_MAX: number = 1 << 20;
const NOTHING: Bytes = new Uint8Array(0);

/** What stands behind a stream; errors are thrown as Posix. */
export interface StreamEnd {
  /** Up to `size` bytes; none at the end. Without it there is nothing to read. */
  read?(size: number): Bytes;
  /** Without it, what is written is lost. The bytes are good until it returns. */
  write?(data: Bytes): void;
}

/** A character device without a terminal's ways. */
export class StandardStream extends Fd {
  readonly #number: number;
  readonly #end: StreamEnd;

  /** `number` is that of the descriptor: 0, 1 or 2. */
  constructor(number: number, end: StreamEnd) {
    super();
    this.#number = number;
    this.#end = end;
  }

  override fd_fdstat_get(): { ret: number; fdstat: wasi.Fdstat } {
    return { ret: wasi.ERRNO_SUCCESS, fdstat: fdstat(wasi.FILETYPE_CHARACTER_DEVICE, 0) };
  }

  override fd_filestat_get(): { ret: number; filestat: wasi.Filestat } {
    return { ret: wasi.ERRNO_SUCCESS, filestat: new wasi.Filestat(BigInt(this.#number), wasi.FILETYPE_CHARACTER_DEVICE, 0n) };
  }

  override fd_read(size: number): { ret: number; data: Bytes } {
    return guard(() => ({ ret: 0, data: this.#end.read?.(Math.min(size, READ_MAX)) ?? NOTHING }), { data: NOTHING });
  }

  override fd_write(data: Bytes): { ret: number; nwritten: number } {
    return guard(
      () => {
        this.#end.write?.(data);
        return { ret: 0, nwritten: data.length };
      },
      { nwritten: 0 },
    );
  }
}
