/** For tests of disk software: a file system in memory that serves as the model, and the comparison of trees. */
export * from './compare-trees.ts';
export * from './memory-contents.ts';
export * from './memory-filesystem.ts';
