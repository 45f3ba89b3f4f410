/** Which decoder reads which whole-file compression. */
import { Bzip2Decoder } from './bzip2.ts';
import type { StreamDecoder, StreamFormat } from './codecs.ts';
import { Lz4Decoder } from './lz4.ts';
import { GzipDecoder, type Pako } from './pako.ts';
import { XzDecoder } from './xz.ts';
import { ZstdDecoder } from './zstd.ts';

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
