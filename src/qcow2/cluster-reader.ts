/** What a disk in a qcow2 file shows: data, zeros, decompressed clusters, and where there is nothing what the backing file shows. */
import type { Bytes } from '../bytes/struct.ts';
import type { Codecs } from '../codec/codecs.ts';
import type { Where } from '../errors.ts';
import type { Extent } from '../io/device.ts';
import { all } from '../io/drivers.ts';
import type { Io } from '../io/effect.ts';
import { type ByteSource, readPadded } from '../io/source.ts';
import { CompressedClusters } from './compressed.ts';
import { compressedRange } from './entries.ts';
import type { Header } from './header.ts';
import type { CompressedCluster, Layer, Location } from './location.ts';
import type { L2Entry, Run } from './tables.ts';

/** Requests that are under way at once. */
const MAX_TOGETHER = 8;

/** The way from offsets on the disk to what stands in the file. */
export interface ClusterLookup {
  /** The run of one kind that begins at `offset`, at most `length` bytes. */
  run(offset: number, length: number): Io<Run>;
  /** The L2 entry of the cluster at `offset`; zeros where there is no table. */
  entry(offset: number): Io<L2Entry>;
}

/** The file that clusters are read from. */
export interface ClusterFile {
  readonly source: ByteSource;
  readonly header: Header;
  readonly where: Where;
}

/** Ranges lie on the disk; the caller sees to that. */
export class ClusterReader {
  readonly backing: Layer | undefined;
  readonly dataSource: ByteSource;
  readonly #lookup: ClusterLookup;
  readonly #file: ClusterFile;
  readonly #compressed: CompressedClusters;

  constructor(lookup: ClusterLookup, file: ClusterFile, dataSource: ByteSource, backing: Layer | undefined, codecs: Codecs) {
    this.#lookup = lookup;
    this.#file = file;
    this.dataSource = dataSource;
    this.backing = backing;
    this.#compressed = new CompressedClusters(file.source, file.header.clusterSize, codecs, file.where);
  }

  *readInto(offset: number, target: Bytes): Io<void> {
    // Where a request has to be waited for, the runs of data are asked for together.
    const together: Io<void>[] = [];
    const waits = this.dataSource.readSync === undefined;
    for (let done = 0; done < target.length; ) {
      const at = offset + done;
      const run = yield* this.#lookup.run(at, target.length - done);
      const part = target.subarray(done, done + run.length);
      if (run.kind === 'data' && waits) {
        if (together.push(readPadded(this.dataSource, run.host ?? 0, part)) === MAX_TOGETHER) yield* all(together.splice(0));
      } else if (run.kind === 'data') yield* readPadded(this.dataSource, run.host ?? 0, part);
      else if (run.kind === 'compressed') yield* this.#readCompressed(at, part);
      else if (run.kind === 'unallocated') yield* this.#readBacking(at, part);
      else part.fill(0);
      done += run.length;
    }
    if (together.length > 0) yield* all(together);
  }

  *map(offset: number, length: number): Io<Extent> {
    const run = yield* this.#lookup.run(offset, length);
    const place = run.host === undefined ? {} : { offset: run.host };
    switch (run.kind) {
      case 'data':
        return { length: run.length, present: true, zero: false, data: true, depth: 0, ...place };
      case 'compressed':
        return { length: run.length, present: true, zero: false, data: true, depth: 0, compressed: true };
      case 'zero':
        return { length: run.length, present: true, zero: true, data: false, depth: 0, ...place };
      case 'unallocated': {
        if (this.backing !== undefined && offset < this.backing.size) {
          const below = yield* this.backing.map(offset, Math.min(run.length, this.backing.size - offset));
          return { ...below, depth: below.depth + 1 };
        }
        return { length: run.length, present: false, zero: true, data: false, depth: 0, ...place };
      }
    }
  }

  *locate(offset: number, length: number): Io<Location> {
    const run = yield* this.#lookup.run(offset, length);
    switch (run.kind) {
      case 'data':
        return { kind: 'plain', length: run.length, source: this.dataSource, offset: run.host ?? 0 };
      case 'compressed': {
        const within = offset % this.#file.header.clusterSize;
        const cluster = yield* this.#cluster(offset);
        const inCluster = Math.min(run.length, cluster.clusterSize - within);
        return { kind: 'compressed', length: inCluster, source: this.#file.source, within, ...cluster };
      }
      case 'unallocated':
        if (this.backing !== undefined && offset < this.backing.size) {
          return yield* this.backing.locate(offset, Math.min(run.length, this.backing.size - offset));
        }
        return { kind: 'zero', length: run.length };
      case 'zero':
        return { kind: 'zero', length: run.length };
    }
  }

  /** Forgets decompressed clusters, for when host clusters get new contents. */
  forgetCompressed(): void {
    this.#compressed.clear();
  }

  *#readBacking(offset: number, target: Bytes): Io<void> {
    const inside = this.backing === undefined ? 0 : Math.max(0, Math.min(target.length, this.backing.size - offset));
    if (this.backing !== undefined && inside > 0) yield* this.backing.readInto(offset, target.subarray(0, inside));
    target.fill(0, inside);
  }

  *#readCompressed(offset: number, target: Bytes): Io<void> {
    const { clusterSize } = this.#file.header;
    for (let done = 0; done < target.length; ) {
      const within = (offset + done) % clusterSize;
      const length = Math.min(clusterSize - within, target.length - done);
      const cluster = yield* this.#cluster(offset + done);
      yield* this.#compressed.readInto(cluster, within, target.subarray(done, done + length));
      done += length;
    }
  }

  *#cluster(offset: number): Io<CompressedCluster> {
    const { header, where } = this.#file;
    const { high, low } = yield* this.#lookup.entry(offset);
    const range = compressedRange(high, low, header.clusterBits, where);
    return { offset: range.offset, compressedLength: range.length, compression: header.compression, clusterSize: header.clusterSize };
  }
}
