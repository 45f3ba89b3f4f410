/** Random work on every kind of file system: as the model has it, and e2fsck has nothing to say; what the kernel shows is the same. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Bench, isMountable, KINDS, kernelWalk, operationsFor, ourWalk, SEED, saved } from './workbench.ts';

const RUNS = Number(process.env['GUESTLESS_FUZZ_RUNS'] ?? 2);

describe.each(KINDS.map((kind, i) => ({ ...kind, seed: SEED + i * 1009 })))('$name', (kind) => {
  test(`${RUNS} random sequences, seed ${kind.seed}`, () => {
    let judgedByKernel = !isMountable(kind);
    fc.assert(
      fc.property(operationsFor(kind), (operations) => {
        const bench = new Bench(kind);
        for (const operation of operations) expect(bench.step(operation)).toBeUndefined();
        expect(bench.verdict()).toEqual([]);
        if (judgedByKernel) return;
        expect(saved(bench.source.bytes, kernelWalk)).toEqual(ourWalk(bench.ext4));
        judgedByKernel = true;
      }),
      { numRuns: RUNS, seed: kind.seed, endOnFailure: process.env['GUESTLESS_FUZZ_SHRINK'] === 'no' },
    );
  });
});
