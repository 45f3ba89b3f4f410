/**
 * Equality of names in directories that ignore case (feature `casefold`, encoding utf8-12.1; fs/unicode in Linux).
 *
 * Two names are the same when their canonical decompositions, fully case-folded and freed of ignorable code points, are. Decomposition
 * and lower case of code points that Unicode 12.1 knows never change, so the engine's own do; code points that came later stand for
 * themselves. A name that is no UTF-8 is compared byte by byte.
 */
import type { Bytes } from '../bytes/struct.ts';
import { sameBytes } from '../bytes/text.ts';
import { ASSIGNED, FOLDS } from './casefold-table.ts';

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

/** Default_Ignorable_Code_Point: dropped, as they are invisible. */
const IGNORABLE = /\p{Default_Ignorable_Code_Point}/gu;

/** The ignorable ones among those that Unicode 12.1 has not assigned. */
const RESERVED_IGNORABLE = /^[\u2065\uFFF0-\uFFF8\u{E0000}-\u{E0FFF}]$/u;

interface Tables {
  /** Where runs of assigned and unassigned code points begin, the first being unassigned. */
  readonly starts: Uint32Array;
  readonly folds: ReadonlyMap<number, string>;
}

let tables: Tables | undefined;

function loadTables(): Tables {
  if (tables !== undefined) return tables;
  let at = 0;
  const starts = Uint32Array.from(ASSIGNED.split(' '), (word) => (at += Number.parseInt(word, 36)));
  const folds = new Map<number, string>();
  let code = 0;
  for (const item of FOLDS.split(' ')) {
    const [distance = 0, more = 0, ...targets] = item.split('.').map((word) => Number.parseInt(word, 36));
    code += distance;
    if (targets.length === 1) for (let k = 0; k <= more; k++) folds.set(code + k, String.fromCodePoint(targets[0]! + k));
    else folds.set(code, String.fromCodePoint(...targets));
  }
  return (tables = { starts, folds });
}

/** Whether Unicode 12.1 has assigned a code point. */
function isAssigned(starts: Uint32Array, code: number): boolean {
  let low = 0;
  let high = starts.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (starts[middle]! <= code) low = middle + 1;
    else high = middle;
  }
  return low % 2 === 1;
}

/** The folded form of a name; undefined when the name is no text to the kernel, and stands for itself. */
export function casefold(name: Bytes): Bytes | undefined {
  if (isAscii(name)) return name.map((byte) => (byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte));
  let text: string;
  try {
    text = strict.decode(name);
  } catch {
    return undefined;
  }
  const { starts, folds } = loadTables();
  let folded = '';
  let segment = '';
  for (const character of text) {
    const code = character.codePointAt(0)!;
    if (isAssigned(starts, code)) segment += folds.get(code) ?? character.toLowerCase();
    else {
      folded += decompose(segment) + (RESERVED_IGNORABLE.test(character) ? '' : character);
      segment = '';
    }
  }
  return encoder.encode(folded + decompose(segment));
}

/** Ignorable code points keep marks on their two sides apart, so they go after the marks are in order. */
function decompose(text: string): string {
  return text.normalize('NFD').replace(IGNORABLE, '');
}

/** Which names are the same as this one in a directory that ignores case. */
export function sameFolded(name: Bytes): (other: Bytes) => boolean {
  const folded = casefold(name);
  if (folded === undefined) return (other) => sameBytes(name, other);
  return (other) => {
    if (sameBytes(name, other)) return true;
    const otherFolded = casefold(other);
    return otherFolded !== undefined && sameBytes(folded, otherFolded);
  };
}

function isAscii(name: Bytes): boolean {
  for (const byte of name) if (byte >= 0x80) return false;
  return true;
}
