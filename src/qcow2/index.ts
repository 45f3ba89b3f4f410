/** qcow2: the format of QEMU's copy-on-write disk images. */
export type { Bitmap } from './bitmaps.ts';
export * from './device.ts';
export { type Extension, type Header, hasMagic } from './header.ts';
export * from './location.ts';
export type { LuksHeader, LuksKeySlot } from './luks.ts';
export { type Metadata, readMetadata } from './metadata.ts';
export { findSnapshot, type Snapshot } from './snapshots.ts';
