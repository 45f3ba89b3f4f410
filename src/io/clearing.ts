/** Making ranges of a device read as zeros, with as little writing as can be. */
import { isZero } from '../bytes/text.ts';
import type { WritableDevice } from './device.ts';
import type { Io } from './effect.ts';

/** Bytes that are looked at in one request. */
const REQUEST = 1 << 20;

/** Makes a range read as zeros, writing only the blocks of `unit` bytes in which something else stood; how many bytes were cleared. */
export function* clearRange(device: WritableDevice, offset: number, length: number, unit: number): Io<number> {
  let cleared = 0;
  for (let at = offset; at < offset + length; ) {
    const extent = yield* device.map(at, Math.min(REQUEST, offset + length - at));
    const step = extent.zero ? extent.length : Math.min(extent.length, REQUEST);
    if (!extent.zero) {
      const bytes = yield* device.read(at, step);
      const dirty: { start: number; end: number }[] = [];
      for (let k = 0; k < step; k += unit) {
        const end = Math.min(step, k + unit);
        if (isZero(bytes, k, end)) continue;
        const last = dirty[dirty.length - 1];
        if (last?.end === k) last.end = end;
        else dirty.push({ start: k, end });
      }
      for (const { start, end } of dirty) {
        yield* device.writeZeroes(at + start, end - start);
        cleared += end - start;
      }
    }
    at += step;
  }
  return cleared;
}

/** Makes a range read as zeros without reading it; what the device knows to be zeros already is not written. */
export function* clearUnknown(device: WritableDevice, offset: number, length: number): Io<void> {
  for (let at = offset; at < offset + length; ) {
    const extent = yield* device.map(at, offset + length - at);
    if (!extent.zero) yield* device.writeZeroes(at, extent.length);
    at += extent.length;
  }
}
