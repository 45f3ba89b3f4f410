/** Creating qcow2 images: what they are to be like, checked as `qemu-img create` checks it. */
import { encodeName } from '../bytes/text.ts';
import { Refused } from '../errors.ts';
import type { Io } from '../io/effect.ts';
import { perform } from '../io/effect.ts';
import { Truncate, type WritableSource } from '../io/source.ts';
import type { HeaderContents } from './encode-header.ts';
import * as format from './format.ts';
import { bytesPerL2Table } from './header.ts';
import { type ClusterRun, writeLayout } from './layout.ts';

export interface CreateOptions {
  /** Bytes of the virtual disk; rounded up to whole sectors. */
  readonly size: number;
  /** 3 unless told otherwise (`compat=1.1`; 2 is `compat=0.10`). */
  readonly version?: 2 | 3;
  /** Bytes; 65536 unless told otherwise. */
  readonly clusterSize?: number;
  /** Bits of a refcount, a power of two from 1 to 64; 16 unless told otherwise. */
  readonly refcountBits?: number;
  readonly compression?: 'zlib' | 'zstd';
  readonly extendedL2?: boolean;
  readonly lazyRefcounts?: boolean;
  readonly backing?: { readonly name: string; readonly format?: string };
  /** The guest's bytes go into another file. `raw`: that file alone is always a valid raw image. */
  readonly dataFile?: { readonly name: string; readonly raw?: boolean; readonly target: WritableSource };
  /** `falloc` and `full` write zeros everywhere, as the file cannot be told to reserve space. */
  readonly preallocation?: 'off' | 'metadata' | 'falloc' | 'full';
}

/** A change of the disk for {@link writeOverlay}: `offset` at a cluster, `length` in bytes. */
export interface OverlayChange {
  readonly offset: number;
  readonly length: number;
  /** Both `zero` and `discard` read as zeros afterwards. */
  readonly kind: 'data' | 'zero' | 'discard';
  /** Where in the target the data stand already, at a cluster: bytes from the beginning of the file. */
  readonly place?: number;
}

/**
 * Writes a new image into `target`, which has to be empty. The header comes last: what is left by an interruption is no qcow2 file.
 * Nothing is made durable. Throws Refused for options that contradict each other or the format.
 */
export function* createQcow2(target: WritableSource, options: CreateOptions): Io<void> {
  const header = newHeader(options, target.name);
  const clusters = Math.ceil(header.storedSize / header.clusterSize);
  // A raw data file is mapped as a whole, so that its bytes are what is read whatever is written to it from outside.
  const mapped = options.dataFile?.raw === true || (options.preallocation ?? 'off') !== 'off';
  const runs: ClusterRun[] = mapped && clusters > 0 ? [{ first: 0, count: clusters, kind: 'reserved' }] : [];
  const zeros = options.preallocation === 'falloc' || options.preallocation === 'full';
  yield* writeLayout(target, header, runs, {
    ...(options.dataFile === undefined ? {} : { dataTarget: options.dataFile.target }),
    ...(zeros ? { fill: true } : {}),
  });
  if (options.dataFile !== undefined) yield* perform(new Truncate(options.dataFile.target, header.storedSize));
}

/**
 * Writes a new image with a backing file and these changes: one pass, sequential. `changes` are in ascending order, begin at clusters and
 * end at clusters or at the end of the disk; `read` gives their bytes. Nothing is made durable.
 *
 * Where changes have places, the first `occupied` bytes of the target belong to them, but for the first cluster, which is left for the header.
 */
export function* writeOverlay(
  target: WritableSource,
  options: CreateOptions,
  changes: Iterable<OverlayChange>,
  read: (offset: number, target: Uint8Array) => Io<void>,
  occupied?: number,
): Io<void> {
  const header = newHeader(options, target.name);
  const { clusterSize } = header;
  if (header.version === 2) throw new Refused('an overlay needs version 3, which knows clusters of zeros', { image: target.name });
  const runs: ClusterRun[] = [];
  for (const { offset, length, kind, place } of changes) {
    if (offset % clusterSize !== 0) throw new Refused(`a change at ${offset} does not begin at a cluster`, { image: target.name });
    runs.push({
      first: offset / clusterSize,
      count: Math.ceil(length / clusterSize),
      kind: kind === 'data' ? 'data' : 'zero',
      ...(place === undefined ? {} : { place }),
    });
  }
  yield* writeLayout(target, header, runs, { read, ...(occupied === undefined ? {} : { occupied }) });
}

/** The header of a new image; its tables have no place yet. */
export function newHeader(options: CreateOptions, name: string): HeaderContents {
  const refuse = (why: string): Refused => new Refused(why, { image: name });
  const version = options.version ?? 3;
  const clusterSize = options.clusterSize ?? 65536;
  const clusterBits = Math.log2(clusterSize);
  const extendedL2 = options.extendedL2 ?? false;
  if (!Number.isInteger(clusterBits) || clusterBits < format.MIN_CLUSTER_BITS || clusterBits > format.MAX_CLUSTER_BITS) {
    throw refuse(`the cluster size must be a power of two between 512 and ${2 ** format.MAX_CLUSTER_BITS}, not ${clusterSize}`);
  }
  const refcountBits = options.refcountBits ?? 16;
  const refcountOrder = Math.log2(refcountBits);
  if (!Number.isInteger(refcountOrder) || refcountOrder < 0 || refcountOrder > format.MAX_REFCOUNT_ORDER) {
    throw refuse(`the width of refcounts must be a power of two of at most 64 bits, not ${refcountBits}`);
  }
  if (version === 2) {
    if (refcountBits !== 16) throw refuse('refcounts other than 16 bits need version 3 (compat=1.1)');
    if (options.lazyRefcounts === true) throw refuse('lazy refcounts need version 3 (compat=1.1)');
    if (extendedL2) throw refuse('extended L2 entries need version 3 (compat=1.1)');
    if (options.compression === 'zstd') throw refuse('zstd compression needs version 3 (compat=1.1)');
    if (options.dataFile !== undefined) throw refuse('an external data file needs version 3 (compat=1.1)');
  }
  if (extendedL2 && clusterBits < format.MIN_CLUSTER_BITS_EXTENDED_L2) {
    throw refuse(`extended L2 entries need clusters of at least ${2 ** format.MIN_CLUSTER_BITS_EXTENDED_L2} bytes`);
  }
  const { backing, dataFile } = options;
  if (backing !== undefined) {
    if (encodeName(backing.name).length > format.MAX_BACKING_NAME) throw refuse("the backing file's name is longer than 1023 bytes");
    if ((options.preallocation ?? 'off') !== 'off' && !extendedL2) {
      throw refuse('a backing file and preallocation go together only with extended L2 entries');
    }
    if (dataFile?.raw === true) throw refuse('a backing file and a raw data file exclude each other');
  }
  if (dataFile !== undefined && encodeName(dataFile.name).length > format.MAX_DATA_FILE_NAME) {
    throw refuse("the data file's name is too long");
  }
  const storedSize = Math.ceil(options.size / format.SECTOR) * format.SECTOR;
  const l1Entries = Math.ceil(storedSize / bytesPerL2Table({ clusterSize, extendedL2 }));
  if (!(options.size >= 0) || l1Entries * 8 > format.MAX_L1_BYTES) {
    throw refuse(`a disk of ${options.size} bytes is too large for clusters of ${clusterSize} bytes`);
  }
  return {
    version,
    clusterBits,
    clusterSize,
    storedSize,
    encryption: 'none',
    l1Entries,
    l1Offset: 0,
    refcountTableOffset: 0,
    refcountTableClusters: 0,
    refcountOrder,
    snapshotCount: 0,
    snapshotsOffset: 0,
    compression: options.compression ?? 'zlib',
    incompatibleFeatures:
      (dataFile === undefined ? 0n : format.INCOMPATIBLE_DATA_FILE) |
      (options.compression === 'zstd' ? format.INCOMPATIBLE_COMPRESSION : 0n) |
      (extendedL2 ? format.INCOMPATIBLE_EXTENDED_L2 : 0n),
    compatibleFeatures: options.lazyRefcounts === true ? format.COMPATIBLE_LAZY_REFCOUNTS : 0n,
    autoclearFeatures: dataFile?.raw === true ? format.AUTOCLEAR_DATA_FILE_RAW : 0n,
    unknownFields: new Uint8Array(0),
    extensions: [],
    ...(backing === undefined ? {} : { backing }),
    ...(dataFile === undefined ? {} : { dataFile: { name: dataFile.name, raw: dataFile.raw ?? false } }),
  };
}
