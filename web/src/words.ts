/** A command line as words, with quotes as a shell has them. */

/** Splits at blanks; `'…'` and `"…"` hold a word together, a backslash takes the next character as it is. Undefined where a quote has no end. */
export function splitWords(line: string): string[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  let quote: string | undefined;
  for (let at = 0; at < line.length; at++) {
    const character = line[at] as string;
    if (character === '\\' && quote !== "'") {
      if (++at >= line.length) return undefined;
      word = (word ?? '') + line[at];
    } else if (character === quote) quote = undefined;
    else if (quote === undefined && (character === '"' || character === "'")) {
      quote = character;
      word ??= '';
    } else if (quote === undefined && /\s/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? '') + character;
  }
  if (quote !== undefined) return undefined;
  if (word !== undefined) words.push(word);
  return words;
}
