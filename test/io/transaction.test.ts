/** Transactions in memory over a device: nested ones against a model, and aborts. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sameBytes } from '../../src/bytes/text.ts';
import { BufferedDevice } from '../../src/io/buffered-device.ts';
import { runAsync, runSync } from '../../src/io/drivers.ts';
import { type Io, perform } from '../../src/io/effect.ts';
import { MemorySource } from '../../src/io/source.ts';
import { Transactions } from '../../src/io/transaction.ts';
import { WritableSourceDevice } from '../../src/io/writable-source-device.ts';

const SIZE = 4096 * 5 + 512;

type Step =
  | { readonly kind: 'begin' | 'commit' | 'rollback' }
  | { readonly kind: 'write' | 'zero'; readonly at: number; readonly length: number; readonly value: number };

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  fc.constantFrom<Step>({ kind: 'begin' }, { kind: 'commit' }, { kind: 'rollback' }),
  fc.record({
    kind: fc.constantFrom('write' as const, 'zero' as const),
    at: fc.nat(SIZE - 1),
    length: fc.nat(9000),
    value: fc.integer({ min: 1, max: 255 }),
  }),
);

describe('a buffered device', () => {
  test('reads what the open transactions wrote, and keeps exactly what was committed', () => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 40 }), (steps) => {
        const source = new MemorySource(new Uint8Array(SIZE).fill(0xee));
        const device = new BufferedDevice(new WritableSourceDevice(source));
        let now: Uint8Array = source.bytes.slice();
        const outer: Uint8Array[] = [];
        for (const step of steps) {
          if (!('at' in step) && step.kind === 'begin') {
            device.begin();
            outer.push(now.slice());
          } else if (!('at' in step)) {
            const before = outer.pop();
            if (before === undefined) continue;
            runSync(step.kind === 'commit' ? device.commit() : device.rollback());
            if (step.kind === 'rollback') now = before;
          } else {
            const length = Math.min(step.length, SIZE - step.at);
            now.fill(step.kind === 'zero' ? 0 : step.value, step.at, step.at + length);
            runSync(
              step.kind === 'zero' ? device.writeZeroes(step.at, length) : device.write(step.at, new Uint8Array(length).fill(step.value)),
            );
          }
          expect(sameBytes(runSync(device.read(0, SIZE)), now)).toBe(true);
          // The device below sees nothing of a transaction that is open.
          expect(sameBytes(source.bytes, outer[0] ?? now)).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });
});

/** A step that waits until it is let go. */
function gate(): { readonly wait: () => Io<void>; readonly open: () => void } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { wait: () => perform<void>({ sync: () => undefined, async: () => opened }), open: () => open() };
}

describe('transactions', () => {
  const bench = () => {
    const source = new MemorySource(new Uint8Array(SIZE));
    const device = new BufferedDevice(new WritableSourceDevice(source));
    let memory = 0;
    const transactions = new Transactions(device, () => {
      const before = memory;
      return {
        restore: () => {
          memory = before;
        },
        release: () => undefined,
      };
    });
    const write = (value: number): Io<void> =>
      transactions.run(function* () {
        memory = value;
        yield* device.write(100, Uint8Array.of(value));
      });
    return { source, device, transactions, write, memory: () => memory };
  };

  test('an abort in the middle takes back device and memory', async () => {
    const { source, transactions, write, memory } = bench();
    const { wait, open } = gate();
    const controller = new AbortController();
    const running = runAsync(
      transactions.run(function* () {
        yield* write(7);
        yield* wait();
        yield* write(8);
      }),
      controller.signal,
    );
    controller.abort(new Error('enough'));
    open();
    await expect(running).rejects.toThrow('enough');
    expect([source.bytes[100], memory()]).toEqual([0, 0]);
    await runAsync(write(9));
    expect([source.bytes[100], memory()]).toEqual([9, 9]);
  });

  test('another computation waits until an open transaction has ended, and is no part of it', async () => {
    const { source, transactions, write } = bench();
    const { wait, open } = gate();
    const failing = runAsync(
      transactions.run(function* () {
        yield* write(1);
        yield* wait();
        throw new Error('failed on purpose');
      }),
    );
    const other = runAsync(write(2));
    open();
    await expect(failing).rejects.toThrow('on purpose');
    await other;
    expect(source.bytes[100]).toBe(2);
  });
});
