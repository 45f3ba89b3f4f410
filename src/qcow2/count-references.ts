/**
 * How often each host cluster of a qcow2 file is referred to, by the rules that `qemu-img check` shows (version 7.2). An L2 table that
 * several L1 entries share is read once and counted as often as it is referenced, so the work is bounded by the file, not by what a hostile
 * L1 table repeats.
 */
import { Corrupt } from '../errors.ts';
import type { Io } from '../io/effect.ts';
import type { CheckFindings } from './check-findings.ts';
import {
  COMPRESSED_CLUSTER,
  COPIED,
  clusterType,
  compressedRange,
  L1_RESERVED_HIGH,
  L1_RESERVED_LOW,
  L2_RESERVED_HIGH,
  L2_RESERVED_LOW,
  NORMAL,
  UNALLOCATED,
  ZERO,
  ZERO_ALLOCATED,
} from './entries.ts';
import * as format from './format.ts';
import { bytesPerL2Table } from './header.ts';
import type { Metadata } from './metadata.ts';
import { maxRefcount, type Refcounts } from './refcounts.ts';
import { ReferenceCounts } from './references.ts';
import type { L1Table } from './tables.ts';

interface SharedL2 {
  /** How many L1 entries refer to it: all, and those of the active table. */
  references: number;
  active: number;
}

export class ReferenceCounter {
  readonly references = new ReferenceCounts();
  /** Clusters of the active disk that hold data, and those of them that are compressed or do not follow the one before. */
  allocated = 0;
  compressed = 0;
  fragmented = 0;
  readonly #metadata: Metadata;
  readonly #refcounts: Refcounts;
  readonly #findings: CheckFindings;
  readonly #clusterSize: number;
  readonly #fileSize: number;
  readonly #maxRefcount: number;
  readonly #l2Tables = new Map<number, SharedL2>();

  constructor(metadata: Metadata, refcounts: Refcounts, findings: CheckFindings) {
    this.#metadata = metadata;
    this.#refcounts = refcounts;
    this.#findings = findings;
    this.#clusterSize = metadata.header.clusterSize;
    this.#fileSize = metadata.source.size;
    this.#maxRefcount = maxRefcount(metadata.header.refcountOrder);
  }

  /** Counts everything but the refcount table and its blocks. */
  *run(): Io<void> {
    const { header, snapshots, snapshotTableBytes, bitmaps } = this.#metadata;
    this.count(0, this.#clusterSize);
    yield* this.#collectL2(header, true);
    if (header.dataFile !== undefined && snapshots.length > 0) this.#findings.corruption('snapshots in an image with a data file');
    for (const snapshot of snapshots) {
      if (snapshot.l1Offset % this.#clusterSize !== 0 || snapshot.l1Entries * 8 > format.MAX_L1_BYTES) {
        this.#findings.corruption(`the L1 table of snapshot ${snapshot.id} (${snapshot.name}) is invalid`);
        continue;
      }
      yield* this.#collectL2(snapshot, false);
    }
    for (const [offset, shared] of this.#l2Tables) yield* this.#checkL2(offset, shared);
    this.count(header.snapshotsOffset, snapshotTableBytes);
    if (header.luks !== undefined) this.count(header.luks.offset, header.luks.length);
    if (header.bitmaps !== undefined) this.count(header.bitmaps.directoryOffset, header.bitmaps.directorySize);
    for (const bitmap of bitmaps) yield* this.#countBitmap(bitmap.tableOffset, bitmap.tableEntries);
  }

  /** Counts a reference to every cluster that a range touches. */
  count(offset: number, length: number, times = 1): void {
    if (length <= 0) return;
    if (offset + length - this.#fileSize >= this.#clusterSize) {
      this.#findings.corruption(`a reference to ${length} bytes at ${offset} leaves the file by a cluster or more`, times);
      return;
    }
    const last = Math.floor((offset + length - 1) / this.#clusterSize);
    for (let cluster = Math.floor(offset / this.#clusterSize); cluster <= last; cluster++) {
      if (this.references.add(cluster, times) > this.#maxRefcount)
        this.#findings.corruption(`more references to cluster ${cluster} than a refcount holds`);
    }
  }

  *#collectL2(l1: L1Table, active: boolean): Io<void> {
    if (l1.l1Entries === 0) return;
    this.count(l1.l1Offset, l1.l1Entries * 8);
    const { pageSize } = this.#metadata.tables;
    for (let i = 0; i < l1.l1Entries; ) {
      const at = l1.l1Offset + i * 8;
      const index = Math.floor(at / pageSize);
      const page = this.#metadata.tables.peek(index) ?? (yield* this.#metadata.tables.page(index));
      for (let within = at - index * pageSize; within < pageSize && i < l1.l1Entries; within += 8, i++) {
        const high = page.view.getUint32(within);
        const low = page.view.getUint32(within + 4);
        if (high === 0 && low === 0) continue;
        const offset = plainOffset(high, low);
        if ((high & L1_RESERVED_HIGH) !== 0 || (low & L1_RESERVED_LOW) !== 0)
          this.#findings.corruption(`L1 entry ${i} has reserved bits set`);
        this.count(offset, this.#clusterSize);
        if (offset % this.#clusterSize !== 0) this.#findings.corruption(`the L2 table at ${offset} does not begin at a cluster`);
        const shared = this.#l2Tables.get(offset) ?? { references: 0, active: 0 };
        shared.references++;
        this.#l2Tables.set(offset, shared);
        if (!active) continue;
        shared.active++;
        if (offset === 0) continue;
        const refcount = yield* this.#refcounts.get(Math.floor(offset / this.#clusterSize));
        if (refcount !== undefined && (refcount === 1) !== ((high & COPIED) !== 0)) {
          this.#findings.corruption(`OFLAG_COPIED of L1 entry ${i} contradicts the L2 table's refcount ${refcount}`);
        }
      }
    }
  }

  *#checkL2(offset: number, shared: SharedL2): Io<void> {
    if (offset >= this.#fileSize) return;
    const { tables, header } = this.#metadata;
    const entrySize = header.extendedL2 ? 16 : 8;
    const count = bytesPerL2Table(header) / this.#clusterSize;
    const { pageSize } = tables;
    let next = 0;
    for (let i = 0; i < count; ) {
      const at = offset + i * entrySize;
      const index = Math.floor(at / pageSize);
      const page = tables.peek(index) ?? (yield* tables.page(index));
      for (let within = at - index * pageSize; within < pageSize && i < count; within += entrySize, i++) {
        const high = page.view.getUint32(within);
        const low = page.view.getUint32(within + 4);
        const zeros = header.extendedL2 ? page.view.getUint32(within + 8) : 0;
        const allocated = header.extendedL2 ? page.view.getUint32(within + 12) : 0;
        if (high === 0 && low === 0 && allocated === 0) continue;
        const cluster = this.#checkEntry(high, low, zeros, allocated, next, shared);
        if (cluster === undefined) continue;
        next = cluster + this.#clusterSize;
        if (shared.active === 0) continue;
        const refcount = header.dataFile === undefined ? yield* this.#refcounts.get(Math.floor(cluster / this.#clusterSize)) : 1;
        if (refcount !== undefined && (refcount === 1) !== ((high & COPIED) !== 0)) {
          this.#findings.corruption(`OFLAG_COPIED of the data cluster at ${cluster} contradicts its refcount ${refcount}`, shared.active);
        }
      }
    }
  }

  /** Checks one L2 entry; the offset of its data cluster if it has one. */
  #checkEntry(high: number, low: number, zeros: number, allocated: number, next: number, shared: SharedL2): number | undefined {
    const { header } = this.#metadata;
    const times = shared.references;
    const external = header.dataFile !== undefined;
    const type = clusterType(high, low, !header.extendedL2, external);
    if (type !== COMPRESSED_CLUSTER) {
      const reserved = header.extendedL2 ? L2_RESERVED_LOW | ZERO : L2_RESERVED_LOW;
      if ((high & L2_RESERVED_HIGH) !== 0 || (low & reserved) !== 0) this.#findings.corruption('an L2 entry has reserved bits set', times);
    }
    switch (type) {
      case COMPRESSED_CLUSTER: {
        if (high & COPIED) this.#findings.corruption('a compressed cluster has OFLAG_COPIED set', times);
        if (external) this.#findings.corruption('a compressed cluster in an image with a data file', times);
        else if (zeros !== 0 || allocated !== 0) this.#findings.corruption('a compressed cluster has a subcluster bitmap', times);
        else {
          this.#countCompressed(high, low, times);
          this.allocated += shared.active;
          this.compressed += shared.active;
          this.fragmented += shared.active;
        }
        return undefined;
      }
      case NORMAL:
      case ZERO_ALLOCATED: {
        const offset = plainOffset(high, low);
        if ((zeros & allocated) !== 0)
          this.#findings.corruption(`the data cluster at ${offset} has subclusters both allocated and zero`, times);
        this.allocated += shared.active;
        if (next !== 0 && offset !== next) this.fragmented += shared.active;
        if (offset % this.#clusterSize !== 0) this.#findings.corruption(`the data cluster at ${offset} does not begin at a cluster`, times);
        if (!external) this.count(offset, this.#clusterSize, times);
        return offset;
      }
      case UNALLOCATED:
        if (allocated !== 0) this.#findings.corruption('allocated subclusters without a cluster', times);
        return undefined;
      default:
        return undefined;
    }
  }

  #countCompressed(high: number, low: number, times: number): void {
    try {
      const range = compressedRange(high, low, this.#metadata.header.clusterBits, this.#metadata.where);
      this.count(range.offset, range.length, times);
    } catch (error) {
      if (!(error instanceof Corrupt)) throw error;
      this.#findings.corruption(error.message, times);
    }
  }

  *#countBitmap(tableOffset: number, entries: number): Io<void> {
    this.count(tableOffset, entries * 8);
    if (tableOffset + entries * 8 > this.#fileSize + this.#clusterSize) return;
    const table = yield* this.#metadata.tables.device.read(tableOffset, entries * 8);
    const view = new DataView(table.buffer, table.byteOffset, table.byteLength);
    for (let i = 0; i < entries; i++) {
      const high = view.getUint32(8 * i);
      const low = view.getUint32(8 * i + 4);
      const offset = plainOffset(high, low);
      if ((high & 0xff000000) !== 0 || (low & 0x1fe) !== 0 || (offset !== 0 && (low & 1) !== 0) || offset % this.#clusterSize !== 0) {
        this.#findings.corruption(`entry ${i} of a bitmap table is invalid`);
      } else if (offset !== 0) this.count(offset, this.#clusterSize);
    }
  }
}

/** Offset in an entry, exact even beyond 2^53: its lowest nine bits are zero. */
function plainOffset(high: number, low: number): number {
  return (high & 0x00ffffff) * 2 ** 32 + ((low & 0xfffffe00) >>> 0);
}
