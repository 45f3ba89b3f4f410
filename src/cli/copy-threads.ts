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
  const pieces = new Pieces(image);
  let count = 0;
  const next = (): CopyPiece | undefined => {
    const piece = pieces.next();
    if (piece === undefined) return undefined;
    const at = (count++ % CAPACITY) * 2;
    ring[at] = piece.target;
    ring[at + 1] = piece.length;
    return piece;
  };
  const buffer = new Uint8Array(MAX_PIECE);
  // The usual way meets the same problem and knows how to tell it.
  const explain = (index: number): void => {
    const at = ring[(index % CAPACITY) * 2] ?? 0;
    const bytes = buffer.subarray(0, ring[(index % CAPACITY) * 2 + 1] ?? 0);
    runSync(image.readInto(at, bytes));
    target.writeSync(at, bytes);
  };
  await copyPieces(next, target.descriptor, unit, explain, (index) => onProgress(ring[(index % CAPACITY) * 2] ?? 0, image.size));
  // What threads cannot read sends all of it the usual way, which writes the same bytes to the same places.
  return !pieces.foreign;
}

/** Whether there is enough to do, and all of it in files. Looks at no more tables than it must. */
function paysOff(image: Image): boolean {
  const pieces = new Pieces(image);
  let work = 0;
  for (let piece = pieces.next(); piece !== undefined && work < WORTH_IT; piece = pieces.next()) {
    work += piece.compressedLength > 0 ? piece.clusterSize : piece.length / PLAIN_IS_CHEAPER;
  }
  return work >= WORTH_IT && !pieces.foreign;
}

/** The pieces of a disk in order. */
class Pieces {
  /** Whether something stood in what is no file; the pieces end there. */
  foreign = false;
  readonly #image: Image;
  #at = 0;

  constructor(image: Image) {
    this.#image = image;
  }

  /** The next piece; undefined at the end. */
  next(): CopyPiece | undefined {
    const image = this.#image;
    while (this.#at < image.size) {
      const target = this.#at;
      const location = runSync(image.locate(target, image.size - target));
      if (location.kind === 'zero') {
        this.#at += location.length;
        continue;
      }
      const { source, offset } = location;
      if (!(source instanceof FileSource)) {
        this.foreign = true;
        return undefined;
      }
      const { descriptor, size } = source;
      const length = location.kind === 'plain' ? Math.min(PLAIN, location.length) : location.length;
      this.#at += length;
      if (location.kind === 'plain') {
        return { target, length, descriptor, size, offset, compressedLength: 0, compression: 'zlib', clusterSize: 0, within: 0 };
      }
      const { compressedLength, compression, clusterSize, within } = location;
      return { target, length, descriptor, size, offset, compressedLength, compression, clusterSize, within };
    }
    return undefined;
  }
}
