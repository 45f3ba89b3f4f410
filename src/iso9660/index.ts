/** ISO 9660 with Rock Ridge, Joliet and zisofs, for reading. */
export { longDate } from './dates.ts';
export { identifierText, readPrimaryDescriptor } from './descriptors.ts';
export type { VolumeDescriptor } from './format.ts';
export { Iso9660, type Iso9660Options, mountIso9660 } from './iso9660.ts';
export type { Naming } from './volume.ts';
export type { Inflate } from './zisofs.ts';
