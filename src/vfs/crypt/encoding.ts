/** The alphabet of crypt(3): six bits a character, least significant first. */
import type { Bytes } from '../../bytes/struct.ts';

export const CRYPT_ALPHABET = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** `count` characters of the number's low bits. */
function crypt64(value: number, count: number): string {
  let text = '';
  for (let i = 0; i < count; i++) text += CRYPT_ALPHABET[(value >>> (6 * i)) & 63];
  return text;
}

/**
 * A digest as text: each triple of indices names the bytes of one 24-bit number, high to low; -1 stands for no byte and shortens the
 * group to as many characters as its bits need.
 */
export function crypt64Digest(digest: Bytes, order: readonly (readonly [number, number, number])[]): string {
  let text = '';
  for (const group of order) {
    let value = 0;
    let bytes = 0;
    for (const index of group) {
      if (index >= 0) bytes++;
      value = (value << 8) | (index >= 0 ? (digest[index] ?? 0) : 0);
    }
    text += crypt64(value, Math.ceil((bytes * 8) / 6));
  }
  return text;
}
