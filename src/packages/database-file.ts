/** The file of a package database, read by position. */
import type { Bytes } from '../bytes/struct.ts';
import { Corrupt } from '../errors.ts';
import type { Io } from '../io/effect.ts';

/** A file of known length; a block device is one too. */
export interface DatabaseFile {
  /** Length in bytes. */
  readonly size: number;
  /** Fills `target` from byte `offset`; the range lies in the file. */
  readInto(offset: number, target: Bytes): Io<void>;
}

/** A file of these bytes. */
export function fileOfBytes(bytes: Bytes): DatabaseFile {
  return {
    size: bytes.length,
    // biome-ignore lint/correctness/useYield: the bytes are here
    *readInto(offset, target) {
      target.set(bytes.subarray(offset, offset + target.length));
    },
  };
}

/** Bytes of the file. Throws Corrupt when the range leaves it: positions come from the database itself. */
export function* readRange(file: DatabaseFile, layer: string, offset: number, length: number): Io<Bytes> {
  if (!(offset >= 0 && length >= 0 && offset + length <= file.size)) {
    throw new Corrupt(`${length} bytes at ${offset} lie outside of the database of ${file.size} bytes`, { layer });
  }
  const bytes = new Uint8Array(length);
  yield* file.readInto(offset, bytes);
  return bytes;
}

/**
 * A share of the file for the blobs in it: they do not overlap, so that together they cannot be longer than the file. It keeps many short
 * entries that lead to one long blob from costing more than the file is long.
 */
export class ReadBudget {
  readonly #layer: string;
  #left: number;

  constructor(layer: string, length: number) {
    this.#layer = layer;
    this.#left = length;
  }

  spend(length: number): void {
    this.#left -= length;
    if (this.#left < 0) throw new Corrupt('its entries are together longer than the file: they overlap', { layer: this.#layer });
  }
}
