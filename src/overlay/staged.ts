/** A file that is rewritten aside: for formats whose writer wants a file to work on, while the real one must not change before all is ready. */
import type { Bytes } from '../bytes/struct.ts';
import { type BlockDevice, checkRange, type Extent, readNew } from '../io/device.ts';
import { runAsync, runSync } from '../io/drivers.ts';
import type { AbortSignalLike, Io } from '../io/effect.ts';
import { type ByteSource, readPadded, type WritableSource } from '../io/source.ts';
import type { FileChanges, FileRange } from './journal.ts';
import { OverlayDevice, type OverlayOptions } from './overlay.ts';

/** No file is longer: 2^52 bytes. */
const LONGEST = 2 ** 52;

/** A source with zeros after its end, for a file that may grow. */
class PaddedDevice implements BlockDevice {
  readonly size = LONGEST;
  readonly preferredRequest: number;
  readonly #source: ByteSource;

  constructor(source: ByteSource) {
    this.#source = source;
    this.preferredRequest = source.preferredRequest;
  }

  read(offset: number, length: number): Io<Bytes> {
    return readNew(this, offset, length);
  }

  *readInto(offset: number, target: Bytes): Io<void> {
    checkRange(this, offset, target.length);
    yield* readPadded(this.#source, offset, target);
  }

  // biome-ignore lint/correctness/useYield: nothing has to be read to know this
  *map(offset: number, length: number): Io<Extent> {
    const inside = this.#source.size - offset;
    if (inside <= 0) return { length, present: false, zero: true, data: false, depth: 0 };
    return { length: Math.min(length, inside), present: true, zero: false, data: true, depth: 0, offset };
  }
}

/**
 * The file of an image with changes that are kept aside. Reads see them; {@link changes} gives them for a commit through a journal. Under
 * the synchronous driver it needs a source that reads synchronously.
 */
export class StagedSource implements WritableSource {
  readonly name: string;
  readonly preferredRequest: number;
  readonly #overlay: OverlayDevice;
  #size: number;

  constructor(source: ByteSource, options: OverlayOptions = {}) {
    this.name = source.name;
    this.preferredRequest = source.preferredRequest;
    this.#overlay = new OverlayDevice(new PaddedDevice(source), options);
    this.#size = source.size;
  }

  get size(): number {
    return this.#size;
  }

  readSync(offset: number, target: Bytes): number {
    return runSync(this.#read(offset, target));
  }

  readAsync(offset: number, target: Bytes, signal?: AbortSignalLike): Promise<number> {
    return runAsync(this.#read(offset, target), signal);
  }

  *#read(offset: number, target: Bytes): Io<number> {
    const part = target.subarray(0, Math.max(0, this.#size - offset));
    if (part.length > 0) yield* this.#overlay.readInto(offset, part);
    return part.length;
  }

  writeSync(offset: number, bytes: Bytes): void {
    runSync(this.#overlay.write(offset, bytes));
    this.#size = Math.max(this.#size, offset + bytes.length);
  }

  async writeAsync(offset: number, bytes: Bytes): Promise<void> {
    await runAsync(this.#overlay.write(offset, bytes));
    this.#size = Math.max(this.#size, offset + bytes.length);
  }

  truncateSync(size: number): void {
    if (size < this.#size) runSync(this.#overlay.discard(size, this.#size - size));
    this.#size = size;
  }

  async truncateAsync(size: number): Promise<void> {
    if (size < this.#size) await runAsync(this.#overlay.discard(size, this.#size - size));
    this.#size = size;
  }

  /** Nothing: what is staged becomes durable with the commit. */
  flushSync(): void {}

  /** What the file has to become; the source must stay open until that is written. */
  changes(): FileChanges {
    const ranges: FileRange[] = [];
    for (const { offset, length, kind } of this.#overlay.changes()) {
      const inside = Math.min(length, this.#size - offset);
      if (inside > 0) ranges.push({ offset, length: inside, kind: kind === 'data' ? 'data' : 'zero' });
    }
    return { ranges, size: this.#size, read: (offset, target) => this.#overlay.readInto(offset, target) };
  }

  close(): void {
    this.#overlay.close();
  }
}
