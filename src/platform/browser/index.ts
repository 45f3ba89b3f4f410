/** Browsers: files that a user chose, images on web servers, and decoders without Node.js. */
export * from './blob.ts';
export * from './codecs.ts';
export { type HttpOptions, type HttpSource, openUrl } from './http.ts';
