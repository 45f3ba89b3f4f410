/**
 * Declares an on-disk structure once, for reading and writing.
 *
 * A structure is a table of fields under the names of its specification; `read` gives a plain record, `write` puts one back, and
 * for every structure `write(read(x)) = x` on the bytes its fields cover.
 */
import { Corrupt } from '../errors.ts';

export type Bytes = Uint8Array;

/** How one field stands in the bytes: where it begins, how long it is, how to read and write it. */
export interface Field<T> {
  readonly offset: number;
  readonly length: number;
  /** `at` is the absolute position in the view: the structure's start plus `offset`. */
  get(view: DataView, at: number): T;
  set(view: DataView, at: number, value: T): void;
}

// biome-ignore lint/suspicious/noExplicitAny: a field's own type is recovered by RecordOf below
type AnyField = Field<any>;
type Fields = Readonly<Record<string, AnyField>>;
export type RecordOf<F extends Fields> = { -readonly [K in keyof F]: F[K] extends Field<infer T> ? T : never };

/** A declared structure; `size` is its length in bytes. */
export interface Struct<F extends Fields> {
  readonly name: string;
  readonly size: number;
  readonly fields: F;
  /** Decodes the structure that begins at `offset`. Throws Corrupt when the bytes end before it does. */
  read(bytes: Bytes, offset?: number): RecordOf<F>;
  /** Encodes the given fields in place and leaves all other bytes as they are. */
  write(bytes: Bytes, offset: number, value: Partial<RecordOf<F>>): void;
}

/** The record that a structure reads, for naming it as a type: `type Header = Decoded<typeof HEADER>`. */
export type Decoded<S> = S extends Struct<infer F> ? RecordOf<F> : never;

/** A view over exactly these bytes. */
export function viewOf(bytes: Bytes): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export function struct<F extends Fields>(name: string, size: number, fields: F): Struct<F> {
  const entries = Object.entries(fields);
  for (const [key, field] of entries) {
    if (field.offset + field.length > size) throw new RangeError(`${name}.${key} ends beyond ${size} bytes`);
  }
  return {
    name,
    size,
    fields,
    read(bytes: Bytes, offset = 0): RecordOf<F> {
      if (offset < 0 || offset + size > bytes.length) {
        throw new Corrupt(`${name}: ${size} bytes wanted at ${offset}, only ${bytes.length} there`);
      }
      const view = viewOf(bytes);
      const record: Record<string, unknown> = {};
      for (const [key, field] of entries) record[key] = field.get(view, offset + field.offset);
      return record as RecordOf<F>;
    },
    write(bytes: Bytes, offset: number, value: Partial<RecordOf<F>>): void {
      const view = viewOf(bytes);
      for (const key in value) {
        const field = fields[key];
        const given = value[key];
        if (field !== undefined && given !== undefined) field.set(view, offset + field.offset, given);
      }
    },
  };
}

const TWO_32 = 0x1_0000_0000;
/** The largest on-disk 64-bit number that this library computes with: 2^53 - 1. */
export const MAX_SAFE: number = Number.MAX_SAFE_INTEGER;

/** Joins the halves of an unsigned 64-bit number; throws Corrupt above 2^53 - 1. The one gate for 64-bit offsets and counts. */
export function joinU64(high: number, low: number): number {
  if (high >= 0x20_0000) throw new Corrupt(`64-bit number 0x${high.toString(16)}${low.toString(16).padStart(8, '0')} exceeds 2^53 - 1`);
  return high * TWO_32 + low;
}

export const u8 = (offset: number): Field<number> => ({
  offset,
  length: 1,
  get: (view, at) => view.getUint8(at),
  set: (view, at, value) => view.setUint8(at, value),
});

interface Integers {
  u16(offset: number): Field<number>;
  u32(offset: number): Field<number>;
  i32(offset: number): Field<number>;
  /** A number up to 2^53 - 1; larger ones are Corrupt. */
  u64(offset: number): Field<number>;
  /** All 64 bits: for flags and masks. */
  u64bits(offset: number): Field<bigint>;
}

function integers(little: boolean): Integers {
  return {
    u16: (offset) => ({
      offset,
      length: 2,
      get: (view, at) => view.getUint16(at, little),
      set: (view, at, value) => view.setUint16(at, value, little),
    }),
    u32: (offset) => ({
      offset,
      length: 4,
      get: (view, at) => view.getUint32(at, little),
      set: (view, at, value) => view.setUint32(at, value, little),
    }),
    i32: (offset) => ({
      offset,
      length: 4,
      get: (view, at) => view.getInt32(at, little),
      set: (view, at, value) => view.setInt32(at, value, little),
    }),
    u64: (offset) => ({
      offset,
      length: 8,
      get: (view, at) => joinU64(view.getUint32(little ? at + 4 : at, little), view.getUint32(little ? at : at + 4, little)),
      set: (view, at, value) => {
        view.setUint32(little ? at + 4 : at, Math.floor(value / TWO_32), little);
        view.setUint32(little ? at : at + 4, value % TWO_32, little);
      },
    }),
    u64bits: (offset) => ({
      offset,
      length: 8,
      get: (view, at) => view.getBigUint64(at, little),
      set: (view, at, value) => view.setBigUint64(at, value, little),
    }),
  };
}

/** Little-endian integer fields: ext2/3/4, FAT, MBR, GPT. */
export const le: Integers = integers(true);
/** Big-endian integer fields: qcow2, jbd2. */
export const be: Integers = integers(false);

/** A run of raw bytes; reading copies them. */
export const raw = (offset: number, length: number): Field<Bytes> => ({
  offset,
  length,
  get: (view, at) => new Uint8Array(view.buffer, view.byteOffset + at, length).slice(),
  set: (view, at, value) => {
    if (value.length !== length) throw new RangeError(`a field of ${length} bytes cannot hold ${value.length}`);
    new Uint8Array(view.buffer, view.byteOffset + at, length).set(value);
  },
});

/** `count` integers that stand one after the other, each as `one(0)` declares. */
export const array = (offset: number, count: number, one: (offset: number) => Field<number>): Field<number[]> => {
  const element = one(0);
  return {
    offset,
    length: count * element.length,
    get: (view, at) => Array.from({ length: count }, (_, i) => element.get(view, at + i * element.length)),
    set: (view, at, values) => {
      if (values.length !== count) throw new RangeError(`a field of ${count} numbers cannot hold ${values.length}`);
      for (let i = 0; i < count; i++) element.set(view, at + i * element.length, values[i] ?? 0);
    },
  };
};
