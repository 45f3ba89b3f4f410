/** Refcounts: how many references each host cluster has (qcow2.rst, "Host cluster management"). */
import type { Bytes } from '../bytes/struct.ts';
import { viewOf } from '../bytes/struct.ts';
import type { CachedDevice } from '../io/cache.ts';
import type { Io } from '../io/effect.ts';
import type { Header } from './header.ts';

/** Bits 0 to 8 of a refcount table entry are reserved; all others are the offset of a block. */
const BLOCK_OFFSET_LOW = 0xfffffe00;
export const TABLE_RESERVED_LOW = 0x1ff;

/** Refcounts in one refcount block. */
export function refcountsPerBlock(header: Pick<Header, 'clusterSize' | 'refcountOrder'>): number {
  return (header.clusterSize * 8) / 2 ** header.refcountOrder;
}

/** The largest refcount that fits; for 64 bits the nearest number. */
export function maxRefcount(refcountOrder: number): number {
  return 2 ** (2 ** refcountOrder) - 1;
}

/** The refcount with this index in a block of `2 ** refcountOrder` bits each. Narrow ones fill a byte from its lowest bit. */
export function getRefcount(view: DataView, index: number, refcountOrder: number): number {
  switch (refcountOrder) {
    case 3:
      return view.getUint8(index);
    case 4:
      return view.getUint16(index * 2);
    case 5:
      return view.getUint32(index * 4);
    case 6:
      return view.getUint32(index * 8) * 2 ** 32 + view.getUint32(index * 8 + 4);
    default: {
      const bits = 1 << refcountOrder;
      return (view.getUint8(Math.floor((index * bits) / 8)) >> ((index * bits) % 8)) & ((1 << bits) - 1);
    }
  }
}

/** Sets the refcount with this index in a block. */
export function setRefcount(view: DataView, index: number, refcountOrder: number, value: number): void {
  switch (refcountOrder) {
    case 3:
      view.setUint8(index, value);
      break;
    case 4:
      view.setUint16(index * 2, value);
      break;
    case 5:
      view.setUint32(index * 4, value);
      break;
    case 6:
      view.setUint32(index * 8, Math.floor(value / 2 ** 32));
      view.setUint32(index * 8 + 4, value % 2 ** 32);
      break;
    default: {
      const bits = 1 << refcountOrder;
      const at = Math.floor((index * bits) / 8);
      const shift = (index * bits) % 8;
      const mask = ((1 << bits) - 1) << shift;
      view.setUint8(at, (view.getUint8(at) & ~mask) | ((value << shift) & mask));
    }
  }
}

/** An entry of the refcount table: where a block stands (0: no block, all its refcounts are 0). */
export interface RefcountBlock {
  /** Which entry of the table. */
  readonly index: number;
  /** Multiple of 512, possibly beyond 2^53 (inexact then). */
  readonly offset: number;
  readonly reserved: boolean;
}

/** Reads refcounts through the page cache of the file's tables. */
export class Refcounts {
  readonly #header: Header;
  readonly #cache: CachedDevice;
  readonly #perBlock: number;

  constructor(header: Header, cache: CachedDevice) {
    this.#header = header;
    this.#cache = cache;
    this.#perBlock = refcountsPerBlock(header);
  }

  /** Entries in the refcount table. */
  get tableEntries(): number {
    return (this.#header.refcountTableClusters * this.#header.clusterSize) / 8;
  }

  /** The entries of the table that are not 0. */
  *blocks(): Io<RefcountBlock[]> {
    const blocks: RefcountBlock[] = [];
    const pageSize = this.#cache.pageSize;
    for (let entry = 0; entry < this.tableEntries; ) {
      const at = this.#header.refcountTableOffset + entry * 8;
      const index = Math.floor(at / pageSize);
      const page = this.#cache.peek(index) ?? (yield* this.#cache.page(index));
      let within = at - index * pageSize;
      for (; within < pageSize && entry < this.tableEntries; within += 8, entry++) {
        const high = page.view.getUint32(within);
        const low = page.view.getUint32(within + 4);
        if (high !== 0 || low !== 0) blocks.push(tableEntry(entry, high, low));
      }
    }
    return blocks;
  }

  /** The refcount of a host cluster; undefined when its block does not begin at a cluster. */
  *get(cluster: number): Io<number | undefined> {
    const entry = Math.floor(cluster / this.#perBlock);
    if (entry >= this.tableEntries) return 0;
    const pageSize = this.#cache.pageSize;
    const at = this.#header.refcountTableOffset + entry * 8;
    const tableIndex = Math.floor(at / pageSize);
    const tablePage = this.#cache.peek(tableIndex) ?? (yield* this.#cache.page(tableIndex));
    const within = at - tableIndex * pageSize;
    const { offset } = tableEntry(entry, tablePage.view.getUint32(within), tablePage.view.getUint32(within + 4));
    if (offset === 0) return 0;
    if (offset % this.#header.clusterSize !== 0 || offset > Number.MAX_SAFE_INTEGER - this.#header.clusterSize) return undefined;
    const bits = (cluster % this.#perBlock) * 2 ** this.#header.refcountOrder;
    const byte = offset + Math.floor(bits / 8);
    const index = Math.floor(byte / pageSize);
    const page = this.#cache.peek(index) ?? (yield* this.#cache.page(index));
    // Refcounts do not cross pages; count from the page's first one.
    const first = (byte - index * pageSize) * 8 + (bits % 8);
    return getRefcount(page.view, first / 2 ** this.#header.refcountOrder, this.#header.refcountOrder);
  }

  /** The bytes of a block. */
  *block(offset: number): Io<Bytes> {
    return yield* this.#cache.device.read(offset, this.#header.clusterSize);
  }
}

function tableEntry(index: number, high: number, low: number): RefcountBlock {
  return { index, offset: high * 2 ** 32 + ((low & BLOCK_OFFSET_LOW) >>> 0), reserved: (low & TABLE_RESERVED_LOW) !== 0 };
}

/** The refcounts of a block as numbers. */
export function decodeRefcountBlock(block: Bytes, refcountOrder: number): Float64Array {
  const count = (block.length * 8) / 2 ** refcountOrder;
  const view = viewOf(block);
  const refcounts = new Float64Array(count);
  for (let i = 0; i < count; i++) refcounts[i] = getRefcount(view, i, refcountOrder);
  return refcounts;
}
