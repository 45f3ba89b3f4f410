/**
 * Changing MBR partition tables and their chains of extended boot records.
 *
 * Boot code, and in extended boot records all but the two entries that count, stay as they are. Logical partitions are numbered in the order
 * of the chain; each has its extended boot record in front of it, the first one's at the beginning of the extended partition.
 */
import type { Bytes } from '../bytes/struct.ts';
import { Posix } from '../errors.ts';
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
  EXTENDED_TYPES,
  MASTER_BOOT_RECORD,
  MBR_ACTIVE,
  MBR_ENTRIES_OFFSET,
  MBR_ENTRY,
  type MbrEntry,
  readMbrEntries,
  TYPE_GPT_PROTECTIVE,
} from './format.ts';
import { encodeChain, type Logical, MAX_PARTITION_NUMBER, placeOf, readChain, unusual } from './mbr-chain.ts';

const MAX_U32 = 0xffff_ffff;
const SLOTS = 4;
const FIRST_LOGICAL = 5;
const LINUX = 0x83;
/** Extended, with LBA. */
const EXTENDED_LBA = 0x0f;
const EMPTY_ENTRY: Bytes = new Uint8Array(MBR_ENTRY.size);
/** How far in front of a logical partition its extended boot record is put, at most. */
const RECORD_DISTANCE = 63;

export class MbrLabel implements EditableTable {
  readonly scheme = 'mbr';
  readonly sectorSize: number;
  readonly firstUsable = 1;
  readonly lastUsable: number;
  readonly #random: RandomBytes;
  readonly #record: Bytes;
  #logicals: Logical[];
  /** Whether the chain has to be written. */
  #chainChanged = false;

  private constructor(size: number, sectorSize: number, record: Bytes, logicals: Logical[], random: RandomBytes) {
    this.#random = random;
    this.sectorSize = sectorSize;
    this.lastUsable = Math.floor(size / sectorSize) - 1;
    this.#record = record;
    this.#logicals = logicals;
  }

  /** An empty table for a disk of `size` bytes; `id` is its signature as eight hexadecimal digits. */
  static create(size: number, sectorSize: number, random: RandomBytes, id?: string): MbrLabel {
    if (size < 2 * sectorSize) invalid(`a disk of ${size} bytes has no room for partitions`);
    const record = new Uint8Array(BOOT_RECORD_SIZE);
    const label = new MbrLabel(size, sectorSize, record, [], random);
    MASTER_BOOT_RECORD.write(record, 0, { Signature: BOOT_SIGNATURE });
    label.setId(id);
    return label;
  }

  /**
   * The table that was found on a disk; `record` is its boot record. Throws Unsupported for chains of extended boot records that are not as
   * all tools write them: they can be read, not changed.
   */
  static *load(device: BlockDevice, record: Bytes, sectorSize: number, random: RandomBytes): Io<MbrLabel> {
    const own = record.slice(0, BOOT_RECORD_SIZE);
    const extended = readMbrEntries(own).filter((entry) => entry.SizeInLBA !== 0 && EXTENDED_TYPES.has(entry.OSType));
    if (extended.length > 1) throw unusual('there are two extended partitions');
    const [only] = extended;
    const logicals = only === undefined ? [] : yield* readChain(device, only, sectorSize);
    return new MbrLabel(device.size, sectorSize, own, logicals, random);
  }

  get id(): string {
    return MASTER_BOOT_RECORD.read(this.#record).UniqueMBRDiskSignature.toString(16).padStart(8, '0');
  }

  get partitions(): readonly EditablePartition[] {
    const found: EditablePartition[] = [];
    for (const [slot, entry] of readMbrEntries(this.#record).entries()) {
      if (entry.SizeInLBA === 0) continue;
      found.push({
        number: slot + 1,
        kind: EXTENDED_TYPES.has(entry.OSType) ? 'extended' : 'primary',
        first: entry.StartingLBA,
        last: entry.StartingLBA + entry.SizeInLBA - 1,
        type: typeText(entry.OSType),
        bootable: entry.BootIndicator === MBR_ACTIVE,
        name: '',
      });
    }
    for (const [i, { first, last, type, active }] of this.#logicals.entries())
      found.push({ number: FIRST_LOGICAL + i, kind: 'logical', first, last, type: typeText(type), bootable: active, name: '' });
    return found;
  }

  add(partition: NewPartition): number {
    const { first, last, kind = 'primary' } = partition;
    if (partition.name !== undefined && partition.name !== '') invalid('partitions of an MBR have no names');
    if (partition.uuid !== undefined) invalid('partitions of an MBR have no GUIDs');
    const type = partition.type === undefined ? (kind === 'extended' ? EXTENDED_LBA : LINUX) : parseType(partition.type);
    if (EXTENDED_TYPES.has(type) !== (kind === 'extended')) invalid(`a ${kind} partition cannot have type ${typeText(type)}`);
    checkBounds(this, first, last);
    checkAddresses(first, last);
    if (kind === 'logical') return this.#addLogical(first, last, type, partition.number);
    const partitions = this.partitions.filter((other) => other.kind !== 'logical');
    if (kind === 'extended' && partitions.some((other) => other.kind === 'extended')) invalid('there can be only one extended partition');
    checkFree(partitions, first, last);
    const taken = new Set(partitions.map(({ number }) => number));
    let number = partition.number ?? 1;
    if (partition.number === undefined) while (taken.has(number)) number++;
    else if (taken.has(number)) invalid(`there is a partition ${number} already`);
    if (!(Number.isInteger(number) && number >= 1 && number <= SLOTS))
      throw new Posix('ENOSPC', { layer: 'partition' }, `an MBR has primary partitions 1 to ${SLOTS}, none is free for ${number}`);
    this.#writeEntry(number, { BootIndicator: 0, ...placeOf(first, last, 0), OSType: type });
    if (kind === 'extended') this.#chainChanged = true;
    return number;
  }

  #addLogical(first: number, last: number, type: number, wanted: number | undefined): number {
    const extended = this.#extended();
    if (extended === undefined) invalid('a logical partition needs an extended one around it');
    if (first <= extended.first || last > extended.last)
      invalid(`sectors ${first} to ${last} leave the extended partition, sectors ${extended.first + 1} to ${extended.last}`);
    const number = FIRST_LOGICAL + this.#logicals.length;
    if (wanted !== undefined && wanted !== number) invalid(`the next logical partition has number ${number}`);
    if (number > MAX_PARTITION_NUMBER)
      throw new Posix('ENOSPC', { layer: 'partition' }, `there are no partitions above number ${MAX_PARTITION_NUMBER}`);
    const logical = { recordAt: extended.first, record: new Uint8Array(BOOT_RECORD_SIZE), first, last, type, active: false };
    this.#setLogicals(extended, [...this.#logicals, logical]);
    return number;
  }

  /** Takes other logical partitions, and finds places for their boot records; one whose place is free stays where it is. */
  #setLogicals(extended: EditablePartition, logicals: readonly Logical[]): void {
    const ranges = logicals.map(({ first, last }, i) => ({ number: FIRST_LOGICAL + i, first, last }));
    for (const { number, first, last } of ranges) {
      checkFree(
        ranges.filter((other) => other.number !== number),
        first,
        last,
      );
    }
    this.#logicals = logicals.map((logical, i) => {
      // The first record of the chain stands at the beginning, whichever partition it describes.
      if (i === 0) return { ...logical, recordAt: extended.first };
      const { first, recordAt } = logical;
      const free = Math.max(extended.first, ...ranges.filter((other) => other.last < first).map((other) => other.last)) + 1;
      if (free >= first) invalid(`sector ${first - 1} has to be free: the boot record of a logical partition stands in front of it`);
      const stays = recordAt >= free && recordAt < first;
      return { ...logical, recordAt: stays ? recordAt : Math.max(free, first - RECORD_DISTANCE) };
    });
    this.#chainChanged = true;
  }

  remove(number: number): void {
    const extended = this.#extended();
    if (number >= FIRST_LOGICAL && extended !== undefined && this.#partition(number).kind === 'logical') {
      this.#setLogicals(
        extended,
        this.#logicals.filter((_, i) => FIRST_LOGICAL + i !== number),
      );
      return;
    }
    const { kind } = this.#partition(number);
    if (kind === 'extended') {
      this.#logicals = [];
      this.#chainChanged = false;
    }
    this.#record.set(EMPTY_ENTRY, slotOffset(number));
  }

  resize(number: number, last: number): void {
    const { kind, first } = this.#partition(number);
    checkBounds(this, first, last);
    checkAddresses(first, last);
    if (kind === 'logical') {
      const extended = this.#extended();
      if (extended === undefined || last > extended.last) invalid(`sector ${last} lies beyond the end of the extended partition`);
      this.#setLogicals(
        extended,
        this.#logicals.map((logical, i) => (FIRST_LOGICAL + i === number ? { ...logical, last } : logical)),
      );
      return;
    }
    checkFree(
      this.partitions.filter((other) => other.kind !== 'logical' && other.number !== number),
      first,
      last,
    );
    const outside = kind === 'extended' ? this.#logicals.find((logical) => logical.last > last) : undefined;
    if (outside !== undefined) invalid(`a logical partition ends at sector ${outside.last}, beyond ${last}`);
    this.#writeEntry(number, placeOf(first, last, 0));
  }

  /** A BIOS boots the only partition that is active: with one the others stop to be it. */
  setBootable(number: number, bootable: boolean): void {
    this.#partition(number);
    for (const other of this.partitions) {
      const active = other.number === number ? bootable : other.bootable && !bootable;
      if (other.kind !== 'logical') this.#writeEntry(other.number, { BootIndicator: active ? MBR_ACTIVE : 0 });
      else if (active !== other.bootable) {
        this.#logicals = this.#logicals.map((logical, i) => (FIRST_LOGICAL + i === other.number ? { ...logical, active } : logical));
        this.#chainChanged = true;
      }
    }
  }

  setType(number: number, text: string): void {
    const type = parseType(text);
    const { kind } = this.#partition(number);
    if ((kind === 'extended') !== EXTENDED_TYPES.has(type)) invalid(`a ${kind} partition cannot have type ${typeText(type)}`);
    if (type === TYPE_GPT_PROTECTIVE) invalid('type ee is for the MBR of GPT disks');
    if (kind !== 'logical') this.#writeEntry(number, { OSType: type });
    else {
      this.#logicals = this.#logicals.map((logical, i) => (FIRST_LOGICAL + i === number ? { ...logical, type } : logical));
      this.#chainChanged = true;
    }
  }

  setName(): void {
    invalid('partitions of an MBR have no names');
  }

  setUuid(): void {
    invalid('partitions of an MBR have no GUIDs');
  }

  setAttributes(): void {
    invalid('partitions of an MBR have no attributes');
  }

  setId(id: string = hexadecimal(this.#random(4))): void {
    if (!/^[0-9a-f]{8}$/i.test(id)) invalid(`the signature of an MBR is eight hexadecimal digits, not ${id}`);
    MASTER_BOOT_RECORD.write(this.#record, 0, { UniqueMBRDiskSignature: Number.parseInt(id, 16) });
  }

  expand(): void {}

  /** The chain from its end to its beginning, then the boot record: what is reachable is whole. */
  *store(device: WritableDevice): Io<void> {
    const extended = this.#extended();
    if (this.#chainChanged && extended !== undefined) {
      const { sectorSize } = this;
      const records = encodeChain(extended.first, this.#logicals);
      for (const { at, bytes } of records.reverse()) yield* device.write(at * sectorSize, bytes);
      yield* device.flush();
    }
    yield* device.write(0, this.#record);
    yield* device.flush();
  }

  #extended(): EditablePartition | undefined {
    return this.partitions.find((partition) => partition.kind === 'extended');
  }

  #partition(number: number): EditablePartition {
    const found = this.partitions.find((partition) => partition.number === number);
    if (found === undefined) throw new Posix('ENOENT', { layer: 'partition' }, `there is no partition ${number}`);
    return found;
  }

  #writeEntry(number: number, fields: Partial<MbrEntry>): void {
    MBR_ENTRY.write(this.#record, slotOffset(number), fields);
  }
}

function checkAddresses(first: number, last: number): void {
  if (first > MAX_U32 || last - first + 1 > MAX_U32)
    invalid(`sectors ${first} to ${last} are beyond what an MBR can say (${MAX_U32}); use a GPT`);
}

const slotOffset = (number: number): number => MBR_ENTRIES_OFFSET + (number - 1) * MBR_ENTRY.size;
const hexadecimal = (bytes: Bytes): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
const typeText = (type: number): string => type.toString(16).padStart(2, '0');

/** 00 is the type of unused entries. */
function parseType(text: string): number {
  if (!/^[0-9a-f]{1,2}$/i.test(text)) invalid(`an MBR type is two hexadecimal digits, not ${text}`);
  return Number.parseInt(text, 16);
}
