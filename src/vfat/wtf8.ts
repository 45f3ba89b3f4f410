/**
 * Long names are UTF-16, and may hold unpaired surrogates; names of this library are bytes. WTF-8 (simonsapin.github.io/wtf-8) is UTF-8
 * that also writes an unpaired surrogate, in three bytes, so that every long name has bytes of its own.
 */
import type { Bytes } from '../bytes/struct.ts';

/** The WTF-8 of a text of any UTF-16 units. */
export function encodeWtf8(text: string): Bytes {
  const bytes: number[] = [];
  for (let i = 0; i < text.length; i++) {
    const code = text.codePointAt(i) ?? 0;
    if (code > 0xffff) i++;
    if (code < 0x80) bytes.push(code);
    else if (code < 0x800) bytes.push(0xc0 | (code >> 6), 0x80 | (code & 63));
    else if (code < 0x1_0000) bytes.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
    else bytes.push(0xf0 | (code >> 18), 0x80 | ((code >> 12) & 63), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
  }
  return Uint8Array.from(bytes);
}

/** The text of WTF-8; undefined for bytes that are none. */
export function decodeWtf8(bytes: Bytes): string | undefined {
  let text = '';
  for (let i = 0; i < bytes.length; ) {
    const first = bytes[i] ?? 0;
    if (first < 0x80) {
      text += String.fromCharCode(first);
      i++;
      continue;
    }
    const length = first >= 0xc2 && first < 0xe0 ? 2 : first >= 0xe0 && first < 0xf0 ? 3 : first >= 0xf0 && first < 0xf5 ? 4 : 0;
    if (length === 0 || i + length > bytes.length) return undefined;
    let code = first & (0x7f >> length);
    for (let k = 1; k < length; k++) {
      const byte = bytes[i + k] ?? 0;
      if ((byte & 0xc0) !== 0x80) return undefined;
      code = (code << 6) | (byte & 63);
    }
    if ((length === 3 && code < 0x800) || (length === 4 && (code < 0x1_0000 || code > 0x10_ffff))) return undefined;
    text += String.fromCodePoint(code);
    i += length;
  }
  return text;
}

/** Whether a text has a surrogate without its partner. */
export function hasLoneSurrogate(text: string): boolean {
  return /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/.test(text);
}
