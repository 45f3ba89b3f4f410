/** One line of the shell's language: what it is, and its words. */
import type { Bytes } from '../bytes/struct.ts';
import { concatBytes, decodeName, encodeName } from '../bytes/text.ts';
import { ShellError } from './error.ts';

/** An argument of a command. */
export interface Word {
  readonly text: string;
  /** It was written without quotes and begins with `~`. */
  readonly tilde: boolean;
}

/** A command of the guest, as it is written. */
export interface CommandLine {
  readonly kind: 'command';
  readonly name: string;
  readonly words: readonly Word[];
  /** The host's shell command that its output goes to. */
  readonly pipe?: string;
  /** Written with `-` before it: an error does not end a script. */
  readonly forgiving: boolean;
}

export type Line =
  /** Nothing, or a comment. */
  | { readonly kind: 'empty' }
  /** `!command`: for the host's shell. */
  | { readonly kind: 'host'; readonly command: string; readonly forgiving: boolean }
  /** `<!command`: what the host's shell prints is run as commands. */
  | { readonly kind: 'inline'; readonly command: string; readonly forgiving: boolean }
  | CommandLine;

/** The most arguments that a command may have; the real shell stops at as many. */
export const MAX_WORDS = 64;

const ESCAPES: Readonly<Record<string, number>> = {
  a: 0x07,
  b: 0x08,
  f: 0x0c,
  n: 0x0a,
  r: 0x0d,
  t: 0x09,
  v: 0x0b,
  '"': 0x22,
  '\\': 0x5c,
};

/** What a line says. Throws {@link ShellError}, which `forgiving` lines forgive as well. */
export function parseLine(text: string): Line {
  let at = skip(text, 0, /\s/);
  let forgiving = false;
  while (text[at] === '-') {
    forgiving = true;
    at = skip(text, at + 1, /\s/);
  }
  if (at === text.length || text[at] === '#') return { kind: 'empty' };
  if (text[at] === '!') return { kind: 'host', command: text.slice(at + 1), forgiving };
  if (text.startsWith('<!', at)) return { kind: 'inline', command: text.slice(at + 2), forgiving };
  const end = wordEnd(text, at);
  const name = text.slice(at, end);
  try {
    return { kind: 'command', name, forgiving, ...parseWords(text, end) };
  } catch (error) {
    if (error instanceof ShellError) error.forgiven ||= forgiving;
    throw error;
  }
}

function parseWords(text: string, start: number): { words: Word[]; pipe?: string } {
  const words: Word[] = [];
  for (let at = skip(text, start, /[ \t]/); at < text.length; at = skip(text, at, /[ \t]/)) {
    if (text[at] === '|') return { words, pipe: text.slice(at + 1) };
    if (words.length === MAX_WORDS) throw new ShellError(`more than ${MAX_WORDS} arguments`);
    const { word, end } = text[at] === '"' ? doubleQuoted(text, at) : text[at] === "'" ? singleQuoted(text, at) : bare(text, at);
    if (end < text.length && text[end] !== ' ' && text[end] !== '\t') throw new ShellError('a quoted argument has to end at a blank');
    words.push(word);
    at = end;
  }
  return { words };
}

interface Found {
  readonly word: Word;
  /** Where it ends in the text. */
  readonly end: number;
}

function bare(text: string, start: number): Found {
  const end = wordEnd(text, start);
  return { word: { text: text.slice(start, end), tilde: text[start] === '~' }, end };
}

function singleQuoted(text: string, start: number): Found {
  const end = text.indexOf("'", start + 1);
  if (end < 0) throw new ShellError("an opening ' has no closing one");
  return { word: { text: text.slice(start + 1, end), tilde: false }, end: end + 1 };
}

/** Escapes give bytes, which may make up a character together. */
function doubleQuoted(text: string, start: number): Found {
  const parts: Bytes[] = [];
  let plain = start + 1;
  let at = plain;
  for (; text[at] !== '"'; ) {
    if (at >= text.length) throw new ShellError('an opening " has no closing one');
    if (text[at] !== '\\') {
      at++;
      continue;
    }
    const { byte, length } = escapeSequence(text, at + 1);
    parts.push(encodeName(text.slice(plain, at)), Uint8Array.of(byte));
    at += 1 + length;
    plain = at;
  }
  const rest = text.slice(plain, at);
  const whole = parts.length === 0 ? rest : decodeName(concatBytes(...parts, encodeName(rest)));
  return { word: { text: whole, tilde: false }, end: at + 1 };
}

/** The byte that an escape sequence means, and how many characters behind the backslash it takes. */
function escapeSequence(text: string, at: number): { byte: number; length: number } {
  const simple = ESCAPES[text[at] ?? ''];
  if (simple !== undefined) return { byte: simple, length: 1 };
  const number = /^(?:x([0-9a-f]{2})|([0-3][0-7]{2}))/i.exec(text.slice(at, at + 3));
  const byte = number === null ? 0 : number[1] !== undefined ? Number.parseInt(number[1], 16) : Number.parseInt(number[2] ?? '', 8);
  if (number === null || byte === 0) {
    throw new ShellError(
      `"${text.slice(at - 1, at + 3)}" is no escape sequence; there are \\a \\b \\f \\n \\r \\t \\v \\" \\\\ \\ooo \\xhh, and none for NUL`,
    );
  }
  return { byte, length: number[0].length };
}

function wordEnd(text: string, start: number): number {
  let end = start;
  while (end < text.length && text[end] !== ' ' && text[end] !== '\t') end++;
  return end;
}

function skip(text: string, start: number, what: RegExp): number {
  let at = start;
  while (at < text.length && what.test(text.charAt(at))) at++;
  return at;
}
