/** Damaged and hostile images: only errors of this library come out, in bounded time. */
import '../support/seed.ts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GuestlessError } from '../../src/errors.ts';
import type { NodeId } from '../../src/filesystem/filesystem.ts';
import { GuestTree } from '../../src/guest/tree.ts';
import { walk as walkTree } from '../../src/guest/walk.ts';
import { runSync } from '../../src/io/drivers.ts';
import { imageBytes, mountBytes, walk } from './workbench.ts';

const IMAGES = ['rock', 'joliet', 'zisofs', 'sections', 'xorriso-relocated'].map((name) => ({ name, bytes: imageBytes(name) }));

/** Reads everything; errors of this library are part of the answer, all else is not. */
function exercise(bytes: Uint8Array): void {
  try {
    const iso = mountBytes(bytes);
    const tree = GuestTree.of(iso, { readOnly: true });
    const walker = runSync(walkTree(tree, '/', { onError: () => {} }));
    let budget = 3000;
    for (let entry = runSync(walker.next()); entry !== undefined && budget-- > 0; entry = runSync(walker.next())) {
      try {
        if (entry.kind === 'symlink') runSync(iso.readlink(entry.node));
        if (entry.kind === 'file') {
          const target = new Uint8Array(Math.min(entry.stat.size, 70_000));
          runSync(iso.read(entry.node, Math.max(0, entry.stat.size - target.length), target));
          if (entry.stat.size > 0) runSync(iso.mapFile(entry.node, 0, entry.stat.size));
        }
      } catch (error) {
        if (!(error instanceof GuestlessError)) throw error;
      }
    }
  } catch (error) {
    if (!(error instanceof GuestlessError)) throw error;
  }
}

/** Where an image holds structures: descriptors, path tables, directories. */
const METADATA = [16 * 2048, 120 * 2048] as const;

test('bytes changed anywhere in the structures', () => {
  const change = fc.record({
    at: fc.integer({ min: METADATA[0], max: METADATA[1] }),
    value: fc.constantFrom(0, 1, 2, 0x7f, 0x80, 0xfe, 0xff),
  });
  fc.assert(
    fc.property(fc.constantFrom(...IMAGES), fc.array(change, { minLength: 1, maxLength: 30 }), ({ bytes }, changes) => {
      const damaged = bytes.slice();
      for (const { at, value } of changes) if (at < damaged.length) damaged[at] = value;
      exercise(damaged);
    }),
    { numRuns: 150 },
  );
});

test('images cut off anywhere', () => {
  fc.assert(
    fc.property(fc.constantFrom(...IMAGES), fc.double({ min: 0, max: 1, noNaN: true }), ({ bytes }, part) => {
      exercise(bytes.slice(0, Math.floor(bytes.length * part)));
    }),
    { numRuns: 60 },
  );
});

test('noise behind a valid descriptor', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 2048, maxLength: 8192 }), (noise) => {
      const bytes = IMAGES[0]!.bytes.slice();
      const root = bytes[0x8000 + 158]! * 2048;
      bytes.set(noise, root);
      exercise(bytes);
    }),
    { numRuns: 60 },
  );
});

describe('one structure at a time', () => {
  const bytes = imageBytes('rock');
  const root = (): NodeId => mountBytes(bytes).root;
  const find = (text: string, from = 0): number => Buffer.from(bytes).indexOf(text, from, 'latin1');

  test('no descriptor', () => {
    expect(() => mountBytes(new Uint8Array(100_000))).toThrow(expect.objectContaining({ code: 'CORRUPT' }));
    expect(() => mountBytes(new Uint8Array(0))).toThrow(expect.objectContaining({ code: 'CORRUPT' }));
  });

  test('a block size that there is not', () => {
    const damaged = bytes.slice();
    damaged.set([0, 16], 0x8000 + 128);
    expect(() => mountBytes(damaged)).toThrow(/logical blocks of 4096 bytes/);
  });

  test('High Sierra is named', () => {
    const image = new Uint8Array(40_000);
    image.set(new TextEncoder().encode('CDROM'), 0x8000 + 9);
    expect(() => mountBytes(image)).toThrow(expect.objectContaining({ feature: 'High Sierra' }));
  });

  test('a directory that contains itself is met once', () => {
    const damaged = bytes.slice();
    // The root's entry for the directory `many` gets the root's own extent.
    const at = find('MANY', root() * 32) - 33;
    damaged.set(damaged.subarray(root() * 32 + 2, root() * 32 + 10), at + 2);
    const iso = mountBytes(damaged);
    const errors: string[] = [];
    const walker = runSync(walkTree(GuestTree.of(iso), '/', { onError: (error) => errors.push(error.code) }));
    let count = 0;
    while (runSync(walker.next()) !== undefined) count++;
    expect(count).toBeLessThan(500);
    expect(errors).toEqual(['CORRUPT']);
  });

  test('an interleaved file is refused by name', () => {
    const damaged = bytes.slice();
    damaged[find('README.;1', root() * 32) - 33 + 27] = 1;
    const iso = mountBytes(damaged);
    const stat = walk(iso).get('/README')!;
    expect(() => runSync(iso.read(stat.node, 0, new Uint8Array(1)))).toThrow(expect.objectContaining({ feature: 'interleaved files' }));
  });

  test('continuation areas that lead to each other end', () => {
    const damaged = bytes.slice();
    const view = new DataView(damaged.buffer);
    // The first CE of the root leads into a continuation area; its own CE leads back to itself.
    const at = find('CE', root() * 32);
    const block = view.getUint32(at + 4, true);
    const offset = view.getUint32(at + 12, true);
    const place = block * 2048 + offset;
    damaged.set(damaged.subarray(at, at + 28), place);
    view.setUint32(place + 20, 28, true);
    view.setUint32(at + 20, 28, true);
    expect(() => mountBytes(damaged)).toThrow(/go on in an impossible place/);
  });

  test('a relocated directory that leads to itself is Corrupt, not a loop', () => {
    const relocated = imageBytes('rock').slice();
    const at = Buffer.from(relocated).indexOf('CL', 0x8000, 'latin1');
    expect(at).toBeGreaterThan(0);
    const view = new DataView(relocated.buffer);
    const child = view.getUint32(at + 4, true) * 2048;
    // The record of the directory it leads to gets the same entry, in place of its PX.
    const px = Buffer.from(relocated).indexOf('PX', child, 'latin1');
    relocated.set(relocated.subarray(at, at + 12), px);
    relocated.set([0x50, 0x44, 32, 1], px + 12);
    exercise(relocated);
    const iso = mountBytes(relocated);
    const walker = runSync(walkTree(GuestTree.of(iso), '/', { onError: () => {} }));
    let count = 0;
    while (runSync(walker.next()) !== undefined) count++;
    expect(count).toBeGreaterThan(100);
  });
});
