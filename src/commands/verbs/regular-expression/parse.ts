/**
 * Regular expressions as grep(1) reads them: POSIX.1-2017 XBD 9.3 (basic) and 9.4 (extended) with GNU's additions, in the C locale. Every
 * line of the text is a pattern of its own.
 */
import { invalidExpression, parseBracket, SPACE } from './bracket.ts';
import { byteSet, type Expression, foldSet, isWordByte, type Options, type Position } from './syntax.ts';

/** The longest expression in bytes. */
const EXPRESSION_LIMIT = 65_536;
/** The deepest nesting of groups. */
const DEPTH_LIMIT = 250;
/** RE_DUP_MAX of limits.h. */
const REPEAT_LIMIT = 32_767;

const WORD = byteSet(isWordByte);
const ANY = byteSet((byte) => byte !== 0x0a);

/** Reads an expression. Throws EINVAL. */
export function parseExpression(text: Uint8Array, options: Options = {}): Expression {
  if (text.length > EXPRESSION_LIMIT) throw invalidExpression(`it is longer than ${EXPRESSION_LIMIT} bytes`);
  const patterns: Expression[] = [];
  for (let start = 0; start <= text.length; ) {
    const newline = text.indexOf(0x0a, start);
    const end = newline < 0 ? text.length : newline;
    const line = text.subarray(start, end);
    patterns.push(options.fixed === true ? literal(line, options) : new Parser(line, options).parse());
    start = end + 1;
  }
  const [only] = patterns;
  return patterns.length === 1 && only !== undefined ? only : { kind: 'choice', parts: patterns };
}

function single(byte: number, { insensitive }: Options): Expression {
  const set = new Uint8Array(256);
  set[byte] = 1;
  return { kind: 'byte', set: insensitive === true ? foldSet(set) : set };
}

function literal(text: Uint8Array, options: Options): Expression {
  return { kind: 'sequence', parts: Array.from(text, (byte) => single(byte, options)) };
}

const POSITIONS: ReadonlyMap<string, Position> = new Map([
  ['b', 'word-edge'],
  ['B', 'no-word-edge'],
  ['<', 'word-start'],
  ['>', 'word-end'],
  ['`', 'line-start'],
  ["'", 'line-end'],
]);

class Parser {
  readonly #text: Uint8Array;
  readonly #options: Options;
  readonly #extended: boolean;
  #at = 0;
  #depth = 0;
  #opened = 0;
  readonly #closed = new Set<number>();

  constructor(text: Uint8Array, options: Options) {
    this.#text = text;
    this.#options = options;
    this.#extended = options.extended === true;
  }

  parse(): Expression {
    const found = this.#choice();
    if (this.#at < this.#text.length) throw invalidExpression('a ) without its (');
    return found;
  }

  /** The character `ahead` of here; empty behind the end. */
  #peek(ahead = 0): string {
    const byte = this.#text[this.#at + ahead];
    return byte === undefined ? '' : String.fromCharCode(byte);
  }

  /** Whether an operator is here: a bare character in extended syntax, one behind a backslash in basic syntax. */
  #isOperator(character: string, ahead = 0): boolean {
    if (this.#extended) return this.#peek(ahead) === character;
    return this.#peek(ahead) === '\\' && this.#peek(ahead + 1) === character;
  }

  #skipOperator(): void {
    this.#at += this.#extended ? 1 : 2;
  }

  #choice(): Expression {
    const parts = [this.#sequence()];
    while (this.#isOperator('|')) {
      this.#skipOperator();
      parts.push(this.#sequence());
    }
    const [only] = parts;
    return parts.length === 1 && only !== undefined ? only : { kind: 'choice', parts };
  }

  #sequence(): Expression {
    const parts: Expression[] = [];
    /** Whether nothing but an anchor came yet: an operator of repetition stands for itself then in basic syntax. */
    let beginning = true;
    while (this.#at < this.#text.length && !this.#isOperator('|')) {
      if (this.#isOperator(')') && (this.#depth > 0 || !this.#extended)) {
        if (this.#depth === 0) throw invalidExpression('a \\) without its \\(');
        break;
      }
      const atom = this.#atom(beginning);
      const anchor: boolean = beginning && !this.#extended && atom.kind === 'position' && atom.at === 'line-start';
      parts.push(anchor ? atom : this.#repeated(atom));
      beginning = anchor;
    }
    const [only] = parts;
    if (parts.length === 0) return { kind: 'empty' };
    return parts.length === 1 && only !== undefined ? only : { kind: 'sequence', parts };
  }

  #atom(beginning: boolean): Expression {
    const character = this.#peek();
    if (this.#isOperator('(')) return this.#group();
    if (this.#extended) {
      // A repetition of nothing at the beginning of an expression repeats the empty one; in a group something has to come behind it.
      if (beginning && this.#depth > 0 && this.#isBareRepetition()) throw invalidExpression('a group of nothing that is repeated');
      if (beginning && (/[*+?]/.test(character) || (character === '{' && this.#interval() !== undefined))) return { kind: 'empty' };
      if (character === '^') return this.#position('line-start', 1);
      if (character === '$') return this.#position('line-end', 1);
    } else {
      if (character === '^' && beginning) return this.#position('line-start', 1);
      if (character === '$' && (this.#at + 1 === this.#text.length || this.#isOperator(')', 1) || this.#isOperator('|', 1))) {
        return this.#position('line-end', 1);
      }
    }
    if (character === '.') return this.#bytes(ANY, 1);
    if (character === '[') {
      const { set, end } = parseBracket(this.#text, this.#at, this.#options.insensitive === true);
      this.#at = end;
      return { kind: 'byte', set };
    }
    if (character === '\\') return this.#escaped();
    this.#at++;
    return single(character.charCodeAt(0), this.#options);
  }

  /** Whether nothing but *, + and ? stands from here to the end of the group. */
  #isBareRepetition(): boolean {
    let ahead = 0;
    while (/^[*+?]$/.test(this.#peek(ahead))) ahead++;
    return ahead > 0 && this.#peek(ahead) === ')';
  }

  #position(at: Position, length: number): Expression {
    this.#at += length;
    return { kind: 'position', at };
  }

  #bytes(set: Uint8Array, length: number): Expression {
    this.#at += length;
    return { kind: 'byte', set };
  }

  #escaped(): Expression {
    const character = this.#peek(1);
    if (character === '') throw invalidExpression('a backslash at its end');
    const position = POSITIONS.get(character);
    if (position !== undefined) return this.#position(position, 2);
    const outside = (set: Uint8Array) => set.map((member) => 1 - member);
    if (character === 'w') return this.#bytes(WORD, 2);
    if (character === 'W') return this.#bytes(outside(WORD), 2);
    if (character === 's') return this.#bytes(SPACE, 2);
    if (character === 'S') return this.#bytes(outside(SPACE), 2);
    if (/[1-9]/.test(character)) {
      const number = Number(character);
      if (!this.#closed.has(number)) throw invalidExpression(`there is no group ${number} before \\${number}`);
      this.#at += 2;
      return { kind: 'again', number };
    }
    this.#at += 2;
    return single(character.charCodeAt(0), this.#options);
  }

  #group(): Expression {
    if (++this.#depth > DEPTH_LIMIT) throw invalidExpression(`more than ${DEPTH_LIMIT} groups within each other`);
    const number = ++this.#opened;
    this.#skipOperator();
    const of = this.#choice();
    if (!this.#isOperator(')')) throw invalidExpression('a ( without its )');
    this.#skipOperator();
    this.#depth--;
    this.#closed.add(number);
    return { kind: 'group', of, number };
  }

  #repeated(atom: Expression): Expression {
    let found = atom;
    for (let count = 0; ; count++) {
      if (count > DEPTH_LIMIT) throw invalidExpression(`more than ${DEPTH_LIMIT} repetitions of one thing`);
      if (this.#peek() === '*') {
        this.#at++;
        found = { kind: 'repeat', of: found, least: 0, most: Number.POSITIVE_INFINITY };
      } else if (this.#isOperator('+')) {
        this.#skipOperator();
        found = { kind: 'repeat', of: found, least: 1, most: Number.POSITIVE_INFINITY };
      } else if (this.#isOperator('?')) {
        this.#skipOperator();
        found = { kind: 'repeat', of: found, least: 0, most: 1 };
      } else if (this.#isOperator('{')) {
        const interval = this.#interval();
        if (interval === undefined) return found;
        this.#at = interval.end;
        found = { kind: 'repeat', of: found, least: interval.least, most: interval.most };
      } else return found;
    }
  }

  /** The interval here; undefined where a brace stands for itself. */
  #interval(): { readonly least: number; readonly most: number; readonly end: number } | undefined {
    let text = '';
    for (let i = this.#at; i < this.#text.length && i < this.#at + 32; i++) text += String.fromCharCode(this.#text[i] ?? 0);
    const match = (this.#extended ? /^\{(\d*)(,?)(\d*)\}/ : /^\\\{(\d*)(,?)(\d*)\\\}/).exec(text);
    if (match === null || (match[1] === '' && match[2] === '')) {
      if (this.#extended) return undefined;
      throw invalidExpression('a \\{ without numbers and its \\}');
    }
    const [all, first = '', comma, second = ''] = match;
    const least = first === '' ? 0 : Number(first);
    const most = comma === '' ? least : second === '' ? Number.POSITIVE_INFINITY : Number(second);
    if (most < least) throw invalidExpression('an interval that ends before it begins');
    if (least > REPEAT_LIMIT || (most !== Number.POSITIVE_INFINITY && most > REPEAT_LIMIT))
      throw invalidExpression(`more than ${REPEAT_LIMIT} repetitions`);
    return { least, most, end: this.#at + all.length };
  }
}
