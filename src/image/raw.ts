/** The raw format: the file is the disk, its size rounded up to whole sectors. */
import type { Bytes } from '../bytes/struct.ts';
import type { Warning } from '../errors.ts';
import { checkRange, type Extent, readNew } from '../io/device.ts';
import type { Io } from '../io/effect.ts';
import { type ByteSource, readPadded } from '../io/source.ts';
import type { Location } from '../qcow2/location.ts';
import type { Image } from './image.ts';

const SECTOR = 512;

export class RawImage implements Image {
  /** `raw`, also where the file was compressed as a whole and `source` holds what came out. */
  readonly format = 'raw';
  readonly source: ByteSource;
  readonly size: number;
  readonly preferredRequest: number;
  readonly warnings: readonly Warning[];

  constructor(source: ByteSource, warnings: readonly Warning[] = []) {
    this.source = source;
    this.size = Math.ceil(source.size / SECTOR) * SECTOR;
    this.preferredRequest = source.preferredRequest;
    this.warnings = warnings;
  }

  read(offset: number, length: number): Io<Bytes> {
    return readNew(this, offset, length);
  }

  *readInto(offset: number, target: Bytes): Io<void> {
    checkRange(this, offset, target.length, { image: this.source.name });
    yield* readPadded(this.source, offset, target);
  }

  /** All of it is data: which parts the host keeps as holes cannot be asked through a source. The tail behind the file's end is zero. */
  // biome-ignore lint/correctness/useYield: nothing has to be read to know this
  *map(offset: number, length: number): Io<Extent> {
    checkRange(this, offset, length, { image: this.source.name });
    const inside = this.source.size - offset;
    if (inside <= 0) return { length, present: true, zero: true, data: false, depth: 0, offset };
    return { length: Math.min(length, inside), present: true, zero: false, data: true, depth: 0, offset };
  }

  // biome-ignore lint/correctness/useYield: nothing has to be read to know this
  *locate(offset: number, length: number): Io<Location> {
    checkRange(this, offset, length, { image: this.source.name });
    return { kind: 'plain', length, source: this.source, offset };
  }

  close(): void {
    this.source.close?.();
  }
}
