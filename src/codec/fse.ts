/** Finite state entropy and backward bit streams, the building blocks of zstd (RFC 8878, section 4.1). */
import type { Bytes } from '../bytes/struct.ts';
import { Corrupt } from '../errors.ts';

export function damagedZstd(why: string): Corrupt {
  return new Corrupt(`damaged zstd: ${why}`, { layer: 'zstd' });
}

/** Index of the highest set bit; -1 for 0. */
export function highestBit(value: number): number {
  return 31 - Math.clz32(value);
}

/** Reads a bit stream from its last bit to its first. Before the first bit there are zeros, which `position < 0` betrays. */
export class BackwardBits {
  readonly #bytes: Bytes;
  /** Bits that are left. */
  position: number;

  constructor(bytes: Bytes) {
    const last = bytes[bytes.length - 1];
    if (last === undefined || last === 0) throw damagedZstd('a bit stream without end mark');
    this.#bytes = bytes;
    this.position = 8 * (bytes.length - 1) + highestBit(last);
  }

  /** The next `count` bits, at most 32. */
  read(count: number): number {
    if (count > 24) {
      const high = this.read(count - 16);
      return high * 65536 + this.read(16);
    }
    this.position -= count;
    return this.peekAt(this.position, count);
  }

  /** `count` (at most 24) bits from bit `at` upward. */
  peekAt(at: number, count: number): number {
    if (at < 0) return at + count <= 0 ? 0 : this.peekAt(0, at + count) << -at;
    const byte = at >>> 3;
    const bytes = this.#bytes;
    const word = bytes[byte]! | (bytes[byte + 1]! << 8) | (bytes[byte + 2]! << 16) | (bytes[byte + 3]! << 24);
    return (word >>> (at & 7)) & ((1 << count) - 1);
  }
}

/** A decoding table: for each state its symbol, how many bits to read, and what to add for the next state. */
export interface FseTable {
  readonly log: number;
  readonly symbols: Uint8Array;
  readonly bits: Uint8Array;
  readonly base: Uint16Array;
}

/** A table that always gives one symbol. */
export function constantTable(symbol: number): FseTable {
  return { log: 0, symbols: Uint8Array.of(symbol), bits: new Uint8Array(1), base: new Uint16Array(1) };
}

/** The table of a distribution; -1 stands for "less than 1". */
export function buildFseTable(distribution: ArrayLike<number>, log: number): FseTable {
  const size = 1 << log;
  const symbols = new Uint8Array(size);
  const bits = new Uint8Array(size);
  const base = new Uint16Array(size);
  const next = new Uint16Array(distribution.length);
  let high = size;
  for (let s = 0; s < distribution.length; s++) {
    if (distribution[s] === -1) {
      symbols[--high] = s;
      next[s] = 1;
    }
  }
  const step = (size >> 1) + (size >> 3) + 3;
  let position = 0;
  for (let s = 0; s < distribution.length; s++) {
    const count = distribution[s] ?? 0;
    if (count <= 0) continue;
    next[s] = count;
    for (let i = 0; i < count; i++) {
      symbols[position] = s;
      do position = (position + step) & (size - 1);
      while (position >= high);
    }
  }
  if (position !== 0) throw damagedZstd('a distribution that does not add up');
  for (let i = 0; i < size; i++) {
    const state = next[symbols[i]!]!++;
    bits[i] = log - highestBit(state);
    base[i] = (state << bits[i]!) - size;
  }
  return { log, symbols, bits, base };
}

/** Reads a table description at `at`; where it ends comes along. */
export function readFseTable(bytes: Bytes, at: number, maxLog: number, maxSymbol: number): { table: FseTable; end: number } {
  let bit = at * 8;
  const limit = bytes.length * 8;
  const take = (count: number): number => {
    if (bit + count > limit + 16) throw damagedZstd('a table description without end');
    const byte = bit >>> 3;
    const word = (bytes[byte] ?? 0) | ((bytes[byte + 1] ?? 0) << 8) | ((bytes[byte + 2] ?? 0) << 16);
    const value = (word >>> (bit & 7)) & ((1 << count) - 1);
    bit += count;
    return value;
  };
  const log = take(4) + 5;
  if (log > maxLog) throw damagedZstd(`a table of 2^${log} states`);
  const distribution: number[] = [];
  let remaining = 1 << log;
  while (remaining > 0) {
    const width = highestBit(remaining + 1) + 1;
    let value = take(width);
    const lower = (1 << (width - 1)) - 1;
    const threshold = (1 << width) - 1 - (remaining + 1);
    if ((value & lower) < threshold) {
      bit--;
      value &= lower;
    } else if (value > lower) value -= threshold;
    const probability = value - 1;
    remaining -= Math.abs(probability);
    distribution.push(probability);
    if (probability === 0) {
      for (let repeat = 3; repeat === 3; ) {
        repeat = take(2);
        for (let i = 0; i < repeat; i++) distribution.push(0);
      }
    }
    if (distribution.length > maxSymbol + 1) throw damagedZstd('a table with too many symbols');
  }
  const end = (bit + 7) >>> 3;
  if (remaining < 0 || end > bytes.length) throw damagedZstd('a table description that does not add up');
  return { table: buildFseTable(distribution, log), end };
}
