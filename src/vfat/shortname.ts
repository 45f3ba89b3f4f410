/** New names: what Linux accepts as a long name, and the short name that it makes of it (fs/fat/namei_vfat.c, `shortname=mixed`). */
import type { Bytes } from '../bytes/struct.ts';
import { Posix } from '../errors.ts';
import { type CodePage, encodeCharacter } from './codepage.ts';
import { MAX_LONG_NAME, NAME_DELETED, NAME_KANJI } from './format.ts';
import { changeCase, stripTrailingDots } from './names.ts';
import { decodeWtf8, hasLoneSurrogate } from './wtf8.ts';

const FORBIDDEN = /[\u0000-\u001f"*/:<>?\\|]/;
/** Characters that a long name may hold and a short one not. */
const REPLACED = '[];,+=';
const SKIPPED = '. ';
const SPACE = 0x20;
const TILDE = 0x7e;

/** The name as it is stored: without dots at its end. Throws EINVAL, ENAMETOOLONG, or ENOENT for a name of nothing but dots. */
function checkNewName(text: string): string {
  const name = stripTrailingDots(text);
  if (name === '') throw new Posix('ENOENT', { layer: 'vfat' }, 'a FAT name cannot be empty or consist of dots');
  if (name.length > MAX_LONG_NAME) throw new Posix('ENAMETOOLONG', { layer: 'vfat' });
  if (FORBIDDEN.test(name) || name.endsWith(' ') || hasLoneSurrogate(name)) {
    throw new Posix('EINVAL', { layer: 'vfat' }, `a FAT name cannot be ${JSON.stringify(name)}`);
  }
  return name;
}

/** A new name from its bytes. Throws what {@link checkNewName} throws, and EINVAL for bytes that are no UTF-8. */
export function newName(bytes: Bytes): string {
  const text = decodeWtf8(bytes);
  if (text === undefined) throw new Posix('EINVAL', { layer: 'vfat' }, 'a FAT name has to be UTF-8');
  return checkNewName(text);
}

interface Part {
  readonly bytes: number[];
  /** Nothing was left out or replaced. */
  readonly exact: boolean;
  readonly upper: boolean;
}

function shortPart(text: string, limit: number, page: CodePage): Part {
  const bytes: number[] = [];
  let exact = true;
  let upper = true;
  // Unit by unit, as Linux: a surrogate pair becomes two underscores.
  for (const character of text.split('')) {
    if (SKIPPED.includes(character)) {
      exact = false;
      continue;
    }
    if (bytes.length === limit) {
      exact = false;
      break;
    }
    let byte: number | undefined;
    if (!REPLACED.includes(character)) {
      const capital = changeCase(character, 'upper');
      if (capital !== character) upper = false;
      byte = encodeCharacter(page, capital) ?? encodeCharacter(page, character);
    }
    if (byte === undefined) exact = false;
    bytes.push(byte ?? 0x5f);
  }
  return { bytes, exact, upper };
}

export interface NewShortName {
  /** The 11 bytes. */
  readonly raw: Uint8Array;
  /** The name cannot be told from the short name alone. */
  readonly needsLongName: boolean;
}

/**
 * The short name for a checked name; `taken` says of 11 characters whether the directory has them already.
 * Where Linux puts the clock into the tail, this puts a hash of the name: the same names give the same image.
 */
export function makeShortName(name: string, page: CodePage, taken: (raw: string) => boolean): NewShortName {
  const dot = name.lastIndexOf('.');
  // A name that begins with its only dots has no extension: all of it is the base.
  const split = dot > 0 && /[^. ]/.test(name.slice(0, dot)) ? dot : name.length;
  const base = shortPart(name.slice(0, split), 8, page);
  const extension = shortPart(name.slice(split + 1), 3, page);
  if (base.bytes.length === 0) throw new Posix('EINVAL', { layer: 'vfat' }, `a FAT name cannot be ${JSON.stringify(name)}`);
  const raw = new Uint8Array(11).fill(SPACE);
  const put = (bytes: readonly number[]): string => {
    raw.fill(SPACE, 0, 8);
    raw.set(bytes);
    if (raw[0] === NAME_DELETED) raw[0] = NAME_KANJI;
    return String.fromCharCode(...raw);
  };
  raw.set(extension.bytes, 8);
  const plain = put(base.bytes);
  if (base.exact && extension.exact) {
    if (taken(plain)) throw new Posix('EEXIST', { layer: 'vfat' });
    return { raw, needsLongName: !(base.upper && extension.upper) };
  }
  const digits = (number: number): number[] => [...String(number)].map((digit) => digit.charCodeAt(0));
  for (let number = 1; number < 10; number++) {
    if (!taken(put([...base.bytes.slice(0, 6), TILDE, ...digits(number)]))) return { raw, needsLongName: true };
  }
  for (let salt = 0; ; salt++) {
    const hash = hashName(name, salt).toString(16).toUpperCase().padStart(4, '0');
    const middle = [...hash].map((digit) => digit.charCodeAt(0));
    for (let number = 1; number < 10; number++) {
      if (!taken(put([...base.bytes.slice(0, 2), ...middle, TILDE, ...digits(number)]))) return { raw, needsLongName: true };
    }
    // 65536 hashes of 9 tails each are more names than a directory holds.
    if (salt > 0x2_0000) throw new Posix('ENOSPC', { layer: 'vfat' }, 'no short name is left for this name');
  }
}

/** Sixteen bits of FNV-1a over the units of a name. */
function hashName(name: string, salt: number): number {
  let hash = (0x811c9dc5 ^ salt) >>> 0;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193) >>> 0;
  return (hash ^ (hash >>> 16)) & 0xffff;
}
