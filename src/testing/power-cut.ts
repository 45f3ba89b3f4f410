/** The power cut, which loses what was written but not flushed. */
import type { Bytes } from '../bytes/index.ts';
import type { WritableSource } from '../io/index.ts';
import { sectorsOf } from './sectors.ts';

/**
 * A disk with a volatile cache: what is written is seen at once, and is safe only after a flush. {@link afterPowerCut} tells what a machine
 * finds after the power failed now.
 */
export class VolatileSource implements WritableSource {
  readonly name: string;
  readonly preferredRequest = 4096;
  #durable: Bytes;
  #visible: Bytes;
  #pending: { readonly offset: number; readonly bytes: Bytes }[] = [];

  constructor(bytes: Bytes, name = 'disk') {
    this.#durable = bytes.slice();
    this.#visible = bytes.slice();
    this.name = name;
  }

  get size(): number {
    return this.#visible.length;
  }

  /** Sectors written since the last flush, in the order of writing. */
  get pendingSectors(): number {
    return this.#pending.length;
  }

  readSync(offset: number, target: Bytes): number {
    const part = this.#visible.subarray(offset, offset + target.length);
    target.set(part);
    return part.length;
  }

  writeSync(offset: number, bytes: Bytes): void {
    if (offset + bytes.length > this.#visible.length) this.#visible = resized(this.#visible, offset + bytes.length);
    this.#visible.set(bytes, offset);
    for (const [at, piece] of sectorsOf(offset, bytes)) this.#pending.push({ offset: at, bytes: piece.slice() });
  }

  /** A length is durable at once, as on journaling file systems. */
  truncateSync(size: number): void {
    this.#visible = resized(this.#visible, size);
    this.#durable = resized(this.#durable, size);
    this.#pending = this.#pending.filter(({ offset, bytes }) => offset + bytes.length <= size);
  }

  flushSync(): void {
    this.#durable = this.#visible.slice();
    this.#pending = [];
  }

  /** The disk after a power cut: of the sectors that were not flushed, those that `survives` picks were stored, in any order. */
  afterPowerCut(survives: (sector: number) => boolean): Bytes {
    let disk: Bytes = this.#durable.slice();
    this.#pending.forEach(({ offset, bytes }, i) => {
      if (!survives(i)) return;
      if (offset + bytes.length > disk.length) disk = resized(disk, offset + bytes.length);
      disk.set(bytes, offset);
    });
    return disk;
  }
}

function resized(bytes: Bytes, size: number): Bytes {
  const result = new Uint8Array(size);
  result.set(bytes.subarray(0, size));
  return result;
}
