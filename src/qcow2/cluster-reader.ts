/** Reading the disk of a qcow2 file that is under change, through its tables in memory. */
import type { Bytes } from '../bytes/struct.ts';
import type { Codecs } from '../codec/codecs.ts';
import type { Extent } from '../io/device.ts';
import type { Io } from '../io/effect.ts';
import { type ByteSource, readPadded } from '../io/source.ts';
import { CompressedClusters } from './compressed.ts';
import { compressedRange } from './entries.ts';
import type { Qcow2File } from './file.ts';
import type { CompressedCluster, Layer, Location } from './location.ts';
import type { Run } from './tables.ts';

/** Ranges lie on the disk; the caller sees to that, and to it that nothing changes meanwhile. */
export class ClusterReader {
  readonly file: Qcow2File;
  readonly backing: Layer | undefined;
  readonly dataSource: ByteSource;
  /** See {@link WritableQcow2.below}. */
  below = 0;
  readonly #compressed: CompressedClusters;

  constructor(file: Qcow2File, dataSource: ByteSource, backing: Layer | undefined, codecs: Codecs) {
    this.file = file;
    this.backing = backing;
    this.dataSource = dataSource;
    this.#compressed = new CompressedClusters(file.source, file.header.clusterSize, codecs, file.where);
  }

  /** Whether something else shows, or may come to show, at or behind an offset where the image has nothing. */
  shines(offset: number): boolean {
    return offset < Math.max(this.below, this.backing?.size ?? 0);
  }

  /** The run of one kind that begins at `offset`, as {@link Run}; within one L2 table. */
  *run(offset: number, length: number): Io<Run> {
    const { shape, clusterSize } = this.file;
    const l1Index = Math.floor(offset / shape.bytesPerTable);
    const end = Math.min(offset + length, (l1Index + 1) * shape.bytesPerTable);
    const table = yield* this.file.l2(l1Index);
    if (table === undefined) return { kind: 'unallocated', length: end - offset };
    let kind: Run['kind'] | undefined;
    let host = -1;
    let at = offset;
    while (at < end) {
      const within = at % clusterSize;
      const guest = at - within;
      const entry = shape.decode(table, (guest - l1Index * shape.bytesPerTable) / clusterSize, guest);
      for (let sub = Math.floor(within / shape.subclusterSize); sub < shape.count && at < end; sub++) {
        const bit = 2 ** sub;
        const next: Run['kind'] = entry.compressed
          ? 'compressed'
          : (entry.allocated & bit) !== 0
            ? 'data'
            : (entry.zeros & bit) !== 0
              ? 'zero'
              : 'unallocated';
        const place = entry.host < 0 ? -1 : entry.host + (at - guest);
        if (kind === undefined) {
          kind = next;
          host = place;
        } else if (next !== kind || (host < 0 ? place >= 0 : place !== host + (at - offset))) {
          return { kind, length: at - offset, ...(host < 0 ? {} : { host }) };
        }
        at = Math.min(end, guest + (sub + 1) * shape.subclusterSize);
      }
    }
    return { kind: kind ?? 'unallocated', length: at - offset, ...(host < 0 ? {} : { host }) };
  }

  *readInto(offset: number, target: Bytes): Io<void> {
    for (let done = 0; done < target.length; ) {
      const at = offset + done;
      const run = yield* this.run(at, target.length - done);
      const part = target.subarray(done, done + run.length);
      if (run.kind === 'data') yield* readPadded(this.dataSource, run.host ?? 0, part);
      else if (run.kind === 'compressed') yield* this.#readCompressed(at, part);
      else if (run.kind === 'unallocated') yield* this.#readBacking(at, part);
      else part.fill(0);
      done += run.length;
    }
    this.file.trim();
  }

  *#readBacking(offset: number, target: Bytes): Io<void> {
    const inside = this.backing === undefined ? 0 : Math.max(0, Math.min(target.length, this.backing.size - offset));
    if (this.backing !== undefined && inside > 0) yield* this.backing.readInto(offset, target.subarray(0, inside));
    target.fill(0, inside);
  }

  *#readCompressed(offset: number, target: Bytes): Io<void> {
    const { clusterSize } = this.file;
    for (let done = 0; done < target.length; ) {
      const within = (offset + done) % clusterSize;
      const length = Math.min(clusterSize - within, target.length - done);
      const cluster = yield* this.#compressedCluster(offset + done);
      yield* this.#compressed.readInto(cluster, within, target.subarray(done, done + length));
      done += length;
    }
  }

  *#compressedCluster(offset: number): Io<CompressedCluster> {
    const { header, shape, where } = this.file;
    const l1Index = Math.floor(offset / shape.bytesPerTable);
    const table = yield* this.file.l2(l1Index);
    if (table === undefined) throw new RangeError('no compressed cluster here');
    const at = Math.floor((offset - l1Index * shape.bytesPerTable) / header.clusterSize) * shape.entrySize;
    const range = compressedRange(table.view.getUint32(at), table.view.getUint32(at + 4), header.clusterBits, where);
    return { offset: range.offset, compressedLength: range.length, compression: header.compression, clusterSize: header.clusterSize };
  }

  /** Forgets decompressed clusters: host clusters get new contents. */
  forgetCompressed(): void {
    this.#compressed.clear();
  }

  *map(offset: number, length: number): Io<Extent> {
    const run = yield* this.run(offset, length);
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
    const run = yield* this.run(offset, length);
    if (run.kind === 'data') return { kind: 'plain', length: run.length, source: this.dataSource, offset: run.host ?? 0 };
    if (run.kind === 'compressed') {
      const within = offset % this.file.clusterSize;
      const cluster = yield* this.#compressedCluster(offset);
      return {
        kind: 'compressed',
        length: Math.min(run.length, cluster.clusterSize - within),
        source: this.file.source,
        within,
        ...cluster,
      };
    }
    if (run.kind === 'unallocated' && this.backing !== undefined && offset < this.backing.size) {
      return yield* this.backing.locate(offset, Math.min(run.length, this.backing.size - offset));
    }
    return { kind: 'zero', length: run.length };
  }
}
