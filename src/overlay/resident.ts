/** A slot of the overlay's store while it is in memory, as a whole or in part. */
import type { Bytes } from '../bytes/struct.ts';
import type { Io } from '../io/effect.ts';
import type { Rest } from './rest.ts';

/**
 * Memory is right about `[from, to)`, and `rest` about what lies around that. So a cluster that is written piece by piece, in order, is
 * never read from where it came.
 */
export class Resident {
  readonly bytes: Bytes;
  /** Written in part since it was last looked at as one to move: what changes often stays. */
  used = true;
  /** Written since it was last given to the file. */
  changed = true;
  /** On its way to the file: the bytes belong to that as well. */
  moving = false;
  /** Its slot was given back meanwhile. */
  freed = false;
  #rest: Rest | undefined;
  #from: number;
  #to: number;

  /** Nothing of it is in memory yet but what is {@link put} first, at `within`. */
  constructor(bytes: Bytes, within: number, rest: Rest | undefined) {
    this.bytes = bytes;
    this.#rest = rest;
    this.#from = this.#to = within;
  }

  /** What memory does not hold; undefined: it holds all. */
  get rest(): Rest | undefined {
    return this.#rest;
  }

  /** The part that memory holds. */
  get known(): { readonly from: number; readonly to: number } {
    return { from: this.#from, to: this.#to };
  }

  /** Whether {@link put} would succeed. */
  takes(within: number, length: number): boolean {
    return this.#rest === undefined || (within <= this.#to && within + length >= this.#from);
  }

  /** Writes into it; false, and nothing was done, where a gap would be left between this and what is known. */
  put(within: number, bytes: Bytes): boolean {
    const end = within + bytes.length;
    if (this.#rest !== undefined) {
      if (within > this.#to || end < this.#from) return false;
      if (within < this.#from) this.#from = within;
      if (end > this.#to) this.#to = end;
      if (this.#from === 0 && this.#to >= this.#rest.end) this.#rest = undefined;
    }
    this.changed = true;
    this.bytes.set(bytes, within);
    return true;
  }

  /** Fills `target` from byte `within` on. */
  *read(within: number, target: Bytes): Io<void> {
    const end = within + target.length;
    if (this.#rest !== undefined && (within < this.#from || end > this.#to)) yield* this.#rest.read(within, target);
    // It may have grown while that was waited for.
    const from = this.#rest === undefined ? within : Math.max(within, this.#from);
    const to = this.#rest === undefined ? end : Math.min(end, this.#to);
    if (from < to) target.set(this.bytes.subarray(from, to), from - within);
  }

  /** Reads what memory does not hold. Nobody may write into it meanwhile. */
  *complete(): Io<void> {
    const rest = this.#rest;
    if (rest === undefined) return;
    if (this.#from > 0) yield* rest.read(0, this.bytes.subarray(0, this.#from));
    if (this.#to < rest.end) yield* rest.read(this.#to, this.bytes.subarray(this.#to, rest.end));
    this.#rest = undefined;
  }
}
