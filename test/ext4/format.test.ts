/** Structures and decoders by themselves: what is written reads back, and what is read writes back. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { clearBits, countClear, findClear, findSet, setBits, testBit } from '../../src/bytes/bitmap.ts';
import type { Field, Struct } from '../../src/bytes/struct.ts';
import { GuestlessError } from '../../src/errors.ts';
import { aclFromDisk, aclToDisk } from '../../src/ext4/acl.ts';
import { parseEntries, recordLength } from '../../src/ext4/directory.ts';
import { ciphertextTest, shownName } from '../../src/ext4/encrypted-name.ts';
import { parseExtentNode } from '../../src/ext4/extent-node.ts';
import * as format from '../../src/ext4/format/index.ts';
import { decodeTime, deviceNumber, encodeTime } from '../../src/ext4/inode.ts';
import { parseXattrEntries } from '../../src/ext4/xattr.ts';

type AnyStruct = Struct<Record<string, Field<unknown>>>;
const structs = (Object.values(format) as readonly unknown[]).filter((value): value is AnyStruct => {
  return typeof value === 'object' && value !== null && 'fields' in value;
});

/** The library's answer to any bytes: a result or one of its errors. */
function answered(body: () => unknown): void {
  try {
    body();
  } catch (error) {
    expect(error).toBeInstanceOf(GuestlessError);
  }
}

describe.each(structs.map((struct, i) => [`${struct.name} ${struct.size} (${i})`, struct] as const))('%s', (_, struct) => {
  test('write(read(bytes)) gives the bytes of its fields back', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: struct.size, maxLength: struct.size }), (bytes) => {
        const copy = new Uint8Array(struct.size);
        struct.write(copy, 0, struct.read(bytes));
        for (const field of Object.values(struct.fields)) {
          expect(copy.subarray(field.offset, field.offset + field.length)).toEqual(
            bytes.subarray(field.offset, field.offset + field.length),
          );
        }
      }),
      { numRuns: 20 },
    );
  });
});

describe('times', () => {
  test('every time from 1901 to 2446 reads back', () => {
    const seconds = fc.oneof(
      fc.integer({ min: -(2 ** 31), max: 15032385535 }),
      fc.constantFrom(-(2 ** 31), -1, 0, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 15032385535),
    );
    fc.assert(
      fc.property(seconds, fc.integer({ min: 0, max: 999_999_999 }), (whole, nanoseconds) => {
        const stored = encodeTime({ seconds: whole, nanoseconds });
        expect(decodeTime(stored.seconds, stored.extra)).toEqual({ seconds: whole, nanoseconds });
      }),
    );
  });

  test('later and earlier times are clamped, and impossible nanoseconds are none', () => {
    expect(
      decodeTime(encodeTime({ seconds: 1e12, nanoseconds: 0 }).seconds, encodeTime({ seconds: 1e12, nanoseconds: 0 }).extra).seconds,
    ).toBe(15032385535);
    expect(decodeTime(encodeTime({ seconds: -1e12, nanoseconds: 0 }).seconds, 0).seconds).toBe(-(2 ** 31));
    expect(decodeTime(5, 0xffffffff).nanoseconds).toBe(0);
  });
});

test('device numbers in both forms', () => {
  const block = new Uint8Array(60);
  block.set([0xff, 0x07]);
  expect(deviceNumber(block)).toEqual({ major: 7, minor: 255 });
  block.fill(0);
  block.set([0xff, 0xff, 0xff, 0xff], 4);
  expect(deviceNumber(block)).toEqual({ major: 4095, minor: 1048575 });
});

test('record lengths of blocks of 64 KiB', () => {
  expect(recordLength(12, 1024)).toBe(12);
  expect(recordLength(65535, 65536)).toBe(65536);
  expect(recordLength(0, 65536)).toBe(65536);
  expect(recordLength(65532, 65536)).toBe(65532);
});

describe('access control lists', () => {
  const entry = fc.oneof(
    fc.tuple(fc.constantFrom(1, 4, 0x10, 0x20), fc.nat(7), fc.constant(0xffffffff)),
    fc.tuple(fc.constantFrom(2, 8), fc.nat(7), fc.nat(0xfffffffe)),
  );
  test('the form of getxattr goes to the disk and comes back', () => {
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 32 }), (entries) => {
        const xattr = Buffer.alloc(4 + 8 * entries.length);
        xattr.writeUInt32LE(2);
        entries.forEach(([tag, permissions, id], i) => {
          xattr.writeUInt16LE(tag, 4 + 8 * i);
          xattr.writeUInt16LE(permissions, 6 + 8 * i);
          xattr.writeUInt32LE(id, 8 + 8 * i);
        });
        const disk = aclToDisk(new Uint8Array(xattr));
        expect(aclFromDisk(disk!, {})).toEqual(new Uint8Array(xattr));
      }),
    );
  });
  test('other bytes are an error of the library', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => answered(() => aclFromDisk(bytes, {}))));
  });
});

describe('decoders get any bytes', () => {
  const plain = { blockSize: 1024, hasFileType: true, encrypted: false, storedHash: false, inodesCount: 100 };
  test('directory entries', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 128 }), (bytes) => answered(() => parseEntries(bytes, 0, bytes.length, plain, {}, []))),
    );
  });
  test('extent nodes', () => {
    const bounds = { first: 1, end: 1000, depth: undefined, from: undefined, to: 2 ** 32 };
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 60, maxLength: 60 }), fc.nat(6), (bytes, entries) => {
        bytes.set([0x0a, 0xf3, entries, 0, 4, 0, 0, 0]);
        answered(() => parseExtentNode(bytes, bounds, {}));
      }),
    );
  });
  test('lists of attributes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 256 }), (bytes) => answered(() => parseXattrEntries(bytes, 0, 0, bytes.length, {}))));
  });
});

test('the shown name of ciphertext stands for that ciphertext alone', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 16, maxLength: 255 }), fc.nat(0xffffffff), (ciphertext, hash) => {
      const shown = shownName(ciphertext, hash, 7);
      expect(shown.length).toBeLessThanOrEqual(255);
      expect(Buffer.from(shown).toString('latin1')).toMatch(/^[A-Za-z0-9_-]+$/);
      const same = ciphertextTest(shown)!;
      expect(same(ciphertext)).toBe(true);
      const other = ciphertext.slice();
      other[other.length - 1]! ^= 1;
      expect(same(other)).toBe(false);
    }),
  );
});

test('runs of bits', () => {
  fc.assert(
    fc.property(fc.nat(200), fc.nat(200), (a, b) => {
      const [start, end] = a < b ? [a, b] : [b, a];
      const bitmap = new Uint8Array(32);
      setBits(bitmap, start, end);
      for (let i = 0; i < 256; i++) expect(testBit(bitmap, i)).toBe(i >= start && i < end);
      expect(countClear(bitmap, 250)).toBe(250 - (end - start));
      expect(findSet(bitmap, 0, 256)).toBe(start === end ? 256 : start);
      if (start < end) expect(findClear(bitmap, start, 256)).toBe(end);
      clearBits(bitmap, start, end);
      expect(countClear(bitmap, 256)).toBe(256);
    }),
  );
});
