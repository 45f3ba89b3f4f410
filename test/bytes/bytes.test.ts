/** Checksums by their published vectors, names without loss, UUIDs in both byte orders, zeros. */
import { crc32 as zlibCrc32 } from 'node:zlib';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  compareBytes,
  concatBytes,
  crc16Update,
  crc32,
  crc32cUpdate,
  decodeName,
  encodeName,
  guidBytes,
  guidText,
  isZero,
  latin1,
  sameBytes,
  untilNul,
  uuidBytes,
  uuidText,
} from '../../src/bytes/index.ts';

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);
const crc32c = (bytes: Uint8Array): number => ~crc32cUpdate(0xffffffff, bytes) >>> 0;

describe('checksums', () => {
  test('of the string that catalogues use', () => {
    expect(crc32(ascii('123456789'))).toBe(0xcbf43926);
    expect(crc32c(ascii('123456789'))).toBe(0xe3069283);
    expect(crc16Update(0, ascii('123456789'))).toBe(0xbb3d);
  });

  test('CRC-32C by RFC 3720, appendix B.4', () => {
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
    expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
    expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e);
    expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => 31 - i))).toBe(0x113fdb5c);
  });

  test('CRC-32 agrees with zlib', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(crc32(bytes)).toBe(zlibCrc32(bytes));
      }),
    );
  });

  test('in pieces as in one, also within a larger array', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(), fc.nat(), fc.nat({ max: 0xffffffff }), (bytes, a, b, seed) => {
        const [start, end] = [a % (bytes.length + 1), b % (bytes.length + 1)].sort((x, y) => x - y) as [number, number];
        for (const update of [crc32cUpdate, crc16Update]) {
          const whole = update(seed, bytes);
          expect(update(update(update(seed, bytes, 0, start), bytes, start, end), bytes, end)).toBe(whole);
          expect(update(seed, bytes, start, end)).toBe(update(seed, bytes.slice(start, end)));
        }
      }),
    );
  });
});

describe('names', () => {
  const nearlyUtf8 = fc
    .array(
      fc.oneof(
        fc.uint8Array({ maxLength: 4 }),
        fc.string({ unit: 'binary', maxLength: 4 }).map((text) => new TextEncoder().encode(text)),
        // Truncated, overlong and surrogate sequences; a byte order mark; the escapes' own UTF-8.
        fc.constantFrom(
          [0xe2, 0x82],
          [0xc0, 0x80],
          [0xed, 0xa0, 0x80],
          [0xed, 0xb2, 0x80],
          [0xef, 0xbb, 0xbf],
          [0xf4, 0x90, 0x80, 0x80],
          [0xf0, 0x80, 0x80, 0x80],
        ),
      ),
    )
    .map((parts) => concatBytes(...parts.map((part) => Uint8Array.from(part))));

  test('any bytes survive the round trip through text', () => {
    fc.assert(
      fc.property(nearlyUtf8, (bytes) => {
        expect(encodeName(decodeName(bytes))).toEqual(bytes);
      }),
      { numRuns: 500 },
    );
  });

  test('different bytes are different texts', () => {
    fc.assert(
      fc.property(nearlyUtf8, nearlyUtf8, (a, b) => {
        expect(decodeName(a) === decodeName(b)).toBe(sameBytes(a, b));
      }),
    );
  });

  test('UTF-8 is read as UTF-8, and the rest as Python reads it with surrogateescape', () => {
    expect(decodeName(ascii('grün'))).toBe('grün');
    expect(decodeName(Uint8Array.of(0x63, 0xe9, 0x2e, 0xf0, 0x9f, 0x98, 0x80))).toBe('c\udce9.😀');
    expect(decodeName(Uint8Array.of(0xff))).toBe('\udcff');
  });

  test('end at NUL, compare as memcmp does', () => {
    expect(latin1(untilNul(ascii('label\0\0rest')))).toBe('label');
    expect(latin1(untilNul(ascii('full')))).toBe('full');
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 5 }), fc.uint8Array({ maxLength: 5 }), (a, b) => {
        expect(Math.sign(compareBytes(a, b))).toBe(Buffer.compare(a, b));
      }),
    );
  });
});

describe('UUIDs', () => {
  const bytes = Uint8Array.from({ length: 16 }, (_, i) => i + 0xf0 - (i === 0 ? 0xe0 : 0));

  test('text and bytes in both orders', () => {
    expect(uuidText(bytes)).toBe('10f1f2f3-f4f5-f6f7-f8f9-fafbfcfdfeff');
    expect(guidText(bytes)).toBe('F3F2F110-F5F4-F7F6-F8F9-FAFBFCFDFEFF');
    // The type of an EFI system partition as it stands on disks (UEFI specification, table 5-6).
    expect([...guidBytes('C12A7328-F81F-11D2-BA4B-00A0C93EC93B')].map((b) => b.toString(16).padStart(2, '0')).join('')).toBe(
      '28732ac11ff8d211ba4b00a0c93ec93b',
    );
  });

  test('survive the round trip', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (any) => {
        expect(uuidBytes(uuidText(any))).toEqual(any);
        expect(guidBytes(guidText(any))).toEqual(any);
      }),
    );
  });

  test('anything else is no UUID', () => {
    for (const text of [
      '',
      '10f1f2f3',
      `${uuidText(bytes)}0`,
      '10f1f2f3-f4f5-f6f7-f8f9-fafbfcfdfefg',
      '10f1f2f3f4f5f6f7f8f9fafbfcfdfeff',
    ]) {
      expect(() => uuidBytes(text)).toThrow(RangeError);
    }
  });
});

describe('isZero', () => {
  test('is true for zeros at every alignment and length, and false with any bit set anywhere', () => {
    fc.assert(
      fc.property(fc.nat({ max: 20 }), fc.nat({ max: 70 }), fc.nat({ max: 70 }), fc.nat({ max: 7 }), (start, length, place, bit) => {
        const bytes = new Uint8Array(120).fill(0xff);
        bytes.fill(0, start, start + length);
        expect(isZero(bytes, start, start + length)).toBe(true);
        expect(isZero(bytes.subarray(start, start + length))).toBe(true);
        if (length === 0) return;
        bytes[start + (place % length)] = 1 << bit;
        expect(isZero(bytes, start, start + length)).toBe(false);
        expect(isZero(bytes.subarray(start, start + length))).toBe(false);
      }),
      { numRuns: 500 },
    );
  });

  test('is not fooled by the bytes of minus zero and of the smallest double', () => {
    for (const place of [0, 7, 8, 15])
      for (const value of [0x80, 0x01]) {
        const bytes = new Uint8Array(16);
        bytes[place] = value;
        expect(isZero(bytes)).toBe(false);
      }
  });
});
