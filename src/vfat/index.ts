/** FAT12, FAT16 and FAT32 with long names. */
export { type FatBits, type Geometry, parseBootSector } from './bpb.ts';
export type { CodePage } from './codepage.ts';
export { type MakeVfatOptions, makeVfat } from './mkfs.ts';
export { mountVfat, Vfat, type VfatOptions } from './vfat.ts';
export { mountWritableVfat, WritableVfat, type WritableVfatOptions } from './writable.ts';
