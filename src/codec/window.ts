/** The output side of a dictionary decoder: what was produced last, to copy matches from, and chunks to hand over. */
import type { Bytes } from '../bytes/struct.ts';

/** How much is produced before it is handed over. */
const CHUNK: number = 1 << 18;
/** Large windows are moved only after this much. */
const MOVE: number = 16 << 20;

/**
 * A buffer that holds the last `size` bytes and room for what is produced next. Decoders write at `end` through `bytes` directly
 * (after `reserve`), then call `take` for what is new.
 */
export class OutputWindow {
  readonly size: number;
  bytes: Bytes;
  /** Where the next byte goes. */
  end = 0;
  #taken = 0;

  constructor(size: number) {
    this.size = size;
    this.bytes = new Uint8Array(Math.min(size, CHUNK) + CHUNK);
  }

  /** Bytes before `end` that a match may reach. */
  get reach(): number {
    return Math.min(this.end, this.size);
  }

  /** Makes room for `length` more bytes; everything produced so far must have been taken. */
  reserve(length: number): void {
    if (this.end + length <= this.bytes.length) return;
    const keep = this.reach;
    const full = this.size + Math.max(length, CHUNK, Math.min(this.size, MOVE));
    if (keep + length > this.bytes.length || (2 * keep > this.bytes.length && this.bytes.length < full)) {
      const larger = new Uint8Array(Math.max(keep + length, Math.min(full, 4 * this.bytes.length)));
      larger.set(this.bytes.subarray(this.end - keep, this.end));
      this.bytes = larger;
    } else {
      this.bytes.copyWithin(0, this.end - keep, this.end);
    }
    this.end = keep;
    this.#taken = keep;
  }

  /** What was produced since the last call; valid until the next `reserve`. */
  take(): Bytes {
    const chunk = this.bytes.subarray(this.#taken, this.end);
    this.#taken = this.end;
    return chunk;
  }
}
