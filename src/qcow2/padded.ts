/** A file as qcow2 sees it: endless, with zeros behind its last byte. */
import type { Bytes } from '../bytes/struct.ts';
import type { BlockDevice, Extent } from '../io/device.ts';
import { readNew } from '../io/device.ts';
import type { Io } from '../io/effect.ts';
import { type ByteSource, readPadded } from '../io/source.ts';

export class PaddedSource implements BlockDevice {
  readonly source: ByteSource;
  readonly size: number = Number.MAX_SAFE_INTEGER;
  readonly preferredRequest: number;

  constructor(source: ByteSource) {
    this.source = source;
    this.preferredRequest = source.preferredRequest;
  }

  read(offset: number, length: number): Io<Bytes> {
    return readNew(this, offset, length);
  }

  readInto(offset: number, target: Bytes): Io<void> {
    return readPadded(this.source, offset, target);
  }

  // biome-ignore lint/correctness/useYield: nothing has to be read to know this
  *map(offset: number, length: number): Io<Extent> {
    return { length, present: true, zero: false, data: true, depth: 0, offset };
  }
}
