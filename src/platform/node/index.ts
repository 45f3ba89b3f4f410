/** Node.js: files of the host. */
export * from './file.ts';
