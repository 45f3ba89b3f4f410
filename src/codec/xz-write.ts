/** Writing .xz files (The .xz File Format 1.2.1) whose LZMA2 chunks are stored as they are: valid, fast, and not compressed. */
import { crc32, crc32Update } from '../bytes/crc32.ts';
import { type Bytes, viewOf } from '../bytes/struct.ts';
import { concatBytes } from '../bytes/text.ts';

const CHECK_CRC32 = 1;
const LZMA2 = 0x21;
/** A chunk holds at most this many bytes. */
const MAX_CHUNK = 65_536;
/** LZMA2's dictionary of 64 KiB: (2 | (bits & 1)) << (bits / 2 + 11), with bits = 8. */
const DICTIONARY_BITS = 8;

function withCrc32(bytes: Bytes): Bytes {
  const crc = new Uint8Array(4);
  viewOf(crc).setUint32(0, crc32(bytes), true);
  return concatBytes(bytes, crc);
}

/** A number of seven bits a byte (1.2). */
function integer(value: number): number[] {
  const bytes: number[] = [];
  for (let left = value; ; left = Math.floor(left / 128)) {
    if (left < 128) return [...bytes, left];
    bytes.push((left % 128) + 128);
  }
}

export class XzEncoder {
  #begun = false;
  #chunks = 0;
  /** Bytes of the block: its header and chunks. */
  #stored = 0;
  #length = 0;
  #crc = 0xffffffff;

  push(input: Bytes): Bytes {
    const parts: Bytes[] = this.#begin();
    for (let at = 0; at < input.length; at += MAX_CHUNK) {
      const chunk = input.subarray(at, at + MAX_CHUNK);
      const size = chunk.length - 1;
      // 1 resets the dictionary and 2 does not; both are followed by the length, less one.
      parts.push(Uint8Array.of(this.#chunks === 0 ? 1 : 2, size >> 8, size & 0xff), chunk);
      this.#chunks++;
      this.#stored += 3 + chunk.length;
    }
    this.#length += input.length;
    this.#crc = crc32Update(this.#crc, input);
    return concatBytes(...parts);
  }

  finish(): Bytes {
    const parts: Bytes[] = [...this.#begin(), Uint8Array.of(0)];
    this.#stored++;
    const check = new Uint8Array(4);
    viewOf(check).setUint32(0, ~this.#crc >>> 0, true);
    parts.push(new Uint8Array((4 - (this.#stored % 4)) % 4), check);
    const records = [0, 1, ...integer(this.#stored + 4), ...integer(this.#length)];
    while (records.length % 4 !== 0) records.push(0);
    const index = withCrc32(Uint8Array.from(records));
    const footer = new Uint8Array(6);
    viewOf(footer).setUint32(0, index.length / 4 - 1, true);
    footer[5] = CHECK_CRC32;
    const crc = withCrc32(footer).subarray(6);
    return concatBytes(...parts, index, crc, footer, Uint8Array.of(0x59, 0x5a));
  }

  #begin(): Bytes[] {
    if (this.#begun) return [];
    this.#begun = true;
    const flags = withCrc32(Uint8Array.of(0, CHECK_CRC32));
    const header = withCrc32(Uint8Array.of(2, 0, LZMA2, 1, DICTIONARY_BITS, 0, 0, 0));
    this.#stored = header.length;
    return [Uint8Array.of(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0), flags, header];
  }
}
