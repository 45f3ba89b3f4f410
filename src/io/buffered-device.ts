/** Transactions in memory over a device that has none. */
import type { Bytes } from '../bytes/struct.ts';
import { Refused } from '../errors.ts';
import { checkRange, type Extent, readNew, type WritableDevice } from './device.ts';
import { runAsync, runSync } from './drivers.ts';
import { type Io, perform } from './effect.ts';
import type { TransactionalDevice } from './transaction.ts';

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
