/** Texts within files, as strings(1) finds them. */
import type { Bytes } from '../../bytes/struct.ts';
import { decodeName } from '../../bytes/text.ts';
import { Posix } from '../../errors.ts';

/** Bytes of a character, and whether the first is the least significant; `s` has 7 bits and `S` 8. */
const ENCODINGS = {
  s: { width: 1, little: true, limit: 0x7f },
  S: { width: 1, little: true, limit: 0xff },
  b: { width: 2, little: false, limit: 0xff },
  l: { width: 2, little: true, limit: 0xff },
  B: { width: 4, little: false, limit: 0xff },
  L: { width: 4, little: true, limit: 0xff },
} as const;

export type StringsEncoding = keyof typeof ENCODINGS;

export function isStringsEncoding(name: string): name is StringsEncoding {
  return Object.hasOwn(ENCODINGS, name);
}

const MINIMUM = 4;

/** Takes a file piece by piece and collects its texts. */
export class StringsFinder {
  readonly #width: number;
  readonly #little: boolean;
  readonly #limit: number;
  readonly #eightBit: boolean;
  readonly #maximum: number;
  readonly #found: string[] = [];
  #total = 0;
  #run: number[] = [];
  /** The bytes of a character that is not complete, from its first. */
  #window: number[] = [];

  /** `maximum`: bytes of all texts together, beyond which `push` throws EFBIG. */
  constructor(encoding: StringsEncoding, maximum: number) {
    const { width, little, limit } = ENCODINGS[encoding];
    this.#width = width;
    this.#little = little;
    this.#limit = limit;
    this.#eightBit = encoding === 'S';
    this.#maximum = maximum;
  }

  push(chunk: Bytes): void {
    if (this.#width === 1) {
      for (let i = 0; i < chunk.length; i++) this.#character(chunk[i]!);
      return;
    }
    for (let i = 0; i < chunk.length; i++) {
      this.#window.push(chunk[i]!);
      if (this.#window.length < this.#width) continue;
      const bytes = this.#little ? [...this.#window].reverse() : this.#window;
      const value = bytes.reduce((sum, byte) => sum * 256 + byte, 0);
      if (this.#isText(value)) {
        this.#character(value);
        this.#window = [];
      } else {
        // A text may begin at any byte: go on with the next one.
        this.#character(value);
        this.#window = this.#window.slice(1);
      }
    }
  }

  finish(): string[] {
    this.#end();
    return this.#found;
  }

  #isText(value: number): boolean {
    if (value > this.#limit) return false;
    return value === 9 || (value >= 0x20 && value <= 0x7e) || (this.#eightBit && value > 0x7f);
  }

  #character(value: number): void {
    if (this.#isText(value)) {
      this.#run.push(value);
      if (this.#total + this.#run.length > this.#maximum) throw new Posix('EFBIG', {}, 'the texts are too long for an answer');
    } else this.#end();
  }

  #end(): void {
    if (this.#run.length >= MINIMUM) {
      this.#found.push(decodeName(Uint8Array.from(this.#run)));
      this.#total += this.#run.length + 1;
    }
    this.#run = [];
  }
}
