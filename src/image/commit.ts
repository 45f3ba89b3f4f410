/** Committing: what an image holds is written into an image below it. */
import type { Bytes } from '../bytes/struct.ts';
import type { WritableDevice } from '../io/device.ts';
import type { Io } from '../io/effect.ts';
import type { Image } from './image.ts';

/** Bytes that are copied at once. */
const PIECE: number = 1 << 20;

/**
 * Writes into `base` all that the layers above it hold. `top` is the opened top image, `depth` how many layers `base` lies below it; `base`
 * has to be as long as the top image at least. Nothing is flushed.
 */
export function* commitInto(top: Image, depth: number, base: WritableDevice, onProgress?: (done: number) => void): Io<void> {
  let buffer: Bytes | undefined;
  for (let at = 0; at < top.size; ) {
    const extent = yield* top.map(at, Math.min(top.size - at, PIECE));
    if (extent.depth < depth) {
      if (extent.zero) yield* base.writeZeroes(at, extent.length);
      else {
        buffer ??= new Uint8Array(PIECE);
        const part = buffer.subarray(0, extent.length);
        yield* top.readInto(at, part);
        yield* base.write(at, part);
      }
    }
    at += extent.length;
    onProgress?.(at);
  }
}
