/** Internal snapshots: taking, going back to and removing them. Each happens as a whole or not at all. */
import type { Bytes } from '../bytes/struct.ts';
import { encodeName } from '../bytes/text.ts';
import { Corrupt, Posix, Refused, Unsupported } from '../errors.ts';
import { type Io, perform } from '../io/effect.ts';
import { readPadded, Write } from '../io/source.ts';
import { COMPRESSED_CLUSTER, COPIED, clusterType, compressedRange, entryOffset, NORMAL, ZERO_ALLOCATED } from './entries.ts';
import type { HeaderChange, Qcow2File } from './file.ts';
import * as format from './format.ts';
import { findSnapshot, type Snapshot } from './snapshots.ts';
import { Table } from './table.ts';
import type { WritableQcow2 } from './write.ts';

export interface NewSnapshot {
  readonly name: string;
  readonly seconds: number;
  readonly nanoseconds: number;
}

/** Takes a snapshot of the disk as it is. Throws Refused where refcounts are too narrow. */
export function* createSnapshot(image: WritableQcow2, given: NewSnapshot): Io<Snapshot> {
  const { file } = image;
  image.refuseDataFile('internal snapshots');
  if (file.snapshots.length >= format.MAX_SNAPSHOTS) throw new Posix('EFBIG', file.where, 'the image has too many snapshots');
  const ids = file.snapshots.map(({ id }) => (/^\d+$/.test(id) ? Number(id) : 0));
  const extraData = new Uint8Array(format.SNAPSHOT_EXTRA.size);
  format.SNAPSHOT_EXTRA.write(extraData, 0, { vm_state_size_large: 0n, disk_size: BigInt(file.header.size), icount: 2n ** 64n - 1n });
  let taken: Snapshot | undefined;
  yield* image.exclusive(() =>
    file.transact(function* () {
      yield* shareActive(file);
      const bytes = file.l1.bytes.slice();
      const copy = new Table(0, bytes);
      for (let at = 0; at < bytes.length; at += 8) copy.view.setUint32(at, (copy.view.getUint32(at) & ~COPIED) >>> 0);
      const offset = yield* store(file, bytes, "snapshot's L1 table");
      taken = {
        id: String(Math.max(0, ...ids) + 1),
        name: given.name,
        l1Offset: offset,
        l1Entries: bytes.length / 8,
        diskSize: file.header.size,
        dateSeconds: given.seconds,
        dateNanoseconds: given.nanoseconds,
        vmClockNanoseconds: 0n,
        vmStateSize: 0,
        extraData,
      };
      return yield* storeSnapshots(file, [...file.snapshots, taken]);
    }),
  );
  yield* reload(image);
  return taken ?? findSnapshot(file.snapshots, given.name, file.where);
}

/** Makes the disk what it was when the snapshot was taken; its size too. */
export function* applySnapshot(image: WritableQcow2, idOrName: string): Io<void> {
  const { file } = image;
  image.refuseDataFile('internal snapshots');
  const snapshot = findSnapshot(file.snapshots, idOrName, file.where);
  if (snapshot.diskSize !== file.header.size && file.header.version === 2) {
    throw new Unsupported('snapshots of another size in version 2', undefined, file.where);
  }
  yield* image.exclusive(() =>
    file.transact(function* () {
      const entries = yield* readL1(file, snapshot);
      yield* countAll(file, entries, 1);
      yield* countAll(file, file.l1.bytes, -1);
      for (let at = 0; at < file.l1.bytes.length; at += 8) {
        const offset = file.l2Offset(at / 8);
        if (offset !== 0) file.places.remove(offset, file.clusterSize);
      }
      const bytes = new Uint8Array(Math.max(entries.length, file.l1.bytes.length));
      bytes.set(entries);
      file.forgetL2();
      yield* file.replaceL1(bytes);
      for (let at = 0; at < bytes.length; at += 8) {
        const offset = file.l2Offset(at / 8);
        if (offset !== 0) file.places.add(offset, file.clusterSize, 'L2 table');
      }
      yield* markCopied(file);
      return { size: snapshot.diskSize, storedSize: snapshot.diskSize };
    }),
  );
  yield* reload(image);
}

/** Removes a snapshot and gives back what only it referred to. */
export function* deleteSnapshot(image: WritableQcow2, idOrName: string): Io<void> {
  const { file } = image;
  const snapshot = findSnapshot(file.snapshots, idOrName, file.where);
  yield* image.exclusive(() =>
    file.transact(function* () {
      const entries = yield* readL1(file, snapshot);
      yield* countAll(file, entries, -1);
      file.allocator.freeRange(snapshot.l1Offset, snapshot.l1Entries * 8);
      file.places.remove(snapshot.l1Offset, snapshot.l1Entries * 8);
      yield* markCopied(file);
      return yield* storeSnapshots(
        file,
        file.snapshots.filter((other) => other !== snapshot),
      );
    }),
  );
  yield* reload(image);
}

/** Opens the tables again: memory follows the file. */
export function* reload(image: WritableQcow2): Io<void> {
  yield* image.exclusive(() => image.file.reload());
  image.forgetCompressed();
}

function* readL1(file: Qcow2File, snapshot: Snapshot): Io<Bytes> {
  const bytes = new Uint8Array(snapshot.l1Entries * 8);
  yield* readPadded(file.source, snapshot.l1Offset, bytes);
  return bytes;
}

/** Puts bytes into new clusters, written at once: nothing refers to them yet. */
function* store(file: Qcow2File, bytes: Bytes, kind: 'snapshot table' | "snapshot's L1 table"): Io<number> {
  const { first } = yield* file.allocator.allocate(Math.ceil(bytes.length / file.clusterSize));
  const offset = first * file.clusterSize;
  file.places.add(offset, bytes.length, kind);
  if (bytes.length > 0) yield* perform(new Write(file.source, offset, bytes));
  return offset;
}

function* storeSnapshots(file: Qcow2File, snapshots: readonly Snapshot[]): Io<HeaderChange> {
  const bytes = encodeSnapshots(snapshots);
  if (bytes.length > format.MAX_SNAPSHOT_TABLE_BYTES) throw new Posix('EFBIG', file.where, 'the snapshot table would be too large');
  file.allocator.freeRange(file.header.snapshotsOffset, file.snapshotTableBytes);
  file.places.remove(file.header.snapshotsOffset, file.snapshotTableBytes);
  const offset = bytes.length === 0 ? 0 : yield* store(file, bytes, 'snapshot table');
  return { snapshotCount: snapshots.length, snapshotsOffset: offset };
}

/** The table as it stands in the file. */
function encodeSnapshots(snapshots: readonly Snapshot[]): Bytes {
  const entries = snapshots.map((snapshot) => {
    const id = encodeName(snapshot.id);
    const name = encodeName(snapshot.name);
    if (name.length > 0xffff) throw new Refused('the name of the snapshot is too long');
    const idAt = format.SNAPSHOT.size + snapshot.extraData.length;
    const entry = new Uint8Array(Math.ceil((idAt + id.length + name.length) / 8) * 8);
    format.SNAPSHOT.write(entry, 0, {
      l1_table_offset: snapshot.l1Offset,
      l1_size: snapshot.l1Entries,
      id_str_size: id.length,
      name_size: name.length,
      date_sec: snapshot.dateSeconds,
      date_nsec: snapshot.dateNanoseconds,
      vm_clock_nsec_high: Number(snapshot.vmClockNanoseconds >> 32n),
      vm_clock_nsec_low: Number(snapshot.vmClockNanoseconds & 0xffffffffn),
      vm_state_size: Math.min(snapshot.vmStateSize, 0xffffffff),
      extra_data_size: snapshot.extraData.length,
    });
    entry.set(snapshot.extraData, format.SNAPSHOT.size);
    entry.set(id, idAt);
    entry.set(name, idAt + id.length);
    return entry;
  });
  const bytes = new Uint8Array(entries.reduce((sum, entry) => sum + entry.length, 0));
  let at = 0;
  for (const entry of entries) {
    bytes.set(entry, at);
    at += entry.length;
  }
  return bytes;
}

/** Adds a reference to all that the active L1 table reaches, and withdraws its claims to be the only one. */
function* shareActive(file: Qcow2File): Io<void> {
  for (let index = 0; index * 8 < file.l1.bytes.length; index++) {
    let table = yield* file.l2(index);
    if (table === undefined) continue;
    if (hasCopied(file, table)) {
      table = yield* file.writableL2(index);
      for (let at = 0; at < table.bytes.length; at += file.shape.entrySize) {
        const high = table.view.getUint32(at);
        if ((high & COPIED) !== 0) table.view.setUint32(at, (high & ~COPIED) >>> 0);
      }
      table.markAll();
    }
    yield* countEntries(file, table, 1);
    yield* file.allocator.increase(table.offset / file.clusterSize, 1);
    const high = file.l1.view.getUint32(index * 8);
    file.l1.set(index * 8, (high & ~COPIED) >>> 0, file.l1.view.getUint32(index * 8 + 4));
  }
}

function hasCopied(file: Qcow2File, table: Table): boolean {
  for (let at = 0; at < table.bytes.length; at += file.shape.entrySize) if ((table.view.getUint32(at) & COPIED) !== 0) return true;
  return false;
}

/** Adds or takes away a reference for all that an L1 table reaches, its L2 tables included. */
function* countAll(file: Qcow2File, l1: Bytes, by: 1 | -1): Io<void> {
  const entries = new Table(0, l1);
  for (let at = 0; at < l1.length; at += 8) {
    const offset = entryOffset(entries.view.getUint32(at), entries.view.getUint32(at + 4));
    if (offset === 0) continue;
    if (offset % file.clusterSize !== 0) throw new Corrupt(`the L2 table at ${offset} does not begin at a cluster`, file.where);
    const bytes = new Uint8Array(file.clusterSize);
    yield* readPadded(file.source, offset, bytes);
    yield* countEntries(file, new Table(offset, bytes), by);
    yield* count(file, offset / file.clusterSize, by);
  }
}

function* count(file: Qcow2File, cluster: number, by: 1 | -1): Io<void> {
  if (by > 0) yield* file.allocator.increase(cluster, 1);
  else yield* file.allocator.decrease(cluster, 1);
}

function* countEntries(file: Qcow2File, table: Table, by: 1 | -1): Io<void> {
  const { shape, clusterSize, header, where } = file;
  for (let at = 0; at < table.bytes.length; at += shape.entrySize) {
    const high = table.view.getUint32(at);
    const low = table.view.getUint32(at + 4);
    if (high === 0 && low === 0) continue;
    const type = clusterType(high, low, shape.entrySize === 8, false);
    if (type === COMPRESSED_CLUSTER) {
      const { offset, length } = compressedRange(high, low, header.clusterBits, where);
      const last = Math.floor((offset + length - 1) / clusterSize);
      for (let cluster = Math.floor(offset / clusterSize); cluster <= last; cluster++) yield* count(file, cluster, by);
    } else if (type === NORMAL || type === ZERO_ALLOCATED) {
      const offset = entryOffset(high, low);
      if (offset % clusterSize !== 0) throw new Corrupt(`a cluster at ${offset}, which is no cluster boundary`, where);
      yield* count(file, offset / clusterSize, by);
    }
  }
}

/** Says of everything that the active L1 table reaches whether that is the only reference. */
export function* markCopied(file: Qcow2File): Io<void> {
  const { shape, allocator, clusterSize } = file;
  for (let index = 0; index * 8 < file.l1.bytes.length; index++) {
    let table = yield* file.l2(index);
    if (table === undefined) continue;
    let writable = false;
    for (let at = 0; at < table.bytes.length; at += shape.entrySize) {
      const high = table.view.getUint32(at);
      const low = table.view.getUint32(at + 4);
      const type = clusterType(high, low, shape.entrySize === 8, false);
      if (type !== NORMAL && type !== ZERO_ALLOCATED) continue;
      const alone = (yield* allocator.refcount(entryOffset(high, low) / clusterSize)) === 1;
      if (alone === ((high & COPIED) !== 0)) continue;
      if (!writable) table = yield* file.writableL2(index);
      writable = true;
      table.set(at, (alone ? high | COPIED : high & ~COPIED) >>> 0, low);
    }
    const alone = (yield* allocator.refcount(table.offset / clusterSize)) === 1;
    const high = file.l1.view.getUint32(index * 8);
    file.l1.set(index * 8, (alone ? high | COPIED : high & ~COPIED) >>> 0, file.l1.view.getUint32(index * 8 + 4));
  }
}
