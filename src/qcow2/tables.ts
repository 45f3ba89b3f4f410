/** From guest offsets to host offsets: the walk through L1 and L2 tables, joined to runs as long as possible. */
import { Corrupt, type Where } from '../errors.ts';
import type { CachedDevice, Page } from '../io/cache.ts';
import type { Io } from '../io/effect.ts';
import { COMPRESSED_CLUSTER, clusterType, entryOffset, NORMAL, UNALLOCATED, ZERO_ALLOCATED, ZERO_PLAIN } from './entries.ts';
import { SUBCLUSTERS } from './format.ts';
import { bytesPerL2Table, type Header } from './header.ts';

/** A run of guest bytes that are stored in one way. */
export interface Run {
  readonly kind: 'unallocated' | 'zero' | 'data' | 'compressed';
  /** Bytes. */
  readonly length: number;
  /** Where the first byte stands, or would stand: absent where no cluster is allocated, and for compressed runs. */
  readonly host?: number;
}

/** One L2 entry as it stands in the table. */
export interface L2Entry {
  readonly high: number;
  readonly low: number;
}

/** A table of clusters: the active one or that of a snapshot. */
export interface L1Table {
  readonly l1Offset: number;
  readonly l1Entries: number;
}

/** Entries that one call looks at before it gives back what it has: a bound on time, not on what can be read. */
const MAX_ENTRIES_PER_RUN = 1 << 20;

/** The run that grows while tables are scanned. */
class Accumulator {
  kind: Run['kind'] = 'unallocated';
  host: number | undefined;
  length = 0;
  readonly limit: number;

  constructor(limit: number) {
    this.limit = limit;
  }

  /** Whether the piece continues the run; if so it is added. */
  add(kind: Run['kind'], host: number | undefined, length: number): boolean {
    if (this.length === 0) {
      this.kind = kind;
      this.host = host;
    } else if (kind !== this.kind || (this.host === undefined ? host !== undefined : host !== this.host + this.length)) return false;
    this.length = Math.min(this.limit, this.length + length);
    return true;
  }
}

export class ClusterTables {
  readonly #header: Header;
  readonly #l1: L1Table;
  readonly #cache: CachedDevice;
  readonly #where: Where;
  readonly #perTable: number;
  readonly #entrySize: number;

  constructor(header: Header, l1: L1Table, cache: CachedDevice, where: Where) {
    this.#header = header;
    this.#l1 = l1;
    this.#cache = cache;
    this.#where = where;
    this.#perTable = bytesPerL2Table(header);
    this.#entrySize = header.extendedL2 ? 16 : 8;
  }

  /** The run that begins at guest offset `offset`, at most `length` bytes. Throws Corrupt where an entry contradicts the format. */
  *run(offset: number, length: number): Io<Run> {
    const run = new Accumulator(length);
    try {
      yield* this.#scan(offset, run);
    } catch (error) {
      // What stands before a damaged entry can still be read.
      if (run.length === 0 || !(error instanceof Corrupt)) throw error;
    }
    return { kind: run.kind, length: run.length, ...(run.host === undefined ? {} : { host: run.host }) };
  }

  /** The L2 entry of the cluster at guest offset `offset`; zeros where there is no table. */
  *entry(offset: number): Io<L2Entry> {
    const l2 = yield* this.#l2Offset(Math.floor(offset / this.#perTable));
    if (l2 === 0) return { high: 0, low: 0 };
    const at = l2 + Math.floor((offset % this.#perTable) / this.#header.clusterSize) * this.#entrySize;
    const index = Math.floor(at / this.#cache.pageSize);
    const page = this.#cache.peek(index) ?? (yield* this.#cache.page(index));
    const within = at - index * this.#cache.pageSize;
    return { high: page.view.getUint32(within), low: page.view.getUint32(within + 4) };
  }

  *#l2Offset(index: number): Io<number> {
    if (index >= this.#l1.l1Entries) return 0;
    const at = this.#l1.l1Offset + index * 8;
    const number = Math.floor(at / this.#cache.pageSize);
    const page = this.#cache.peek(number) ?? (yield* this.#cache.page(number));
    const within = at - number * this.#cache.pageSize;
    const l2 = entryOffset(page.view.getUint32(within), page.view.getUint32(within + 4));
    if (l2 % this.#header.clusterSize !== 0) {
      throw new Corrupt(`L2 table ${index} at ${l2} does not begin at a cluster`, { ...this.#where, offset: at });
    }
    return l2;
  }

  *#scan(start: number, run: Accumulator): Io<void> {
    const { pageSize } = this.#cache;
    let entries = 0;
    while (run.length < run.limit && entries < MAX_ENTRIES_PER_RUN) {
      const guest = start + run.length;
      const l1Index = Math.floor(guest / this.#perTable);
      const l2 = yield* this.#l2Offset(l1Index);
      const intoTable = guest - l1Index * this.#perTable;
      if (l2 === 0) {
        entries++;
        if (!run.add('unallocated', undefined, this.#perTable - intoTable)) return;
        continue;
      }
      const l2Index = Math.floor(intoTable / this.#header.clusterSize);
      const at = l2 + l2Index * this.#entrySize;
      const number = Math.floor(at / pageSize);
      const page = this.#cache.peek(number) ?? (yield* this.#cache.page(number));
      const within = at - number * pageSize;
      const count = Math.min(this.#perTable / this.#header.clusterSize - l2Index, (pageSize - within) / this.#entrySize);
      entries += count;
      const whole = this.#header.extendedL2
        ? this.#scanExtended(page, within, count, guest, run)
        : this.#scanStandard(page, within, count, guest, run);
      if (!whole) return;
    }
  }

  /** Adds `count` entries from one page; false when the run ends within them. */
  #scanStandard(page: Page, within: number, count: number, start: number, run: Accumulator): boolean {
    const { clusterSize, version, dataFile } = this.#header;
    const { view } = page;
    const external = dataFile !== undefined;
    let guest = start;
    for (let i = 0; i < count && run.length < run.limit; i++) {
      const high = view.getUint32(within + 8 * i);
      const low = view.getUint32(within + 8 * i + 4);
      const intoCluster = guest % clusterSize;
      const length = clusterSize - intoCluster;
      const type = clusterType(high, low, true, external);
      let added: boolean;
      if (type === UNALLOCATED) added = run.add('unallocated', undefined, length);
      else if (type === COMPRESSED_CLUSTER) added = this.#addCompressed(guest, length, run);
      else {
        if (type !== NORMAL && version === 2) throw this.#damage(guest, 'a zero cluster, which version 2 does not have');
        if (type === ZERO_PLAIN) added = run.add('zero', undefined, length);
        else {
          const host = this.#host(high, low, guest - intoCluster);
          added = run.add(type === ZERO_ALLOCATED ? 'zero' : 'data', host + intoCluster, length);
        }
      }
      if (!added) return false;
      guest += length;
    }
    return true;
  }

  /** The same for extended L2 entries, which tell 32 subclusters apart (qcow2.rst, "Extended L2 Entries"). */
  #scanExtended(page: Page, within: number, count: number, start: number, run: Accumulator): boolean {
    const { clusterSize, dataFile } = this.#header;
    const { view } = page;
    const subclusterSize = clusterSize / SUBCLUSTERS;
    let guest = start;
    for (let i = 0; i < count && run.length < run.limit; i++) {
      const at = within + 16 * i;
      const high = view.getUint32(at);
      const low = view.getUint32(at + 4);
      const zeros = view.getUint32(at + 8);
      const allocated = view.getUint32(at + 12);
      const type = clusterType(high, low, false, dataFile !== undefined);
      const clusterStart = guest - (guest % clusterSize);
      if (type === COMPRESSED_CLUSTER) {
        if (zeros !== 0 || allocated !== 0) throw this.#damage(guest, 'a compressed cluster with subclusters');
        if (!this.#addCompressed(guest, clusterStart + clusterSize - guest, run)) return false;
        guest = clusterStart + clusterSize;
        continue;
      }
      if ((zeros & allocated) !== 0) throw this.#damage(guest, 'a subcluster that is both allocated and zero');
      if (type === UNALLOCATED && allocated !== 0) throw this.#damage(guest, 'an allocated subcluster without cluster');
      const host = type === UNALLOCATED ? undefined : this.#host(high, low, clusterStart);
      for (let k = Math.floor((guest - clusterStart) / subclusterSize); k < SUBCLUSTERS && run.length < run.limit; k++) {
        const kind = (allocated >>> k) & 1 ? 'data' : (zeros >>> k) & 1 ? 'zero' : 'unallocated';
        const end = clusterStart + (k + 1) * subclusterSize;
        if (!run.add(kind, host === undefined ? undefined : host + (guest - clusterStart), end - guest)) return false;
        guest = end;
      }
    }
    return true;
  }

  #addCompressed(guest: number, length: number, run: Accumulator): boolean {
    if (this.#header.dataFile !== undefined) throw this.#damage(guest, 'a compressed cluster, which an image with a data file cannot have');
    return run.add('compressed', undefined, length);
  }

  #host(high: number, low: number, clusterStart: number): number {
    const { clusterSize, dataFile } = this.#header;
    const host = entryOffset(high, low);
    if (host % clusterSize !== 0) throw this.#damage(clusterStart, `a cluster at ${host}, which is no cluster boundary,`);
    if (dataFile !== undefined && host !== clusterStart) throw this.#damage(clusterStart, `offset ${host} in the data file`);
    return host;
  }

  #damage(guest: number, what: string): Corrupt {
    return new Corrupt(`the L2 entry of guest offset ${guest} gives ${what} and is damaged`, this.#where);
  }
}
