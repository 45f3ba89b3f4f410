/** The file system's device as it is after its journal was replayed, without anything having been written. */
import { type Bytes, viewOf } from '../../bytes/struct.ts';
import { type BlockDevice, checkRange, type Extent, readNew } from '../../io/device.ts';
import type { Io } from '../../io/effect.ts';
import { JBD2_MAGIC_NUMBER } from './format.ts';

/** What stands in for one block. */
type Replacement = { readonly block: number; readonly escaped: boolean } | { readonly bytes: Bytes };

/**
 * A device some of whose blocks are found elsewhere on it. It keeps block numbers, not data: 16 bytes for each replayed block, and
 * the few blocks given as bytes by {@link patch}.
 */
export class ReplayedDevice implements BlockDevice {
  readonly device: BlockDevice;
  readonly size: number;
  readonly preferredRequest: number;
  readonly blockSize: number;
  /** Home blocks in ascending order, and beside each the block that holds its contents; negative minus 1: escaped. */
  readonly #homes: Float64Array;
  readonly #copies: Float64Array;
  readonly #patches = new Map<number, Bytes>();

  constructor(device: BlockDevice, blockSize: number, blocks: ReadonlyMap<number, number>, escaped: ReadonlySet<number>) {
    this.device = device;
    this.size = device.size;
    this.preferredRequest = device.preferredRequest;
    this.blockSize = blockSize;
    this.#homes = Float64Array.from(blocks.keys()).sort();
    this.#copies = this.#homes.map((home) => {
      const block = blocks.get(home)!;
      return escaped.has(home) ? -block - 1 : block;
    });
  }

  /** The blocks that read otherwise than on the device below, in ascending order: what a writer has to store. */
  get changedBlocks(): readonly number[] {
    const changed = new Set<number>(this.#homes);
    for (const block of this.#patches.keys()) changed.add(block);
    return [...changed].sort((a, b) => a - b);
  }

  /** Makes block `block` read as `bytes`, one whole block of them. */
  patch(block: number, bytes: Bytes): void {
    checkRange(this, block * this.blockSize, this.blockSize);
    this.#patches.set(block, bytes.slice(0, this.blockSize));
  }

  read(offset: number, length: number): Io<Bytes> {
    checkRange(this, offset, length);
    const block = Math.floor(offset / this.blockSize);
    const last = Math.floor((offset + Math.max(length, 1) - 1) / this.blockSize);
    // A range that nothing replaces may be a view of the device's own memory.
    return this.#nextReplaced(block) > last ? this.device.read(offset, length) : readNew(this, offset, length);
  }

  *readInto(offset: number, target: Bytes): Io<void> {
    checkRange(this, offset, target.length);
    const end = offset + target.length;
    for (let at = offset; at < end; ) {
      const block = Math.floor(at / this.blockSize);
      const within = at - block * this.blockSize;
      const replacement = this.#replacement(block);
      if (replacement === undefined) {
        const stop = Math.min(end, this.#nextReplaced(block) * this.blockSize);
        yield* this.device.readInto(at, target.subarray(at - offset, stop - offset));
        at = stop;
        continue;
      }
      const part = target.subarray(at - offset, Math.min(end, (block + 1) * this.blockSize) - offset);
      if ('bytes' in replacement) part.set(replacement.bytes.subarray(within, within + part.length));
      else {
        yield* this.device.readInto(replacement.block * this.blockSize + within, part);
        if (replacement.escaped) restoreMagic(part, within);
      }
      at += part.length;
    }
  }

  *map(offset: number, length: number): Io<Extent> {
    const block = Math.floor(offset / this.blockSize);
    const within = offset - block * this.blockSize;
    const replacement = this.#replacement(block);
    if (replacement === undefined) {
      const stop = this.#nextReplaced(block) * this.blockSize;
      return yield* this.device.map(offset, Math.min(length, stop - offset));
    }
    const part = Math.min(length, this.blockSize - within);
    if ('bytes' in replacement || replacement.escaped) return { length: part, present: true, zero: false, data: true, depth: 0 };
    return yield* this.device.map(replacement.block * this.blockSize + within, part);
  }

  #replacement(block: number): Replacement | undefined {
    const bytes = this.#patches.get(block);
    if (bytes !== undefined) return { bytes };
    const at = this.#lowerBound(block);
    if (this.#homes[at] !== block) return undefined;
    const copy = this.#copies[at]!;
    return copy < 0 ? { block: -copy - 1, escaped: true } : { block: copy, escaped: false };
  }

  /** The first replaced block from `block` on; Infinity when there is none. */
  #nextReplaced(block: number): number {
    let next = this.#homes[this.#lowerBound(block)] ?? Number.POSITIVE_INFINITY;
    for (const patched of this.#patches.keys()) if (patched >= block && patched < next) next = patched;
    return next;
  }

  #lowerBound(block: number): number {
    let low = 0;
    let high = this.#homes.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#homes[middle]! < block) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Puts the magic number back into the part of an escaped block that begins `within` bytes after its start. */
function restoreMagic(part: Bytes, within: number): void {
  if (within >= 4) return;
  const magic = new Uint8Array(4);
  viewOf(magic).setUint32(0, JBD2_MAGIC_NUMBER);
  part.set(magic.subarray(within, within + part.length));
}
