/** What probes look at: both ends of a device, read beforehand, and whatever else they ask for. */
import { type Bytes, viewOf } from '../bytes/struct.ts';
import { encodeName, latin1, untilNul } from '../bytes/text.ts';
import type { BlockDevice } from '../io/device.ts';
import { all } from '../io/drivers.ts';
import type { Io } from '../io/effect.ts';

/** What a probe found; see {@link Signature}. */
export interface Found {
  readonly label?: Bytes;
  readonly uuid?: string;
  readonly version?: string;
  /** Replaces the probe's own type, where one magic number serves several. */
  readonly type?: string;
}

/** The first bytes: the last superblock of interest, btrfs's, ends at 68 KiB. */
const HEAD = 73_728;
/** The last bytes: MD 0.90 may begin up to 128 KiB before the end. */
const TAIL = 131_072;

/** A run of bytes at hand, with little- and big-endian access by absolute offsets on the device; zeros where there is nothing. */
export class Region {
  readonly start: number;
  readonly bytes: Bytes;
  readonly #view: DataView;

  constructor(start: number, bytes: Bytes) {
    this.start = start;
    this.bytes = bytes;
    this.#view = viewOf(bytes);
  }

  has(offset: number, length: number): boolean {
    return offset >= this.start && offset + length <= this.start + this.bytes.length;
  }

  slice(offset: number, length: number): Bytes {
    return this.has(offset, length) ? this.bytes.subarray(offset - this.start, offset - this.start + length) : new Uint8Array(length);
  }

  u8(offset: number): number {
    return this.has(offset, 1) ? this.#view.getUint8(offset - this.start) : 0;
  }

  u16(offset: number, little = true): number {
    return this.has(offset, 2) ? this.#view.getUint16(offset - this.start, little) : 0;
  }

  u32(offset: number, little = true): number {
    return this.has(offset, 4) ? this.#view.getUint32(offset - this.start, little) : 0;
  }

  u64(offset: number, little = true): bigint {
    return this.has(offset, 8) ? this.#view.getBigUint64(offset - this.start, little) : 0n;
  }

  /** Whether these characters (one byte each) stand there. */
  is(offset: number, magic: string): boolean {
    if (!this.has(offset, magic.length)) return false;
    const at = offset - this.start;
    for (let i = 0; i < magic.length; i++) if (this.bytes[at + i] !== magic.charCodeAt(i)) return false;
    return true;
  }

  text(offset: number, length: number): string {
    return latin1(this.slice(offset, length));
  }
}

/** A device under the probes' eyes. */
export class Window {
  readonly device: BlockDevice;
  readonly size: number;
  readonly head: Region;
  readonly tail: Region;

  private constructor(device: BlockDevice, head: Region, tail: Region) {
    this.device = device;
    this.size = device.size;
    this.head = head;
    this.tail = tail;
  }

  /** Reads both ends of a device: one request for a small one, else two, at once under the asynchronous driver. */
  static *open(device: BlockDevice): Io<Window> {
    if (device.size <= HEAD + TAIL) {
      const bytes = (yield* device.read(0, device.size)).slice();
      const region = new Region(0, bytes);
      return new Window(device, region, region);
    }
    const [head, tail] = yield* all([copied(device, 0, HEAD), copied(device, device.size - TAIL, TAIL)]);
    return new Window(device, new Region(0, head as Bytes), new Region(device.size - TAIL, tail as Bytes));
  }

  /** Other bytes, cut at the end of the device; at most 1 MiB. */
  *fetch(offset: number, length: number): Io<Region> {
    if (!Number.isSafeInteger(offset) || offset < 0 || offset >= this.size) return new Region(0, new Uint8Array(0));
    const wanted = Math.min(length, this.size - offset, 1 << 20);
    if (this.head.has(offset, wanted)) return new Region(offset, this.head.slice(offset, wanted));
    return new Region(offset, yield* copied(this.device, offset, wanted));
  }
}

function* copied(device: BlockDevice, offset: number, length: number): Io<Bytes> {
  return (yield* device.read(offset, length)).slice();
}

/** One row of the table: `look` needs only the ends of the device, `more` reads on when `look` found something. */
export interface Probe {
  /** The name that blkid prints as TYPE. */
  readonly type: string;
  readonly usage: 'filesystem' | 'raid' | 'crypto' | 'other';
  /** May stand beside another file system on one device (hybrid discs). */
  readonly tolerant?: boolean;
  look(window: Window): Found | undefined;
  more?(window: Window, found: Found): Io<Found>;
}

/** The label in a field that is padded with NUL or spaces, without the padding. */
export function paddedLabel(bytes: Bytes): Bytes {
  const text = untilNul(bytes);
  let end = text.length;
  while (end > 0 && [0x20, 0x09, 0x0a, 0x0b, 0x0c, 0x0d].includes(text[end - 1] ?? 0)) end--;
  return text.subarray(0, end);
}

/** UTF-8 of a label in UTF-16, up to its first NUL, without trailing spaces. */
export function utf16Label(bytes: Bytes, little: boolean): Bytes {
  const view = viewOf(bytes);
  let text = '';
  for (let at = 0; at + 2 <= bytes.length; at += 2) {
    const unit = view.getUint16(at, little);
    if (unit === 0) break;
    text += String.fromCharCode(unit);
  }
  return encodeName(wellFormed(text).trimEnd());
}

/** Lone surrogates become U+FFFD: labels are shown, not sought by. */
function wellFormed(text: string): string {
  return text.replace(/[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g, '\uFFFD');
}

const HEX = (value: number, digits: number): string => value.toString(16).toUpperCase().padStart(digits, '0');

/** A 32-bit volume serial number as blkid prints it: `1234-ABCD`; undefined for 0. */
export function serialText(serial: number): string | undefined {
  return serial === 0 ? undefined : `${HEX(serial >>> 16, 4)}-${HEX(serial & 0xffff, 4)}`;
}

/** The fields that are there, for building a {@link Found} under exact optional types. */
export function found(fields: {
  label?: Bytes | undefined;
  uuid?: string | undefined;
  version?: string | undefined;
  type?: string;
}): Found {
  const result: { label?: Bytes; uuid?: string; version?: string; type?: string } = {};
  if (fields.label !== undefined && fields.label.length > 0) result.label = fields.label;
  if (fields.uuid !== undefined) result.uuid = fields.uuid;
  if (fields.version !== undefined) result.version = fields.version;
  if (fields.type !== undefined) result.type = fields.type;
  return result;
}
