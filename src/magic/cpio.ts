/** Reading cpio archives, "newc" and "crc" (Linux's Documentation/driver-api/early-userspace/buffer-format.rst), "odc" (POSIX.1-1988). */
import type { Bytes } from '../bytes/struct.ts';
import { concatBytes, latin1 } from '../bytes/text.ts';
import { Corrupt } from '../errors.ts';
import type { Io } from '../io/effect.ts';
import type { Pull } from '../io/pieces.ts';

export interface CpioMember {
  readonly name: Bytes;
  /** Type and permission bits. */
  readonly mode: number;
  readonly size: number;
}

const MAX_NAME = 65_536;
const TRAILER = 'TRAILER!!!';

const damaged = (what: string): Corrupt => new Corrupt(`a damaged cpio archive: ${what}`, { layer: 'cpio' });

/** Goes through an archive once: `next` for each member, `data` for the contents of the one at hand. */
export class CpioReader {
  readonly #next: Pull;
  #piece: Bytes = new Uint8Array(0);
  #at = 0;
  /** Bytes read of the archive. */
  #position = 0;
  #left = 0;
  #padding = 0;
  #rest: Bytes = new Uint8Array(0);

  constructor(next: Pull) {
    this.#next = next;
  }

  /** The next member; undefined at the end. Archives that follow one another, with zeros in between, are one, as an initrd is. Throws Corrupt. */
  *next(): Io<CpioMember | undefined> {
    while ((yield* this.data()) !== undefined);
    for (;;) {
      if (!(yield* this.#skipZeros())) return undefined;
      const member = yield* this.#header();
      if (member === undefined) return undefined;
      if (latin1(member.name) !== TRAILER) return member;
      this.#left = 0;
    }
  }

  /** The next piece of the contents; undefined after the last. It may be changed by the next call. */
  *data(): Io<Bytes | undefined> {
    if (this.#left === 0) {
      yield* this.#skip(this.#padding);
      this.#padding = 0;
      return undefined;
    }
    if (this.#at === this.#piece.length && !(yield* this.#fill())) throw damaged('it ends within a file');
    const piece = this.#piece.subarray(this.#at, this.#at + this.#left);
    this.#at += piece.length;
    this.#position += piece.length;
    this.#left -= piece.length;
    return piece;
  }

  /** What was already read of what follows the last archive; more comes from where the pieces came from. Empty when nothing follows. */
  rest(): Bytes {
    return this.#rest.length === 0 ? this.#rest : concatBytes(this.#rest, this.#piece.subarray(this.#at));
  }

  *#fill(): Io<boolean> {
    for (;;) {
      const piece = yield* this.#next();
      if (piece === undefined) return false;
      if (piece.length === 0) continue;
      this.#piece = piece;
      this.#at = 0;
      return true;
    }
  }

  *#take(length: number): Io<Bytes> {
    const taken = new Uint8Array(length);
    for (let done = 0; done < length; ) {
      if (this.#at === this.#piece.length && !(yield* this.#fill())) throw damaged('it ends within a header');
      const part = this.#piece.subarray(this.#at, this.#at + length - done);
      taken.set(part, done);
      this.#at += part.length;
      done += part.length;
    }
    this.#position += length;
    return taken;
  }

  *#skip(length: number): Io<void> {
    for (let left = length; left > 0; ) {
      if (this.#at === this.#piece.length && !(yield* this.#fill())) return;
      const step = Math.min(left, this.#piece.length - this.#at);
      this.#at += step;
      this.#position += step;
      left -= step;
    }
  }

  *#skipZeros(): Io<boolean> {
    for (;;) {
      if (this.#at === this.#piece.length && !(yield* this.#fill())) return false;
      if (this.#piece[this.#at] !== 0) return true;
      this.#at++;
      this.#position++;
    }
  }

  *#header(): Io<CpioMember | undefined> {
    const begin = this.#position;
    const taken = yield* this.#take(6);
    const magic = latin1(taken);
    if (magic === '070701' || magic === '070702') {
      const fields = latin1(yield* this.#take(104));
      const number = (index: number): number => parse(fields.slice(8 * index, 8 * index + 8), 16);
      const name = yield* this.#name(number(11));
      yield* this.#skip((4 - ((this.#position - begin) % 4)) % 4);
      return this.#member(name, number(1), number(6), 4);
    }
    if (magic === '070707') {
      const fields = latin1(yield* this.#take(70));
      const name = yield* this.#name(parse(fields.slice(53, 59), 8));
      return this.#member(name, parse(fields.slice(12, 18), 8), parse(fields.slice(59, 70), 8), 1);
    }
    // What follows the archive in an initrd may be compressed: another stream, which is not this one's.
    if (begin > 0) {
      this.#rest = taken;
      return undefined;
    }
    throw damaged('no header begins where one should');
  }

  *#name(length: number): Io<Bytes> {
    if (length < 1 || length > MAX_NAME) throw damaged(`a name of ${length} bytes`);
    return (yield* this.#take(length)).subarray(0, length - 1);
  }

  #member(name: Bytes, mode: number, size: number, align: number): CpioMember {
    this.#left = size;
    this.#padding = (align - (size % align)) % align;
    return { name, mode, size };
  }
}

function parse(digits: string, radix: 8 | 16): number {
  const valid = radix === 8 ? /^[0-7]+$/ : /^[0-9A-Fa-f]+$/;
  if (!valid.test(digits)) throw damaged('a number that is none');
  return Number.parseInt(digits, radix);
}
