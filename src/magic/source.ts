/** What is looked at: a file or device of which any part can be read. */
import { type Bytes, viewOf } from '../bytes/struct.ts';
import type { Io } from '../io/effect.ts';
import type { Pull } from '../io/pieces.ts';

/** Bytes to describe. */
export interface MagicSource {
  /** Length in bytes. */
  readonly size: number;
  /** The bytes from `offset`, fewer than `length` only at the end. */
  read(offset: number, length: number): Io<Bytes>;
}

/** Bytes of one piece of a source. */
const PIECE = 65_536;

/** A source from its beginning to its end. */
export function piecesOf(source: MagicSource): Pull {
  let at = 0;
  return function* () {
    if (at >= source.size) return undefined;
    const piece = yield* source.read(at, Math.min(PIECE, source.size - at));
    at += piece.length;
    return piece.length === 0 ? undefined : piece;
  };
}

/** The beginning of what is looked at, with reads that never fail: beyond the end stand zeros. */
export class Head {
  readonly bytes: Bytes;
  /** Length of all that is looked at. */
  readonly size: number;
  readonly #view: DataView;
  #latin1: string | undefined;

  constructor(bytes: Bytes, size: number) {
    this.bytes = bytes;
    this.size = size;
    this.#view = viewOf(bytes);
  }

  has(offset: number, length: number): boolean {
    return offset >= 0 && offset + length <= this.bytes.length;
  }

  u8(offset: number): number {
    return this.has(offset, 1) ? this.#view.getUint8(offset) : 0;
  }

  u16(offset: number, little = true): number {
    return this.has(offset, 2) ? this.#view.getUint16(offset, little) : 0;
  }

  u32(offset: number, little = true): number {
    return this.has(offset, 4) ? this.#view.getUint32(offset, little) : 0;
  }

  /** A number of 64 bits as near as a double comes. */
  u64(offset: number, little = true): number {
    const high = this.u32(little ? offset + 4 : offset, little);
    return high * 2 ** 32 + this.u32(little ? offset : offset + 4, little);
  }

  /** Whether these characters, one byte each, stand there. */
  is(offset: number, magic: string): boolean {
    if (!this.has(offset, magic.length)) return false;
    for (let i = 0; i < magic.length; i++) if (this.bytes[offset + i] !== magic.charCodeAt(i)) return false;
    return true;
  }

  /** Up to `length` bytes as text, one character each, ending before the first NUL. */
  text(offset: number, length: number): string {
    const end = Math.min(this.bytes.length, offset + length);
    let text = '';
    for (let i = offset; i < end && this.bytes[i] !== 0; i++) text += String.fromCharCode(this.bytes[i]!);
    return text;
  }

  /** The first 64 KiB as text, one character each. */
  get latin1(): string {
    if (this.#latin1 === undefined) {
      const parts: string[] = [];
      const end = Math.min(this.bytes.length, 65_536);
      for (let at = 0; at < end; at += 8192) parts.push(String.fromCharCode(...this.bytes.subarray(at, Math.min(end, at + 8192))));
      this.#latin1 = parts.join('');
    }
    return this.#latin1;
  }
}

const UNPRINTABLE = /[^\x20-\x7e]/g;

/** Text for people: what is not printable ASCII stands as three octal digits, as file(1) writes it. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`);
}
