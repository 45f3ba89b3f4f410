/** Node.js: files of the host. */

export * from './codecs.ts';
export * from './commit.ts';
export * from './exclusive-file.ts';
export * from './file.ts';
export * from './host-files.ts';
export { type HttpOptions, type HttpSource, openUrl } from './http.ts';
export * from './nbd.ts';
export * from './temporary.ts';
