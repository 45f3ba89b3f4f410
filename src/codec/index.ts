/** Codecs: deflate, zstd, gzip, lz4 and xz as a table that each platform fills. */
export * from './codecs.ts';
export { decodedPieces } from './decoded.ts';
export { type EncodedFormat, type StreamEncoder, streamEncoder } from './encoders.ts';
export { identifyStream } from './stream-magic.ts';
export { streamDecoder } from './streams.ts';
export { decompressZstd } from './zstd.ts';
export { zstdFrameLength } from './zstd-frame.ts';
