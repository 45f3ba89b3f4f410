/**
 * An L2 entry taken apart into what can be written one by one: its subclusters, of which a standard entry has a single one.
 */
import type { Where } from '../errors.ts';
import { Corrupt } from '../errors.ts';
import { COMPRESSED_CLUSTER, COPIED, clusterType, entryOffset, NORMAL, UNALLOCATED, ZERO, ZERO_ALLOCATED, ZERO_PLAIN } from './entries.ts';
import { SUBCLUSTERS } from './format.ts';
import type { Header } from './header.ts';
import type { Table } from './table.ts';

export interface ClusterEntry {
  readonly compressed: boolean;
  /** Where the cluster stands; -1 without one, and for compressed ones. */
  readonly host: number;
  /** There is no other reference to it. */
  readonly copied: boolean;
  /** One bit for each subcluster whose bytes are stored. */
  readonly allocated: number;
  /** One bit for each subcluster that is zeros. */
  readonly zeros: number;
  readonly high: number;
  readonly low: number;
}

/** How entries of one image look. */
export class EntryShape {
  /** Bytes of an entry. */
  readonly entrySize: 8 | 16;
  /** Subclusters of a cluster. */
  readonly count: number;
  /** All of them as bits. */
  readonly all: number;
  readonly subclusterSize: number;
  readonly entriesPerTable: number;
  /** Guest bytes that one table describes. */
  readonly bytesPerTable: number;
  readonly #clusterSize: number;
  readonly #external: boolean;
  readonly #version: 2 | 3;
  readonly #where: Where;

  constructor(header: Header, where: Where) {
    this.entrySize = header.extendedL2 ? 16 : 8;
    this.count = header.extendedL2 ? SUBCLUSTERS : 1;
    this.all = header.extendedL2 ? 0xffffffff : 1;
    this.#clusterSize = header.clusterSize;
    this.subclusterSize = header.clusterSize / this.count;
    this.entriesPerTable = header.clusterSize / this.entrySize;
    this.bytesPerTable = header.clusterSize * this.entriesPerTable;
    this.#external = header.dataFile !== undefined;
    this.#version = header.version;
    this.#where = where;
  }

  /** The entry at `index`. Throws Corrupt where it contradicts the format; `guest` is the cluster's offset on the disk. */
  decode(table: Table, index: number, guest: number): ClusterEntry {
    const at = index * this.entrySize;
    const high = table.view.getUint32(at);
    const low = table.view.getUint32(at + 4);
    const extended = this.entrySize === 16;
    const zeros = extended ? table.view.getUint32(at + 8) : 0;
    const allocated = extended ? table.view.getUint32(at + 12) : 0;
    const type = clusterType(high, low, !extended, this.#external);
    const copied = (high & COPIED) !== 0;
    if (type === COMPRESSED_CLUSTER) {
      if (this.#external || zeros !== 0 || allocated !== 0) throw this.#damage(guest);
      return { compressed: true, host: -1, copied: false, allocated: this.all, zeros: 0, high, low };
    }
    const stored = type === NORMAL || type === ZERO_ALLOCATED;
    const host = stored ? entryOffset(high, low) : -1;
    if (stored && (host % this.#clusterSize !== 0 || (this.#external && host !== guest))) throw this.#damage(guest);
    if (extended) {
      if ((zeros & allocated) !== 0 || (type === UNALLOCATED && allocated !== 0)) throw this.#damage(guest);
      return { compressed: false, host, copied, allocated, zeros, high, low };
    }
    const zero = type === ZERO_ALLOCATED || type === ZERO_PLAIN;
    if (zero && this.#version === 2) throw this.#damage(guest);
    return { compressed: false, host, copied, allocated: type === NORMAL ? 1 : 0, zeros: zero ? 1 : 0, high, low };
  }

  /** Sets the entry at `index`; `host` is -1 for no cluster. */
  encode(table: Table, index: number, host: number, copied: boolean, allocated: number, zeros: number): void {
    const at = index * this.entrySize;
    const high = host < 0 ? 0 : (Math.floor(host / 2 ** 32) | (copied ? COPIED : 0)) >>> 0;
    const low = host < 0 ? 0 : host % 2 ** 32;
    if (this.entrySize === 16) {
      table.set(at, high, low);
      table.set(at + 8, zeros >>> 0, allocated >>> 0);
    } else table.set(at, high, low + (zeros === 0 ? 0 : ZERO));
  }

  /** Sets the two halves of an entry as they are. */
  encodeRaw(table: Table, index: number, high: number, low: number): void {
    const at = index * this.entrySize;
    table.set(at, high, low);
    if (this.entrySize === 16) table.set(at + 8, 0, 0);
  }

  /** Bits of the subclusters from number `first` up to, not including, `end`. */
  mask(first: number, end: number): number {
    if (first >= end) return 0;
    const upTo = (count: number): number => (count >= 32 ? 0xffffffff : 2 ** count - 1);
    return (upTo(end) & ~upTo(first)) >>> 0;
  }

  #damage(guest: number): Corrupt {
    return new Corrupt(`the L2 entry of guest offset ${guest} is damaged; check and repair the image first`, this.#where);
  }
}
