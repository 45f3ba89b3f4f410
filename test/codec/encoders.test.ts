/** What our compressors write, the real tools read; what bzip2 writes, we read. */
import '../support/seed.ts';
import * as fs from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Bzip2Decoder } from '../../src/codec/bzip2.ts';
import type { StreamDecoder } from '../../src/codec/codecs.ts';
import { type EncodedFormat, streamEncoder } from '../../src/codec/encoders.ts';
import { GuestlessError } from '../../src/errors.ts';
import { nodeCodecs } from '../../src/platform/node/codecs.ts';
import { run } from '../support/oracle.ts';

const FORMATS: readonly EncodedFormat[] = ['gzip', 'xz', 'zstd', 'bzip2'];

function encode(format: EncodedFormat, bytes: Uint8Array, step = 70_001): Buffer {
  const encoder = streamEncoder(format, nodeCodecs);
  const parts: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += step) parts.push(encoder.push(bytes.subarray(at, at + step)));
  return Buffer.concat([...parts, encoder.finish()]);
}

function decode(decoder: StreamDecoder, bytes: Uint8Array, step: number): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += step) {
    decoder.push(bytes.subarray(at, at + step));
    for (let chunk = decoder.next(); chunk !== undefined; chunk = decoder.next()) parts.push(Buffer.from(chunk));
  }
  decoder.finish();
  return Buffer.concat(parts);
}

const text = new TextEncoder().encode(Array.from({ length: 20_000 }, (_, i) => `line ${i} of ${i % 97}\n`).join(''));
const SAMPLES: Readonly<Record<string, Uint8Array>> = {
  nothing: new Uint8Array(0),
  'one byte': Uint8Array.of(7),
  zeros: new Uint8Array(400_000),
  'a period': new TextEncoder().encode('ab'.repeat(60_000)),
  'runs around the limits': new Uint8Array([3, 4, 5, 254, 255, 256, 259, 260].flatMap((length, i) => Array.from({ length }, () => i))),
  text,
  'all bytes': Uint8Array.from({ length: 256 }, (_, i) => i),
};

describe.each(FORMATS)('%s', (format) => {
  test.each(Object.entries(SAMPLES))('%s', (_, bytes) => {
    const packed = encode(format, bytes);
    const { status, stdout, stderr } = run(format, ['-dc'], packed);
    expect([status, stderr]).toEqual([0, '']);
    expect(Buffer.compare(stdout, bytes)).toBe(0);
    expect(Buffer.compare(decode(nodeCodecs.stream(format), packed, 4099), bytes)).toBe(0);
  });

  test('any bytes in any pieces', () => {
    const bytes = fc.array(fc.tuple(fc.nat(3), fc.integer({ min: 1, max: 600 })), { maxLength: 60 });
    fc.assert(
      fc.property(bytes, fc.integer({ min: 1, max: 5000 }), (runs, step) => {
        const whole = Uint8Array.from(
          runs.flatMap(([byte, length]) => Array.from({ length }, (_, i) => (byte === 3 ? (i * 7) % 251 : byte))),
        );
        expect(Buffer.compare(decode(nodeCodecs.stream(format), encode(format, whole, step), step), whole)).toBe(0);
      }),
      { numRuns: 25 },
    );
  });
});

describe('bzip2', () => {
  test.each(['-1', '-5', '-9'])('what bzip2 %s writes', (level) => {
    const bytes = Buffer.concat([fs.readFileSync('/bin/bash'), new Uint8Array(1_200_000), text]);
    const packed = run('bzip2', [level, '-c'], bytes).stdout;
    expect(Buffer.compare(decode(new Bzip2Decoder(), packed, 65_536), bytes)).toBe(0);
  });

  test('streams one after the other, and rubbish behind them', () => {
    const packed = run('bzip2', ['-c'], Buffer.from('one\n')).stdout;
    expect(decode(new Bzip2Decoder(), Buffer.concat([packed, packed, Buffer.from('rubbish')]), 10).toString()).toBe('one\none\n');
  });

  test('cut off or changed, it is Corrupt and never anything else', () => {
    const packed = run('bzip2', ['-c'], Buffer.from(text)).stdout;
    expect(() => decode(new Bzip2Decoder(), packed.subarray(0, 2000), 500)).toThrow(expect.objectContaining({ code: 'CORRUPT' }));
    fc.assert(
      fc.property(fc.nat(packed.length - 1), fc.nat(255), (at, value) => {
        const damaged = Buffer.from(packed);
        damaged[at] = value;
        try {
          decode(new Bzip2Decoder(), damaged, 65_536);
        } catch (error) {
          if (!(error instanceof GuestlessError)) throw error;
        }
      }),
      { numRuns: 60 },
    );
  });
});
