/** Checksums in plain JavaScript. They stand apart, so that programs which bring faster ones need not load them. */
import { md5, sha1 } from '@noble/hashes/legacy.js';
import { sha224, sha256, sha384, sha512 } from '@noble/hashes/sha2.js';
import { crc32Update } from '../bytes/crc32.ts';
import type { Bytes } from '../bytes/struct.ts';
import { Unsupported } from '../errors.ts';
import type { Hasher, HashFactory } from './checksum.ts';

class Crc32 implements Hasher {
  #value = 0xffffffff;

  update(bytes: Bytes): void {
    this.#value = crc32Update(this.#value, bytes);
  }

  digest(): Bytes {
    const digest = new Uint8Array(4);
    new DataView(digest.buffer).setUint32(0, ~this.#value >>> 0);
    return digest;
  }
}

const ALGORITHMS: ReadonlyMap<string, () => Hasher> = new Map<string, () => Hasher>([
  ['md5', () => md5.create()],
  ['sha1', () => sha1.create()],
  ['sha224', () => sha224.create()],
  ['sha256', () => sha256.create()],
  ['sha384', () => sha384.create()],
  ['sha512', () => sha512.create()],
  ['crc32', () => new Crc32()],
]);

/** The names that {@link portableHashes} knows. */
export const CHECKSUMS: readonly string[] = [...ALGORITHMS.keys()];

/** Checksums in plain JavaScript, for where the platform has none that is synchronous. Throws Unsupported. */
export const portableHashes: HashFactory = (algorithm) => {
  const begin = ALGORITHMS.get(algorithm);
  if (begin === undefined) throw new Unsupported(algorithm, `no checksum ${algorithm}; there are ${CHECKSUMS.join(', ')}`);
  return begin();
};
