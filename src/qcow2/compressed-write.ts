/** Where compressed streams go: one behind the other, as QEMU packs them, several in a cluster. */
import type { Bytes } from '../bytes/struct.ts';
import { type Io, perform } from '../io/effect.ts';
import { Write } from '../io/source.ts';
import { encodeCompressedRange } from './entries.ts';
import type { Qcow2File } from './file.ts';
import type { Qcow2FileReader } from './file-reader.ts';
import type { Placement } from './placement.ts';

export class StreamWriter {
  readonly file: Qcow2File;
  readonly reader: Qcow2FileReader;
  readonly placement: Placement;
  /** Behind the last stream, while its cluster has room. */
  #tail: number | undefined;

  constructor(placement: Placement) {
    this.file = placement.file;
    this.reader = placement.reader;
    this.placement = placement;
  }

  /** Nothing follows the last stream: its cluster may be gone. */
  end(): void {
    this.#tail = undefined;
  }

  /** Writes a stream, which is shorter than a cluster, as the cluster at guest offset `offset`. */
  *store(offset: number, stream: Bytes): Io<void> {
    const { file } = this;
    const { clusterSize, shape, allocator } = file;
    const l1Index = Math.floor(offset / shape.bytesPerTable);
    const table = yield* file.writableL2(l1Index);
    const index = (offset - l1Index * shape.bytesPerTable) / clusterSize;
    const before = shape.decode(table, index, offset);
    const place = yield* this.#placeStream(stream.length);
    try {
      this.file.places.check(place.offset, stream.length);
      yield* perform(new Write(file.source, place.offset, stream));
    } catch (error) {
      this.#tail = undefined;
      for (const cluster of place.counted) yield* allocator.decrease(cluster, 1);
      throw error;
    }
    this.reader.forgetCompressed();
    const { high, low } = encodeCompressedRange(place.offset, stream.length, file.header.clusterBits);
    shape.encodeRaw(table, index, high, low);
    this.placement.release(before);
    const end = place.offset + stream.length;
    this.#tail = end % clusterSize === 0 ? undefined : end;
  }

  /** A place for a stream, counted: behind the last one where that is possible. */
  *#placeStream(length: number): Io<{ offset: number; counted: readonly number[] }> {
    const { clusterSize, allocator } = this.file;
    const tail = this.#tail;
    if (tail !== undefined) {
      const cluster = Math.floor(tail / clusterSize);
      const shareable = (yield* allocator.refcount(cluster)) < allocator.maxRefcount;
      if (shareable && (tail % clusterSize) + length <= clusterSize) {
        yield* allocator.increase(cluster, 1);
        return { offset: tail, counted: [cluster] };
      }
      const { first } = yield* allocator.allocate(1);
      if (shareable && first === cluster + 1) {
        yield* allocator.increase(cluster, 1);
        return { offset: tail, counted: [cluster, first] };
      }
      return { offset: first * clusterSize, counted: [first] };
    }
    const { first } = yield* allocator.allocate(1);
    return { offset: first * clusterSize, counted: [first] };
  }
}
