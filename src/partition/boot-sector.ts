/**
 * Is the first sector a file system's boot sector instead of a partition table?
 *
 * FAT, exFAT and NTFS end their boot sector with 55 AA too, so these have to be told from an MBR. The rules are libblkid's
 * (superblocks/vfat.c, exfat.c, ntfs.c), so that we and `blkid` say the same.
 */
import { type Bytes, viewOf } from '../bytes/struct.ts';
import { latin1 } from '../bytes/text.ts';
import { BOOT_RECORD_SIZE, BOOT_SIGNATURE, BOOT_SIGNATURE_OFFSET, readMbrEntries } from './format.ts';

export type FatVersion = 'FAT12' | 'FAT16' | 'FAT32';

const isPowerOfTwo = (value: number): boolean => value !== 0 && (value & (value - 1)) === 0;

/** Which FAT the boot sector describes, by its number of clusters; undefined when it is no FAT boot sector. */
export function fatVersion(sector: Bytes): FatVersion | undefined {
  if (sector.length < BOOT_RECORD_SIZE) return undefined;
  const view = viewOf(sector);
  const text = (at: number, length: number): string => latin1(sector.subarray(at, at + length));
  const named32 = text(0x52, 8) === 'MSWIN   ' || text(0x52, 8) === 'FAT32   ';
  const named16 = ['MSDOS   ', 'FAT16   ', 'FAT12   ', 'FAT     '].includes(text(0x36, 8));
  const jump = sector[0] === 0xeb || sector[0] === 0xe9;
  const signed = view.getUint16(BOOT_SIGNATURE_OFFSET, true) === BOOT_SIGNATURE;
  if (!named32 && !named16) {
    if (!jump && !signed) return undefined;
    // Without a name the boot sector may be anybody's.
    if (text(0x36, 8) === 'JFS     ' || text(0x36, 8) === 'HPFS    ') return undefined;
  }
  if (text(3, 8) === '-FVE-FS-') return undefined;
  const bytesPerSector = view.getUint16(11, true);
  const sectorsPerCluster = sector[13] ?? 0;
  const reserved = view.getUint16(14, true);
  const fats = sector[16] ?? 0;
  const rootEntries = view.getUint16(17, true);
  const media = sector[21] ?? 0;
  if (fats === 0 || reserved === 0 || !(media === 0xf0 || media >= 0xf8)) return undefined;
  if (!isPowerOfTwo(sectorsPerCluster)) return undefined;
  if (!isPowerOfTwo(bytesPerSector) || bytesPerSector < 512 || bytesPerSector > 4096) return undefined;
  const fatLength16 = view.getUint16(22, true);
  const fatLength = fatLength16 !== 0 ? fatLength16 : view.getUint32(36, true);
  const sectors16 = view.getUint16(19, true);
  const sectors = sectors16 !== 0 ? sectors16 : view.getUint32(32, true);
  const rootSectors = Math.ceil((rootEntries * 32) / bytesPerSector);
  const clusters = Math.floor((sectors - (reserved + fats * fatLength + rootSectors)) / sectorsPerCluster);
  if (clusters < 0 || fatLength === 0) return undefined;
  const version = fatLength16 === 0 ? 'FAT32' : clusters < 4085 ? 'FAT12' : 'FAT16';
  const most = version === 'FAT32' ? 0x0ffffff6 : version === 'FAT16' ? 65_524 : 4084;
  return clusters > most ? undefined : version;
}

/** Whether the sector is an exFAT boot sector: its name, and zeros where FAT has its parameters. */
export function isExfat(sector: Bytes): boolean {
  if (sector.length < BOOT_RECORD_SIZE || latin1(sector.subarray(3, 11)) !== 'EXFAT   ') return false;
  const sectorShift = sector[108] ?? 0;
  return sector.subarray(11, 64).every((byte) => byte === 0) && sectorShift >= 9 && sectorShift <= 12;
}

/** Whether the sector is an NTFS boot sector with a possible geometry. */
export function isNtfs(sector: Bytes): boolean {
  if (sector.length < BOOT_RECORD_SIZE || latin1(sector.subarray(3, 11)) !== 'NTFS    ') return false;
  const view = viewOf(sector);
  const bytesPerSector = view.getUint16(11, true);
  if (bytesPerSector < 256 || bytesPerSector > 4096 || !isPowerOfTwo(bytesPerSector)) return false;
  // Reserved sectors, FATs, root entries, sectors, FAT length, sectors: unused by NTFS.
  return view.getUint16(14, true) === 0 && sector[16] === 0 && view.getUint16(17, true) === 0 && view.getUint16(22, true) === 0;
}

const FAT_TYPES: ReadonlySet<number> = new Set([0x01, 0x04, 0x06, 0x0b, 0x0c, 0x0e]);

/**
 * Whether a FAT boot sector also holds the table that `mkfs.fat --mbr` writes: one partition that begins at sector 0 and is the file
 * system itself.
 */
export function hasFakeMbr(sector: Bytes): boolean {
  const [first, ...others] = readMbrEntries(sector);
  return (
    (first.BootIndicator & 0x7f) === 0 &&
    first.StartingLBA === 0 &&
    first.SizeInLBA !== 0 &&
    FAT_TYPES.has(first.OSType) &&
    others.every((entry) => entry.SizeInLBA === 0 && entry.BootIndicator === 0)
  );
}
