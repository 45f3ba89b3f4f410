/** The copy-on-write overlay, and writing it back into an image. */
export * from './overlay.ts';
export { CLUSTER, type OpenTemporary } from './store.ts';
