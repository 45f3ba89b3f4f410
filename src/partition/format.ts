/**
 * The structures of MBR and GPT partition tables on disk.
 *
 * Sources: UEFI specification 2.10, chapter 5 (GUID Partition Table disk layout, legacy and protective MBR).
 */
import { array, type Bytes, type Decoded, type Field, le, raw, type Struct, struct, u8 } from '../bytes/struct.ts';

/** The signature 55 AA, read little-endian, at the end of a boot record. */
export const BOOT_SIGNATURE = 0xaa55;
/** Where the four entries of a boot record stand. */
export const MBR_ENTRIES_OFFSET = 446;
/** Where the boot signature stands. */
export const BOOT_SIGNATURE_OFFSET = 510;
/** A boot record is 512 bytes, whatever the sector size. */
export const BOOT_RECORD_SIZE = 512;

/** Type of the entry that covers a GPT disk for tools that know only MBR. */
export const TYPE_GPT_PROTECTIVE = 0xee;
/** The types of extended partitions: CHS, LBA and Linux's own. */
export const EXTENDED_TYPES: ReadonlySet<number> = new Set([0x05, 0x0f, 0x85]);

/** The fields of a master boot record beside its four entries; boot code before them is left alone. */
export const MASTER_BOOT_RECORD: Struct<Record<'UniqueMBRDiskSignature' | 'Unknown' | 'Signature', Field<number>>> = struct(
  'master boot record',
  BOOT_RECORD_SIZE,
  {
    UniqueMBRDiskSignature: le.u32(440),
    Unknown: le.u16(444),
    Signature: le.u16(BOOT_SIGNATURE_OFFSET),
  },
);

/** `BootIndicator` of the partition that a BIOS boots. */
export const MBR_ACTIVE = 0x80;

/** One entry of a master or extended boot record. */
export const MBR_ENTRY: Struct<
  Record<'BootIndicator' | 'OSType' | 'StartingLBA' | 'SizeInLBA', Field<number>> & Record<'StartingCHS' | 'EndingCHS', Field<Bytes>>
> = struct('MBR partition entry', 16, {
  BootIndicator: u8(0),
  StartingCHS: raw(1, 3),
  OSType: u8(4),
  EndingCHS: raw(5, 3),
  StartingLBA: le.u32(8),
  SizeInLBA: le.u32(12),
});
export type MbrEntry = Decoded<typeof MBR_ENTRY>;

/** The four entries of the boot record that begins at `offset`. */
export function readMbrEntries(bytes: Bytes, offset = 0): readonly [MbrEntry, MbrEntry, MbrEntry, MbrEntry] {
  const entry = (slot: number): MbrEntry => MBR_ENTRY.read(bytes, offset + MBR_ENTRIES_OFFSET + slot * MBR_ENTRY.size);
  return [entry(0), entry(1), entry(2), entry(3)];
}

/** "EFI PART", little-endian. */
export const GPT_SIGNATURE = 0x5452415020494645n;
/** Header revision 1.0, the only one there is. */
export const GPT_REVISION = 0x00010000;

/** The GPT header. Its 64-bit numbers are kept whole: a damaged header must not stop us from looking at the other one. */
export const GPT_HEADER: Struct<
  Record<'Signature' | 'MyLBA' | 'AlternateLBA' | 'FirstUsableLBA' | 'LastUsableLBA' | 'PartitionEntryLBA', Field<bigint>> &
    Record<
      | 'Revision'
      | 'HeaderSize'
      | 'HeaderCRC32'
      | 'Reserved'
      | 'NumberOfPartitionEntries'
      | 'SizeOfPartitionEntry'
      | 'PartitionEntryArrayCRC32',
      Field<number>
    > & { DiskGUID: Field<Bytes> }
> = struct('GPT header', 92, {
  Signature: le.u64bits(0),
  Revision: le.u32(8),
  HeaderSize: le.u32(12),
  HeaderCRC32: le.u32(16),
  Reserved: le.u32(20),
  MyLBA: le.u64bits(24),
  AlternateLBA: le.u64bits(32),
  FirstUsableLBA: le.u64bits(40),
  LastUsableLBA: le.u64bits(48),
  DiskGUID: raw(56, 16),
  PartitionEntryLBA: le.u64bits(72),
  NumberOfPartitionEntries: le.u32(80),
  SizeOfPartitionEntry: le.u32(84),
  PartitionEntryArrayCRC32: le.u32(88),
});
export type GptHeader = Decoded<typeof GPT_HEADER>;

/** UTF-16 code units in a partition's name. */
export const GPT_NAME_UNITS = 36;

/** One entry of the partition entry array; longer entries begin with these 128 bytes. */
export const GPT_ENTRY: Struct<
  Record<'PartitionTypeGUID' | 'UniquePartitionGUID', Field<Bytes>> &
    Record<'StartingLBA' | 'EndingLBA' | 'Attributes', Field<bigint>> & { PartitionName: Field<number[]> }
> = struct('GPT partition entry', 128, {
  PartitionTypeGUID: raw(0, 16),
  UniquePartitionGUID: raw(16, 16),
  StartingLBA: le.u64bits(32),
  EndingLBA: le.u64bits(40),
  Attributes: le.u64bits(48),
  PartitionName: array(56, GPT_NAME_UNITS, le.u16),
});

/** Attribute bit 2 of a GPT entry: legacy BIOS bootable. */
export const GPT_ATTRIBUTE_LEGACY_BOOT: bigint = 1n << 2n;

/** The name in an entry: UTF-16 up to the first NUL. */
export function gptName(units: readonly number[]): string {
  const end = units.indexOf(0);
  return String.fromCharCode(...(end < 0 ? units : units.slice(0, end)));
}

/** The code units of a name, padded with NUL; throws RangeError when it is longer than 36 units. */
export function gptNameUnits(name: string): number[] {
  if (name.length > GPT_NAME_UNITS) throw new RangeError(`a GPT partition name has at most ${GPT_NAME_UNITS} UTF-16 units`);
  return Array.from({ length: GPT_NAME_UNITS }, (_, i) => (i < name.length ? name.charCodeAt(i) : 0));
}
