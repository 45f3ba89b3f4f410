/** File systems: the interface that all of them share. */
export * from './filesystem.ts';
export { identify, type Signature } from './signatures.ts';
export { decodeSwapHeader, encodeSwapHeader, type MakeSwapOptions, makeSwap, readSwap, type SwapArea } from './swap.ts';
export { wipeSignatures } from './wipe.ts';
