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
  /** Memory of compressed bytes, used again: as garbage it would grow to many megabytes before V8 looks. */
  #spare: ArrayBufferLike | undefined;

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
    const input = this.#takeInput(cluster.compressedLength);
    yield* this.#input.readInto(cluster.offset, input);
    if (target.length === cluster.clusterSize) {
      // Whole clusters are bulk reading: straight into the caller's buffer.
      this.#decompress(cluster, input, target);
    } else {
      const bytes = this.#takeOldest() ?? new Uint8Array(cluster.clusterSize);
      this.#decompress(cluster, input, bytes);
      this.#kept.set(cluster.offset, bytes);
      target.set(bytes.subarray(within, within + target.length));
    }
    this.#spare = input.buffer;
  }

  /** A buffer to read into: the one of the call before, unless a call that is still under way has it. */
  #takeInput(length: number): Bytes {
    const spare = this.#spare;
    this.#spare = undefined;
    return spare !== undefined && spare.byteLength >= length
      ? new Uint8Array(spare, 0, length)
      : new Uint8Array(new ArrayBuffer(Math.max(length, COSTLY_REQUEST)), 0, length);
  }

  /** The memory of the cluster that was not used for longest, when no more are to be kept. */
  #takeOldest(): Bytes | undefined {
    if (this.#kept.size < this.#capacity) return undefined;
    for (const [offset, bytes] of this.#kept) {
      this.#kept.delete(offset);
      return bytes;
    }
    return undefined;
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
