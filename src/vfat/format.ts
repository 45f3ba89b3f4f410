/**
 * The structures of FAT12, FAT16 and FAT32 on disk. Names and meanings follow Microsoft's "FAT: General Overview of On-Disk Format"
 * (fatgen103); VFAT long names follow section "Long Directory Entries" of the same.
 */

import type { Field } from '../bytes/struct.ts';
import { array, type Decoded, le, raw, type Struct, struct, u8 } from '../bytes/struct.ts';

type N = Field<number>;
type B = Field<Uint8Array>;

/** The part of the boot sector that all kinds share (BPB). */
export const BOOT_SECTOR: Struct<{
  BS_jmpBoot: B;
  BS_OEMName: B;
  BPB_BytsPerSec: N;
  BPB_SecPerClus: N;
  BPB_RsvdSecCnt: N;
  BPB_NumFATs: N;
  BPB_RootEntCnt: N;
  BPB_TotSec16: N;
  BPB_Media: N;
  BPB_FATSz16: N;
  BPB_SecPerTrk: N;
  BPB_NumHeads: N;
  BPB_HiddSec: N;
  BPB_TotSec32: N;
}> = struct('FAT boot sector', 36, {
  BS_jmpBoot: raw(0, 3),
  BS_OEMName: raw(3, 8),
  BPB_BytsPerSec: le.u16(11),
  BPB_SecPerClus: u8(13),
  BPB_RsvdSecCnt: le.u16(14),
  BPB_NumFATs: u8(16),
  BPB_RootEntCnt: le.u16(17),
  BPB_TotSec16: le.u16(19),
  BPB_Media: u8(21),
  BPB_FATSz16: le.u16(22),
  BPB_SecPerTrk: le.u16(24),
  BPB_NumHeads: le.u16(26),
  BPB_HiddSec: le.u32(28),
  BPB_TotSec32: le.u32(32),
});

/** What follows the common part on FAT12 and FAT16, from byte 36 of the boot sector. `BS_Reserved1` holds the state flags. */
export const EXTENDED_BOOT_RECORD: Struct<{ BS_DrvNum: N; BS_Reserved1: N; BS_BootSig: N; BS_VolID: N; BS_VolLab: B; BS_FilSysType: B }> =
  struct('FAT12/16 extended boot record', 26, {
    BS_DrvNum: u8(0),
    BS_Reserved1: u8(1),
    BS_BootSig: u8(2),
    BS_VolID: le.u32(3),
    BS_VolLab: raw(7, 11),
    BS_FilSysType: raw(18, 8),
  });

/** What follows the common part on FAT32, from byte 36 of the boot sector. */
export const FAT32_BOOT_RECORD: Struct<{
  BPB_FATSz32: N;
  BPB_ExtFlags: N;
  BPB_FSVer: N;
  BPB_RootClus: N;
  BPB_FSInfo: N;
  BPB_BkBootSec: N;
}> = struct('FAT32 boot record', 28, {
  BPB_FATSz32: le.u32(0),
  BPB_ExtFlags: le.u16(4),
  BPB_FSVer: le.u16(6),
  BPB_RootClus: le.u32(8),
  BPB_FSInfo: le.u16(12),
  BPB_BkBootSec: le.u16(14),
});

/** Where `EXTENDED_BOOT_RECORD` begins in the boot sector of FAT12 and FAT16, and of FAT32. */
export const EXTENDED_AT_16 = 36;
export const EXTENDED_AT_32 = 64;
/** Where {@link FAT32_BOOT_RECORD} begins. */
export const FAT32_RECORD_AT = 36;
/** `BS_BootSig`: serial number, label and type follow; or the serial number alone. */
export const BOOT_SIGNATURE_FULL = 0x29;
export const BOOT_SIGNATURE_SERIAL = 0x28;
/** Bit of `BS_Reserved1` that Linux and Windows NT set while the volume is mounted for writing. */
export const STATE_DIRTY = 0x01;
/** Bits of `BPB_ExtFlags`. */
export const EXT_FLAGS_ACTIVE = 0x000f;
export const EXT_FLAGS_NO_MIRROR = 0x0080;

/** The FSInfo sector of FAT32. */
export const FSINFO: Struct<{
  FSI_LeadSig: N;
  FSI_StrucSig: N;
  FSI_Free_Count: N;
  FSI_Nxt_Free: N;
  FSI_TrailSig: N;
}> = struct('FSInfo', 512, {
  FSI_LeadSig: le.u32(0),
  FSI_StrucSig: le.u32(484),
  FSI_Free_Count: le.u32(488),
  FSI_Nxt_Free: le.u32(492),
  FSI_TrailSig: le.u32(508),
});
export const FSINFO_LEAD = 0x41615252;
export const FSINFO_STRUCTURE = 0x61417272;
export const FSINFO_UNKNOWN = 0xffff_ffff;

/** A directory entry with a short name. */
export const DIRECTORY_ENTRY: Struct<{
  DIR_Name: B;
  DIR_Attr: N;
  DIR_NTRes: N;
  DIR_CrtTimeTenth: N;
  DIR_CrtTime: N;
  DIR_CrtDate: N;
  DIR_LstAccDate: N;
  DIR_FstClusHI: N;
  DIR_WrtTime: N;
  DIR_WrtDate: N;
  DIR_FstClusLO: N;
  DIR_FileSize: N;
}> = struct('directory entry', 32, {
  DIR_Name: raw(0, 11),
  DIR_Attr: u8(11),
  DIR_NTRes: u8(12),
  DIR_CrtTimeTenth: u8(13),
  DIR_CrtTime: le.u16(14),
  DIR_CrtDate: le.u16(16),
  DIR_LstAccDate: le.u16(18),
  DIR_FstClusHI: le.u16(20),
  DIR_WrtTime: le.u16(22),
  DIR_WrtDate: le.u16(24),
  DIR_FstClusLO: le.u16(26),
  DIR_FileSize: le.u32(28),
});
export type ShortEntry = Decoded<typeof DIRECTORY_ENTRY>;

/** A directory entry that holds up to 13 UTF-16 units of a long name. */
export const LONG_NAME_ENTRY: Struct<{
  LDIR_Ord: N;
  LDIR_Name1: Field<number[]>;
  LDIR_Attr: N;
  LDIR_Type: N;
  LDIR_Chksum: N;
  LDIR_Name2: Field<number[]>;
  LDIR_FstClusLO: N;
  LDIR_Name3: Field<number[]>;
}> = struct('long name entry', 32, {
  LDIR_Ord: u8(0),
  LDIR_Name1: array(1, 5, le.u16),
  LDIR_Attr: u8(11),
  LDIR_Type: u8(12),
  LDIR_Chksum: u8(13),
  LDIR_Name2: array(14, 6, le.u16),
  LDIR_FstClusLO: le.u16(26),
  LDIR_Name3: array(28, 2, le.u16),
});

/** Bytes of a directory entry. */
export const ENTRY_SIZE = 32;
/** First byte of a name: free, and so is all that follows; free (deleted); stands for 0xE5. */
export const NAME_END = 0x00;
export const NAME_DELETED = 0xe5;
export const NAME_KANJI = 0x05;

/** Bits of `DIR_Attr`. */
export const ATTR_READ_ONLY = 0x01;
export const ATTR_HIDDEN = 0x02;
export const ATTR_SYSTEM = 0x04;
export const ATTR_VOLUME_ID = 0x08;
export const ATTR_DIRECTORY = 0x10;
export const ATTR_ARCHIVE = 0x20;
export const ATTR_LONG_NAME = 0x0f;
/** Bits of `DIR_NTRes`: the base, or the extension, is meant in lower case. */
export const NTRES_LOWER_BASE = 0x08;
export const NTRES_LOWER_EXTENSION = 0x10;

/** `LDIR_Ord` of the first entry on disk, which is the last part of the name. */
export const LAST_LONG_ENTRY = 0x40;
/** UTF-16 units in one long name entry, and entries in one name. */
export const LONG_NAME_UNITS = 13;
export const MAX_LONG_ENTRIES = 20;
/** UTF-16 units in a long name. */
export const MAX_LONG_NAME = 255;
/** Entries in a directory (Linux FAT_MAX_DIR_ENTRIES, fatgen103): 2 MiB. */
export const MAX_DIRECTORY_ENTRIES = 65_536;
/** Bytes in a file: what DIR_FileSize holds. */
export const MAX_FILE_SIZE = 0xffff_ffff;
/** The first cluster number that stands for data. */
export const FIRST_CLUSTER = 2;
