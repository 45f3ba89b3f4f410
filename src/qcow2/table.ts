/** A table of the file in memory, with what of it has to be written back. */
import type { Bytes } from '../bytes/struct.ts';
import { viewOf } from '../bytes/struct.ts';
import { type Io, perform } from '../io/effect.ts';
import { type WritableSource, Write } from '../io/source.ts';
import { SECTOR } from './format.ts';

export class Table {
  /** Where it stands, or will stand, in the file. */
  offset: number;
  /** Nothing in the file refers to it yet: it may be written at any time. */
  fresh: boolean;
  readonly bytes: Bytes;
  readonly view: DataView;
  #from: number = Number.MAX_SAFE_INTEGER;
  #to = 0;

  constructor(offset: number, bytes: Bytes, fresh = false) {
    this.offset = offset;
    this.bytes = bytes;
    this.view = viewOf(bytes);
    this.fresh = fresh;
    if (fresh) this.markAll();
  }

  get dirty(): boolean {
    return this.#to > this.#from;
  }

  /** Says that bytes were changed. */
  mark(at: number, length: number): void {
    this.#from = Math.min(this.#from, at);
    this.#to = Math.max(this.#to, at + length);
  }

  markAll(): void {
    this.mark(0, this.bytes.length);
  }

  /** The entry of 64 bits at byte `at` as a number; its flags must be known to be clear. */
  number(at: number): number {
    return this.view.getUint32(at) * 2 ** 32 + this.view.getUint32(at + 4);
  }

  /** Sets an entry of 64 bits from its halves. */
  set(at: number, high: number, low: number): void {
    this.view.setUint32(at, high);
    this.view.setUint32(at + 4, low);
    this.mark(at, 8);
  }

  /** Writes the sectors that changed. */
  *write(target: WritableSource): Io<void> {
    if (!this.dirty) return;
    const from = this.#from - (this.#from % SECTOR);
    const to = Math.min(this.bytes.length, Math.ceil(this.#to / SECTOR) * SECTOR);
    yield* perform(new Write(target, this.offset + from, this.bytes.subarray(from, to)));
    this.#from = Number.MAX_SAFE_INTEGER;
    this.#to = 0;
  }
}
