/** What a regular expression says, as a tree over bytes. */

/** Where something without length holds: at the line's ends, or where words begin and end. */
export type Position = 'line-start' | 'line-end' | 'word-edge' | 'no-word-edge' | 'word-start' | 'word-end';

export type Expression =
  | { readonly kind: 'empty' }
  /** One byte of a set: 1 at the index of each that is in it. */
  | { readonly kind: 'byte'; readonly set: Uint8Array }
  | { readonly kind: 'sequence'; readonly parts: readonly Expression[] }
  | { readonly kind: 'choice'; readonly parts: readonly Expression[] }
  /** `most` is Infinity where there is no limit. */
  | { readonly kind: 'repeat'; readonly of: Expression; readonly least: number; readonly most: number }
  | { readonly kind: 'group'; readonly of: Expression; readonly number: number }
  /** The same bytes as a group before. */
  | { readonly kind: 'again'; readonly number: number }
  | { readonly kind: 'position'; readonly at: Position };

export interface Options {
  /** POSIX extended syntax in place of basic. */
  readonly extended?: boolean;
  /** No syntax at all: the text stands for itself. */
  readonly fixed?: boolean;
  /** ASCII letters of either case are the same. */
  readonly insensitive?: boolean;
}

/** Letters, digits and the underscore, as \w. */
export function isWordByte(byte: number): boolean {
  return (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x5a) || byte === 0x5f || (byte >= 0x61 && byte <= 0x7a);
}

/** Whether a position holds between two bytes; -1 stands for the line's end on either side. */
export function holds(at: Position, before: number, after: number): boolean {
  switch (at) {
    case 'line-start':
      return before === -1;
    case 'line-end':
      return after === -1;
    case 'word-edge':
      return isWordByte(before) !== isWordByte(after);
    case 'no-word-edge':
      return isWordByte(before) === isWordByte(after);
    case 'word-start':
      return !isWordByte(before) && isWordByte(after);
    case 'word-end':
      return isWordByte(before) && !isWordByte(after);
  }
}

/** A set with a test. */
export function byteSet(test: (byte: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => (test(byte) ? 1 : 0));
}

/** Adds the other case of every ASCII letter of a set. */
export function foldSet(set: Uint8Array): Uint8Array {
  const folded = set.slice();
  for (let upper = 0x41; upper <= 0x5a; upper++) {
    const either = folded[upper] === 1 || folded[upper + 32] === 1 ? 1 : 0;
    folded[upper] = either;
    folded[upper + 32] = either;
  }
  return folded;
}
