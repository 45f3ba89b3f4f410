/** Bytes that have arrived and were not received yet, in one piece of memory that is used again. */
import type { Bytes } from '../bytes/struct.ts';

export class Inbox {
  #bytes: Bytes;
  #start = 0;
  #end = 0;

  /** `capacity`: bytes that it holds before it grows. */
  constructor(capacity: number) {
    this.#bytes = new Uint8Array(capacity);
  }

  get length(): number {
    return this.#end - this.#start;
  }

  /** Copies what arrived. */
  append(bytes: Bytes): void {
    if (this.#end + bytes.length > this.#bytes.length) this.#makeRoom(bytes.length);
    this.#bytes.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  /** The oldest word, if it is complete. */
  peekWord(): number | undefined {
    return this.length < 4 ? undefined : new DataView(this.#bytes.buffer).getUint32(this.#start);
  }

  /** The oldest bytes, of which there must be so many; a view that is good until the next append. */
  take(length: number): Bytes {
    const bytes = this.#bytes.subarray(this.#start, this.#start + length);
    this.#start += length;
    return bytes;
  }

  #makeRoom(more: number): void {
    const { length } = this;
    const needed = length + more;
    if (needed > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
      larger.set(this.#bytes.subarray(this.#start, this.#end));
      this.#bytes = larger;
    } else this.#bytes.copyWithin(0, this.#start, this.#end);
    this.#start = 0;
    this.#end = length;
  }
}
