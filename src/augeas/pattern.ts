/**
 * Regular expressions over bytes, in the POSIX extended syntax that path expressions use.
 *
 * They are matched by following all threads of an automaton at once, so the time is bounded by length times size whatever the input:
 * nothing in an image or in a path expression can make it explode.
 */
import { Posix } from '../errors.ts';

/** A set of byte values; entry b is 1 when byte b belongs to it. */
export type ByteSet = Uint8Array;

export type Pattern =
  | { readonly kind: 'set'; readonly set: ByteSet }
  | { readonly kind: 'sequence'; readonly parts: readonly Pattern[] }
  | { readonly kind: 'choice'; readonly parts: readonly Pattern[] }
  | { readonly kind: 'repeat'; readonly part: Pattern; readonly min: number; readonly max: number | undefined };

/** The largest count in `{n,m}`. */
const REPEAT_LIMIT = 255;
/** How deep groups may nest. */
const DEPTH_LIMIT = 50;
/** The longest expression, in bytes. */
const LENGTH_LIMIT = 64 * 1024;

export interface PatternOptions {
  readonly ignoreCase?: boolean;
}

const EMPTY: Pattern = { kind: 'sequence', parts: [] };

/**
 * Reads a regular expression (regex(7), extended; `\n`, `\t`, `\r` stand for those bytes, `.` is any byte but a newline).
 * Throws EINVAL when it is malformed or too large.
 */
export function parsePattern(source: string, options: PatternOptions = {}): Pattern {
  if (source.length > LENGTH_LIMIT)
    throw new Posix('EINVAL', {}, `a regular expression of ${source.length} bytes is longer than ${LENGTH_LIMIT}`);
  return new PatternParser(source, options.ignoreCase === true).whole();
}

/** A pattern for exactly this text. */
export function literal(text: string): Pattern {
  return { kind: 'sequence', parts: Array.from(text, (c) => ({ kind: 'set', set: setOf(c) })) };
}

/** The bytes of a text as a set. */
function setOf(text: string): ByteSet {
  const set = new Uint8Array(256);
  for (let i = 0; i < text.length; i++) set[text.charCodeAt(i) & 0xff] = 1;
  return set;
}

const CLASSES: ReadonlyMap<string, readonly (readonly [number, number])[]> = new Map([
  [
    'alpha',
    [
      [0x41, 0x5a],
      [0x61, 0x7a],
    ],
  ],
  ['digit', [[0x30, 0x39]]],
  [
    'alnum',
    [
      [0x30, 0x39],
      [0x41, 0x5a],
      [0x61, 0x7a],
    ],
  ],
  ['upper', [[0x41, 0x5a]]],
  ['lower', [[0x61, 0x7a]]],
  [
    'space',
    [
      [0x09, 0x0d],
      [0x20, 0x20],
    ],
  ],
  [
    'blank',
    [
      [0x09, 0x09],
      [0x20, 0x20],
    ],
  ],
  [
    'punct',
    [
      [0x21, 0x2f],
      [0x3a, 0x40],
      [0x5b, 0x60],
      [0x7b, 0x7e],
    ],
  ],
  ['print', [[0x20, 0x7e]]],
  ['graph', [[0x21, 0x7e]]],
  [
    'cntrl',
    [
      [0x00, 0x1f],
      [0x7f, 0x7f],
    ],
  ],
  [
    'xdigit',
    [
      [0x30, 0x39],
      [0x41, 0x46],
      [0x61, 0x66],
    ],
  ],
]);

class PatternParser {
  readonly #source: string;
  readonly #ignoreCase: boolean;
  #at = 0;
  #depth = 0;

  constructor(source: string, ignoreCase: boolean) {
    this.#source = source;
    this.#ignoreCase = ignoreCase;
  }

  whole(): Pattern {
    const pattern = this.#choice();
    if (this.#at < this.#source.length) throw this.#malformed('unmatched )');
    return pattern;
  }

  #malformed(what: string): Posix {
    return new Posix('EINVAL', {}, `the regular expression ${this.#source} is malformed at byte ${this.#at}: ${what}`);
  }

  #choice(): Pattern {
    if (++this.#depth > DEPTH_LIMIT) throw this.#malformed(`groups are nested more than ${DEPTH_LIMIT} deep`);
    const parts = [this.#sequence()];
    while (this.#source[this.#at] === '|') {
      this.#at++;
      parts.push(this.#sequence());
    }
    this.#depth--;
    return parts.length === 1 ? parts[0]! : { kind: 'choice', parts };
  }

  #sequence(): Pattern {
    const parts: Pattern[] = [];
    for (;;) {
      const c = this.#source[this.#at];
      if (c === undefined || c === '|' || c === ')') break;
      let part = this.#atom(c);
      for (let times = this.#times(); times !== undefined; times = this.#times()) part = { kind: 'repeat', part, ...times };
      parts.push(part);
    }
    return parts.length === 1 ? parts[0]! : { kind: 'sequence', parts };
  }

  #times(): { min: number; max: number | undefined } | undefined {
    const c = this.#source[this.#at];
    if (c === '*' || c === '+' || c === '?') {
      this.#at++;
      return { min: c === '+' ? 1 : 0, max: c === '?' ? 1 : undefined };
    }
    if (c !== '{') return undefined;
    const found = /^\{(\d{1,5})(,(\d{0,5}))?\}/.exec(this.#source.slice(this.#at, this.#at + 16));
    if (found === null) throw this.#malformed('a count has the form {n,m}');
    const min = Number(found[1]);
    const max = found[2] === undefined ? min : found[3] === '' ? undefined : Number(found[3]);
    if (Math.max(min, max ?? 0) > REPEAT_LIMIT) throw this.#malformed(`a count is at most ${REPEAT_LIMIT}`);
    if (max !== undefined && max < min) throw this.#malformed('the second count is less than the first');
    this.#at += found[0].length;
    return { min, max };
  }

  #atom(c: string): Pattern {
    if (c === '(') {
      this.#at++;
      if (this.#source[this.#at] === ')') {
        this.#at++;
        return EMPTY;
      }
      const inner = this.#choice();
      if (this.#source[this.#at] !== ')') throw this.#malformed('a group is not closed');
      this.#at++;
      return inner;
    }
    if (c === '[') return { kind: 'set', set: this.#fold(this.#bracket()) };
    if (c === '*' || c === '+' || c === '?' || c === '{') throw this.#malformed('nothing to repeat');
    this.#at++;
    if (c === '.') return { kind: 'set', set: inverted(setOf('\n')) };
    if (c !== '\\') return { kind: 'set', set: this.#fold(setOf(c)) };
    const escaped = this.#source[this.#at];
    if (escaped === undefined) throw this.#malformed('a backslash at the end');
    this.#at++;
    return { kind: 'set', set: this.#fold(setOf(escapes(escaped))) };
  }

  #bracket(): ByteSet {
    this.#at++;
    const negated = this.#source[this.#at] === '^';
    if (negated) this.#at++;
    const set = new Uint8Array(256);
    for (let first = true; ; first = false) {
      const c = this.#source[this.#at];
      if (c === undefined) throw this.#malformed('a bracket expression is not closed');
      if (c === ']' && !first) break;
      if (c === '[' && this.#source[this.#at + 1] === ':') {
        const end = this.#source.indexOf(':]', this.#at);
        const ranges = CLASSES.get(this.#source.slice(this.#at + 2, end));
        if (end < 0 || ranges === undefined) throw this.#malformed('no such character class');
        for (const [low, high] of ranges) set.fill(1, low, high + 1);
        this.#at = end + 2;
        continue;
      }
      const low = this.#member();
      if (this.#source[this.#at] === '-' && this.#source[this.#at + 1] !== ']' && this.#at + 1 < this.#source.length) {
        this.#at++;
        const high = this.#member();
        if (high < low) throw this.#malformed('a range runs backwards');
        set.fill(1, low, high + 1);
      } else set[low] = 1;
    }
    this.#at++;
    return negated ? inverted(set) : set;
  }

  /** One byte of a bracket expression; `\n`, `\t`, `\r`, `\\` and `\]` are escapes. */
  #member(): number {
    const c = this.#source[this.#at++]!;
    const next = this.#source[this.#at];
    if (c === '\\' && next !== undefined && 'ntr\\]'.includes(next)) {
      this.#at++;
      return escapes(next).charCodeAt(0);
    }
    return c.charCodeAt(0) & 0xff;
  }

  #fold(set: ByteSet): ByteSet {
    if (this.#ignoreCase) {
      for (let b = 0x41; b <= 0x5a; b++) {
        const both = set[b]! | set[b + 0x20]!;
        set[b] = both;
        set[b + 0x20] = both;
      }
    }
    return set;
  }
}

function escapes(c: string): string {
  return c === 'n' ? '\n' : c === 't' ? '\t' : c === 'r' ? '\r' : c;
}

function inverted(set: ByteSet): ByteSet {
  return set.map((member) => 1 - member);
}
