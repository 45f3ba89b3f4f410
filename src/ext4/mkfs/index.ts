/** Making ext2, ext3 and ext4 file systems. */
export { makeExt4, makeExt4Journal } from './make.ts';
export type { MakeExt4Options } from './options.ts';
