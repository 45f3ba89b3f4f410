import type { Bytes } from '../bytes/struct.ts';
import { Unsupported } from '../errors.ts';
import type { StreamDecoder } from './codecs.ts';
export class XzDecoder implements StreamDecoder {
  push(_input: Bytes): Iterable<Bytes> {
    throw new Unsupported('xz');
  }
  finish(): void {}
}
