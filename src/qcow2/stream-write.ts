/**
 * Writing a new qcow2 file in one pass, for disks that are copied from their beginning to their end.
 *
 * Data clusters follow each other as they come; each L2 table stands behind the clusters that it maps, and the L1 table and the
 * refcounts stand at the end. The header is written last, so a file that is cut short is not a qcow2 image.
 */
import { type Bytes, viewOf } from '../bytes/struct.ts';
import { Refused } from '../errors.ts';
import { type Io, perform } from '../io/effect.ts';
import { Truncate, type WritableSource, Write } from '../io/source.ts';
import { COPIED, encodeCompressedRange } from './entries.ts';
import * as format from './format.ts';
import { bytesPerL2Table } from './header.ts';
import { maxRefcount, refcountsPerBlock, setRefcount } from './refcounts.ts';

/** The layout of a new file. */
export interface StreamLayout {
  readonly version: 2 | 3;
  readonly clusterBits: number;
  /** log2 of the bits of a refcount; 4 in version 2. */
  readonly refcountOrder: number;
  /** What compressed clusters are compressed with; zstd needs version 3. */
  readonly compression: 'zlib' | 'zstd';
  readonly lazyRefcounts: boolean;
}

/** What `qemu-img` makes when it is told nothing: version 3, clusters of 64 KiB, refcounts of 16 bits. */
export const DEFAULT_LAYOUT: StreamLayout = { version: 3, clusterBits: 16, refcountOrder: 4, compression: 'zlib', lazyRefcounts: false };

/** Version 3 with its compression type. */
const HEADER_LENGTH = 112;
/** Tables at the end are written in pieces of this many bytes. */
const PIECE: number = 1 << 20;

/** References to host clusters; all are 1 until compressed clusters share one. */
class Counts {
  #counts: Uint16Array | undefined;

  /** Adds to a cluster's count beyond the one that it has from being there. */
  share(cluster: number): void {
    if (this.#counts === undefined || cluster >= this.#counts.length) {
      const grown = new Uint16Array(Math.max(4096, cluster * 2));
      if (this.#counts !== undefined) grown.set(this.#counts);
      this.#counts = grown;
    }
    this.#counts[cluster] = (this.#counts[cluster] ?? 0) + 1;
  }

  get(cluster: number): number {
    return 1 + (this.#counts?.[cluster] ?? 0);
  }
}

/**
 * Writes a disk of `size` bytes into an empty file. Clusters are given in ascending order; those that are not given read as zeros.
 * The target must be writable anywhere (no pipe).
 */
export class Qcow2StreamWriter {
  readonly clusterSize: number;
  readonly #target: WritableSource;
  readonly #layout: StreamLayout;
  readonly #size: number;
  readonly #perTable: number;
  readonly #l1: Bytes;
  readonly #l1View: DataView;
  readonly #l2: Bytes;
  readonly #l2View: DataView;
  /** The L1 entry whose table is being filled; -1 while there is none. */
  #table = -1;
  /** Clusters of the file that are taken. */
  #clusters = 1;
  /** Where the next compressed cluster may begin, inside of the last cluster of their kind; 0 when there is none. */
  #packed = 0;
  readonly #counts = new Counts();

  /** Throws Refused when a disk of this size has no room in such a file. */
  constructor(target: WritableSource, size: number, layout: StreamLayout = DEFAULT_LAYOUT) {
    this.clusterSize = 2 ** layout.clusterBits;
    this.#target = target;
    this.#layout = layout;
    this.#size = size;
    this.#perTable = bytesPerL2Table({ clusterSize: this.clusterSize, extendedL2: false });
    const entries = Math.ceil(size / this.#perTable);
    if (entries * 8 > format.MAX_L1_BYTES) {
      throw new Refused(
        `a disk of ${size} bytes is too large for qcow2 with clusters of ${this.clusterSize} bytes; choose larger clusters`,
        {
          image: target.name,
        },
      );
    }
    this.#l1 = new Uint8Array(Math.ceil((entries * 8) / this.clusterSize) * this.clusterSize);
    this.#l1View = viewOf(this.#l1);
    this.#l2 = new Uint8Array(this.clusterSize);
    this.#l2View = viewOf(this.#l2);
  }

  /** Stores whole clusters (the last one of the disk may be cut) at the guest offset `offset`, which begins a cluster. */
  *write(offset: number, bytes: Bytes): Io<void> {
    for (let done = 0; done < bytes.length; ) {
      yield* this.#enter(offset + done);
      const length = Math.min(bytes.length - done, this.#perTable - ((offset + done) % this.#perTable));
      const count = Math.ceil(length / this.clusterSize);
      const host = this.#clusters * this.clusterSize;
      yield* perform(new Write(this.#target, host, length === bytes.length ? bytes : bytes.subarray(done, done + length)));
      for (let i = 0; i < count; i++) this.#setEntry(offset + done + i * this.clusterSize, host + i * this.clusterSize);
      this.#clusters += count;
      this.#packed = 0;
      done += length;
    }
  }

  /** Stores one cluster that was compressed to `bytes`, fewer than a cluster has. Such clusters are packed byte to byte. */
  *writeCompressed(offset: number, bytes: Bytes): Io<void> {
    yield* this.#enter(offset);
    const { clusterSize } = this;
    let at = this.#packed;
    const inside = at % clusterSize;
    const fits = at !== 0 && inside !== 0 && this.#counts.get(Math.floor(at / clusterSize)) < maxRefcount(this.#layout.refcountOrder);
    // A stream may run on into the next cluster only if that one follows directly, which holds as long as nothing else was stored.
    if (!fits) at = this.#clusters * clusterSize;
    const end = at + bytes.length;
    if (fits) this.#counts.share(Math.floor(at / clusterSize));
    this.#clusters = Math.max(this.#clusters, Math.ceil(end / clusterSize));
    yield* perform(new Write(this.#target, at, bytes));
    const { high, low } = encodeCompressedRange(at, bytes.length, this.#layout.clusterBits);
    const index = Math.floor((offset % this.#perTable) / clusterSize);
    this.#l2View.setUint32(index * 8, high);
    this.#l2View.setUint32(index * 8 + 4, low);
    this.#packed = end;
  }

  /** Writes all tables and the header. The file is complete afterwards, but not yet synced. */
  *finish(): Io<void> {
    yield* this.#leave();
    const { clusterSize } = this;
    const l1Offset = this.#clusters * clusterSize;
    if (this.#l1.length > 0) yield* perform(new Write(this.#target, l1Offset, this.#l1));
    this.#clusters += this.#l1.length / clusterSize;
    const { blocks, tableClusters } = this.#refcountSize();
    const total = this.#clusters + blocks + tableClusters;
    const blocksAt = this.#clusters * clusterSize;
    yield* this.#writeRefcounts(blocksAt, blocks, total);
    const table = new Uint8Array(tableClusters * clusterSize);
    const view = viewOf(table);
    for (let i = 0; i < blocks; i++) setU64(view, i * 8, blocksAt + i * clusterSize);
    const tableAt = blocksAt + blocks * clusterSize;
    yield* perform(new Write(this.#target, tableAt, table));
    yield* perform(new Truncate(this.#target, total * clusterSize));
    yield* perform(new Write(this.#target, 0, this.#header(l1Offset, tableAt, tableClusters)));
  }

  /** Turns to the L2 table of a guest offset. */
  *#enter(offset: number): Io<void> {
    const table = Math.floor(offset / this.#perTable);
    if (table === this.#table) return;
    yield* this.#leave();
    this.#table = table;
  }

  /** Stores the L2 table that was filled. */
  *#leave(): Io<void> {
    if (this.#table < 0) return;
    const host = this.#clusters++ * this.clusterSize;
    this.#packed = 0;
    yield* perform(new Write(this.#target, host, this.#l2));
    setU64(this.#l1View, this.#table * 8, host);
    this.#l1View.setUint8(this.#table * 8, this.#l1View.getUint8(this.#table * 8) | (COPIED >>> 24));
    this.#l2.fill(0);
    this.#table = -1;
  }

  #setEntry(guest: number, host: number): void {
    const index = Math.floor((guest % this.#perTable) / this.clusterSize);
    this.#l2View.setUint32(index * 8, (COPIED | Math.floor(host / 2 ** 32)) >>> 0);
    this.#l2View.setUint32(index * 8 + 4, host % 2 ** 32);
  }

  /** How many refcount blocks and table clusters count everything, themselves included. */
  #refcountSize(): { blocks: number; tableClusters: number } {
    const perBlock = refcountsPerBlock({ clusterSize: this.clusterSize, refcountOrder: this.#layout.refcountOrder });
    let blocks = 1;
    let tableClusters = 1;
    for (;;) {
      const needed = Math.ceil((this.#clusters + blocks + tableClusters) / perBlock);
      const clusters = Math.ceil((needed * 8) / this.clusterSize);
      if (needed <= blocks && clusters <= tableClusters) break;
      blocks = Math.max(blocks, needed);
      tableClusters = Math.max(tableClusters, clusters);
    }
    if (tableClusters * this.clusterSize > format.MAX_REFCOUNT_TABLE_BYTES) {
      throw new Refused(`the file grows too large for clusters of ${this.clusterSize} bytes; choose larger clusters`, {
        image: this.#target.name,
      });
    }
    return { blocks, tableClusters };
  }

  *#writeRefcounts(offset: number, blocks: number, total: number): Io<void> {
    const { refcountOrder } = this.#layout;
    const perBlock = refcountsPerBlock({ clusterSize: this.clusterSize, refcountOrder });
    const together = Math.max(1, Math.floor(PIECE / this.clusterSize));
    for (let block = 0; block < blocks; block += together) {
      const count = Math.min(together, blocks - block);
      const bytes = new Uint8Array(count * this.clusterSize);
      const view = viewOf(bytes);
      const first = block * perBlock;
      const end = Math.min(total, first + count * perBlock);
      for (let cluster = first; cluster < end; cluster++) setRefcount(view, cluster - first, refcountOrder, this.#counts.get(cluster));
      yield* perform(new Write(this.#target, offset + block * this.clusterSize, bytes));
    }
  }

  #header(l1Offset: number, tableAt: number, tableClusters: number): Bytes {
    const { version, clusterBits, refcountOrder, compression, lazyRefcounts } = this.#layout;
    const bytes = new Uint8Array(this.clusterSize);
    const entries = Math.ceil(this.#size / this.#perTable);
    format.HEADER.write(bytes, 0, {
      magic: format.MAGIC,
      version,
      cluster_bits: clusterBits,
      size: this.#size,
      crypt_method: format.CRYPT_NONE,
      l1_size: entries,
      // A disk without clusters has no L1 table; its offset is only a place that is not the header.
      l1_table_offset: l1Offset,
      refcount_table_offset: tableAt,
      refcount_table_clusters: tableClusters,
    });
    if (version === 3) {
      const zstd = compression === 'zstd';
      format.HEADER_V3.write(bytes, 0, {
        incompatible_features: zstd ? format.INCOMPATIBLE_COMPRESSION : 0n,
        compatible_features: lazyRefcounts ? format.COMPATIBLE_LAZY_REFCOUNTS : 0n,
        autoclear_features: 0n,
        refcount_order: refcountOrder,
        header_length: HEADER_LENGTH,
      });
      bytes[format.COMPRESSION_TYPE_OFFSET] = zstd ? 1 : 0;
    }
    return bytes;
  }
}

function setU64(view: DataView, at: number, value: number): void {
  view.setUint32(at, Math.floor(value / 2 ** 32));
  view.setUint32(at + 4, value % 2 ** 32);
}
