/** File identifiers as names: what Linux makes of them by default (fs/isofs/dir.c, fs/isofs/joliet.c: `map=normal`). */
import { type Bytes, viewOf } from '../bytes/struct.ts';
import { encodeName } from '../bytes/text.ts';

const DOT = 0x2e;
const SEMICOLON = 0x3b;
const ONE = 0x31;
const SLASH = 0x2f;

/** A plain identifier: lower case, without version 1 and the dot before it; other semicolons become dots. */
export function plainName(identifier: Bytes): Bytes {
  const { length } = identifier;
  const name: number[] = [];
  for (let i = 0; i < length; i++) {
    const byte = identifier[i] ?? 0;
    if (byte === 0) break;
    if (byte === DOT && i === length - 3 && identifier[i + 1] === SEMICOLON && identifier[i + 2] === ONE) break;
    if (byte === SEMICOLON && i === length - 2 && identifier[i + 1] === ONE) break;
    if (byte === SEMICOLON || byte === SLASH) name.push(DOT);
    else name.push(byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte);
  }
  return Uint8Array.from(name);
}

/** A Joliet identifier, big-endian UCS-2 (Linux has question marks for what is not in it; here UTF-16 is read), without version 1 and dots at its end. */
export function jolietName(identifier: Bytes): Bytes {
  const view = viewOf(identifier);
  let text = '';
  for (let at = 0; at + 2 <= identifier.length; at += 2) {
    const unit = view.getUint16(at, false);
    if (unit === 0) break;
    text += unit === SLASH ? '.' : String.fromCharCode(unit);
  }
  if (text.length > 2 && text.endsWith(';1')) text = text.slice(0, -2);
  let end = text.length;
  while (end >= 2 && text.charCodeAt(end - 1) === DOT) end--;
  return encodeName(wellFormed(text.slice(0, end)));
}

/** A surrogate alone is no character: a question mark stands for it. */
function wellFormed(text: string): string {
  let result = '';
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    result += code >= 0xd800 && code <= 0xdfff ? '?' : character;
  }
  return result;
}

/** What two Joliet names have in common when Linux takes them for the same: ASCII case and dots at the end do not count. */
export function jolietKey(name: Bytes): Bytes {
  let end = name.length;
  while (end > 0 && name[end - 1] === DOT) end--;
  return name.subarray(0, end).map((byte) => (byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte));
}
