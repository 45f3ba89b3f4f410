/** A file of the guest as a device, for formats that are read from one. */
import type { Bytes } from '../../bytes/struct.ts';
import { type FileSource, readFully } from '../../guest/file-data.ts';
import { type BlockDevice, checkRange, type Extent, readNew } from '../../io/device.ts';
import type { Io } from '../../io/effect.ts';

export function fileDevice(file: FileSource): BlockDevice {
  const device: BlockDevice = {
    size: file.size,
    preferredRequest: 65_536,
    read: (offset, length) => readNew(device, offset, length),
    *readInto(offset: number, target: Bytes): Io<void> {
      checkRange(file, offset, target.length);
      if (target.length > 0) yield* readFully(file, offset, target);
    },
    *map(offset: number, length: number): Io<Extent> {
      checkRange(file, offset, length);
      return { length, present: true, zero: false, data: true, depth: 0 };
    },
  };
  return device;
}
