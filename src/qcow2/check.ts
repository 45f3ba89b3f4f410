/**
 * Checking a qcow2 file as `qemu-img check` does (version 7.2): all references to host clusters are counted and compared with the refcounts.
 */
import type { Io } from '../io/effect.ts';
import { CheckFindings } from './check-findings.ts';
import { ReferenceCounter } from './count-references.ts';
import type { Metadata } from './metadata.ts';
import { decodeRefcountBlock, Refcounts, refcountsPerBlock } from './refcounts.ts';
import { ReferenceCounts } from './references.ts';

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
  const counter = new ReferenceCounter(metadata, new Refcounts(metadata.header, metadata.tables), new CheckFindings());
  yield* counter.run();
  return counter.references;
}

class Check {
  readonly #metadata: Metadata;
  readonly #clusterSize: number;
  readonly #clusters: number;
  readonly #findings = new CheckFindings();
  readonly #refcounts: Refcounts;
  readonly #counter: ReferenceCounter;
  #highest = 0;

  constructor(metadata: Metadata) {
    this.#metadata = metadata;
    this.#clusterSize = metadata.header.clusterSize;
    this.#clusters = Math.ceil(metadata.source.size / this.#clusterSize);
    this.#refcounts = new Refcounts(metadata.header, metadata.tables);
    this.#counter = new ReferenceCounter(metadata, this.#refcounts, this.#findings);
  }

  report(): CheckReport {
    return {
      imageEndOffset: (this.#highest + 1) * this.#clusterSize,
      totalClusters: Math.ceil(this.#metadata.header.size / this.#clusterSize),
      allocatedClusters: this.#counter.allocated,
      compressedClusters: this.#counter.compressed,
      fragmentedClusters: this.#counter.fragmented,
      corruptions: this.#findings.corruptions,
      leaks: this.#findings.leaks,
      checkErrors: this.#findings.errors,
      findings: this.#findings.lines,
    };
  }

  *run(): Io<void> {
    const { header } = this.#metadata;
    if (this.#clusters > MAX_CLUSTERS) {
      this.#findings.error(`the file has ${this.#clusters} clusters, more than can be checked`);
      return;
    }
    yield* this.#counter.run();
    this.#counter.count(header.refcountTableOffset, header.refcountTableClusters * this.#clusterSize);
    yield* this.#checkRefcountBlocks();
    yield* this.#compare();
  }

  *#checkRefcountBlocks(): Io<void> {
    for (const block of yield* this.#refcounts.blocks()) {
      if (block.reserved) {
        this.#findings.corruption(`refcount table entry ${block.index} has reserved bits set`);
      } else if (block.offset % this.#clusterSize !== 0) {
        this.#findings.corruption(`refcount block ${block.index} does not begin at a cluster`);
      } else if (block.offset / this.#clusterSize >= this.#clusters) {
        this.#findings.corruption(`refcount block ${block.index} lies outside of the file`);
      } else {
        this.#counter.count(block.offset, this.#clusterSize);
        const references = this.#counter.references.get(block.offset / this.#clusterSize);
        if (references !== 1) this.#findings.corruption(`refcount block ${block.index} is referenced ${references} times`);
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
        this.#findings.error(`the refcounts of clusters ${first} to ${end - 1} cannot be read`, end - first);
        continue;
      }
      const refcounts = decodeRefcountBlock(yield* this.#refcounts.block(offset), refcountOrder);
      for (let i = 0; i < end - first; i++) this.#judge(first + i, refcounts[i] ?? 0, this.#counter.references.get(first + i));
    }
    // References where no refcount block is.
    for (const first of this.#counter.references.stretches()) {
      const counts = this.#counter.references.stretch(first);
      for (let i = 0; counts !== undefined && i < counts.length; i++) {
        const references = counts[i] ?? 0;
        if (references > 0 && !seen.has(Math.floor((first + i) / perBlock))) this.#judge(first + i, 0, references);
      }
    }
  }

  /** Behind the last cluster of the file; a cluster may begin in the file and end behind it. */
  #end(): number {
    const last = this.#counter.references.stretches().at(-1);
    return last === undefined ? this.#clusters : Math.max(this.#clusters, Math.min(last + ReferenceCounts.STRETCH, this.#clusters + 1));
  }

  #judge(cluster: number, refcount: number, references: number): void {
    if (refcount > 0 || references > 0) this.#highest = Math.max(this.#highest, cluster);
    if (refcount === references) return;
    if (refcount < references) this.#findings.corruption(`cluster ${cluster} refcount=${refcount} reference=${references}`);
    else this.#findings.leak(`leaked cluster ${cluster} refcount=${refcount} reference=${references}`);
  }
}
