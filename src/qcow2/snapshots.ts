/** Internal snapshots: the table that lists them (qcow2.rst, "Snapshots"). */
import type { Bytes } from '../bytes/struct.ts';
import { decodeName } from '../bytes/text.ts';
import { Corrupt, Posix, type Warning, type Where } from '../errors.ts';
import type { Io } from '../io/effect.ts';
import { type ByteSource, readPadded } from '../io/source.ts';
import * as format from './format.ts';
import { bytesPerL2Table, type Header, isAligned } from './header.ts';

export interface Snapshot {
  readonly id: string;
  readonly name: string;
  readonly l1Offset: number;
  readonly l1Entries: number;
  /** Bytes of the virtual disk when it was taken. */
  readonly diskSize: number;
  readonly dateSeconds: number;
  readonly dateNanoseconds: number;
  readonly vmClockNanoseconds: bigint;
  readonly vmStateSize: number;
  /** Instructions executed, where recorded. */
  readonly icount?: bigint;
  /** All extra data, for rewriting the table without loss. */
  readonly extraData: Bytes;
  /** Why this snapshot cannot be opened; listing it works. */
  readonly damage?: string;
}

export interface SnapshotTable {
  readonly snapshots: readonly Snapshot[];
  readonly bytes: number;
}

const NO_ICOUNT = 0xffffffffffffffffn;
const MAX_DISK = BigInt(Number.MAX_SAFE_INTEGER);
const CHUNK = 65536;

/** Reads the snapshot table. Throws Corrupt where QEMU would, and when the table runs past the end of the file. */
export function* readSnapshots(source: ByteSource, header: Header, where: Where, warnings: Warning[]): Io<SnapshotTable> {
  const start = header.snapshotsOffset;
  const snapshots: Snapshot[] = [];
  let window: Bytes = new Uint8Array(0);
  let windowStart = start;
  let offset = start;
  for (let i = 0; i < header.snapshotCount; i++) {
    for (let length = format.SNAPSHOT.size; ; ) {
      if (offset + length > source.size) throw new Corrupt('the snapshot table runs past the end of the file', { ...where, offset });
      if (offset + length > windowStart + window.length) {
        // An entry has at most 40 + 1024 + 2 * 65535 bytes.
        window = new Uint8Array(Math.max(length, Math.min(CHUNK, source.size - offset)));
        windowStart = offset;
        yield* readPadded(source, offset, window);
      }
      const whole = entryLength(window, offset - windowStart, { ...where, offset });
      if (whole <= length) break;
      length = whole;
    }
    const at = offset - windowStart;
    const length = entryLength(window, at, where);
    snapshots.push(parseSnapshot(window.slice(at, at + length), header, { ...where, offset }));
    offset += Math.ceil(length / 8) * 8;
    if (offset - start > format.MAX_SNAPSHOT_TABLE_BYTES) throw new Corrupt('the snapshot table is too big', { ...where, offset: start });
  }
  for (const snapshot of snapshots) {
    if (snapshot.damage !== undefined)
      warnings.push({ message: `snapshot ${snapshot.id} (${snapshot.name}) is damaged: ${snapshot.damage}` });
  }
  return { snapshots, bytes: offset - start };
}

function entryLength(bytes: Bytes, at: number, where: Where): number {
  const { extra_data_size, id_str_size, name_size } = format.SNAPSHOT.read(bytes, at);
  if (extra_data_size > format.MAX_SNAPSHOT_EXTRA) throw new Corrupt(`a snapshot with ${extra_data_size} bytes of extra data`, where);
  return format.SNAPSHOT.size + extra_data_size + id_str_size + name_size;
}

function parseSnapshot(entry: Bytes, header: Header, where: Where): Snapshot {
  const fixed = format.SNAPSHOT.read(entry);
  const idAt = format.SNAPSHOT.size + fixed.extra_data_size;
  const nameAt = idAt + fixed.id_str_size;
  const extraData = entry.slice(format.SNAPSHOT.size, idAt);
  const padded = new Uint8Array(format.SNAPSHOT_EXTRA.size);
  padded.set(extraData.subarray(0, padded.length));
  const extra = format.SNAPSHOT_EXTRA.read(padded);
  if (header.version === 3 && extraData.length < 16) throw new Corrupt('a snapshot without its size, which version 3 demands', where);
  const diskSize = extraData.length >= 16 ? extra.disk_size : BigInt(header.size);
  const stateSize = extraData.length >= 8 ? extra.vm_state_size_large : BigInt(fixed.vm_state_size);
  let damage: string | undefined;
  if (diskSize > MAX_DISK || stateSize > MAX_DISK) damage = 'its size is beyond all bounds';
  else if (fixed.l1_size * 8 > format.MAX_L1_BYTES) damage = `its L1 table has ${fixed.l1_size} entries`;
  else if (!isAligned(fixed.l1_table_offset, header.clusterSize)) damage = 'its L1 table does not begin at a cluster';
  else if (fixed.l1_size < Math.ceil(Number(diskSize) / bytesPerL2Table(header))) damage = 'its L1 table is too small';
  return {
    id: decodeName(entry.subarray(idAt, nameAt)),
    name: decodeName(entry.subarray(nameAt)),
    l1Offset: fixed.l1_table_offset,
    l1Entries: fixed.l1_size,
    diskSize: diskSize > MAX_DISK ? 0 : Number(diskSize),
    dateSeconds: fixed.date_sec,
    dateNanoseconds: fixed.date_nsec,
    vmClockNanoseconds: (BigInt(fixed.vm_clock_nsec_high) << 32n) | BigInt(fixed.vm_clock_nsec_low),
    vmStateSize: stateSize > MAX_DISK ? 0 : Number(stateSize),
    ...(extraData.length >= 24 && extra.icount !== NO_ICOUNT ? { icount: extra.icount } : {}),
    extraData,
    ...(damage === undefined ? {} : { damage }),
  };
}

/** The snapshot with this id, else with this name, as QEMU looks it up. Throws Posix ENOENT, or Corrupt when it is damaged. */
export function findSnapshot(snapshots: readonly Snapshot[], idOrName: string, where: Where): Snapshot {
  const found = snapshots.find((snapshot) => snapshot.id === idOrName) ?? snapshots.find((snapshot) => snapshot.name === idOrName);
  if (found === undefined) throw new Posix('ENOENT', where, `there is no snapshot "${idOrName}"`);
  if (found.damage !== undefined) throw new Corrupt(`snapshot ${found.id} (${found.name}) cannot be opened: ${found.damage}`, where);
  return found;
}
