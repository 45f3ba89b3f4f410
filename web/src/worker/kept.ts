/** Changes that outlive the page, as an overlay in a file of the browser's own: one for each image, by its name, size and time. */
import { Refused } from '../../../src/errors.ts';
import { OpfsSource } from '../../../src/platform/browser/index.ts';
import { takeChanges, writeChanges } from './changes-file.ts';
import type { OpenDisk } from './open-disk.ts';

const FOLDER = 'guestless-kept';

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
  if (disk.overlay?.changed !== true) throw new Refused('there are no changes to keep');
  const file = await (await folder()).getFileHandle(key, { create: true });
  const source = new OpfsSource('kept changes', await file.createSyncAccessHandle());
  try {
    source.truncateSync(0);
    await writeChanges(disk, source);
    source.flushSync();
  } finally {
    source.close();
  }
}

/** Brings kept changes back. */
export async function restore(key: string, disk: OpenDisk): Promise<void> {
  await takeChanges(disk, await (await (await folder()).getFileHandle(key)).getFile());
}

export async function forget(key: string): Promise<void> {
  await (await folder()).removeEntry(key).catch(() => undefined);
}
