/** The LZMA decoder inside of LZMA2 chunks (LZMA SDK, "lzma-specification.txt"). */
import type { Bytes } from '../bytes/struct.ts';
import { Corrupt } from '../errors.ts';
import type { OutputWindow } from './window.ts';

export function damagedXz(why: string): Corrupt {
  return new Corrupt(`damaged xz: ${why}`, { layer: 'xz' });
}

const HALF = 1024;
const STATES = 12;
const POSITION_STATES = 16;

/** Where each group of probabilities begins in one array. */
const IS_MATCH = 0;
const IS_REP = IS_MATCH + STATES * POSITION_STATES;
const IS_REP0 = IS_REP + STATES;
const IS_REP1 = IS_REP0 + STATES;
const IS_REP2 = IS_REP1 + STATES;
const IS_REP0_LONG = IS_REP2 + STATES;
const SLOT = IS_REP0_LONG + STATES * POSITION_STATES;
const SPECIAL = SLOT + 4 * 64;
const ALIGN = SPECIAL + 115;
const LENGTH = ALIGN + 16;
const LENGTH_SIZE: number = 2 + 2 * POSITION_STATES * 8 + 256;
const REP_LENGTH = LENGTH + LENGTH_SIZE;
const LITERAL = REP_LENGTH + LENGTH_SIZE;

export class LzmaDecoder {
  #probabilities = new Uint16Array(LITERAL);
  #contextBits = 0;
  #positionMask = 0;
  #literalPositionMask = 0;
  #state = 0;
  readonly #reps: [number, number, number, number] = [0, 0, 0, 0];
  #input: Bytes = new Uint8Array(0);
  #at = 0;
  #range = 0;
  #code = 0;

  /** New properties (one byte: (pb * 5 + lp) * 9 + lc), with a reset of all state. */
  setProperties(byte: number): void {
    if (byte >= 225) throw damagedXz(`properties ${byte}`);
    const lc = byte % 9;
    const lp = Math.floor(byte / 9) % 5;
    if (lc + lp > 4) throw damagedXz(`properties ${byte}`);
    this.#contextBits = lc;
    this.#literalPositionMask = (1 << lp) - 1;
    this.#positionMask = (1 << Math.floor(byte / 45)) - 1;
    this.#probabilities = new Uint16Array(LITERAL + (0x300 << (lc + lp)));
    this.reset();
  }

  reset(): void {
    this.#probabilities.fill(HALF);
    this.#state = 0;
    this.#reps.fill(0);
  }

  /** Decodes a chunk that gives exactly `length` bytes; `produced` is the count of bytes since the dictionary's reset. */
  decode(input: Bytes, length: number, window: OutputWindow, produced: number): void {
    this.#input = input;
    this.#at = 5;
    this.#range = 0xffffffff;
    this.#code = 0;
    for (let i = 1; i < 5; i++) this.#code = ((this.#code << 8) | (input[i] ?? 0)) >>> 0;
    if (input.length < 5 || input[0] !== 0) throw damagedXz('a chunk without range coder');
    const p = this.#probabilities;
    const end = window.end + length;
    const shift = produced - window.end;
    while (window.end < end) {
      if (this.#at > input.length) throw damagedXz('a chunk that ends too early');
      const position = window.end + shift;
      const positionState = position & this.#positionMask;
      const state = this.#state;
      if (this.#bit(p, IS_MATCH + state * POSITION_STATES + positionState) === 0) {
        this.#literal(window, position);
        continue;
      }
      let count: number;
      if (this.#bit(p, IS_REP + state) === 0) {
        count = this.#length(LENGTH, positionState);
        this.#newDistance(count);
        this.#state = state < 7 ? 7 : 10;
      } else {
        const short = this.#repeat(state, positionState);
        if (short) count = 1;
        else {
          count = this.#length(REP_LENGTH, positionState);
          this.#state = state < 7 ? 8 : 11;
        }
      }
      this.#copy(window, count, end, Math.min(window.reach, position));
    }
    if (this.#at !== input.length || this.#code !== 0) throw damagedXz('a chunk that ends at the wrong place');
  }

  #copy(window: OutputWindow, count: number, end: number, reach: number): void {
    const distance = this.#reps[0] + 1;
    if (distance > reach) throw damagedXz('a match outside of the window');
    if (window.end + count > end) throw damagedXz('a match beyond the chunk');
    const { bytes } = window;
    let out = window.end;
    if (distance >= count) bytes.copyWithin(out, out - distance, out - distance + count);
    else for (const stop = out + count; out < stop; out++) bytes[out] = bytes[out - distance]!;
    window.end += count;
  }

  #literal(window: OutputWindow, position: number): void {
    const p = this.#probabilities;
    const { bytes, end } = window;
    const before = position > 0 ? bytes[end - 1]! : 0;
    const context = ((position & this.#literalPositionMask) << this.#contextBits) + (before >> (8 - this.#contextBits));
    const base = LITERAL + 0x300 * context;
    let symbol = 1;
    if (this.#state >= 7) {
      const distance = this.#reps[0] + 1;
      if (distance > Math.min(window.reach, position)) throw damagedXz('a match outside of the window');
      let match = bytes[end - distance]!;
      while (symbol < 0x100) {
        const matchBit = (match >> 7) & 1;
        match <<= 1;
        const bit = this.#bit(p, base + ((1 + matchBit) << 8) + symbol);
        symbol = (symbol << 1) | bit;
        if (matchBit !== bit) break;
      }
    }
    while (symbol < 0x100) symbol = (symbol << 1) | this.#bit(p, base + symbol);
    bytes[window.end++] = symbol;
    this.#state = this.#state < 4 ? 0 : this.#state < 10 ? this.#state - 3 : this.#state - 6;
  }

  /** A match at one of the last distances; whether it is the one-byte form. */
  #repeat(state: number, positionState: number): boolean {
    const p = this.#probabilities;
    const reps = this.#reps;
    if (this.#bit(p, IS_REP0 + state) === 0) {
      if (this.#bit(p, IS_REP0_LONG + state * POSITION_STATES + positionState) === 0) {
        this.#state = state < 7 ? 9 : 11;
        return true;
      }
      return false;
    }
    let distance: number;
    if (this.#bit(p, IS_REP1 + state) === 0) distance = reps[1];
    else {
      if (this.#bit(p, IS_REP2 + state) === 0) distance = reps[2];
      else {
        distance = reps[3];
        reps[3] = reps[2];
      }
      reps[2] = reps[1];
    }
    reps[1] = reps[0];
    reps[0] = distance;
    return false;
  }

  #newDistance(count: number): void {
    const p = this.#probabilities;
    const reps = this.#reps;
    reps[3] = reps[2];
    reps[2] = reps[1];
    reps[1] = reps[0];
    const slot = this.#tree(SLOT + 64 * Math.min(count - 2, 3), 6);
    if (slot < 4) {
      reps[0] = slot;
      return;
    }
    const direct = (slot >> 1) - 1;
    let distance = (2 | (slot & 1)) * 2 ** direct;
    if (slot < 14) distance += this.#reverse(p, SPECIAL + distance - slot, direct);
    else {
      distance += this.#direct(direct - 4) * 16;
      distance += this.#reverse(p, ALIGN, 4);
    }
    reps[0] = distance;
  }

  #length(base: number, positionState: number): number {
    const p = this.#probabilities;
    if (this.#bit(p, base) === 0) return 2 + this.#tree(base + 2 + positionState * 8, 3);
    if (this.#bit(p, base + 1) === 0) return 10 + this.#tree(base + 2 + POSITION_STATES * 8 + positionState * 8, 3);
    return 18 + this.#tree(base + 2 + 2 * POSITION_STATES * 8, 8);
  }

  #tree(base: number, bits: number): number {
    let symbol = 1;
    for (let i = 0; i < bits; i++) symbol = (symbol << 1) | this.#bit(this.#probabilities, base + symbol);
    return symbol - (1 << bits);
  }

  #reverse(p: Uint16Array, base: number, bits: number): number {
    let symbol = 1;
    let value = 0;
    for (let i = 0; i < bits; i++) {
      const bit = this.#bit(p, base + symbol);
      symbol = (symbol << 1) | bit;
      value |= bit << i;
    }
    return value;
  }

  #direct(count: number): number {
    let value = 0;
    for (let i = 0; i < count; i++) {
      this.#range >>>= 1;
      const bit = this.#code >>> 0 >= this.#range ? 1 : 0;
      if (bit) this.#code = (this.#code - this.#range) >>> 0;
      value = value * 2 + bit;
      if (this.#range < 0x1000000) this.#normalise();
    }
    return value;
  }

  #bit(p: Uint16Array, index: number): number {
    const probability = p[index]!;
    const bound = (this.#range >>> 11) * probability;
    let bit: number;
    if (this.#code < bound) {
      this.#range = bound;
      p[index] = probability + ((2048 - probability) >> 5);
      bit = 0;
    } else {
      this.#range = (this.#range - bound) >>> 0;
      this.#code = (this.#code - bound) >>> 0;
      p[index] = probability - (probability >> 5);
      bit = 1;
    }
    if (this.#range < 0x1000000) this.#normalise();
    return bit;
  }

  #normalise(): void {
    this.#range = (this.#range << 8) >>> 0;
    this.#code = ((this.#code << 8) | (this.#input[this.#at++] ?? 0)) >>> 0;
  }
}
