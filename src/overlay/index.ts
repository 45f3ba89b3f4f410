/** The copy-on-write overlay, and writing it back into an image. */
export * from './commit.ts';
export * from './commit-qcow2.ts';
export { applyThroughJournal, commitPending, type FileChanges, type FileRange, type Recovery, recover } from './journal.ts';
export * from './overlay.ts';
export * from './save.ts';
export * from './staged.ts';
export { CLUSTER, type OpenTemporary } from './store.ts';
export * from './write-back.ts';
