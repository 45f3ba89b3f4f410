/** Shell patterns over names, as fnmatch(3) without flags matches them. */

type Part = '*' | ((character: string) => boolean);

/** A function that tells whether a text matches the pattern as a whole. Its time is bounded by the product of both lengths. */
export function globMatcher(pattern: string): (text: string) => boolean {
  const parts = compile([...pattern]);
  return (text) => matches(parts, [...text]);
}

function compile(pattern: readonly string[]): Part[] {
  const parts: Part[] = [];
  for (let i = 0; i < pattern.length; i++) {
    const character = pattern[i] as string;
    if (character === '*') {
      if (parts.at(-1) !== '*') parts.push('*');
    } else if (character === '?') parts.push(() => true);
    else if (character === '[') {
      const end = closingBracket(pattern, i);
      if (end === undefined) parts.push((other) => other === '[');
      else {
        parts.push(bracket(pattern.slice(i + 1, end)));
        i = end;
      }
    } else {
      const quoted = character === '\\' && i + 1 < pattern.length ? (pattern[++i] as string) : character;
      parts.push((other) => other === quoted);
    }
  }
  return parts;
}

/** The index of the `]` that ends the bracket at `start`; a `]` that comes first stands for itself. */
function closingBracket(pattern: readonly string[], start: number): number | undefined {
  let from = start + 1;
  if (pattern[from] === '!' || pattern[from] === '^') from++;
  const end = pattern.indexOf(']', from + 1);
  return end < 0 ? undefined : end;
}

function bracket(inside: readonly string[]): (character: string) => boolean {
  const negated = inside[0] === '!' || inside[0] === '^';
  const members = negated ? inside.slice(1) : inside;
  const ranges: [number, number][] = [];
  for (let i = 0; i < members.length; i++) {
    const low = codePoint(members[i]);
    if (members[i + 1] === '-' && i + 2 < members.length) {
      ranges.push([low, codePoint(members[i + 2])]);
      i += 2;
    } else ranges.push([low, low]);
  }
  return (character) => ranges.some(([low, high]) => codePoint(character) >= low && codePoint(character) <= high) !== negated;
}

function codePoint(character: string | undefined): number {
  return character?.codePointAt(0) ?? 0;
}

/** Greedy matching that goes back only to the last star. */
function matches(parts: readonly Part[], text: readonly string[]): boolean {
  let part = 0;
  let at = 0;
  let star = -1;
  let resume = 0;
  while (at < text.length) {
    const wanted = parts[part];
    if (wanted === '*') {
      star = part++;
      resume = at;
    } else if (wanted?.(text[at] as string) === true) {
      part++;
      at++;
    } else if (star >= 0) {
      part = star + 1;
      at = ++resume;
    } else return false;
  }
  while (parts[part] === '*') part++;
  return part === parts.length;
}
