/** One computation, two drivers: results, errors, order, abort, locks and faces. */
import { describe, expect, test } from 'vitest';
import { Corrupt, Refused } from '../../src/errors.ts';
import { all, asyncFace, type Effect, type Io, Lock, perform, runAsync, runSync, syncFace } from '../../src/io/index.ts';

/** An effect that tells when it happens; under the async driver it takes some turns. */
class Step implements Effect<string> {
  readonly name: string;
  readonly log: string[];
  readonly turns: number;
  constructor(name: string, log: string[], turns = 1) {
    this.name = name;
    this.log = log;
    this.turns = turns;
  }
  sync(): string {
    this.log.push(this.name);
    if (this.name.startsWith('fail')) throw new Corrupt(this.name);
    return this.name;
  }
  async async(): Promise<string> {
    for (let turn = 0; turn < this.turns; turn++) await new Promise((resolve) => setImmediate(resolve));
    return this.sync();
  }
}

const both: [string, <T>(io: Io<T>) => Promise<T>][] = [
  ['runSync', async (io) => runSync(io)],
  ['runAsync', (io) => runAsync(io)],
];

describe.each(both)('%s', (_name, run) => {
  test('performs the steps in order and returns the result', async () => {
    const log: string[] = [];
    function* computation(): Io<string> {
      const a = yield* perform(new Step('a', log));
      const b = yield* perform(new Step('b', log));
      return a + b;
    }
    expect(await run(computation())).toBe('ab');
    expect(log).toEqual(['a', 'b']);
  });

  test('throws the error of a step inside the computation, which may catch it and go on', async () => {
    const log: string[] = [];
    function* computation(): Io<string> {
      try {
        yield* perform(new Step('fail', log));
      } catch (error) {
        expect(error).toBeInstanceOf(Corrupt);
        return yield* perform(new Step('instead', log));
      } finally {
        log.push('finally');
      }
      return 'never';
    }
    expect(await run(computation())).toBe('instead');
    expect(log).toEqual(['fail', 'instead', 'finally']);
  });

  test('an error that nobody catches comes out as it is, after every finally', async () => {
    const log: string[] = [];
    function* computation(): Io<void> {
      try {
        yield* perform(new Step('fail', log));
      } finally {
        yield* perform(new Step('clean', log));
      }
    }
    await expect(run(computation())).rejects.toThrow(Corrupt);
    expect(log).toEqual(['fail', 'clean']);
  });

  test('all gives the results in the order of the computations', async () => {
    const log: string[] = [];
    const steps = [3, 1, 2].map((turns) => perform(new Step(`s${turns}`, log, turns)));
    expect(await run(all(steps))).toEqual(['s3', 's1', 's2']);
    expect(await run(all([]))).toEqual([]);
  });
});

describe('all', () => {
  test('runs at once under runAsync and in turn under runSync', async () => {
    const log: string[] = [];
    const steps = (): Io<string>[] => [3, 1, 2].map((turns) => perform(new Step(`s${turns}`, log, turns)));
    runSync(all(steps()));
    expect(log.splice(0)).toEqual(['s3', 's1', 's2']);
    await runAsync(all(steps()));
    expect(log).toEqual(['s1', 's2', 's3']);
  });

  test('fails only after the others have ended, with the first error in order', async () => {
    const log: string[] = [];
    const steps = ['fail late', 'fail soon', 'slow'].map((name, i) => perform(new Step(name, log, [5, 1, 9][i])));
    await expect(runAsync(all(steps))).rejects.toThrow('fail late');
    expect(log).toEqual(['fail soon', 'fail late', 'slow']);
  });
});

describe('abort', () => {
  test('throws the reason inside the computation, so that finally runs', async () => {
    const log: string[] = [];
    const abort = new AbortController();
    function* computation(): Io<void> {
      try {
        yield* perform(new Step('first', log));
        abort.abort(new Error('enough'));
        yield* perform(new Step('second', log));
      } finally {
        log.push('finally');
      }
    }
    await expect(runAsync(computation(), abort.signal)).rejects.toThrow('enough');
    expect(log).toEqual(['first', 'finally']);
  });

  test('reaches every computation of all', async () => {
    const log: string[] = [];
    const abort = new AbortController();
    function* two(name: string): Io<void> {
      yield* perform(new Step(`${name}1`, log));
      abort.abort(new Error('enough'));
      yield* perform(new Step(`${name}2`, log));
    }
    await expect(runAsync(all([two('a'), two('b')]), abort.signal)).rejects.toThrow('enough');
    expect(log).toEqual(['a1', 'b1']);
  });
});

describe('lock', () => {
  test('keeps computations apart under runAsync, first come first served, also when one fails', async () => {
    const lock = new Lock();
    const log: string[] = [];
    const job = (name: string): Promise<void> =>
      runAsync(
        lock.exclusive(function* () {
          yield* perform(new Step(`${name}1`, log));
          yield* perform(new Step(`${name}2`, log));
        }),
      );
    const outcomes = await Promise.allSettled([job('a'), job('fail'), job('c')]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(log).toEqual(['a1', 'a2', 'fail1', 'c1', 'c2']);
  });

  test('an abort while waiting leaves the lock usable', async () => {
    const lock = new Lock();
    const log: string[] = [];
    const abort = new AbortController();
    const job = (name: string, signal?: AbortSignal): Promise<string> =>
      runAsync(
        lock.exclusive(() => perform(new Step(name, log, 5))),
        signal,
      );
    const first = job('a');
    const second = job('b', abort.signal);
    abort.abort(new Error('enough'));
    await expect(second).rejects.toThrow('enough');
    await first;
    expect(await job('c')).toBe('c');
    expect(log).toEqual(['a', 'c']);
  });

  test('held by itself is Refused under runSync instead of waiting for ever, and free again afterwards', () => {
    const lock = new Lock();
    const nested = (): Io<string> => lock.exclusive(() => lock.exclusive(() => perform(new Step('inner', []))));
    expect(() => runSync(nested())).toThrow(Refused);
    expect(runSync(lock.exclusive(() => perform(new Step('next', []))))).toBe('next');
  });
});

describe('faces', () => {
  class Thing {
    readonly #log: string[] = [];
    readonly label = 'thing';
    *get(name: string): Io<string> {
      return yield* perform(new Step(name, this.#log));
    }
  }

  test('are the same methods, at once and as promises', async () => {
    const thing = new Thing();
    expect(syncFace(thing).get('x')).toBe('x');
    expect(await asyncFace(thing).get('y')).toBe('y');
    expect(() => syncFace(thing).get('fail')).toThrow(Corrupt);
    await expect(asyncFace(thing).get('fail')).rejects.toThrow(Corrupt);
  });

  test('an asynchronous face is no promise itself, and takes an abort', async () => {
    const face = asyncFace(new Thing(), AbortSignal.abort(new Error('enough')));
    expect(await face).toBe(face);
    await expect(face.get('x')).rejects.toThrow('enough');
  });
});
