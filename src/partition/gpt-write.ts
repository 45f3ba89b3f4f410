/**
 * Changing GUID partition tables: UEFI specification 2.10, 5.2.3 (protective MBR) and 5.3 (GPT).
 *
 * Bytes that are not understood (boot code, a hybrid MBR, reserved fields, entries longer than 128 bytes) stay as they are.
 */
import { crc32 } from '../bytes/crc32.ts';
import { type Bytes, viewOf } from '../bytes/struct.ts';
import { isZero } from '../bytes/text.ts';
import { guidBytes, guidText } from '../bytes/uuid.ts';
import { Posix, Refused } from '../errors.ts';
import type { BlockDevice, WritableDevice } from '../io/device.ts';
import type { Io } from '../io/effect.ts';
import {
  checkBounds,
  checkFree,
  type EditablePartition,
  type EditableTable,
  invalid,
  type NewPartition,
  type RandomBytes,
} from './editable-table.ts';
import {
  BOOT_RECORD_SIZE,
  BOOT_SIGNATURE,
  GPT_ATTRIBUTE_LEGACY_BOOT,
  GPT_ENTRY,
  GPT_HEADER,
  GPT_NAME_UNITS,
  GPT_REVISION,
  GPT_SIGNATURE,
  type GptHeader,
  gptName,
  gptNameUnits,
  MASTER_BOOT_RECORD,
  MBR_ENTRIES_OFFSET,
  MBR_ENTRY,
  readMbrEntries,
  TYPE_GPT_PROTECTIVE,
} from './format.ts';
import type { LocatedGpt } from './gpt.ts';
import { GPT_LINUX_FILESYSTEM } from './types.ts';

/** What the specification asks for at least, and all tools make: room for 128 entries, 16 KiB. */
const ENTRIES = 128;
const PROTECTIVE_START = 1;
const MAX_U32 = 0xffff_ffff;
/** Cylinder, head and sector of what CHS cannot say. */
const CHS_BEYOND: Bytes = Uint8Array.of(0xff, 0xff, 0xff);
/** Sector 1 in CHS: head 0, sector 2, cylinder 0. */
const CHS_OF_SECTOR_1: Bytes = Uint8Array.of(0, 2, 0);

const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

function parseGuid(text: string): Bytes {
  return GUID.test(text) ? guidBytes(text) : invalid(`not a GUID: ${text}`);
}

/** A random GUID: version 4 of RFC 4122. */
function randomGuid(random: RandomBytes): Bytes {
  const bytes = random(16).slice(0, 16);
  // In a GUID the version stands in the byte after the third group's first, the groups being little-endian.
  bytes[7] = ((bytes[7] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return bytes;
}

export class GptLabel implements EditableTable {
  readonly scheme = 'gpt';
  readonly sectorSize: number;
  readonly #random: RandomBytes;
  /** Sectors of the disk. */
  readonly #sectors: number;
  readonly #header: GptHeader;
  /** The header's sector, for what stands behind the header. */
  readonly #sector: Bytes;
  readonly #entries: Bytes;
  /** The boot record to be written; undefined while it can stay. */
  #bootRecord: Bytes | undefined;
  readonly #oldBootRecord: Bytes;
  /** Sectors of the header and of the first entries of both copies. */
  #primaryEntries: number;
  #backup: number;

  private constructor(sectors: number, located: Omit<LocatedGpt, 'warnings'>, bootRecord: Bytes, random: RandomBytes) {
    this.#random = random;
    this.#sectors = sectors;
    this.sectorSize = located.sectorSize;
    this.#header = located.header;
    this.#sector = located.sector;
    this.#entries = located.entries;
    this.#oldBootRecord = bootRecord;
    const primary = located.header.MyLBA === 1n;
    this.#primaryEntries = primary ? Number(located.header.PartitionEntryLBA) : 2;
    this.#backup = Number(primary ? located.header.AlternateLBA : located.header.MyLBA);
    // A backup beyond the end of the disk (it was cut) or in front of the entries comes to the end.
    const end = this.#sectors - 1;
    if (!(this.#backup > 2 && this.#backup <= end)) this.#backup = end;
  }

  /** An empty table for a disk of `size` bytes. Throws EINVAL where it does not fit. */
  static create(size: number, sectorSize: number, random: RandomBytes, id?: string): GptLabel {
    const sectors = Math.floor(size / sectorSize);
    const entrySectors = Math.ceil((ENTRIES * GPT_ENTRY.size) / sectorSize);
    const first = 2 + entrySectors;
    const last = sectors - 2 - entrySectors;
    if (last < first) invalid(`a GPT does not fit on a disk of ${size} bytes; use an MBR`);
    const header: GptHeader = {
      Signature: GPT_SIGNATURE,
      Revision: GPT_REVISION,
      HeaderSize: GPT_HEADER.size,
      HeaderCRC32: 0,
      Reserved: 0,
      MyLBA: 1n,
      AlternateLBA: BigInt(sectors - 1),
      FirstUsableLBA: BigInt(first),
      LastUsableLBA: BigInt(last),
      DiskGUID: id === undefined ? randomGuid(random) : parseGuid(id),
      PartitionEntryLBA: 2n,
      NumberOfPartitionEntries: ENTRIES,
      SizeOfPartitionEntry: GPT_ENTRY.size,
      PartitionEntryArrayCRC32: 0,
    };
    const blank = new Uint8Array(sectorSize);
    const entries = new Uint8Array(ENTRIES * GPT_ENTRY.size);
    const label = new GptLabel(sectors, { sectorSize, header, sector: blank, entries }, new Uint8Array(BOOT_RECORD_SIZE), random);
    label.#bootRecord = label.#protectiveRecord(new Uint8Array(BOOT_RECORD_SIZE));
    return label;
  }

  /** The table that was found on a disk. */
  static load(device: BlockDevice, located: LocatedGpt, bootRecord: Bytes, random: RandomBytes): GptLabel {
    return new GptLabel(Math.floor(device.size / located.sectorSize), located, bootRecord.slice(0, BOOT_RECORD_SIZE), random);
  }

  get firstUsable(): number {
    return Number(this.#header.FirstUsableLBA);
  }

  /** The last sector for partitions: what the header says, and in front of the backup. */
  get lastUsable(): number {
    const said = this.#header.LastUsableLBA;
    const possible = this.#backupEntries - 1;
    return said < BigInt(possible) ? Number(said) : possible;
  }

  get id(): string {
    return guidText(this.#header.DiskGUID).toLowerCase();
  }

  get partitions(): readonly EditablePartition[] {
    const found: EditablePartition[] = [];
    for (let index = 0; index < this.#header.NumberOfPartitionEntries; index++) {
      const at = index * this.#header.SizeOfPartitionEntry;
      if (isZero(this.#entries, at, at + 16)) continue;
      const entry = GPT_ENTRY.read(this.#entries, at);
      found.push({
        number: index + 1,
        kind: 'primary',
        first: Number(entry.StartingLBA),
        last: Number(entry.EndingLBA),
        type: guidText(entry.PartitionTypeGUID),
        bootable: (entry.Attributes & GPT_ATTRIBUTE_LEGACY_BOOT) !== 0n,
        name: gptName(entry.PartitionName),
        uuid: guidText(entry.UniquePartitionGUID).toLowerCase(),
        attributes: entry.Attributes,
      });
    }
    return found;
  }

  add(partition: NewPartition): number {
    const { first, last, kind = 'primary' } = partition;
    if (kind !== 'primary') invalid(`a GPT has no ${kind} partitions`);
    const partitions = this.partitions;
    checkBounds(this, first, last);
    checkFree(partitions, first, last);
    const taken = new Set(partitions.map(({ number }) => number));
    let number = partition.number ?? 1;
    if (partition.number === undefined) while (taken.has(number)) number++;
    else if (taken.has(number)) invalid(`there is a partition ${number} already`);
    const most = this.#header.NumberOfPartitionEntries;
    if (number > most || number < 1 || !Number.isInteger(number))
      throw new Posix('ENOSPC', { layer: 'partition' }, `the GPT has entries for partitions 1 to ${most}, none for ${number}`);
    const at = (number - 1) * this.#header.SizeOfPartitionEntry;
    this.#entries.fill(0, at, at + this.#header.SizeOfPartitionEntry);
    GPT_ENTRY.write(this.#entries, at, {
      PartitionTypeGUID: parseType(partition.type ?? GPT_LINUX_FILESYSTEM),
      UniquePartitionGUID: partition.uuid === undefined ? randomGuid(this.#random) : parseGuid(partition.uuid),
      StartingLBA: BigInt(first),
      EndingLBA: BigInt(last),
      Attributes: 0n,
      PartitionName: nameUnits(partition.name ?? ''),
    });
    return number;
  }

  remove(number: number): void {
    const at = this.#entryOf(number);
    this.#entries.fill(0, at, at + this.#header.SizeOfPartitionEntry);
  }

  resize(number: number, last: number): void {
    const at = this.#entryOf(number);
    const first = Number(GPT_ENTRY.read(this.#entries, at).StartingLBA);
    checkBounds(this, first, last);
    checkFree(
      this.partitions.filter((other) => other.number !== number),
      first,
      last,
    );
    GPT_ENTRY.write(this.#entries, at, { EndingLBA: BigInt(last) });
  }

  setBootable(number: number, bootable: boolean): void {
    const { Attributes } = GPT_ENTRY.read(this.#entries, this.#entryOf(number));
    this.setAttributes(number, bootable ? Attributes | GPT_ATTRIBUTE_LEGACY_BOOT : Attributes & ~GPT_ATTRIBUTE_LEGACY_BOOT);
  }

  setType(number: number, type: string): void {
    GPT_ENTRY.write(this.#entries, this.#entryOf(number), { PartitionTypeGUID: parseType(type) });
  }

  setName(number: number, name: string): void {
    GPT_ENTRY.write(this.#entries, this.#entryOf(number), { PartitionName: nameUnits(name) });
  }

  setUuid(number: number, uuid: string): void {
    GPT_ENTRY.write(this.#entries, this.#entryOf(number), { UniquePartitionGUID: parseGuid(uuid) });
  }

  setAttributes(number: number, attributes: bigint): void {
    GPT_ENTRY.write(this.#entries, this.#entryOf(number), { Attributes: BigInt.asUintN(64, attributes) });
  }

  setId(id?: string): void {
    this.#header.DiskGUID = id === undefined ? randomGuid(this.#random) : parseGuid(id);
  }

  expand(): void {
    this.#backup = this.#sectors - 1;
    this.#header.LastUsableLBA = BigInt(this.#backupEntries - 1);
    const record = this.#protectiveRecord(this.#oldBootRecord);
    if (!record.every((byte, i) => byte === this.#oldBootRecord[i])) this.#bootRecord = record;
  }

  /** The backup first, then the primary, then the boot record: one of the two copies is whole at any time. */
  *store(device: WritableDevice): Io<void> {
    const entrySectors = this.#entrySectors;
    for (const { number, last } of this.partitions) {
      if (last >= this.#backupEntries && last < this.#sectors)
        throw new Refused(`partition ${number} ends at sector ${last}, where the backup of the GPT has to be; make it smaller first`);
    }
    if (this.#primaryEntries < 2 || this.#primaryEntries + entrySectors > this.firstUsable || this.lastUsable < this.firstUsable)
      throw new Refused(`the entries of the GPT, from sector ${this.#primaryEntries}, meet its usable sectors, from ${this.firstUsable}`);
    this.#header.LastUsableLBA = BigInt(this.lastUsable);
    const entries = new Uint8Array(entrySectors * this.sectorSize);
    entries.set(this.#entries);
    yield* device.write(this.#backupEntries * this.sectorSize, entries);
    yield* device.write(this.#backup * this.sectorSize, this.#headerSector(this.#backup, 1, this.#backupEntries));
    yield* device.flush();
    yield* device.write(this.#primaryEntries * this.sectorSize, entries);
    yield* device.write(this.sectorSize, this.#headerSector(1, this.#backup, this.#primaryEntries));
    yield* device.flush();
    if (this.#bootRecord !== undefined) {
      yield* device.write(0, this.#bootRecord);
      yield* device.flush();
    }
  }

  get #entrySectors(): number {
    return Math.ceil((this.#header.NumberOfPartitionEntries * this.#header.SizeOfPartitionEntry) / this.sectorSize);
  }

  get #backupEntries(): number {
    return this.#backup - this.#entrySectors;
  }

  #headerSector(own: number, alternate: number, entries: number): Bytes {
    const sector = this.#sector.slice();
    GPT_HEADER.write(sector, 0, {
      ...this.#header,
      MyLBA: BigInt(own),
      AlternateLBA: BigInt(alternate),
      PartitionEntryLBA: BigInt(entries),
      PartitionEntryArrayCRC32: crc32(this.#entries),
      HeaderCRC32: 0,
    });
    viewOf(sector).setUint32(GPT_HEADER.fields.HeaderCRC32.offset, crc32(sector, 0, this.#header.HeaderSize), true);
    return sector;
  }

  /** The boot record with the protective entry as the disk's size wants it. */
  #protectiveRecord(old: Bytes): Bytes {
    const record = old.slice();
    const slot = readMbrEntries(record).findIndex((entry) => entry.OSType === TYPE_GPT_PROTECTIVE);
    const size = { SizeInLBA: Math.min(this.#sectors - 1, MAX_U32) };
    // In a hybrid MBR the protective entry covers what its maker wanted; it is left alone.
    const hybrid = readMbrEntries(record).filter((entry) => entry.OSType !== 0).length > 1;
    if (hybrid) return record;
    const at = MBR_ENTRIES_OFFSET + Math.max(slot, 0) * MBR_ENTRY.size;
    if (slot >= 0) MBR_ENTRY.write(record, at, size);
    else {
      MBR_ENTRY.write(record, at, {
        BootIndicator: 0,
        StartingCHS: CHS_OF_SECTOR_1,
        OSType: TYPE_GPT_PROTECTIVE,
        EndingCHS: CHS_BEYOND,
        StartingLBA: PROTECTIVE_START,
        ...size,
      });
    }
    MASTER_BOOT_RECORD.write(record, 0, { Signature: BOOT_SIGNATURE });
    return record;
  }

  /** Byte offset of a partition's entry. */
  #entryOf(number: number): number {
    const at = (number - 1) * this.#header.SizeOfPartitionEntry;
    const there = Number.isInteger(number) && number >= 1 && number <= this.#header.NumberOfPartitionEntries;
    if (!there || isZero(this.#entries, at, at + 16)) throw new Posix('ENOENT', { layer: 'partition' }, `there is no partition ${number}`);
    return at;
  }
}

function parseType(type: string): Bytes {
  const bytes = parseGuid(type);
  return isZero(bytes) ? invalid('a partition cannot have the type of unused entries') : bytes;
}

function nameUnits(name: string): number[] {
  if (name.length > GPT_NAME_UNITS) invalid(`a GPT partition name has at most ${GPT_NAME_UNITS} UTF-16 units, this one ${name.length}`);
  return gptNameUnits(name);
}
