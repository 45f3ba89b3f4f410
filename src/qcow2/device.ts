/** The virtual disk in a qcow2 file, for reading. */
import type { Bytes } from '../bytes/struct.ts';
import type { Codecs } from '../codec/codecs.ts';
import { Corrupt, Unsupported } from '../errors.ts';
import { checkRange, type Extent, readNew } from '../io/device.ts';
import { all } from '../io/drivers.ts';
import type { Io } from '../io/effect.ts';
import { type ByteSource, readPadded } from '../io/source.ts';
import { CompressedClusters } from './compressed.ts';
import { compressedRange } from './entries.ts';
import type { CompressedCluster, Layer, Location } from './location.ts';
import type { Metadata } from './metadata.ts';
import { findSnapshot, type Snapshot } from './snapshots.ts';
import { ClusterTables } from './tables.ts';

/** Requests that are under way at once. */
const MAX_TOGETHER = 8;

export interface Qcow2Options {
  readonly codecs: Codecs;
  /** What shines through where the image has nothing: the backing file, which may be shorter or longer than the image. */
  readonly backing?: Layer;
  /** The external data file, where the image has one. */
  readonly dataFile?: ByteSource;
  /** Shows the disk as it was in this snapshot, by id or else by name. */
  readonly snapshot?: string;
}

export class Qcow2Device implements Layer {
  readonly metadata: Metadata;
  readonly size: number;
  readonly preferredRequest: number;
  readonly backing: Layer | undefined;
  readonly snapshot: Snapshot | undefined;
  readonly #data: ByteSource;
  readonly #tables: ClusterTables;
  readonly #compressed: CompressedClusters;

  /** Throws Posix ENOENT for an unknown snapshot, Corrupt for a damaged one or a missing data file. */
  constructor(metadata: Metadata, options: Qcow2Options) {
    const { header, source, where } = metadata;
    this.metadata = metadata;
    this.snapshot = options.snapshot === undefined ? undefined : findSnapshot(metadata.snapshots, options.snapshot, where);
    const diskSize = this.snapshot?.diskSize ?? header.size;
    this.size = diskSize - (diskSize % 512);
    this.preferredRequest = source.preferredRequest;
    this.backing = options.backing;
    if (header.dataFile !== undefined && options.dataFile === undefined) {
      throw new Corrupt(`the image cannot be read without its data file ${header.dataFile.name ?? '(which it does not name)'}`, where);
    }
    this.#data = header.dataFile === undefined ? source : (options.dataFile ?? source);
    this.#tables = new ClusterTables(header, this.snapshot ?? header, metadata.tables, where);
    this.#compressed = new CompressedClusters(source, header.clusterSize, options.codecs, where);
  }

  read(offset: number, length: number): Io<Bytes> {
    return readNew(this, offset, length);
  }

  *readInto(offset: number, target: Bytes): Io<void> {
    checkRange(this, offset, target.length, this.metadata.where);
    this.#refuseEncryption();
    // Where a request has to be waited for, the runs of data are asked for together.
    const together: Io<void>[] = [];
    const waits = this.#data.readSync === undefined;
    for (let done = 0; done < target.length; ) {
      const at = offset + done;
      const run = yield* this.#tables.run(at, target.length - done);
      const part = target.subarray(done, done + run.length);
      if (run.kind === 'data' && waits) {
        if (together.push(readPadded(this.#data, run.host ?? 0, part)) === MAX_TOGETHER) yield* all(together.splice(0));
      } else if (run.kind === 'data') yield* readPadded(this.#data, run.host ?? 0, part);
      else if (run.kind === 'compressed') yield* this.#readCompressed(at, part);
      else if (run.kind === 'unallocated') yield* this.#readBacking(at, part);
      else part.fill(0);
      done += run.length;
    }
    if (together.length > 0) yield* all(together);
  }

  *map(offset: number, length: number): Io<Extent> {
    checkRange(this, offset, length, this.metadata.where);
    const run = yield* this.#tables.run(offset, length);
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
    checkRange(this, offset, length, this.metadata.where);
    this.#refuseEncryption();
    const run = yield* this.#tables.run(offset, length);
    switch (run.kind) {
      case 'data':
        return { kind: 'plain', length: run.length, source: this.#data, offset: run.host ?? 0 };
      case 'compressed': {
        const within = offset % this.metadata.header.clusterSize;
        const cluster = yield* this.#cluster(offset);
        const inCluster = Math.min(run.length, cluster.clusterSize - within);
        return { kind: 'compressed', length: inCluster, source: this.metadata.source, within, ...cluster };
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

  *#readBacking(offset: number, target: Bytes): Io<void> {
    const inside = this.backing === undefined ? 0 : Math.max(0, Math.min(target.length, this.backing.size - offset));
    if (this.backing !== undefined && inside > 0) yield* this.backing.readInto(offset, target.subarray(0, inside));
    target.fill(0, inside);
  }

  *#readCompressed(offset: number, target: Bytes): Io<void> {
    const { clusterSize } = this.metadata.header;
    for (let done = 0; done < target.length; ) {
      const within = (offset + done) % clusterSize;
      const length = Math.min(clusterSize - within, target.length - done);
      const cluster = yield* this.#cluster(offset + done);
      yield* this.#compressed.readInto(cluster, within, target.subarray(done, done + length));
      done += length;
    }
  }

  *#cluster(offset: number): Io<CompressedCluster> {
    const { header, where } = this.metadata;
    const { high, low } = yield* this.#tables.entry(offset);
    const range = compressedRange(high, low, header.clusterBits, where);
    return { offset: range.offset, compressedLength: range.length, compression: header.compression, clusterSize: header.clusterSize };
  }

  #refuseEncryption(): void {
    const { header, where } = this.metadata;
    if (header.encryption === 'none') return;
    const name = header.encryption === 'luks' ? 'LUKS encryption' : 'AES encryption';
    throw new Unsupported(name, `${name} of qcow2 images is not supported: the disk cannot be read without decrypting it`, where);
  }
}
