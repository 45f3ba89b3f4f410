import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Corrupt, GuestlessError } from '../../src/errors.ts';
import { runAsync, runSync } from '../../src/io/index.ts';
import { createSnapshot, deleteSnapshot, repairQcow2, resizeQcow2 } from '../../src/qcow2/index.ts';
import { asRaw, CLEAN, checked, made, onDisk, openWritable, Recorder } from './writing.ts';

const MIB = 1 << 20;

/** An image with everything that can be damaged. */
function rich(): Uint8Array {
  const source = new Recorder(made(MIB, 'cluster_size=512'));
  const image = openWritable(source);
  runSync(image.write(0, new Uint8Array(40_000).fill(1)));
  runSync(image.writeCompressed(51_200, new Uint8Array(512).fill(2)));
  runSync(createSnapshot(image, { name: 'one', seconds: 1, nanoseconds: 2 }));
  runSync(image.writeZeroes(0, 10_000));
  runSync(image.flush());
  return new Uint8Array(source.bytes);
}

describe('a damaged image', () => {
  it('gives our errors and nothing else, whatever is done to it, in bounded time', () => {
    const image = rich();
    const damage = fc.array(fc.record({ at: fc.nat(image.length - 1), byte: fc.integer({ min: 0, max: 255 }) }), {
      minLength: 1,
      maxLength: 6,
    });
    const inHeader = fc.array(fc.record({ at: fc.nat(111), byte: fc.integer({ min: 0, max: 255 }) }), { minLength: 1, maxLength: 2 });
    // L1 and L2 tables, refcounts: where a byte matters.
    const inTables = fc.array(fc.record({ at: fc.integer({ min: 512, max: 4096 }), byte: fc.integer({ min: 0, max: 255 }) }), {
      minLength: 1,
      maxLength: 4,
    });
    fc.assert(
      fc.property(fc.oneof(damage, inHeader, inTables), fc.boolean(), (changes, repair) => {
        const bytes = new Uint8Array(image);
        for (const { at, byte } of changes) bytes[at] = byte;
        const source = new Recorder(bytes);
        const attempt = (work: () => void): void => {
          try {
            work();
          } catch (error) {
            if (!(error instanceof GuestlessError)) throw error;
          }
        };
        attempt(() => {
          if (repair) runSync(repairQcow2(source, 'all'));
          const disk = openWritable(source);
          if (disk.size > 64 * MIB) return;
          attempt(() => runSync(disk.write(5000, new Uint8Array(60_000).fill(3))));
          attempt(() => runSync(disk.writeZeroes(0, Math.min(disk.size, 30_000))));
          attempt(() => runSync(createSnapshot(disk, { name: 'two', seconds: 1, nanoseconds: 0 })));
          attempt(() => runSync(deleteSnapshot(disk, 'one')));
          attempt(() => runSync(resizeQcow2(disk, 2 * MIB)));
          attempt(() => runSync(disk.flush()));
        });
        expect(source.size).toBeLessThan(64 * MIB);
      }),
      // The example moves an L2 table far behind the end of the file.
      { numRuns: 300, examples: [[[{ at: 665, byte: 1 }], false]] },
    );
  }, 60_000);

  it('whose refcounts call its tables free is not written to', () => {
    const bytes = made(MIB, '');
    const view = new Uint8Array(bytes);
    // The refcount of the L1 table.
    view[2 * 65536 + 2 * 3 + 1] = 0;
    expect(() => openWritable(new Recorder(view))).toThrow(Corrupt);
  });

  it('whose L2 entry points at a table is not written through', () => {
    const source = new Recorder(made(MIB, ''));
    const image = openWritable(source);
    runSync(image.write(0, new Uint8Array(10)));
    runSync(image.flush());
    const entry = image.file.l2Offset(0);
    // The first cluster of the disk is said to stand where the L1 table does.
    source.writeSync(entry, Uint8Array.of(0x80, 0, 0, 0, 0, 3, 0, 0));
    const before = Buffer.from(source.bytes);
    expect(() => runSync(openWritable(source).write(0, new Uint8Array(10).fill(9)))).toThrow(Corrupt);
    expect(Buffer.compare(before, source.bytes)).toBe(0);
  });
});

describe('many writers that wait', () => {
  it('never lose what another wrote into the same cluster', async () => {
    const source = new Recorder(made(MIB, ''));
    const image = openWritable(source);
    const model = new Uint8Array(MIB);
    const work: Promise<void>[] = [];
    for (let i = 0; i < 200; i++) {
      const bytes = new Uint8Array(700).fill(i + 1);
      const offset = i * 1000;
      model.set(bytes, offset);
      work.push(runAsync(image.write(offset, bytes)));
      if (i % 50 === 0) work.push(runAsync(image.flush()));
    }
    await Promise.all(work);
    await runAsync(image.flush());
    const file = onDisk(source.bytes, 'together.qcow2');
    expect(checked(file)).toEqual(CLEAN);
    expect(Buffer.compare(asRaw(file), model)).toBe(0);
  });
});
