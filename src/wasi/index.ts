/** Programs of WASI preview 1 over the files of a guest. */
export * from './directory.ts';
export * from './file.ts';
export * from './guest.ts';
export * from './program.ts';
export * from './stat.ts';
export * from './stream.ts';
