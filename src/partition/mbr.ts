/**
 * MBR partition tables with their chains of extended boot records, by the rules of Linux (block/partitions/msdos.c).
 *
 * One rule is ours: a chain that comes back to a boot record it has already visited ends there, where Linux goes round until it runs
 * out of device numbers.
 */
import { type Bytes, viewOf } from '../bytes/struct.ts';
import type { Warning } from '../errors.ts';
import type { BlockDevice } from '../io/device.ts';
import type { Io } from '../io/effect.ts';
import { fitOnDevice } from './extent.ts';
import {
  BOOT_RECORD_SIZE,
  BOOT_SIGNATURE,
  EXTENDED_TYPES,
  MASTER_BOOT_RECORD,
  type MbrEntry,
  readMbrEntries,
  TYPE_GPT_PROTECTIVE,
} from './format.ts';
import type { Partition, PartitionTable } from './table.ts';
import { mbrTypeName } from './types.ts';

/** The highest partition number that Linux gives on a disk (DISK_MAX_PARTS - 1). */
const MAX_PARTITION_NUMBER = 255;
/** Boot records without a partition that are followed in a row. */
const MAX_EMPTY_LINKS = 100;

/** FreeBSD, OpenBSD, NetBSD. */
const BSD_TYPES: ReadonlySet<string> = new Set(['a5', 'a6', 'a9']);
/** The label stands in the second sector of its partition (sys/disklabel.h). */
const BSD_LABEL_OFFSET = 512;
const BSD_LABEL_MAGIC = 0x82564557;

export type MbrKind = 'protective' | 'table';

/** What the boot record is: undefined when it is no partition table, `protective` when an entry says that GPT rules here. */
export function mbrKind(sector: Bytes): MbrKind | undefined {
  if (sector.length < BOOT_RECORD_SIZE) return undefined;
  if (MASTER_BOOT_RECORD.read(sector).Signature !== BOOT_SIGNATURE) return undefined;
  const entries = readMbrEntries(sector);
  if (entries.some((entry) => entry.OSType === TYPE_GPT_PROTECTIVE)) return 'protective';
  return entries.every((entry) => entry.BootIndicator === 0 || entry.BootIndicator === 0x80) ? 'table' : undefined;
}

const isExtended = (entry: MbrEntry): boolean => EXTENDED_TYPES.has(entry.OSType);
const isUsed = (entry: MbrEntry): boolean => entry.SizeInLBA !== 0;

/** Reads the table whose boot record is `sector`; for a sector that {@link mbrKind} calls a table. */
export function* readMbr(device: BlockDevice, sector: Bytes, sectorSize: number): Io<PartitionTable> {
  return yield* new MbrReader(device, sector, sectorSize).read();
}

class MbrReader {
  readonly #device: BlockDevice;
  readonly #sector: Bytes;
  readonly #sectorSize: number;
  readonly #id: string | undefined;
  readonly #partitions: Partition[] = [];
  readonly #warnings: Warning[] = [];
  readonly #visited = new Set<number>([0]);
  #nextLogical = 5;

  constructor(device: BlockDevice, sector: Bytes, sectorSize: number) {
    this.#device = device;
    this.#sector = sector;
    this.#sectorSize = sectorSize;
    const signature = MASTER_BOOT_RECORD.read(sector).UniqueMBRDiskSignature;
    this.#id = signature === 0 ? undefined : signature.toString(16).padStart(8, '0');
  }

  *read(): Io<PartitionTable> {
    const entries = readMbrEntries(this.#sector);
    for (const [slot, entry] of entries.entries()) {
      if (isUsed(entry)) this.#add(slot + 1, isExtended(entry) ? 'extended' : 'primary', entry.StartingLBA, entry);
    }
    for (const entry of entries) {
      if (isUsed(entry) && isExtended(entry)) yield* this.#followChain(entry.StartingLBA, entry.SizeInLBA);
    }
    yield* this.#warnAboutDisklabels();
    this.#warnAboutOverlaps();
    return {
      scheme: 'mbr',
      sectorSize: this.#sectorSize,
      ...(this.#id === undefined ? {} : { id: this.#id }),
      partitions: this.#partitions,
      warnings: this.#warnings,
    };
  }

  #add(number: number, kind: Partition['kind'], lba: number, entry: MbrEntry): void {
    const range = fitOnDevice(
      `partition ${number}`,
      lba * this.#sectorSize,
      entry.SizeInLBA * this.#sectorSize,
      this.#device.size,
      this.#warnings,
    );
    if (range === undefined) return;
    const typeName = mbrTypeName(entry.OSType);
    this.#partitions.push({
      number,
      kind,
      ...range,
      type: entry.OSType.toString(16).padStart(2, '0'),
      ...(typeName === undefined ? {} : { typeName }),
      ...(this.#id === undefined ? {} : { uuid: `${this.#id}-${number.toString(16).padStart(2, '0')}` }),
      bootable: entry.BootIndicator === 0x80,
    });
  }

  /** Walks the extended boot records of the extended partition at `first` (sectors), numbering what they hold. */
  *#followChain(first: number, firstSize: number): Io<void> {
    let lba = first;
    let size = firstSize;
    let empty = 0;
    for (;;) {
      const at = lba * this.#sectorSize;
      if (this.#visited.has(lba)) return this.#warn('the chain of extended boot records goes in a circle; it is cut there', at);
      this.#visited.add(lba);
      if (at + BOOT_RECORD_SIZE > this.#device.size) return this.#warn('an extended boot record lies beyond the end of the disk', at);
      const record = yield* this.#device.read(at, BOOT_RECORD_SIZE);
      if (MASTER_BOOT_RECORD.read(record).Signature !== BOOT_SIGNATURE) {
        // A freshly made extended partition has no boot record yet.
        if (lba !== first) this.#warn('an extended boot record has no signature; the chain ends there', at);
        return;
      }
      const entries = readMbrEntries(record);
      empty++;
      for (const [slot, entry] of entries.entries()) {
        if (!isUsed(entry) || isExtended(entry)) continue;
        const start = lba + entry.StartingLBA;
        // The third and fourth entries often hold garbage.
        if (slot >= 2 && (entry.StartingLBA + entry.SizeInLBA > size || start + entry.SizeInLBA > first + firstSize)) continue;
        if (this.#nextLogical > MAX_PARTITION_NUMBER) return this.#warn(`partitions after number ${MAX_PARTITION_NUMBER} are left out`, at);
        this.#add(this.#nextLogical++, 'logical', start, entry);
        empty = 0;
      }
      if (empty > MAX_EMPTY_LINKS) return this.#warn(`more than ${MAX_EMPTY_LINKS} empty extended boot records in a row`, at);
      const link = entries.find((entry) => isUsed(entry) && isExtended(entry));
      if (link === undefined) return;
      lba = first + link.StartingLBA;
      size = link.SizeInLBA;
    }
  }

  /** Linux lists the partitions of a BSD label after the logical ones; we say that there are some. */
  *#warnAboutDisklabels(): Io<void> {
    for (const { number, type, start, size } of this.#partitions) {
      if (!BSD_TYPES.has(type) || size < BSD_LABEL_OFFSET + 4) continue;
      const label = yield* this.#device.read(start + BSD_LABEL_OFFSET, 4);
      if (viewOf(label).getUint32(0, true) !== BSD_LABEL_MAGIC) continue;
      this.#warn(`partition ${number} is divided by a BSD disk label; the partitions inside are not listed`, start);
    }
  }

  #warn(message: string, offset: number): void {
    this.#warnings.push({ message, offset });
  }

  #warnAboutOverlaps(): void {
    const data = this.#partitions.filter((partition) => partition.kind !== 'extended').sort((a, b) => a.start - b.start);
    this.#warnings.push(...overlaps(data));
  }
}

/** A warning for each partition that begins before the one in front of it ends; `sorted` by start. */
export function overlaps(sorted: readonly Partition[]): Warning[] {
  const warnings: Warning[] = [];
  let furthest: Partition | undefined;
  for (const partition of sorted) {
    if (furthest !== undefined && partition.start < furthest.start + furthest.size) {
      warnings.push({ message: `partitions ${furthest.number} and ${partition.number} overlap`, offset: partition.start });
    }
    if (furthest === undefined || partition.start + partition.size > furthest.start + furthest.size) furthest = partition;
  }
  return warnings;
}
