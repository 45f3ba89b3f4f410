/** What encoding a text is in, and the way back. */

export interface Decoded {
  readonly text: string;
  /** `utf-8`, `utf-16le`, `utf-16be`, `latin1`; with ` with BOM` behind it where there was one. */
  readonly encoding: string;
}

/** Control characters that text does not have; tab, line ends, form feed and escape it has. */
const STRANGE = /[\u0000-\u0006\u000e-\u001a\u001c-\u001f]/;

/** The text that bytes are, or undefined when they are none. `whole`: the bytes are the whole file, so that a character cut at the end is an error. */
export function decodeText(bytes: Uint8Array, whole: boolean): Decoded | undefined {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) {
    const text = strictly('utf-8', bytes.subarray(3), whole);
    return text === undefined ? undefined : { text, encoding: 'utf-8 with BOM' };
  }
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return utf16('utf-16le', bytes.subarray(2), ' with BOM', whole);
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return utf16('utf-16be', bytes.subarray(2), ' with BOM', whole);
  const utf8 = strictly('utf-8', bytes, whole);
  if (utf8 !== undefined && !STRANGE.test(utf8)) return { text: utf8, encoding: 'utf-8' };
  const { even, odd } = zeros(bytes);
  const half = bytes.length / 2;
  if (half >= 4 && odd > half * 0.4 && even < half * 0.05) return utf16('utf-16le', bytes, '', whole);
  if (half >= 4 && even > half * 0.4 && odd < half * 0.05) return utf16('utf-16be', bytes, '', whole);
  if (utf8 !== undefined || even + odd > 0) return undefined;
  const latin1 = Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
  return STRANGE.test(latin1) || /[\u0080-\u009f]/.test(latin1) ? undefined : { text: latin1, encoding: 'latin1' };
}

function strictly(label: string, bytes: Uint8Array, whole: boolean): string | undefined {
  try {
    return new TextDecoder(label, { fatal: true, ignoreBOM: true }).decode(bytes as Uint8Array<ArrayBuffer>, { stream: !whole });
  } catch {
    return undefined;
  }
}

function utf16(label: string, bytes: Uint8Array, mark: string, whole: boolean): Decoded | undefined {
  const text = strictly(label, whole ? bytes : bytes.subarray(0, bytes.length & ~1), whole);
  return text === undefined || STRANGE.test(text) ? undefined : { text, encoding: `${label}${mark}` };
}

function zeros(bytes: Uint8Array): { even: number; odd: number } {
  let even = 0;
  let odd = 0;
  for (let i = 0; i < bytes.length; i++) if (bytes[i] === 0) i % 2 === 0 ? even++ : odd++;
  return { even, odd };
}

/** The bytes of a text in an encoding that {@link decodeText} named. What latin1 does not have makes it UTF-8. */
export function encodeText(text: string, encoding: string): Uint8Array {
  const [label = 'utf-8'] = encoding.split(' ');
  const marked = encoding.endsWith('with BOM');
  if (label === 'latin1') {
    const strange = [...text].find((character) => (character.codePointAt(0) ?? 0) > 0xff);
    if (strange === undefined) return Uint8Array.from(text, (character) => character.charCodeAt(0));
    return new TextEncoder().encode(text);
  }
  if (label === 'utf-8') return new TextEncoder().encode(marked ? `\ufeff${text}` : text);
  const units = marked ? `\ufeff${text}` : text;
  const bytes = new Uint8Array(units.length * 2);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < units.length; i++) view.setUint16(i * 2, units.charCodeAt(i), label === 'utf-16le');
  return bytes;
}
