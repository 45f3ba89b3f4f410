/** What all rooms read and write: devices of bytes, and the sources below them. */
import type { Bytes } from '../bytes/struct.ts';
import { Corrupt, type Where } from '../errors.ts';
import type { Io } from './effect.ts';

/** How a run of bytes is stored; the terms are those of `qemu-img map`. */
export interface Extent {
  /** Bytes from the asked offset onward to which this answer applies; at least 1, at most what was asked. */
  readonly length: number;
  /** Something in the layers says what these bytes are: data or explicit zeros. False: nobody ever wrote here. */
  readonly present: boolean;
  /** The bytes read as zeros, known without reading them. */
  readonly zero: boolean;
  /** The bytes are stored somewhere. */
  readonly data: boolean;
  /** The layer that decided, counted from the top image, 0. */
  readonly depth: number;
  /** Where in that layer's file the bytes stand, when they stand there plainly. */
  readonly offset?: number;
  /** The bytes are stored compressed. */
  readonly compressed?: boolean;
}

/**
 * A fixed number of bytes at fixed places. Requests are exact: a range that leaves `[0, size)` is Corrupt (it comes from the image,
 * not from the caller), and so is a file that ends too early where its format allows no such thing.
 */
export interface BlockDevice {
  /** Length in bytes. */
  readonly size: number;
  /** The size of request, in bytes, that this device serves well: small where a request is cheap, large where each has a price. */
  readonly preferredRequest: number;
  /** Bytes of the range. They may be a view of a cache: neither change them nor keep them across writes. */
  read(offset: number, length: number): Io<Bytes>;
  /** Fills `target` from `offset`. */
  readInto(offset: number, target: Bytes): Io<void>;
  /** How the run that begins at `offset` is stored, without reading its data. */
  map(offset: number, length: number): Io<Extent>;
}

/** A device that can be written; what is written is seen by reads at once, and durable after `flush`. */
export interface WritableDevice extends BlockDevice {
  write(offset: number, bytes: Bytes): Io<void>;
  /** Writes at once where that takes no step outside and nobody else is writing; false: nothing was done. */
  writeNow?(offset: number, bytes: Bytes): boolean;
  /** Whether {@link writeNow} would write. */
  takesNow?(offset: number, length: number): boolean;
  /** Makes the range read as zeros, without storing them where that can be avoided. */
  writeZeroes(offset: number, length: number): Io<void>;
  /** The contents are no longer needed; the range reads as zeros afterwards. */
  discard(offset: number, length: number): Io<void>;
  flush(): Io<void>;
}

/** Throws Corrupt unless `[offset, offset + length)` lies on the device. */
export function checkRange(device: { readonly size: number }, offset: number, length: number, where: Where = {}): void {
  if (!(offset >= 0 && length >= 0 && offset + length <= device.size)) {
    throw new Corrupt(`${length} bytes at ${offset} lie outside of the device's ${device.size} bytes`, where);
  }
}

/** Reads through `readInto`: the `read` of devices that have no bytes of their own to show. */
export function* readNew(device: BlockDevice, offset: number, length: number): Io<Bytes> {
  checkRange(device, offset, length);
  const target = new Uint8Array(length);
  yield* device.readInto(offset, target);
  return target;
}
