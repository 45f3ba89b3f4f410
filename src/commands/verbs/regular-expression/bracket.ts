/** Bracket expressions: `[a-z]`, `[^[:digit:]]`, POSIX.1-2017 XBD 9.3.5, in the C locale. */
import { latin1 } from '../../../bytes/text.ts';
import { Posix } from '../../../errors.ts';
import { byteSet, foldSet } from './syntax.ts';

const between = (low: number, high: number) => (byte: number) => byte >= low && byte <= high;
const upper = between(0x41, 0x5a);
const lower = between(0x61, 0x7a);
const digit = between(0x30, 0x39);
const alpha = (byte: number) => upper(byte) || lower(byte);
const graph = between(0x21, 0x7e);
const space = (byte: number) => byte === 0x20 || between(9, 13)(byte);

const CLASSES: ReadonlyMap<string, (byte: number) => boolean> = new Map([
  ['alpha', alpha],
  ['digit', digit],
  ['alnum', (byte: number) => alpha(byte) || digit(byte)],
  ['upper', upper],
  ['lower', lower],
  ['space', space],
  ['blank', (byte: number) => byte === 0x20 || byte === 9],
  ['punct', (byte: number) => graph(byte) && !alpha(byte) && !digit(byte)],
  ['print', between(0x20, 0x7e)],
  ['graph', graph],
  ['cntrl', (byte: number) => byte < 0x20 || byte === 0x7f],
  ['xdigit', (byte: number) => digit(byte) || between(0x41, 0x46)(byte) || between(0x61, 0x66)(byte)],
]);

/** White space as \s. */
export const SPACE: Uint8Array = byteSet(space);

export function invalidExpression(message: string): Posix {
  return new Posix('EINVAL', {}, `the regular expression cannot be understood: ${message}`);
}

/** The set of the bracket expression whose `[` is at `start`, and where the text goes on. Throws EINVAL. */
export function parseBracket(text: Uint8Array, start: number, insensitive: boolean): { readonly set: Uint8Array; readonly end: number } {
  let at = start + 1;
  const negated = text[at] === 0x5e;
  if (negated) at++;
  const set = new Uint8Array(256);
  const first = at;
  for (;;) {
    const byte = text[at];
    if (byte === undefined) throw invalidExpression('a [ without its ]');
    if (byte === 0x5d && at > first) break;
    const named = byte === 0x5b ? namedPart(text, at) : undefined;
    if (named?.members !== undefined) {
      for (let i = 0; i < 256; i++) if (named.members(i)) set[i] = 1;
      at = named.end;
      continue;
    }
    const low = named?.byte ?? byte;
    at = named?.end ?? at + 1;
    if (text[at] !== 0x2d || text[at + 1] === 0x5d || text[at + 1] === undefined) {
      set[low] = 1;
      continue;
    }
    const last = text[at + 1] === 0x5b ? namedPart(text, at + 1) : undefined;
    const high = last === undefined ? text[at + 1] : last.byte;
    if (high === undefined || high < low) throw invalidExpression('a range that ends before it begins');
    at = last?.end ?? at + 2;
    set.fill(1, low, high + 1);
  }
  const inside = text.subarray(start + 1, at);
  if (inside.length > 2 && inside[0] === 0x3a && inside[inside.length - 1] === 0x3a) {
    throw invalidExpression('a class of characters is written [[:name:]]');
  }
  const folded = insensitive ? foldSet(set) : set;
  return { set: negated ? folded.map((member) => 1 - member) : folded, end: at + 1 };
}

interface Named {
  readonly members?: (byte: number) => boolean;
  readonly byte?: number;
  readonly end: number;
}

/** `[:class:]`, `[.x.]` or `[=x=]` at `start`; undefined when it is a bracket for itself. */
function namedPart(text: Uint8Array, start: number): Named | undefined {
  const kind = text[start + 1];
  if (kind !== 0x3a && kind !== 0x2e && kind !== 0x3d) return undefined;
  let end = start + 2;
  while (end < text.length && !(text[end] === kind && text[end + 1] === 0x5d)) end++;
  if (end >= text.length) {
    if (kind === 0x3a) return undefined;
    throw invalidExpression('a [ without its ]');
  }
  const name = text.subarray(start + 2, end);
  if (kind === 0x3a) {
    const members = CLASSES.get(latin1(name));
    if (members === undefined) throw invalidExpression('there is no class of characters of this name');
    return { members, end: end + 2 };
  }
  const [byte] = name;
  if (byte === undefined || name.length !== 1) throw invalidExpression('a collating element has one character here');
  return { byte, end: end + 2, ...(kind === 0x3d ? { members: (other: number) => other === byte } : {}) };
}
