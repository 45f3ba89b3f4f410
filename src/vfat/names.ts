/** Names: short (8.3) names and VFAT long names as they stand on disk, and how they are shown and compared. */
import type { Bytes } from '../bytes/struct.ts';
import { type CodePage, decodeByte } from './codepage.ts';
import {
  LAST_LONG_ENTRY,
  LONG_NAME_ENTRY,
  LONG_NAME_UNITS,
  MAX_LONG_ENTRIES,
  NAME_KANJI,
  NTRES_LOWER_BASE,
  NTRES_LOWER_EXTENSION,
} from './format.ts';

/** The checksum by which long name entries know their short entry (fatgen103, ChkSum): over the 11 bytes as they stand on disk. */
export function shortNameChecksum(bytes: Bytes, at = 0): number {
  let sum = 0;
  for (let i = 0; i < 11; i++) sum = (((sum & 1) << 7) + (sum >> 1) + (bytes[at + i] ?? 0)) & 0xff;
  return sum;
}

/** The name that the 11 bytes and the NT flags of a short entry show, as Linux and Windows NT show it. */
export function decodeShortName(bytes: Bytes, at: number, ntFlags: number, page: CodePage): string {
  const base = decodePart(bytes, at, 8, (ntFlags & NTRES_LOWER_BASE) !== 0, page);
  const extension = decodePart(bytes, at + 8, 3, (ntFlags & NTRES_LOWER_EXTENSION) !== 0, page);
  return extension === '' ? base : `${base}.${extension}`;
}

function decodePart(bytes: Bytes, at: number, length: number, lower: boolean, page: CodePage): string {
  let end = length;
  while (end > 0 && bytes[at + end - 1] === 0x20) end--;
  let text = '';
  for (let i = 0; i < end; i++) {
    let byte = bytes[at + i] ?? 0;
    if (i === 0 && length === 8 && byte === NAME_KANJI) byte = 0xe5;
    text += decodeByte(page, byte);
  }
  return lower ? changeCase(text, 'lower') : text;
}

/** Changes case character by character; a character whose other case is longer stays. */
export function changeCase(text: string, to: 'lower' | 'upper'): string {
  const whole = to === 'lower' ? text.toLowerCase() : text.toUpperCase();
  if (whole.length === text.length) return whole;
  let changed = '';
  for (const character of text) {
    const other = to === 'lower' ? character.toLowerCase() : character.toUpperCase();
    changed += other.length === character.length ? other : character;
  }
  return changed;
}

/** What two names that FAT holds for the same have in common: trailing dots do not count, nor does case. */
export function foldName(text: string): string {
  return changeCase(stripTrailingDots(text), 'upper');
}

export function stripTrailingDots(text: string): string {
  let end = text.length;
  while (end > 0 && text.charCodeAt(end - 1) === 0x2e) end--;
  return end === text.length ? text : text.slice(0, end);
}

const UNSHOWABLE = /[/\0]|:(?=[0-9A-F]{4})/g;
const escapeUnit = (unit: string): string => `:${unit.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`;

/**
 * A name as a path can carry it. What no path can (`/`, NUL, an empty name, `.` and `..`) is written as a colon and four hexadecimal
 * digits, as Linux's mount option `uni_xlate` writes characters: no proper FAT name holds a colon. Different names stay different.
 */
export function showableName(text: string): string {
  if (text === '') return ':0020';
  if (text === '.' || text === '..') return text.replaceAll('.', escapeUnit);
  return text.replace(UNSHOWABLE, escapeUnit);
}

/** Gathers the long name entries that stand before a short entry; the rules are those of Linux's fat_parse_long. */
export class LongNameAssembler {
  #parts: string[] = [];
  #next = 0;
  #checksum = 0;
  #start = -1;

  /** The slot of the first long entry of the sequence that is under way; -1 when there is none. */
  get start(): number {
    return this.#start;
  }

  /** Drops what was gathered; says whether there was something. */
  reset(): boolean {
    const pending = this.#start >= 0;
    this.#parts = [];
    this.#next = 0;
    this.#start = -1;
    return pending;
  }

  /** Takes the long entry at `at`, which stands in slot `slot`; false when it belongs to no proper sequence or broke one. */
  add(bytes: Bytes, at: number, slot: number): boolean {
    const entry = LONG_NAME_ENTRY.read(bytes, at);
    const ordinal = entry.LDIR_Ord & ~LAST_LONG_ENTRY;
    let whole = true;
    if ((entry.LDIR_Ord & LAST_LONG_ENTRY) !== 0) {
      whole = !this.reset();
      if (ordinal === 0 || ordinal > MAX_LONG_ENTRIES) return false;
      this.#next = ordinal;
      this.#checksum = entry.LDIR_Chksum;
      this.#start = slot;
    } else if (this.#start < 0 || ordinal !== this.#next || ordinal === 0 || entry.LDIR_Chksum !== this.#checksum) {
      this.reset();
      return false;
    }
    this.#parts.unshift(String.fromCharCode(...entry.LDIR_Name1, ...entry.LDIR_Name2, ...entry.LDIR_Name3));
    this.#next--;
    return whole;
  }

  /**
   * The long name of the short entry at `at`, where the sequence is complete and its checksum right; undefined otherwise. Ends the sequence.
   */
  finish(bytes: Bytes, at: number): { readonly name: string; readonly start: number } | undefined {
    const complete = this.#start >= 0 && this.#next === 0 && this.#checksum === shortNameChecksum(bytes, at);
    const all = this.#parts.join('');
    const start = this.#start;
    this.reset();
    if (!complete) return undefined;
    const end = all.indexOf('\0');
    const name = end < 0 ? all : all.slice(0, end);
    return name === '' ? undefined : { name, start };
  }
}

/** The long name entries of a name, in the order of the disk. */
export function encodeLongName(name: string, checksum: number): Bytes {
  const count = Math.ceil(name.length / LONG_NAME_UNITS);
  const bytes = new Uint8Array(count * LONG_NAME_ENTRY.size);
  for (let ordinal = count; ordinal > 0; ordinal--) {
    const units = Array.from({ length: LONG_NAME_UNITS }, (_, i) => {
      const at = (ordinal - 1) * LONG_NAME_UNITS + i;
      return at < name.length ? name.charCodeAt(at) : at === name.length ? 0 : 0xffff;
    });
    LONG_NAME_ENTRY.write(bytes, (count - ordinal) * LONG_NAME_ENTRY.size, {
      LDIR_Ord: ordinal === count ? ordinal | LAST_LONG_ENTRY : ordinal,
      LDIR_Name1: units.slice(0, 5),
      LDIR_Attr: 0x0f,
      LDIR_Type: 0,
      LDIR_Chksum: checksum,
      LDIR_Name2: units.slice(5, 11),
      LDIR_FstClusLO: 0,
      LDIR_Name3: units.slice(11, 13),
    });
  }
  return bytes;
}
