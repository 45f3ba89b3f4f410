/** Probes for the file systems of optical discs. Sources: ECMA-119, the Joliet specification, ECMA-167 and UDF 2.60. */
import { type Bytes, viewOf } from '../bytes/struct.ts';
import { decodeName, encodeName, latin1, untilNul } from '../bytes/text.ts';
import type { Io } from '../io/effect.ts';
import { type Found, found, type Probe, paddedLabel, type Region, utf16Label, type Window } from './signature-window.ts';

const SECTOR = 2048;
const FIRST_DESCRIPTOR = 16 * SECTOR;
const MAX_DESCRIPTORS = 16;

function isoDescriptor(head: Region, type: number): number | undefined {
  for (let i = 0; i < MAX_DESCRIPTORS; i++) {
    const at = FIRST_DESCRIPTOR + i * SECTOR;
    if (!head.is(at + 1, 'CD001') || head.u8(at) === 255) return undefined;
    const joliet = head.is(at + 88, '%/@') || head.is(at + 88, '%/C') || head.is(at + 88, '%/E');
    if (head.u8(at) === type && (type !== 2 || joliet)) return at;
  }
  return undefined;
}

function lookIso({ head }: Window): Found | undefined {
  if (head.is(FIRST_DESCRIPTOR + 9, 'CDROM'))
    return found({ version: 'High Sierra', label: paddedLabel(head.slice(FIRST_DESCRIPTOR + 48, 32)) });
  const primary = isoDescriptor(head, 1);
  if (primary === undefined) return undefined;
  const joliet = isoDescriptor(head, 2);
  const plain = paddedLabel(head.slice(primary + 40, 32));
  const label = joliet === undefined ? plain : jolietLabel(head.slice(joliet + 40, 32), head.slice(primary + 40, 32));
  const uuid = isoDate(head, primary + 830) ?? isoDate(head, primary + 813);
  return found({ label, uuid, version: joliet === undefined ? undefined : 'Joliet Extension' });
}

/** A date of 16 digits as blkid makes an identifier of it: `2026-11-22-00-16-59-00`. */
function isoDate(head: Region, at: number): string | undefined {
  const digits = head.text(at, 16);
  if (!/^\d{16}$/.test(digits) || /^0*$/.test(digits)) return undefined;
  return [digits.slice(0, 4), ...(digits.slice(4).match(/../g) ?? [])].join('-');
}

/**
 * Joliet has 16 characters of any kind, the primary descriptor 32 of ASCII with `_` for what it cannot say. Where the first is a
 * beginning of the second, as blkid finds, both together give the whole label.
 */
function jolietLabel(wide: Bytes, plain: Bytes): Bytes {
  const view = viewOf(wide);
  const joined: number[] = [];
  let ascii = 0;
  for (let unit = 0; unit < 16 && ascii < 32; unit++, ascii++) {
    const code = view.getUint16(2 * unit, false);
    const low = unit < 15 ? view.getUint16(2 * unit + 2, false) : 0;
    if (code >= 0xd800 && code <= 0xdbff && low >= 0xdc00 && low <= 0xdfff) {
      joined.push(code, low);
      unit++;
      continue;
    }
    const character = plain[ascii] ?? 0;
    const upper = (value: number): number => (value >= 0x61 && value <= 0x7a ? value - 0x20 : value);
    if (character === 0x5f) joined.push(code);
    else if (code === 0x5f) joined.push(character);
    else if (code < 0x80 && upper(character) === upper(code)) joined.push(character >= 0x41 && character <= 0x5a ? code : character);
    else return utf16Label(wide, false);
  }
  for (; ascii < 32; ascii++) joined.push(plain[ascii] ?? 0);
  const bytes = new Uint8Array(joined.length * 2);
  joined.forEach((code, i) => {
    viewOf(bytes).setUint16(2 * i, code, false);
  });
  return utf16Label(bytes, false);
}

const UDF_STANDARDS = ['NSR02', 'NSR03'];

/** Bytes between two structures of the recognition sequence: 2048, or a sector of 4096; undefined when it names no UDF. */
function recognition(head: Region): 2048 | 4096 | undefined {
  for (const step of [2048, 4096] as const) {
    for (let i = 0; i < MAX_DESCRIPTORS; i++) {
      const name = head.text(FIRST_DESCRIPTOR + i * step + 1, 5);
      if (UDF_STANDARDS.includes(name)) return step;
      if (!['BEA01', 'CD001', 'CDW02', 'BOOT2', 'TEA01'].includes(name)) break;
    }
  }
  return undefined;
}

const lookUdf = ({ head }: Window): Found | undefined => (recognition(head) === undefined ? undefined : {});

/** Text of a dstring: a byte that says 8 or 16 bits a character, the characters, and the length in the last byte. */
function dstring(bytes: Bytes): string {
  const length = Math.min(bytes[bytes.length - 1] ?? 0, bytes.length - 1);
  const content = bytes.subarray(1, Math.max(1, length));
  if (bytes[0] === 8) return latin1(untilNul(content));
  if (bytes[0] === 16) return decodeName(utf16Label(content, false));
  return '';
}

/** The beginning of the volume set's name as blkid makes an identifier of it. */
function udfUuid(volumeSet: string): string | undefined {
  const bytes = encodeName(volumeSet);
  if (bytes.length < 8) return undefined;
  const text = latin1(bytes.subarray(0, 16));
  const hex = (part: Bytes): string => Array.from(part, (byte) => byte.toString(16).padStart(2, '0')).join('');
  if (/^[0-9a-f]{16}$/i.test(text)) return text.toLowerCase();
  if (/^[0-9a-f]{8}/i.test(text)) return text.slice(0, 8).toLowerCase() + hex(concat4(bytes.subarray(8, 12)));
  return hex(bytes.subarray(0, 8));
}

function concat4(bytes: Bytes): Bytes {
  const four = new Uint8Array(4);
  four.set(bytes);
  return four;
}

/** Descriptors of a volume sequence that are read. */
const MAX_UDF_DESCRIPTORS = 64;

/** Label and identifier stand in the volume descriptor sequence, which the anchor at sector 256 points to. */
function* moreUdf(window: Window, start: Found): Io<Found> {
  const sectors = recognition(window.head) === 4096 ? [4096] : [2048, 512, 1024];
  for (const sector of sectors) {
    for (const lba of [256, Math.floor(window.size / sector) - 1, Math.floor(window.size / sector) - 257]) {
      const at = lba * sector;
      const anchor = yield* window.fetch(at, 512);
      if (anchor.u16(at) !== 2 || anchor.u32(at + 12) !== lba) continue;
      const first = anchor.u32(at + 20) * sector;
      const length = Math.min(anchor.u32(at + 16), MAX_UDF_DESCRIPTORS * sector);
      return yield* udfDescriptors(window, start, first, length, sector);
    }
  }
  return start;
}

function* udfDescriptors(window: Window, start: Found, first: number, length: number, sector: number): Io<Found> {
  const sequence = yield* window.fetch(first, length);
  let label: string | undefined;
  let uuid: string | undefined;
  let revision = 0;
  for (let at = first; at + 512 <= first + sequence.bytes.length; at += sector) {
    const tag = sequence.u16(at);
    if (tag === 8 || tag === 0) break;
    if (tag === 1) uuid = udfUuid(dstring(sequence.slice(at + 72, 128)));
    if (tag === 6) {
      label = dstring(sequence.slice(at + 84, 128));
      revision = Math.max(sequence.u16(at + 240), yield* integrityRevision(window, sequence.u32(at + 436) * sector));
    }
  }
  // 0x0201 is revision 2.01.
  const version = revision === 0 ? undefined : `${(revision >> 8).toString(16)}.${(revision & 0xff).toString(16).padStart(2, '0')}`;
  return found({ ...start, label: encodeName((label ?? '').trimEnd()), uuid, version });
}

/** The revision that readers and writers must know, from the logical volume integrity descriptor (UDF 2.2.6.4); 0 when unknown. */
function* integrityRevision(window: Window, at: number): Io<number> {
  if (at === 0) return 0;
  const descriptor = yield* window.fetch(at, 512);
  const use = at + 80 + 8 * Math.min(64, descriptor.u32(at + 72));
  if (descriptor.u16(at) !== 9 || descriptor.u32(at + 76) < 46) return 0;
  return Math.max(descriptor.u16(use + 40), descriptor.u16(use + 42));
}

export const OPTICAL: readonly Probe[] = [
  { type: 'udf', usage: 'filesystem', tolerant: true, look: lookUdf, more: moreUdf },
  { type: 'iso9660', usage: 'filesystem', tolerant: true, look: lookIso },
];
