/** Which decoder reads which whole-file compression, and how the formats are told apart. */
import type { Bytes } from '../bytes/struct.ts';
import { Bzip2Decoder } from './bzip2.ts';
import type { StreamDecoder, StreamFormat } from './codecs.ts';
import { Lz4Decoder } from './lz4.ts';
import { GzipDecoder, type Pako } from './pako.ts';
import { XzDecoder } from './xz.ts';
import { ZstdDecoder } from './zstd.ts';

const MAGICS: readonly (readonly [StreamFormat, readonly number[]])[] = [
  ['gzip', [0x1f, 0x8b, 0x08]],
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
  ['lz4', [0x04, 0x22, 0x4d, 0x18]],
  ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ['bzip2', [0x42, 0x5a, 0x68]],
];

/** The whole-file compression whose magic number these bytes begin with. */
export function identifyStream(head: Bytes): StreamFormat | undefined {
  return MAGICS.find(([, magic]) => magic.every((byte, i) => head[i] === byte))?.[0];
}

/** A new decoder; `pako` is asked for only where it is needed. */
export function streamDecoder(format: StreamFormat, pako: () => Pako): StreamDecoder {
  switch (format) {
    case 'gzip':
      return new GzipDecoder(pako());
    case 'zstd':
      return new ZstdDecoder();
    case 'lz4':
      return new Lz4Decoder();
    case 'xz':
      return new XzDecoder();
    case 'bzip2':
      return new Bzip2Decoder();
  }
}
