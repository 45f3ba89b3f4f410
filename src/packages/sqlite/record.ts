/** Records: the values of a row ("Record Format" of the file format). */
import { type Bytes, viewOf } from '../../bytes/struct.ts';
import { corrupt } from './pager.ts';

/** A value: NULL, an integer or real number, text in UTF-8, or bytes. */
export type Value =
  | { readonly kind: 'null' }
  | { readonly kind: 'number'; readonly number: number }
  | { readonly kind: 'text'; readonly bytes: Bytes }
  | { readonly kind: 'blob'; readonly bytes: Bytes };

/** A variable-length integer: 7 bits of each byte, 8 of the ninth. Values above 2^53 lose their lowest bits. */
export function readVarint(bytes: Bytes, at: number): { readonly value: number; readonly next: number } {
  let value = 0;
  for (let i = 0; i < 9; i++) {
    const byte = bytes[at + i];
    if (byte === undefined) throw corrupt('a number ends outside of its page');
    if (i === 8) return { value: value * 256 + byte, next: at + 9 };
    value = value * 128 + (byte & 0x7f);
    if (byte < 0x80) return { value, next: at + i + 1 };
  }
  throw corrupt('a number is too long');
}

/** Columns of a row that are looked at. */
const COLUMN_LIMIT = 100;
const INTEGER_LENGTHS = [0, 1, 2, 3, 4, 6, 8] as const;

/** The values of a record. Throws Corrupt. */
export function parseRecord(payload: Bytes): Value[] {
  const header = readVarint(payload, 0);
  if (header.value > payload.length) throw corrupt('the header of a record is longer than the record');
  const values: Value[] = [];
  let content = header.value;
  for (let at = header.next; at < header.value && values.length < COLUMN_LIMIT; ) {
    const type = readVarint(payload, at);
    at = type.next;
    const length = lengthOf(type.value);
    if (content + length > payload.length) throw corrupt('the values of a record are longer than the record');
    values.push(valueOfType(type.value, payload.subarray(content, content + length)));
    content += length;
  }
  return values;
}

function lengthOf(type: number): number {
  if (type >= 12) return Math.floor((type - 12) / 2);
  if (type === 7) return 8;
  if (type === 8 || type === 9) return 0;
  const length = INTEGER_LENGTHS[type];
  if (length === undefined) throw corrupt(`values of type ${type} do not exist`);
  return length;
}

function valueOfType(type: number, bytes: Bytes): Value {
  if (type >= 12) return { kind: type % 2 === 0 ? 'blob' : 'text', bytes };
  if (type === 0) return { kind: 'null' };
  if (type === 7) return { kind: 'number', number: viewOf(bytes).getFloat64(0) };
  if (type >= 8) return { kind: 'number', number: type - 8 };
  let number = (bytes[0] ?? 0) >= 0x80 ? -1 : 0;
  for (const byte of bytes) number = number * 256 + byte;
  return { kind: 'number', number };
}
