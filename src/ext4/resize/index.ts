/** Making ext2, ext3 and ext4 file systems larger. */
export { type GrowExt4Options, growExt4 } from './grow.ts';
