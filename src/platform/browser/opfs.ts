/** Files of the browser's own (the origin private file system), for what does not fit into memory. */
import type { Bytes } from '../../bytes/struct.ts';
import { Posix, Refused } from '../../errors.ts';
import type { WritableSource } from '../../io/source.ts';

/** The folder of temporary files; what is older than a day is left over from a page that was closed. */
const FOLDER = 'guestless-temporary';
const STALE_MS = 86_400_000;
const REQUEST = 262_144;

/** A file of the browser's own, open for this worker alone. */
export class OpfsSource implements WritableSource {
  readonly name: string;
  readonly preferredRequest: number = REQUEST;
  readonly #handle: FileSystemSyncAccessHandle;
  #size: number;

  constructor(name: string, handle: FileSystemSyncAccessHandle) {
    this.name = name;
    this.#handle = handle;
    this.#size = handle.getSize();
  }

  get size(): number {
    return this.#size;
  }

  readSync(offset: number, target: Bytes): number {
    return this.#try(offset, () => this.#handle.read(target as Uint8Array<ArrayBuffer>, { at: offset }));
  }

  writeSync(offset: number, bytes: Bytes): void {
    for (let done = 0; done < bytes.length; ) {
      const rest = bytes.subarray(done) as Uint8Array<ArrayBuffer>;
      const written = this.#try(offset + done, () => this.#handle.write(rest, { at: offset + done }));
      if (written <= 0) throw new Posix('ENOSPC', { image: this.name, offset }, 'the browser gives this page no more space');
      done += written;
    }
    this.#size = Math.max(this.#size, offset + bytes.length);
  }

  truncateSync(size: number): void {
    this.#try(size, () => this.#handle.truncate(size));
    this.#size = size;
  }

  flushSync(): void {
    this.#try(0, () => this.#handle.flush());
  }

  close(): void {
    this.#handle.close();
  }

  #try<T>(offset: number, action: () => T): T {
    try {
      return action();
    } catch (error) {
      const full = error instanceof DOMException && error.name === 'QuotaExceededError';
      throw full
        ? new Posix('ENOSPC', { image: this.name, offset }, 'the browser gives this page no more space', { cause: error })
        : new Posix('EIO', { image: this.name, offset }, 'the storage of the browser failed', { cause: error });
    }
  }
}

/** A temporary file: to be written, then given out as a File, or forgotten. */
export interface TemporaryFile {
  readonly source: OpfsSource;
  /** Closes it for writing; the File stays readable until the next day. */
  finish(): Promise<File>;
  /** Closes and removes it. */
  abandon(): Promise<void>;
}

/** Whether this worker has files of its own: not in private windows of some browsers, and not on pages that came by plain http. */
export function hasOpfs(): boolean {
  return (
    typeof navigator !== 'undefined' && navigator.storage?.getDirectory !== undefined && typeof FileSystemSyncAccessHandle !== 'undefined'
  );
}

/** Makes a temporary file. Throws Refused where the browser has no such files. */
export async function makeTemporaryFile(): Promise<TemporaryFile> {
  if (!hasOpfs()) throw new Refused('this browser gives the page no files of its own');
  let folder: FileSystemDirectoryHandle;
  let name: string;
  let file: FileSystemFileHandle;
  let source: OpfsSource;
  try {
    folder = await (await navigator.storage.getDirectory()).getDirectoryHandle(FOLDER, { create: true });
    await removeStale(folder);
    name = `${Date.now()}-${crypto.randomUUID()}`;
    file = await folder.getFileHandle(name, { create: true });
    source = new OpfsSource('temporary file of the browser', await file.createSyncAccessHandle());
  } catch (error) {
    throw new Refused('this browser gives the page no files of its own', {}, { cause: error });
  }
  return {
    source,
    finish: async () => {
      source.close();
      return await file.getFile();
    },
    abandon: async () => {
      source.close();
      await folder.removeEntry(name).catch(() => undefined);
    },
  };
}

/** Removes a file that {@link TemporaryFile.finish} gave and that nobody needs any more; other blobs are left alone. */
export async function removeTemporary(file: Blob): Promise<void> {
  if (!(file instanceof File) || !hasOpfs()) return;
  try {
    await (await (await navigator.storage.getDirectory()).getDirectoryHandle(FOLDER)).removeEntry(file.name);
  } catch {
    // It goes with those that are stale.
  }
}

async function removeStale(folder: FileSystemDirectoryHandle): Promise<void> {
  for await (const name of (folder as unknown as { keys(): AsyncIterable<string> }).keys()) {
    const made = Number(name.split('-')[0]);
    // One that is open refuses to be removed.
    if (!(Date.now() - made < STALE_MS)) await folder.removeEntry(name).catch(() => undefined);
  }
}

/**
 * A file that the user chose for writing, by the File System Access interface. Writing is asynchronous, and nothing is read back. One write
 * is on its way while the next is prepared: what goes wrong with it is thrown by the next call.
 */
export class ChosenFile implements WritableSource {
  readonly name: string;
  readonly preferredRequest: number = REQUEST;
  size = 0;
  readonly #stream: FileSystemWritableFileStream;
  /** The write that is on its way: what it failed with, if it did. */
  #underway: Promise<unknown> = Promise.resolve(undefined);
  #buffer = new Uint8Array(0);

  constructor(name: string, stream: FileSystemWritableFileStream) {
    this.name = name;
    this.#stream = stream;
  }

  /** Throws Posix EIO, also for the write before this one. `bytes` may be used again at once. */
  async writeAsync(offset: number, bytes: Bytes): Promise<void> {
    await this.#settle();
    if (this.#buffer.length < bytes.length) this.#buffer = new Uint8Array(bytes.length);
    const data = this.#buffer.subarray(0, bytes.length);
    data.set(bytes);
    this.#underway = this.#stream.write({ type: 'write', position: offset, data }).then(
      () => undefined,
      (error: unknown) => this.#failed(offset, error),
    );
    this.size = Math.max(this.size, offset + bytes.length);
  }

  async truncateAsync(size: number): Promise<void> {
    await this.#settle();
    try {
      await this.#stream.truncate(size);
    } catch (error) {
      throw this.#failed(size, error);
    }
    this.size = size;
  }

  /** The file has its contents when this is over. Throws Posix. */
  async finish(): Promise<void> {
    await this.#settle();
    try {
      await this.#stream.close();
    } catch (error) {
      throw this.#failed(this.size, error);
    }
  }

  async abandon(): Promise<void> {
    await this.#underway;
    await this.#stream.abort().catch(() => undefined);
  }

  async #settle(): Promise<void> {
    const failure = await this.#underway;
    if (failure !== undefined) throw failure;
  }

  #failed(offset: number, cause: unknown): Posix {
    const full = cause instanceof DOMException && cause.name === 'QuotaExceededError';
    const where = { image: this.name, offset };
    if (full) return new Posix('ENOSPC', where, 'there is no more space where the file is', { cause });
    return new Posix('EIO', where, 'the file that was chosen cannot be written', { cause });
  }
}
