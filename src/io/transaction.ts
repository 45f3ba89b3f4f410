/**
 * Transactions: changes to a device that happen as a whole or not at all, and the memory that goes with them.
 *
 * The copy-on-write overlay is the device that users write to; {@link BufferedDevice} gives the same promise over any device, from memory.
 */
import type { BlockDevice, WritableDevice } from './device.ts';
import { type Io, perform } from './effect.ts';
import { Lock } from './lock.ts';

/** A device whose writes can be taken back. Transactions nest: an inner one becomes part of the one around it. */
export interface TransactionalDevice extends WritableDevice {
  /** For a part of a device: the device whose transactions these are. */
  readonly whole?: TransactionalDevice;
  /** Opens a transaction. */
  begin(): void;
  /** Keeps what the innermost transaction wrote. When this throws, that transaction is over and was rolled back. */
  commit(): Io<void>;
  /** Takes back all that the innermost transaction wrote; without steps outside, for it must work while a computation is aborted. */
  rollback(): Io<void>;
}

/** A state of memory to which a failed transaction returns. Exactly one of the two is called, once. */
export interface Savepoint {
  restore(): void;
  /** The transaction went well: the state need not be kept. */
  release(): void;
}

/** Something to do, if there is. */
export type Work = () => Io<void> | undefined;

/** What all file systems on one device share: its transactions nest, so only one of them can have one open. */
interface Turn {
  readonly lock: Lock;
  /** True exactly while code of an open transaction's body runs: what it calls belongs to it. */
  inside: boolean;
}

/** An open transaction whose parts cannot fail on their own, and the first error of one that did. */
interface WholeTransaction {
  failed: { readonly error: unknown } | undefined;
}

const turns = new WeakMap<TransactionalDevice, Turn>();

function turnOf(device: TransactionalDevice): Turn {
  const whole = device.whole ?? device;
  let turn = turns.get(whole);
  if (turn === undefined) turns.set(whole, (turn = { lock: new Lock(), inside: false }));
  return turn;
}

/**
 * Runs the mutations of a file system one after the other, each as a transaction of the device and of the file system's memory.
 * `save` is called before each. File systems on parts of one device take turns.
 */
export class Transactions {
  readonly #device: TransactionalDevice;
  readonly #save: () => Savepoint;
  readonly #turn: Turn;
  /** The innermost whole transaction that is open, and what failed in it. */
  #whole: WholeTransaction | undefined;

  constructor(device: TransactionalDevice, save: () => Savepoint) {
    this.#device = device;
    this.#save = save;
    this.#turn = turnOf(device);
  }

  /**
   * Runs `body` as one transaction; inside the body of another, as a part of that which can fail on its own. `before` is run first when
   * there is one around, as a part of that; `after` last, as a part of this one. Both may have nothing to do.
   */
  *run<T>(body: () => Io<T>, before?: Work, after?: Work): Io<T> {
    if (!this.#turn.inside) return yield* this.#turn.lock.exclusive(() => this.#watched(() => this.#attempt(body, after)));
    const first = before?.();
    if (first !== undefined) yield* first;
    const whole = this.#whole;
    if (whole === undefined) return yield* this.#attempt(body, after);
    try {
      const result = yield* body();
      const last = after?.();
      if (last !== undefined) yield* last;
      return result;
    } catch (error) {
      whole.failed ??= { error };
      throw error;
    }
  }

  /**
   * As {@link run}; but what is run inside of `body` cannot fail on its own, and need not be able to be taken back on its own: when a part
   * throws the whole throws the same in the end, and none of it happened, whatever `body` made of the error.
   */
  *runWhole<T>(body: () => Io<T>, before?: Work): Io<T> {
    return yield* this.run(() => this.#asWhole(body), before);
  }

  /**
   * As {@link run} inside of a whole transaction, for a body that takes no step outside. Undefined: nothing was done, because there is no such
   * transaction around, something has to be done before, or `body` says so.
   */
  runNow<T>(body: () => T | undefined, before: Work): T | undefined {
    const whole = this.#whole;
    if (whole === undefined || !this.#turn.inside || before() !== undefined) return undefined;
    try {
      return body();
    } catch (error) {
      whole.failed ??= { error };
      throw error;
    }
  }

  *#asWhole<T>(body: () => Io<T>): Io<T> {
    const around = this.#whole;
    const whole: WholeTransaction = { failed: undefined };
    this.#whole = whole;
    try {
      const result = yield* body();
      if (whole.failed !== undefined) throw whole.failed.error;
      return result;
    } finally {
      this.#whole = around;
    }
  }

  *#attempt<T>(body: () => Io<T>, after: Work | undefined): Io<T> {
    const saved = this.#save();
    this.#device.begin();
    let result: T;
    try {
      result = yield* body();
      const last = after?.();
      if (last !== undefined) yield* last;
    } catch (error) {
      try {
        yield* this.#device.rollback();
      } finally {
        saved.restore();
      }
      throw error;
    }
    try {
      yield* this.#device.commit();
    } catch (error) {
      saved.restore();
      throw error;
    }
    saved.release();
    return result;
  }

  /** Drives a computation by hand to know when its own code runs, and not another's that interleaves with it. */
  *#watched<T>(body: () => Io<T>): Io<T> {
    const io = body();
    const resume = <R>(step: () => R): R => {
      this.#turn.inside = true;
      try {
        return step();
      } finally {
        this.#turn.inside = false;
      }
    };
    let step = resume(() => io.next());
    while (step.done !== true) {
      let reply: unknown;
      try {
        reply = yield* perform(step.value);
      } catch (error) {
        step = resume(() => io.throw(error));
        continue;
      }
      step = resume(() => io.next(reply));
    }
    return step.value;
  }
}

/** Whether a device takes transactions. */
export function isTransactional(device: BlockDevice): device is TransactionalDevice {
  return 'begin' in device && 'commit' in device && 'rollback' in device;
}
