/** A new file that goes to the disk while it is still being written, so that little is left to be flushed in the end. */
import type { Bytes } from '../../bytes/struct.ts';
import { NeedsAsync } from '../../io/effect.ts';
import type { WritableSource } from '../../io/source.ts';
import type { FileSource } from './file.ts';

/** Bytes that are written between the beginnings of two flushes. */
const FLUSHED_AT_ONCE = 32 << 20;

/**
 * Under the asynchronous driver flushing begins in another thread while data come. What fails there is remembered and thrown by every later
 * flush, for the system may tell it only once.
 */
export class FlushingFile implements WritableSource {
  readonly name: string;
  readonly identity: string;
  readonly preferredRequest: number;
  readonly #file: FileSource;
  #written = 0;
  #flushing: Promise<void> | undefined;
  #failed: { readonly error: unknown } | undefined;

  constructor(file: FileSource) {
    this.#file = file;
    this.name = file.name;
    this.identity = file.identity;
    this.preferredRequest = file.preferredRequest;
  }

  get size(): number {
    return this.#file.size;
  }

  readSync(offset: number, target: Bytes): number {
    return this.#file.readSync(offset, target);
  }

  writeSync(offset: number, bytes: Bytes): void {
    this.#file.writeSync(offset, bytes);
  }

  async writeAsync(offset: number, bytes: Bytes): Promise<void> {
    this.#file.writeSync(offset, bytes);
    this.#written += bytes.length;
    if (this.#written < FLUSHED_AT_ONCE || this.#flushing !== undefined) return;
    this.#written = 0;
    this.#flushing = this.#file
      .flushInBackground()
      .catch((error: unknown) => {
        this.#failed ??= { error };
      })
      .finally(() => {
        this.#flushing = undefined;
      });
  }

  truncateSync(size: number): void {
    this.#file.truncateSync(size);
  }

  /** Throws NeedsAsync while a flush in the background is under way. */
  flushSync(): void {
    if (this.#flushing !== undefined) throw new NeedsAsync(`${this.name} is being flushed; use the async form of this call`);
    if (this.#failed !== undefined) throw this.#failed.error;
    this.#file.flushSync();
  }

  async flushAsync(): Promise<void> {
    await this.#flushing;
    if (this.#failed !== undefined) throw this.#failed.error;
    await this.#file.flushInBackground();
  }

  close(): void {
    this.#file.close();
  }
}
