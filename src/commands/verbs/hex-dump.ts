/** Bytes in hexadecimal and ASCII, as `hexdump -C` shows them: lines that repeat the one before are one `*`. */
import type { Bytes } from '../../bytes/struct.ts';
import { Posix } from '../../errors.ts';

const LINE = 16;
const DIGITS: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
const address = (offset: number): string => offset.toString(16).padStart(8, '0');

export class HexDump {
  readonly #maximum: number;
  readonly #lines: string[] = [];
  #length = 0;
  #offset = 0;
  #line = new Uint8Array(LINE);
  #filled = 0;
  #before = new Uint8Array(LINE);
  #squeezing = false;

  /** `maximum`: characters, beyond which `push` throws EFBIG. */
  constructor(maximum: number) {
    this.#maximum = maximum;
  }

  push(chunk: Bytes): void {
    for (let at = 0; at < chunk.length; ) {
      const part = chunk.subarray(at, at + LINE - this.#filled);
      this.#line.set(part, this.#filled);
      this.#filled += part.length;
      at += part.length;
      if (this.#filled === LINE) this.#end();
    }
  }

  finish(): string {
    if (this.#filled > 0) this.#end();
    if (this.#offset > 0) this.#add(address(this.#offset));
    return this.#lines.length === 0 ? '' : `${this.#lines.join('\n')}\n`;
  }

  #end(): void {
    const whole = this.#filled === LINE;
    if (whole && this.#offset > 0 && this.#line.every((byte, i) => byte === this.#before[i])) {
      if (!this.#squeezing) this.#add('*');
      this.#squeezing = true;
    } else {
      this.#squeezing = false;
      this.#add(this.#show());
      [this.#before, this.#line] = [this.#line, this.#before];
    }
    this.#offset += this.#filled;
    this.#filled = 0;
  }

  #show(): string {
    let hexadecimal = '';
    let text = '';
    for (let i = 0; i < LINE; i++) {
      if (i === 8) hexadecimal += ' ';
      if (i >= this.#filled) {
        hexadecimal += '   ';
        continue;
      }
      const byte = this.#line[i]!;
      hexadecimal += ` ${DIGITS[byte]}`;
      text += byte >= 0x20 && byte <= 0x7e ? String.fromCharCode(byte) : '.';
    }
    return `${address(this.#offset)} ${hexadecimal}  |${text}|`;
  }

  #add(line: string): void {
    this.#length += line.length + 1;
    if (this.#length > this.#maximum) throw new Posix('EFBIG', {}, 'the dump is too long for an answer; use download or pread');
    this.#lines.push(line);
  }
}
