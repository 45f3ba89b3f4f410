/** A source from its beginning to its end, the next piece read ahead. */
import type { Bytes } from '../bytes/struct.ts';
import { type Io, NeedsAsync, perform } from './effect.ts';
import { type ByteSource, readExactly } from './source.ts';

/**
 * Reads a source from its beginning, piece by piece. Where it can be read in the background, and the driver waits, the next piece is read while
 * this one is used.
 */
export class Pieces {
  readonly #source: ByteSource;
  readonly #length: number;
  readonly #buffers: [Bytes | undefined, Bytes | undefined] = [undefined, undefined];
  #offset = 0;
  #count = 0;
  #next: Promise<number> | undefined;

  /** Pieces of `length` bytes; the last one may be shorter. */
  constructor(source: ByteSource, length: number) {
    this.#source = source;
    this.#length = length;
  }

  /** The next piece; undefined at the end. It is a view: use it before the next call. Throws Posix EIO for a source that became shorter. */
  *next(): Io<Bytes | undefined> {
    const piece = this.#target(0);
    if (piece === undefined) return undefined;
    const source = this.#source;
    let got: number;
    if (this.#next !== undefined || source.readInBackground !== undefined) {
      got = yield* perform({ sync: () => this.#readSync(piece), async: () => this.#readAhead(piece) });
    } else got = 0;
    if (got < piece.length) yield* readExactly(source, this.#offset + got, got === 0 ? piece : piece.subarray(got));
    this.#offset += piece.length;
    this.#count++;
    return piece;
  }

  /** The place of a piece: the next one for `ahead` 0, the one behind that for 1. */
  #target(ahead: 0 | 1): Bytes | undefined {
    const length = Math.min(this.#length, this.#source.size - this.#offset - ahead * this.#length);
    if (length <= 0) return undefined;
    const k = (this.#count + ahead) & 1;
    const buffer = (this.#buffers[k] ??= new Uint8Array(length));
    return length === buffer.length ? buffer : buffer.subarray(0, length);
  }

  #readSync(piece: Bytes): number {
    // What is under way goes into memory that must not be touched meanwhile.
    if (this.#next !== undefined) throw new NeedsAsync(`${this.#source.name} is being read; use the async form of this call`);
    return this.#source.readSync?.(this.#offset, piece) ?? 0;
  }

  async #readAhead(piece: Bytes): Promise<number> {
    const source = this.#source;
    const now = this.#next ?? source.readInBackground?.(this.#offset, piece);
    this.#next = undefined;
    const got = (await now) ?? 0;
    const behind = this.#target(1);
    this.#next = behind === undefined ? undefined : source.readInBackground?.(this.#offset + this.#length, behind);
    // Its error is that of the next call.
    this.#next?.catch(() => undefined);
    return got;
  }
}
