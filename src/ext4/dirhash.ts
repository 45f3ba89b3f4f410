/**
 * The hashes of indexed directories (Linux fs/ext4/hash.c; e2fsprogs lib/ext2fs/dirhash.c).
 *
 * Three functions, each over signed or unsigned bytes. Which signedness a file system has is said by its superblock
 * (`s_flags`: EXT2_FLAGS_SIGNED_HASH, EXT2_FLAGS_UNSIGNED_HASH), never by the machine that reads it.
 */
import type { Bytes } from '../bytes/struct.ts';
import { Corrupt, Unsupported } from '../errors.ts';

/** `hash_version` of dx_root and `s_def_hash_version` of the superblock: DX_HASH_*. */
export const DX_HASH_LEGACY = 0;
export const DX_HASH_HALF_MD4 = 1;
export const DX_HASH_TEA = 2;
export const DX_HASH_LEGACY_UNSIGNED = 3;
export const DX_HASH_HALF_MD4_UNSIGNED = 4;
export const DX_HASH_TEA_UNSIGNED = 5;
/** Keyed with the directory's encryption key, so it cannot be computed without it. */
export const DX_HASH_SIPHASH = 6;

/** The last 32-bit position, which a name must not hash to: readdir(3) uses it as the end mark. */
const EXT4_HTREE_EOF_32BIT = 0x7fffffff;

/** What one file system hashes with. */
export interface HashParameters {
  /** The four words of `s_hash_seed`; all zero stands for the default seed. */
  readonly seed: readonly number[];
  /** Whether bytes above 127 count as positive numbers. */
  readonly unsigned: boolean;
}

export interface DirectoryHash {
  /** The major hash; bit 0 is always clear. */
  readonly hash: number;
  readonly minor: number;
}

const DEFAULT_SEED = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476] as const;

/**
 * The hash of a name under `version` (0, 1 or 2 with the file system's signedness; 3, 4 and 5 say unsigned themselves).
 * In a casefolded directory the name is to be folded first. Throws Unsupported for SipHash and Corrupt for an unknown version.
 */
export function directoryHash(name: Bytes, version: number, parameters: HashParameters): DirectoryHash {
  if (version === DX_HASH_SIPHASH) {
    throw new Unsupported('siphash', 'the directory is indexed by SipHash, which needs its encryption key', { layer: 'ext4' });
  }
  if (!(version >= DX_HASH_LEGACY && version <= DX_HASH_TEA_UNSIGNED)) {
    throw new Corrupt(`unknown directory hash version ${version}`, { layer: 'ext4' });
  }
  const unsigned = parameters.unsigned || version >= DX_HASH_LEGACY_UNSIGNED;
  const algorithm = version % 3;
  if (algorithm === DX_HASH_LEGACY) return { hash: finish(legacyHash(name, unsigned)), minor: 0 };
  const seeded = parameters.seed.some((word) => word !== 0);
  const state = Int32Array.from(seeded ? parameters.seed : DEFAULT_SEED);
  if (algorithm === DX_HASH_HALF_MD4) {
    const words = new Int32Array(8);
    for (let at = 0; at < name.length; at += 32) {
      packWords(name, at, words, unsigned);
      halfMd4Transform(state, words);
    }
    return { hash: finish(state[1]! >>> 0), minor: state[2]! >>> 0 };
  }
  const words = new Int32Array(4);
  for (let at = 0; at < name.length; at += 16) {
    packWords(name, at, words, unsigned);
    teaTransform(state, words);
  }
  return { hash: finish(state[0]! >>> 0), minor: state[1]! >>> 0 };
}

function finish(hash: number): number {
  const even = (hash & ~1) >>> 0;
  return even === EXT4_HTREE_EOF_32BIT * 2 ? (EXT4_HTREE_EOF_32BIT - 1) * 2 : even;
}

function legacyHash(name: Bytes, unsigned: boolean): number {
  let before = 0x37abe8f9;
  let current = 0x12a3fe2d;
  for (const byte of name) {
    const character = unsigned || byte < 128 ? byte : byte - 256;
    // At most 2^32 + 2^32: exact as a number, and 32 bits of it count.
    let next = (before + ((current ^ Math.imul(character, 7152373)) >>> 0)) >>> 0;
    if (next >= 0x8000_0000) next = (next - 0x7fff_ffff) >>> 0;
    before = current;
    current = next;
  }
  return (current << 1) >>> 0;
}

/** Packs up to four bytes a word from `at`; what is missing is filled with the remaining length, in all four bytes. */
function packWords(name: Bytes, at: number, words: Int32Array, unsigned: boolean): void {
  const remaining = name.length - at;
  const half = (remaining & 0xff) | ((remaining & 0xff) << 8) | (remaining & ~0xff);
  const pad = half | (half << 16);
  const used = Math.min(remaining, words.length * 4);
  words.fill(pad);
  let value = pad;
  let word = 0;
  for (let i = 0; i < used; i++) {
    const byte = name[at + i]!;
    value = ((unsigned || byte < 128 ? byte : byte - 256) + (value << 8)) | 0;
    if ((i & 3) === 3) {
      words[word++] = value;
      value = pad;
    }
  }
  if (word < words.length) words[word] = value;
}

const MD4_ROUNDS: readonly { readonly constant: number; readonly shifts: readonly number[]; readonly order: readonly number[] }[] = [
  { constant: 0, shifts: [3, 7, 11, 19], order: [0, 1, 2, 3, 4, 5, 6, 7] },
  { constant: 0x5a827999, shifts: [3, 5, 9, 13], order: [1, 3, 5, 7, 0, 2, 4, 6] },
  { constant: 0x6ed9eba1, shifts: [3, 9, 11, 15], order: [3, 7, 2, 6, 1, 5, 0, 4] },
];

function halfMd4Transform(state: Int32Array, words: Int32Array): void {
  let a = state[0]!;
  let b = state[1]!;
  let c = state[2]!;
  let d = state[3]!;
  for (let round = 0; round < 3; round++) {
    const { constant, shifts, order } = MD4_ROUNDS[round]!;
    for (let step = 0; step < 8; step++) {
      const mixed = round === 0 ? d ^ (b & (c ^ d)) : round === 1 ? (b & c) + ((b ^ c) & d) : b ^ c ^ d;
      const sum = (a + mixed + words[order[step]!]! + constant) | 0;
      const shift = shifts[step & 3]!;
      const rotated = (sum << shift) | (sum >>> (32 - shift));
      a = d;
      d = c;
      c = b;
      b = rotated;
    }
  }
  state[0] = state[0]! + a;
  state[1] = state[1]! + b;
  state[2] = state[2]! + c;
  state[3] = state[3]! + d;
}

function teaTransform(state: Int32Array, key: Int32Array): void {
  let first = state[0]!;
  let second = state[1]!;
  let sum = 0;
  for (let round = 0; round < 16; round++) {
    sum = (sum + 0x9e3779b9) | 0;
    first = (first + (((second << 4) + key[0]!) ^ (second + sum) ^ ((second >>> 5) + key[1]!))) | 0;
    second = (second + (((first << 4) + key[2]!) ^ (first + sum) ^ ((first >>> 5) + key[3]!))) | 0;
  }
  state[0] = state[0]! + first;
  state[1] = state[1]! + second;
}
