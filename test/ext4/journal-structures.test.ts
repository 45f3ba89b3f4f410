/** The journal's pieces on their own: structures, sequence numbers, ranges laid over a file's map, names after fast commits. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { FastCommitOperation } from '../../src/ext4/journal/fast-commit.ts';
import * as fastCommitFormat from '../../src/ext4/journal/fast-commit-format.ts';
import { FastCommitState } from '../../src/ext4/journal/fast-commit-state.ts';
import * as format from '../../src/ext4/journal/format.ts';
import { comesAfter, nextSequence } from '../../src/ext4/journal/log.ts';
import { type OverlayRange, RangeOverlay } from '../../src/ext4/journal/range-overlay.ts';

describe('structures', () => {
  const structures = [...Object.values(format), ...Object.values(fastCommitFormat)].filter(
    (value): value is typeof format.JOURNAL_HEADER => typeof value === 'object' && 'read' in value,
  );

  test.each(structures.map((one) => [one.name, one] as const))('%s: writing what was read changes no byte', (_, structure) => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: structure.size, maxLength: structure.size }), (bytes) => {
        const copy = bytes.slice();
        structure.write(copy, 0, structure.read(bytes));
        expect(copy).toEqual(bytes);
      }),
      { numRuns: 30 },
    );
  });
});

test('sequence numbers are compared modulo 2^32', () => {
  expect(nextSequence(0xffffffff)).toBe(0);
  expect(comesAfter(0, 0xffffffff)).toBe(true);
  expect(comesAfter(0xffffffff, 0)).toBe(false);
  expect(comesAfter(5, 5)).toBe(false);
});

test('ranges laid over a map: the last word on each block counts', () => {
  const range = fc.record({
    logical: fc.nat(60),
    length: fc.nat(20),
    physical: fc.option(fc.integer({ min: 1000, max: 2000 }), { nil: undefined }),
    uninitialized: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(range, { maxLength: 25 }), (ranges) => {
      const overlay = new RangeOverlay();
      const model = new Map<number, { physical: number | undefined; uninitialized: boolean }>();
      for (const one of ranges) {
        overlay.put(one);
        for (let k = 0; k < one.length; k++) {
          model.set(one.logical + k, {
            physical: one.physical === undefined ? undefined : one.physical + k,
            uninitialized: one.uninitialized,
          });
        }
      }
      let before: OverlayRange | undefined;
      for (const one of overlay.ranges) {
        if (before !== undefined) expect(before.logical + before.length).toBeLessThanOrEqual(one.logical);
        expect(one.length).toBeGreaterThan(0);
        before = one;
      }
      for (let logical = 0; logical < 90; ) {
        const found = overlay.at(logical);
        const length = Math.min(found.length, 90 - logical);
        for (let k = 0; k < length; k++) {
          const { range: part } = found;
          const expected = model.get(logical + k);
          if (part === undefined) expect(expected).toBeUndefined();
          else
            expect({ physical: part.physical === undefined ? undefined : part.physical + k, uninitialized: part.uninitialized }).toEqual(
              expected,
            );
        }
        logical += length;
      }
    }),
    { numRuns: 300 },
  );
});

test('a name after fast commits: one that exists is kept, one of another inode is not removed', () => {
  const name = Uint8Array.from([0x61]);
  const operation = (kind: 'link' | 'unlink', inode: number): FastCommitOperation => ({ kind, parent: 2, inode, name });
  const state = (...operations: FastCommitOperation[]): FastCommitState => new FastCommitState(operations);
  expect(state(operation('link', 12)).resolve(2, name, undefined)).toBe(12);
  expect(state(operation('link', 12)).resolve(2, name, 11)).toBe(11);
  expect(state(operation('unlink', 12)).resolve(2, name, 11)).toBe(11);
  expect(state(operation('unlink', 11), operation('link', 12)).resolve(2, name, 11)).toBe(12);
  expect(state(operation('link', 12), operation('unlink', 12)).resolve(2, name, undefined)).toBeUndefined();
  expect(state().resolve(2, name, 11)).toBe(11);
});
