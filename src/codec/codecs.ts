/** The table of codecs: which functions decode and encode what. A platform fills it with the fastest it has. */
import type { Bytes } from '../bytes/struct.ts';

/** Whole-file compression. */
export type StreamFormat = 'gzip' | 'zstd' | 'lz4' | 'xz' | 'bzip2';

/**
 * Decodes a stream piece by piece. Memory is bounded by the window of the format (and its cap here), never by the length of the
 * stream: what comes out is handed over in chunks, before more is decoded.
 */
export interface StreamDecoder {
  /** Takes the next piece of input (copied). All chunks that the last one gives must have been taken. */
  push(input: Bytes): void;
  /** The next chunk of output, valid until the next call; undefined when more input is needed. Throws Corrupt. */
  next(): Bytes | undefined;
  /** Throws Corrupt when the stream is not complete. */
  finish(): void;
}

export interface Codecs {
  /**
   * Inflates a raw deflate stream (RFC 1951) so that it fills `target` exactly, by QEMU's rules for qcow2 clusters: whatever follows
   * once `target` is full is ignored; a stream that ends or breaks before is Corrupt.
   */
  inflateRaw(input: Bytes, target: Bytes): void;
  /**
   * Decompresses zstd frames (RFC 8878) until `target` is full; the last frame has to end exactly there and whatever follows is
   * ignored. Anything else is Corrupt.
   */
  zstdDecompress(input: Bytes, target: Bytes): void;
  /** Deflates with a window of 4 KiB, which is all that readers of qcow2 have to support. */
  deflateRaw(input: Bytes): Bytes;
  /** One zstd frame that tells its content size. */
  zstdCompress(input: Bytes): Bytes;
  /** A new decoder for a whole file. Throws Unsupported for features of the format that it does not know. */
  stream(format: StreamFormat): StreamDecoder;
}
