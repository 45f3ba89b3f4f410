/** The file allocation table, read page by page as it is asked for, and the chains of clusters in it. */
import { type Bytes, viewOf } from '../bytes/struct.ts';
import { Corrupt } from '../errors.ts';
import type { CachedDevice } from '../io/cache.ts';
import type { BlockDevice } from '../io/device.ts';
import type { Io } from '../io/effect.ts';
import type { Geometry } from './bpb.ts';
import { FIRST_CLUSTER } from './format.ts';

/** What an entry of a used cluster says: the next cluster, or this. */
export const END_OF_CHAIN = -1;
/** Bytes of the table that a scan takes at a time. */
const SCAN_CHUNK = 256 * 1024;

/** Adjacent clusters that follow each other in a chain; `index` is the place of the first one in its chain. */
export interface ClusterRun {
  readonly index: number;
  readonly cluster: number;
  readonly count: number;
}

/** A part of the table in memory: the entries of the clusters `first` to `last`. */
export interface TableWindow {
  readonly first: number;
  readonly last: number;
  readonly view: DataView;
  /** Byte in `view` where the entry of cluster `first` begins; its low half for FAT12. */
  readonly at: number;
}

/** The entry of a cluster as it stands in a window: 12, 16 or 28 bits. */
export function entryIn(bits: number, window: TableWindow, cluster: number): number {
  const { view, at, first } = window;
  if (bits === 32) return view.getUint32(at + (cluster - first) * 4, true) & 0x0fff_ffff;
  if (bits === 16) return view.getUint16(at + (cluster - first) * 2, true);
  const pair = view.getUint16(at + Math.floor((cluster * 3) / 2), true);
  return (cluster & 1) === 0 ? pair & 0xfff : pair >> 4;
}

/** The largest value of an entry; from `mask - 8` on it is a bad cluster's mark or an end of chain. */
export function entryMask(bits: number): number {
  return bits === 32 ? 0x0fff_ffff : bits === 16 ? 0xffff : 0xfff;
}

export class FatTable {
  readonly geometry: Geometry;
  readonly #cache: CachedDevice<BlockDevice>;
  readonly #start: number;
  readonly #mask: number;

  constructor(cache: CachedDevice<BlockDevice>, geometry: Geometry) {
    this.#cache = cache;
    this.geometry = geometry;
    this.#start = geometry.fatOffset + geometry.activeFat * geometry.fatLength;
    this.#mask = entryMask(geometry.bits);
  }

  /** Entries changed by the writer and not yet written; they go before what the device says. */
  protected pending(_cluster: number): number | undefined {
    return undefined;
  }

  /** The part of the table around a cluster: a page of the cache, or all of a FAT12. */
  protected *window(cluster: number): Io<TableWindow> {
    const { bits, lastCluster, fatLength } = this.geometry;
    if (bits === 12) {
      const length = Math.min(fatLength, Math.floor((lastCluster * 3) / 2) + 2);
      const bytes = yield* this.#cache.read(this.#start, length);
      return { first: 0, last: lastCluster, view: viewOf(bytes), at: 0 };
    }
    const width = bits / 8;
    const { pageSize } = this.#cache;
    const index = Math.floor((this.#start + cluster * width) / pageSize);
    const page = this.#cache.peek(index) ?? (yield* this.#cache.page(index));
    const begin = Math.max(0, index * pageSize - this.#start);
    const end = index * pageSize + page.bytes.length - this.#start;
    const first = begin / width;
    return {
      first,
      last: Math.min(lastCluster, Math.floor(end / width) - 1),
      view: page.view,
      at: this.#start + begin - index * pageSize,
    };
  }

  /** The raw entry of a cluster, without FAT32's top four bits. */
  *entry(cluster: number): Io<number> {
    const pending = this.pending(cluster);
    if (pending !== undefined) return pending;
    return entryIn(this.geometry.bits, yield* this.window(cluster), cluster);
  }

  /** Throws Corrupt unless the number is one of a cluster. */
  checkCluster(cluster: number, what: string): void {
    if (cluster < FIRST_CLUSTER || cluster > this.geometry.lastCluster) {
      throw new Corrupt(`${what} is cluster ${cluster}, outside of 2..${this.geometry.lastCluster}`, { layer: 'vfat' });
    }
  }

  /** The link of a used cluster: the next cluster or {@link END_OF_CHAIN}. As in Linux a bad cluster's mark ends a chain. */
  link(cluster: number, entry: number): number {
    if (entry >= this.#mask - 8) return END_OF_CHAIN;
    if (entry < FIRST_CLUSTER || entry > this.geometry.lastCluster) {
      const state = entry === 0 ? 'is marked free' : `points to ${entry}, outside of 2..${this.geometry.lastCluster}`;
      throw new Corrupt(`the cluster chain breaks: cluster ${cluster} ${state}; run fsck.vfat`, { layer: 'vfat' });
    }
    return entry;
  }

  /**
   * Follows a chain as long as its clusters are adjacent, from `cluster`, for at most `limit` clusters.
   * Gives the number of clusters and the link after the last.
   */
  *follow(cluster: number, limit: number): Io<{ readonly count: number; readonly next: number }> {
    const { bits } = this.geometry;
    let at = cluster;
    let count = 1;
    let next = this.link(at, yield* this.entry(at));
    while (next === at + 1 && count < limit) {
      const window = yield* this.window(next);
      // The hot loop: one page of the table without leaving plain code.
      while (next === at + 1 && next <= window.last && count < limit) {
        at = next;
        count++;
        next = this.link(at, this.pending(at) ?? entryIn(bits, window, at));
      }
    }
    return { count, next };
  }

  /** Calls `visit` for each part of the table in turn, from the beginning; streams past the page cache. `visit` ends the scan by true. */
  *scan(visit: (window: TableWindow) => boolean): Io<void> {
    const { bits, lastCluster } = this.geometry;
    if (bits === 12) {
      visit(yield* this.window(FIRST_CLUSTER));
      return;
    }
    const width = bits / 8;
    const chunk: Bytes = new Uint8Array(Math.min(SCAN_CHUNK, (lastCluster + 1) * width));
    const perChunk = chunk.length / width;
    for (let first = 0; first <= lastCluster; first += perChunk) {
      const count = Math.min(perChunk, lastCluster + 1 - first);
      const part = chunk.subarray(0, count * width);
      yield* this.#cache.device.readInto(this.#start + first * width, part);
      if (visit({ first, last: first + count - 1, view: viewOf(part), at: 0 })) return;
    }
  }

  /** Counts the free clusters by reading the whole table. */
  *countFree(): Io<number> {
    const { bits } = this.geometry;
    let free = 0;
    yield* this.scan((window) => {
      for (let cluster = Math.max(FIRST_CLUSTER, window.first); cluster <= window.last; cluster++) {
        if (entryIn(bits, window, cluster) === 0) free++;
      }
      return false;
    });
    return free;
  }
}
