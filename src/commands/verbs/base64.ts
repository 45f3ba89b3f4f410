/** Base64 (RFC 4648) of streams: lines of 76 characters as base64(1) writes them; reading ignores ends of lines and nothing else. */
import type { Bytes } from '../../bytes/struct.ts';
import { concatBytes } from '../../bytes/text.ts';
import { Posix } from '../../errors.ts';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const VALUES: Int8Array = (() => {
  const values = new Int8Array(256).fill(-1);
  for (let i = 0; i < 64; i++) values[ALPHABET.charCodeAt(i)] = i;
  return values;
})();
/** Bytes of a line. */
const LINE = 57;
const PAD = 0x3d;
const NEWLINE = 0x0a;

/** Takes bytes, gives text. */
export class Base64Encoder {
  #waiting: Bytes = new Uint8Array(0);

  push(input: Bytes): Bytes {
    const all = this.#waiting.length === 0 ? input : concatBytes(this.#waiting, input);
    const whole = all.length - (all.length % LINE);
    this.#waiting = all.slice(whole);
    return encode(all.subarray(0, whole));
  }

  finish(): Bytes {
    return encode(this.#waiting);
  }
}

function encode(bytes: Bytes): Bytes {
  const lines = Math.ceil(bytes.length / LINE);
  const text = new Uint8Array(4 * Math.ceil(bytes.length / 3) + lines);
  let to = 0;
  for (let at = 0; at < bytes.length; at += 3) {
    const left = bytes.length - at;
    const group = (bytes[at]! << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    text[to++] = ALPHABET.charCodeAt(group >> 18);
    text[to++] = ALPHABET.charCodeAt((group >> 12) & 63);
    text[to++] = left > 1 ? ALPHABET.charCodeAt((group >> 6) & 63) : PAD;
    text[to++] = left > 2 ? ALPHABET.charCodeAt(group & 63) : PAD;
    if ((at + 3) % LINE === 0 || left <= 3) text[to++] = NEWLINE;
  }
  return text.subarray(0, to);
}

/** Takes text, gives bytes. Throws Posix EINVAL for what is no base64. */
export class Base64Decoder {
  #group = 0;
  #count = 0;
  #padding = 0;

  push(input: Bytes): Bytes {
    const bytes = new Uint8Array(Math.ceil((input.length * 3) / 4) + 3);
    let to = 0;
    for (let i = 0; i < input.length; i++) {
      const byte = input[i]!;
      if (byte === NEWLINE || byte === 0x0d) continue;
      if (byte === PAD) {
        this.#padding++;
        if (this.#count + this.#padding === 4) {
          if (this.#count < 2) throw invalid();
          if (this.#count === 3) {
            bytes[to++] = this.#group >> 10;
            bytes[to++] = (this.#group >> 2) & 0xff;
          } else bytes[to++] = this.#group >> 4;
          this.#reset();
        }
        continue;
      }
      const value = VALUES[byte]!;
      if (value < 0 || this.#padding > 0) throw invalid();
      this.#group = this.#group * 64 + value;
      if (++this.#count < 4) continue;
      bytes[to++] = this.#group >> 16;
      bytes[to++] = (this.#group >> 8) & 0xff;
      bytes[to++] = this.#group & 0xff;
      this.#reset();
    }
    return bytes.subarray(0, to);
  }

  finish(): void {
    if (this.#count !== 0 || this.#padding !== 0) throw invalid();
  }

  #reset(): void {
    this.#group = 0;
    this.#count = 0;
    this.#padding = 0;
  }
}

function invalid(): Posix {
  return new Posix('EINVAL', {}, 'invalid base64 input');
}
