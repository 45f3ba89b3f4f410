/** A file under construction in memory, for browsers that have no other place. */
import type { Bytes } from '../../bytes/struct.ts';
import { Posix } from '../../errors.ts';
import type { WritableSource } from '../../io/source.ts';

const PIECE: number = 1 << 20;

/** Bytes in pieces of 1 MiB, those that were never written taking none; at most `limit` bytes of them. */
export class PiecesSource implements WritableSource {
  readonly name: string;
  readonly preferredRequest: number = 65_536;
  readonly #limit: number;
  readonly #pieces = new Map<number, Uint8Array<ArrayBuffer>>();
  #size = 0;

  constructor(limit: number, name = 'memory') {
    this.#limit = limit;
    this.name = name;
  }

  get size(): number {
    return this.#size;
  }

  readSync(offset: number, target: Bytes): number {
    const length = Math.max(0, Math.min(target.length, this.#size - offset));
    this.#each(offset, length, (index, within, done, part) => {
      const piece = this.#pieces.get(index);
      if (piece === undefined) target.fill(0, done, done + part);
      else target.set(piece.subarray(within, within + part), done);
    });
    return length;
  }

  /** Throws Posix ENOSPC. */
  writeSync(offset: number, bytes: Bytes): void {
    this.#each(offset, bytes.length, (index, within, done, part) => {
      let piece = this.#pieces.get(index);
      if (piece === undefined) {
        if ((this.#pieces.size + 1) * PIECE > this.#limit) {
          throw new Posix('ENOSPC', { image: this.name, offset }, `more than ${this.#limit} bytes are not kept in memory`);
        }
        piece = new Uint8Array(PIECE);
        this.#pieces.set(index, piece);
      }
      piece.set(bytes.subarray(done, done + part), within);
    });
    this.#size = Math.max(this.#size, offset + bytes.length);
  }

  truncateSync(size: number): void {
    for (const [index, piece] of this.#pieces) {
      if (index * PIECE >= size) this.#pieces.delete(index);
      else if ((index + 1) * PIECE > size) piece.fill(0, size - index * PIECE);
    }
    this.#size = size;
  }

  /** All of it as a Blob. */
  toBlob(): Blob {
    const parts: Uint8Array<ArrayBuffer>[] = [];
    const zeros = new Uint8Array(PIECE);
    for (let at = 0; at < this.#size; at += PIECE) {
      const piece = this.#pieces.get(at / PIECE) ?? zeros;
      parts.push(this.#size - at < PIECE ? piece.subarray(0, this.#size - at) : piece);
    }
    return new Blob(parts);
  }

  #each(offset: number, length: number, visit: (index: number, within: number, done: number, part: number) => void): void {
    for (let done = 0; done < length; ) {
      const at = offset + done;
      const index = Math.floor(at / PIECE);
      const within = at - index * PIECE;
      const part = Math.min(PIECE - within, length - done);
      visit(index, within, done, part);
      done += part;
    }
  }
}
