/** An argument that is a list: words between blanks, parts of them in single quotes, `\'` for a quote itself. */
import { ShellError } from './error.ts';

/** Splits a list. Throws {@link ShellError} when a quote is left open. */
export function parseStringList(text: string): string[] {
  const list: string[] = [];
  let word: string | undefined;
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at);
    if (character === "'") {
      quoted = !quoted;
      word ??= '';
    } else if (!quoted && (character === ' ' || character === '\t')) {
      if (word !== undefined) list.push(word);
      word = undefined;
    } else if (!quoted && character === '\\' && text[at + 1] === "'") {
      word = `${word ?? ''}'`;
      at++;
    } else word = (word ?? '') + character;
  }
  if (quoted) throw new ShellError(`the list ${text} has a ' that is not closed`);
  if (word !== undefined) list.push(word);
  return list;
}
