/** Copies disks of many compressed clusters with several threads. */
import type { Image } from '../image/image.ts';
import { runSync } from '../io/drivers.ts';
import { type Io, perform } from '../io/effect.ts';
import type { WritableSource } from '../io/source.ts';
import { type CopyPiece, MAX_PIECE } from '../platform/node/copy-pieces.ts';
import { copyPieces } from '../platform/node/copy-pool.ts';
import { CAPACITY } from '../platform/node/copy-queue.ts';
import { FileSource } from '../platform/node/file.ts';

/** Starting a thread costs as much as decompressing about this many bytes. */
const WORTH_IT: number = 32 << 20;
/** Copying plain data takes less time than decompressing it by about this. */
const PLAIN_IS_CHEAPER = 4;
/** Plain data is copied in pieces of this many bytes. */
const PLAIN: number = 256 << 10;

/** False when it would not pay, or when what has to be read is no file; then nothing was written. Asynchronous only. */
export function copyWithThreads(
  image: Image,
  target: WritableSource,
  unit: number,
  onProgress: (done: number, total: number) => void,
): Io<boolean> {
  return perform({ sync: () => false, async: () => copy(image, target, unit, onProgress) });
}

async function copy(
  image: Image,
  target: WritableSource,
  unit: number,
  onProgress: (done: number, total: number) => void,
): Promise<boolean> {
  if (!(target instanceof FileSource) || !paysOff(image)) return false;
  const ring = new Float64Array(CAPACITY * 2);
  function* remembered(): Generator<CopyPiece> {
    let count = 0;
    for (const piece of piecesOf(image)) {
      if (piece === undefined) continue;
      ring[(count % CAPACITY) * 2] = piece.target;
      ring[(count % CAPACITY) * 2 + 1] = piece.length;
      count++;
      yield piece;
    }
  }
  const buffer = new Uint8Array(MAX_PIECE);
  // The usual way meets the same problem and knows how to tell it.
  const explain = (index: number): void => {
    const at = ring[(index % CAPACITY) * 2] ?? 0;
    const bytes = buffer.subarray(0, ring[(index % CAPACITY) * 2 + 1] ?? 0);
    runSync(image.readInto(at, bytes));
    target.writeSync(at, bytes);
  };
  await copyPieces(remembered(), target.descriptor, unit, explain, (index) => onProgress(ring[(index % CAPACITY) * 2] ?? 0, image.size));
  return true;
}

/** Whether there is enough to do, and all of it in files. Looks at no more tables than it must. */
function paysOff(image: Image): boolean {
  let work = 0;
  for (const piece of piecesOf(image)) {
    if (piece === undefined) return false;
    work += piece.compressedLength > 0 ? piece.clusterSize : piece.length / PLAIN_IS_CHEAPER;
    if (work >= WORTH_IT) return true;
  }
  return false;
}

/** The pieces of a disk in order; undefined for what stands in something that is no file. */
function* piecesOf(image: Image): Generator<CopyPiece | undefined> {
  for (let at = 0; at < image.size; ) {
    const location = runSync(image.locate(at, image.size - at));
    const end = at + location.length;
    if (location.kind === 'zero') {
      at = end;
      continue;
    }
    const { source, offset } = location;
    if (!(source instanceof FileSource)) {
      yield undefined;
      return;
    }
    const { descriptor, size } = source;
    if (location.kind === 'compressed') {
      const { length, compressedLength, compression, clusterSize, within } = location;
      yield { target: at, length, descriptor, size, offset, compressedLength, compression, clusterSize, within };
      at = end;
    } else {
      for (const start = at; at < end; ) {
        const length = Math.min(PLAIN, end - at);
        yield {
          target: at,
          length,
          descriptor,
          size,
          offset: offset + at - start,
          compressedLength: 0,
          compression: 'zlib',
          clusterSize: 0,
          within: 0,
        };
        at += length;
      }
    }
  }
}
