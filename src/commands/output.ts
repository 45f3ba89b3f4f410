/** Where a command's results go, and the buffer through which it writes them. */
import type { Bytes } from '../bytes/struct.ts';
import { decodeName, encodeName } from '../bytes/text.ts';
import type { Io } from '../io/effect.ts';

export interface Output {
  /** Control characters in names are escaped, as the bytes go to a terminal. */
  readonly terminal: boolean;
  /** JSON for programs instead of text for people. */
  readonly json: boolean;
  /** Writes bytes as they are. The receiver is done with them when this ends. */
  write(bytes: Bytes): Io<void>;
}

const NEWLINE = 0x0a;
const CAPACITY = 65_536;

/** Collects lines and hands them to an {@link Output} in large pieces. */
export class Printer {
  readonly output: Output;
  #buffer: Bytes = new Uint8Array(CAPACITY);
  #used = 0;

  constructor(output: Output) {
    this.output = output;
  }

  /** Adds text; ASCII goes by the shortest way. */
  text(text: string): this {
    const length = text.length;
    if (this.#used + length * 3 > this.#buffer.length) this.#grow(length * 3);
    const buffer = this.#buffer;
    let at = this.#used;
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i);
      if (code >= 0x80) return this.#other(text);
      buffer[at++] = code;
    }
    this.#used = at;
    return this;
  }

  /** Adds bytes as they are. */
  bytes(bytes: Bytes): this {
    if (this.#used + bytes.length > this.#buffer.length) this.#grow(bytes.length);
    this.#buffer.set(bytes, this.#used);
    this.#used += bytes.length;
    return this;
  }

  /** Adds a name of the guest: its bytes, or escaped for a terminal. */
  name(name: Bytes): this {
    return this.output.terminal ? this.text(escapeControls(name)) : this.bytes(name);
  }

  /** Ends a line, and writes out what has gathered when it is much. */
  *line(): Io<void> {
    if (this.#used === this.#buffer.length) this.#grow(1);
    this.#buffer[this.#used++] = NEWLINE;
    if (this.#used >= CAPACITY - 4096) yield* this.flush();
  }

  /** Writes out what has gathered when it is much. */
  *spill(): Io<void> {
    if (this.#used >= CAPACITY - 4096) yield* this.flush();
  }

  /** Writes out what has gathered. */
  *flush(): Io<void> {
    if (this.#used === 0) return;
    const gathered = this.#buffer.subarray(0, this.#used);
    this.#buffer = new Uint8Array(CAPACITY);
    this.#used = 0;
    yield* this.output.write(gathered);
  }

  #other(text: string): this {
    return this.bytes(encodeName(text));
  }

  #grow(more: number): void {
    const grown = new Uint8Array(Math.max(this.#buffer.length * 2, this.#used + more));
    grown.set(this.#buffer.subarray(0, this.#used));
    this.#buffer = grown;
  }
}

/** Writes the elements of a JSON array as they come, so that a long one needs no memory. */
export class JsonLines {
  readonly #printer: Printer;
  #first = true;

  constructor(output: Output) {
    this.#printer = new Printer(output);
  }

  *add(value: unknown): Io<void> {
    this.#printer.text(this.#first ? '[\n' : ',\n').text(JSON.stringify(value));
    this.#first = false;
    yield* this.#printer.spill();
  }

  *end(): Io<void> {
    this.#printer.text(this.#first ? '[]' : '\n]');
    yield* this.#printer.line();
    yield* this.#printer.flush();
  }
}

/** Control characters, characters that reorder a line, and bytes that are no UTF-8 (lone surrogates here). */
const UNSAFE = /[\\\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\udc80-\udcff]/gu;

/**
 * A name for a terminal: control characters, those that reorder text, and bytes that are no UTF-8 become `\ooo`, the octal escapes of
 * their bytes, as ls(1) writes them with -b; a backslash is doubled.
 */
export function escapeControls(name: Bytes | string): string {
  const text = typeof name === 'string' ? name : decodeName(name);
  return text.replace(UNSAFE, (character) => {
    if (character === '\\') return '\\\\';
    return Array.from(encodeName(character), (byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('');
  });
}
