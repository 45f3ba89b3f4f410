/** Changing the backing file of an image without changing the disk. */
import type { Bytes } from '../bytes/struct.ts';
import { isZero } from '../bytes/text.ts';
import type { BlockDevice } from '../io/device.ts';
import type { Io } from '../io/effect.ts';
import type { WritableQcow2 } from '../qcow2/write.ts';

const PIECE: number = 1 << 20;

/**
 * Copies into `image` what its backing file shows and `backing`, the new one, would not; undefined is no backing file. The header is not
 * changed. Nothing is flushed.
 */
export function* keepWhatChanges(image: WritableQcow2, backing: BlockDevice | undefined, onProgress?: (done: number) => void): Io<void> {
  const { clusterSize } = image.file;
  const piece = Math.max(PIECE, clusterSize);
  const before = new Uint8Array(piece);
  const after = new Uint8Array(piece);
  // Zeros that the old backing file shows have to be said where the new one goes on.
  image.below = backing?.size ?? 0;
  try {
    for (let at = 0; at < image.size; ) {
      const run = yield* image.run(at, Math.min(image.size - at, piece - (at % piece)));
      if (run.kind === 'unallocated') {
        const old = before.subarray(0, run.length);
        const now = after.subarray(0, run.length);
        yield* readBehind(image.backing, at, old);
        yield* readBehind(backing, at, now);
        yield* copyDifferences(image, at, old, now);
      }
      at += run.length;
      onProgress?.(at);
    }
  } finally {
    image.below = 0;
  }
}

function* readBehind(device: BlockDevice | undefined, offset: number, target: Bytes): Io<void> {
  const inside = device === undefined ? 0 : Math.max(0, Math.min(target.length, device.size - offset));
  if (device !== undefined && inside > 0) yield* device.readInto(offset, target.subarray(0, inside));
  target.fill(0, inside);
}

/** Writes the clusters that differ, as they were. */
function* copyDifferences(image: WritableQcow2, offset: number, old: Bytes, now: Bytes): Io<void> {
  const { clusterSize, header } = image.file;
  for (let start = 0; start < old.length; ) {
    const end = Math.min(old.length, start + clusterSize - ((offset + start) % clusterSize));
    const part = old.subarray(start, end);
    if (part.some((byte, i) => byte !== now[start + i])) {
      // Version 2 has no clusters of zeros; and parts of clusters are written anyway.
      const whole = (offset + start) % clusterSize === 0 && (end - start === clusterSize || offset + end === image.size);
      if (header.version === 3 && whole && isZero(part)) yield* image.writeZeroes(offset + start, end - start);
      else yield* image.write(offset + start, part);
    }
    start = end;
  }
}
