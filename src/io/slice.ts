/** A part of a device as a device: a partition. */
import type { Bytes } from '../bytes/struct.ts';
import { type BlockDevice, checkRange, type Extent, type WritableDevice } from './device.ts';
import type { Io } from './effect.ts';
import type { TransactionalDevice } from './transaction.ts';

/** The bytes `[start, start + size)` of another device. */
export class Slice<D extends BlockDevice = BlockDevice> implements BlockDevice {
  readonly device: D;
  /** First byte on the whole device. */
  readonly start: number;
  readonly size: number;

  constructor(device: D, start: number, size: number) {
    checkRange(device, start, size);
    this.device = device;
    this.start = start;
    this.size = size;
  }

  get preferredRequest(): number {
    return this.device.preferredRequest;
  }

  read(offset: number, length: number): Io<Bytes> {
    checkRange(this, offset, length);
    return this.device.read(this.start + offset, length);
  }

  readInto(offset: number, target: Bytes): Io<void> {
    checkRange(this, offset, target.length);
    return this.device.readInto(this.start + offset, target);
  }

  map(offset: number, length: number): Io<Extent> {
    checkRange(this, offset, length);
    return this.device.map(this.start + offset, length);
  }
}

/** The same over a device that can be written. */
export class WritableSlice extends Slice<WritableDevice> implements WritableDevice {
  write(offset: number, bytes: Bytes): Io<void> {
    checkRange(this, offset, bytes.length);
    return this.device.write(this.start + offset, bytes);
  }

  writeNow(offset: number, bytes: Bytes): boolean {
    checkRange(this, offset, bytes.length);
    return this.device.writeNow?.(this.start + offset, bytes) === true;
  }

  takesNow(offset: number, length: number): boolean {
    checkRange(this, offset, length);
    return this.device.takesNow?.(this.start + offset, length) === true;
  }

  writeZeroes(offset: number, length: number): Io<void> {
    checkRange(this, offset, length);
    return this.device.writeZeroes(this.start + offset, length);
  }

  discard(offset: number, length: number): Io<void> {
    checkRange(this, offset, length);
    return this.device.discard(this.start + offset, length);
  }

  flush(): Io<void> {
    return this.device.flush();
  }
}

/** The same over a device with transactions, which are those of the whole device: slices of one device take part in each other's. */
export class TransactionalSlice extends WritableSlice implements TransactionalDevice {
  readonly whole: TransactionalDevice;

  constructor(device: TransactionalDevice, start: number, size: number) {
    super(device, start, size);
    this.whole = device.whole ?? device;
  }

  begin(): void {
    this.whole.begin();
  }

  commit(): Io<void> {
    return this.whole.commit();
  }

  rollback(): Io<void> {
    return this.whole.rollback();
  }
}
