/** A source from its beginning to its end. */
import type { Bytes } from '../bytes/struct.ts';
import type { Io } from './effect.ts';
import { type ByteSource, readExactly } from './source.ts';

/** Gives the next piece of a stream; undefined at its end. A piece may be overwritten by the next: keep nothing of it. */
export type Pull = () => Io<Bytes | undefined>;

/**
 * Reads a source from its beginning, piece by piece, into the same memory. Reading the next one in another thread meanwhile was slower: the system
 * reads files ahead itself, and each change between threads costs as much as copying a tenth of a megabyte.
 */
export class Pieces {
  readonly #source: ByteSource;
  readonly #length: number;
  #buffer: Bytes | undefined;
  #offset = 0;

  /** Pieces of `length` bytes; the last one may be shorter. */
  constructor(source: ByteSource, length: number) {
    this.#source = source;
    this.#length = length;
  }

  /** The next piece; undefined at the end. It is a view: use it before the next call. Throws Posix EIO for a source that became shorter. */
  *next(): Io<Bytes | undefined> {
    const length = Math.min(this.#length, this.#source.size - this.#offset);
    if (length <= 0) return undefined;
    const buffer = (this.#buffer ??= new Uint8Array(length));
    const piece = length === buffer.length ? buffer : buffer.subarray(0, length);
    yield* readExactly(this.#source, this.#offset, piece);
    this.#offset += length;
    return piece;
  }
}
