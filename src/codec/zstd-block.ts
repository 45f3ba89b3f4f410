/** Compressed blocks of zstd: literals, sequences and their execution (RFC 8878, section 3.1.1.3). */
import type { Bytes } from '../bytes/struct.ts';
import { BackwardBits, buildFseTable, constantTable, damagedZstd, type FseTable, readFseTable } from './fse.ts';
import { decodeHuffman, type HuffmanTable, readHuffmanTable } from './huffman.ts';
import type { OutputWindow } from './window.ts';
import { ZSTD_MAX_BLOCK } from './zstd-frame.ts';

/** What one block leaves behind for the next. */
export interface BlockState {
  huffman?: HuffmanTable;
  literalLengths?: FseTable;
  offsets?: FseTable;
  matchLengths?: FseTable;
  readonly repeats: [number, number, number];
  readonly literals: Bytes;
}

export function newBlockState(): BlockState {
  return { repeats: [1, 4, 8], literals: new Uint8Array(ZSTD_MAX_BLOCK) };
}

const ones = (count: number): number[] => Array.from({ length: count }, () => 1);
const upTo = (count: number, start: number): number[] => Array.from({ length: count }, (_, i) => start + i);

const LITERAL_LENGTH_BITS = [...ones(16).fill(0), 1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];
const LITERAL_LENGTH_BASE = [
  ...upTo(16, 0),
  ...[16, 18, 20, 22, 24, 28, 32, 40, 48, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768, 65536],
];
const MATCH_LENGTH_BITS = [...ones(32).fill(0), 1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];
const MATCH_LENGTH_BASE = [
  ...upTo(32, 3),
  ...[35, 37, 39, 41, 43, 47, 51, 59, 67, 83, 99, 131, 259, 515, 1027, 2051, 4099, 8195, 16387, 32771, 65539],
];

/** The three kinds of symbols, with their default distributions (RFC 8878, section 3.1.1.3.2.2). */
const KINDS = {
  literalLengths: {
    maxLog: 9,
    maxSymbol: 35,
    log: 6,
    distribution: [4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1, -1, -1, -1, -1],
  },
  offsets: { maxLog: 8, maxSymbol: 31, log: 5, distribution: [...ones(6), 2, 2, 2, ...ones(15), -1, -1, -1, -1, -1] },
  matchLengths: { maxLog: 9, maxSymbol: 52, log: 6, distribution: [1, 4, 3, 2, 2, 2, 2, 2, 2, ...ones(37), -1, -1, -1, -1, -1, -1, -1] },
} as const;
type Kind = keyof typeof KINDS;

const defaults = new Map<Kind, FseTable>();

function defaultTable(kind: Kind): FseTable {
  let table = defaults.get(kind);
  if (table === undefined) {
    table = buildFseTable(KINDS[kind].distribution, KINDS[kind].log);
    defaults.set(kind, table);
  }
  return table;
}

/** Decodes a compressed block behind the end of `window`, where {@link ZSTD_MAX_BLOCK} bytes have been reserved. */
export function decodeBlock(state: BlockState, block: Bytes, window: OutputWindow): void {
  const { length, end } = readLiterals(state, block);
  const literals = state.literals.subarray(0, length);
  const first = block[end];
  if (first === undefined) throw damagedZstd('a block without sequences section');
  let at = end + 1;
  let count = first;
  if (first === 255) {
    count = (block[at] ?? 0) + ((block[at + 1] ?? 0) << 8) + 0x7f00;
    at += 2;
  } else if (first >= 128) count = ((first - 128) << 8) + (block[at++] ?? 0);
  if (count === 0) {
    window.bytes.set(literals, window.end);
    window.end += literals.length;
    return;
  }
  const modes = block[at++];
  if (modes === undefined || modes & 3) throw damagedZstd('a sequences header with reserved bits');
  at = readTable(state, 'literalLengths', modes >> 6, block, at);
  at = readTable(state, 'offsets', (modes >> 4) & 3, block, at);
  at = readTable(state, 'matchLengths', (modes >> 2) & 3, block, at);
  execute(state, new BackwardBits(block.subarray(at)), count, literals, window);
}

function readLiterals(state: BlockState, block: Bytes): { length: number; end: number } {
  const byte = (i: number): number => block[i] ?? 0;
  const type = byte(0) & 3;
  const format = (byte(0) >> 2) & 3;
  if (type < 2) {
    const header = format === 1 ? 2 : format === 3 ? 3 : 1;
    const length =
      header === 1 ? byte(0) >> 3 : header === 2 ? (byte(0) >> 4) | (byte(1) << 4) : (byte(0) >> 4) | (byte(1) << 4) | (byte(2) << 12);
    const stored = type === 0 ? length : 1;
    if (length > ZSTD_MAX_BLOCK || header + stored > block.length) throw damagedZstd('literals without end');
    if (type === 0) state.literals.set(block.subarray(header, header + length));
    else state.literals.fill(byte(header), 0, length);
    return { length, end: header + stored };
  }
  const header = format < 2 ? 3 : format + 2;
  const bits = format < 2 ? 10 : format === 2 ? 14 : 18;
  let word = 0;
  for (let i = header - 1; i >= 0; i--) word = word * 256 + byte(i);
  const length = Math.floor(word / 16) % 2 ** bits;
  const compressed = Math.floor(word / 2 ** (4 + bits)) % 2 ** bits;
  const end = header + compressed;
  if (length > ZSTD_MAX_BLOCK || end > block.length) throw damagedZstd('literals without end');
  let at = header;
  const section = block.subarray(0, end);
  if (type === 2) {
    const tree = readHuffmanTable(section, at);
    state.huffman = tree.table;
    at = tree.end;
  }
  const { huffman } = state;
  if (huffman === undefined) throw damagedZstd('literals without Huffman tree');
  const target = state.literals.subarray(0, length);
  if (format === 0) {
    decodeHuffman(huffman, section.subarray(at), target);
    return { length, end };
  }
  const part = (length + 3) >> 2;
  if (3 * part > length || at + 6 > end) throw damagedZstd('four streams that do not fit');
  const starts = [at + 6, byte(at) | (byte(at + 1) << 8), byte(at + 2) | (byte(at + 3) << 8), byte(at + 4) | (byte(at + 5) << 8)];
  let from = starts[0] ?? 0;
  for (let i = 0; i < 4; i++) {
    const to = i < 3 ? from + (starts[i + 1] ?? 0) : end;
    if (to > end) throw damagedZstd('four streams that do not fit');
    decodeHuffman(huffman, section.subarray(from, to), target.subarray(i * part, i < 3 ? (i + 1) * part : length));
    from = to;
  }
  return { length, end };
}

function readTable(state: BlockState, kind: Kind, mode: number, block: Bytes, at: number): number {
  switch (mode) {
    case 0:
      state[kind] = defaultTable(kind);
      return at;
    case 1: {
      const symbol = block[at];
      if (symbol === undefined || symbol > KINDS[kind].maxSymbol) throw damagedZstd('a constant that is no symbol');
      state[kind] = constantTable(symbol);
      return at + 1;
    }
    case 2: {
      const { table, end } = readFseTable(block, at, KINDS[kind].maxLog, KINDS[kind].maxSymbol);
      state[kind] = table;
      return end;
    }
    default:
      if (state[kind] === undefined) throw damagedZstd('a table is to be repeated, but there is none');
      return at;
  }
}

function execute(state: BlockState, bits: BackwardBits, count: number, literals: Bytes, window: OutputWindow): void {
  const lengths = state.literalLengths!;
  const offsets = state.offsets!;
  const matches = state.matchLengths!;
  const { repeats } = state;
  const output = window.bytes;
  const earliest = window.end - window.reach;
  const limit = window.end + ZSTD_MAX_BLOCK;
  let out = window.end;
  let literal = 0;
  let lengthState = bits.read(lengths.log);
  let offsetState = bits.read(offsets.log);
  let matchState = bits.read(matches.log);
  for (let i = 0; i < count; i++) {
    const offsetCode = offsets.symbols[offsetState]!;
    const matchCode = matches.symbols[matchState]!;
    const lengthCode = lengths.symbols[lengthState]!;
    const value = 2 ** offsetCode + bits.read(offsetCode);
    const matchLength = MATCH_LENGTH_BASE[matchCode]! + bits.read(MATCH_LENGTH_BITS[matchCode]!);
    const literalLength = LITERAL_LENGTH_BASE[lengthCode]! + bits.read(LITERAL_LENGTH_BITS[lengthCode]!);
    if (i + 1 < count) {
      lengthState = lengths.base[lengthState]! + bits.read(lengths.bits[lengthState]!);
      matchState = matches.base[matchState]! + bits.read(matches.bits[matchState]!);
      offsetState = offsets.base[offsetState]! + bits.read(offsets.bits[offsetState]!);
    }
    if (bits.position < 0) throw damagedZstd('sequences that end too early');
    const offset = nextOffset(repeats, value, literalLength);
    if (literal + literalLength > literals.length || out + literalLength + matchLength > limit)
      throw damagedZstd('a sequence beyond the block');
    output.set(literals.subarray(literal, literal + literalLength), out);
    literal += literalLength;
    out += literalLength;
    if (offset === 0 || out - offset < earliest) throw damagedZstd('a match outside of the window');
    if (offset >= matchLength) {
      output.copyWithin(out, out - offset, out - offset + matchLength);
      out += matchLength;
    } else for (const end = out + matchLength; out < end; out++) output[out] = output[out - offset]!;
  }
  if (bits.position !== 0) throw damagedZstd('sequences that end at the wrong place');
  const rest = literals.subarray(literal);
  if (out + rest.length > limit) throw damagedZstd('a block that is too long');
  output.set(rest, out);
  window.end = out + rest.length;
}

/** Resolves an offset value against the last three offsets, and keeps them (RFC 8878, section 3.1.1.5). */
function nextOffset(repeats: [number, number, number], value: number, literalLength: number): number {
  if (value > 3) {
    repeats[2] = repeats[1];
    repeats[1] = repeats[0];
    repeats[0] = value - 3;
    return value - 3;
  }
  const index = value - 1 + (literalLength === 0 ? 1 : 0);
  if (index === 0) return repeats[0];
  const offset = index < 3 ? repeats[index]! : repeats[0] - 1;
  if (index > 1) repeats[2] = repeats[1];
  repeats[1] = repeats[0];
  repeats[0] = offset;
  return offset;
}
