/** Compressed clusters: reading, decompressing and keeping a few of them. */
import type { Bytes } from '../bytes/struct.ts';
import type { Codecs } from '../codec/codecs.ts';
import { Corrupt, type Where } from '../errors.ts';
import { CachedDevice } from '../io/cache.ts';
import type { BlockDevice } from '../io/device.ts';
import type { Io } from '../io/effect.ts';
import type { ByteSource } from '../io/source.ts';
import { type CompressedCluster, decompressCluster } from './location.ts';
import { PaddedSource } from './padded.ts';

/** Memory for decompressed clusters; two of them are kept in any case. */
const CLUSTER_BUDGET: number = 4 << 20;
/** Compressed bytes are read in pages where a request costs more than the bytes (HTTP, Blob). */
const COSTLY_REQUEST: number = 64 << 10;

export class CompressedClusters {
  readonly #input: BlockDevice;
  readonly #codecs: Codecs;
  readonly #where: Where;
  readonly #capacity: number;
  /** In order of use, by host offset. */
  readonly #kept = new Map<number, Bytes>();

  constructor(source: ByteSource, clusterSize: number, codecs: Codecs, where: Where) {
    const padded = new PaddedSource(source);
    this.#input = source.preferredRequest >= COSTLY_REQUEST ? new CachedDevice(padded, { budget: CLUSTER_BUDGET }) : padded;
    this.#codecs = codecs;
    this.#where = where;
    this.#capacity = Math.max(2, Math.floor(CLUSTER_BUDGET / clusterSize));
  }

  /** Puts the cluster's bytes from `within` onward into `target`. Throws Corrupt when they cannot be decompressed. */
  *readInto(cluster: CompressedCluster, within: number, target: Bytes): Io<void> {
    const known = this.#kept.get(cluster.offset);
    if (known !== undefined) {
      this.#kept.delete(cluster.offset);
      this.#kept.set(cluster.offset, known);
      target.set(known.subarray(within, within + target.length));
      return;
    }
    const input = yield* this.#input.read(cluster.offset, cluster.compressedLength);
    if (target.length === cluster.clusterSize) {
      // Whole clusters are bulk reading: straight into the caller's buffer.
      this.#decompress(cluster, input, target);
      return;
    }
    const bytes = new Uint8Array(cluster.clusterSize);
    this.#decompress(cluster, input, bytes);
    if (this.#kept.size >= this.#capacity) {
      const oldest = this.#kept.keys().next();
      if (oldest.done !== true) this.#kept.delete(oldest.value);
    }
    this.#kept.set(cluster.offset, bytes);
    target.set(bytes.subarray(within, within + target.length));
  }

  /** Forgets what was decompressed; for when host clusters get new contents. */
  clear(): void {
    this.#kept.clear();
    if (this.#input instanceof CachedDevice) this.#input.clear();
  }

  #decompress(cluster: CompressedCluster, input: Bytes, target: Bytes): void {
    try {
      decompressCluster(this.#codecs, cluster, input, target);
    } catch (error) {
      if (!(error instanceof Corrupt)) throw error;
      const message = `a compressed cluster cannot be decompressed (${error.message})`;
      throw new Corrupt(message, { ...this.#where, offset: cluster.offset }, { cause: error });
    }
  }
}
