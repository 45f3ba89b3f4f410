/** Small files made without a step outside: the same bytes on the disk as made the ordinary way, and taken back like these. */
import { describe, expect, test } from 'vitest';
import { encodeName } from '../../src/bytes/text.ts';
import { Posix } from '../../src/errors.ts';
import { mountWritableExt4, type WritableExt4 } from '../../src/ext4/index.ts';
import type { NewFile } from '../../src/filesystem/filesystem.ts';
import { runSync } from '../../src/io/drivers.ts';
import type { Io } from '../../src/io/effect.ts';
import { MemorySource, SourceDevice } from '../../src/io/source.ts';
import { OverlayDevice } from '../../src/overlay/overlay.ts';
import { openTemporary } from '../../src/platform/node/temporary.ts';
import { e2fsckComplaints } from '../support/oracle.ts';
import { blank, KINDS, type Kind, saved } from './workbench.ts';

const CLOCK = { seconds: 1_750_000_000, nanoseconds: 5 };

function mounted(kind: Kind, budget: number): { readonly device: OverlayDevice; readonly ext4: WritableExt4 } {
  const device = new OverlayDevice(new SourceDevice(new MemorySource(blank(kind))), { budget, temporary: openTemporary });
  let seed = 1;
  const random = (): number => (seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0);
  return { device, ext4: runSync(mountWritableExt4(device, { now: () => CLOCK, random })) };
}

const bytesOf = (device: OverlayDevice): Buffer => Buffer.from(runSync(device.read(0, device.size)));

/** Files of all lengths around blocks and clusters, in two directories. */
function* fill(ext4: WritableExt4, make: (parent: number, name: Uint8Array, file: NewFile) => Io<unknown>): Io<void> {
  const parents = [ext4.root, yield* ext4.mkdir(ext4.root, encodeName('d'), { mode: 0o2755, gid: 70_000 })];
  for (let i = 0; i < 120; i++) {
    const length = [0, 1, 1023, 1024, 1025, 4096, 5000, 20_000, 70_000][i % 9] as number;
    const file: NewFile = {
      mode: 0o640 + (i % 8),
      uid: i * 1000,
      ...(i % 3 === 0 ? {} : { gid: i }),
      contents: new Uint8Array(length).fill(i + 1),
      atime: { seconds: i, nanoseconds: 0 },
      mtime: { seconds: 2 ** 31 + i, nanoseconds: i },
    };
    yield* make(parents[i % 2] as number, encodeName(`file-${i}`), file);
  }
}

describe.each(KINDS.map((kind) => [kind.name, kind] as const))('%s', (name, kind) => {
  test.each([1 << 24, 4 * 65_536])('the image is the same as without, with %i bytes of memory', (budget) => {
    const ordinary = mounted(kind, budget);
    runSync(ordinary.ext4.transaction(() => fill(ordinary.ext4, (...what) => ordinary.ext4.createFilled(...what)), { whole: true }));
    const quick = mounted(kind, budget);
    let atOnce = 0;
    function* make(...what: Parameters<WritableExt4['createFilled']>): Io<void> {
      if (quick.ext4.createFilledNow(...what) !== undefined) atOnce++;
      else yield* quick.ext4.createFilled(...what);
    }
    runSync(quick.ext4.transaction(() => fill(quick.ext4, make), { whole: true }));
    if (name === 'ext4-1k' && budget === 1 << 24) expect(atOnce).toBeGreaterThan(60);
    expect(bytesOf(quick.device).equals(bytesOf(ordinary.device))).toBe(true);
    saved(bytesOf(quick.device), (file) => expect(e2fsckComplaints(file)).toBe(''));
  });
});

describe('by itself', () => {
  const kind = KINDS.find(({ name }) => name === 'ext4-1k') as Kind;
  const file: NewFile = { mode: 0o600, contents: new Uint8Array(3000).fill(7), atime: CLOCK, mtime: CLOCK };

  test('it is nothing outside of a whole transaction', () => {
    const { device, ext4 } = mounted(kind, 1 << 24);
    const before = bytesOf(device);
    expect(ext4.createFilledNow(ext4.root, encodeName('a'), file)).toBeUndefined();
    runSync(
      // biome-ignore lint/correctness/useYield: it takes no step outside
      ext4.transaction(function* () {
        expect(ext4.createFilledNow(ext4.root, encodeName('a'), file)).toBeUndefined();
      }),
    );
    expect(bytesOf(device).equals(before)).toBe(true);
  });

  test('a whole transaction that fails takes back what was made at once, and a name that cannot be makes it fail', () => {
    const { device, ext4 } = mounted(kind, 1 << 24);
    const before = bytesOf(device);
    let made = 0;
    const failing = (): unknown =>
      runSync(
        ext4.transaction(
          function* () {
            for (let i = 0; i < 40; i++) {
              if (ext4.createFilledNow(ext4.root, encodeName(`f${i}`), file) === undefined) {
                yield* ext4.createFilled(ext4.root, encodeName(`f${i}`), file);
              } else made++;
            }
            try {
              ext4.createFilledNow(ext4.root, encodeName('a/b'), file);
            } catch {
              // The transaction fails all the same.
            }
          },
          { whole: true },
        ),
      );
    expect(failing).toThrow(Posix);
    expect(made).toBeGreaterThan(20);
    expect(bytesOf(device).equals(before)).toBe(true);
    expect(runSync(ext4.lookup(ext4.root, encodeName('f5')))).toBeUndefined();
    runSync(ext4.createFilled(ext4.root, encodeName('after'), file));
    saved(bytesOf(device), (image) => expect(e2fsckComplaints(image)).toBe(''));
  });

  test('a name that is taken is left to the ordinary way', () => {
    const { ext4 } = mounted(kind, 1 << 24);
    runSync(
      ext4.transaction(
        function* () {
          yield* ext4.createFilled(ext4.root, encodeName('x'), file);
          yield* ext4.createFilled(ext4.root, encodeName('y'), file);
          expect(ext4.createFilledNow(ext4.root, encodeName('x'), file)).toBeUndefined();
          expect(yield* ext4.createFilled(ext4.root, encodeName('x'), file)).toBeUndefined();
        },
        { whole: true },
      ),
    );
  });
});
