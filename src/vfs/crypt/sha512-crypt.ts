/** SHA-512-crypt, `$6$`: Ulrich Drepper's "Unix crypt using SHA-256 and SHA-512", with its default of 5000 rounds. */
import { sha512 } from '@noble/hashes/sha2.js';
import type { Bytes } from '../../bytes/struct.ts';
import { concatBytes } from '../../bytes/text.ts';
import { crypt64Digest } from './encoding.ts';

const ROUNDS = 5000;
const SALT_LENGTH = 16;
/** The digest's bytes are taken in groups that step by 21 modulo 63, each rotated against the last. */
const ORDER: readonly (readonly [number, number, number])[] = [
  ...Array.from({ length: 21 }, (_, i) => {
    const [a, b, c] = [i, i + 21, i + 42];
    return i % 3 === 0 ? ([a, b, c] as const) : i % 3 === 1 ? ([b, c, a] as const) : ([c, a, b] as const);
  }),
  [-1, -1, 63],
];

const encoder = new TextEncoder();

/** Repeats a digest until it is `length` bytes long. */
function repeat(digest: Bytes, length: number): Bytes {
  return Uint8Array.from({ length }, (_, i) => digest[i % 64] ?? 0);
}

/** The hash of a password; only the first sixteen characters of the salt count. */
export function sha512Crypt(password: string, salt: string): string {
  const key = encoder.encode(password);
  const usedSalt = salt.slice(0, SALT_LENGTH);
  const saltBytes = encoder.encode(usedSalt);

  const alternate = sha512(concatBytes(key, saltBytes, key));
  const parts: Bytes[] = [key, saltBytes, repeat(alternate, key.length)];
  for (let bits = key.length; bits > 0; bits >>>= 1) parts.push(bits & 1 ? alternate : key);
  let digest: Bytes = sha512(concatBytes(...parts));

  const p = repeat(sha512(concatBytes(...Array.from({ length: key.length }, () => key))), key.length);
  const s = repeat(sha512(concatBytes(...Array.from({ length: 16 + (digest[0] ?? 0) }, () => saltBytes))), saltBytes.length);
  const nothing = new Uint8Array(0);
  for (let round = 0; round < ROUNDS; round++) {
    const odd = (round & 1) !== 0;
    digest = sha512(concatBytes(odd ? p : digest, round % 3 !== 0 ? s : nothing, round % 7 !== 0 ? p : nothing, odd ? digest : p));
  }
  return `$6$${usedSalt}$${crypt64Digest(digest, ORDER)}`;
}
