/** Input of a streaming decoder: pieces come in at one end, exact parts go out at the other. */
import type { Bytes } from '../bytes/struct.ts';

export class ByteQueue {
  #bytes: Bytes = new Uint8Array(0);
  #start = 0;
  #end = 0;

  /** Bytes that wait. */
  get length(): number {
    return this.#end - this.#start;
  }

  /** Appends a piece (copied). */
  push(piece: Bytes): void {
    if (this.#end + piece.length > this.#bytes.length) {
      const kept = this.#bytes.subarray(this.#start, this.#end);
      const room = kept.length + piece.length;
      if (room <= this.#bytes.length) this.#bytes.copyWithin(0, this.#start, this.#end);
      else {
        const larger = new Uint8Array(Math.max(65536, 2 * room));
        larger.set(kept);
        this.#bytes = larger;
      }
      this.#start = 0;
      this.#end = kept.length;
    }
    this.#bytes.set(piece, this.#end);
    this.#end += piece.length;
  }

  /** The first `length` bytes without taking them (fewer if fewer wait); valid until the next `push`. */
  peek(length: number): Bytes {
    return this.#bytes.subarray(this.#start, Math.min(this.#end, this.#start + length));
  }

  /** Takes `length` bytes; valid until the next `push`. */
  take(length: number): Bytes {
    const taken = this.peek(length);
    this.#start += taken.length;
    return taken;
  }
}
