/** Parts that many formats have in common: ends of lines, comments, blank lines, fields. */
import { all, either, hidden, type Lens, label, many, node, type Part, store } from '../lens.ts';

/** A word without blanks at its ends, on one line. */
export const LINE = '[^ \\t\\r\\n]([^\\n]*[^ \\t\\r\\n])?';
export const WORD = '[A-Za-z0-9_.-]+';
export const INTEGER = '[0-9]+';

export const endOfLine: Lens = hidden('[ \\t]*\\n', '\n');
/** As `endOfLine`, also with a carriage return. */
export const endOfDosLine: Lens = hidden('[ \\t]*\\r?\\n', '\n');
export const indent: Lens = hidden('[ \\t]*', '');

/** At least one blank; new text gets `fallback`. */
export function blanks(fallback = ' '): Lens {
  return hidden('[ \\t]+', fallback);
}

/** A comment of its own: what introduces it, by pattern and in new text, and how it ends. */
export function commentWith(pattern: string, fallback: string, end: Lens = endOfDosLine): Lens {
  return node(label('#comment'), hidden(pattern, fallback), store(LINE), end);
}

export const comment: Lens = commentWith('[ \\t]*#[ \\t]*', '# ');
/** A comment behind something on the same line. */
export const commentBehind: Lens = commentWith('[ \\t]*#[ \\t]*', ' # ');
export const commentOrEnd: Lens = either(commentBehind, hidden('[ \\t]*(#[ \\t]*)?\\n', '\n'));
/** A blank line, or a comment without words: a node that has no name. */
export const blankLine: Lens = node(hidden('[ \\t]*#?[ \\t]*', ''), '\n');

/** As `blankLine`, with other signs of a comment, and perhaps a carriage return. */
export function blankLineWith(pattern: string): Lens {
  return node(hidden(pattern, ''), hidden('\\r?\\n', '\n'));
}

/** A node of a fixed name with a value. */
export function field(name: string, pattern: string): Lens {
  return node(label(name), store(pattern));
}

/** A whole file of lines, each of which is one of several things. */
export function lines(...kinds: readonly Part[]): Lens {
  return many(either(...kinds));
}

/** A file of comments, blank lines and records. */
export function records(...kinds: readonly Part[]): Lens {
  return lines(blankLine, comment, ...kinds);
}

/** Words (in any case) that some pattern has to leave to others. */
export function anyOf(words: readonly string[], ignoreCase = false): (text: string) => boolean {
  const known = new Set(ignoreCase ? words.map((word) => word.toLowerCase()) : words);
  return (text) => known.has(ignoreCase ? text.toLowerCase() : text);
}

/** `key separator value` on a line of its own is common enough to have a name. */
export function line(...parts: readonly Part[]): Lens {
  return node(all(...parts), endOfLine);
}
