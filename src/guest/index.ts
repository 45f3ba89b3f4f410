/** The guest: its drives, its file systems, and its files as one tree. */
export * from './checksum.ts';
export * from './diff.ts';
export * from './directory.ts';
export * from './disk.ts';
export * from './file-data.ts';
export * from './find.ts';
export * from './glob.ts';
export * from './mounts.ts';
export * from './path.ts';
export * from './registry.ts';
export * from './resolve.ts';
export * from './tree.ts';
export * from './usage.ts';
export * from './walk.ts';
