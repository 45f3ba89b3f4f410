/**
 * GUID partition tables, checked as the UEFI specification (5.3.2) and Linux (block/partitions/efi.c) check them.
 *
 * Unlike Linux, and like partx and sgdisk, a bad primary header is no end: the backup at the end of the disk is used, with a warning.
 */
import { crc32 } from '../bytes/crc32.ts';
import type { Bytes } from '../bytes/struct.ts';
import { isZero } from '../bytes/text.ts';
import { guidText } from '../bytes/uuid.ts';
import { Corrupt, type Warning } from '../errors.ts';
import type { BlockDevice } from '../io/device.ts';
import type { Io } from '../io/effect.ts';
import { fitOnDevice } from './extent.ts';
import { GPT_ATTRIBUTE_LEGACY_BOOT, GPT_ENTRY, GPT_HEADER, GPT_SIGNATURE, type GptHeader, gptName } from './format.ts';
import { overlaps } from './mbr.ts';
import type { Partition, PartitionTable } from './table.ts';
import { gptTypeName } from './types.ts';

/** Sector sizes in the order in which they are tried. */
const SECTOR_SIZES = [512, 4096, 2048, 1024] as const;
/** The entry array of a usual table is 16 KiB; beyond this it is no table. */
const MAX_ENTRY_ARRAY = 4 << 20;
const MAX_LBA = 1n << 53n;

/** A header whose checksum, place and geometry are right. */
export interface LocatedGpt {
  readonly sectorSize: number;
  readonly header: GptHeader;
  /** The whole sector of the header. */
  readonly sector: Bytes;
  readonly entries: Bytes;
  /** Why the primary header was not taken. */
  readonly warnings: readonly Warning[];
}

/** Why a header cannot be used; undefined as `problem` when there is not even a signature. */
interface Unusable {
  readonly problem: string | undefined;
  /** Where the header, trusted or not, says that its other copy is. */
  readonly alternate?: bigint;
}

/** Reads the table of a disk that has a protective MBR. Throws Corrupt when neither copy can be used. */
export function* readGpt(device: BlockDevice, sectorSize?: number): Io<PartitionTable> {
  return decode(device, yield* locateGpt(device, sectorSize));
}

/** Finds the copy of a GPT that can be used: the primary one, else the backup. Throws Corrupt when neither can. */
export function* locateGpt(device: BlockDevice, sectorSize?: number): Io<LocatedGpt> {
  const sectorSizes = sectorSize === undefined ? SECTOR_SIZES : [sectorSize];
  const hints: { sectorSize: number; lba: number }[] = [];
  let problem: string | undefined;
  for (const size of sectorSizes) {
    const found = yield* readCopy(device, size, 1);
    if ('header' in found) return found;
    problem ??= found.problem;
    if (found.alternate !== undefined && found.alternate > 1n && found.alternate < MAX_LBA) {
      hints.push({ sectorSize: size, lba: Number(found.alternate) });
    }
  }
  const reason = problem ?? 'it has no signature';
  for (const size of sectorSizes) hints.push({ sectorSize: size, lba: Math.floor(device.size / size) - 1 });
  for (const { sectorSize: size, lba } of hints) {
    if (lba < 2) continue;
    const found = yield* readCopy(device, size, lba);
    if ('header' in found) {
      const warning = { message: `the primary GPT header is damaged (${reason}); the backup is used`, offset: size };
      return { ...found, warnings: [warning] };
    }
  }
  throw new Corrupt(`the disk has a protective MBR, but its primary GPT header cannot be used (${reason}) and no backup was found`, {
    layer: 'gpt',
    offset: hints[0]?.sectorSize ?? 512,
  });
}

function* readCopy(device: BlockDevice, sectorSize: number, lba: number): Io<LocatedGpt | Unusable> {
  const at = lba * sectorSize;
  if (at + sectorSize > device.size) return { problem: undefined };
  const sector = (yield* device.read(at, sectorSize)).slice();
  const header = GPT_HEADER.read(sector);
  if (header.Signature !== GPT_SIGNATURE) return { problem: undefined };
  const problem = headerProblem(header, sector, lba, sectorSize, device.size);
  if (problem !== undefined) return { problem, alternate: header.AlternateLBA };
  const entriesAt = Number(header.PartitionEntryLBA) * sectorSize;
  const length = header.NumberOfPartitionEntries * header.SizeOfPartitionEntry;
  if (entriesAt + length > device.size) return { problem: 'its entries lie beyond the end of the disk', alternate: header.AlternateLBA };
  const entries = (yield* device.read(entriesAt, length)).slice();
  if (crc32(entries) !== header.PartitionEntryArrayCRC32) {
    return { problem: 'the checksum of its entries is wrong', alternate: header.AlternateLBA };
  }
  return { sectorSize, header, sector, entries, warnings: [] };
}

function headerProblem(header: GptHeader, sector: Bytes, lba: number, sectorSize: number, deviceSize: number): string | undefined {
  if (header.HeaderSize < GPT_HEADER.size || header.HeaderSize > sectorSize) return `its size of ${header.HeaderSize} bytes is impossible`;
  const copy = sector.slice(0, header.HeaderSize);
  GPT_HEADER.write(copy, 0, { HeaderCRC32: 0 });
  if (crc32(copy) !== header.HeaderCRC32) return 'its checksum is wrong';
  if (header.MyLBA !== BigInt(lba)) return `it says that it stands at sector ${header.MyLBA}`;
  if (header.FirstUsableLBA > header.LastUsableLBA || header.FirstUsableLBA * BigInt(sectorSize) > BigInt(deviceSize)) {
    return 'its range of usable sectors is impossible';
  }
  const entrySize = header.SizeOfPartitionEntry;
  // 128 * 2^n, as the specification has it.
  if (
    entrySize < GPT_ENTRY.size ||
    entrySize > MAX_ENTRY_ARRAY ||
    entrySize % GPT_ENTRY.size !== 0 ||
    !Number.isInteger(Math.log2(entrySize))
  ) {
    return `its entry size of ${entrySize} bytes is impossible`;
  }
  const length = header.NumberOfPartitionEntries * entrySize;
  if (header.NumberOfPartitionEntries === 0 || length > MAX_ENTRY_ARRAY)
    return `its number of entries, ${header.NumberOfPartitionEntries}, is impossible`;
  if (header.PartitionEntryLBA >= MAX_LBA / 4096n) return 'its entries lie beyond the end of the disk';
  return undefined;
}

function decode(device: BlockDevice, located: LocatedGpt): PartitionTable {
  const { header, sectorSize } = located;
  const warnings: Warning[] = [...located.warnings];
  if (header.LastUsableLBA * BigInt(sectorSize) >= BigInt(device.size)) {
    warnings.push({
      message: `the GPT is for a disk of at least ${(header.LastUsableLBA + 1n) * BigInt(sectorSize)} bytes, this one has ${device.size}; the image may be truncated`,
    });
  }
  const partitions: Partition[] = [];
  for (let index = 0; index < header.NumberOfPartitionEntries; index++) {
    const partition = decodeEntry(device, located, index, warnings);
    if (partition !== undefined) partitions.push(partition);
  }
  warnings.push(...overlaps([...partitions].sort((a, b) => a.start - b.start)));
  return { scheme: 'gpt', sectorSize, id: guidText(header.DiskGUID).toLowerCase(), partitions, warnings };
}

function decodeEntry(device: BlockDevice, located: LocatedGpt, index: number, warnings: Warning[]): Partition | undefined {
  const { header, sectorSize, entries } = located;
  const at = index * header.SizeOfPartitionEntry;
  if (isZero(entries, at, at + 16)) return undefined;
  const entry = GPT_ENTRY.read(entries, at);
  const number = index + 1;
  if (entry.EndingLBA < entry.StartingLBA || entry.EndingLBA >= MAX_LBA / 4096n) {
    warnings.push({ message: `partition ${number} has impossible bounds (${entry.StartingLBA} to ${entry.EndingLBA}) and is left out` });
    return undefined;
  }
  if (entry.StartingLBA < header.FirstUsableLBA || entry.EndingLBA > header.LastUsableLBA) {
    warnings.push({ message: `partition ${number} leaves the usable sectors ${header.FirstUsableLBA} to ${header.LastUsableLBA}` });
  }
  const start = Number(entry.StartingLBA) * sectorSize;
  const size = (Number(entry.EndingLBA) + 1) * sectorSize - start;
  const range = fitOnDevice(`partition ${number}`, start, size, device.size, warnings);
  if (range === undefined) return undefined;
  const type = guidText(entry.PartitionTypeGUID);
  const typeName = gptTypeName(type);
  const name = gptName(entry.PartitionName);
  return {
    number,
    kind: 'primary',
    ...range,
    type,
    ...(typeName === undefined ? {} : { typeName }),
    uuid: guidText(entry.UniquePartitionGUID).toLowerCase(),
    ...(name === '' ? {} : { name }),
    bootable: (entry.Attributes & GPT_ATTRIBUTE_LEGACY_BOOT) !== 0n,
    attributes: entry.Attributes,
  };
}
