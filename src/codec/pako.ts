/** Deflate and gzip through pako, the zlib in JavaScript: for browsers, and for what node:zlib cannot bound. */
import type { Bytes } from '../bytes/struct.ts';
import { Corrupt } from '../errors.ts';
import type { StreamDecoder } from './codecs.ts';

/** The part of pako's classes that is used here. */
interface PakoStream {
  readonly err: number;
  readonly msg: string;
  readonly ended: boolean;
  push(data: Bytes, flush?: number | boolean): boolean;
  onData(chunk: Bytes): void;
  readonly result: Bytes;
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
  #chunks: Bytes[] = [];
  #members = 0;
  #padding = false;

  constructor(pako: Pako) {
    this.#pako = pako;
  }

  *push(input: Bytes): Iterable<Bytes> {
    for (let at = 0; at < input.length; at += PIECE) yield* this.#piece(input.subarray(at, at + PIECE));
  }

  *#piece(input: Bytes): Iterable<Bytes> {
    let rest = input;
    while (rest.length > 0) {
      if (this.#stream === undefined) {
        if (this.#members > 0 && (this.#padding || rest[0] === 0)) {
          this.#padding = true;
          return;
        }
        this.#stream = this.#start();
      }
      const stream = this.#stream;
      stream.push(rest, 0);
      if (stream.err < 0) throw new Corrupt(`a damaged gzip stream (${stream.msg})`, { layer: 'gzip' });
      const chunks = this.#chunks;
      this.#chunks = [];
      yield* chunks;
      if (!stream.ended) return;
      this.#members++;
      const left = (stream as unknown as { strm: { avail_in: number } }).strm.avail_in;
      rest = rest.subarray(rest.length - left);
      this.#stream = undefined;
    }
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
