/**
 * Names in encrypted directories, without the key: shown as the kernel shows them (fs/crypto/fname.c, struct fscrypt_nokey_name), as
 * base64url of the directory hash and the ciphertext. Ciphertext itself may hold slashes and zero bytes and is no name.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { type Bytes, viewOf } from '../bytes/struct.ts';
import { concatBytes, sameBytes } from '../bytes/text.ts';
import { Corrupt } from '../errors.ts';

/** The most ciphertext bytes in a shown name; of what is longer the rest is there as its SHA-256. */
const PLAIN_CIPHERTEXT = 149;
const HASHES = 8;
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const CODES = Uint8Array.from(ALPHABET, (character) => character.charCodeAt(0));
const VALUES = new Map([...CODES].map((code, value) => [code, value]));

/** The name under which ciphertext is shown; `hash` and `minorHash` are the directory's hash of it, 0 where there is none. */
export function shownName(ciphertext: Bytes, hash: number, minorHash: number): Bytes {
  const hashes = new Uint8Array(HASHES);
  viewOf(hashes).setUint32(0, hash, true);
  viewOf(hashes).setUint32(4, minorHash, true);
  if (ciphertext.length <= PLAIN_CIPHERTEXT) return base64url(concatBytes(hashes, ciphertext));
  const digest = sha256(ciphertext.subarray(PLAIN_CIPHERTEXT));
  return base64url(concatBytes(hashes, ciphertext.subarray(0, PLAIN_CIPHERTEXT), digest));
}

/** Whether ciphertext is what a shown name stands for; undefined when no name of that form was given. */
export function ciphertextTest(shown: Bytes): ((ciphertext: Bytes) => boolean) | undefined {
  const bytes = fromBase64url(shown);
  if (bytes === undefined || bytes.length <= HASHES || bytes.length > HASHES + PLAIN_CIPHERTEXT + 32) return undefined;
  const wanted = bytes.subarray(HASHES);
  if (wanted.length <= PLAIN_CIPHERTEXT) return (ciphertext) => sameBytes(ciphertext, wanted);
  if (wanted.length !== PLAIN_CIPHERTEXT + 32) return undefined;
  return (ciphertext) =>
    ciphertext.length > PLAIN_CIPHERTEXT &&
    sameBytes(ciphertext.subarray(0, PLAIN_CIPHERTEXT), wanted.subarray(0, PLAIN_CIPHERTEXT)) &&
    sameBytes(sha256(ciphertext.subarray(PLAIN_CIPHERTEXT)), wanted.subarray(PLAIN_CIPHERTEXT));
}

/** The ciphertext of an encrypted link's target: it stands behind its length (struct fscrypt_symlink_data). */
export function linkCiphertext(stored: Bytes, inode: number): Bytes {
  const length = stored.length < 2 ? 0 : viewOf(stored).getUint16(0, true);
  if (length === 0 || length + 2 > stored.length) {
    throw new Corrupt(`encrypted symbolic link with a target of ${length} bytes`, { layer: 'ext4', inode });
  }
  return stored.subarray(2, 2 + length);
}

function base64url(bytes: Bytes): Bytes {
  const text = new Uint8Array(Math.ceil((bytes.length * 4) / 3));
  let at = 0;
  for (let i = 0; i < bytes.length; i += 3) {
    const group = bytes[i]! * 65536 + (bytes[i + 1] ?? 0) * 256 + (bytes[i + 2] ?? 0);
    for (let shift = 18; shift >= 0 && at < text.length; shift -= 6) text[at++] = CODES[(group >> shift) & 63]!;
  }
  return text;
}

function fromBase64url(text: Bytes): Bytes | undefined {
  if (text.length % 4 === 1) return undefined;
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4));
  let bits = 0;
  let held = 0;
  let at = 0;
  for (const code of text) {
    const value = VALUES.get(code);
    if (value === undefined) return undefined;
    held = ((held << 6) | value) & 0xffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes[at++] = (held >> bits) & 0xff;
    }
  }
  return bytes;
}
