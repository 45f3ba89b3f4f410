import * as fs from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GuestlessError, Refused } from '../../src/errors.ts';
import { runSync } from '../../src/io/index.ts';
import {
  amendQcow2,
  applySnapshot,
  createSnapshot,
  deleteSnapshot,
  emptyQcow2,
  measureQcow2,
  repairQcow2,
  resizeQcow2,
  setBacking,
  type WritableQcow2,
} from '../../src/qcow2/index.ts';
import { must, run } from '../support/oracle.ts';
import { asRaw, CLEAN, checked, eachPrefix, headerOf, made, onDisk, openWritable, Recorder } from './writing.ts';

const MIB = 1 << 20;
const SECTOR = 512;
const at = { seconds: 1_700_000_000, nanoseconds: 5 };

type Step =
  | { readonly kind: 'write' | 'zero'; readonly at: number; readonly length: number; readonly byte: number }
  | { readonly kind: 'create' | 'flush' }
  | { readonly kind: 'apply' | 'delete'; readonly which: number }
  | { readonly kind: 'resize'; readonly size: number }
  | { readonly kind: 'compressed'; readonly at: number; readonly byte: number };

const step = (size: number): fc.Arbitrary<Step> =>
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constantFrom('write' as const, 'zero' as const),
        at: fc.nat(size),
        length: fc.integer({ min: 1, max: 150_000 }),
        byte: fc.integer({ min: 1, max: 255 }),
      }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('create' as const, 'flush' as const) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('apply' as const, 'delete' as const), which: fc.nat(5) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('resize' as const), size: fc.nat(size * 2) }) },
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constant('compressed' as const), at: fc.nat(size), byte: fc.integer({ min: 1, max: 255 }) }),
    },
  );

interface Model {
  disk: Uint8Array;
  readonly snapshots: { id: string; disk: Uint8Array }[];
}

function resized(disk: Uint8Array, size: number): Uint8Array {
  const grown = new Uint8Array(size);
  grown.set(disk.subarray(0, size));
  return grown;
}

function take(image: WritableQcow2, model: Model, given: Step): void {
  const size = model.disk.length;
  switch (given.kind) {
    case 'write':
    case 'zero': {
      if (given.at >= size) return;
      const length = Math.min(given.length, size - given.at);
      if (given.kind === 'zero') runSync(image.writeZeroes(given.at, length));
      else runSync(image.write(given.at, new Uint8Array(length).fill(given.byte)));
      model.disk.fill(given.kind === 'zero' ? 0 : given.byte, given.at, given.at + length);
      break;
    }
    case 'flush':
      runSync(image.flush());
      break;
    case 'create': {
      const { id } = runSync(createSnapshot(image, { name: `s${model.snapshots.length}`, ...at }));
      model.snapshots.push({ id, disk: model.disk.slice() });
      break;
    }
    case 'apply': {
      const snapshot = model.snapshots[given.which % Math.max(1, model.snapshots.length)];
      if (snapshot === undefined) return;
      runSync(applySnapshot(image, snapshot.id));
      model.disk = snapshot.disk.slice();
      break;
    }
    case 'delete': {
      const index = given.which % Math.max(1, model.snapshots.length);
      const snapshot = model.snapshots[index];
      if (snapshot === undefined) return;
      runSync(deleteSnapshot(image, snapshot.id));
      model.snapshots.splice(index, 1);
      break;
    }
    case 'resize': {
      const wanted = Math.ceil(given.size / SECTOR) * SECTOR;
      runSync(resizeQcow2(image, given.size));
      model.disk = resized(model.disk, wanted);
      break;
    }
    case 'compressed': {
      const { clusterSize } = image.file;
      const start = given.at - (given.at % clusterSize);
      if (start >= size) return;
      const bytes = Uint8Array.from({ length: Math.min(clusterSize, size - start) }, (_, i) => (i % 97 === 0 ? given.byte : i >> 8));
      runSync(image.writeCompressed(start, bytes));
      model.disk.set(bytes, start);
      break;
    }
  }
}

function judge(source: Recorder, model: Model): void {
  const file = onDisk(source.bytes, 'steps.qcow2');
  expect(checked(file)).toEqual(CLEAN);
  expect(Buffer.compare(asRaw(file), model.disk)).toBe(0);
  for (const { id, disk } of model.snapshots) {
    // qemu-img shows a snapshot in the size that the disk has now.
    const shown = asRaw(file, '-l', `snapshot.id=${id}`);
    const common = Math.min(shown.length, disk.length);
    expect(Buffer.compare(shown.subarray(0, common), disk.subarray(0, common))).toBe(0);
  }
}

describe('random writing with snapshots, compression and resizing', () => {
  it.each([
    ['', false],
    ['cluster_size=512,refcount_bits=64', false],
    ['cluster_size=4k,refcount_bits=8,compression_type=zstd', true],
    ['extended_l2=on,cluster_size=16k', true],
  ])('of an image with %s (backed: %s)', (options, backed) => {
    const size = MIB + 3 * SECTOR;
    const base = new Uint8Array(2 * MIB).fill(0x77);
    const empty = made(size, options, ...(backed ? ['-b', onDisk(base, 'steps-base.raw'), '-F', 'raw'] : []));
    fc.assert(
      fc.property(fc.array(step(size), { minLength: 3, maxLength: 16 }), (steps) => {
        const source = new Recorder(empty);
        const image = openWritable(source, backed ? base : undefined);
        const model: Model = { disk: backed ? base.slice(0, size) : new Uint8Array(size), snapshots: [] };
        for (const given of steps) take(image, model, given);
        expect(Buffer.compare(runSync(image.read(0, image.size)), model.disk)).toBe(0);
        runSync(image.flush());
        judge(source, model);
      }),
      { numRuns: 8 },
    );
  });
});

describe('a snapshot', () => {
  function prepared(options = 'cluster_size=4k'): { source: Recorder; image: WritableQcow2 } {
    const source = new Recorder(made(MIB, options));
    const image = openWritable(source);
    runSync(image.write(1000, new Uint8Array(200_000).fill(1)));
    runSync(createSnapshot(image, { name: 'one', ...at }));
    runSync(image.write(5000, new Uint8Array(100_000).fill(2)));
    runSync(image.flush());
    return { source, image };
  }

  it.each<[string, (image: WritableQcow2) => void]>([
    ['taken', (image) => runSync(createSnapshot(image, { name: 'two', ...at }))],
    ['applied', (image) => runSync(applySnapshot(image, 'one'))],
    ['deleted', (image) => runSync(deleteSnapshot(image, '1'))],
    ['and the size, changed', (image) => runSync(resizeQcow2(image, 3 * MIB))],
    ['and the size, cut', (image) => runSync(resizeQcow2(image, 50_000))],
    ['and the disk, emptied', (image) => runSync(emptyQcow2(image))],
  ])('%s, is so as a whole or not at all, whatever interrupts it', (_, change) => {
    const { source, image } = prepared();
    const before = new Uint8Array(source.bytes);
    const log = source.log.length;
    change(image);
    const old = Buffer.from(asRaw(onDisk(before, 'before.qcow2')));
    const now = Buffer.from(asRaw(onDisk(source.bytes, 'after.qcow2')));
    expect(checked(onDisk(source.bytes, 'after.qcow2'))).toEqual(CLEAN);
    eachPrefix(before, source.log.slice(log), (state) => {
      const file = onDisk(state, 'prefix.qcow2');
      expect({ ...checked(file), leaks: 0 }).toEqual(CLEAN);
      const shown = asRaw(file);
      expect(shown.equals(old) || shown.equals(now)).toBe(true);
    });
  });

  it('that cannot be written leaves everything as it was', () => {
    for (let k = 1; ; k++) {
      const { source, image } = prepared();
      const disk = Buffer.from(runSync(image.read(0, image.size)));
      source.failIn = k;
      try {
        runSync(createSnapshot(image, { name: 'two', ...at }));
        break;
      } catch (error) {
        if (!(error instanceof GuestlessError)) throw error;
      }
      source.failIn = 0;
      const file = onDisk(source.bytes, 'failed.qcow2');
      expect({ ...checked(file), leaks: 0 }).toEqual(CLEAN);
      expect(Buffer.compare(asRaw(file), disk)).toBe(0);
      runSync(image.write(0, new Uint8Array(70_000).fill(9)));
      runSync(deleteSnapshot(image, 'one'));
      runSync(image.flush());
      expect(checked(onDisk(source.bytes, 'failed.qcow2'))).toEqual(CLEAN);
    }
  });

  it('needs refcounts that can count to two', () => {
    const source = new Recorder(made(MIB, 'refcount_bits=1'));
    const image = openWritable(source);
    runSync(image.write(0, new Uint8Array(1000).fill(3)));
    runSync(image.flush());
    const before = new Uint8Array(source.bytes);
    expect(() => runSync(createSnapshot(image, { name: 'no', ...at }))).toThrow(Refused);
    expect(Buffer.compare(source.bytes, before)).toBe(0);
    runSync(image.write(100, new Uint8Array(10).fill(4)));
    runSync(image.flush());
    expect(checked(onDisk(source.bytes, 'narrow.qcow2'))).toEqual(CLEAN);
  });

  it('of ours is used by qemu-img, and one of qemu-img by us', () => {
    const { source } = prepared();
    const file = onDisk(source.bytes, 'snapshots.qcow2');
    must('qemu-img', 'snapshot', '-c', 'two', file);
    must('qemu-img', 'snapshot', '-a', 'one', file);
    must('qemu-io', '-c', 'read -P 1 1000 200000', '-c', 'write -P 7 0 64k', file);
    const again = new Recorder(fs.readFileSync(file));
    const image = openWritable(again);
    expect(image.file.snapshots.map(({ id, name }) => [id, name])).toEqual([
      ['1', 'one'],
      ['2', 'two'],
    ]);
    runSync(applySnapshot(image, 'two'));
    expect(runSync(image.read(5000, 100_000)).every((byte) => byte === 2)).toBe(true);
    runSync(deleteSnapshot(image, 'one'));
    runSync(deleteSnapshot(image, '2'));
    expect(checked(onDisk(again.bytes, 'snapshots.qcow2'))).toEqual(CLEAN);
  });
});

describe('other changes', () => {
  it('growing over a longer backing file shows zeros', () => {
    const base = new Uint8Array(MIB).fill(0x33);
    const source = new Recorder(made(100_352, '', '-b', onDisk(base, 'longer.raw'), '-F', 'raw'));
    runSync(resizeQcow2(openWritable(source, base), 2 * MIB));
    const file = onDisk(source.bytes, 'grown.qcow2');
    expect(checked(file)).toEqual(CLEAN);
    const disk = asRaw(file);
    expect(disk.length).toBe(2 * MIB);
    expect(disk.subarray(0, 100_352).every((byte) => byte === 0x33)).toBe(true);
    expect(disk.subarray(100_352).every((byte) => byte === 0)).toBe(true);
  });

  it('the backing file and the version are renamed; what is unknown in the header stays', () => {
    const source = new Recorder(made(MIB, ''));
    const image = openWritable(source);
    runSync(setBacking(image, { name: 'other.raw', format: 'raw' }));
    runSync(amendQcow2(image, { lazyRefcounts: true }));
    expect(headerOf(source.bytes).header).toMatchObject({ backing: { name: 'other.raw', format: 'raw' }, lazyRefcounts: true });
    runSync(setBacking(image, undefined));
    runSync(amendQcow2(image, { version: 2, lazyRefcounts: false }));
    const file = onDisk(source.bytes, 'amended.qcow2');
    expect(checked(file)).toEqual(CLEAN);
    expect(must('qemu-img', 'info', file)).toContain('compat: 0.10');
    runSync(amendQcow2(image, { version: 3 }));
    expect(must('qemu-img', 'info', onDisk(source.bytes, 'amended.qcow2'))).toContain('compat: 1.1');
  });

  it('bitmaps that record writes are marked as in use', () => {
    const file = onDisk(made(MIB, ''), 'bitmaps.qcow2');
    must('qemu-img', 'bitmap', '--add', file, 'b0');
    must('qemu-img', 'bitmap', '--add', '--disable', file, 'b1');
    const source = new Recorder(fs.readFileSync(file));
    const image = openWritable(source);
    runSync(image.write(0, new Uint8Array(10).fill(1)));
    runSync(image.flush());
    fs.writeFileSync(file, source.bytes);
    expect(checked(file)).toEqual(CLEAN);
    const { 'format-specific': specific } = JSON.parse(must('qemu-img', 'info', '--output=json', file));
    const flags = Object.fromEntries(specific.data.bitmaps.map(({ name, flags: list }: { name: string; flags: string[] }) => [name, list]));
    expect(flags['b0']).toContain('in-use');
    expect(flags['b1']).toEqual([]);
  });

  it('an image marked as corrupt is not written to', () => {
    const bytes = new Uint8Array(made(MIB, ''));
    bytes[79] = 2;
    expect(() => openWritable(new Recorder(bytes))).toThrow(Refused);
  });

  it.each(['leaks', 'all'] as const)('repairs what qemu-img would (%s)', (mode) => {
    const source = new Recorder(made(4 * MIB, ''));
    const image = openWritable(source);
    runSync(image.write(0, new Uint8Array(300_000).fill(6)));
    runSync(createSnapshot(image, { name: 's', ...at }));
    runSync(image.flush());
    // Refcounts of clusters: some too high, and for `all` some too low.
    const { offset } = { offset: image.file.allocator.table.number(0) };
    source.writeSync(offset + 2 * 3, Uint8Array.of(0, 1));
    if (mode === 'all') source.writeSync(offset + 2 * 5, Uint8Array.of(0, 0));
    const wrong = checked(onDisk(source.bytes, 'wrong.qcow2'));
    expect(wrong.leaks).toBeGreaterThan(0);
    const { report, leaksFixed } = runSync(repairQcow2(source, mode));
    expect(report).toMatchObject({ leaks: 0, corruptions: 0, checkErrors: 0 });
    expect(leaksFixed).toBe(wrong.leaks);
    const file = onDisk(source.bytes, 'repaired.qcow2');
    expect(checked(file)).toEqual(CLEAN);
    expect(
      asRaw(file)
        .subarray(0, 300_000)
        .every((byte) => byte === 6),
    ).toBe(true);
  });

  it('an image that was not closed is repaired before it is written', () => {
    const file = onDisk(made(MIB, 'lazy_refcounts=on'), 'dirty.qcow2');
    run('qemu-io', ['-c', 'write -P 0x44 0 256k', '-c', 'flush', '-c', 'sigraise 9', file]);
    const source = new Recorder(fs.readFileSync(file));
    expect(headerOf(source.bytes).header.dirty).toBe(true);
    expect(() => openWritable(source)).toThrow(Refused);
    runSync(repairQcow2(source, 'all'));
    runSync(openWritable(source).read(0, 1));
    const repaired = onDisk(source.bytes, 'dirty.qcow2');
    expect(checked(repaired)).toEqual(CLEAN);
    expect(
      asRaw(repaired)
        .subarray(0, 256 << 10)
        .every((byte) => byte === 0x44),
    ).toBe(true);
  });

  it.each(['', 'cluster_size=4k', 'cluster_size=2M', 'extended_l2=on', 'refcount_bits=64,cluster_size=512', 'preallocation=full'])(
    'measures like qemu-img (%s)',
    (options) => {
      const theirs = JSON.parse(
        must('qemu-img', 'measure', '--output=json', '-O', 'qcow2', ...(options === '' ? [] : ['-o', options]), '--size', '10000000'),
      );
      const given = new Map(options.split(',').map((pair) => pair.split('=') as [string, string]));
      const cluster = { '4k': 4096, '2M': 2 * MIB, '512': 512 }[given.get('cluster_size') ?? ''];
      const ours = runSync(
        measureQcow2({
          size: 10_000_000,
          ...(cluster === undefined ? {} : { clusterSize: cluster }),
          ...(given.has('extended_l2') ? { extendedL2: true } : {}),
          ...(given.has('refcount_bits') ? { refcountBits: 64 } : {}),
          ...(given.has('preallocation') ? { preallocation: 'full' as const } : {}),
        }),
      );
      expect({ required: ours.required, 'fully-allocated': ours.fullyAllocated }).toEqual(theirs);
    },
  );
});
