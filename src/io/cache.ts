/**
 * The page cache between file systems and their device.
 *
 * It serves metadata: small reads at places that are visited again. Bulk file data goes past it, straight into the caller's buffer.
 * Pages are as large as the device likes its requests, filled once however many computations ask for them at the same time, and read
 * ahead while reading is sequential. Memory is bounded by a budget, not by the device; the victim is found by the CLOCK algorithm
 * (a bit per page instead of a list in order of use).
 */
import type { Bytes } from '../bytes/struct.ts';
import { viewOf } from '../bytes/struct.ts';
import { type BlockDevice, checkRange, type Extent, type WritableDevice } from './device.ts';
import { runAsync, runSync } from './drivers.ts';
import { type Io, perform } from './effect.ts';

/** One page in memory; `view` spans exactly `bytes`. */
export interface Page {
  readonly bytes: Bytes;
  readonly view: DataView;
}

interface Slot extends Page {
  readonly index: number;
  used: boolean;
}

export interface CacheOptions {
  /** Page size in bytes, a power of two; by default what the device prefers, rounded up to one, at least 4 KiB. */
  readonly pageSize?: number;
  /** Bytes of pages to keep; default 16 MiB. */
  readonly budget?: number;
  /** How far to read ahead of a sequential reader, in bytes; default 16 pages or 1 MiB, the smaller. */
  readonly readAhead?: number;
}

export class CachedDevice<D extends BlockDevice = BlockDevice> implements BlockDevice {
  readonly device: D;
  readonly size: number;
  readonly preferredRequest: number;
  readonly pageSize: number;
  readonly #shift: number;
  readonly #capacity: number;
  readonly #readAheadPages: number;
  readonly #slots = new Map<number, Slot>();
  readonly #clock: Slot[] = [];
  #hand = 0;
  readonly #pending = new Map<number, Promise<void>>();
  #sequentialNext = -1;
  #generation = 0;

  constructor(device: D, options: CacheOptions = {}) {
    this.device = device;
    this.size = device.size;
    this.preferredRequest = device.preferredRequest;
    this.pageSize = options.pageSize ?? 2 ** Math.ceil(Math.log2(Math.max(4096, device.preferredRequest)));
    this.#shift = Math.log2(this.pageSize);
    if (!Number.isInteger(this.#shift)) throw new RangeError(`page size ${this.pageSize} is no power of two`);
    this.#capacity = Math.max(4, Math.floor((options.budget ?? 16 << 20) / this.pageSize));
    const ahead = options.readAhead ?? Math.min(16 * this.pageSize, 1 << 20);
    this.#readAheadPages = Math.min(Math.max(1, Math.floor(ahead / this.pageSize)), this.#capacity >> 1);
  }

  /** The page if it is in memory. */
  peek(index: number): Page | undefined {
    const slot = this.#slots.get(index);
    if (slot !== undefined) slot.used = true;
    return slot;
  }

  /** The page that holds the bytes from `index * pageSize`; the last one may be shorter. */
  *page(index: number): Io<Page> {
    return this.peek(index) ?? (yield* this.#load(index));
  }

  /** Bytes of the range: a view of one page, or a copy where the range crosses pages. Do not change them. */
  *read(offset: number, length: number): Io<Bytes> {
    checkRange(this, offset, length);
    const index = Math.floor(offset / this.pageSize);
    const within = offset - index * this.pageSize;
    if (within + length <= this.pageSize) {
      const page = this.peek(index) ?? (yield* this.#load(index));
      return page.bytes.subarray(within, within + length);
    }
    const target = new Uint8Array(length);
    yield* this.readInto(offset, target);
    return target;
  }

  /** As {@link read}, if the range lies in one page and that is in memory. */
  peekRange(offset: number, length: number): Bytes | undefined {
    const index = Math.floor(offset / this.pageSize);
    const within = offset - index * this.pageSize;
    const page = this.peek(index);
    return page === undefined || within + length > page.bytes.length ? undefined : page.bytes.subarray(within, within + length);
  }

  *readInto(offset: number, target: Bytes): Io<void> {
    checkRange(this, offset, target.length);
    for (let done = 0; done < target.length; ) {
      const index = Math.floor((offset + done) / this.pageSize);
      const within = offset + done - index * this.pageSize;
      const page = this.peek(index) ?? (yield* this.#load(index));
      const part = page.bytes.subarray(within, within + target.length - done);
      target.set(part, done);
      done += part.length;
    }
  }

  map(offset: number, length: number): Io<Extent> {
    return this.device.map(offset, length);
  }

  /** Forgets pages that touch the range; for ranges written past the cache. */
  invalidate(offset: number, length: number): void {
    this.#generation++;
    const first = Math.floor(offset / this.pageSize);
    const last = Math.floor((offset + Math.max(1, length) - 1) / this.pageSize);
    if (last - first > this.#slots.size) {
      for (const index of [...this.#slots.keys()]) if (index >= first && index <= last) this.#drop(index);
    } else for (let index = first; index <= last; index++) this.#drop(index);
  }

  /** Forgets everything. */
  clear(): void {
    this.#generation++;
    this.#slots.clear();
    this.#clock.length = 0;
    this.#hand = 0;
  }

  /** Puts bytes that were just written to the device into the pages that are in memory. */
  protected patch(offset: number, bytes: Bytes): void {
    this.#generation++;
    for (let done = 0; done < bytes.length; ) {
      const index = Math.floor((offset + done) / this.pageSize);
      const within = offset + done - index * this.pageSize;
      const length = Math.min(this.pageSize - within, bytes.length - done);
      const page = this.#slots.get(index)?.bytes;
      if (page !== undefined) {
        const part = length === bytes.length ? bytes : bytes.subarray(done, done + length);
        // A block of the page itself that was changed where it stands.
        if (part.buffer !== page.buffer || part.byteOffset !== page.byteOffset + within) page.set(part, within);
      }
      done += length;
    }
  }

  #drop(index: number): void {
    const slot = this.#slots.get(index);
    if (slot === undefined) return;
    this.#slots.delete(index);
    const at = this.#clock.indexOf(slot);
    const moved = this.#clock.pop();
    if (moved !== undefined && moved !== slot) this.#clock[at] = moved;
  }

  *#load(index: number): Io<Page> {
    for (;;) {
      const run = this.#runFrom(index);
      yield* perform({
        sync: () => runSync(this.#fill(index, run)),
        async: (signal) => {
          const pending = this.#pending.get(index);
          // If the other's request fails or is aborted that is the other's affair: this one then asks on its own.
          if (pending !== undefined) return pending.catch(() => undefined);
          const filling = runAsync(this.#fill(index, run), signal).finally(() => {
            for (let k = 0; k < run; k++) if (this.#pending.get(index + k) === filling) this.#pending.delete(index + k);
          });
          for (let k = 0; k < run; k++) if (!this.#pending.has(index + k)) this.#pending.set(index + k, filling);
          return filling;
        },
      });
      // Not marked as used: a page that is visited but once goes before those that are visited again.
      const slot = this.#slots.get(index);
      if (slot !== undefined) return slot;
    }
  }

  /** How many pages to fetch when `index` is missing: one, or a growing run while the reader goes forward. */
  #runFrom(index: number): number {
    const sequential = index === this.#sequentialNext;
    const limit = sequential ? this.#readAheadPages : 1;
    const pages = Math.ceil(this.size / this.pageSize);
    let run = 1;
    while (run < limit && index + run < pages && !this.#slots.has(index + run)) run++;
    this.#sequentialNext = index + run;
    return run;
  }

  *#fill(index: number, run: number): Io<void> {
    const start = index * this.pageSize;
    checkRange(this, start, 0);
    const length = Math.min(run * this.pageSize, this.size - start);
    const generation = this.#generation;
    const bytes = new Uint8Array(length);
    yield* this.device.readInto(start, bytes);
    // A write went by while these bytes were under way: they may be stale, so ask again.
    if (generation !== this.#generation) return;
    for (let k = 0; k < run; k++) {
      if (this.#slots.has(index + k)) continue;
      const part = run === 1 ? bytes : bytes.slice(k * this.pageSize, (k + 1) * this.pageSize);
      this.#insert({ index: index + k, bytes: part, view: viewOf(part), used: false });
    }
  }

  #insert(slot: Slot): void {
    if (this.#clock.length < this.#capacity) {
      this.#clock.push(slot);
    } else {
      for (;;) {
        this.#hand = (this.#hand + 1) % this.#clock.length;
        const candidate = this.#clock[this.#hand] as Slot;
        if (!candidate.used) {
          this.#slots.delete(candidate.index);
          this.#clock[this.#hand] = slot;
          break;
        }
        candidate.used = false;
      }
    }
    this.#slots.set(slot.index, slot);
  }
}

/** The page cache over a device that can be written: writes go through, and the pages in memory follow. */
export class WritableCachedDevice extends CachedDevice<WritableDevice> implements WritableDevice {
  writeNow(offset: number, bytes: Bytes): boolean {
    checkRange(this, offset, bytes.length);
    if (this.device.writeNow?.(offset, bytes) !== true) return false;
    this.patch(offset, bytes);
    return true;
  }

  takesNow(offset: number, length: number): boolean {
    return this.device.takesNow?.(offset, length) === true;
  }

  *write(offset: number, bytes: Bytes): Io<void> {
    if (this.writeNow(offset, bytes)) return;
    try {
      yield* this.device.write(offset, bytes);
    } catch (error) {
      this.invalidate(offset, bytes.length);
      throw error;
    }
    this.patch(offset, bytes);
  }

  *writeZeroes(offset: number, length: number): Io<void> {
    checkRange(this, offset, length);
    try {
      yield* this.device.writeZeroes(offset, length);
    } finally {
      this.invalidate(offset, length);
    }
  }

  *discard(offset: number, length: number): Io<void> {
    checkRange(this, offset, length);
    try {
      yield* this.device.discard(offset, length);
    } finally {
      this.invalidate(offset, length);
    }
  }

  flush(): Io<void> {
    return this.device.flush();
  }
}
