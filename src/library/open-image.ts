/** Opening image files of the host. */

import { folderGate } from '../image/gate.ts';
import { type Image, type OpenOptions, openImage } from '../image/index.ts';
import { type Io, perform } from '../io/effect.ts';
import { WriteBack } from '../overlay/write-back.ts';
import { nodeCodecs } from '../platform/node/codecs.ts';
import { commitHost } from '../platform/node/commit.ts';
import { FileSource } from '../platform/node/file.ts';
import { hostFiles } from '../platform/node/host-files.ts';
import { openTemporary } from '../platform/node/temporary.ts';

/** Does at once what an effect describes. */
export function now<T>(action: () => T): Io<T> {
  return perform<T>({ sync: action, async: async () => action() });
}

/**
 * Opens an image file of the host, read-only; `close` of the image closes it. Backing files are opened only through `options.gate`, and
 * without one they are refused. Throws Posix (ENOENT, ...), Refused, Unsupported or Corrupt.
 */
export function* openImageFile(name: string, options: Partial<OpenOptions> = {}): Io<Image> {
  const source = yield* now(() => FileSource.open(name));
  try {
    return yield* openImage(source, { codecs: nodeCodecs, scratch: () => now(openTemporary), ...options });
  } catch (error) {
    source.close();
    throw error;
  }
}

/** As {@link openImageFile}; files that the image names are opened if they stand in its folder or below. */
export function openWithFolder(name: string, options: Partial<OpenOptions> = {}): Io<Image> {
  return openImageFile(name, { gate: folderGate(name, hostFiles), ...options });
}

/** An image to which changes can be written back. A commit that was interrupted is finished before. */
export function* openForWriting(name: string, options: Partial<OpenOptions> = {}): Io<{ readonly image: Image; readonly back: WriteBack }> {
  const back = yield* WriteBack.prepare(yield* now(() => commitHost(name)), { codecs: nodeCodecs, temporary: () => openTemporary() });
  return { image: yield* openWithFolder(name, options), back };
}
