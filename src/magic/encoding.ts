/** In which encoding is a text, and how do its lines end? By the rules of file(1) (encoding.c, ascmagic.c). */
import { type Bytes, viewOf } from '../bytes/struct.ts';

/** file(1) decides by this many bytes. */
export const ENCODING_BYTES = 65_536;
/** Lines longer than this are worth a word. */
const LONG_LINE = 300;

export interface TextEncoding {
  /** Such as `ASCII` or `Unicode text, UTF-8`. */
  readonly name: string;
  /** The characters, as code points or bytes. */
  readonly characters: ArrayLike<number>;
}

const TEXT = 1;
const LATIN = 2;
const EXTENDED = 3;

/** What each byte can be: control (0), text, a letter of ISO-8859, or of other extensions of ASCII. */
const CLASSES: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) => {
  if ((byte >= 0x07 && byte <= 0x0d) || byte === 0x1b || (byte >= 0x20 && byte <= 0x7e) || byte === 0x85) return TEXT;
  return byte >= 0xa0 ? LATIN : byte >= 0x80 ? EXTENDED : 0;
});

/** The encoding of a text; undefined for what is none. */
export function textEncoding(all: Bytes): TextEncoding | undefined {
  let bytes = all.subarray(0, ENCODING_BYTES);
  let end = bytes.length;
  while (end > 1 && bytes[end - 1] === 0) end--;
  bytes = bytes.subarray(0, end);
  let highest = TEXT;
  let control = false;
  for (let i = 0; i < bytes.length; i++) {
    const kind = CLASSES[bytes[i]!]!;
    if (kind === 0) control = true;
    else if (kind > highest) highest = kind;
  }
  if (!control && highest === TEXT) return { name: 'ASCII', characters: bytes };
  const marked = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  const unicode = utf8(marked ? bytes.subarray(3) : bytes);
  if (unicode !== undefined) return { name: `Unicode text, UTF-8${marked ? ' (with BOM)' : ''}`, characters: unicode };
  const wide = utf16(all.subarray(0, ENCODING_BYTES));
  if (wide !== undefined) return wide;
  if (control) return undefined;
  return { name: highest === LATIN ? 'ISO-8859' : 'Non-ISO extended-ASCII', characters: bytes };
}

/** The code points of UTF-8 without control characters; a character that is cut off at the end is left out. */
function utf8(bytes: Bytes): Uint32Array | undefined {
  const points = new Uint32Array(bytes.length);
  let count = 0;
  for (let i = 0; i < bytes.length; ) {
    const first = bytes[i]!;
    if (first < 0x80) {
      if (CLASSES[first] !== TEXT) return undefined;
      points[count++] = first;
      i++;
      continue;
    }
    const more = first >= 0xc2 && first <= 0xdf ? 1 : first >= 0xe0 && first <= 0xef ? 2 : first >= 0xf0 && first <= 0xf4 ? 3 : 0;
    if (more === 0) return undefined;
    let point = first & (0x3f >> more);
    for (let k = 1; k <= more; k++) {
      if (i + k >= bytes.length) return points.subarray(0, count);
      const byte = bytes[i + k]!;
      const low = k === 1 && first === 0xe0 ? 0xa0 : k === 1 && first === 0xf0 ? 0x90 : 0x80;
      const high = k === 1 && first === 0xed ? 0x9f : k === 1 && first === 0xf4 ? 0x8f : 0xbf;
      if (byte < low || byte > high) return undefined;
      point = point * 64 + (byte & 0x3f);
    }
    points[count++] = point;
    i += more + 1;
  }
  return points.subarray(0, count);
}

function utf16(bytes: Bytes): TextEncoding | undefined {
  const little = bytes[0] === 0xff && bytes[1] === 0xfe;
  if (!little && !(bytes[0] === 0xfe && bytes[1] === 0xff)) return undefined;
  const view = viewOf(bytes);
  const units = new Uint16Array(Math.max(0, (bytes.length - 2) >> 1));
  for (let i = 0; i < units.length; i++) {
    const unit = view.getUint16(2 + 2 * i, little);
    if (unit === 0xfffe || unit === 0xffff || (unit < 128 && CLASSES[unit] !== TEXT)) return undefined;
    units[i] = unit;
  }
  return { name: `Unicode text, UTF-16, ${little ? 'little' : 'big'}-endian`, characters: units };
}

/** What is said of a text behind its kind: encoding, long lines, ends of lines, escapes. */
export function describeText({ name, characters }: TextEncoding, executable: boolean, whole: boolean): string {
  let crlf = 0;
  let lf = 0;
  let cr = 0;
  let nel = 0;
  let lineEnd = -1;
  let longest = 0;
  let seenCr = false;
  let escapes = false;
  let backspaces = false;
  for (let i = 0; i < characters.length; i++) {
    const character = characters[i]!;
    if (character === 0x0a) {
      if (seenCr) crlf++;
      else lf++;
      lineEnd = i;
    } else if (seenCr) cr++;
    seenCr = character === 0x0d;
    if (seenCr) lineEnd = i;
    if (character === 0x85) {
      nel++;
      lineEnd = i;
    }
    if (i > lineEnd + LONG_LINE && i - lineEnd > longest) longest = i - lineEnd;
    if (character === 0x1b) escapes = true;
    if (character === 0x08) backspaces = true;
  }
  if (seenCr && whole) cr++;
  const parts = [`${name} text${executable ? ' executable' : ''}`];
  if (longest > 0) parts.push(`with very long lines (${longest})`);
  const ends = [crlf > 0 ? 'CRLF' : '', cr > 0 ? 'CR' : '', lf > 0 ? 'LF' : '', nel > 0 ? 'NEL' : ''].filter((one) => one !== '');
  if (ends.length === 0) parts.push('with no line terminators');
  else if (ends.join() !== 'LF') parts.push(`with ${ends.join(', ')} line terminators`);
  if (escapes) parts.push('with escape sequences');
  if (backspaces) parts.push('with overstriking');
  return parts.join(', ');
}
