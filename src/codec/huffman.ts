/** The Huffman coding of zstd's literals (RFC 8878, section 4.2). */
import type { Bytes } from '../bytes/struct.ts';
import { BackwardBits, damagedZstd, highestBit, readFseTable } from './fse.ts';

const MAX_BITS = 11;
const MAX_WEIGHTS = 255;

/** For each value of the next `bits` bits: the symbol (low byte) and the length of its code. */
export interface HuffmanTable {
  readonly bits: number;
  readonly entries: Uint16Array;
}

/** Reads a tree description at `at`; where it ends comes along. */
export function readHuffmanTable(bytes: Bytes, at: number): { table: HuffmanTable; end: number } {
  const header = bytes[at];
  if (header === undefined) throw damagedZstd('a Huffman tree is missing');
  const weights: number[] = [];
  let end: number;
  if (header >= 128) {
    const count = header - 127;
    end = at + 1 + ((count + 1) >> 1);
    for (let i = 0; i < count; i++) {
      const byte = bytes[at + 1 + (i >> 1)] ?? 0;
      weights.push(i & 1 ? byte & 15 : byte >> 4);
    }
  } else {
    end = at + 1 + header;
    if (end > bytes.length) throw damagedZstd('a Huffman tree without end');
    readWeights(bytes.subarray(at + 1, end), weights);
  }
  if (end > bytes.length) throw damagedZstd('a Huffman tree without end');
  return { table: buildHuffmanTable(weights), end };
}

/** Weights compressed by two states in turn. */
function readWeights(bytes: Bytes, weights: number[]): void {
  const { table, end } = readFseTable(bytes, 0, 6, 255);
  const bits = new BackwardBits(bytes.subarray(end));
  let one = bits.read(table.log);
  let two = bits.read(table.log);
  for (;;) {
    if (weights.length > MAX_WEIGHTS) throw damagedZstd('too many Huffman weights');
    weights.push(table.symbols[one]!);
    one = table.base[one]! + bits.read(table.bits[one]!);
    if (bits.position < 0) {
      weights.push(table.symbols[two]!);
      return;
    }
    [one, two] = [two, one];
  }
}

function buildHuffmanTable(weights: number[]): HuffmanTable {
  let sum = 0;
  for (const weight of weights) {
    if (weight > MAX_BITS + 1) throw damagedZstd('a Huffman code that is too long');
    if (weight > 0) sum += 1 << (weight - 1);
  }
  if (sum === 0 || weights.length > MAX_WEIGHTS) throw damagedZstd('a Huffman tree without codes');
  const bits = highestBit(sum) + 1;
  const left = (1 << bits) - sum;
  if (bits > MAX_BITS || (left & (left - 1)) !== 0) throw damagedZstd('a Huffman tree that does not add up');
  weights.push(highestBit(left) + 1);
  const entries = new Uint16Array(1 << bits);
  let at = 0;
  for (let weight = 1; weight <= bits; weight++) {
    for (let symbol = 0; symbol < weights.length; symbol++) {
      if (weights[symbol] !== weight) continue;
      const count = 1 << (weight - 1);
      entries.fill(((bits + 1 - weight) << 8) | symbol, at, at + count);
      at += count;
    }
  }
  if (at !== entries.length) throw damagedZstd('a Huffman tree that does not add up');
  return { bits, entries };
}

/** Decodes one stream so that it fills `target` and ends exactly. */
export function decodeHuffman(table: HuffmanTable, bytes: Bytes, target: Bytes): void {
  const stream = new BackwardBits(bytes);
  const { bits, entries } = table;
  let position = stream.position;
  for (let i = 0; i < target.length; i++) {
    const entry = entries[stream.peekAt(position - bits, bits)]!;
    target[i] = entry & 0xff;
    position -= entry >> 8;
  }
  if (position !== 0) throw damagedZstd('literals that end at the wrong place');
}
