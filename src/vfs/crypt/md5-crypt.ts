/** MD5-crypt, `$1$`: the scheme of FreeBSD's crypt(3) by Poul-Henning Kamp, 1000 rounds. */
import { md5 } from '@noble/hashes/legacy.js';
import type { Bytes } from '../../bytes/struct.ts';
import { concatBytes } from '../../bytes/text.ts';
import { crypt64Digest } from './encoding.ts';

const ROUNDS = 1000;
const SALT_LENGTH = 8;
const ORDER = [
  [0, 6, 12],
  [1, 7, 13],
  [2, 8, 14],
  [3, 9, 15],
  [4, 10, 5],
  [-1, -1, 11],
] as const;

const encoder = new TextEncoder();

/** The hash of a password; only the first eight characters of the salt count. */
export function md5Crypt(password: string, salt: string): string {
  const key = encoder.encode(password);
  const usedSalt = salt.slice(0, SALT_LENGTH);
  const saltBytes = encoder.encode(usedSalt);

  const alternate = md5(concatBytes(key, saltBytes, key));
  const parts: Bytes[] = [key, encoder.encode('$1$'), saltBytes];
  for (let left = key.length; left > 0; left -= 16) parts.push(alternate.subarray(0, Math.min(16, left)));
  for (let bits = key.length; bits > 0; bits >>>= 1) parts.push(bits & 1 ? new Uint8Array(1) : key.subarray(0, 1));

  let digest: Bytes = md5(concatBytes(...parts));
  for (let round = 0; round < ROUNDS; round++) {
    const odd = (round & 1) !== 0;
    digest = md5(
      concatBytes(
        odd ? key : digest,
        round % 3 !== 0 ? saltBytes : new Uint8Array(0),
        round % 7 !== 0 ? key : new Uint8Array(0),
        odd ? digest : key,
      ),
    );
  }
  return `$1$${usedSalt}$${crypt64Digest(digest, ORDER)}`;
}
