import * as fs from 'node:fs';
import * as path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { StreamDecoder, StreamFormat } from '../../src/codec/index.ts';
import { GuestlessError } from '../../src/errors.ts';
import { nodeCodecs } from '../../src/platform/node/index.ts';
import { FIXTURES, fixture } from '../support/images.ts';
import { run } from '../support/oracle.ts';

const FORMATS: readonly (readonly [StreamFormat, string, readonly string[]])[] = [
  ['gzip', 'whole.gz', ['gzip', '-c']],
  ['zstd', 'whole.zst', ['zstd', '-q', '-3', '-c']],
  ['lz4', 'whole.lz4', ['lz4', '-q', '-c']],
  ['xz', 'whole.xz', ['xz', '-1', '-c']],
];

function decode(decoder: StreamDecoder, input: Uint8Array, piece: number): Buffer {
  const chunks: Buffer[] = [];
  for (let at = 0; at < input.length; at += piece) {
    decoder.push(input.subarray(at, at + piece));
    for (let chunk = decoder.next(); chunk !== undefined; chunk = decoder.next()) chunks.push(Buffer.from(chunk));
  }
  decoder.finish();
  return Buffer.concat(chunks);
}

const source = (): Buffer => fs.readFileSync(fixture('qcow2/src.raw'));

describe('given files compressed by the tools of the format', () => {
  it.each(FORMATS)('%s gives back the disk, in pieces of any size', (format, file) => {
    const input = fs.readFileSync(path.join(FIXTURES, 'qcow2', file));
    for (const piece of [input.length, 65536, 997]) expect(decode(nodeCodecs.stream(format), input, piece).equals(source())).toBe(true);
  });

  it.each(FORMATS)('%s: other levels, empty files and joined streams', (format, _file, [command = '', ...options]) => {
    const compress = (input: Uint8Array): Buffer => run(command, options, input).stdout;
    const small = Buffer.from('a short text, and a short text again');
    expect(decode(nodeCodecs.stream(format), compress(new Uint8Array(0)), 5)).toHaveLength(0);
    expect(decode(nodeCodecs.stream(format), Buffer.concat([compress(small), compress(small)]), 7).toString()).toBe(`${small}${small}`);
    expect(decode(nodeCodecs.stream(format), compress(source()), 50_000).equals(source())).toBe(true);
  });

  it.each(FORMATS)('%s that ends too early is Corrupt', (format, file) => {
    const input = fs.readFileSync(path.join(FIXTURES, 'qcow2', file));
    for (const length of [0, 3, 11, 5000, input.length - 9]) {
      expect(() => decode(nodeCodecs.stream(format), input.subarray(0, length), 4096)).toThrow(/CORRUPT|damaged|early|stream/i);
    }
  });

  it.each(FORMATS)('%s with changed bytes gives only our errors', (format, _file, [command = '', ...options]) => {
    const input = run(command, options, source().subarray(0, 150_000)).stdout;
    let seed = 12345;
    const random = (limit: number): number => {
      seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
      return Math.floor((seed / 2 ** 32) * limit);
    };
    for (let i = 0; i < 150; i++) {
      const changed = Buffer.from(input);
      for (let k = 0; k <= i % 3; k++) changed[random(changed.length)] = random(256);
      try {
        decode(nodeCodecs.stream(format), changed, 8192);
      } catch (error) {
        if (!(error instanceof GuestlessError)) throw error;
      }
    }
  });
});
