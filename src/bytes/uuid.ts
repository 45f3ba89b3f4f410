/** UUIDs in their two byte orders, and their text. */
import type { Bytes } from './struct.ts';

const DIGITS = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** RFC 4122 text, lower case, of 16 bytes in network order (ext4, qcow2, swap). */
export function uuidText(bytes: Bytes): string {
  let text = '';
  for (let i = 0; i < 16; i++) {
    if (i === 4 || i === 6 || i === 8 || i === 10) text += '-';
    text += DIGITS[bytes[i] ?? 0];
  }
  return text;
}

/** The 16 bytes in network order of an RFC 4122 text; throws RangeError on anything else. */
export function uuidBytes(text: string): Bytes {
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)) throw new RangeError(`not a UUID: ${text}`);
  const digits = text.replaceAll('-', '');
  return Uint8Array.from({ length: 16 }, (_, i) => Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16));
}

const GUID_ORDER = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15] as const;

/** Text, upper case, of a GUID whose first three groups are little-endian (UEFI specification, appendix A). */
export function guidText(bytes: Bytes): string {
  return uuidText(Uint8Array.from(GUID_ORDER, (i) => bytes[i] ?? 0)).toUpperCase();
}

/** The mixed-endian bytes of a GUID text. */
export function guidBytes(text: string): Bytes {
  const network = uuidBytes(text);
  return Uint8Array.from(GUID_ORDER, (i) => network[i] ?? 0);
}
