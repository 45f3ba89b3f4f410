/** Changes that outlive the page, as an overlay in a file of the browser's own: one for each image, by its name, size and time. */
import { Refused } from '../../../src/errors.ts';
import { openImage } from '../../../src/image/open.ts';
import type { Io } from '../../../src/io/effect.ts';
import { saveOverlay } from '../../../src/overlay/save.ts';
import { BlobSource, OpfsSource } from '../../../src/platform/browser/index.ts';
import { run } from './driver.ts';
import { codecs, type OpenDisk } from './open-disk.ts';

const FOLDER = 'guestless-kept';
const PIECE: number = 1 << 20;

async function folder(): Promise<FileSystemDirectoryHandle> {
  if (navigator.storage?.getDirectory === undefined) throw new Refused('this browser keeps no files for the page');
  return await (await navigator.storage.getDirectory()).getDirectoryHandle(FOLDER, { create: true });
}

/** Names what an image is, as far as the page can tell without reading it. */
export async function keyOf(files: readonly File[], url: string | undefined): Promise<string> {
  const text =
    url ??
    files
      .map((file) => `${file.name}\0${file.size}\0${file.lastModified}`)
      .sort()
      .join('\n');
  const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  return Array.from(new Uint8Array(hash).subarray(0, 16), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

export async function kept(key: string): Promise<{ bytes?: number; when?: number }> {
  try {
    const file = await (await (await folder()).getFileHandle(key)).getFile();
    return file.size === 0 ? {} : { bytes: file.size, when: file.lastModified };
  } catch {
    return {};
  }
}

/** Keeps the changes as they are now, in place of those that were kept. */
export async function keep(key: string, disk: OpenDisk): Promise<void> {
  const handle = await disk.editable();
  const { overlay } = disk;
  if (overlay === undefined || !overlay.changed) throw new Refused('there are no changes to keep');
  await run(handle.tree.flush());
  const file = await (await folder()).getFileHandle(key, { create: true });
  const source = new OpfsSource('kept changes', await file.createSyncAccessHandle());
  try {
    source.truncateSync(0);
    await run(saveOverlay(overlay, disk.image, source, { backing: 'base' }));
    source.flushSync();
  } finally {
    source.close();
  }
}

/** Brings kept changes back. */
export async function restore(key: string, disk: OpenDisk): Promise<void> {
  const file = await (await (await folder()).getFileHandle(key)).getFile();
  const source = new BlobSource(file, 'kept changes');
  await codecs.load();
  const changes = await run(openImage(source, { format: 'qcow2', codecs: codecs.codecs, withoutBacking: true }));
  if (changes.size !== disk.image.size) throw new Refused('the changes that were kept belong to another image');
  const root = disk.describe().root;
  await disk.discard();
  const handle = await disk.editable();
  await run(handle.unmountAll());
  const overlay = disk.overlay;
  if (overlay === undefined) return;
  function* copy(): Io<void> {
    for (let at = 0; at < changes.size; ) {
      const extent = yield* changes.map(at, changes.size - at);
      const length = extent.data ? Math.min(extent.length, PIECE) : extent.length;
      if (extent.present && extent.zero) yield* overlay!.writeZeroes(at, length);
      else if (extent.present) yield* overlay!.write(at, yield* changes.read(at, length));
      at += length;
    }
  }
  await run(copy());
  handle.forget('/dev/sda');
  if (root !== undefined) await disk.show(root);
}

export async function forget(key: string): Promise<void> {
  await (await folder()).removeEntry(key).catch(() => undefined);
}
