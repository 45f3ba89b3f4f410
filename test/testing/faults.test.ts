/** Disks that fail: exactly then, exactly so. */
import { describe, expect, test } from 'vitest';
import { Posix } from '../../src/errors.ts';
import { MemorySource, readExactly, runSync, WritableSourceDevice } from '../../src/io/index.ts';
import { FaultyDevice, FaultySource, failingAt, isInjected, VolatileSource } from '../../src/testing/index.ts';

const bytes = (length: number, fill: number): Uint8Array => new Uint8Array(length).fill(fill);

describe('a faulty source', () => {
  test('fails at the k-th request and works on afterwards', () => {
    const memory = new MemorySource(bytes(4096, 1));
    const source = new FaultySource(memory);
    source.arm({ after: 3 });
    source.writeSync(0, bytes(512, 2));
    source.readSync(0, new Uint8Array(512));
    expect(() => source.writeSync(512, bytes(512, 3))).toThrow('injected');
    source.writeSync(1024, bytes(512, 4));
    expect([0, 512, 1024, 1536].map((at) => memory.bytes[at])).toEqual([2, 1, 4, 1]);
    expect([source.requests, source.failures]).toEqual([4, 1]);
  });

  test('a short write stores its first half, a torn one every other sector', () => {
    const memory = new MemorySource(bytes(4096, 1));
    const source = new FaultySource(memory);
    source.arm({ after: 1, kind: 'short', code: 'ENOSPC' });
    expect(() => source.writeSync(0, bytes(1000, 2))).toThrow(expect.objectContaining({ code: 'ENOSPC' }));
    expect([memory.bytes[499], memory.bytes[500]]).toEqual([2, 1]);
    source.arm({ after: 1, kind: 'torn' });
    expect(() => source.writeSync(1024, bytes(2048, 3))).toThrow('injected');
    expect([1024, 1535, 1536, 2047, 2048, 2560].map((at) => memory.bytes[at])).toEqual([3, 3, 1, 1, 3, 1]);
  });

  test('a short read is continued by a reader that is right', () => {
    const source = new FaultySource(new MemorySource(Uint8Array.from({ length: 1000 }, (_, i) => i % 251)));
    source.arm({ after: 1, kind: 'short' });
    const target = new Uint8Array(1000);
    runSync(readExactly(source, 0, target));
    expect([target[0], target[499], target[500], target[999]]).toEqual([0, 499 % 251, 500 % 251, 999 % 251]);
    expect(source.requests).toBe(2);
  });

  test('a disk that is gone stays gone', () => {
    const source = new FaultySource(new MemorySource(bytes(512, 0)));
    source.arm({ after: 2, forever: true });
    source.flushSync();
    expect(() => source.flushSync()).toThrow('injected');
    expect(() => source.truncateSync(0)).toThrow('injected');
    source.arm(undefined);
    source.flushSync();
  });
});

test('a faulty device counts and fails alike', () => {
  const memory = new MemorySource(bytes(4096, 1));
  const device = new FaultyDevice(new WritableSourceDevice(memory));
  device.arm({ after: 2, kind: 'torn' });
  expect(runSync(device.read(0, 4))).toEqual(bytes(4, 1));
  expect(() => runSync(device.write(256, bytes(1024, 9)))).toThrow('injected');
  expect([255, 256, 511, 512, 1023, 1024, 1279].map((at) => memory.bytes[at])).toEqual([1, 9, 9, 1, 1, 9, 9]);
  runSync(device.writeZeroes(0, 512));
  runSync(device.flush());
  expect(device.requests).toBe(4);
});

test('after a power cut there is what was flushed, and of the rest what the disk happened to store', () => {
  const disk = new VolatileSource(bytes(2048, 1));
  disk.writeSync(0, bytes(512, 2));
  disk.flushSync();
  disk.writeSync(0, bytes(2048, 3));
  disk.writeSync(512, bytes(512, 4));
  expect(disk.pendingSectors).toBe(5);
  const seen = new Uint8Array(2048);
  disk.readSync(0, seen);
  expect([seen[0], seen[512]]).toEqual([3, 4]);
  const firsts = (cut: Uint8Array): number[] => [0, 512, 1024, 1536].map((at) => cut[at] ?? -1);
  expect(firsts(disk.afterPowerCut(() => false))).toEqual([2, 1, 1, 1]);
  expect(firsts(disk.afterPowerCut((sector) => sector % 2 === 0))).toEqual([3, 4, 3, 1]);
  expect(firsts(disk.afterPowerCut(() => true))).toEqual([3, 4, 3, 3]);
});

test('a computation fails at its k-th step, for each k, and then runs through', () => {
  const source = new MemorySource(bytes(100, 7));
  const outcomes = [1, 2, 3, 4].map((k) => {
    const count = { steps: 0 };
    const body = function* () {
      for (let i = 0; i < 3; i++) yield* readExactly(source, i, new Uint8Array(1));
      return 'done';
    };
    try {
      return [runSync(failingAt(body(), k, count)), count.steps];
    } catch (error) {
      return [isInjected(error) && error instanceof Posix ? error.code : 'other', count.steps];
    }
  });
  expect(outcomes).toEqual([
    ['EIO', 1],
    ['EIO', 2],
    ['EIO', 3],
    ['done', 3],
  ]);
});
