/**
 * From the boot sector to the places of everything: what Linux's fs/fat/inode.c (fat_read_bpb, fat_fill_super) accepts is accepted, by the
 * same rules, so that an image is here what it is to a Linux guest.
 */
import type { Bytes } from '../bytes/struct.ts';
import { Corrupt, Unsupported } from '../errors.ts';
import type { Warning } from '../filesystem/filesystem.ts';
import {
  BOOT_SECTOR,
  BOOT_SIGNATURE_FULL,
  BOOT_SIGNATURE_SERIAL,
  ENTRY_SIZE,
  EXT_FLAGS_ACTIVE,
  EXT_FLAGS_NO_MIRROR,
  EXTENDED_AT_16,
  EXTENDED_AT_32,
  EXTENDED_BOOT_RECORD,
  FAT32_BOOT_RECORD,
  FAT32_RECORD_AT,
  FIRST_CLUSTER,
  STATE_DIRTY,
} from './format.ts';

export type FatBits = 12 | 16 | 32;

/** Where everything stands; offsets and lengths in bytes from the start of the device, clusters by number. */
export interface Geometry {
  readonly bits: FatBits;
  readonly sectorSize: number;
  readonly clusterSize: number;
  readonly fatCount: number;
  /** Byte offset of the first FAT. */
  readonly fatOffset: number;
  /** Bytes of one FAT. */
  readonly fatLength: number;
  /** The FAT that counts: 0, or the one that `BPB_ExtFlags` names when mirroring is off. */
  readonly activeFat: number;
  readonly mirrored: boolean;
  /** The fixed root directory of FAT12 and FAT16; `rootLength` is 0 on FAT32. */
  readonly rootOffset: number;
  readonly rootLength: number;
  /** First cluster of the root directory of FAT32; 0 otherwise. */
  readonly rootCluster: number;
  /** Byte offset of cluster 2. */
  readonly dataOffset: number;
  /** How many clusters there are; they are numbered from 2. */
  readonly clusters: number;
  /** The largest cluster number. */
  readonly lastCluster: number;
  /** Bytes that the boot sector claims for the file system. */
  readonly totalLength: number;
  /** Byte offset of FSInfo on FAT32; undefined when there is none. */
  readonly fsInfoOffset: number | undefined;
  /** Byte offset of the copy of the boot sector on FAT32; undefined when there is none. */
  readonly backupOffset: number | undefined;
  /** Byte offset of `EXTENDED_BOOT_RECORD`. */
  readonly extendedAt: number;
  readonly version: number;
  readonly dirty: boolean;
  /** The volume serial number, where there is one. */
  readonly serial: number | undefined;
  /** The label of the boot sector, 11 bytes, where there is one. */
  readonly bootLabel: Bytes | undefined;
  readonly media: number;
  readonly warnings: readonly Warning[];
}

/** The most clusters that Linux takes: MAX_FAT12, MAX_FAT16, MAX_FAT32 of fs/fat/fat.h. */
const MOST_CLUSTERS: Readonly<Record<FatBits, number>> = { 12: 0xff4, 16: 0xfff4, 32: 0x0fff_fff6 };
/** Sizes of the floppies that DOS 1.x formatted without a BPB. */
const DOS1X_SIZES: ReadonlySet<number> = new Set([160, 180, 320, 360].map((kilobytes) => kilobytes * 1024));
const LAYER = 'vfat';

function isPowerOfTwo(value: number): boolean {
  return value > 0 && (value & (value - 1)) === 0;
}

function corrupt(what: string): Corrupt {
  return new Corrupt(`no valid FAT boot sector: ${what}`, { layer: LAYER, offset: 0 });
}

/**
 * Decodes the first 512 bytes of a device of `deviceSize` bytes.
 *
 * Throws Corrupt for what Linux refuses to mount, Unsupported for DOS 1.x floppies, Atari volumes and sectors above 4096 bytes.
 */
export function parseBootSector(sector: Bytes, deviceSize: number): Geometry {
  const bpb = BOOT_SECTOR.read(sector);
  refuseRelatives(sector, bpb, deviceSize);
  if (bpb.BPB_RsvdSecCnt === 0) throw corrupt('no reserved sectors');
  if (bpb.BPB_NumFATs === 0) throw corrupt('no FAT');
  if (bpb.BPB_Media !== 0xf0 && bpb.BPB_Media < 0xf8) throw corrupt(`media byte 0x${bpb.BPB_Media.toString(16)}`);
  const sectorSize = bpb.BPB_BytsPerSec;
  if (!isPowerOfTwo(sectorSize) || sectorSize < 512) throw corrupt(`${sectorSize} bytes per sector`);
  if (sectorSize > 4096) throw new Unsupported(`sectors of ${sectorSize} bytes`, undefined, { layer: LAYER, offset: 11 });
  if (!isPowerOfTwo(bpb.BPB_SecPerClus)) throw corrupt(`${bpb.BPB_SecPerClus} sectors per cluster`);
  const record = FAT32_BOOT_RECORD.read(sector, FAT32_RECORD_AT);
  const is32 = bpb.BPB_FATSz16 === 0;
  const fatSectors = is32 ? record.BPB_FATSz32 : bpb.BPB_FATSz16;
  if (fatSectors === 0) throw corrupt('FATs of no sectors');
  if ((bpb.BPB_RootEntCnt * ENTRY_SIZE) % sectorSize !== 0) throw corrupt(`${bpb.BPB_RootEntCnt} root entries do not fill sectors`);

  const clusterSize = sectorSize * bpb.BPB_SecPerClus;
  const fatOffset = bpb.BPB_RsvdSecCnt * sectorSize;
  const fatLength = fatSectors * sectorSize;
  const rootOffset = fatOffset + bpb.BPB_NumFATs * fatLength;
  const rootLength = bpb.BPB_RootEntCnt * ENTRY_SIZE;
  const dataOffset = rootOffset + rootLength;
  const totalLength = (bpb.BPB_TotSec16 === 0 ? bpb.BPB_TotSec32 : bpb.BPB_TotSec16) * sectorSize;
  if (totalLength < dataOffset) throw corrupt(`${totalLength} bytes in all do not hold FATs and root directory, ${dataOffset} bytes`);
  const stated = Math.floor((totalLength - dataOffset) / clusterSize);
  // Kind by cluster count before the clamp below, as Linux does; what the boot sector says of itself in words is not looked at.
  const bits: FatBits = is32 ? 32 : stated > MOST_CLUSTERS[12] ? 16 : 12;
  const clusters = Math.min(stated, Math.max(0, Math.floor((fatLength * 8) / bits) - FIRST_CLUSTER));
  if (clusters > MOST_CLUSTERS[bits]) throw corrupt(`${clusters} clusters are too many for FAT${bits}`);

  const warnings: Warning[] = [];
  const warn = (message: string, offset: number): number => warnings.push({ message, offset });
  if (clusters < stated) warn(`the FAT is too short for ${stated} clusters; ${clusters} are used`, 22);
  if (totalLength > deviceSize) warn(`the file system is ${totalLength} bytes long, the device only ${deviceSize}`, 19);

  const extendedAt = is32 ? EXTENDED_AT_32 : EXTENDED_AT_16;
  const extended = EXTENDED_BOOT_RECORD.read(sector, extendedAt);
  const full = extended.BS_BootSig === BOOT_SIGNATURE_FULL;
  const dirty = (extended.BS_Reserved1 & STATE_DIRTY) !== 0;
  if (dirty) warn('the volume was not unmounted properly (dirty bit); run fsck.vfat', extendedAt + 1);

  const mirrored = !is32 || (record.BPB_ExtFlags & EXT_FLAGS_NO_MIRROR) === 0;
  let activeFat = mirrored ? 0 : record.BPB_ExtFlags & EXT_FLAGS_ACTIVE;
  if (activeFat >= bpb.BPB_NumFATs) {
    warn(`the active FAT is number ${activeFat} of ${bpb.BPB_NumFATs}; the first is used`, 40);
    activeFat = 0;
  }
  const fatEnd = fatOffset + (activeFat + 1) * fatLength;
  if (fatEnd > deviceSize) throw corrupt(`the FAT ends at byte ${fatEnd}, beyond the device's ${deviceSize} bytes`);
  if (is32 && record.BPB_FSVer !== 0) warn(`FAT32 version ${record.BPB_FSVer >> 8}.${record.BPB_FSVer & 0xff} is not known`, 42);
  const lastCluster = clusters + FIRST_CLUSTER - 1;
  if (is32 && (record.BPB_RootClus < FIRST_CLUSTER || record.BPB_RootClus > lastCluster)) {
    throw corrupt(`the root directory begins at cluster ${record.BPB_RootClus}, outside of 2..${lastCluster}`);
  }
  const reserved = (number: number): number | undefined =>
    is32 && number > 0 && number < bpb.BPB_RsvdSecCnt ? number * sectorSize : undefined;
  return {
    bits,
    sectorSize,
    clusterSize,
    fatCount: bpb.BPB_NumFATs,
    fatOffset,
    fatLength,
    activeFat,
    mirrored,
    rootOffset,
    rootLength,
    rootCluster: is32 ? record.BPB_RootClus : 0,
    dataOffset,
    clusters,
    lastCluster,
    totalLength,
    // Linux reads 0 as 1 here.
    fsInfoOffset: reserved(record.BPB_FSInfo === 0 ? 1 : record.BPB_FSInfo),
    backupOffset: reserved(record.BPB_BkBootSec),
    extendedAt,
    version: is32 ? record.BPB_FSVer : 0,
    dirty,
    serial: full || extended.BS_BootSig === BOOT_SIGNATURE_SERIAL ? extended.BS_VolID : undefined,
    bootLabel: full ? extended.BS_VolLab : undefined,
    media: bpb.BPB_Media,
    warnings,
  };
}

/** Relatives of FAT that look like it or nearly so, and are something else: refused by name. */
function refuseRelatives(
  sector: Bytes,
  bpb: { BPB_BytsPerSec: number; BPB_RsvdSecCnt: number; BPB_NumFATs: number },
  deviceSize: number,
): void {
  const jump = sector[0] === 0xeb || sector[0] === 0xe9;
  const signed = sector[510] === 0x55 && sector[511] === 0xaa;
  const where = { layer: LAYER, offset: 0 };
  if (sector[0] === 0xeb && DOS1X_SIZES.has(deviceSize) && sector.subarray(11, 36).every((byte) => byte === 0)) {
    throw new Unsupported('DOS 1.x floppy', 'a floppy of DOS 1.x, without a BIOS parameter block, is not supported', where);
  }
  const extended = [BOOT_SIGNATURE_FULL, BOOT_SIGNATURE_SERIAL];
  const plausible = isPowerOfTwo(bpb.BPB_BytsPerSec) && bpb.BPB_BytsPerSec >= 512 && bpb.BPB_RsvdSecCnt > 0 && bpb.BPB_NumFATs > 0;
  if (plausible && !jump && !signed && !extended.includes(sector[38] ?? 0) && !extended.includes(sector[66] ?? 0)) {
    throw new Unsupported('Atari FAT', 'a FAT file system of the Atari kind (GEMDOS) is not supported', where);
  }
}

/** Byte offset of a cluster's data. */
export function clusterOffset(geometry: Geometry, cluster: number): number {
  return geometry.dataOffset + (cluster - FIRST_CLUSTER) * geometry.clusterSize;
}
