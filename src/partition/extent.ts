/** Fits partitions onto the device. */
import type { Warning } from '../errors.ts';

/**
 * The byte range of a partition, cut at the end of the device as Linux does (block/partitions/core.c); undefined, with a warning,
 * when it begins beyond the end. `start` and `size` are bytes.
 */
export function fitOnDevice(
  what: string,
  start: number,
  size: number,
  deviceSize: number,
  warnings: Warning[],
): { readonly start: number; readonly size: number } | undefined {
  if (start >= deviceSize) {
    warnings.push({ message: `${what} begins beyond the end of the disk and is left out; the image may be truncated`, offset: start });
    return undefined;
  }
  if (start + size > deviceSize) {
    warnings.push({
      message: `${what} ends ${start + size - deviceSize} bytes beyond the end of the disk and is cut there`,
      offset: start,
    });
    return { start, size: deviceSize - start };
  }
  return { start, size };
}
