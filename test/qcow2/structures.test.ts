import * as fs from 'node:fs';
import * as path from 'node:path';
import fc from 'fast-check';
import * as pako from 'pako';
import { describe, expect, it } from 'vitest';
import { type Codecs, decompressZstd } from '../../src/codec/index.ts';
import { deflateRawWithPako, inflateRawWithPako, type Pako } from '../../src/codec/pako.ts';
import { nodeCodecs } from '../../src/platform/node/index.ts';
import { compressedRange, encodeCompressedRange } from '../../src/qcow2/entries.ts';
import * as format from '../../src/qcow2/format.ts';
import { getRefcount, setRefcount } from '../../src/qcow2/refcounts.ts';
import { digest, open, qcow2Folder } from '../image/chains.ts';
import { FIXTURES } from '../support/images.ts';

describe('given any bytes', () => {
  const structures = [format.HEADER_V3, format.EXTENSION, format.FEATURE_NAME, format.SNAPSHOT, format.SNAPSHOT_EXTRA] as unknown as {
    name: string;
    size: number;
    read(bytes: Uint8Array): object;
    write(bytes: Uint8Array, at: number, value: object): void;
  }[];

  it.each(structures.map((one) => [one.name, one] as const))('what is read from a %s is written back the same', (_name, one) => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: one.size, maxLength: one.size }), (bytes) => {
        if ('l1_table_offset' in one.read(new Uint8Array(one.size))) bytes[0] = 0;
        bytes[1] = (bytes[1] ?? 0) & 0x1f;
        const copy = bytes.slice();
        one.write(copy, 0, one.read(bytes));
        expect(copy).toEqual(bytes);
      }),
      { numRuns: 100 },
    );
  });

  it('a compressed cluster descriptor keeps its range', () => {
    fc.assert(
      fc.property(fc.integer({ min: 9, max: 21 }), fc.nat(2 ** 31 - 1), fc.nat(60000), fc.nat(), (bits, high, low, size) => {
        const offset = (high % 2 ** 14) * 2 ** 32 + high + low;
        const length = 1 + (size % (2 ** bits - 1));
        const entry = encodeCompressedRange(offset, length, bits);
        const range = compressedRange(entry.high, entry.low, bits, {});
        expect(range.offset).toBe(offset);
        expect(range.length).toBeGreaterThanOrEqual(length);
        expect(range.length - length).toBeLessThan(512);
      }),
    );
  });

  it('a refcount of any width keeps to its bits', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 6 }),
        fc.nat(63),
        fc.nat(2 ** 31 - 1),
        fc.uint8Array({ minLength: 512, maxLength: 512 }),
        (order, index, value, bytes) => {
          const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
          const neighbours = (): number[] => [index + 1, index + 62].map((i) => (i < 64 ? getRefcount(view, i, order) : 0));
          const before = neighbours();
          const wanted = value % 2 ** Math.min(31, 2 ** order);
          setRefcount(view, index, order, wanted);
          expect(getRefcount(view, index, order)).toBe(wanted);
          expect(neighbours()).toEqual(before);
        },
      ),
    );
  });
});

describe('given the decoders of browsers', () => {
  const library = pako as unknown as Pako;
  const portable: Codecs = {
    ...nodeCodecs,
    inflateRaw: (input, target) => inflateRawWithPako(library, input, target),
    deflateRaw: (input) => deflateRawWithPako(library, input),
    zstdDecompress: decompressZstd,
  };
  const golden = JSON.parse(fs.readFileSync(path.join(FIXTURES, 'qcow2/golden.json'), 'utf8')) as Record<string, { sha256?: string }>;

  it.each(Object.keys(golden).filter((name) => /^(zlib|zstd)/.test(name)))('%s reads the same without node:zlib and wasm', (name) => {
    const image = open(path.join(qcow2Folder(), name), { codecs: portable });
    expect(digest(image)).toBe(golden[name]?.sha256);
    image.close();
  });

  it('what pako deflates stays in a window of 4 KiB', () => {
    const input = fs.readFileSync(path.join(qcow2Folder(), 'src.raw')).subarray(0, 200_000);
    for (const codecs of [portable, nodeCodecs]) {
      const target = new Uint8Array(input.length);
      const inflate = new pako.Inflate({ raw: true, windowBits: 12, chunkSize: input.length });
      inflate.push(codecs.deflateRaw(input), true);
      expect(inflate.err).toBe(0);
      target.set(inflate.result as Uint8Array);
      expect(Buffer.from(target).equals(input)).toBe(true);
    }
  });
});
