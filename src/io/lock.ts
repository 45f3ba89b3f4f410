/** Mutual exclusion between computations that interleave under `runAsync`. */
import { Refused } from '../errors.ts';
import { type Io, perform } from './effect.ts';

/**
 * A first-come-first-served lock. Under `runSync` a computation is atomic and the lock is always free (finding it held means that a
 * computation calls itself: Refused instead of waiting for ever); under `runAsync` the next one waits its turn.
 */
export class Lock {
  #held = false;
  readonly #waiting: (() => void)[] = [];

  get held(): boolean {
    return this.#held;
  }

  /** Runs `body` while holding the lock, and releases it however `body` ends. */
  *exclusive<T>(body: () => Io<T>): Io<T> {
    // A free lock costs no step.
    if (this.#held) yield* perform({ sync: () => this.#take(), async: () => this.#wait() });
    else this.#held = true;
    try {
      return yield* body();
    } finally {
      this.#release();
    }
  }

  #take(): void {
    if (this.#held) throw new Refused('the file system is busy with another operation');
    this.#held = true;
  }

  #wait(): Promise<void> {
    if (!this.#held) {
      this.#held = true;
      return Promise.resolve();
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #release(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#held = false;
    else next();
  }
}
