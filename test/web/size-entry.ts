// What a page needs to open qcow2 and raw images and to read ext4 and FAT on them.
export { mountExt4 } from '../../src/ext4/index.ts';
export { GuestTree } from '../../src/guest/tree.ts';
export { openImage } from '../../src/image/open.ts';
export { runAsync, runSync } from '../../src/io/drivers.ts';
export { readPartitionTable } from '../../src/partition/read.ts';
export { BlobSource } from '../../src/platform/browser/blob.ts';
export { browserCodecsOnDemand } from '../../src/platform/browser/codecs-on-demand.ts';
export { mountVfat } from '../../src/vfat/index.ts';
