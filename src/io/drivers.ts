/** The two drivers of {@link Io}, and running several at once. */
import { type AbortSignalLike, type Effect, type Io, NeedsAsync, perform } from './effect.ts';

/** Runs a computation to its end on the spot; a step that cannot be done synchronously throws Refused. */
export function runSync<T>(io: Io<T>): T {
  let step = io.next();
  while (step.done !== true) {
    let reply: unknown;
    try {
      reply = step.value.sync();
    } catch (error) {
      step = io.throw(error);
      continue;
    }
    step = io.next(reply);
  }
  return step.value;
}

/** Runs a computation, awaiting each step. Aborting throws the signal's reason inside the computation, so that `finally` blocks run. */
export async function runAsync<T>(io: Io<T>, signal?: AbortSignalLike): Promise<T> {
  let step = io.next();
  while (step.done !== true) {
    let reply: unknown;
    try {
      signal?.throwIfAborted();
      reply = await step.value.async(signal);
    } catch (error) {
      step = io.throw(error);
      continue;
    }
    step = io.next(reply);
  }
  return step.value;
}

/**
 * Runs a computation, doing each step on the spot except those that have to be waited for: for doors that wait for a client and read files.
 * `signal` is heard while waiting.
 */
export async function runWaiting<T>(io: Io<T>, signal?: AbortSignalLike): Promise<T> {
  let step = io.next();
  while (step.done !== true) {
    let reply: unknown;
    try {
      reply = step.value.waits === true ? await step.value.async(signal) : stepAtOnce(step.value);
      if (reply === WAIT) reply = await step.value.async(signal);
    } catch (error) {
      step = io.throw(error);
      continue;
    }
    step = io.next(reply);
  }
  return step.value;
}

const WAIT = Symbol('the step has to be waited for');

/** A step that consists of others learns from them that it has to be waited for. */
function stepAtOnce(effect: Effect<unknown>): unknown {
  try {
    return effect.sync();
  } catch (error) {
    if (error instanceof NeedsAsync) return WAIT;
    throw error;
  }
}

/**
 * Independent computations: all at once under `runAsync`, in turn under `runSync`. When one fails the error is thrown after every
 * other has ended, so that nothing goes on in the background.
 */
export function* all<T>(computations: readonly Io<T>[]): Io<T[]> {
  if (computations.length === 1) return [yield* computations[0] as Io<T>];
  return yield* perform({
    waits: true,
    sync: () => computations.map((io) => runSync(io)),
    async: async (signal) => {
      const settled = await Promise.allSettled(computations.map((io) => runAsync(io, signal)));
      return settled.map((outcome) => {
        if (outcome.status === 'rejected') throw outcome.reason;
        return outcome.value;
      });
    },
  });
}
