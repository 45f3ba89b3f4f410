/**
 * Checking a qcow2 file as `qemu-img check` does: count all references to host clusters and compare them with the refcounts.
 *
 * The counting rules are those that qemu-img shows (version 7.2). An L2 table that several L1 entries share is read once and counted
 * as often as it is referenced, so the work is bounded by the file, not by what a hostile L1 table repeats.
 */
import type { Where } from '../errors.ts';
import { Corrupt } from '../errors.ts';
import type { Io } from '../io/effect.ts';
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
import { decodeRefcountBlock, maxRefcount, Refcounts, refcountsPerBlock } from './refcounts.ts';
import { ReferenceCounts } from './references.ts';
import type { L1Table } from './tables.ts';

/** What was found; counts as in `qemu-img check --output=json`. */
export interface CheckReport {
  /** Behind the last cluster that is in use, in bytes. */
  readonly imageEndOffset: number;
  /** Guest clusters of the disk. */
  readonly totalClusters: number;
  readonly allocatedClusters: number;
  readonly compressedClusters: number;
  /** Clusters that do not follow the one before, and all compressed ones. */
  readonly fragmentedClusters: number;
  /** References without refcount, and entries that break the format: data is at risk. */
  readonly corruptions: number;
  /** Clusters whose refcount is too high: space is lost, nothing else. */
  readonly leaks: number;
  /** Things that could not be checked. */
  readonly checkErrors: number;
  /** One line for each finding; at most {@link MAX_FINDINGS}. */
  readonly findings: readonly string[];
}

export const MAX_FINDINGS = 10_000;
/** QEMU's own bound on clusters of a file that it checks. */
const MAX_CLUSTERS: number = 2 ** 31 - 1;

/** Reads all tables of the file. Nothing is changed. */
export function* checkQcow2(metadata: Metadata): Io<CheckReport> {
  const check = new Check(metadata);
  yield* check.run();
  return check.report();
}

/** How often each host cluster is referred to, leaving the refcount table and its blocks out: what they should say. */
export function* referencesOf(metadata: Metadata): Io<ReferenceCounts> {
  const check = new Check(metadata);
  return yield* check.references();
}

interface SharedL2 {
  /** How many L1 entries refer to it: all, and those of the active table. */
  references: number;
  active: number;
}

class Check {
  readonly #metadata: Metadata;
  readonly #where: Where;
  readonly #clusterSize: number;
  readonly #fileSize: number;
  readonly #clusters: number;
  readonly #references = new ReferenceCounts();
  readonly #refcounts: Refcounts;
  readonly #maxRefcount: number;
  readonly #l2Tables = new Map<number, SharedL2>();
  readonly #findings: string[] = [];
  #allocated = 0;
  #compressed = 0;
  #fragmented = 0;
  #corruptions = 0;
  #leaks = 0;
  #errors = 0;
  #highest = 0;

  constructor(metadata: Metadata) {
    this.#metadata = metadata;
    this.#where = metadata.where;
    this.#clusterSize = metadata.header.clusterSize;
    this.#fileSize = metadata.source.size;
    this.#clusters = Math.ceil(this.#fileSize / this.#clusterSize);
    this.#refcounts = new Refcounts(metadata.header, metadata.tables);
    this.#maxRefcount = maxRefcount(metadata.header.refcountOrder);
  }

  report(): CheckReport {
    return {
      imageEndOffset: (this.#highest + 1) * this.#clusterSize,
      totalClusters: Math.ceil(this.#metadata.header.size / this.#clusterSize),
      allocatedClusters: this.#allocated,
      compressedClusters: this.#compressed,
      fragmentedClusters: this.#fragmented,
      corruptions: this.#corruptions,
      leaks: this.#leaks,
      checkErrors: this.#errors,
      findings: this.#findings,
    };
  }

  *run(): Io<void> {
    const { header } = this.#metadata;
    if (this.#clusters > MAX_CLUSTERS) {
      this.#error(`the file has ${this.#clusters} clusters, more than can be checked`);
      return;
    }
    yield* this.#countReferences();
    this.#count(header.refcountTableOffset, header.refcountTableClusters * this.#clusterSize);
    yield* this.#checkRefcountBlocks();
    yield* this.#compare();
  }

  *references(): Io<ReferenceCounts> {
    yield* this.#countReferences();
    return this.#references;
  }

  *#countReferences(): Io<void> {
    const { header, snapshots, snapshotTableBytes, bitmaps } = this.#metadata;
    this.#count(0, this.#clusterSize);
    yield* this.#collectL2(header, true);
    if (header.dataFile !== undefined && snapshots.length > 0) this.#corruption('snapshots in an image with a data file');
    for (const snapshot of snapshots) {
      if (snapshot.l1Offset % this.#clusterSize !== 0 || snapshot.l1Entries * 8 > format.MAX_L1_BYTES) {
        this.#corruption(`the L1 table of snapshot ${snapshot.id} (${snapshot.name}) is invalid`);
        continue;
      }
      yield* this.#collectL2(snapshot, false);
    }
    for (const [offset, shared] of this.#l2Tables) yield* this.#checkL2(offset, shared);
    this.#count(header.snapshotsOffset, snapshotTableBytes);
    if (header.luks !== undefined) this.#count(header.luks.offset, header.luks.length);
    if (header.bitmaps !== undefined) this.#count(header.bitmaps.directoryOffset, header.bitmaps.directorySize);
    for (const bitmap of bitmaps) yield* this.#countBitmap(bitmap.tableOffset, bitmap.tableEntries);
  }

  /** Counts a reference to every cluster that a range touches. */
  #count(offset: number, length: number, times = 1): void {
    if (length <= 0) return;
    if (offset + length - this.#fileSize >= this.#clusterSize) {
      this.#corruption(`a reference to ${length} bytes at ${offset} leaves the file by a cluster or more`, times);
      return;
    }
    const last = Math.floor((offset + length - 1) / this.#clusterSize);
    for (let cluster = Math.floor(offset / this.#clusterSize); cluster <= last; cluster++) {
      if (this.#references.add(cluster, times) > this.#maxRefcount)
        this.#corruption(`more references to cluster ${cluster} than a refcount holds`);
    }
  }

  *#collectL2(l1: L1Table, active: boolean): Io<void> {
    if (l1.l1Entries === 0) return;
    this.#count(l1.l1Offset, l1.l1Entries * 8);
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
        if ((high & L1_RESERVED_HIGH) !== 0 || (low & L1_RESERVED_LOW) !== 0) this.#corruption(`L1 entry ${i} has reserved bits set`);
        this.#count(offset, this.#clusterSize);
        if (offset % this.#clusterSize !== 0) this.#corruption(`the L2 table at ${offset} does not begin at a cluster`);
        const shared = this.#l2Tables.get(offset) ?? { references: 0, active: 0 };
        shared.references++;
        this.#l2Tables.set(offset, shared);
        if (!active) continue;
        shared.active++;
        if (offset === 0) continue;
        const refcount = yield* this.#refcounts.get(Math.floor(offset / this.#clusterSize));
        if (refcount !== undefined && (refcount === 1) !== ((high & COPIED) !== 0)) {
          this.#corruption(`OFLAG_COPIED of L1 entry ${i} contradicts the L2 table's refcount ${refcount}`);
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
          this.#corruption(`OFLAG_COPIED of the data cluster at ${cluster} contradicts its refcount ${refcount}`, shared.active);
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
      if ((high & L2_RESERVED_HIGH) !== 0 || (low & reserved) !== 0) this.#corruption('an L2 entry has reserved bits set', times);
    }
    switch (type) {
      case COMPRESSED_CLUSTER: {
        if (high & COPIED) this.#corruption('a compressed cluster has OFLAG_COPIED set', times);
        if (external) this.#corruption('a compressed cluster in an image with a data file', times);
        else if (zeros !== 0 || allocated !== 0) this.#corruption('a compressed cluster has a subcluster bitmap', times);
        else {
          this.#countCompressed(high, low, times);
          this.#allocated += shared.active;
          this.#compressed += shared.active;
          this.#fragmented += shared.active;
        }
        return undefined;
      }
      case NORMAL:
      case ZERO_ALLOCATED: {
        const offset = plainOffset(high, low);
        if ((zeros & allocated) !== 0) this.#corruption(`the data cluster at ${offset} has subclusters both allocated and zero`, times);
        this.#allocated += shared.active;
        if (next !== 0 && offset !== next) this.#fragmented += shared.active;
        if (offset % this.#clusterSize !== 0) this.#corruption(`the data cluster at ${offset} does not begin at a cluster`, times);
        if (!external) this.#count(offset, this.#clusterSize, times);
        return offset;
      }
      case UNALLOCATED:
        if (allocated !== 0) this.#corruption('allocated subclusters without a cluster', times);
        return undefined;
      default:
        return undefined;
    }
  }

  #countCompressed(high: number, low: number, times: number): void {
    try {
      const range = compressedRange(high, low, this.#metadata.header.clusterBits, this.#where);
      this.#count(range.offset, range.length, times);
    } catch (error) {
      if (!(error instanceof Corrupt)) throw error;
      this.#corruption(error.message, times);
    }
  }

  *#countBitmap(tableOffset: number, entries: number): Io<void> {
    this.#count(tableOffset, entries * 8);
    if (tableOffset + entries * 8 > this.#fileSize + this.#clusterSize) return;
    const table = yield* this.#metadata.tables.device.read(tableOffset, entries * 8);
    const view = new DataView(table.buffer, table.byteOffset, table.byteLength);
    for (let i = 0; i < entries; i++) {
      const high = view.getUint32(8 * i);
      const low = view.getUint32(8 * i + 4);
      const offset = plainOffset(high, low);
      if ((high & 0xff000000) !== 0 || (low & 0x1fe) !== 0 || (offset !== 0 && (low & 1) !== 0) || offset % this.#clusterSize !== 0) {
        this.#corruption(`entry ${i} of a bitmap table is invalid`);
      } else if (offset !== 0) this.#count(offset, this.#clusterSize);
    }
  }

  *#checkRefcountBlocks(): Io<void> {
    for (const block of yield* this.#refcounts.blocks()) {
      if (block.reserved) {
        this.#corruption(`refcount table entry ${block.index} has reserved bits set`);
      } else if (block.offset % this.#clusterSize !== 0) {
        this.#corruption(`refcount block ${block.index} does not begin at a cluster`);
      } else if (block.offset / this.#clusterSize >= this.#clusters) {
        this.#corruption(`refcount block ${block.index} lies outside of the file`);
      } else {
        this.#count(block.offset, this.#clusterSize);
        const references = this.#references.get(block.offset / this.#clusterSize);
        if (references !== 1) this.#corruption(`refcount block ${block.index} is referenced ${references} times`);
      }
    }
  }

  /** Compares refcounts and references, block by block; what has neither is passed over. */
  *#compare(): Io<void> {
    const perBlock = refcountsPerBlock(this.#metadata.header);
    const { refcountOrder } = this.#metadata.header;
    const seen = new Set<number>();
    for (const { index, offset } of yield* this.#refcounts.blocks()) {
      seen.add(index);
      const first = index * perBlock;
      const end = Math.min(first + perBlock, this.#end());
      if (first >= end) continue;
      if (offset === 0) {
        seen.delete(index);
        continue;
      }
      if (offset % this.#clusterSize !== 0 || offset > Number.MAX_SAFE_INTEGER - this.#clusterSize) {
        this.#error(`the refcounts of clusters ${first} to ${end - 1} cannot be read`, end - first);
        continue;
      }
      const refcounts = decodeRefcountBlock(yield* this.#refcounts.block(offset), refcountOrder);
      for (let i = 0; i < end - first; i++) this.#judge(first + i, refcounts[i] ?? 0, this.#references.get(first + i));
    }
    // References where no refcount block is.
    for (const first of this.#references.stretches()) {
      const counts = this.#references.stretch(first);
      for (let i = 0; counts !== undefined && i < counts.length; i++) {
        const references = counts[i] ?? 0;
        if (references > 0 && !seen.has(Math.floor((first + i) / perBlock))) this.#judge(first + i, 0, references);
      }
    }
  }

  /** Behind the last cluster of the file; a cluster may begin in the file and end behind it. */
  #end(): number {
    const last = this.#references.stretches().at(-1);
    return last === undefined ? this.#clusters : Math.max(this.#clusters, Math.min(last + ReferenceCounts.STRETCH, this.#clusters + 1));
  }

  #judge(cluster: number, refcount: number, references: number): void {
    if (refcount > 0 || references > 0) this.#highest = Math.max(this.#highest, cluster);
    if (refcount === references) return;
    if (refcount < references) this.#corruption(`cluster ${cluster} refcount=${refcount} reference=${references}`);
    else {
      this.#leaks++;
      this.#note(`leaked cluster ${cluster} refcount=${refcount} reference=${references}`);
    }
  }

  #corruption(finding: string, times = 1): void {
    this.#corruptions += times;
    this.#note(finding);
  }

  #error(finding: string, times = 1): void {
    this.#errors += times;
    this.#note(finding);
  }

  #note(finding: string): void {
    if (this.#findings.length < MAX_FINDINGS) this.#findings.push(finding);
  }
}

/** Offset in an entry, exact even beyond 2^53: its lowest nine bits are zero. */
function plainOffset(high: number, low: number): number {
  return (high & 0x00ffffff) * 2 ** 32 + ((low & 0xfffffe00) >>> 0);
}
