/**
 * Decoding bzip2, piece by piece: blocks of up to 900,000 bytes, each sorted (Burrows-Wheeler), moved to front and coded by up to six
 * Huffman tables. There is no specification but the program; the names are those of "BZIP2: Format Specification" (J. Tsai, 2016).
 */
import type { Bytes } from '../bytes/struct.ts';
import { Corrupt } from '../errors.ts';
import { ByteQueue } from './byte-queue.ts';
import type { StreamDecoder } from './codecs.ts';

const BLOCK_MAGIC = 0x314159265359;
const FOOTER_MAGIC = 0x177245385090;
const MAX_CODE = 20;
const GROUP = 50;
const MAX_SYMBOLS = 258;
const MAX_SELECTORS = 18_002;
/** Bytes handed over at a time. */
const CHUNK = 65_536;

function damagedBzip2(what: string): Corrupt {
  return new Corrupt(`a damaged bzip2 stream: ${what}`, { layer: 'bzip2' });
}

/** CRC-32 with the most significant bit first. */
export const BZIP2_CRC: Uint32Array = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 24;
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x80000000 ? (crc << 1) ^ 0x04c11db7 : crc << 1;
  return crc >>> 0;
});

/** A canonical Huffman code: for each length the last code, and where its symbols begin. */
interface Code {
  readonly shortest: number;
  readonly limit: Int32Array;
  readonly base: Int32Array;
  readonly symbols: Uint16Array;
}

function makeCode(lengths: Uint8Array): Code {
  const limit = new Int32Array(MAX_CODE + 2).fill(-1);
  const base = new Int32Array(MAX_CODE + 2);
  const symbols = new Uint16Array(lengths.length);
  let shortest = MAX_CODE;
  let code = 0;
  let count = 0;
  for (let length = 1; length <= MAX_CODE; length++) {
    base[length] = count - code;
    for (let symbol = 0; symbol < lengths.length; symbol++) {
      if (lengths[symbol] !== length) continue;
      if (length < shortest) shortest = length;
      symbols[count++] = symbol;
      code++;
    }
    if (code > 2 ** length) throw damagedBzip2('a Huffman code with too many short words');
    limit[length] = code - 1;
    code *= 2;
  }
  return { shortest, limit, base, symbols };
}

/** Yielded where more input is needed. */
const MORE: readonly undefined[] = [undefined];

/** Asks for more input (undefined) or hands over output. */
type Steps<T> = Generator<Bytes | undefined, T, void>;

export class Bzip2Decoder implements StreamDecoder {
  readonly #input = new ByteQueue();
  readonly #steps: Steps<void>;
  #bits = 0;
  #held = 0;
  #streams = 0;
  #inside = false;

  constructor() {
    this.#steps = this.#run();
  }

  push(input: Bytes): void {
    this.#input.push(input);
  }

  next(): Bytes | undefined {
    return this.#steps.next().value ?? undefined;
  }

  finish(): void {
    if (this.#inside || this.#streams === 0) throw damagedBzip2('it ends too early');
  }

  *#run(): Steps<void> {
    for (;;) {
      while (this.#input.length < 4) yield* MORE;
      const head = this.#input.peek(4);
      const level = (head[3] ?? 0) - 0x30;
      if (head[0] !== 0x42 || head[1] !== 0x5a || head[2] !== 0x68 || level < 1 || level > 9) {
        // What follows a complete stream and is none is ignored, as bzip2 does.
        if (this.#streams === 0) throw damagedBzip2('no stream begins where one should');
        this.#input.take(this.#input.length);
        continue;
      }
      this.#input.take(4);
      this.#inside = true;
      yield* this.#stream(level * 100_000);
      this.#inside = false;
      this.#streams++;
      this.#bits = 0;
      this.#held = 0;
    }
  }

  *#stream(size: number): Steps<void> {
    const table = new Int32Array(size);
    let total = 0;
    for (;;) {
      const magic = (yield* this.#read(24)) * 2 ** 24 + (yield* this.#read(24));
      const crc = (yield* this.#read(16)) * 2 ** 16 + (yield* this.#read(16));
      if (magic === FOOTER_MAGIC) {
        if (crc !== total) throw damagedBzip2('its checksum is wrong');
        return;
      }
      if (magic !== BLOCK_MAGIC) throw damagedBzip2('no block begins where one should');
      total = (((total << 1) | (total >>> 31)) ^ crc) >>> 0;
      if ((yield* this.#read(1)) !== 0) throw damagedBzip2('a randomised block, of versions before 0.9.5');
      const origin = yield* this.#read(24);
      const length = yield* this.#block(table);
      if (origin >= length) throw damagedBzip2('a block begins outside of itself');
      const found = yield* this.#output(table, length, origin);
      if (found !== crc) throw damagedBzip2('the checksum of a block is wrong');
    }
  }

  /** The next `count` bits, up to 24. */
  *#read(count: number): Steps<number> {
    while (this.#held < count) {
      while (this.#input.length === 0) yield* MORE;
      this.#bits = ((this.#bits << 8) | (this.#input.take(1)[0] ?? 0)) >>> 0;
      this.#held += 8;
    }
    this.#held -= count;
    const value = (this.#bits >>> this.#held) & (2 ** count - 1);
    this.#bits &= 2 ** this.#held - 1;
    return value;
  }

  /** Which bytes occur: 16 bits for ranges of 16. */
  *#alphabet(): Steps<number[]> {
    const used: number[] = [];
    const ranges = yield* this.#read(16);
    for (let range = 0; range < 16; range++) {
      if ((ranges & (0x8000 >> range)) === 0) continue;
      const bits = yield* this.#read(16);
      for (let i = 0; i < 16; i++) if ((bits & (0x8000 >> i)) !== 0) used.push(16 * range + i);
    }
    if (used.length === 0) throw damagedBzip2('a block of no bytes');
    return used;
  }

  /** Which table serves each group of 50 symbols. */
  *#selectors(tables: number): Steps<Uint8Array> {
    const count = yield* this.#read(15);
    if (count === 0) throw damagedBzip2('a block without selectors');
    const order = Array.from({ length: tables }, (_, i) => i);
    const selectors = new Uint8Array(Math.min(count, MAX_SELECTORS));
    for (let i = 0; i < count; i++) {
      let place = 0;
      while ((yield* this.#read(1)) === 1) if (++place >= tables) throw damagedBzip2('a selector of no table');
      const [chosen] = order.splice(place, 1) as [number];
      order.unshift(chosen);
      // Some writers give more selectors than can ever be needed.
      if (i < selectors.length) selectors[i] = chosen;
    }
    return selectors;
  }

  *#code(size: number): Steps<Code> {
    const lengths = new Uint8Array(size);
    let length = yield* this.#read(5);
    for (let symbol = 0; symbol < size; symbol++) {
      for (;;) {
        if (length < 1 || length > MAX_CODE) throw damagedBzip2(`a code word of ${length} bits`);
        if ((yield* this.#read(1)) === 0) break;
        length += (yield* this.#read(1)) === 0 ? 1 : -1;
      }
      lengths[symbol] = length;
    }
    return makeCode(lengths);
  }

  /** Decodes one block into the low bytes of `table`; gives its length. */
  *#block(table: Int32Array): Steps<number> {
    const front = Uint8Array.from(yield* this.#alphabet());
    const size = front.length + 2;
    if (size > MAX_SYMBOLS) throw damagedBzip2('an alphabet that is too large');
    const tables = yield* this.#read(3);
    if (tables < 2 || tables > 6) throw damagedBzip2(`${tables} Huffman tables`);
    const selectors = yield* this.#selectors(tables);
    const codes: Code[] = [];
    for (let i = 0; i < tables; i++) codes.push(yield* this.#code(size));
    const end = size - 1;
    let length = 0;
    let run = 0;
    let weight = 1;
    let code = codes[0] as Code;
    for (let group = 0, left = 0; ; left--) {
      if (left === 0) {
        if (group >= selectors.length) throw damagedBzip2('a block with too few selectors');
        code = codes[selectors[group++] ?? 0] as Code;
        left = GROUP;
      }
      // Behind the last symbol come 80 bits at least: looking at 20 is always possible.
      while (this.#held < MAX_CODE) {
        if (this.#input.length === 0) {
          yield* MORE;
          continue;
        }
        this.#bits = ((this.#bits << 8) | (this.#input.take(1)[0] ?? 0)) >>> 0;
        this.#held += 8;
      }
      let bits = code.shortest;
      while (bits <= MAX_CODE && this.#bits >>> (this.#held - bits) > code.limit[bits]!) bits++;
      if (bits > MAX_CODE) throw damagedBzip2('a code word that there is not');
      const symbol = code.symbols[(this.#bits >>> (this.#held - bits)) + code.base[bits]!]!;
      this.#held -= bits;
      this.#bits &= 2 ** this.#held - 1;
      if (symbol <= 1) {
        // RUNA and RUNB: the digits 1 and 2 of a number, the least significant first.
        run += (symbol + 1) * weight;
        weight *= 2;
        if (run > table.length) throw damagedBzip2('a run that is too long');
        continue;
      }
      if (run > 0) {
        if (length + run > table.length) throw damagedBzip2('a block that is too long');
        table.fill(front[0]!, length, length + run);
        length += run;
        run = 0;
        weight = 1;
      }
      if (symbol === end) return length;
      if (length >= table.length) throw damagedBzip2('a block that is too long');
      const byte = front[symbol - 1]!;
      front.copyWithin(1, 0, symbol - 1);
      front[0] = byte;
      table[length++] = byte;
    }
  }

  /** Puts a block into its own order and undoes its first run-length coding; gives its checksum. */
  *#output(table: Int32Array, length: number, origin: number): Steps<number> {
    const starts = new Int32Array(257);
    for (let i = 0; i < length; i++) starts[(table[i]! & 0xff) + 1]!++;
    for (let byte = 0; byte < 256; byte++) starts[byte + 1]! += starts[byte]!;
    for (let i = 0; i < length; i++) table[starts[table[i]! & 0xff]!++]! |= i << 8;
    let crc = 0xffffffff;
    let place = table[origin]! >>> 8;
    let repeated = 0;
    let last = -1;
    let chunk = new Uint8Array(CHUNK);
    let filled = 0;
    for (let i = 0; i < length; i++) {
      const entry = table[place]!;
      place = entry >>> 8;
      const byte = entry & 0xff;
      // Four equal bytes are followed by how many more there are.
      let count = 1;
      let value = byte;
      if (repeated === 4) {
        count = byte;
        value = last;
        repeated = 0;
        last = -1;
      } else {
        repeated = byte === last ? repeated + 1 : 1;
        last = byte;
      }
      for (; count > 0; count--) {
        crc = (crc << 8) ^ BZIP2_CRC[((crc >>> 24) ^ value) & 0xff]!;
        chunk[filled++] = value;
        if (filled === CHUNK) {
          yield* [chunk];
          chunk = new Uint8Array(CHUNK);
          filled = 0;
        }
      }
    }
    if (filled > 0) yield* [chunk.subarray(0, filled)];
    return ~crc >>> 0;
  }
}
