/** Given a base that nobody may change, the overlay reads as if it had been written. */
import * as fs from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Posix, Refused } from '../../src/errors.ts';
import { all, type BlockDevice, MemorySource, perform, runAsync, runSync, SourceDevice } from '../../src/io/index.ts';
import { CLUSTER, OverlayDevice } from '../../src/overlay/index.ts';
import { openTemporary, temporaryFolder } from '../../src/platform/node/temporary.ts';
import { run } from '../support/oracle.ts';

/** A base of several clusters, the last one short, with a pattern that tells every place from every other. */
function base(size = 9 * CLUSTER + 12_345): { device: BlockDevice; bytes: Uint8Array } {
  const bytes = new Uint8Array(size);
  for (let i = 0; i < size; i++) bytes[i] = (i * 31 + (i >> 8) * 17 + (i >> 16)) & 0xff || 1;
  return { device: new SourceDevice(new MemorySource(bytes.slice())), bytes };
}

type Step =
  | { readonly kind: 'write' | 'now'; readonly at: number; readonly length: number; readonly value: number }
  | { readonly kind: 'behind'; readonly length: number; readonly value: number }
  | { readonly kind: 'zero'; readonly at: number; readonly length: number }
  | { readonly kind: 'discard'; readonly at: number; readonly length: number }
  | { readonly kind: 'begin' }
  | { readonly kind: 'commit' }
  | { readonly kind: 'rollback' };

const size = base().bytes.length;
const place = fc.oneof(
  fc.nat(size),
  fc.nat(9).map((cluster) => cluster * CLUSTER),
);
const extent = fc.oneof(fc.constant(CLUSTER), fc.constant(3 * CLUSTER), fc.constant(4096), fc.nat(3 * CLUSTER));
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('write' as const), at: place, length: extent, value: fc.integer({ min: 1, max: 255 }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('now' as const), at: place, length: extent, value: fc.integer({ min: 1, max: 255 }) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('behind' as const), length: extent, value: fc.integer({ min: 1, max: 255 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.oneof(
      fc.record({ kind: fc.constant('zero' as const), at: place, length: extent }),
      fc.record({ kind: fc.constant('discard' as const), at: place, length: extent }),
    ),
  },
  { weight: 4, arbitrary: fc.constantFrom<Step>({ kind: 'begin' }, { kind: 'commit' }, { kind: 'rollback' }) },
);

/** Applies steps to an overlay and to a plain array at once, comparing after each. */
function* agree(overlay: OverlayDevice, model: Uint8Array, steps: readonly Step[]) {
  const saved: Uint8Array[] = [];
  const limit = (at: number, length: number): number => Math.min(length, model.length - at);
  let end = 0;
  for (const one of steps) {
    if (one.kind === 'now' || one.kind === 'behind') {
      // At once where that can be done, else as ever; right behind what was written before.
      const at = one.kind === 'now' ? one.at : end;
      const bytes = new Uint8Array(limit(at, one.length)).fill(one.value);
      const taken = overlay.takesNow(at, bytes.length);
      if (overlay.writeNow(at, bytes) !== taken) throw new Error(`says ${taken} and does the other`);
      if (!taken) yield* overlay.write(at, bytes);
      model.set(bytes, at);
      end = at + bytes.length;
    } else if (one.kind === 'begin') {
      overlay.begin();
      saved.push(model.slice());
    } else if (one.kind === 'commit' || one.kind === 'rollback') {
      const before = saved.pop();
      if (before === undefined) continue;
      if (one.kind === 'commit') yield* overlay.commit();
      else {
        yield* overlay.rollback();
        model.set(before);
      }
    } else if (one.kind === 'write') {
      const bytes = new Uint8Array(limit(one.at, one.length)).fill(one.value);
      yield* overlay.write(one.at, bytes);
      model.set(bytes, one.at);
      end = one.at + bytes.length;
    } else {
      const length = limit(one.at, one.length);
      if (one.kind === 'zero') yield* overlay.writeZeroes(one.at, length);
      else yield* overlay.discard(one.at, length);
      model.fill(0, one.at, one.at + length);
    }
    const all = yield* overlay.read(0, model.length);
    if (Buffer.compare(all, model) !== 0)
      throw new Error(`differs after ${JSON.stringify(one)} at ${all.findIndex((byte, i) => byte !== model[i])}`);
  }
  while (saved.pop() !== undefined) yield* overlay.commit();
}

describe('a plain array of bytes behaves the same', () => {
  test.each([
    ['in memory', 1 << 24, false],
    ['half of it in a temporary file', 3 * CLUSTER, false],
    ['all of it in a temporary file', 0, false],
    ['asynchronously', 2 * CLUSTER, true],
  ])('%s', async (_, budget, asynchronous) => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const { device, bytes } = base();
        const overlay = new OverlayDevice(device, { budget, temporary: openTemporary });
        const model = bytes.slice();
        if (asynchronous) await runAsync(agree(overlay, model, steps));
        else runSync(agree(overlay, model, steps));
        // Every change is named, and nothing is kept for transactions that are over.
        const described = bytes.slice();
        let stored = 0;
        for (const { offset, length, kind } of overlay.changes()) {
          if (kind === 'data') described.set(runSync(overlay.read(offset, length)), offset);
          else described.fill(0, offset, offset + length);
          if (kind === 'data') stored += Math.ceil(length / CLUSTER) * CLUSTER;
        }
        expect(Buffer.compare(described, model)).toBe(0);
        expect(overlay.storedBytes).toBe(stored);
        expect(Buffer.compare(runSync(device.read(0, bytes.length)), bytes)).toBe(0);
        // map() covers the device and tells the truth about zeros.
        for (let at = 0; at < model.length; ) {
          const extent = runSync(overlay.map(at, model.length - at));
          expect(extent.length).toBeGreaterThan(0);
          if (extent.zero) expect(model.subarray(at, at + extent.length).every((byte) => byte === 0)).toBe(true);
          at += extent.length;
        }
        overlay.discardAll();
        expect(overlay.storedBytes).toBe(0);
        expect(Buffer.compare(runSync(overlay.read(0, bytes.length)), bytes)).toBe(0);
        overlay.close();
      }),
      { numRuns: 120 },
    );
  });
});

describe('cost', () => {
  const counted = (inner: BlockDevice): BlockDevice & { reads: number } => ({
    size: inner.size,
    preferredRequest: inner.preferredRequest,
    reads: 0,
    read(offset, length) {
      this.reads++;
      return inner.read(offset, length);
    },
    readInto(offset, target) {
      this.reads++;
      return inner.readInto(offset, target);
    },
    map: (offset, length) => inner.map(offset, length),
  });

  test('whole clusters are written without reading the base, the short last one too', () => {
    const device = counted(base().device);
    const overlay = new OverlayDevice(device);
    runSync(overlay.write(0, new Uint8Array(device.size)));
    expect(device.reads).toBe(0);
    runSync(overlay.write(CLUSTER + 5, new Uint8Array(10)));
    expect(device.reads).toBe(0);
  });

  test('a cluster that is written in order is not read from the base; one with a gap is, once', () => {
    const { device: inner, bytes } = base();
    const device = counted(inner);
    const overlay = new OverlayDevice(device);
    for (let at = CLUSTER; at < 2 * CLUSTER; at += 4096) runSync(overlay.write(at, new Uint8Array(4096).fill(at / 4096)));
    expect(device.reads).toBe(0);
    runSync(overlay.write(2 * CLUSTER + 5, new Uint8Array(10)));
    expect(device.reads).toBe(0);
    runSync(overlay.write(2 * CLUSTER + 100, new Uint8Array(10)));
    runSync(overlay.write(2 * CLUSTER + 500, new Uint8Array(10)));
    const reads = device.reads;
    expect(reads).toBeGreaterThan(0);
    const expected = bytes.slice(2 * CLUSTER, 3 * CLUSTER);
    for (const at of [5, 100, 500]) expected.fill(0, at, at + 10);
    expect(Buffer.compare(runSync(overlay.read(2 * CLUSTER, CLUSTER)), expected)).toBe(0);
    expect(device.reads).toBe(reads);
  });

  test('zeros and discards take no space; freed clusters are used again', () => {
    const overlay = new OverlayDevice(base().device, { budget: 4 * CLUSTER });
    for (let round = 0; round < 10; round++) {
      runSync(overlay.write(0, new Uint8Array(4 * CLUSTER).fill(round)));
      runSync(overlay.discard(0, 4 * CLUSTER));
      expect(overlay.storedBytes).toBe(0);
    }
    runSync(overlay.writeZeroes(4 * CLUSTER, CLUSTER));
    expect(overlay.changes()).toEqual([
      { offset: 0, length: 4 * CLUSTER, kind: 'discard' },
      { offset: 4 * CLUSTER, length: CLUSTER, kind: 'zero' },
    ]);
  });

  test('a full overlay is ENOSPC, and the write that was too much changed nothing', () => {
    const { device, bytes } = base();
    const overlay = new OverlayDevice(device, { budget: 2 * CLUSTER });
    runSync(overlay.write(0, new Uint8Array(CLUSTER).fill(7)));
    expect(() => runSync(overlay.write(CLUSTER, new Uint8Array(3 * CLUSTER).fill(8)))).toThrow(Posix);
    expect(Buffer.compare(runSync(overlay.read(CLUSTER, 3 * CLUSTER)), bytes.subarray(CLUSTER, 4 * CLUSTER))).toBe(0);
    expect(overlay.storedBytes).toBe(CLUSTER);
  });

  test('zeroing what the base knows to be zeros changes nothing, however large', () => {
    const empty: BlockDevice = {
      ...base().device,
      size: 2 ** 46,
      preferredRequest: 4096,
      // biome-ignore lint/correctness/useYield: known without reading
      *map(_, length) {
        return { length, present: false, zero: true, data: false, depth: 0 };
      },
    };
    const overlay = new OverlayDevice(empty);
    runSync(overlay.discard(0, 2 ** 46));
    expect(overlay.changed).toBe(false);
    runSync(overlay.write(2 ** 45, new Uint8Array(CLUSTER).fill(1)));
    expect(runSync(overlay.map(0, 2 ** 46)).length).toBe(2 ** 45);
  });

  test('inside of a transaction a small write to an old cluster saves a few kilobytes, not a cluster', () => {
    const overlay = new OverlayDevice(base().device);
    runSync(overlay.write(0, new Uint8Array(CLUSTER)));
    overlay.begin();
    for (let i = 0; i < 1000; i++) runSync(overlay.write(4096, new Uint8Array(1024).fill(i)));
    expect(overlay.storedBytes).toBe(CLUSTER);
    runSync(overlay.rollback());
    expect(runSync(overlay.read(4096, 1024)).every((byte) => byte === 0)).toBe(true);
  });
});

test("computations that interleave do not lose each other's writes", async () => {
  const { device, bytes } = base();
  const slow: BlockDevice = {
    size: device.size,
    preferredRequest: 4096,
    read: (offset, length) => device.read(offset, length),
    *readInto(offset, target) {
      yield* perform({ sync: () => {}, async: () => new Promise<void>((resolve) => setTimeout(resolve, 1)) });
      yield* device.readInto(offset, target);
    },
    map: (offset, length) => device.map(offset, length),
  };
  const overlay = new OverlayDevice(slow, { budget: 0, temporary: openTemporary });
  const model = bytes.slice();
  const writes = Array.from({ length: 40 }, (_, i) => ({ at: i * 5000, data: new Uint8Array(5000).fill(i + 1) }));
  for (const { at, data } of writes) model.set(data, at);
  await runAsync(all(writes.map(({ at, data }) => overlay.write(at, data))));
  expect(Buffer.compare(await runAsync(overlay.read(0, model.length)), model)).toBe(0);
});

describe('transactions', () => {
  test('those that are not open cannot end', () => {
    const overlay = new OverlayDevice(base().device);
    expect(() => runSync(overlay.commit())).toThrow(Refused);
    expect(() => runSync(overlay.rollback())).toThrow(Refused);
    overlay.begin();
    expect(() => overlay.discardAll()).toThrow(/transaction is open/);
  });

  test('after a failure at the k-th write of the temporary file, rolling back gives the old bytes, for every k', () => {
    let failures = 0;
    for (let k = 1; k < 12; k++) {
      const { device, bytes } = base();
      let writes = 0;
      let failAt = Number.POSITIVE_INFINITY;
      const overlay = new OverlayDevice(device, {
        budget: 0,
        temporary: () => {
          const inner = new MemorySource(new Uint8Array(0));
          return {
            name: 'failing',
            preferredRequest: 4096,
            get size() {
              return inner.size;
            },
            readSync: (offset, target) => inner.readSync(offset, target),
            writeSync(offset, data) {
              if (++writes === failAt) throw new Posix('ENOSPC');
              inner.writeSync(offset, data);
            },
          };
        },
      });
      runSync(overlay.write(0, new Uint8Array(2 * CLUSTER).fill(9)));
      const before = runSync(overlay.read(0, bytes.length));
      failAt = writes + k;
      overlay.begin();
      try {
        for (let i = 0; i < 4; i++) {
          runSync(overlay.write(i * 40_000, new Uint8Array(50_000).fill(i)));
          runSync(overlay.write(3 * CLUSTER, new Uint8Array(2 * CLUSTER).fill(i)));
        }
      } catch (error) {
        expect(error).toBeInstanceOf(Posix);
        failures++;
      }
      failAt = Number.POSITIVE_INFINITY;
      runSync(overlay.rollback());
      expect(Buffer.compare(runSync(overlay.read(0, bytes.length)), before)).toBe(0);
      expect(overlay.storedBytes).toBe(2 * CLUSTER);
    }
    expect(failures).toBeGreaterThan(4);
  });
});

describe('the temporary file', () => {
  test("its folder follows qemu's rule", () => {
    expect(temporaryFolder({ TMPDIR: '/somewhere' })).toBe('/somewhere');
    expect(temporaryFolder({})).toBe('/var/tmp');
    expect(temporaryFolder({ TMPDIR: '/tmp' })).toBe('/var/tmp');
    expect(temporaryFolder({ TMPDIR: '' })).toBe('/var/tmp');
  });

  test('it has no name and no rights for others while it is open, and its space is given back', () => {
    const folder = fs.mkdtempSync('/var/tmp/guestless-test-');
    const source = openTemporary(folder);
    source.writeSync?.(5, Buffer.from('hello'));
    const target = new Uint8Array(5);
    expect(source.readSync?.(5, target)).toBe(5);
    expect(Buffer.from(target).toString()).toBe('hello');
    expect(fs.readdirSync(folder)).toEqual([]);
    const open = fs.readdirSync('/proc/self/fd').map((fd) => {
      try {
        return { link: fs.readlinkSync(`/proc/self/fd/${fd}`), mode: fs.statSync(`/proc/self/fd/${fd}`).mode & 0o777 };
      } catch {
        return { link: '', mode: 0 };
      }
    });
    expect(open.filter(({ link }) => link.startsWith(folder)).map(({ mode }) => mode)).toEqual([0o600]);
    source.close?.();
    expect(run('ls', ['-A', folder]).stdout.toString()).toBe('');
    fs.rmdirSync(folder);
  });

  test('a folder that is not there is an error of ours', () => {
    expect(() => openTemporary('/nonexistent/folder')).toThrow(Posix);
  });
});
