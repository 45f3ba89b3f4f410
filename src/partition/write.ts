/** Making and changing partition tables. */
import { Posix, Refused } from '../errors.ts';
import type { BlockDevice, WritableDevice } from '../io/device.ts';
import type { Io } from '../io/effect.ts';
import { isTransactional, Transactions } from '../io/transaction.ts';
import type { EditableTable, RandomBytes } from './editable-table.ts';
import { BOOT_RECORD_SIZE } from './format.ts';
import { locateGpt } from './gpt.ts';
import { GptLabel } from './gpt-write.ts';
import { mbrKind } from './mbr.ts';
import { MbrLabel } from './mbr-write.ts';
import { type PartitionOptions, readPartitionTable } from './read.ts';

export interface TableOptions extends PartitionOptions {
  /** Where identifiers come from. */
  readonly random: RandomBytes;
}

export interface NewTableOptions extends TableOptions {
  /** The disk's GUID, or the MBR signature as eight hexadecimal digits; default a random one. */
  readonly id?: string;
}

/** What a new table clears at both ends of a disk: all that old tables, superblocks and boot sectors have there. */
const CLEARED = 19 * 512;

/** An empty table for a disk of `size` bytes; nothing is written. Throws Posix EINVAL where it does not fit. */
export function newPartitionTable(scheme: 'gpt' | 'mbr', size: number, options: NewTableOptions): GptLabel | MbrLabel {
  const { sectorSize = 512, random, id } = options;
  checkSectorSize(sectorSize);
  return scheme === 'gpt' ? GptLabel.create(size, sectorSize, random, id) : MbrLabel.create(size, sectorSize, random, id);
}

/**
 * Writes a new table onto a disk: what older tables and file systems have at its two ends is cleared.
 * Throws Posix EINVAL where the table does not fit.
 */
export function* createPartitionTable(device: WritableDevice, table: EditableTable): Io<void> {
  yield* atomically(device, function* () {
    const length = Math.min(CLEARED, device.size);
    yield* device.writeZeroes(0, length);
    yield* device.writeZeroes(device.size - length, length);
    yield* table.store(device);
  });
}

/**
 * The table of a disk, for changing. Throws Posix EINVAL where there is none, Corrupt for one that is damaged, Unsupported for the tables of
 * other systems and for unusual chains of extended boot records.
 */
export function* editPartitionTable(device: BlockDevice, options: TableOptions): Io<GptLabel | MbrLabel> {
  const { random, ...rest } = options;
  const table = yield* readPartitionTable(device, rest);
  if (table === undefined) throw new Posix('EINVAL', { layer: 'partition' }, 'the disk has no partition table; make one first');
  const record = yield* device.read(0, BOOT_RECORD_SIZE);
  if (mbrKind(record) === 'protective') return GptLabel.load(device, yield* locateGpt(device, options.sectorSize), record, random);
  return yield* MbrLabel.load(device, record, table.sectorSize, random);
}

/** Reads the table of a disk, changes it, and writes it back as one transaction. Throws what {@link editPartitionTable} and the change throw. */
export function* changePartitionTable<T>(device: WritableDevice, options: TableOptions, change: (table: GptLabel | MbrLabel) => T): Io<T> {
  const table = yield* editPartitionTable(device, options);
  const result = change(table);
  yield* atomically(device, () => table.store(device));
  return result;
}

function* atomically(device: WritableDevice, body: () => Io<void>): Io<void> {
  if (!isTransactional(device)) return yield* body();
  const nothing = { restore: (): void => {}, release: (): void => {} };
  yield* new Transactions(device, () => nothing).run(body);
}

function checkSectorSize(sectorSize: number): void {
  if (![512, 1024, 2048, 4096].includes(sectorSize)) throw new Refused(`no disk has sectors of ${sectorSize} bytes`);
}
