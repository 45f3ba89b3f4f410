/** Compressing streams piece by piece, with what is at hand: deflate and zstd of the table of codecs, xz and bzip2 of our own. */
import { crc32 } from '../bytes/crc32.ts';
import { type Bytes, viewOf } from '../bytes/struct.ts';
import { concatBytes } from '../bytes/text.ts';
import { Bzip2Encoder } from './bzip2-write.ts';
import type { Codecs } from './codecs.ts';
import { XzEncoder } from './xz-write.ts';

/** Takes a stream and gives its compressed form. */
export interface StreamEncoder {
  /** Takes the next piece; what comes back is ready to be sent, and may be empty. */
  push(input: Bytes): Bytes;
  /** The end of the compressed stream. */
  finish(): Bytes;
}

export type EncodedFormat = 'gzip' | 'xz' | 'zstd' | 'bzip2';

/** Bytes that are compressed on their own. */
const PIECE: number = 1 << 20;

/** Compresses pieces of 1 MiB each for itself: gzip's members and zstd's frames may follow one another (RFC 1952, RFC 8878). */
class PieceEncoder implements StreamEncoder {
  readonly #compress: (piece: Bytes) => Bytes;
  #waiting: Bytes = new Uint8Array(0);
  #pieces = 0;

  constructor(compress: (piece: Bytes) => Bytes) {
    this.#compress = compress;
  }

  push(input: Bytes): Bytes {
    this.#waiting = concatBytes(this.#waiting, input);
    const parts: Bytes[] = [];
    for (; this.#waiting.length >= PIECE; this.#waiting = this.#waiting.slice(PIECE))
      parts.push(this.#piece(this.#waiting.slice(0, PIECE)));
    return concatBytes(...parts);
  }

  finish(): Bytes {
    if (this.#waiting.length === 0 && this.#pieces > 0) return new Uint8Array(0);
    return this.#piece(this.#waiting);
  }

  #piece(bytes: Bytes): Bytes {
    this.#pieces++;
    return this.#compress(bytes);
  }
}

/** RFC 1952: a header without name and time, from Unix. */
const GZIP_HEADER = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3);

function gzipMember(codecs: Pick<Codecs, 'deflateRaw'>, piece: Bytes): Bytes {
  const trailer = new Uint8Array(8);
  viewOf(trailer).setUint32(0, crc32(piece), true);
  viewOf(trailer).setUint32(4, piece.length, true);
  return concatBytes(GZIP_HEADER, codecs.deflateRaw(piece), trailer);
}

/** A new encoder. The output of `xz` is valid and not smaller than its input: it is stored, not compressed. */
export function streamEncoder(format: EncodedFormat, codecs: Pick<Codecs, 'deflateRaw' | 'zstdCompress'>): StreamEncoder {
  switch (format) {
    case 'gzip':
      return new PieceEncoder((piece) => gzipMember(codecs, piece));
    case 'zstd':
      return new PieceEncoder((piece) => codecs.zstdCompress(piece));
    case 'xz':
      return new XzEncoder();
    case 'bzip2':
      return new Bzip2Encoder();
  }
}
