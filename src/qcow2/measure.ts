/** How large a qcow2 file for a disk would be, as `qemu-img measure` says. */
import type { Io } from '../io/effect.ts';
import { type CreateOptions, newHeader } from './create.ts';
import { refcountClusters } from './layout.ts';
import type { Layer } from './location.ts';

export interface Measurement {
  /** Bytes that the file needs for what is on the disk. */
  readonly required: number;
  /** Bytes when every cluster is written. */
  readonly fullyAllocated: number;
}

/** Bytes of a file in which `dataClusters` clusters hold data. */
function fileSize(options: CreateOptions): number {
  const header = newHeader(options, 'measure');
  const { clusterSize, refcountOrder } = header;
  const ceil = (value: number, unit: number): number => Math.ceil(value / unit) * unit;
  const entrySize = options.extendedL2 === true ? 16 : 8;
  const size = ceil(header.storedSize, clusterSize);
  // Whole L2 tables, and an L1 table for them.
  const l2Entries = ceil(size / clusterSize, clusterSize / entrySize);
  const l2Bytes = l2Entries * entrySize;
  const l1Bytes = ceil((l2Bytes / clusterSize) * 8, clusterSize);
  const others = (clusterSize + l2Bytes + l1Bytes + size) / clusterSize;
  const { table, blocks } = refcountClusters(others, clusterSize, refcountOrder);
  return (others + table + blocks) * clusterSize;
}

/** Measures a disk of `options.size` bytes; `source`, if given, is what it would hold. */
export function* measureQcow2(options: CreateOptions, source?: Layer): Io<Measurement> {
  const header = newHeader(options, 'measure');
  const { clusterSize, storedSize } = header;
  const fullyAllocated = fileSize(options);
  const size = Math.ceil(storedSize / clusterSize) * clusterSize;
  if ((options.preallocation ?? 'off') === 'full' || options.preallocation === 'falloc')
    return { required: fullyAllocated, fullyAllocated };
  let required = 0;
  let counted = -1;
  for (let at = 0; source !== undefined && at < Math.min(source.size, storedSize); ) {
    const extent = yield* source.map(at, source.size - at);
    if (!extent.zero && (extent.data || extent.depth === 0)) {
      const first = Math.max(counted + 1, Math.floor(at / clusterSize));
      const last = Math.floor((at + extent.length - 1) / clusterSize);
      required += Math.max(0, last + 1 - first) * clusterSize;
      counted = Math.max(counted, last);
    }
    at += extent.length;
  }
  return { required: fullyAllocated - size + required, fullyAllocated };
}
