/**
 * The System Use fields of SUSP and Rock Ridge (RRIP 1.12), understood as Linux understands them (fs/isofs/rock.c). No I/O: an area goes
 * in, what it says is noted, and where it goes on comes out.
 */
import { type Bytes, viewOf } from '../bytes/struct.ts';
import { Corrupt } from '../errors.ts';
import type { Timestamp } from '../filesystem/filesystem.ts';
import { longDate, shortDate } from './dates.ts';
import {
  MAX_NAME,
  MAX_TARGET,
  NM_CURRENT,
  NM_PARENT,
  SL_CONTINUE,
  SL_CURRENT,
  SL_PARENT,
  SL_ROOT,
  TF_ACCESS,
  TF_ATTRIBUTES,
  TF_CREATION,
  TF_LONG_FORM,
  TF_MODIFY,
} from './format.ts';

/** Where a continuation area stands (SUSP 5.1). */
export interface Continuation {
  readonly block: number;
  readonly offset: number;
  readonly length: number;
}

/** A file compressed by zisofs (the ZF entry). */
export interface Compressed {
  readonly algorithm: string;
  /** Bytes. */
  readonly headerSize: number;
  /** As a power of two. */
  readonly blockBits: number;
  readonly size: number;
}

/** All that the System Use fields of one directory record say. */
export interface RockRidge {
  /** SP: bytes to leave out at the beginning of the areas of all other records. */
  skip?: number;
  /** ER was there: this is no guess. */
  announced?: boolean;
  /** RE: the place of a relocated directory, which is not to be shown here. */
  relocated?: boolean;
  /** CL: the logical block of the directory that this record stands for. */
  childLink?: number;
  name?: Bytes;
  mode?: number;
  links?: number;
  uid?: number;
  gid?: number;
  device?: { readonly major: number; readonly minor: number };
  ctime?: Timestamp;
  mtime?: Timestamp;
  atime?: Timestamp;
  btime?: Timestamp;
  target?: Bytes;
  compressed?: Compressed;
}

/** Reads one area into `found`; the rest of a name or target goes on where the area before ended. */
export function readSystemUse(area: Bytes, found: RockRidge): Continuation | undefined {
  const view = viewOf(area);
  let more: Continuation | undefined;
  // A byte or two may be left over as padding.
  for (let at = 0; at + 3 < area.length; ) {
    const length = area[at + 2] ?? 0;
    if (length < 4 || at + length > area.length) break;
    const entry = area.subarray(at, at + length);
    const signature = String.fromCharCode(area[at] ?? 0, area[at + 1] ?? 0);
    if (signature === 'CE' && length >= 28) {
      more = { block: view.getUint32(at + 4, true), offset: view.getUint32(at + 12, true), length: view.getUint32(at + 20, true) };
    } else if (signature === 'ST') break;
    else READERS[signature]?.(entry, viewOf(entry), found);
    at += length;
  }
  return more;
}

type Reader = (entry: Bytes, view: DataView, found: RockRidge) => void;

const READERS: Readonly<Record<string, Reader>> = {
  SP(entry, _view, found) {
    if (entry.length >= 7 && entry[4] === 0xbe && entry[5] === 0xef) found.skip = entry[6] ?? 0;
  },
  ER(_entry, _view, found) {
    found.announced = true;
  },
  RE(_entry, _view, found) {
    found.relocated = true;
  },
  CL(entry, view, found) {
    if (entry.length >= 8) found.childLink = view.getUint32(4, true);
  },
  NM(entry, _view, found) {
    const flags = entry[4] ?? 0;
    // "." and "..", and the name of the network's node: the plain name serves.
    if (entry.length < 5 || (flags & (NM_CURRENT | NM_PARENT)) !== 0 || (flags & ~1) !== 0) return;
    found.name = append(found.name, entry.subarray(5), MAX_NAME, 'name');
  },
  PX(entry, view, found) {
    if (entry.length < 36) return;
    found.mode = view.getUint32(4, true);
    found.links = view.getUint32(12, true);
    found.uid = view.getUint32(20, true);
    found.gid = view.getUint32(28, true);
  },
  PN(entry, view, found) {
    if (entry.length < 20) return;
    const high = view.getUint32(4, true);
    const low = view.getUint32(12, true);
    // Some writers put the whole number into the low half. Linux keeps 12 bits of the major number and 20 of the minor.
    const device = high === 0 && low > 0xff ? { major: Math.floor(low / 256), minor: low & 0xff } : { major: high, minor: low };
    found.device = { major: device.major % 2 ** 12, minor: device.minor % 2 ** 20 };
  },
  TF(entry, _view, found) {
    const flags = entry[4] ?? 0;
    const long = (flags & TF_LONG_FORM) !== 0;
    const size = long ? 17 : 7;
    let at = 5;
    const next = (flag: number): Timestamp | undefined => {
      if ((flags & flag) === 0) return undefined;
      const place = at;
      at += size;
      if (place + size > entry.length) return undefined;
      return long ? longDate(entry, place) : shortDate(entry, place);
    };
    const created = next(TF_CREATION);
    const modified = next(TF_MODIFY);
    const accessed = next(TF_ACCESS);
    const changed = next(TF_ATTRIBUTES);
    if (created !== undefined) found.btime = created;
    if (modified !== undefined) found.mtime = modified;
    if (accessed !== undefined) found.atime = accessed;
    // Some writers have put the time of change where the time of creation belongs.
    const ctime = changed ?? created;
    if (ctime !== undefined) found.ctime = ctime;
  },
  SL(entry, _view, found) {
    found.target = append(found.target, symlinkText(entry), MAX_TARGET, 'target of a symbolic link');
  },
  ZF(entry, view, found) {
    if (entry.length < 16) return;
    const algorithm = String.fromCharCode(entry[4] ?? 0, entry[5] ?? 0);
    found.compressed = { algorithm, headerSize: 4 * (entry[6] ?? 0), blockBits: entry[7] ?? 0, size: view.getUint32(8, true) };
  },
};

function append(before: Bytes | undefined, more: Bytes, limit: number, what: string): Bytes {
  const length = before?.length ?? 0;
  if (length + more.length > limit) throw new Corrupt(`a ${what} of more than ${limit} bytes`, { layer: 'iso9660' });
  const joined = new Uint8Array(length + more.length);
  if (before !== undefined) joined.set(before);
  joined.set(more, length);
  return joined;
}

/** The part of a target that one SL entry holds, with the slash after it where another one follows (RRIP 4.1.3). */
function symlinkText(entry: Bytes): Bytes {
  const text: number[] = [];
  const goesOn = ((entry[4] ?? 0) & SL_CONTINUE) !== 0;
  for (let at = 5; at + 2 <= entry.length; ) {
    const flags = entry[at] ?? 0;
    const length = entry[at + 1] ?? 0;
    const kind = flags & ~SL_CONTINUE;
    if (kind === 0) text.push(...entry.subarray(at + 2, at + 2 + length));
    else if (kind === SL_CURRENT) text.push(0x2e);
    else if (kind === SL_PARENT) text.push(0x2e, 0x2e);
    else if (kind === SL_ROOT) text.push(0x2f);
    at += 2 + length;
    const last = at + 2 > entry.length;
    if (kind !== SL_ROOT && (flags & SL_CONTINUE) === 0 && (!last || goesOn)) text.push(0x2f);
  }
  return Uint8Array.from(text);
}
