/** Disk images: what kind of file is this, and the chain below it. */
export { commitInto } from './commit.ts';
export * from './gate.ts';
export { chainOf, type Image } from './image.ts';
export { describeImage, eachExtent, type ImageInformation } from './information.ts';
export * from './names.ts';
export { MAX_CHAIN_DEPTH, type OpenOptions, openImage } from './open.ts';
export { type Probed, probe, probeHead } from './probe.ts';
export { RawImage } from './raw.ts';
export { keepWhatChanges } from './rebase.ts';
