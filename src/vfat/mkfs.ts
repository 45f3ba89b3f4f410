/**
 * Makes FAT12, FAT16 and FAT32 file systems: fatgen103 for what has to be, and the sizes that mkfs.fat (dosfstools 4.2) chooses.
 *
 * Structures begin at cluster boundaries, as mkfs.fat has it: reserved sectors, FATs and root directory are whole clusters, except on disks
 * up to 4 MiB, where space counts more.
 */
import type { Bytes } from '../bytes/struct.ts';
import { decodeName } from '../bytes/text.ts';
import { Posix } from '../errors.ts';
import type { Timestamp } from '../filesystem/filesystem.ts';
import type { WritableDevice } from '../io/device.ts';
import type { Io } from '../io/effect.ts';
import { isTransactional, Transactions } from '../io/transaction.ts';
import type { FatBits } from './bpb.ts';
import type { CodePage } from './codepage.ts';
import {
  ATTR_VOLUME_ID,
  BOOT_SECTOR,
  BOOT_SIGNATURE_FULL,
  DIRECTORY_ENTRY,
  ENTRY_SIZE,
  EXTENDED_AT_16,
  EXTENDED_AT_32,
  EXTENDED_BOOT_RECORD,
  FAT32_BOOT_RECORD,
  FAT32_RECORD_AT,
  FIRST_CLUSTER,
  FSINFO,
  FSINFO_LEAD,
  FSINFO_STRUCTURE,
  NAME_DELETED,
  NAME_KANJI,
} from './format.ts';
import { bootSectorLabel, encodeLabel } from './label.ts';
import { type FatLayout, planFat } from './mkfs-layout.ts';
import { EARLIEST, encodeTime } from './time.ts';

export interface MakeVfatOptions {
  /** Up to 11 characters of the code page; none of `*?.,;:/\|+=<>[]"`. Default none. */
  readonly label?: Bytes;
  /** Bytes of a cluster, a power of two from one sector to 128; default by the size of the device. */
  readonly clusterSize?: number;
  /** The kind of FAT; default by the size of the device. */
  readonly bits?: FatBits;
  /** The volume's serial number, 32 bits; default 0x1234abcd. */
  readonly volumeId?: number;
  /** Bytes of a sector: 512, 1024, 2048 or 4096; default 512. */
  readonly sectorSize?: number;
  /** Sectors in front of the partition that this is; default 0. */
  readonly hiddenSectors?: number;
  /** The code page of the label; default 437, as the kernel reads it. */
  readonly codePage?: CodePage;
  /** The time stamped on the label; default the first that FAT knows, 1980-01-01. */
  readonly now?: Timestamp;
}

/** fatgen103 recommends this name: some drivers look at it. */
const OEM_NAME = 'MSWIN4.1';
const VOLUME_ID = 0x1234_abcd;
const JUMP = 0xeb;
const NOP = 0x90;
/** INT 18h tells the BIOS that this disk does not boot; halt for those that come back. */
const BOOT_CODE: Bytes = Uint8Array.of(0xcd, 0x18, 0xf4, 0xeb, 0xfd);
const BOOT_SIGNATURE_BYTES: Bytes = Uint8Array.of(0x55, 0xaa);
const BOOT_SIGNATURE_AT = 510;
const FSINFO_TRAIL = 0xaa55_0000;
const FSINFO_SECTOR = 1;
const BACKUP_SECTOR = 6;
const ROOT_CLUSTER = 2;

/**
 * Writes an empty file system over a device. The same options give the same bytes. Throws Posix EINVAL for options that cannot be, with what
 * to change, and ENOSPC where the device is too small.
 */
export function* makeVfat(device: WritableDevice, options: MakeVfatOptions = {}): Io<void> {
  const label = parseLabel(options.label, options.codePage ?? 437);
  const layout = planFat(device.size, options);
  if (!isTransactional(device)) return yield* write(device, layout, label, options);
  const nothing = { restore: (): void => {}, release: (): void => {} };
  yield* new Transactions(device, () => nothing).run(() => write(device, layout, label, options));
}

interface Label {
  readonly text: string;
  readonly bytes: Bytes;
}

function parseLabel(label: Bytes | undefined, page: CodePage): Label {
  const text = label === undefined ? '' : decodeName(label);
  const bytes = encodeLabel(text, page);
  if (bytes === undefined)
    throw new Posix('EINVAL', { layer: 'vfat' }, 'a FAT label has up to 11 characters of the code page, none of *?.,;:/\\|+=<>[]"');
  return { text, bytes };
}

function* write(device: WritableDevice, layout: FatLayout, label: Label, options: MakeVfatOptions): Io<void> {
  const { sectorSize, reserved, fatSectors, rootSectors, bits, clusterSectors } = layout;
  const rootAt = (reserved + layout.fats * fatSectors) * sectorSize;
  const rootLength = bits === 32 ? clusterSectors * sectorSize : rootSectors * sectorSize;
  yield* device.writeZeroes(0, rootAt + rootLength);
  // What other file systems have at the end of a device, and behind the last cluster, would be taken for theirs.
  const end = layout.sectors * sectorSize;
  if (end < device.size) yield* device.writeZeroes(end, device.size - end);

  const boot = bootSector(layout, label, options);
  yield* device.write(0, boot);
  if (bits === 32) {
    const info = fsInfo(layout);
    yield* device.write(FSINFO_SECTOR * sectorSize, info);
    yield* device.write(BACKUP_SECTOR * sectorSize, boot);
    yield* device.write((BACKUP_SECTOR + FSINFO_SECTOR) * sectorSize, info);
  }
  const fat = firstEntries(layout);
  for (let i = 0; i < layout.fats; i++) yield* device.write((reserved + i * fatSectors) * sectorSize, fat);
  if (label.text !== '') yield* device.write(rootAt, labelEntry(label, options.now ?? { seconds: EARLIEST, nanoseconds: 0 }));
}

function bootSector(layout: FatLayout, label: Label, options: MakeVfatOptions): Bytes {
  const { bits, sectors } = layout;
  const sector = new Uint8Array(layout.sectorSize);
  const is32 = bits === 32;
  const extendedAt = is32 ? EXTENDED_AT_32 : EXTENDED_AT_16;
  const codeAt = extendedAt + EXTENDED_BOOT_RECORD.size;
  BOOT_SECTOR.write(sector, 0, {
    BS_jmpBoot: Uint8Array.of(JUMP, codeAt - 2, NOP),
    BS_OEMName: ascii(OEM_NAME, 8),
    BPB_BytsPerSec: layout.sectorSize,
    BPB_SecPerClus: layout.clusterSectors,
    BPB_RsvdSecCnt: layout.reserved,
    BPB_NumFATs: layout.fats,
    BPB_RootEntCnt: is32 ? 0 : (layout.rootSectors * layout.sectorSize) / ENTRY_SIZE,
    BPB_TotSec16: sectors < 0x1_0000 ? sectors : 0,
    BPB_Media: layout.media,
    BPB_FATSz16: is32 ? 0 : layout.fatSectors,
    BPB_SecPerTrk: layout.sectorsPerTrack,
    BPB_NumHeads: layout.heads,
    BPB_HiddSec: options.hiddenSectors ?? 0,
    BPB_TotSec32: sectors < 0x1_0000 ? 0 : sectors,
  });
  if (is32) {
    FAT32_BOOT_RECORD.write(sector, FAT32_RECORD_AT, {
      BPB_FATSz32: layout.fatSectors,
      BPB_RootClus: ROOT_CLUSTER,
      BPB_FSInfo: FSINFO_SECTOR,
      BPB_BkBootSec: BACKUP_SECTOR,
    });
  }
  EXTENDED_BOOT_RECORD.write(sector, extendedAt, {
    BS_DrvNum: layout.drive,
    BS_BootSig: BOOT_SIGNATURE_FULL,
    BS_VolID: (options.volumeId ?? VOLUME_ID) >>> 0,
    BS_VolLab: bootSectorLabel(label.text, label.bytes),
    BS_FilSysType: ascii(`FAT${bits}`, 8),
  });
  sector.set(BOOT_CODE, codeAt);
  sector.set(BOOT_SIGNATURE_BYTES, BOOT_SIGNATURE_AT);
  return sector;
}

/** Says how much is free: all but the cluster of the root directory. */
function fsInfo(layout: FatLayout): Bytes {
  const sector = new Uint8Array(layout.sectorSize);
  FSINFO.write(sector, 0, {
    FSI_LeadSig: FSINFO_LEAD,
    FSI_StrucSig: FSINFO_STRUCTURE,
    FSI_Free_Count: layout.clusters - 1,
    FSI_Nxt_Free: ROOT_CLUSTER,
    FSI_TrailSig: FSINFO_TRAIL,
  });
  return sector;
}

/** The reserved entries 0 and 1, and on FAT32 the end of the root directory's chain; the rest of a new FAT is zeros. */
function firstEntries({ bits, media, sectorSize }: FatLayout): Bytes {
  const sector = new Uint8Array(sectorSize);
  if (bits === 12) sector.set([media, 0xff, 0xff]);
  else if (bits === 16) sector.set([media, 0xff, 0xff, 0xff]);
  else sector.set([media, 0xff, 0xff, 0x0f, 0xff, 0xff, 0xff, 0x0f, 0xf8, 0xff, 0xff, 0x0f], (FIRST_CLUSTER - 2) * 4);
  return sector;
}

function labelEntry(label: Label, now: Timestamp): Bytes {
  const entry = new Uint8Array(ENTRY_SIZE);
  const name = label.bytes.slice();
  if (name[0] === NAME_DELETED) name[0] = NAME_KANJI;
  const { date, time } = encodeTime(now, 0);
  DIRECTORY_ENTRY.write(entry, 0, { DIR_Name: name, DIR_Attr: ATTR_VOLUME_ID, DIR_WrtDate: date, DIR_WrtTime: time });
  return entry;
}

function ascii(text: string, length: number): Bytes {
  return Uint8Array.from(text.padEnd(length), (character) => character.charCodeAt(0));
}
