/** A computation that fails at one of its steps. */
import { type Errno, Posix } from '../errors.ts';
import type { Io } from '../io/effect.ts';
import { perform } from '../io/index.ts';

/**
 * The same computation, whose `failing`-th step fails: every read, write and flush is a step, whoever does it. When there are fewer steps
 * it runs to its end; {@link StepCount.steps} then says how many there were.
 */
export function* failingAt<T>(io: Io<T>, failing: number, count: StepCount = { steps: 0 }, code: Errno = 'EIO'): Io<T> {
  let step = io.next();
  while (step.done !== true) {
    count.steps++;
    let reply: unknown;
    try {
      if (count.steps === failing) throw new Posix(code, {}, 'injected');
      reply = yield* perform(step.value);
    } catch (error) {
      step = io.throw(error);
      continue;
    }
    step = io.next(reply);
  }
  return step.value;
}

export interface StepCount {
  steps: number;
}

/** Whether an error is one that was injected here. */
export function isInjected(error: unknown): boolean {
  return error instanceof Posix && error.message.includes('injected');
}
