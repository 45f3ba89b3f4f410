/** The page cache: the same bytes as the device, fewer requests, bounded memory, never stale. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Bytes } from '../../src/bytes/index.ts';
import { Corrupt, Posix } from '../../src/errors.ts';
import {
  all,
  type BlockDevice,
  CachedDevice,
  type Extent,
  type Io,
  perform,
  readNew,
  runAsync,
  runSync,
  WritableCachedDevice,
  type WritableDevice,
} from '../../src/io/index.ts';

const KIB = 1024;

/** A device in memory that counts its requests; under the async driver each waits until it is let go. */
class Watched implements WritableDevice {
  readonly bytes: Uint8Array;
  readonly preferredRequest: number;
  readonly requests: [offset: number, length: number][] = [];
  readonly waiting: (() => void)[] = [];
  /** Waits for `release` instead of a turn of the event loop. */
  held = false;
  failing = 0;

  constructor(size: number, preferredRequest = 4096) {
    this.bytes = Uint8Array.from({ length: size }, (_, i) => (i * 31 + (i >> 12)) & 0xff);
    this.preferredRequest = preferredRequest;
  }
  get size(): number {
    return this.bytes.length;
  }
  read(offset: number, length: number): Io<Bytes> {
    return readNew(this, offset, length);
  }
  *readInto(offset: number, target: Bytes): Io<void> {
    const answer = (): void => {
      if (this.failing-- > 0) throw new Posix('EIO', { offset });
      target.set(this.bytes.subarray(offset, offset + target.length));
    };
    yield* perform<void>({
      sync: () => {
        this.requests.push([offset, target.length]);
        answer();
      },
      async: async () => {
        this.requests.push([offset, target.length]);
        // The device answers with what it holds now, and the answer takes its time.
        if (this.held) {
          answer();
          await new Promise<void>((resolve) => this.waiting.push(resolve));
        } else {
          await new Promise((resolve) => setImmediate(resolve));
          answer();
        }
      },
    });
  }
  // biome-ignore lint/correctness/useYield: nothing has to be read to know this
  *map(_offset: number, length: number): Io<Extent> {
    return { length, present: true, zero: false, data: true, depth: 0 };
  }
  *write(offset: number, bytes: Bytes): Io<void> {
    yield* perform<void>({ sync: () => this.#write(offset, bytes), async: async () => this.#write(offset, bytes) });
  }
  *writeZeroes(offset: number, length: number): Io<void> {
    yield* this.write(offset, new Uint8Array(length));
  }
  *discard(offset: number, length: number): Io<void> {
    yield* this.write(offset, new Uint8Array(length));
  }
  *flush(): Io<void> {
    yield* perform<void>({ sync: () => undefined, async: async () => undefined });
  }
  #write(offset: number, bytes: Bytes): void {
    if (this.failing-- > 0) {
      // Half of it arrived.
      this.bytes.set(bytes.subarray(0, bytes.length >> 1), offset);
      throw new Posix('EIO', { offset });
    }
    this.bytes.set(bytes, offset);
  }
  release(): void {
    this.held = false;
    for (const go of this.waiting.splice(0)) go();
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('reading', () => {
  test('gives the bytes of the device for every range, whatever the page size and budget', () => {
    const device = new Watched(100_001);
    fc.assert(
      fc.property(
        fc.constantFrom(512, 4096, 65_536),
        fc.array(fc.tuple(fc.nat({ max: 100_001 }), fc.nat({ max: 20_000 })), { maxLength: 20 }),
        (pageSize, ranges) => {
          const cache = new CachedDevice(device, { pageSize, budget: 16 * KIB });
          for (const [offset, wanted] of ranges) {
            const length = Math.min(wanted, device.size - offset);
            const expected = device.bytes.subarray(offset, offset + length);
            expect(Buffer.compare(runSync(cache.read(offset, length)), expected)).toBe(0);
          }
        },
      ),
    );
  });

  test('asks once for what it keeps', () => {
    const device = new Watched(64 * KIB);
    const cache = new CachedDevice(device);
    for (let round = 0; round < 3; round++) for (const offset of [5000, 8000, 6000]) runSync(cache.read(offset, 100));
    expect(device.requests).toEqual([[4096, 4096]]);
    expect(cache.peek(1)?.view.getUint8(3)).toBe(device.bytes[4099]);
    expect(cache.peek(2)).toBeUndefined();
  });

  test('reads ahead of a reader that goes forward, and not of one that jumps', () => {
    const device = new Watched(512 * KIB);
    const forward = new CachedDevice(device, { readAhead: 32 * KIB });
    for (let offset = 0; offset < 256 * KIB; offset += 512) runSync(forward.read(offset, 512));
    expect(device.requests.length).toBeLessThanOrEqual(10);
    expect(Math.max(...device.requests.map(([, length]) => length))).toBe(32 * KIB);

    device.requests.length = 0;
    const jumping = new CachedDevice(device, { readAhead: 32 * KIB });
    for (const page of [100, 3, 50, 7, 90]) runSync(jumping.read(page * 4096, 10));
    expect(device.requests.every(([, length]) => length === 4096)).toBe(true);
  });

  test('keeps no more than its budget, and what is used often longest', () => {
    const device = new Watched(4096 * KIB);
    const cache = new CachedDevice(device, { budget: 64 * KIB, readAhead: 4096 });
    for (let page = 0; page < 1024; page++) {
      runSync(cache.read(page * 4096, 1));
      runSync(cache.read(0, 1));
    }
    let kept = 0;
    for (let page = 0; page < 1024; page++) if (cache.peek(page) !== undefined) kept++;
    expect(kept).toBe(16);
    expect(device.requests.filter(([offset]) => offset === 0)).toHaveLength(1);
  });

  test('ranges and pages outside of the device are Corrupt', () => {
    const cache = new CachedDevice(new Watched(10_000));
    for (const [offset, length] of [
      [9_999, 2],
      [-1, 1],
      [Number.NaN, 1],
      [2 ** 53, 1],
      [0, 2 ** 60],
    ] as const) {
      expect(() => runSync(cache.read(offset, length))).toThrow(Corrupt);
    }
    for (const index of [3, -1, Number.NaN, 2 ** 50]) expect(() => runSync(cache.page(index))).toThrow(Corrupt);
    expect(runSync(cache.page(2)).bytes).toHaveLength(10_000 - 8192);
    expect(runSync(cache.read(10_000, 0))).toHaveLength(0);
  });

  test('a device may prefer requests that are no power of two', () => {
    expect(new CachedDevice(new Watched(10, 200_000)).pageSize).toBe(262_144);
    expect(() => new CachedDevice(new Watched(10), { pageSize: 5000 })).toThrow(RangeError);
  });
});

describe('several at once', () => {
  test('one request serves all who wait for the same page', async () => {
    const device = new Watched(64 * KIB);
    const cache = new CachedDevice(device);
    const results = await runAsync(all([0, 100, 200, 300].map((offset) => cache.read(offset, 4))));
    expect(results.map((bytes) => bytes[0])).toEqual([0, 100, 200, 300].map((offset) => device.bytes[offset]));
    expect(device.requests).toHaveLength(1);
  });

  test('an abort of the one who asked does not fail the others who wait', async () => {
    const device = new Watched(64 * KIB);
    /** Stops waiting when aborted, as a request over the network does. */
    const abortable: BlockDevice = {
      size: device.size,
      preferredRequest: 4096,
      read: (offset, length) => device.read(offset, length),
      map: (offset, length) => device.map(offset, length),
      *readInto(offset, target) {
        yield* perform<void>({
          sync: () => undefined,
          async: (signal) =>
            new Promise((resolve, reject) => {
              signal?.addEventListener?.('abort', () => reject(signal.reason), { once: true });
              setTimeout(() => resolve(runAsync(device.readInto(offset, target))), 20);
            }),
        });
      },
    };
    const cache = new CachedDevice(abortable);
    const abort = new AbortController();
    const first = runAsync(cache.read(0, 4), abort.signal);
    const second = runAsync(cache.read(8, 4));
    abort.abort(new Error('enough'));
    await expect(first).rejects.toThrow('enough');
    expect(await second).toEqual(device.bytes.slice(8, 12));
  });

  test('a failed request fails, is not kept, and the next one succeeds', async () => {
    const device = new Watched(64 * KIB);
    const cache = new CachedDevice(device);
    device.failing = 2;
    const outcomes = await Promise.allSettled([runAsync(cache.read(0, 4)), runAsync(cache.read(4, 4))]);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await runAsync(cache.read(0, 4))).toEqual(device.bytes.slice(0, 4));
  });

  test('many readers of many pages in a small cache all get their bytes', async () => {
    const device = new Watched(256 * KIB);
    const cache = new CachedDevice(device, { budget: 16 * KIB, readAhead: 8 * KIB });
    const offsets = Array.from({ length: 200 }, (_, i) => (i * 7919) % (256 * KIB - 8));
    const results = await runAsync(all(offsets.map((offset) => cache.read(offset, 8))));
    results.forEach((bytes, i) => {
      const offset = offsets[i] as number;
      expect(Buffer.compare(bytes, device.bytes.subarray(offset, offset + 8))).toBe(0);
    });
  });
});

describe('writing', () => {
  test('reads see what was written, in the cache and below it', () => {
    const device = new Watched(64 * KIB);
    const model = device.bytes.slice();
    const cache = new WritableCachedDevice(device, { budget: 16 * KIB });
    const operation = fc.tuple(
      fc.constantFrom('write', 'writeZeroes', 'discard', 'read'),
      fc.nat({ max: 64 * KIB }),
      fc.nat({ max: 9000 }),
    );
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 30 }), fc.nat({ max: 255 }), (operations, fill) => {
        for (const [verb, offset, wanted] of operations) {
          const length = Math.min(wanted, device.size - offset);
          if (verb === 'read') {
            expect(Buffer.compare(runSync(cache.read(offset, length)), model.subarray(offset, offset + length))).toBe(0);
          } else if (verb === 'write') {
            runSync(cache.write(offset, new Uint8Array(length).fill(fill)));
            model.fill(fill, offset, offset + length);
          } else {
            runSync(verb === 'discard' ? cache.discard(offset, length) : cache.writeZeroes(offset, length));
            model.fill(0, offset, offset + length);
          }
        }
        expect(Buffer.compare(runSync(cache.read(0, device.size)), model)).toBe(0);
        expect(Buffer.compare(device.bytes, model)).toBe(0);
      }),
    );
  });

  test('bytes that were under way while a write went by are not kept', async () => {
    const device = new Watched(64 * KIB);
    const cache = new WritableCachedDevice(device);
    device.held = true;
    const reading = runAsync(cache.read(0, 4));
    await turn();
    await runAsync(cache.write(0, Uint8Array.of(1, 2, 3, 4)));
    device.release();
    expect(await reading).toEqual(Uint8Array.of(1, 2, 3, 4));
    expect(await runAsync(cache.read(0, 4))).toEqual(Uint8Array.of(1, 2, 3, 4));
  });

  for (const verb of ['write', 'writeZeroes', 'discard'] as const) {
    test(`a failed ${verb} leaves no page that tells another story than the device`, () => {
      const device = new Watched(64 * KIB);
      const cache = new WritableCachedDevice(device);
      runSync(cache.read(0, 8192));
      device.failing = 1;
      expect(() => runSync(verb === 'write' ? cache.write(0, new Uint8Array(8192).fill(7)) : cache[verb](0, 8192))).toThrow(Posix);
      expect(Buffer.compare(runSync(cache.read(0, 8192)), device.bytes.subarray(0, 8192))).toBe(0);
    });
  }
});
