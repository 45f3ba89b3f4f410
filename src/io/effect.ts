/**
 * Describe, then perform: the one way in which this library touches the outside world.
 *
 * Format code never does I/O. It is written as generators that yield the steps they need ({@link Effect}), and a driver performs them:
 * `runSync` at once, `runAsync` by waiting. One implementation thus serves synchronous callers (command line, workers, WASI) and
 * asynchronous ones (HTTP, Blob). A generator suspends only at a real step, so work on bytes already in hand costs no detour.
 */

import { Refused } from '../errors.ts';

/** The part of the DOM's AbortSignal that is used here; declared so that the core needs no DOM types. */
export interface AbortSignalLike {
  readonly aborted: boolean;
  readonly reason?: unknown;
  throwIfAborted(): void;
  addEventListener?(type: 'abort', listener: () => void, options?: { once?: boolean }): void;
}

/** A step was asked to be done at once that has to be waited for; nothing was done. */
export class NeedsAsync extends Refused {}

/** One step that touches the outside world, stated both ways. Only the drivers call these methods. */
export interface Effect<R> {
  /** It has to be waited for: `sync` throws. */
  readonly waits?: boolean;
  sync(): R;
  async(signal?: AbortSignalLike): Promise<R>;
}

/** A computation that may do I/O. Compose with `yield*`; run with `runSync` or `runAsync`. */
export type Io<T> = Generator<Effect<unknown>, T, unknown>;

/** The single plain `yield` of the code base, and its single cast. */
export function* perform<R>(effect: Effect<R>): Io<R> {
  return (yield effect) as R;
}
