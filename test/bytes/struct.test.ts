/** One declaration for reading and writing: what is written is read back, and nothing beside it changes. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { array, be, joinU64, le, MAX_SAFE, raw, struct, u8 } from '../../src/bytes/index.ts';
import { Corrupt } from '../../src/errors.ts';

const MIXED = struct('mixed', 64, {
  byte: u8(0),
  half: le.u16(1),
  word: be.u32(3),
  signed: le.i32(7),
  long: be.u64(11),
  mask: le.u64bits(19),
  name: raw(27, 5),
  list: array(32, 3, be.u16),
  little: le.u64(40),
  last: be.i32(60),
});

const values = fc.record({
  byte: fc.integer({ min: 0, max: 0xff }),
  half: fc.integer({ min: 0, max: 0xffff }),
  word: fc.integer({ min: 0, max: 0xffff_ffff }),
  signed: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  long: fc.maxSafeNat(),
  mask: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  name: fc.uint8Array({ minLength: 5, maxLength: 5 }),
  list: fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 3, maxLength: 3 }),
  little: fc.maxSafeNat(),
  last: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
});

describe('struct', () => {
  test('what is written is read back, at any offset', () => {
    fc.assert(
      fc.property(values, fc.integer({ min: 0, max: 9 }), (value, offset) => {
        const bytes = new Uint8Array(80);
        MIXED.write(bytes, offset, value);
        expect(MIXED.read(bytes, offset)).toEqual(value);
      }),
    );
  });

  test('writing what was read changes nothing, and bytes outside of the fields stay', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 64, maxLength: 64 }), (bytes) => {
        // Two fields are numbers: only those up to 2^53 - 1 can be read at all.
        bytes[11] = bytes[12] = bytes[46] = bytes[47] = 0;
        bytes[12] = (bytes[12] as number) & 0x1f;
        const copy = bytes.slice();
        MIXED.write(copy, 0, MIXED.read(copy));
        expect(copy).toEqual(bytes);
      }),
    );
  });

  test('a part of the fields can be written alone', () => {
    const bytes = new Uint8Array(64).fill(0xaa);
    MIXED.write(bytes, 0, { half: 0x0102 });
    expect([...bytes.subarray(0, 5)]).toEqual([0xaa, 0x02, 0x01, 0xaa, 0xaa]);
    expect(bytes.subarray(3).every((byte) => byte === 0xaa)).toBe(true);
  });

  test('works on a view that does not begin at its buffer’s beginning', () => {
    const buffer = new Uint8Array(100);
    const bytes = buffer.subarray(13, 13 + 64);
    MIXED.write(bytes, 0, { word: 0x11223344, name: Uint8Array.of(1, 2, 3, 4, 5) });
    expect([...buffer.subarray(16, 20)]).toEqual([0x11, 0x22, 0x33, 0x44]);
    const name = MIXED.read(bytes).name;
    name.fill(9);
    expect([...buffer.subarray(40, 45)]).toEqual([1, 2, 3, 4, 5]);
  });

  test('bytes that end too early are Corrupt, whatever the offset', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 63 }), fc.integer({ min: -3, max: 70 }), (length, offset) => {
        expect(() => MIXED.read(new Uint8Array(length), offset)).toThrow(Corrupt);
      }),
    );
  });

  test('a field beyond the structure, and a value of the wrong length, are mistakes of ours', () => {
    expect(() => struct('short', 3, { word: le.u32(0) })).toThrow(RangeError);
    expect(() => MIXED.write(new Uint8Array(64), 0, { name: new Uint8Array(4) })).toThrow(RangeError);
  });
});

describe('64-bit numbers', () => {
  test('pass up to 2^53 - 1 and are Corrupt above', () => {
    expect(joinU64(0x1f_ffff, 0xffff_ffff)).toBe(MAX_SAFE);
    expect(() => joinU64(0x20_0000, 0)).toThrow(Corrupt);
    expect(() => joinU64(0xffff_ffff, 0xffff_ffff)).toThrow(/0xffffffffffffffff exceeds/);
  });
});
