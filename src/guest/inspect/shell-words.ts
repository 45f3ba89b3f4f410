/** `NAME=value` files in the syntax of the shell, as os-release(5) restricts it. */

/** The value of an assignment without its quotes: '...' is literal, in "..." a backslash stands before $ ` " \ only. */
export function unquote(value: string): string {
  let text = '';
  for (let i = 0; i < value.length; ) {
    const character = value[i] as string;
    if (character === "'") {
      const end = value.indexOf("'", i + 1);
      if (end < 0) return text + value.slice(i + 1);
      text += value.slice(i + 1, end);
      i = end + 1;
    } else if (character === '"') {
      i++;
      while (i < value.length && value[i] !== '"') {
        if (value[i] === '\\' && '$`"\\'.includes(value[i + 1] ?? ' ')) i++;
        text += value[i++] ?? '';
      }
      i++;
    } else if (character === '\\') {
      text += value[i + 1] ?? '';
      i += 2;
    } else if (character === ' ' || character === '\t') {
      return text;
    } else {
      text += character;
      i++;
    }
  }
  return text;
}

/** All assignments of a file; the last of a name counts, as in a shell. Anything else is left out. */
export function assignments(lines: readonly string[]): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const line of lines) {
    const match = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)=(.*)$/.exec(line);
    if (match !== null) values.set(match[1] as string, unquote((match[2] as string).trimEnd()));
  }
  return values;
}
