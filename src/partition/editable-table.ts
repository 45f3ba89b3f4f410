/** A partition table taken apart for changing, whichever its scheme. */
import type { Bytes } from '../bytes/struct.ts';
import { Posix } from '../errors.ts';
import type { WritableDevice } from '../io/device.ts';
import type { Io } from '../io/effect.ts';

/** Where random identifiers come from: that many bytes that nobody can guess. */
export type RandomBytes = (length: number) => Bytes;

/** A partition in sectors of the table. */
export interface EditablePartition {
  readonly number: number;
  readonly kind: 'primary' | 'extended' | 'logical';
  /** The first sector. */
  readonly first: number;
  /** The last sector: it belongs to the partition. */
  readonly last: number;
  /** Type GUID in upper case, or the MBR type as two hexadecimal digits in lower case. */
  readonly type: string;
  /** The MBR active flag, or attribute bit 2 on GPT. */
  readonly bootable: boolean;
  /** The name in a GPT entry; empty where there is none. */
  readonly name: string;
  /** The GUID of a GPT partition, in lower case. */
  readonly uuid?: string;
  /** The 64 attribute bits of a GPT partition. */
  readonly attributes?: bigint;
}

/** A partition to be made. */
export interface NewPartition {
  /** Default `primary`; the only one on GPT. */
  readonly kind?: EditablePartition['kind'];
  /** The first sector. */
  readonly first: number;
  /** The last sector: it belongs to the partition. */
  readonly last: number;
  /** Type GUID or two hexadecimal digits; default Linux data, and for an extended partition 0f. */
  readonly type?: string;
  /** The name in a GPT entry. */
  readonly name?: string;
  /** The GUID of a GPT partition; default a random one. */
  readonly uuid?: string;
  /** Default the lowest that is free. */
  readonly number?: number;
}

/**
 * A partition table in memory. Changes are checked at once, by the rules of the scheme, and written by `store`. What is changed throws Posix
 * ENOENT for a partition that is not there, EINVAL for what the scheme cannot hold, ENOSPC where no entry is free.
 */
export interface EditableTable {
  readonly scheme: 'gpt' | 'mbr';
  /** Bytes per sector: the unit of all addresses here. */
  readonly sectorSize: number;
  /** The sectors that partitions may take, both included. */
  readonly firstUsable: number;
  readonly lastUsable: number;
  /** The disk's GUID in lower case, or the MBR signature as eight hexadecimal digits. */
  readonly id: string;
  /** In order of their numbers. */
  readonly partitions: readonly EditablePartition[];
  /** Gives the partition its number. */
  add(partition: NewPartition): number;
  /** Removes a partition; with an extended one its logical ones. Logical partitions behind it move up by one number. */
  remove(number: number): void;
  /** Moves the end of a partition: `last` is its new last sector. */
  resize(number: number, last: number): void;
  setBootable(number: number, bootable: boolean): void;
  setType(number: number, type: string): void;
  setName(number: number, name: string): void;
  setUuid(number: number, uuid: string): void;
  setAttributes(number: number, attributes: bigint): void;
  /** Sets the GUID of the disk, or the MBR signature from eight hexadecimal digits; a random one where none is given. */
  setId(id?: string): void;
  /** Makes use of a disk that has grown: moves the backup of a GPT to its end. An MBR has none. */
  expand(): void;
  /** Writes the table; a crash in the middle leaves the old table or the new one readable. */
  store(device: WritableDevice): Io<void>;
}

/** Throws Posix EINVAL about a table. */
export function invalid(message: string): never {
  throw new Posix('EINVAL', { layer: 'partition' }, message);
}

/** Throws EINVAL unless `first` and `last` are sectors in order within the usable ones. */
export function checkBounds(table: Pick<EditableTable, 'firstUsable' | 'lastUsable'>, first: number, last: number): void {
  if (!Number.isSafeInteger(first) || !Number.isSafeInteger(last)) invalid(`sectors ${first} to ${last} are no whole numbers`);
  if (last < first) invalid(`a partition cannot end at sector ${last}, before it begins at ${first}`);
  if (first < table.firstUsable || last > table.lastUsable)
    invalid(`sectors ${first} to ${last} leave the usable ones, ${table.firstUsable} to ${table.lastUsable}`);
}

/** Throws EINVAL when the range meets one of the partitions. */
export function checkFree(partitions: Iterable<Pick<EditablePartition, 'number' | 'first' | 'last'>>, first: number, last: number): void {
  for (const other of partitions) {
    if (first <= other.last && last >= other.first)
      invalid(`sectors ${first} to ${last} overlap partition ${other.number}, sectors ${other.first} to ${other.last}`);
  }
}
