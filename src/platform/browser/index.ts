/** Browsers: files that a user chose, files of the browser's own, images on web servers, and decoders without Node.js. */
export * from './blob.ts';
export * from './codecs.ts';
export * from './codecs-on-demand.ts';
export { type HttpOptions, type HttpSource, openUrl, type UrlOptions } from './http.ts';
export * from './opfs.ts';
export * from './pieces.ts';
