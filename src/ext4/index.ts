/** ext2, ext3 and ext4. */
export { Ext4 } from './ext4.ts';
export * as format from './format/index.ts';
export { type Ext4Options, mountExt4 } from './mount.ts';
export { parseSuperblock, type Superblock, type SuperblockOptions } from './superblock.ts';
export { mountWritableExt4, WritableExt4, type WritableExt4Options } from './write/writable-ext4.ts';
