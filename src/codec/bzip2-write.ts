/** Writing bzip2: blocks of 100,000 bytes at most, one Huffman code for all groups of a block (the format wants two: they are equal). */
import type { Bytes } from '../bytes/struct.ts';
import { BZIP2_CRC } from './bzip2.ts';

/** Bytes of a block of level 1, with the room that bzip2 leaves. */
const BLOCK: number = 100_000 - 19;
const GROUP = 50;
/** The longest code word that bzip2 itself writes. */
const MAX_CODE = 17;

class BitWriter {
  readonly #bytes: number[] = [];
  #held = 0;
  #bits = 0;

  /** Up to 24 bits. */
  write(count: number, value: number): void {
    this.#bits = (this.#bits << count) | value;
    this.#held += count;
    while (this.#held >= 8) {
      this.#held -= 8;
      this.#bytes.push((this.#bits >>> this.#held) & 0xff);
    }
    this.#bits &= (1 << this.#held) - 1;
  }

  /** What is complete. */
  take(): Bytes {
    return Uint8Array.from(this.#bytes.splice(0));
  }

  /** Fills the last byte with zeros. */
  pad(): void {
    if (this.#held > 0) this.write(8 - this.#held, 0);
  }
}

export class Bzip2Encoder {
  readonly #out = new BitWriter();
  readonly #block = new Uint8Array(BLOCK + 8);
  #length = 0;
  #crc = 0xffffffff;
  #total = 0;
  #last = -1;
  #run = 0;
  #begun = false;

  push(input: Bytes): Bytes {
    this.#begin();
    for (let i = 0; i < input.length; i++) {
      const byte = input[i]!;
      if (byte === this.#last && this.#run < 255) this.#run++;
      else {
        this.#endRun();
        if (this.#length >= BLOCK - 5) this.#endBlock();
        this.#last = byte;
        this.#run = 1;
      }
      this.#crc = (this.#crc << 8) ^ BZIP2_CRC[((this.#crc >>> 24) ^ byte) & 0xff]!;
    }
    return this.#out.take();
  }

  finish(): Bytes {
    this.#begin();
    this.#endRun();
    this.#endBlock();
    for (const part of [0x177245, 0x385090]) this.#out.write(24, part);
    this.#word(this.#total);
    this.#out.pad();
    return this.#out.take();
  }

  #begin(): void {
    if (this.#begun) return;
    this.#begun = true;
    for (const byte of [0x42, 0x5a, 0x68, 0x31]) this.#out.write(8, byte);
  }

  #word(value: number): void {
    this.#out.write(16, value >>> 16);
    this.#out.write(16, value & 0xffff);
  }

  /** Four equal bytes are followed by how many more there are. */
  #endRun(): void {
    for (let i = 0; i < Math.min(4, this.#run); i++) this.#block[this.#length++] = this.#last;
    if (this.#run >= 4) this.#block[this.#length++] = this.#run - 4;
    this.#run = 0;
    this.#last = -1;
  }

  #endBlock(): void {
    if (this.#length === 0) return;
    const crc = ~this.#crc >>> 0;
    this.#total = (((this.#total << 1) | (this.#total >>> 31)) ^ crc) >>> 0;
    for (const part of [0x314159, 0x265359]) this.#out.write(24, part);
    this.#word(crc);
    this.#out.write(1, 0);
    const { last, origin } = sortRotations(this.#block.subarray(0, this.#length));
    this.#out.write(24, origin);
    this.#symbols(last);
    this.#length = 0;
    this.#crc = 0xffffffff;
  }

  /** The alphabet, the code and the coded symbols of a block. */
  #symbols(last: Bytes): void {
    const used = new Uint8Array(256);
    for (let i = 0; i < last.length; i++) used[last[i]!] = 1;
    const { symbols, size } = moveToFront(last, used);
    for (let range = 0, bits = 0; range < 16; range++) {
      bits = (bits << 1) | (used.subarray(16 * range, 16 * range + 16).includes(1) ? 1 : 0);
      if (range === 15) this.#out.write(16, bits);
    }
    for (let range = 0; range < 16; range++) {
      const part = used.subarray(16 * range, 16 * range + 16);
      if (part.includes(1)) for (const one of part) this.#out.write(1, one);
    }
    const groups = Math.ceil(symbols.length / GROUP);
    this.#out.write(3, 2);
    this.#out.write(15, groups);
    for (let i = 0; i < groups; i++) this.#out.write(1, 0);
    const counts = new Uint32Array(size);
    for (const symbol of symbols) counts[symbol]!++;
    const lengths = codeLengths(counts);
    for (let table = 0; table < 2; table++) this.#lengths(lengths);
    const words = codeWords(lengths);
    for (const symbol of symbols) this.#out.write(lengths[symbol]!, words[symbol]!);
  }

  #lengths(lengths: Uint8Array): void {
    let current = lengths[0]!;
    this.#out.write(5, current);
    for (const length of lengths) {
      for (; current < length; current++) this.#out.write(2, 2);
      for (; current > length; current--) this.#out.write(2, 3);
      this.#out.write(1, 0);
    }
  }
}

/** The last column of all rotations in order, and where the block itself stands among them: prefix doubling with a radix sort. */
function sortRotations(block: Bytes): { readonly last: Bytes; readonly origin: number } {
  const n = block.length;
  let order = new Int32Array(n);
  let rank = Int32Array.from(block);
  let next = new Int32Array(n);
  const counts = new Int32Array(Math.max(256, n) + 1);
  const sortBy = (from: Int32Array, into: Int32Array): void => {
    counts.fill(0);
    for (let i = 0; i < n; i++) counts[rank[i]! + 1]!++;
    for (let i = 1; i < counts.length; i++) counts[i]! += counts[i - 1]!;
    for (let i = 0; i < n; i++) into[counts[rank[from[i]!]!]!++] = from[i]!;
  };
  sortBy(
    Int32Array.from({ length: n }, (_, i) => i),
    order,
  );
  for (let step = 1; ; step *= 2) {
    const shift = step % n;
    // In the order of what stands `step` further on; then, stably, by the rank so far.
    const shifted = order.map((place) => (place - shift + n) % n);
    const sorted = new Int32Array(n);
    sortBy(shifted, sorted);
    let classes = 0;
    next = new Int32Array(n);
    for (let i = 1; i < n; i++) {
      const [a, b] = [sorted[i - 1]!, sorted[i]!];
      if (rank[a] !== rank[b] || rank[(a + shift) % n] !== rank[(b + shift) % n]) classes++;
      next[b] = classes;
    }
    order = sorted;
    rank = next;
    if (classes === n - 1 || step >= n) break;
  }
  const last = new Uint8Array(n);
  let origin = 0;
  for (let i = 0; i < n; i++) {
    if (order[i] === 0) origin = i;
    last[i] = block[(order[i]! + n - 1) % n]!;
  }
  return { last, origin };
}

/** Places in a list of bytes in which the one at hand always comes to the front; runs of the first place as numbers of digits 1 and 2. */
function moveToFront(bytes: Bytes, used: Uint8Array): { readonly symbols: Uint16Array; readonly size: number } {
  const front = Uint8Array.from([...used.keys()].filter((byte) => used[byte] === 1));
  const symbols: number[] = [];
  let run = 0;
  const endRun = (): void => {
    for (; run > 0; run = (run - 1) >> 1) symbols.push((run & 1) === 1 ? 0 : 1);
  };
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]!;
    const place = front.indexOf(byte);
    if (place === 0) {
      run++;
      continue;
    }
    endRun();
    front.copyWithin(1, 0, place);
    front[0] = byte;
    symbols.push(place + 1);
  }
  endRun();
  symbols.push(front.length + 1);
  return { symbols: Uint16Array.from(symbols), size: front.length + 2 };
}

/** The lengths of Huffman's code; counts are made more equal until no word is too long. */
function codeLengths(counts: Uint32Array): Uint8Array {
  const size = counts.length;
  const lengths = new Uint8Array(size);
  for (let divisor = 1; ; divisor *= 2) {
    const parent = new Int32Array(2 * size).fill(-1);
    const weights = Array.from(counts, (count) => Math.max(1, Math.ceil(count / divisor)));
    const open = weights.map((_, i) => i);
    while (open.length > 1) {
      open.sort((a, b) => weights[b]! - weights[a]! || b - a);
      const [a, b] = [open.pop()!, open.pop()!];
      parent[a] = weights.length;
      parent[b] = weights.length;
      open.push(weights.length);
      weights.push(weights[a]! + weights[b]!);
    }
    let longest = 0;
    for (let symbol = 0; symbol < size; symbol++) {
      let length = 0;
      for (let at = symbol; parent[at]! >= 0; at = parent[at]!) length++;
      lengths[symbol] = length;
      longest = Math.max(longest, length);
    }
    if (longest <= MAX_CODE) return lengths;
  }
}

/** The canonical words of a code. */
function codeWords(lengths: Uint8Array): Uint32Array {
  const words = new Uint32Array(lengths.length);
  let word = 0;
  for (let length = 1; length <= MAX_CODE; length++) {
    for (let symbol = 0; symbol < lengths.length; symbol++) if (lengths[symbol] === length) words[symbol] = word++;
    word *= 2;
  }
  return words;
}
