/** How whole-file compressions are told apart; stands apart from their decoders, so that these can be loaded when one is needed. */
import type { Bytes } from '../bytes/struct.ts';
import type { StreamFormat } from './codecs.ts';

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
