/**
 * Text and the bytes of names.
 *
 * Names inside an image are bytes. They become text only at a door, and losslessly: a byte that is no UTF-8 becomes a lone surrogate
 * U+DC80..U+DCFF, as in Python's `surrogateescape` (PEP 383), and turns back into the same byte.
 */
import type { Bytes } from './struct.ts';

const encoder = new TextEncoder();
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** UTF-8 of a text; a lone surrogate U+DC80..U+DCFF gives its byte back. */
export function encodeName(text: string): Bytes {
  if (!/[\uDC80-\uDCFF]/.test(text)) return encoder.encode(text);
  const parts: number[] = [];
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    if (code >= 0xdc80 && code <= 0xdcff) parts.push(code - 0xdc00);
    else parts.push(...encoder.encode(character));
  }
  return Uint8Array.from(parts);
}

/** Text of a name; bytes that are no UTF-8 become U+DC80..U+DCFF. Never throws, never loses a byte. */
export function decodeName(bytes: Bytes): string {
  try {
    return strict.decode(bytes);
  } catch {
    return decodeEscaping(bytes);
  }
}

function decodeEscaping(bytes: Bytes): string {
  let text = '';
  for (let i = 0; i < bytes.length; ) {
    const length = sequenceLength(bytes, i);
    if (length === 0) text += String.fromCharCode(0xdc00 + (bytes[i++] ?? 0));
    else {
      text += strict.decode(bytes.subarray(i, i + length));
      i += length;
    }
  }
  return text;
}

/** Length of the well-formed UTF-8 sequence at `i` (Unicode, table 3-7), 0 when there is none. */
function sequenceLength(bytes: Bytes, i: number): number {
  const first = bytes[i] ?? 0;
  if (first < 0x80) return 1;
  const length = first >= 0xc2 && first <= 0xdf ? 2 : first >= 0xe0 && first <= 0xef ? 3 : first >= 0xf0 && first <= 0xf4 ? 4 : 0;
  for (let k = 1; k < length; k++) if (((bytes[i + k] ?? 0) & 0xc0) !== 0x80) return 0;
  const second = bytes[i + 1] ?? 0;
  if (first === 0xe0 && second < 0xa0) return 0;
  if (first === 0xed && second > 0x9f) return 0;
  if (first === 0xf0 && second < 0x90) return 0;
  if (first === 0xf4 && second > 0x8f) return 0;
  return length;
}

/** Bytes as text, one character each: for ASCII fields of formats. */
export function latin1(bytes: Bytes): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

/** The bytes before the first NUL, or all of them. */
export function untilNul(bytes: Bytes): Bytes {
  const end = bytes.indexOf(0);
  return end < 0 ? bytes : bytes.subarray(0, end);
}

/** Whether two byte strings are the same. */
export function sameBytes(a: Bytes, b: Bytes): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Orders byte strings as memcmp and the C locale do. */
export function compareBytes(a: Bytes, b: Bytes): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const difference = a[i]! - b[i]!;
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** Joins byte strings into one. */
export function concatBytes(...parts: readonly Bytes[]): Bytes {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** Whether all bytes are zero. */
export function isZero(bytes: Bytes, start = 0, end: number = bytes.length): boolean {
  const { buffer, byteOffset } = bytes;
  let i = start;
  while (i < end && ((byteOffset + i) & 3) !== 0) if (bytes[i++] !== 0) return false;
  if (i >= end) return true;
  const words = new Int32Array(buffer, byteOffset + i, (end - i) >>> 2);
  const { length } = words;
  let w = 0;
  // The index is in bounds by the loop's condition.
  for (; w + 8 <= length; w += 8) {
    const low = words[w]! | words[w + 1]! | words[w + 2]! | words[w + 3]!;
    if ((low | words[w + 4]! | words[w + 5]! | words[w + 6]! | words[w + 7]!) !== 0) return false;
  }
  for (; w < length; w++) if (words[w] !== 0) return false;
  for (i += length * 4; i < end; i++) if (bytes[i] !== 0) return false;
  return true;
}
