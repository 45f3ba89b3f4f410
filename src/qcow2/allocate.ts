/**
 * Host clusters: which are free, taking them, giving them back.
 *
 * Refcounts change in memory; `file.ts` writes them in an order that never leaves a reference without its count. What is given back stays
 * counted until the file no longer refers to it, and is not taken again before.
 */
import { Corrupt, Posix, Refused, type Where } from '../errors.ts';
import type { Io } from '../io/effect.ts';
import { readPadded, type WritableSource } from '../io/source.ts';
import * as format from './format.ts';
import type { Header } from './header.ts';
import type { MetadataPlaces } from './places.ts';
import { getRefcount, maxRefcount, refcountsPerBlock, setRefcount, TABLE_RESERVED_LOW } from './refcounts.ts';
import { Table } from './table.ts';

/** Memory for blocks that need not be written; they are dropped beyond it. */
const BLOCK_BUDGET: number = 8 << 20;
/** Host offsets have 56 bits, and numbers 53. */
const MAX_OFFSET: number = Number.MAX_SAFE_INTEGER;

/** Clusters that follow each other in the file. */
export interface HostRun {
  /** Number of the first one. */
  readonly first: number;
  readonly count: number;
}

export class Allocator {
  readonly clusterSize: number;
  /** The refcount table; its offset is stale while `tableMoved`. */
  table: Table;
  tableMoved = false;
  readonly perBlock: number;
  readonly maxRefcount: number;
  readonly #order: number;
  readonly #source: WritableSource;
  readonly #places: MetadataPlaces;
  readonly #where: Where;
  readonly #blocks = new Map<number, Table>();
  readonly #frees = new Map<number, number>();
  #hint = 0;
  #floor = 0;
  /** Clusters that became free but are not to be taken yet. */
  #withheld: Set<number> | undefined;

  private constructor(source: WritableSource, header: Header, table: Table, places: MetadataPlaces, where: Where) {
    this.#source = source;
    this.clusterSize = header.clusterSize;
    this.#order = header.refcountOrder;
    this.perBlock = refcountsPerBlock(header);
    this.maxRefcount = maxRefcount(header.refcountOrder);
    this.table = table;
    this.#places = places;
    this.#where = where;
  }

  /** Reads the refcount table. Throws Corrupt where an entry breaks the format. */
  static *open(source: WritableSource, header: Header, places: MetadataPlaces, where: Where): Io<Allocator> {
    const bytes = new Uint8Array(header.refcountTableClusters * header.clusterSize);
    if (header.refcountTableClusters === 0 || header.refcountTableOffset >= source.size) {
      throw new Corrupt('the image has no refcount table; check and repair it first', where);
    }
    yield* readPadded(source, header.refcountTableOffset, bytes);
    const table = new Table(header.refcountTableOffset, bytes);
    for (let at = 0; at < bytes.length; at += 8) {
      const high = table.view.getUint32(at);
      const low = table.view.getUint32(at + 4);
      if (high === 0 && low === 0) continue;
      const offset = table.number(at);
      if ((low & TABLE_RESERVED_LOW) !== 0 || high >= 2 ** 21 || offset % header.clusterSize !== 0 || offset >= source.size) {
        throw new Corrupt(`refcount table entry ${at / 8} is damaged; check and repair the image first`, where);
      }
      places.add(offset, header.clusterSize, 'refcount block');
    }
    places.add(table.offset, bytes.length, 'refcount table');
    return new Allocator(source, header, table, places, where);
  }

  /** Blocks that have to be written. */
  dirtyBlocks(): { readonly index: number; readonly block: Table }[] {
    const dirty: { index: number; block: Table }[] = [];
    for (const [index, block] of this.#blocks) if (block.dirty) dirty.push({ index, block });
    return dirty.sort((a, b) => a.index - b.index);
  }

  /** Every block that is in memory. */
  allBlocks(): Iterable<Table> {
    return this.#blocks.values();
  }

  get hasFrees(): boolean {
    return this.#frees.size > 0;
  }

  /** Drops blocks that need not be written when they are many. Call it where nobody holds one. */
  trim(): void {
    if (this.#blocks.size * this.clusterSize <= BLOCK_BUDGET) return;
    for (const [index, block] of this.#blocks) if (!block.dirty) this.#blocks.delete(index);
  }

  /** From now on only clusters from this one on are taken; 0 lifts it. */
  setFloor(cluster: number): void {
    this.#floor = cluster;
    this.#hint = cluster;
  }

  /** From now on no cluster is taken that becomes free from now on; false lifts it. */
  withhold(on: boolean): void {
    this.#withheld = on ? new Set() : undefined;
    this.#hint = this.#floor;
  }

  /** Reads every block and has it written. */
  *touchAll(): Io<void> {
    for (let index = 0; index * 8 < this.table.bytes.length; index++) (yield* this.#block(index))?.markAll();
  }

  /** Behind the last cluster below `limit` that has a refcount, in bytes. */
  *endOfUse(limit: number): Io<number> {
    for (let index = Math.floor((limit - 1) / this.perBlock); index >= 0; index--) {
      const block = yield* this.#block(index);
      if (block === undefined) continue;
      const start = index * this.perBlock;
      for (let cluster = Math.min(limit, start + this.perBlock) - 1; cluster >= start; cluster--) {
        if (getRefcount(block.view, cluster - start, this.#order) !== 0) return (cluster + 1) * this.clusterSize;
      }
    }
    return 0;
  }

  /** References to a host cluster as the file will have them. */
  *refcount(cluster: number): Io<number> {
    const index = Math.floor(cluster / this.perBlock);
    const block = yield* this.#block(index);
    if (block === undefined) return 0;
    return Math.max(0, getRefcount(block.view, cluster - index * this.perBlock, this.#order) - (this.#frees.get(cluster) ?? 0));
  }

  /**
   * Takes free clusters that follow each other, each with one reference: `count` of them, or, with `fewer`, as many as there are at the
   * first free place. Throws Posix EFBIG where the format ends, Corrupt where the refcounts call metadata free.
   */
  *allocate(count: number, fewer = false): Io<HostRun> {
    let first = this.#hint;
    let found = 0;
    let passed = false;
    scan: for (let cluster = first; found < count; ) {
      const index = Math.floor(cluster / this.perBlock);
      const block = this.#blocks.get(index) ?? (yield* this.#block(index));
      if (block === undefined) {
        if (found > 0 && fewer) break;
        if (found > 0) passed = true;
        this.#newBlock(index, cluster);
        first = ++cluster;
        found = 0;
        continue;
      }
      const start = index * this.perBlock;
      for (; cluster < start + this.perBlock && found < count; cluster++) {
        if (getRefcount(block.view, cluster - start, this.#order) === 0 && this.#withheld?.has(cluster) !== true) found++;
        else {
          if (found > 0 && fewer) break scan;
          if (found > 0) passed = true;
          first = cluster + 1;
          found = 0;
        }
      }
    }
    if ((first + found) * this.clusterSize > MAX_OFFSET) throw new Posix('EFBIG', this.#where, 'the image file would become too large');
    this.#refuseMetadata(first, found);
    for (let i = 0; i < found; i++) yield* this.#set(first + i, 1);
    // Holes that were too small stay in view.
    if (!passed) this.#hint = first + found;
    return { first, count: found };
  }

  #refuseMetadata(first: number, count: number): void {
    this.#places.check(first * this.clusterSize, count * this.clusterSize);
  }

  /** Adds references. Throws Refused when the refcount cannot hold them. */
  *increase(cluster: number, by: number): Io<void> {
    const index = Math.floor(cluster / this.perBlock);
    const block = yield* this.#block(index);
    const now = block === undefined ? 0 : getRefcount(block.view, cluster - index * this.perBlock, this.#order);
    if (now === 0) throw new Corrupt(`cluster ${cluster} is in use but has no refcount; check and repair the image first`, this.#where);
    if (now + by > this.maxRefcount) {
      throw new Refused(`refcounts of ${2 ** this.#order} bits cannot hold ${now + by} references to one cluster`, this.#where);
    }
    yield* this.#set(cluster, now + by);
  }

  /** Takes a reference away, as soon as the file no longer has it. */
  free(cluster: number, count = 1): void {
    this.#frees.set(cluster, (this.#frees.get(cluster) ?? 0) + count);
  }

  /** The same for every cluster that a range touches. */
  freeRange(offset: number, length: number): void {
    if (length === 0) return;
    const last = Math.floor((offset + length - 1) / this.clusterSize);
    for (let cluster = Math.floor(offset / this.clusterSize); cluster <= last; cluster++) this.free(cluster);
  }

  /** Gives back clusters of which the file never knew. */
  *undo(run: HostRun): Io<void> {
    for (let i = 0; i < run.count; i++) yield* this.decrease(run.first + i, 1);
  }

  /** Takes references away at once. One that is not counted is no worse afterwards. */
  *decrease(cluster: number, by: number): Io<void> {
    const index = Math.floor(cluster / this.perBlock);
    const block = yield* this.#block(index);
    if (block === undefined) return;
    const now = getRefcount(block.view, cluster - index * this.perBlock, this.#order);
    yield* this.#set(cluster, Math.max(0, now - by));
    if (now > by) return;
    this.#withheld?.add(cluster);
    if (cluster >= this.#floor) this.#hint = Math.min(this.#hint, cluster);
  }

  /** Sets a refcount; for repairs. */
  *set(cluster: number, value: number): Io<void> {
    yield* this.#set(cluster, value);
    if (value === 0 && cluster >= this.#floor) this.#hint = Math.min(this.#hint, cluster);
  }

  /** Counts what was given back. */
  *applyFrees(): Io<void> {
    const frees = [...this.#frees];
    this.#frees.clear();
    for (const [cluster, count] of frees) yield* this.decrease(cluster, count);
  }

  /** Gives the refcount table a place if it has outgrown its old one. */
  *placeTable(): Io<void> {
    while (this.tableMoved) {
      this.tableMoved = false;
      const old = this.table.offset;
      const size = this.table.bytes.length;
      const run = yield* this.allocate(size / this.clusterSize);
      if (this.tableMoved) {
        // It grew again to count its own clusters.
        yield* this.undo(run);
        continue;
      }
      if (this.#oldLength > 0) {
        this.freeRange(old, this.#oldLength);
        this.#places.remove(old, this.#oldLength);
      }
      this.table = new Table(run.first * this.clusterSize, this.table.bytes, true);
      this.#places.add(this.table.offset, size, 'refcount table');
      this.#oldLength = 0;
    }
  }

  /** Bytes of the table that the file has now, while it moves. */
  #oldLength = 0;

  /** Makes the table stand in another place, of which the header has to be told. */
  moveTable(): void {
    if (this.tableMoved || this.table.fresh) return;
    this.#oldLength = this.table.bytes.length;
    this.tableMoved = true;
  }

  /** Gives a block another place. */
  *moveBlock(index: number, block: Table): Io<void> {
    const { first } = yield* this.allocate(1);
    const old = block.offset;
    block.offset = first * this.clusterSize;
    block.fresh = true;
    block.markAll();
    this.#setEntry(index, block.offset);
    this.#places.remove(old, this.clusterSize);
    this.#places.add(block.offset, this.clusterSize, 'refcount block');
    yield* this.decrease(old / this.clusterSize, 1);
  }

  #setEntry(index: number, offset: number): void {
    this.table.set(index * 8, Math.floor(offset / 2 ** 32), offset % 2 ** 32);
  }

  /** A block for a range that has none, in the free cluster `cluster` of this very range: it counts itself. */
  #newBlock(index: number, cluster: number): void {
    if (cluster === 0) throw new Corrupt('the header has no refcount; check and repair the image first', this.#where);
    if ((index + 1) * 8 > this.table.bytes.length) this.#grow(index + 1);
    this.#refuseMetadata(cluster, 1);
    const block = new Table(cluster * this.clusterSize, new Uint8Array(this.clusterSize), true);
    setRefcount(block.view, cluster - index * this.perBlock, this.#order, 1);
    this.#blocks.set(index, block);
    this.#setEntry(index, block.offset);
    this.#places.add(block.offset, this.clusterSize, 'refcount block');
  }

  #grow(entries: number): void {
    const wanted = Math.max(entries * 8, this.table.bytes.length * 1.5);
    const size = Math.min(
      Math.ceil(wanted / this.clusterSize) * this.clusterSize,
      Math.floor(format.MAX_REFCOUNT_TABLE_BYTES / this.clusterSize) * this.clusterSize,
    );
    if (entries * 8 > size) throw new Posix('EFBIG', this.#where, 'the refcount table cannot grow any further');
    const bytes = new Uint8Array(size);
    bytes.set(this.table.bytes);
    if (this.table.fresh && !this.tableMoved) {
      // Placed but not yet in the file: give that place back.
      this.freeRange(this.table.offset, this.table.bytes.length);
      this.#places.remove(this.table.offset, this.table.bytes.length);
      this.tableMoved = true;
    } else this.moveTable();
    this.table = new Table(this.table.offset, bytes, this.table.fresh);
    this.table.markAll();
  }

  *#set(cluster: number, value: number): Io<void> {
    const index = Math.floor(cluster / this.perBlock);
    const block = this.#blocks.get(index) ?? (yield* this.#block(index));
    if (block === undefined) throw new Corrupt(`cluster ${cluster} has no refcount block`, this.#where);
    const within = cluster - index * this.perBlock;
    setRefcount(block.view, within, this.#order, value);
    const bits = 2 ** this.#order;
    block.mark(Math.floor((within * bits) / 8), Math.max(1, bits / 8));
  }

  *#block(index: number): Io<Table | undefined> {
    const known = this.#blocks.get(index);
    if (known !== undefined) return known;
    if ((index + 1) * 8 > this.table.bytes.length) return undefined;
    const offset = this.table.number(index * 8);
    if (offset === 0) return undefined;
    const bytes = new Uint8Array(this.clusterSize);
    yield* readPadded(this.#source, offset, bytes);
    const block = new Table(offset, bytes);
    this.#blocks.set(index, block);
    return block;
  }
}
