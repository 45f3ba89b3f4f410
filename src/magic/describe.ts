/** What a file is, in the words of file(1): `file -zb`. */

import type { Bytes } from '../bytes/struct.ts';
import { concatBytes } from '../bytes/text.ts';
import type { StreamDecoder, StreamFormat } from '../codec/codecs.ts';
import { GuestlessError } from '../errors.ts';
import type { Io } from '../io/effect.ts';
import { CONTAINERS, type Look } from './containers.ts';
import { dataKind } from './data-kinds.ts';
import { describeElf } from './elf.ts';
import { describeText, ENCODING_BYTES, type TextEncoding, textEncoding } from './encoding.ts';
import { FILESYSTEM_KINDS } from './filesystems.ts';
import { packedKind } from './packed.ts';
import { PROGRAM_KINDS } from './programs.ts';
import { Head, type MagicSource } from './source.ts';
import { isTable, jsonKind } from './structured.ts';
import { textKind } from './text-kinds.ts';

export interface DescribeOptions {
  /** Permission bits of the file: those of set-id and sticky files are told. */
  readonly mode?: number;
  /** Looks inside compressed files with these decoders; without it their header alone is described. */
  readonly stream?: (format: StreamFormat) => StreamDecoder;
}

/** Bytes of the beginning that are looked at, and of what is decompressed. */
const HEAD: number = 1 << 20;
/** JSON is looked at whole, up to here. */
const MAX_JSON: number = 7 << 20;
/** Files in files in files. */
const MAX_NESTING = 4;

/** Describes a file. Never throws for what the file holds. */
export function* describeFile(source: MagicSource, options: DescribeOptions = {}): Io<string> {
  const mode = options.mode ?? 0;
  const prefix = `${mode & 0o4000 ? 'setuid ' : ''}${mode & 0o2000 ? 'setgid ' : ''}${mode & 0o1000 ? 'sticky ' : ''}`;
  if (source.size === 0) return `${prefix}empty`;
  const head = new Head(yield* source.read(0, Math.min(HEAD, source.size)), source.size);
  return prefix + (yield* describeHead(head, source, true, options, 0));
}

function* describeHead(head: Head, source: MagicSource, whole: boolean, options: DescribeOptions, nesting: number): Io<string> {
  if (head.bytes.length === 0) return 'empty';
  if (head.size === 1) return 'very short file (no magic)';
  const packed = packedKind(head);
  if (packed !== undefined) {
    const inside = packed.format === undefined || nesting >= MAX_NESTING ? undefined : unpacked(head.bytes, packed.format, options);
    if (inside === undefined) return packed.name;
    const nothing: MagicSource = { size: 0, read: none };
    return `${yield* describeHead(new Head(inside, inside.length), nothing, false, options, nesting + 1)} (${packed.name})`;
  }
  const elf = yield* describeElf(head, source, whole);
  if (elf !== undefined) return elf;
  const binary = first(CONTAINERS, head) ?? first(PROGRAM_KINDS, head) ?? dataKind(head) ?? first(FILESYSTEM_KINDS, head);
  const encoding = textEncoding(head.bytes);
  if (binary !== undefined) return binary;
  return encoding === undefined ? 'data' : yield* describeTextFile(head, source, encoding);
}

// biome-ignore lint/correctness/useYield: a reader that has nothing to read
function* none(): Io<Bytes> {
  return new Uint8Array(0);
}

function first(looks: readonly Look[], head: Head): string | undefined {
  for (const look of looks) {
    const answer = look(head);
    if (answer !== undefined) return answer;
  }
  return undefined;
}

function* describeTextFile(head: Head, source: MagicSource, encoding: TextEncoding): Io<string> {
  const text = head.latin1;
  if (/^\s{0,1000}[[{]/.test(text)) {
    const all = head.size <= head.bytes.length || head.size > MAX_JSON ? head.bytes : yield* source.read(0, head.size);
    const json = jsonKind(latin1(all));
    if (json !== undefined) return json;
  }
  const kind = textKind(text);
  if (kind === undefined && isTable(text)) return 'CSV text';
  if (kind?.whole === true) return kind.name;
  let name = kind?.name ?? '';
  let executable = false;
  if (name.endsWith(' text executable')) {
    executable = true;
    name = name.slice(0, -' text executable'.length);
  } else if (name.endsWith(' text')) name = name.slice(0, -' text'.length);
  const description = describeText(encoding, executable, head.bytes.length <= ENCODING_BYTES);
  return name === '' ? description : `${name}, ${description}`;
}

function latin1(bytes: Bytes): string {
  const parts: string[] = [];
  for (let at = 0; at < bytes.length; at += 8192) parts.push(String.fromCharCode(...bytes.subarray(at, at + 8192)));
  return parts.join('');
}

/** The beginning of what a compressed file holds, as far as the beginning of the file gives it; undefined where it cannot be decompressed. */
function unpacked(bytes: Bytes, format: StreamFormat, { stream }: DescribeOptions): Bytes | undefined {
  if (stream === undefined) return undefined;
  const chunks: Bytes[] = [];
  let length = 0;
  try {
    const decoder = stream(format);
    for (let at = 0; at < bytes.length && length < HEAD; at += 65_536) {
      decoder.push(bytes.subarray(at, at + 65_536));
      for (let chunk = decoder.next(); chunk !== undefined && length < HEAD; chunk = decoder.next()) {
        chunks.push(chunk.slice());
        length += chunk.length;
      }
    }
  } catch (error) {
    if (!(error instanceof GuestlessError)) throw error;
    if (length === 0) return undefined;
  }
  return concatBytes(...chunks).subarray(0, HEAD);
}
