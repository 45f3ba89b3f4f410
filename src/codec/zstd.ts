import type { Bytes } from '../bytes/struct.ts';
import { Unsupported } from '../errors.ts';
import type { StreamDecoder } from './codecs.ts';
export function decompressZstd(_input: Bytes, _target: Bytes): void {
  throw new Unsupported('zstd');
}
export class ZstdDecoder implements StreamDecoder {
  push(_input: Bytes): Iterable<Bytes> {
    throw new Unsupported('zstd');
  }
  finish(): void {}
}
