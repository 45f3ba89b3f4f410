/** Texts of which the whole structure is looked at: JSON and tables with commas. */

/** Levels of a document that are followed; file(1) has the same limit. */
const MAX_DEPTH = 500;

/** Whether a text is a JSON object or array, or several of them one a line. */
export function jsonKind(text: string): string | undefined {
  const end = jsonValue(text, skip(text, 0), 0);
  const first = text.charAt(skip(text, 0));
  if (end < 0 || (first !== '{' && first !== '[')) return undefined;
  let at = skip(text, end);
  if (at >= text.length) return 'JSON text data';
  while (at < text.length) {
    const next = jsonValue(text, at, 0);
    if (next < 0) return undefined;
    at = skip(text, next);
  }
  return 'New Line Delimited JSON text data';
}

function skip(text: string, from: number): number {
  let at = from;
  while (at < text.length && ' \t\r\n'.includes(text.charAt(at))) at++;
  return at;
}

/** Where the value that begins at `from` ends; -1 where none stands. */
function jsonValue(text: string, from: number, depth: number): number {
  const first = text.charAt(from);
  if (first === '' || depth > MAX_DEPTH) return -1;
  if (first === '"') return jsonString(text, from);
  if (first === '{' || first === '[') return jsonContainer(text, from, depth, first === '{');
  const plain = /(?:true|false|null|-?\d{1,400}(?:\.\d{1,400})?(?:[eE][+-]?\d{1,400})?)/y;
  plain.lastIndex = from;
  return plain.test(text) ? plain.lastIndex : -1;
}

function jsonString(text: string, from: number): number {
  for (let at = from + 1; at < text.length; at++) {
    const character = text.charAt(at);
    if (character === '"') return at + 1;
    if (character === '\\') at++;
    else if (character < ' ') return -1;
  }
  return -1;
}

function jsonContainer(text: string, from: number, depth: number, isObject: boolean): number {
  const close = isObject ? '}' : ']';
  let at = skip(text, from + 1);
  if (text.charAt(at) === close) return at + 1;
  for (;;) {
    if (isObject) {
      if (text.charAt(at) !== '"') return -1;
      at = jsonString(text, at);
      if (at < 0) return -1;
      at = skip(text, at);
      if (text.charAt(at) !== ':') return -1;
      at = skip(text, at + 1);
    }
    at = jsonValue(text, at, depth + 1);
    if (at < 0) return -1;
    at = skip(text, at);
    const next = text.charAt(at);
    if (next === close) return at + 1;
    if (next !== ',') return -1;
    at = skip(text, at + 1);
    // file(1) lets an array end with a comma.
    if (!isObject && text.charAt(at) === close) return at + 1;
  }
}

/** Lines of a table that are compared. */
const TABLE_LINES = 10;

/** Whether the lines of a text have the same number of commas, three lines at least (is_csv.c). */
export function isTable(text: string): boolean {
  let fields = 0;
  let wanted = -1;
  let lines = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at);
    if (character === '"') at = quoteEnd(text, at + 1);
    else if (character === ',') fields++;
    else if (character === '\n') {
      lines++;
      if (lines === TABLE_LINES) return wanted > 0 && wanted === fields;
      if (wanted < 0) {
        if (fields === 0) return false;
        wanted = fields;
      } else if (fields !== wanted) return false;
      fields = 0;
    }
  }
  return wanted > 0 && lines >= 2;
}

/** The place of the quote that ends a quotation; quotes inside of it stand twice. */
function quoteEnd(text: string, from: number): number {
  let quote = false;
  for (let at = from; at < text.length; at++) {
    if (text.charAt(at) !== '"') {
      if (quote) return at - 1;
    } else quote = !quote;
  }
  return text.length;
}
