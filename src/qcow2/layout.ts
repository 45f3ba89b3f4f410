/** A new qcow2 file whose clusters are all known beforehand: everything gets its place first, then is written once. */
import { viewOf } from '../bytes/struct.ts';
import { Refused } from '../errors.ts';
import type { Io } from '../io/effect.ts';
import { perform } from '../io/effect.ts';
import { Truncate, type WritableSource, Write } from '../io/source.ts';
import { encodeHeader, type HeaderContents } from './encode-header.ts';
import { COPIED, ZERO } from './entries.ts';
import * as format from './format.ts';
import { setRefcount } from './refcounts.ts';

/** Clusters of the disk that follow each other. `reserved` ones get a place and no contents. */
export interface ClusterRun {
  readonly first: number;
  readonly count: number;
  readonly kind: 'data' | 'zero' | 'reserved';
  /** Byte offset of the file where the data stand already, at a cluster below {@link LayoutOptions.occupied}. */
  readonly place?: number;
}

export interface LayoutOptions {
  /** The bytes of `data` runs. */
  readonly read?: (offset: number, target: Uint8Array) => Io<void>;
  /** Where the guest's bytes go if not into the same file. */
  readonly dataTarget?: WritableSource;
  /** Writes zeros into what is reserved. */
  readonly fill?: boolean;
  /** Bytes of the target, whole clusters, that are taken: the header's cluster and data that stand in their places. Default one cluster. */
  readonly occupied?: number;
}

/** Bytes of a request for data. */
const REQUEST: number = 2 << 20;

/** How many clusters refcount table and blocks need, themselves included, for `clusters` others. */
export function refcountClusters(clusters: number, clusterSize: number, refcountOrder: number): { table: number; blocks: number } {
  const perBlock = (clusterSize * 8) / 2 ** refcountOrder;
  let table = 1;
  let blocks = 1;
  for (;;) {
    const neededBlocks = Math.ceil((clusters + table + blocks) / perBlock);
    const neededTable = Math.ceil((neededBlocks * 8) / clusterSize);
    if (neededBlocks <= blocks && neededTable <= table) return { table, blocks };
    blocks = Math.max(blocks, neededBlocks);
    table = Math.max(table, neededTable);
  }
}

/**
 * Writes the file: header, data that were there already, refcount table and blocks, L1 table, L2 tables, other data, in this order in the
 * file; the header is written last. `runs` are in ascending order and do not overlap.
 */
export function* writeLayout(
  target: WritableSource,
  header: HeaderContents,
  runs: readonly ClusterRun[],
  options: LayoutOptions = {},
): Io<void> {
  const { clusterSize, refcountOrder } = header;
  const where = { image: target.name };
  const extended = (header.incompatibleFeatures & format.INCOMPATIBLE_EXTENDED_L2) !== 0n;
  const external = header.dataFile !== undefined;
  const entrySize = extended ? 16 : 8;
  const perL2 = clusterSize / entrySize;
  const stored = runs.filter((run) => run.kind !== 'zero' && run.place === undefined);
  const dataClusters = external ? 0 : stored.reduce((sum, run) => sum + run.count, 0);
  const l2Indices = touchedTables(runs, perL2);
  const l1Clusters = Math.ceil((header.l1Entries * 8) / clusterSize);
  const occupied = Math.ceil((options.occupied ?? clusterSize) / clusterSize);
  const others = occupied + l1Clusters + l2Indices.length + dataClusters;
  const refcounts = refcountClusters(others, clusterSize, refcountOrder);
  if (refcounts.table * clusterSize > format.MAX_REFCOUNT_TABLE_BYTES)
    throw new Refused('the image would need too large a refcount table', where);
  const tableAt = clusterSize * occupied;
  const blocksAt = tableAt + clusterSize * refcounts.table;
  const l1At = blocksAt + clusterSize * refcounts.blocks;
  const l2At = l1At + clusterSize * l1Clusters;
  const dataAt = l2At + clusterSize * l2Indices.length;
  const total = others + refcounts.table + refcounts.blocks;
  const complete: HeaderContents = {
    ...header,
    // An L1 table without entries has a place all the same, as in files of QEMU.
    l1Offset: l1At,
    refcountTableOffset: tableAt,
    refcountTableClusters: refcounts.table,
  };
  const first = encodeHeader(complete, where);

  let host = dataAt;
  for (const run of stored) {
    const place = external ? run.first * clusterSize : host;
    host += run.count * clusterSize;
    if (run.kind === 'data' || options.fill === true) yield* writeRun(options.dataTarget ?? target, place, run, header, options);
  }

  // L2 tables, one after the other; `host` of a run goes on from table to table.
  const tables = new TableFiller(perL2, clusterSize, entrySize, external, dataAt);
  for (const [i, l1Index] of l2Indices.entries()) {
    yield* perform(new Write(target, l2At + i * clusterSize, tables.next(l1Index, runs)));
  }
  const l1 = new Uint8Array(header.l1Entries * 8);
  const l1View = viewOf(l1);
  for (const [i, l1Index] of l2Indices.entries()) setPlace(l1View, l1Index * 8, l2At + i * clusterSize);
  if (l1.length > 0) yield* perform(new Write(target, l1At, l1));

  const taken = takenClusters(runs, occupied, clusterSize);
  const perBlock = (clusterSize * 8) / 2 ** refcountOrder;
  for (let block = 0; block < refcounts.blocks; block++) {
    const bytes = new Uint8Array(clusterSize);
    const view = viewOf(bytes);
    const count = Math.min(perBlock, total - block * perBlock);
    for (let i = 0; i < count; i++) {
      const cluster = block * perBlock + i;
      if (cluster >= occupied || taken[cluster] === 1) setRefcount(view, i, refcountOrder, 1);
    }
    yield* perform(new Write(target, blocksAt + block * clusterSize, bytes));
  }
  const table = new Uint8Array(refcounts.table * clusterSize);
  const tableView = viewOf(table);
  for (let block = 0; block < refcounts.blocks; block++) setOffset(tableView, block * 8, blocksAt + block * clusterSize, 0);
  yield* perform(new Write(target, tableAt, table));
  if (!external && (dataClusters > 0 || occupied > 1)) yield* perform(new Truncate(target, total * clusterSize));
  yield* perform(new Write(target, 0, first));
}

/** Which of the first `occupied` clusters of the file are in use: 1 for those. */
function takenClusters(runs: readonly ClusterRun[], occupied: number, clusterSize: number): Uint8Array {
  const taken = new Uint8Array(occupied);
  taken[0] = 1;
  for (const { place, count } of runs) if (place !== undefined) taken.fill(1, place / clusterSize, place / clusterSize + count);
  return taken;
}

/** The indices of L2 tables that runs need, ascending. */
function touchedTables(runs: readonly ClusterRun[], perL2: number): number[] {
  const indices: number[] = [];
  for (const { first, count } of runs) {
    const last = Math.floor((first + count - 1) / perL2);
    for (let index = Math.floor(first / perL2); index <= last; index++) if (indices.at(-1) !== index) indices.push(index);
  }
  return indices;
}

function* writeRun(target: WritableSource, place: number, run: ClusterRun, header: HeaderContents, options: LayoutOptions): Io<void> {
  const { clusterSize, storedSize } = header;
  const length = run.count * clusterSize;
  const buffer = new Uint8Array(Math.min(length, REQUEST));
  for (let done = 0; done < length; done += buffer.length) {
    const part = buffer.subarray(0, length - done);
    const inside = Math.min(part.length, storedSize - run.first * clusterSize - done);
    if (run.kind === 'data') {
      if (options.read === undefined) throw new RangeError('runs of data need a reader');
      if (inside > 0) yield* options.read(run.first * clusterSize + done, part.subarray(0, inside));
      part.fill(0, Math.max(0, inside));
    }
    // A data file ends where the disk does.
    const whole = options.dataTarget === undefined ? part : part.subarray(0, Math.max(0, inside));
    yield* perform(new Write(target, place + done, whole));
  }
}

/** Makes L2 tables in ascending order. */
class TableFiller {
  readonly #perL2: number;
  readonly #clusterSize: number;
  readonly #entrySize: number;
  readonly #external: boolean;
  #host: number;
  #run = 0;

  constructor(perL2: number, clusterSize: number, entrySize: number, external: boolean, dataAt: number) {
    this.#perL2 = perL2;
    this.#clusterSize = clusterSize;
    this.#entrySize = entrySize;
    this.#external = external;
    this.#host = dataAt;
  }

  next(l1Index: number, runs: readonly ClusterRun[]): Uint8Array {
    const table = new Uint8Array(this.#clusterSize);
    const view = viewOf(table);
    const start = l1Index * this.#perL2;
    const end = start + this.#perL2;
    for (let run = runs[this.#run]; run !== undefined && run.first < end; run = runs[++this.#run]) {
      const stop = Math.min(end, run.first + run.count);
      for (let cluster = Math.max(start, run.first); cluster < stop; cluster++) {
        this.#entry(view, (cluster - start) * this.#entrySize, cluster, run);
      }
      if (run.first + run.count > end) break;
    }
    return table;
  }

  #entry(view: DataView, at: number, cluster: number, { kind, first, place }: ClusterRun): void {
    const extended = this.#entrySize === 16;
    if (kind === 'zero') {
      if (extended) view.setUint32(at + 8, 0xffffffff);
      else view.setUint32(at + 4, ZERO);
      return;
    }
    let host = this.#external ? cluster * this.#clusterSize : this.#host;
    if (place === undefined) this.#host += this.#clusterSize;
    else host = place + (cluster - first) * this.#clusterSize;
    setPlace(view, at, host);
    // Reserved subclusters are not allocated: they read as zeros, or as the backing file does. A raw data file is all data.
    if (extended && (kind === 'data' || this.#external)) view.setUint32(at + 12, 0xffffffff);
  }
}

function setOffset(view: DataView, at: number, offset: number, flags: number): void {
  view.setUint32(at, (Math.floor(offset / 2 ** 32) | flags) >>> 0);
  view.setUint32(at + 4, offset % 2 ** 32);
}

/** An entry for a place of which there is one reference. */
function setPlace(view: DataView, at: number, offset: number): void {
  setOffset(view, at, offset, COPIED);
}
