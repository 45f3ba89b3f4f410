/**
 * Transactions: changes to a device that happen as a whole or not at all, and the memory that goes with them.
 *
 * The copy-on-write overlay is the device that users write to; {@link BufferedDevice} gives the same promise over any device, from memory.
 */
import type { Bytes } from '../bytes/struct.ts';
import { Refused } from '../errors.ts';
import { type BlockDevice, checkRange, type Extent, readNew, type WritableDevice } from './device.ts';
import { runAsync, runSync } from './drivers.ts';
import { type Io, perform } from './effect.ts';
import { Lock } from './lock.ts';
import { Flush, SourceDevice, type WritableSource, Write } from './source.ts';

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

const BLOCK = 4096;
/** The block of zeros that all blocks known to be zero share; never written to. */
const ZERO: Bytes = new Uint8Array(BLOCK);
/** Bytes of a request when a transaction is applied. */
const REQUEST = 1 << 20;

/**
 * Transactions in memory over any device: what the open transactions wrote is kept here, and applied when the outermost one commits. When
 * applying fails, what was there before is put back. Outside of transactions writes go straight through.
 */
export class BufferedDevice implements TransactionalDevice {
  readonly device: WritableDevice;
  readonly size: number;
  readonly preferredRequest: number;
  /** Blocks by number, the innermost transaction last. */
  readonly #layers: Map<number, Bytes>[] = [];

  constructor(device: WritableDevice) {
    this.device = device;
    this.size = device.size;
    this.preferredRequest = device.preferredRequest;
  }

  begin(): void {
    this.#layers.push(new Map());
  }

  // biome-ignore lint/correctness/useYield: nothing has to be done outside
  *rollback(): Io<void> {
    this.#top();
    this.#layers.pop();
  }

  *commit(): Io<void> {
    const layer = this.#top();
    this.#layers.pop();
    const outer = this.#layers[this.#layers.length - 1];
    if (outer === undefined) {
      // One step, so that an abort comes before it or after it, and never leaves half of it.
      yield* perform({ sync: () => runSync(this.#apply(layer)), async: () => runAsync(this.#apply(layer)) });
    } else for (const [index, block] of layer) outer.set(index, block);
  }

  read(offset: number, length: number): Io<Bytes> {
    return this.#layers.length === 0 ? this.device.read(offset, length) : readNew(this, offset, length);
  }

  *readInto(offset: number, target: Bytes): Io<void> {
    checkRange(this, offset, target.length);
    for (let done = 0; done < target.length; ) {
      const at = offset + done;
      const index = Math.floor(at / BLOCK);
      const block = this.#find(index);
      const within = at - index * BLOCK;
      let length = Math.min(BLOCK - within, target.length - done);
      if (block !== undefined) target.set(block.subarray(within, within + length), done);
      else {
        for (let next = index + 1; length < target.length - done && this.#find(next) === undefined; next++) length += BLOCK;
        length = Math.min(length, target.length - done);
        yield* this.device.readInto(at, target.subarray(done, done + length));
      }
      done += length;
    }
  }

  *map(offset: number, length: number): Io<Extent> {
    if (this.#layers.length === 0) return yield* this.device.map(offset, length);
    checkRange(this, offset, length);
    const within = Math.min(length, BLOCK - (offset % BLOCK));
    const block = this.#find(Math.floor(offset / BLOCK));
    if (block === undefined) return yield* this.device.map(offset, within);
    return { length: within, present: true, zero: block === ZERO, data: block !== ZERO, depth: 0 };
  }

  *write(offset: number, bytes: Bytes): Io<void> {
    checkRange(this, offset, bytes.length);
    const layer = this.#layers[this.#layers.length - 1];
    if (layer === undefined) yield* this.device.write(offset, bytes);
    else yield* this.#store(layer, offset, bytes.length, bytes);
  }

  *writeZeroes(offset: number, length: number): Io<void> {
    checkRange(this, offset, length);
    const layer = this.#layers[this.#layers.length - 1];
    if (layer === undefined) yield* this.device.writeZeroes(offset, length);
    else yield* this.#store(layer, offset, length, undefined);
  }

  *discard(offset: number, length: number): Io<void> {
    if (this.#layers.length === 0) yield* this.device.discard(offset, length);
    else yield* this.writeZeroes(offset, length);
  }

  flush(): Io<void> {
    return this.device.flush();
  }

  #top(): Map<number, Bytes> {
    const layer = this.#layers[this.#layers.length - 1];
    if (layer === undefined) throw new Refused('no transaction is open');
    return layer;
  }

  #find(index: number): Bytes | undefined {
    for (let depth = this.#layers.length - 1; depth >= 0; depth--) {
      const block = this.#layers[depth]?.get(index);
      if (block !== undefined) return block;
    }
    return undefined;
  }

  /** Puts bytes, or zeros, into a layer; a block that is changed in part is copied into it first. */
  *#store(layer: Map<number, Bytes>, offset: number, length: number, bytes: Bytes | undefined): Io<void> {
    for (let done = 0; done < length; ) {
      const index = Math.floor((offset + done) / BLOCK);
      const within = offset + done - index * BLOCK;
      const part = Math.min(BLOCK - within, length - done);
      const whole = within === 0 && (part === BLOCK || offset + done + part === this.size);
      if (whole && bytes === undefined) layer.set(index, ZERO);
      else {
        let block = layer.get(index);
        if (block === undefined || block === ZERO) {
          const before = this.#find(index);
          block = new Uint8Array(BLOCK);
          if (before !== undefined) block.set(before);
          else if (!whole) yield* this.device.readInto(index * BLOCK, block.subarray(0, Math.min(BLOCK, this.size - index * BLOCK)));
          layer.set(index, block);
        }
        if (bytes === undefined) block.fill(0, within, within + part);
        else block.set(bytes.subarray(done, done + part), within);
      }
      done += part;
    }
  }

  *#apply(layer: Map<number, Bytes>): Io<void> {
    const indices = [...layer.keys()].sort((a, b) => a - b);
    const before: { readonly offset: number; readonly bytes: Bytes }[] = [];
    try {
      for (let i = 0; i < indices.length; ) {
        const first = indices[i] ?? 0;
        let count = 1;
        while (count * BLOCK < REQUEST && indices[i + count] === first + count) count++;
        const offset = first * BLOCK;
        const bytes = new Uint8Array(Math.min(count * BLOCK, this.size - offset));
        for (let k = 0; k < count; k++) bytes.set((layer.get(first + k) as Bytes).subarray(0, bytes.length - k * BLOCK), k * BLOCK);
        before.push({ offset, bytes: yield* readNew(this.device, offset, bytes.length) });
        yield* this.device.write(offset, bytes);
        i += count;
      }
    } catch (error) {
      for (const { offset, bytes } of before) yield* this.device.write(offset, bytes);
      throw error;
    }
  }
}

/** A source that can be written, as a device: the raw format. */
export class WritableSourceDevice extends SourceDevice implements WritableDevice {
  readonly #target: WritableSource;

  constructor(source: WritableSource) {
    super(source);
    this.#target = source;
  }

  *write(offset: number, bytes: Bytes): Io<void> {
    checkRange(this, offset, bytes.length, { image: this.source.name });
    yield* perform(new Write(this.#target, offset, bytes));
  }

  *writeZeroes(offset: number, length: number): Io<void> {
    checkRange(this, offset, length, { image: this.source.name });
    const zeros = new Uint8Array(Math.min(length, REQUEST));
    for (let done = 0; done < length; done += zeros.length) {
      yield* perform(new Write(this.#target, offset + done, zeros.subarray(0, length - done)));
    }
  }

  discard(offset: number, length: number): Io<void> {
    return this.writeZeroes(offset, length);
  }

  *flush(): Io<void> {
    yield* perform(new Flush(this.#target));
  }
}

/** Whether a device takes transactions. */
export function isTransactional(device: BlockDevice): device is TransactionalDevice {
  return 'begin' in device && 'commit' in device && 'rollback' in device;
}
