/** qcow2: the format of QEMU's copy-on-write disk images. */
export { type Amendment, amendQcow2, setBacking } from './amend.ts';
export type { Bitmap } from './bitmaps.ts';
export { type CheckReport, checkQcow2, MAX_FINDINGS } from './check.ts';
export { type CreateOptions, createQcow2, type OverlayChange, writeOverlay } from './create.ts';
export * from './device.ts';
export { type Extension, type Header, hasMagic } from './header.ts';
export { type Qcow2Information, qcow2Information, type SnapshotInformation, snapshotInformation } from './information.ts';
export * from './location.ts';
export type { LuksHeader, LuksKeySlot } from './luks.ts';
export { type Measurement, measureQcow2 } from './measure.ts';
export { type Metadata, readMetadata } from './metadata.ts';
export type { Put } from './placement.ts';
export { type RepairReport, repairQcow2 } from './repair.ts';
export { emptyQcow2, resizeQcow2, trimFile } from './resize.ts';
export { applySnapshot, createSnapshot, deleteSnapshot, type NewSnapshot } from './snapshot-write.ts';
export { findSnapshot, type Snapshot } from './snapshots.ts';
export { DEFAULT_LAYOUT, Qcow2StreamWriter, type StreamLayout } from './stream-write.ts';
export { openWritableQcow2, WritableQcow2, type WritableQcow2Options } from './write.ts';
