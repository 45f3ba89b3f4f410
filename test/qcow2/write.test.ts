import * as fs from 'node:fs';
import * as path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runSync } from '../../src/io/index.ts';
import type { WritableQcow2 } from '../../src/qcow2/index.ts';
import { must } from '../support/oracle.ts';
import { asRaw, CLEAN, checked, eachPrefix, folder, made, onDisk, openWritable, Recorder } from './writing.ts';

interface Operation {
  readonly kind: 'write' | 'zero' | 'discard' | 'flush';
  readonly offset: number;
  readonly length: number;
  readonly byte: number;
}

const SECTOR = 512;

function operations(size: number, most = 20): fc.Arbitrary<Operation[]> {
  const unit = fc.oneof(fc.constant(1), fc.constant(SECTOR), fc.constant(4096), fc.constant(65536));
  const operation = fc
    .record({
      kind: fc.constantFrom<Operation['kind']>('write', 'write', 'write', 'zero', 'discard', 'flush'),
      unit,
      at: fc.nat(size),
      count: fc.integer({ min: 1, max: 300 }),
      byte: fc.integer({ min: 0, max: 255 }),
    })
    .map(({ kind, unit: step, at, count, byte }): Operation => {
      const offset = Math.min(size - 1, at - (at % step));
      return { kind, offset, length: Math.min(size - offset, count * step), byte };
    });
  return fc.array(operation, { minLength: 1, maxLength: most });
}

function apply(image: WritableQcow2, model: Uint8Array, { kind, offset, length, byte }: Operation): void {
  switch (kind) {
    case 'write': {
      const bytes = Uint8Array.from({ length }, (_, i) => (byte + i * 7 + (i >> 9)) & 0xff);
      runSync(image.write(offset, bytes));
      model.set(bytes, offset);
      break;
    }
    case 'zero':
      runSync(image.writeZeroes(offset, length));
      model.fill(0, offset, offset + length);
      break;
    case 'discard':
      runSync(image.discard(offset, length));
      model.fill(0, offset, offset + length);
      break;
    case 'flush':
      runSync(image.flush());
      break;
  }
}

const SIZE = 3 * (1 << 20) + 3 * SECTOR;

const SHAPES: [string, { backed?: number }][] = [
  ['', {}],
  ['compat=0.10', {}],
  ['compat=0.10', { backed: SIZE }],
  ['cluster_size=512', {}],
  ['cluster_size=512,refcount_bits=64', { backed: SIZE - 70_000 }],
  ['cluster_size=4k,refcount_bits=1', {}],
  ['cluster_size=4k,refcount_bits=2', { backed: 100_352 }],
  ['refcount_bits=8', { backed: SIZE + 65536 }],
  ['refcount_bits=32,lazy_refcounts=on', {}],
  ['cluster_size=2M', { backed: SIZE }],
  ['extended_l2=on', {}],
  ['extended_l2=on,cluster_size=16k', { backed: SIZE }],
  ['extended_l2=on,cluster_size=16k,preallocation=metadata', { backed: 1 << 20 }],
  ['preallocation=metadata', {}],
];

describe('random writing', () => {
  it.each(SHAPES)('of an image with %s %o is what a model says, and clean', (options, { backed }) => {
    const base = backed === undefined ? undefined : Uint8Array.from({ length: backed }, (_, i) => 1 + (i >> 9) + (i & 1));
    const backing = base === undefined ? [] : ['-b', onDisk(base, 'base.raw'), '-F', 'raw'];
    const empty = made(SIZE, options, ...backing);
    fc.assert(
      fc.property(operations(SIZE), (sequence) => {
        const source = new Recorder(empty);
        const image = openWritable(source, base);
        const model = new Uint8Array(SIZE);
        if (base !== undefined) model.set(base.subarray(0, SIZE));
        for (const operation of sequence) apply(image, model, operation);
        expect(Buffer.compare(runSync(image.read(0, SIZE)), model)).toBe(0);
        runSync(image.flush());
        const file = onDisk(source.bytes, 'written.qcow2');
        expect(checked(file)).toEqual(CLEAN);
        expect(Buffer.compare(asRaw(file), model)).toBe(0);
        const again = openWritable(new Recorder(source.bytes), base);
        expect(Buffer.compare(runSync(again.read(0, SIZE)), model)).toBe(0);
      }),
      { numRuns: 4 },
    );
  });

  it.each(['', 'data_file_raw=on'])('goes into a data file (%s)', (raw) => {
    const data = path.join(folder, `data${raw}.raw`);
    const empty = made(SIZE, `data_file=${data}${raw === '' ? '' : `,${raw}`}`);
    fc.assert(
      fc.property(operations(SIZE), (sequence) => {
        const source = new Recorder(empty);
        const external = new Recorder(new Uint8Array(SIZE));
        const image = openWritable(source, undefined, external);
        const model = new Uint8Array(SIZE);
        for (const operation of sequence) apply(image, model, operation);
        runSync(image.flush());
        const file = onDisk(source.bytes, 'written.qcow2');
        fs.writeFileSync(data, external.bytes);
        expect(external.size).toBe(SIZE);
        expect(checked(file)).toEqual(CLEAN);
        expect(Buffer.compare(asRaw(file), model)).toBe(0);
        if (raw !== '') expect(Buffer.compare(external.bytes, model)).toBe(0);
      }),
      { numRuns: 3 },
    );
  });

  it('goes on where qemu-io was, and qemu-io where we were', () => {
    const file = onDisk(made('8M', 'cluster_size=4k'), 'both.qcow2');
    must('qemu-io', '-c', 'write -P 1 0 1M', '-c', 'write -z 64k 64k', '-c', 'discard 128k 64k', '-c', 'write -c -P 5 1M 4k', file);
    const source = new Recorder(fs.readFileSync(file));
    const image = openWritable(source);
    runSync(image.write((1 << 20) + 100, new Uint8Array(50).fill(9)));
    runSync(image.write(70_000, new Uint8Array(5000).fill(2)));
    runSync(image.flush());
    fs.writeFileSync(file, source.bytes);
    expect(checked(file)).toEqual(CLEAN);
    must('qemu-io', '-c', 'read -P 2 70000 5000', '-c', 'read -P 0 65536 4464', '-c', 'read -P 5 1M 100', file);
    must('qemu-io', '-c', `read -P 9 ${(1 << 20) + 100} 50`, '-c', 'write -P 8 3M 70000', file);
    expect(checked(file)).toEqual(CLEAN);
  });
});

describe('an interruption', () => {
  const shapes: [string, boolean][] = [
    ['cluster_size=4k', false],
    ['cluster_size=512,refcount_bits=64', true],
    ['extended_l2=on,cluster_size=16k', true],
  ];
  const size = 600 * 1024;
  const base = new Uint8Array(size).fill(0x55);

  it.each(shapes)('after any write leaves at most leaks (%s)', (options, backed) => {
    const backing = backed ? ['-b', onDisk(base, 'small.raw'), '-F', 'raw'] : [];
    const empty = made(size, options, ...backing);
    fc.assert(
      fc.property(operations(size, 8), (sequence) => {
        const source = new Recorder(empty);
        const image = openWritable(source, backed ? base : undefined);
        const model = new Uint8Array(size);
        if (backed) model.set(base);
        // Each byte is one that stood there at some time.
        const states = [model.slice()];
        for (const operation of sequence) {
          apply(image, model, operation);
          states.push(model.slice());
        }
        runSync(image.flush());
        const judge = (state: Uint8Array): void => {
          const { corruptions, errors } = checked(onDisk(state, 'prefix.qcow2'));
          expect({ corruptions, errors }).toEqual({ corruptions: 0, errors: 0 });
          const disk = runSync(openWritable(new Recorder(state), backed ? base : undefined).read(0, size));
          expect(disk.findIndex((byte, i) => states.every((one) => one[i] !== byte))).toBe(-1);
        };
        eachPrefix(empty, source.log, judge, 10);
      }),
      { numRuns: 4 },
    );
  });

  it('of a write that fails leaves the image clean, and it goes on', () => {
    const empty = made(size, 'cluster_size=512,refcount_bits=64');
    const write = (image: WritableQcow2, at: number, byte: number): void => runSync(image.write(at, new Uint8Array(40_000).fill(byte)));
    for (let k = 1; k < 60; k += 4) {
      const source = new Recorder(empty);
      const image = openWritable(source);
      write(image, 1000, 1);
      runSync(image.flush());
      source.failIn = k;
      let failed = false;
      try {
        write(image, 100_000, 2);
        write(image, 30_000, 3);
        runSync(image.writeZeroes(0, 20_000));
        runSync(image.flush());
      } catch {
        failed = true;
      }
      const { corruptions, errors } = checked(onDisk(source.bytes, 'failed.qcow2'));
      expect({ k, corruptions, errors }).toEqual({ k, corruptions: 0, errors: 0 });
      source.failIn = 0;
      write(image, 300_000, 4);
      runSync(image.flush());
      const file = onDisk(source.bytes, 'failed.qcow2');
      expect({ k, ...checked(file) }).toEqual({ k, ...CLEAN });
      expect(
        asRaw(file)
          .subarray(300_000, 340_000)
          .every((byte) => byte === 4),
      ).toBe(true);
      if (!failed) break;
    }
  });
});
