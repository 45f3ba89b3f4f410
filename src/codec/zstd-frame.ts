/** The outer structure of zstd frames: enough to tell where a frame ends without decoding it (RFC 8878, section 3.1). */
import type { Bytes } from '../bytes/struct.ts';
import { viewOf } from '../bytes/struct.ts';
import { Corrupt } from '../errors.ts';

export const ZSTD_MAGIC = 0xfd2fb528;
/** Skippable frames have the magic numbers 0x184D2A50 to 0x184D2A5F. */
export const ZSTD_SKIPPABLE_MAGIC = 0x184d2a50;

/** The largest block content: Block_Maximum_Size of RFC 8878, section 3.1.1.2.4. */
export const ZSTD_MAX_BLOCK: number = 128 * 1024;

export const ZSTD_BLOCK_RAW = 0;
export const ZSTD_BLOCK_RLE = 1;
export const ZSTD_BLOCK_COMPRESSED = 2;

/** Whether a frame of content, not a skippable one, begins here. */
function isZstdFrame(input: Bytes, at: number): boolean {
  return at + 4 <= input.length && viewOf(input).getUint32(at, true) === ZSTD_MAGIC;
}

export interface ZstdFrameHeader {
  /** Bytes of magic number and header. */
  readonly length: number;
  readonly windowSize: number;
  readonly contentSize?: number;
  readonly dictionary: number;
  readonly checksum: boolean;
}

/** Bytes that a frame header takes, from its fifth byte, the descriptor. */
function headerLength(descriptor: number): number {
  const single = (descriptor >> 5) & 1;
  return 5 + (1 - single) + (([0, 1, 2, 4] as const)[descriptor & 3] ?? 0) + (([single, 2, 4, 8] as const)[descriptor >> 6] ?? 0);
}

/** Decodes the frame header at `at`; undefined when the bytes end before it does. Throws Corrupt for reserved bits. */
export function parseZstdFrameHeader(input: Bytes, at: number): ZstdFrameHeader | undefined {
  if (at + 5 > input.length) return undefined;
  const descriptor = input[at + 4] ?? 0;
  const length = headerLength(descriptor);
  if (at + length > input.length) return undefined;
  if (descriptor & 8) throw new Corrupt('a zstd frame uses a reserved bit', { layer: 'zstd', offset: at });
  const view = viewOf(input);
  const single = (descriptor & 32) !== 0;
  let position = at + 5;
  let windowSize = 0;
  if (!single) {
    const window = input[position++] ?? 0;
    const base = 2 ** (10 + (window >> 3));
    windowSize = base + (base / 8) * (window & 7);
  }
  const dictionaryLength = ([0, 1, 2, 4] as const)[descriptor & 3] ?? 0;
  let dictionary = 0;
  for (let i = 0; i < dictionaryLength; i++) dictionary += (input[position + i] ?? 0) * 256 ** i;
  position += dictionaryLength;
  const flag = descriptor >> 6;
  let contentSize: number | undefined;
  if (flag === 0) contentSize = single ? (input[position] ?? 0) : undefined;
  else if (flag === 1) contentSize = view.getUint16(position, true) + 256;
  else if (flag === 2) contentSize = view.getUint32(position, true);
  else contentSize = view.getUint32(position, true) + view.getUint32(position + 4, true) * 2 ** 32;
  return {
    length,
    windowSize: single ? (contentSize ?? 0) : windowSize,
    ...(contentSize === undefined ? {} : { contentSize }),
    dictionary,
    checksum: (descriptor & 4) !== 0,
  };
}

/**
 * Length in bytes of the frame (or skippable frame) that begins at `at`. Compressed clusters are padded to sectors, and decoders
 * reject what follows a frame, so the end has to be known first. Throws Corrupt when there is no complete frame.
 */
export function zstdFrameLength(input: Bytes, at = 0): number {
  const broken = (why: string): Corrupt => new Corrupt(`${why} in a compressed stream`, { layer: 'zstd', offset: at });
  if (at + 8 > input.length) throw broken('no complete zstd frame');
  const view = viewOf(input);
  const magic = view.getUint32(at, true);
  if ((magic & 0xfffffff0) >>> 0 === ZSTD_SKIPPABLE_MAGIC) {
    const length = 8 + view.getUint32(at + 4, true);
    if (at + length > input.length) throw broken('a skippable zstd frame without end');
    return length;
  }
  if (magic !== ZSTD_MAGIC) throw broken('no zstd frame');
  const descriptor = input[at + 4] ?? 0;
  let position = at + headerLength(descriptor);
  for (;;) {
    if (position + 3 > input.length) throw broken('a zstd frame without end');
    const header = (input[position] ?? 0) | ((input[position + 1] ?? 0) << 8) | ((input[position + 2] ?? 0) << 16);
    position += 3 + (((header >> 1) & 3) === ZSTD_BLOCK_RLE ? 1 : header >>> 3);
    if (header & 1) break;
  }
  if (descriptor & 4) position += 4;
  if (position > input.length) throw broken('a zstd frame without end');
  return position - at;
}

/**
 * Runs a decoder of single frames over a padded run of frames until `target` is full.
 * `decode` fills (a part of) its target and returns how many bytes it produced.
 */
export function fillFromFrames(input: Bytes, target: Bytes, decode: (frame: Bytes, target: Bytes) => number): void {
  let at = 0;
  let filled = 0;
  while (filled < target.length) {
    const length = zstdFrameLength(input, at);
    if (isZstdFrame(input, at)) filled += decode(input.subarray(at, at + length), target.subarray(filled));
    at += length;
  }
}
