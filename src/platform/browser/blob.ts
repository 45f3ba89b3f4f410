/** Files that a user chose, as byte sources. */
import type { Bytes } from '../../bytes/struct.ts';
import { Posix, Refused } from '../../errors.ts';
import type { ByteSource } from '../../io/source.ts';

/** Reading a Blob goes through another process of the browser: half a millisecond, whatever the size. */
const BLOB_REQUEST = 131_072;
/** Bytes of a buffer that is not left to the garbage collector. */
const LARGE = 65_536;
let nowhere: MessagePort | undefined;
let opened = 0;

/** A File or Blob. Synchronous in workers, which alone have FileReaderSync; asynchronous everywhere. */
export class BlobSource implements ByteSource {
  readonly name: string;
  readonly size: number;
  readonly identity: string;
  readonly preferredRequest: number = BLOB_REQUEST;
  readonly #blob: Blob;
  #reader: FileReaderSync | undefined;

  constructor(blob: Blob, name?: string) {
    this.#blob = blob;
    this.name = name ?? ('name' in blob && typeof blob.name === 'string' ? blob.name : 'blob');
    this.size = blob.size;
    this.identity = `blob:${++opened}`;
  }

  /** Throws Refused outside of a worker, and Posix EIO when the file changed since it was chosen. */
  readSync(offset: number, target: Bytes): number {
    if (typeof FileReaderSync === 'undefined') {
      throw new Refused('a file of the browser can be read synchronously in a worker only; use the async form of this call', {
        image: this.name,
      });
    }
    this.#reader ??= new FileReaderSync();
    try {
      return copy(this.#reader.readAsArrayBuffer(this.#slice(offset, target)), target);
    } catch (error) {
      throw unreadable(this.name, offset, error);
    }
  }

  async readAsync(offset: number, target: Bytes): Promise<number> {
    try {
      return copy(await this.#slice(offset, target).arrayBuffer(), target);
    } catch (error) {
      throw unreadable(this.name, offset, error);
    }
  }

  #slice(offset: number, target: Bytes): Blob {
    return this.#blob.slice(offset, Math.min(this.size, offset + target.length));
  }
}

/**
 * Browsers make a new buffer for each answer. While a whole disk is read, hundreds of megabytes of them would wait for the garbage collector:
 * one that is sent to where nobody listens is gone at once.
 */
function copy(buffer: ArrayBuffer, target: Bytes): number {
  const { byteLength } = buffer;
  target.set(new Uint8Array(buffer));
  if (byteLength >= LARGE) {
    if (nowhere === undefined) {
      const { port1, port2 } = new MessageChannel();
      port2.close();
      nowhere = port1;
    }
    nowhere.postMessage(undefined, [buffer]);
  }
  return byteLength;
}

/** Browsers answer NotReadableError once the file on disk is no longer the one that was chosen. */
function unreadable(name: string, offset: number, error: unknown): Posix {
  return new Posix('EIO', { image: name, offset }, 'the file cannot be read; if it changed on disk, choose it again', { cause: error });
}
