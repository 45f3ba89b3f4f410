/** Changing the size of the disk. */
import { Posix, Refused, Unsupported } from '../errors.ts';
import type { Io } from '../io/effect.ts';
import { perform } from '../io/effect.ts';
import { Truncate } from '../io/source.ts';
import * as format from './format.ts';
import { reload } from './snapshot-write.ts';
import type { WritableQcow2 } from './write.ts';

/**
 * Makes the disk `size` bytes long, which is rounded up to whole sectors. What is added reads as zeros, also where the backing file goes
 * on; what is cut off is gone. As a whole or not at all.
 */
export function* resizeQcow2(image: WritableQcow2, size: number): Io<void> {
  const { file } = image;
  const { header, shape } = file;
  const wanted = Math.ceil(size / format.SECTOR) * format.SECTOR;
  const before = header.size;
  if (!(size >= 0)) throw new Refused(`${size} is no size`, file.where);
  if (file.metadata.bitmaps.length > 0) throw new Unsupported('resizing images with bitmaps', undefined, file.where);
  if (header.version === 2 && file.snapshots.length > 0)
    throw new Unsupported('resizing images of version 2 with snapshots', undefined, file.where);
  if (header.dataFile?.raw === true) throw new Unsupported('resizing images with a raw data file', undefined, file.where);
  if (wanted === before) return;
  const entries = Math.max(header.l1Entries, Math.ceil(wanted / shape.bytesPerTable));
  if (entries * 8 > format.MAX_L1_BYTES) throw new Posix('EFBIG', file.where, `a disk of ${size} bytes is too large for its clusters`);
  yield* image.exclusive(() =>
    file.transact(function* () {
      if (wanted > before) {
        const bytes = new Uint8Array(entries * 8);
        bytes.set(file.l1.bytes);
        yield* file.replaceL1(bytes);
        file.header = { ...file.header, size: wanted, storedSize: wanted };
        // Behind the old end the last cluster may hold anything, and the backing file may go on.
        const cluster = Math.ceil(before / header.clusterSize) * header.clusterSize;
        const end = Math.min(wanted, Math.max(cluster, image.backing?.size ?? 0));
        if (end > before) yield* image.zero(before, end - before);
      } else {
        const first = Math.ceil(wanted / header.clusterSize) * header.clusterSize;
        if (first < before) yield* image.drop(first, before);
      }
      return { size: wanted, storedSize: wanted };
    }),
  );
  if (header.dataFile !== undefined) yield* perform(new Truncate(image.dataSource, wanted));
  yield* reload(image);
}

/** Gives up all that the image itself holds, so that everything shows the backing file; snapshots stay. As a whole or not at all. */
export function* emptyQcow2(image: WritableQcow2): Io<void> {
  const { file } = image;
  yield* image.exclusive(() =>
    file.transact(function* () {
      yield* image.drop(0, file.header.size);
      return {};
    }),
  );
  yield* reload(image);
  yield* trimFile(image);
}

/** Moves what stands at the end of the file to its beginning, as far as that is metadata, and cuts the rest off. */
export function* trimFile(image: WritableQcow2): Io<void> {
  const { file } = image;
  yield* image.exclusive(function* () {
    yield* file.compact();
    const end = yield* file.endOfUse();
    if (end < file.source.size) yield* perform(new Truncate(file.source, end));
  });
  yield* reload(image);
}
