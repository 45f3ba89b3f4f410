/**
 * The traditional crypt(3): 25 rounds of DES over a block of zeros, with the expansion disturbed by a 12-bit salt. Kept for
 * compatibility only; a modern cracker finds any such password.
 *
 * DES after FIPS 46-3; bits are handled one per array element, which is slow and plain: 25 rounds take about a millisecond.
 */
import { CRYPT_ALPHABET } from './encoding.ts';

const INITIAL = table(
  '58 50 42 34 26 18 10 2 60 52 44 36 28 20 12 4 62 54 46 38 30 22 14 6 64 56 48 40 32 24 16 8 ' +
    '57 49 41 33 25 17 9 1 59 51 43 35 27 19 11 3 61 53 45 37 29 21 13 5 63 55 47 39 31 23 15 7',
);
const FINAL = table(
  '40 8 48 16 56 24 64 32 39 7 47 15 55 23 63 31 38 6 46 14 54 22 62 30 37 5 45 13 53 21 61 29 ' +
    '36 4 44 12 52 20 60 28 35 3 43 11 51 19 59 27 34 2 42 10 50 18 58 26 33 1 41 9 49 17 57 25',
);
const EXPANSION = table(
  '32 1 2 3 4 5 4 5 6 7 8 9 8 9 10 11 12 13 12 13 14 15 16 17 16 17 18 19 20 21 20 21 22 23 24 25 24 25 26 27 28 29 28 29 30 31 32 1',
);
const PERMUTATION = table('16 7 20 21 29 12 28 17 1 15 23 26 5 18 31 10 2 8 24 14 32 27 3 9 19 13 30 6 22 11 4 25');
const KEY_CHOICE_1 = table(
  '57 49 41 33 25 17 9 1 58 50 42 34 26 18 10 2 59 51 43 35 27 19 11 3 60 52 44 36 ' +
    '63 55 47 39 31 23 15 7 62 54 46 38 30 22 14 6 61 53 45 37 29 21 13 5 28 20 12 4',
);
const KEY_CHOICE_2 = table(
  '14 17 11 24 1 5 3 28 15 6 21 10 23 19 12 4 26 8 16 7 27 20 13 2 41 52 31 37 47 55 30 40 51 45 33 48 44 49 39 56 34 53 46 42 50 36 29 32',
);
const SHIFTS = [1, 1, 2, 2, 2, 2, 2, 2, 1, 2, 2, 2, 2, 2, 2, 1] as const;
/** The substitution boxes S1 to S8, each four rows of sixteen hexadecimal digits. */
const BOXES = [
  'e4d12fb83a6c5907 0f74e2d1a6cb9538 41e8d62bfc973a50 fc8249175b3ea06d',
  'f18e6b34972dc05a 3d47f28ec01a69b5 0e7ba4d158c6932f d8a13f42b67c05e9',
  'a09e63f51dc7b428 d709346a285ecbf1 d6498f30b12c5ae7 1ad069874fe3b52c',
  '7de3069a1285bc4f d8b56f03472c1ae9 a690cb7df13e5284 3f06a1d8945bc72e',
  '2c417ab6853fd0e9 eb2c47d150fa3986 421bad78f9c5630e b8c71e2d6f09a453',
  'c1af92680d34e75b af427c9561de0b38 9ef528c3704a1db6 432c95fabe17608d',
  '4b2ef08d3c975a61 d0b7491ae35c2f86 14bdc37eaf680592 6bd814a7950fe23c',
  'd2846fb1a93e50c7 1fd8a374c56b0e92 7b419ce206adf358 21e74a8dfc90356b',
].map((digits) => Array.from(digits.replaceAll(' ', ''), (digit) => Number.parseInt(digit, 16)));

function table(text: string): readonly number[] {
  return text.split(' ').map((position) => Number(position) - 1);
}

function pick(bits: readonly number[], positions: readonly number[]): number[] {
  return positions.map((position) => bits[position] ?? 0);
}

function keySchedule(password: string): number[][] {
  const key = new Array<number>(64).fill(0);
  const bytes = new TextEncoder().encode(password);
  for (let i = 0; i < Math.min(8, bytes.length); i++)
    for (let bit = 0; bit < 7; bit++) key[8 * i + bit] = ((bytes[i] ?? 0) >>> (6 - bit)) & 1;
  const chosen = pick(key, KEY_CHOICE_1);
  let [c, d] = [chosen.slice(0, 28), chosen.slice(28)];
  return SHIFTS.map((shift) => {
    c = [...c.slice(shift), ...c.slice(0, shift)];
    d = [...d.slice(shift), ...d.slice(0, shift)];
    return pick([...c, ...d], KEY_CHOICE_2);
  });
}

/** The expansion with position i and i + 24 exchanged wherever bit i of the salt is set. */
function saltedExpansion(salt: string): number[] {
  const expansion = [...EXPANSION];
  for (let i = 0; i < 2; i++) {
    const value = CRYPT_ALPHABET.indexOf(salt[i] ?? '.');
    for (let bit = 0; bit < 6; bit++) {
      if (((Math.max(0, value) >>> bit) & 1) === 0) continue;
      const at = 6 * i + bit;
      [expansion[at], expansion[at + 24]] = [expansion[at + 24] ?? 0, expansion[at] ?? 0];
    }
  }
  return expansion;
}

function encrypt(block: readonly number[], keys: readonly (readonly number[])[], expansion: readonly number[]): number[] {
  const start = pick(block, INITIAL);
  let left = start.slice(0, 32);
  let right = start.slice(32);
  for (const key of keys) {
    const mixed = expansion.map((position, i) => (right[position] ?? 0) ^ (key[i] ?? 0));
    const substituted: number[] = [];
    for (let box = 0; box < 8; box++) {
      const [b0, b1, b2, b3, b4, b5] = mixed.slice(6 * box, 6 * box + 6) as [number, number, number, number, number, number];
      const value = BOXES[box]?.[16 * (2 * b0 + b5) + 8 * b1 + 4 * b2 + 2 * b3 + b4] ?? 0;
      substituted.push((value >>> 3) & 1, (value >>> 2) & 1, (value >>> 1) & 1, value & 1);
    }
    const scrambled = pick(substituted, PERMUTATION);
    [left, right] = [right, left.map((bit, i) => bit ^ (scrambled[i] ?? 0))];
  }
  return pick([...right, ...left], FINAL);
}

/** The hash of a password: thirteen characters that begin with the two of the salt. Only the password's first eight bytes count. */
export function desCrypt(password: string, salt: string): string {
  const keys = keySchedule(password);
  const expansion = saltedExpansion(salt);
  let block = new Array<number>(64).fill(0);
  for (let round = 0; round < 25; round++) block = encrypt(block, keys, expansion);
  let text = salt.slice(0, 2);
  for (let i = 0; i < 66; i += 6) {
    let value = 0;
    for (let bit = 0; bit < 6; bit++) value = (value << 1) | (block[i + bit] ?? 0);
    text += CRYPT_ALPHABET[value];
  }
  return text;
}
