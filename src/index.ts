/** guestless for Node.js: open a disk image by its name, and everything to look into it with. */
import { type Image, type OpenOptions, openImage } from './image/index.ts';
import type { Io } from './io/effect.ts';
import { nodeCodecs } from './platform/node/codecs.ts';
import { FileSource as HostFile } from './platform/node/file.ts';

export * from './errors.ts';
export * from './filesystem/filesystem.ts';
export * from './guest/index.ts';
export * from './image/index.ts';
export * from './io/index.ts';
export { nodeCodecs } from './platform/node/codecs.ts';
export { FileSource as HostFile } from './platform/node/file.ts';
export { type HttpOptions, type HttpSource, openUrl } from './platform/node/http.ts';

/**
 * Opens an image file of the host, read-only; `close` of the image closes it. Backing files are opened only through `options.gate`, and
 * without one they are refused. Throws Posix (ENOENT, ...), Refused, Unsupported or Corrupt.
 */
export function* openImageFile(name: string, options: Partial<OpenOptions> = {}): Io<Image> {
  const source = HostFile.open(name);
  try {
    return yield* openImage(source, { codecs: nodeCodecs, ...options });
  } catch (error) {
    source.close();
    throw error;
  }
}
