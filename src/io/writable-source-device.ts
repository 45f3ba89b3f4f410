/** The raw format for writing. */
import type { Bytes } from '../bytes/struct.ts';
import { checkRange, type WritableDevice } from './device.ts';
import { type Io, perform } from './effect.ts';
import { Flush, SourceDevice, type WritableSource, Write } from './source.ts';

/** Zeros that are written at once. */
const REQUEST = 1 << 20;

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
