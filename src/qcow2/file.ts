/**
 * A qcow2 file under change: its tables in memory, and the order in which they are written back.
 *
 * {@link Qcow2File.flush} writes what changed so that, wherever it stops, every reference in the file has its refcount: counts go before
 * references, new tables before what points to them, and counts are taken back last. What is left over by an interruption is leaked
 * clusters, nothing worse.
 *
 * {@link Qcow2File.transact} is for changes of many references at once (snapshots, resizing): all tables that change go to new places and
 * one write of the header's first sector makes them the file's tables. It happens as a whole or not at all.
 */
import type { Bytes } from '../bytes/struct.ts';
import { Corrupt, Refused, Unsupported, type Where } from '../errors.ts';
import { type Io, perform } from '../io/effect.ts';
import { Flush, readPadded, type WritableSource, Write } from '../io/source.ts';
import { Allocator } from './allocate.ts';
import { encodeFixedFields, encodeHeader } from './encode-header.ts';
import { COPIED, entryOffset } from './entries.ts';
import * as format from './format.ts';
import { type Header, parseHeader } from './header.ts';
import { type Metadata, readMetadata } from './metadata.ts';
import { MetadataPlaces, type PlaceKind } from './places.ts';
import type { Snapshot } from './snapshots.ts';
import { EntryShape } from './subclusters.ts';
import { Table } from './table.ts';

/** Memory for L2 tables that need not be written, and for those that have to be before everything is flushed. */
const TABLE_BUDGET: number = 16 << 20;

/** The parts of the header that one write of its first sector changes. */
export type HeaderChange = Partial<Pick<Header, 'size' | 'storedSize' | 'snapshotCount' | 'snapshotsOffset'>>;

export class Qcow2File {
  readonly source: WritableSource;
  readonly where: Where;
  header!: Header;
  metadata!: Metadata;
  snapshots!: readonly Snapshot[];
  snapshotTableBytes!: number;
  places!: MetadataPlaces;
  allocator!: Allocator;
  l1!: Table;
  shape!: EntryShape;
  readonly #l2 = new Map<number, Table>();
  #started = false;
  #transacting = false;
  /** Set when writing failed in a way after which memory and file may differ for good. */
  #broken = false;

  private constructor(source: WritableSource, where: Where) {
    this.source = source;
    this.where = where;
  }

  /**
   * Opens a file for writing. Throws Refused for images marked as corrupt, Unsupported for encrypted ones, Corrupt where refcounts
   * do not cover the metadata.
   */
  static *open(source: WritableSource): Io<Qcow2File> {
    const file = new Qcow2File(source, { layer: 'qcow2', image: source.name });
    yield* file.#load();
    return file;
  }

  get clusterSize(): number {
    return this.header.clusterSize;
  }

  *#load(): Io<void> {
    const metadata = yield* readMetadata(this.source);
    const { header, where } = metadata;
    if (header.corrupt) throw new Refused('the image is marked as corrupt and is not written to; check and repair it first', where);
    if (header.encryption !== 'none') throw new Unsupported('writing encrypted images', undefined, where);
    if (header.dirty) throw new Refused('the image was not closed properly; its refcounts have to be repaired before it is written', where);
    if (header.l1Entries > 0 && header.l1Offset < header.clusterSize) throw new Corrupt('the L1 table lies on the header', where);
    this.metadata = metadata;
    this.header = header;
    this.snapshots = metadata.snapshots;
    this.snapshotTableBytes = metadata.snapshotTableBytes;
    this.shape = new EntryShape(header, where);
    this.places = new MetadataPlaces(header.clusterSize, where);
    const { places, clusterSize } = this;
    places.add(0, clusterSize, 'header');
    this.allocator = yield* Allocator.open(this.source, header, places, where);
    const bytes = new Uint8Array(header.l1Entries * 8);
    yield* readPadded(this.source, header.l1Offset, bytes);
    this.l1 = new Table(header.l1Offset, bytes);
    if (bytes.length > 0) places.add(header.l1Offset, bytes.length, 'L1 table');
    places.add(header.snapshotsOffset, this.snapshotTableBytes, 'snapshot table');
    for (const snapshot of this.snapshots) {
      if (snapshot.damage !== undefined) throw new Corrupt(`snapshot ${snapshot.id} is damaged (${snapshot.damage})`, where);
      places.add(snapshot.l1Offset, snapshot.l1Entries * 8, "snapshot's L1 table");
    }
    if (header.bitmaps !== undefined) places.add(header.bitmaps.directoryOffset, header.bitmaps.directorySize, 'bitmaps');
    for (const bitmap of metadata.bitmaps) places.add(bitmap.tableOffset, bitmap.tableEntries * 8, 'bitmaps');
    for (let at = 0; at < bytes.length; at += 8) {
      const offset = entryOffset(this.l1.view.getUint32(at), this.l1.view.getUint32(at + 4));
      if (offset >= this.source.size)
        throw new Corrupt(`L2 table ${at / 8} lies behind the end of the file; check and repair the image first`, where);
      if (offset !== 0) places.add(offset, clusterSize, 'L2 table');
    }
    this.#l2.clear();
    yield* this.#checkCounted(0, clusterSize);
    yield* this.#checkCounted(header.refcountTableOffset, this.allocator.table.bytes.length);
    yield* this.#checkCounted(header.l1Offset, bytes.length);
    yield* this.#checkCounted(header.snapshotsOffset, this.snapshotTableBytes);
  }

  *#checkCounted(offset: number, length: number): Io<void> {
    for (let at = offset; at < offset + length; at += this.clusterSize) {
      if ((yield* this.allocator.refcount(Math.floor(at / this.clusterSize))) === 0) {
        throw new Corrupt('metadata has no refcount; check and repair the image first', { ...this.where, offset: at });
      }
    }
  }

  /** To be called before the first change: withdraws what the file claims and a change makes untrue. */
  *start(): Io<void> {
    if (this.#broken) throw new Refused('an earlier write of this image failed; open it again', this.where);
    if (this.#started) return;
    const unknown = this.header.autoclearFeatures & ~(format.AUTOCLEAR_BITMAPS | format.AUTOCLEAR_DATA_FILE_RAW);
    if (unknown !== 0n) yield* this.rewriteHeader({ ...this.header, autoclearFeatures: this.header.autoclearFeatures & ~unknown });
    yield* this.#invalidateBitmaps();
    this.#started = true;
  }

  /** Bitmaps that record writes are not kept up to date here: they are marked as in use, which tells QEMU not to trust them. */
  *#invalidateBitmaps(): Io<void> {
    const { bitmaps } = this.header;
    if (bitmaps === undefined || !this.metadata.bitmaps.some((bitmap) => bitmap.auto && !bitmap.inUse)) return;
    const directory = new Uint8Array(bitmaps.directorySize);
    yield* readPadded(this.source, bitmaps.directoryOffset, directory);
    for (let at = 0; at + format.BITMAP.size <= directory.length; ) {
      const entry = format.BITMAP.read(directory, at);
      if ((entry.flags & format.BITMAP_AUTO) !== 0) format.BITMAP.write(directory, at, { flags: entry.flags | format.BITMAP_IN_USE });
      at += Math.ceil((format.BITMAP.size + entry.extra_data_size + entry.name_size) / 8) * 8;
    }
    this.places.check(bitmaps.directoryOffset, directory.length, 'bitmaps');
    yield* perform(new Write(this.source, bitmaps.directoryOffset, directory));
    yield* perform(new Flush(this.source));
  }

  /** The L2 table of an L1 entry for reading; undefined where there is none. */
  *l2(l1Index: number): Io<Table | undefined> {
    const known = this.#l2.get(l1Index);
    if (known !== undefined) return known;
    if (l1Index * 8 >= this.l1.bytes.length) return undefined;
    const offset = this.l2Offset(l1Index);
    if (offset === 0) return undefined;
    if (offset % this.clusterSize !== 0) throw new Corrupt(`L2 table ${l1Index} does not begin at a cluster`, this.where);
    const bytes = new Uint8Array(this.clusterSize);
    yield* readPadded(this.source, offset, bytes);
    const table = new Table(offset, bytes);
    this.#l2.set(l1Index, table);
    return table;
  }

  l2Offset(l1Index: number): number {
    return entryOffset(this.l1.view.getUint32(l1Index * 8), this.l1.view.getUint32(l1Index * 8 + 4));
  }

  /** The same for writing: made where there is none, copied where another L1 table refers to it too, or in a transaction. */
  *writableL2(l1Index: number): Io<Table> {
    const old = yield* this.l2(l1Index);
    if (old !== undefined) {
      const copied = (this.l1.view.getUint32(l1Index * 8) & COPIED) !== 0;
      if (copied && (old.fresh || !this.#transacting)) return old;
    }
    const { first } = yield* this.allocator.allocate(1);
    const offset = first * this.clusterSize;
    const table = new Table(offset, old === undefined ? new Uint8Array(this.clusterSize) : old.bytes.slice(), true);
    if (old !== undefined) {
      this.allocator.free(old.offset / this.clusterSize);
      this.places.remove(old.offset, this.clusterSize);
    }
    this.#l2.set(l1Index, table);
    this.places.add(offset, this.clusterSize, 'L2 table');
    this.l1.set(l1Index * 8, (Math.floor(offset / 2 ** 32) | COPIED) >>> 0, offset % 2 ** 32);
    return table;
  }

  /** Takes a table out of the L1 table and gives its cluster back. */
  dropL2(l1Index: number): void {
    const offset = this.l2Offset(l1Index);
    this.#l2.delete(l1Index);
    this.l1.set(l1Index * 8, 0, 0);
    if (offset === 0) return;
    this.allocator.free(offset / this.clusterSize);
    this.places.remove(offset, this.clusterSize);
  }

  /** Forgets tables that need not be written when they are many. Nobody may hold one. */
  trim(): void {
    this.allocator.trim();
    if (this.#l2.size * this.clusterSize <= TABLE_BUDGET) return;
    for (const [index, table] of this.#l2) if (!table.dirty) this.#l2.delete(index);
  }

  /** Keeps memory bounded between operations. */
  *relieve(): Io<void> {
    let dirty = 0;
    for (const table of this.#l2.values()) if (table.dirty) dirty += this.clusterSize;
    if (dirty > TABLE_BUDGET && !this.#transacting) yield* this.flush();
    this.trim();
  }

  *writeTable(table: Table, kind: PlaceKind): Io<boolean> {
    if (!table.dirty) return false;
    this.places.check(table.offset, table.bytes.length, kind);
    yield* table.write(this.source);
    return true;
  }

  *barrier(written: boolean): Io<void> {
    if (written) yield* perform(new Flush(this.source));
  }

  /** Writes everything back and makes it durable. */
  *flush(): Io<void> {
    if (this.#transacting) throw new RangeError('flush within a transaction');
    yield* this.allocator.placeTable();
    yield* this.#writeCounts();
    let written = false;
    for (const table of this.#l2.values()) if (!table.fresh) written = (yield* this.writeTable(table, 'L2 table')) || written;
    if (this.l1.dirty) {
      yield* this.barrier(written);
      yield* this.writeTable(this.l1, 'L1 table');
    }
    for (const table of this.#l2.values()) table.fresh = false;
    if (this.allocator.hasFrees) {
      yield* perform(new Flush(this.source));
      yield* this.allocator.applyFrees();
      yield* this.#writeCounts();
    }
    yield* perform(new Flush(this.source));
  }

  /** Refcounts and new tables, then what makes new blocks and a new refcount table known. Durable when this ends, if anything was written. */
  *#writeCounts(): Io<void> {
    const { allocator } = this;
    const moved = allocator.table.fresh;
    let written = false;
    for (const { block } of allocator.dirtyBlocks()) written = (yield* this.writeTable(block, 'refcount block')) || written;
    for (const table of this.#l2.values()) if (table.fresh) written = (yield* this.writeTable(table, 'L2 table')) || written;
    if (allocator.table.dirty) {
      if (!moved) yield* this.barrier(written);
      written = yield* this.writeTable(allocator.table, 'refcount table');
    }
    yield* this.barrier(written);
    if (!moved) return;
    this.#adopt();
    yield* this.#writeFirstSector();
    allocator.table.fresh = false;
    yield* perform(new Flush(this.source));
  }

  /** Takes the places of the tables into the header in memory. */
  #adopt(change: HeaderChange = {}): void {
    this.header = {
      ...this.header,
      ...change,
      l1Offset: this.l1.offset,
      l1Entries: this.l1.bytes.length / 8,
      refcountTableOffset: this.allocator.table.offset,
      refcountTableClusters: this.allocator.table.bytes.length / this.clusterSize,
    };
  }

  *#writeFirstSector(): Io<void> {
    const sector = new Uint8Array(format.SECTOR);
    yield* readPadded(this.source, 0, sector);
    const { backing_file_offset, backing_file_size } = format.HEADER.read(sector);
    encodeFixedFields(this.header, sector);
    format.HEADER.write(sector, 0, { backing_file_offset, backing_file_size });
    yield* perform(new Write(this.source, 0, sector));
  }

  /** Writes the header anew, with its extensions and the backing file's name, and makes it durable. */
  *rewriteHeader(header: Header): Io<void> {
    yield* perform(new Write(this.source, 0, encodeHeader(header, this.where)));
    yield* perform(new Flush(this.source));
    this.header = yield* this.#readHeader();
    this.shape = new EntryShape(this.header, this.where);
  }

  *#readHeader(): Io<Header> {
    const head = new Uint8Array(this.clusterSize);
    yield* readPadded(this.source, 0, head);
    return parseHeader(head, this.where, []);
  }

  /**
   * Runs `body`, whose changes of tables then become the file's all at once. When it fails nothing has changed, in the file nor in
   * memory. `body` returns what else the header has to say.
   */
  *transact(body: () => Io<HeaderChange>): Io<void> {
    yield* this.start();
    yield* this.flush();
    const { allocator } = this;
    this.#transacting = true;
    try {
      allocator.setFloor(Math.ceil(this.source.size / this.clusterSize));
      const change = yield* body();
      yield* this.#moveTables();
      for (const { block } of allocator.dirtyBlocks()) yield* this.writeTable(block, 'refcount block');
      for (const table of this.#l2.values()) yield* this.writeTable(table, 'L2 table');
      yield* this.writeTable(this.l1, 'L1 table');
      yield* this.writeTable(allocator.table, 'refcount table');
      yield* perform(new Flush(this.source));
      this.#adopt(change);
      yield* this.#writeFirstSector();
      yield* perform(new Flush(this.source));
      for (const table of this.#l2.values()) table.fresh = false;
      this.l1.fresh = false;
      allocator.table.fresh = false;
      for (const block of allocator.allBlocks()) block.fresh = false;
      allocator.setFloor(0);
      allocator.withhold(false);
    } catch (error) {
      this.#broken = true;
      yield* this.#load();
      this.#broken = false;
      throw error;
    } finally {
      this.#transacting = false;
    }
  }

  /** Gives new places to the L1 table, the refcount table and all refcount blocks that changed. */
  *#moveTables(): Io<void> {
    const { allocator } = this;
    if (!this.l1.fresh) yield* this.replaceL1(this.l1.bytes.slice());
    allocator.moveTable();
    for (;;) {
      yield* allocator.placeTable();
      yield* allocator.applyFrees();
      const stale = allocator.dirtyBlocks().filter(({ block }) => !block.fresh);
      if (stale.length === 0 && !allocator.tableMoved && !allocator.hasFrees) return;
      for (const { index, block } of stale) yield* allocator.moveBlock(index, block);
    }
  }

  /** Puts another L1 table in the place of the active one, in a transaction. */
  *replaceL1(bytes: Bytes): Io<void> {
    const { allocator, clusterSize } = this;
    allocator.freeRange(this.l1.offset, this.l1.bytes.length);
    this.places.remove(this.l1.offset, this.l1.bytes.length);
    const run = yield* allocator.allocate(Math.ceil(bytes.length / clusterSize));
    this.l1 = new Table(run.first * clusterSize, bytes, true);
    this.places.add(this.l1.offset, bytes.length, 'L1 table');
  }

  /** Reads everything again that is kept in memory; nothing may be waiting to be written. */
  *reload(): Io<void> {
    yield* this.#load();
  }

  /** Moves the tables that a transaction moves into the lowest free clusters. */
  *compact(): Io<void> {
    const { allocator } = this;
    yield* this.transact(function* (): Io<HeaderChange> {
      allocator.setFloor(0);
      allocator.withhold(true);
      yield* allocator.touchAll();
      return {};
    });
    yield* this.#load();
  }

  /** Behind the last cluster that is in use, in bytes. */
  endOfUse(): Io<number> {
    return this.allocator.endOfUse(Math.ceil(this.source.size / this.clusterSize));
  }

  /** Forgets all L2 tables in memory, for when the L1 table is another. */
  forgetL2(): void {
    this.#l2.clear();
  }
}
