/** Deflate and gzip through pako, the zlib in JavaScript: for browsers, and for what node:zlib cannot bound. */
import type { Bytes } from '../bytes/struct.ts';
import { Corrupt } from '../errors.ts';
import { ByteQueue } from './byte-queue.ts';
import type { StreamDecoder } from './codecs.ts';

/** The part of pako's classes that is used here. */
interface PakoStream {
  readonly err: number;
  readonly msg: string;
  readonly ended: boolean;
  push(data: Bytes, flush?: number | boolean): boolean;
  onData(chunk: Bytes): void;
  /** Internal to pako, but the only way to know where a member ended. */
  readonly strm: { readonly avail_in: number };
}
type PakoOptions = { raw?: boolean; chunkSize?: number; windowBits?: number; memLevel?: number; level?: number };
/** The module `pako`, as far as it is used. */
export interface Pako {
  readonly Inflate: new (options?: PakoOptions) => PakoStream;
  deflateRaw(data: Bytes, options?: PakoOptions): Bytes;
}

/** Thrown out of pako's callback once the target is full. */
const FULL = Symbol('full');

/** Implements {@link Codecs.inflateRaw}: stops as soon as `target` is full, however much the stream would still give. */
export function inflateRawWithPako(pako: Pako, input: Bytes, target: Bytes): void {
  const stream = new pako.Inflate({ raw: true, chunkSize: Math.max(64, target.length) });
  let filled = 0;
  stream.onData = (chunk) => {
    const part = chunk.subarray(0, target.length - filled);
    target.set(part, filled);
    filled += part.length;
    if (filled === target.length) throw FULL;
  };
  try {
    // Z_SYNC_FLUSH: hand out everything even when the stream has no end.
    stream.push(input, 2);
  } catch (error) {
    if (error === FULL) return;
    throw new Corrupt('a damaged deflate stream', { layer: 'deflate' }, { cause: error });
  }
  throw new Corrupt(`a deflate stream gives ${filled} bytes instead of ${target.length}`, { layer: 'deflate' });
}

/** Implements {@link Codecs.deflateRaw}. */
export function deflateRawWithPako(pako: Pako, input: Bytes): Bytes {
  return pako.deflateRaw(input, { windowBits: 12, memLevel: 9 });
}

/** Input handed to pako at once: its output then stays below 1032 times that (RFC 1951's limit). */
const PIECE = 4096;

/** Gzip with any number of members (RFC 1952), as gunzip reads it: zeros after the last member are padding. */
export class GzipDecoder implements StreamDecoder {
  readonly #pako: Pako;
  #stream: PakoStream | undefined;
  readonly #input = new ByteQueue();
  readonly #chunks: Bytes[] = [];
  #members = 0;
  #padding = false;

  constructor(pako: Pako) {
    this.#pako = pako;
  }

  push(input: Bytes): void {
    this.#input.push(input);
  }

  next(): Bytes | undefined {
    while (this.#chunks.length === 0 && this.#input.length > 0) this.#inflate();
    return this.#chunks.shift();
  }

  /** Inflates one piece, or up to the end of a member. */
  #inflate(): void {
    if (this.#stream === undefined && this.#members > 0 && (this.#padding || this.#input.peek(1)[0] === 0)) {
      this.#padding = true;
      this.#input.take(this.#input.length);
      return;
    }
    this.#stream ??= this.#start();
    const stream = this.#stream;
    const piece = this.#input.peek(PIECE);
    stream.push(piece, 0);
    if (stream.err < 0) throw new Corrupt(`a damaged gzip stream (${stream.msg})`, { layer: 'gzip' });
    this.#input.take(stream.ended ? piece.length - stream.strm.avail_in : piece.length);
    if (!stream.ended) return;
    this.#members++;
    this.#stream = undefined;
  }

  finish(): void {
    if (this.#stream !== undefined || this.#members === 0) throw new Corrupt('the gzip stream ends too early', { layer: 'gzip' });
  }

  #start(): PakoStream {
    const stream = new this.#pako.Inflate({ windowBits: 31, chunkSize: 65536 });
    stream.onData = (chunk) => void this.#chunks.push(chunk);
    return stream;
  }
}
