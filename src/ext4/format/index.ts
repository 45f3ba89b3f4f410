/** The on-disk structures of ext2, ext3 and ext4, under the kernel's names. No I/O. */
export * from './directory.ts';
export * from './extent.ts';
export * from './features.ts';
export * from './group.ts';
export * from './inode.ts';
export * from './mmp.ts';
export * from './superblock.ts';
export * from './xattr.ts';
