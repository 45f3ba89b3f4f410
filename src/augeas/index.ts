/** Configuration files of a guest as a tree that can be read, searched, changed and written back. */
export * from './augeas.ts';
export { FILE_SIZE_LIMIT } from './files.ts';
export * from './get.ts';
export * from './lens.ts';
export { LENSES, type LensEntry } from './lenses/index.ts';
export { AUGEAS_VERSION } from './metadata.ts';
export { PutFailure, put } from './put.ts';
export { TreeNode } from './tree.ts';
