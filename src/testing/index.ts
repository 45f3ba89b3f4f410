/**
 * For tests of disk software: a file system in memory that serves as the model, the comparison of trees, random operations and layouts for
 * fast-check (which the caller brings along), and disks that fail.
 */
export * from './compare-trees.ts';
export * from './failing-step.ts';
export * from './faults.ts';
export * from './memory-contents.ts';
export * from './memory-filesystem.ts';
export * from './operation.ts';
export * from './operation-arbitraries.ts';
export * from './power-cut.ts';
export * from './qcow2-layouts.ts';
