/** Two habits of Python that are visible in the bytes nova writes. */

/** Python's `str.strip()`: differs from `trim()` in U+001C..U+001F and U+0085 (stripped) and U+FEFF (kept). */
export function pythonStrip(text: string): string {
  const space = /^[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]$/;
  let start = 0;
  let end = text.length;
  while (start < end && space.test(text.charAt(start))) start++;
  while (end > start && space.test(text.charAt(end - 1))) end--;
  return text.slice(start, end);
}

/** A value that JSON can hold. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** Python's `json.dumps(value)`: blanks after `,` and `:`, and everything outside of printable ASCII escaped. */
export function pythonJson(value: Json): string {
  if (typeof value === 'string') {
    return JSON.stringify(value).replace(/[\x7f-\uffff]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
  }
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((item: Json) => pythonJson(item)).join(', ')}]`;
  const members = Object.entries(value as { readonly [key: string]: Json });
  return `{${members.map(([key, member]) => `${pythonJson(key)}: ${pythonJson(member)}`).join(', ')}}`;
}
