/**
 * Structures of ECMA-119 (ISO 9660), the Joliet specification, SUSP (IEEE P1281) and RRIP (IEEE P1282), under the specifications' own
 * names. Numbers that stand twice, little-endian first (7.2.3, 7.3.3), are read from their little-endian half, as Linux does.
 */
import type { Field } from '../bytes/struct.ts';
import { type Decoded, le, raw, type Struct, struct, u8 } from '../bytes/struct.ts';

type N = Field<number>;
type B = Field<Uint8Array>;

/** Bytes of a logical sector (6.1.2). */
export const SECTOR = 2048;
/** The sectors before this one are the system area (6.2.1). */
export const FIRST_DESCRIPTOR = 16;
/** Linux looks for volume descriptors up to sector 100. */
export const MAX_DESCRIPTORS = 84;

/** "Volume Descriptor Type" (8.1.1). */
export const TYPE_PRIMARY = 1;
export const TYPE_SUPPLEMENTARY = 2;
export const TYPE_TERMINATOR = 255;

/** A primary or supplementary volume descriptor (8.4, 8.5). */
export const VOLUME_DESCRIPTOR: Struct<{
  type: N;
  standardIdentifier: B;
  systemIdentifier: B;
  volumeIdentifier: B;
  volumeSpaceSize: N;
  escapeSequences: B;
  volumeSetSize: N;
  volumeSequenceNumber: N;
  logicalBlockSize: N;
  rootDirectoryRecord: B;
  volumeSetIdentifier: B;
  publisherIdentifier: B;
  dataPreparerIdentifier: B;
  applicationIdentifier: B;
  copyrightFileIdentifier: B;
  abstractFileIdentifier: B;
  bibliographicFileIdentifier: B;
  creationDateAndTime: B;
  modificationDateAndTime: B;
  expirationDateAndTime: B;
  effectiveDateAndTime: B;
}> = struct('ISO 9660 volume descriptor', 883, {
  type: u8(0),
  standardIdentifier: raw(1, 5),
  systemIdentifier: raw(8, 32),
  volumeIdentifier: raw(40, 32),
  volumeSpaceSize: le.u32(80),
  escapeSequences: raw(88, 32),
  volumeSetSize: le.u16(120),
  volumeSequenceNumber: le.u16(124),
  logicalBlockSize: le.u16(128),
  rootDirectoryRecord: raw(156, 34),
  volumeSetIdentifier: raw(190, 128),
  publisherIdentifier: raw(318, 128),
  dataPreparerIdentifier: raw(446, 128),
  applicationIdentifier: raw(574, 128),
  copyrightFileIdentifier: raw(702, 37),
  abstractFileIdentifier: raw(739, 37),
  bibliographicFileIdentifier: raw(776, 37),
  creationDateAndTime: raw(813, 17),
  modificationDateAndTime: raw(830, 17),
  expirationDateAndTime: raw(847, 17),
  effectiveDateAndTime: raw(864, 17),
});
export type VolumeDescriptor = Decoded<typeof VOLUME_DESCRIPTOR>;

/** A directory record (9.1) before its file identifier. */
export const DIRECTORY_RECORD: Struct<{
  lengthOfDirectoryRecord: N;
  extendedAttributeRecordLength: N;
  locationOfExtent: N;
  dataLength: N;
  recordingDateAndTime: B;
  fileFlags: N;
  fileUnitSize: N;
  interleaveGapSize: N;
  lengthOfFileIdentifier: N;
}> = struct('ISO 9660 directory record', 33, {
  lengthOfDirectoryRecord: u8(0),
  extendedAttributeRecordLength: u8(1),
  locationOfExtent: le.u32(2),
  dataLength: le.u32(10),
  recordingDateAndTime: raw(18, 7),
  fileFlags: u8(25),
  fileUnitSize: u8(26),
  interleaveGapSize: u8(27),
  lengthOfFileIdentifier: u8(32),
});
export type DirectoryRecord = Decoded<typeof DIRECTORY_RECORD>;

/** "File Flags" (9.1.6). */
export const FLAG_DIRECTORY = 0x02;
export const FLAG_ASSOCIATED = 0x04;
export const FLAG_MULTI_EXTENT = 0x80;

/** Inode numbers count units of this many bytes, as in Linux: no two records begin in the same one. */
export const NODE_UNIT = 32;

/** RRIP 4.1.2: flags of an NM entry. */
export const NM_CURRENT = 0x02;
export const NM_PARENT = 0x04;
/** RRIP 4.1.3.1: flags of a component of an SL entry, and CONTINUE, which the entry itself has too. */
export const SL_CONTINUE = 0x01;
export const SL_CURRENT = 0x02;
export const SL_PARENT = 0x04;
export const SL_ROOT = 0x08;
/** RRIP 4.1.6: flags of a TF entry, in the order in which the times stand. */
export const TF_CREATION = 0x01;
export const TF_MODIFY = 0x02;
export const TF_ACCESS = 0x04;
export const TF_ATTRIBUTES = 0x08;
export const TF_LONG_FORM = 0x80;

/** The header of a compressed file, of zisofs's documentation. */
export const ZISOFS_HEADER: Struct<{ magic: B; uncompressedSize: N; headerSize: N; blockSize: N }> = struct('zisofs header', 16, {
  magic: raw(0, 8),
  uncompressedSize: le.u32(8),
  /** In units of 4 bytes. */
  headerSize: u8(12),
  /** As a power of two. */
  blockSize: u8(13),
});
export const ZISOFS_MAGIC: readonly number[] = [0x37, 0xe4, 0x53, 0x96, 0xc9, 0xdb, 0xd6, 0x07];

/** Hostile numbers end here. */
export const MAX_CONTINUATIONS = 32;
/** Sections of one file; Linux has the same limit. */
export const MAX_SECTIONS = 100;
export const MAX_DIRECTORY_BYTES: number = 64 << 20;
export const MAX_NAME = 255;
/** What readlink(2) can give on Linux. */
export const MAX_TARGET = 4095;
