/** File systems: the interface that all of them share. */
export * from './filesystem.ts';
export { identify, type Signature } from './signatures.ts';
