/** guestless for Node.js: open a disk image by its name, and everything to look into it with. */
export * from './errors.ts';
export * from './filesystem/filesystem.ts';
export * from './guest/index.ts';
export * from './image/index.ts';
export * from './io/index.ts';
export * from './library/guest.ts';
export * from './library/inject.ts';
export { openImageFile } from './library/open-image.ts';
export * from './library/size.ts';
export { VFS } from './library/vfs.ts';
export * from './overlay/index.ts';
export { nodeCodecs } from './platform/node/codecs.ts';
export { FileSource as HostFile } from './platform/node/file.ts';
export { type HttpOptions, type HttpSource, openUrl } from './platform/node/http.ts';
export * from './vfs/index.ts';
