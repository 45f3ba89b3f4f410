/**
 * Reading tar archives as a stream: ustar, pax, GNU long names and links, base-256 numbers, sparse files in GNU's old form and in the pax
 * forms 0.0, 0.1 and 1.0, attributes and ACLs as GNU tar, bsdtar and star write them.
 */
import { type Bytes, concatBytes, decodeName, encodeName, isZero, untilNul } from '../bytes/index.ts';
import { Corrupt } from '../errors.ts';
import type { ExtendedAttribute, FileKind, Timestamp } from '../filesystem/filesystem.ts';
import type { Io } from '../io/effect.ts';
import type { Pull } from '../io/pieces.ts';
import { extendedAttributes } from './tar-attributes.ts';
import { hasTarChecksum, parsePaxTime, readTarNumber, TAR_BLOCK, tarPadding, USTAR } from './tar-format.ts';
import { deviceOf, headerName, markedDirectory, OwnerNames } from './tar-header.ts';

/** One member of an archive. */
export interface TarMember {
  /** As it stands in the archive: it may begin at the root and contain `..`. */
  readonly name: Bytes;
  /** `link`: another name of the member `linkname`. */
  readonly kind: Exclude<FileKind, 'socket'> | 'link';
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly userName: string;
  readonly groupName: string;
  readonly mtime: Timestamp;
  readonly linkname: Bytes;
  readonly device: { readonly major: number; readonly minor: number };
  /** Length of the file, holes included. */
  readonly size: number;
  readonly xattrs: readonly ExtendedAttribute[];
}

/** A piece of a file: `bytes` stand at `offset`; what no piece covers is a hole. */
export interface TarPiece {
  readonly offset: number;
  readonly bytes: Bytes;
}

/** The longest extended header, name or sparse map that is taken into memory, in bytes. */
const EXTENDED_LIMIT: number = 16 << 20;
const KINDS: ReadonlyMap<string, TarMember['kind']> = new Map([
  ['\0', 'file'],
  ['0', 'file'],
  ['7', 'file'],
  ['S', 'file'],
  ['1', 'link'],
  ['2', 'symlink'],
  ['3', 'character'],
  ['4', 'block'],
  ['5', 'directory'],
  ['6', 'fifo'],
] as const);

/** Headers that are no members: labels and parts of multi-volume archives (GNU), old long names (GNU), ACLs (Solaris), inodes (star). */
const NO_MEMBERS: ReadonlySet<string> = new Set(['V', 'M', 'N', 'A', 'I']);
/** `typeflag` of a regular file. */
const PLAIN_FILE = 0x30;

type Records = Map<string, Bytes>;
type Run = readonly [offset: number, length: number];

export class TarReader {
  readonly #pull: Pull;
  readonly #header: Bytes = new Uint8Array(TAR_BLOCK);
  #have: Bytes = new Uint8Array(0);
  #at = 0;
  /** Stored bytes of the current member that were not read yet, and the padding behind them. */
  #stored = 0;
  #padding = 0;
  #runs: readonly Run[] = [];
  #run = 0;
  #inRun = 0;
  readonly #global: Records = new Map();
  readonly #userNames: OwnerNames = new OwnerNames();
  readonly #groupNames: OwnerNames = new OwnerNames();
  #position = 0;

  constructor(pull: Pull) {
    this.#pull = pull;
  }

  /** The next member; what is left of the one before is passed over. Undefined at the end. Throws Corrupt for what is no archive. */
  *next(): Io<TarMember | undefined> {
    const rest = this.#stored + this.#padding;
    if (!this.#skipNow(rest)) yield* this.#skip(rest);
    this.#stored = this.#padding = 0;
    const records: Records = new Map(this.#global);
    for (;;) {
      const block = this.#takeNow(TAR_BLOCK) ?? (yield* this.#take(TAR_BLOCK, true));
      if (block === undefined && this.#position === 0) throw this.#corrupt('an empty stream is no tar archive');
      if (block === undefined || (block[0] === 0 && isZero(block))) return undefined;
      // A copy: the next piece of the archive may come in the same memory.
      const header = this.#header;
      header.set(block);
      const size = this.#sizeOf(header);
      const type = String.fromCharCode(header[USTAR.typeflag] as number);
      if (type === 'x' || type === 'X' || type === 'g') {
        const target = type === 'g' ? [this.#global, records] : [records];
        const body = yield* this.#extended(size);
        for (const records of target) this.#parseRecords(body, records);
      } else if (type === 'L') records.set('path', untilNul(yield* this.#extended(size)));
      else if (type === 'K') records.set('linkpath', untilNul(yield* this.#extended(size)));
      else if (NO_MEMBERS.has(type)) yield* this.#skip(size + tarPadding(size));
      else {
        // As POSIX has it, a type that nobody knows is a file.
        const kind = KINDS.get(type) ?? 'file';
        if (type !== 'S' && records.size === 0) return this.#plain(header, kind, size);
        return yield* this.#member(header, kind, type, size, records);
      }
    }
  }

  /** As {@link next}, if it is at hand, and a file of which one header says all. Undefined: nothing was done. */
  nextFileNow(): TarMember | undefined {
    const start = this.#at + this.#stored + this.#padding;
    const have = this.#have;
    if (start + TAR_BLOCK > have.length || have[start + USTAR.typeflag] !== PLAIN_FILE || this.#global.size > 0) return undefined;
    const header = this.#header;
    header.set(have.subarray(start, start + TAR_BLOCK));
    this.#position += start + TAR_BLOCK - this.#at;
    this.#at = start + TAR_BLOCK;
    return this.#plain(header, 'file', this.#sizeOf(header));
  }

  /** As {@link data}, if there is one and it is at hand as a whole. Undefined: nothing was done. */
  dataNow(): TarPiece | undefined {
    const run = this.#runs[this.#run];
    if (run === undefined || this.#inRun > 0 || run[1] === 0 || run[1] > this.#stored) return undefined;
    const bytes = this.#takeNow(run[1]);
    if (bytes === undefined) return undefined;
    this.#inRun = bytes.length;
    this.#stored -= bytes.length;
    return { offset: run[0], bytes };
  }

  /** The next piece of the current member's contents; undefined at their end. It is a view: use it before the next call. */
  *data(): Io<TarPiece | undefined> {
    for (let run = this.#runs[this.#run]; run !== undefined; run = this.#runs[this.#run]) {
      const left = run[1] - this.#inRun;
      if (left === 0) {
        this.#run++;
        this.#inRun = 0;
        continue;
      }
      const wanted = Math.min(left, this.#stored);
      const bytes = this.#takeNow(wanted) ?? (yield* this.#piece(wanted));
      const offset = run[0] + this.#inRun;
      this.#inRun += bytes.length;
      this.#stored -= bytes.length;
      return { offset, bytes };
    }
    return undefined;
  }

  /** What a header says of the bytes behind it. Throws Corrupt for what is no header. */
  #sizeOf(header: Bytes): number {
    if (!hasTarChecksum(header)) {
      throw this.#corrupt(this.#position === TAR_BLOCK ? 'this is no tar archive' : 'the checksum of a header is wrong');
    }
    const size = readTarNumber(header, USTAR.size, 12);
    if (size < 0) throw this.#corrupt('a size below zero');
    return size;
  }

  /** A member of which the header says all. */
  #plain(header: Bytes, kind: TarMember['kind'], headerSize: number): TarMember {
    const size = kind === 'file' || (kind === 'link' && headerSize > 0) ? headerSize : 0;
    this.#stored = size;
    this.#padding = tarPadding(size);
    this.#runs = [[0, size]];
    this.#run = this.#inRun = 0;
    const name = headerName(header);
    return {
      name,
      kind: markedDirectory(kind, name, size) ? 'directory' : kind,
      mode: readTarNumber(header, USTAR.mode, 8) & 0o7777,
      uid: readTarNumber(header, USTAR.uid, 8),
      gid: readTarNumber(header, USTAR.gid, 8),
      userName: this.#userNames.decode(header, USTAR.uname),
      groupName: this.#groupNames.decode(header, USTAR.gname),
      mtime: { seconds: readTarNumber(header, USTAR.mtime, 12), nanoseconds: 0 },
      linkname: header[USTAR.linkname] === 0 ? NOTHING : untilNul(header.subarray(USTAR.linkname, USTAR.linkname + 100)).slice(),
      device: deviceOf(header, kind),
      size,
      xattrs: NO_ATTRIBUTES,
    };
  }

  *#member(header: Bytes, kind: TarMember['kind'], type: string, headerSize: number, records: Records): Io<TarMember> {
    const text = (key: string): string | undefined => {
      const value = records.get(key);
      return value === undefined ? undefined : decodeName(value);
    };
    const number = (key: string, fallback: number): number => {
      const value = text(key);
      if (value === undefined) return fallback;
      if (!/^\d{1,16}$/.test(value) || !Number.isSafeInteger(Number(value))) throw this.#corrupt(`the record ${key} is no number`);
      return Number(value);
    };
    const hasContents = kind === 'file' || (kind === 'link' && headerSize > 0);
    const stored = hasContents ? number('size', headerSize) : 0;
    this.#stored = stored;
    this.#padding = tarPadding(stored);
    let size = stored;
    let runs: Run[] | undefined;
    if (type === 'S') {
      runs = yield* this.#oldSparse(header);
      size = readTarNumber(header, 483, 12);
    } else if (text('GNU.sparse.major') === '1') {
      size = number('GNU.sparse.realsize', stored);
      runs = yield* this.#sparseMap();
    } else if (records.has('GNU.sparse.map')) {
      size = number('GNU.sparse.size', stored);
      runs = pairs((text('GNU.sparse.map') as string).split(',').map(Number));
    }
    this.#runs = this.#checkRuns(runs ?? [[0, stored]], size);
    this.#run = this.#inRun = 0;
    const name = records.get('GNU.sparse.name') ?? records.get('path') ?? headerName(header);
    return {
      name,
      kind: markedDirectory(kind, name, stored) ? 'directory' : kind,
      mode: readTarNumber(header, USTAR.mode, 8) & 0o7777,
      uid: number('uid', readTarNumber(header, USTAR.uid, 8)),
      gid: number('gid', readTarNumber(header, USTAR.gid, 8)),
      userName: text('uname') ?? this.#userNames.decode(header, USTAR.uname),
      groupName: text('gname') ?? this.#groupNames.decode(header, USTAR.gname),
      mtime: parsePaxTime(text('mtime') ?? '') ?? { seconds: readTarNumber(header, USTAR.mtime, 12), nanoseconds: 0 },
      linkname: records.get('linkpath') ?? untilNul(header.subarray(USTAR.linkname, USTAR.linkname + 100)).slice(),
      device: deviceOf(header, kind),
      size,
      xattrs: extendedAttributes(records),
    };
  }

  /** The map of a sparse file in GNU's old form: four pairs in the header, 21 in each block that follows while a flag says so. */
  *#oldSparse(header: Bytes): Io<Run[]> {
    const runs: Run[] = [];
    const collect = (block: Bytes, start: number, count: number): void => {
      for (let i = 0; i < count && block[start + 24 * i] !== 0; i++) {
        runs.push([readTarNumber(block, start + 24 * i, 12), readTarNumber(block, start + 24 * i + 12, 12)]);
      }
    };
    collect(header, 386, 4);
    for (let more = header[482] === 1; more; ) {
      const block = yield* this.#all(TAR_BLOCK);
      collect(block, 0, 21);
      more = block[504] === 1;
      if (runs.length > EXTENDED_LIMIT / 24) throw this.#corrupt('too long a map of a sparse file');
    }
    return runs;
  }

  /** The map of form 1.0, which stands before the data and counts as stored. */
  *#sparseMap(): Io<Run[]> {
    let map: Bytes = new Uint8Array(0);
    for (let before = 0; ; ) {
      map = concatBytes(map, yield* this.#all(Math.min(Math.max(TAR_BLOCK, map.length), this.#stored)));
      this.#stored -= map.length - before;
      before = map.length;
      const lines = decodeName(map).split('\n');
      const count = lines.length > 1 ? Number(lines[0]) : Number.NaN;
      if (lines.length > 1 && !(Number.isSafeInteger(count) && count >= 0)) throw this.#corrupt('the map of a sparse file is no map');
      if (lines.length > 1 + 2 * count) {
        const used = lines.slice(0, 1 + 2 * count).reduce((sum, line) => sum + line.length + 1, 0);
        // What was taken beyond the block in which the map ends is data.
        this.#giveBack(map.subarray(used + tarPadding(used)));
        return pairs(lines.slice(1, 1 + 2 * count).map(Number));
      }
      if (this.#stored === 0 || map.length > EXTENDED_LIMIT) throw this.#corrupt('the map of a sparse file does not end');
    }
  }

  #giveBack(bytes: Bytes): void {
    if (bytes.length === 0) return;
    this.#have = concatBytes(bytes, this.#have.subarray(this.#at));
    this.#at = 0;
    this.#stored += bytes.length;
    this.#position -= bytes.length;
  }

  #checkRuns(runs: readonly Run[], size: number): readonly Run[] {
    let end = 0;
    let total = 0;
    for (const [offset, length] of runs) {
      if (!(Number.isSafeInteger(offset) && Number.isSafeInteger(length) && offset >= end && length >= 0 && offset + length <= size)) {
        throw this.#corrupt('the map of a sparse file is out of order');
      }
      end = offset + length;
      total += length;
    }
    if (total > this.#stored) throw this.#corrupt('a sparse file has less data than its map says');
    return runs;
  }

  #parseRecords(body: Bytes, records: Records): void {
    const map: string[] = [];
    for (let at = 0; at < body.length && body[at] !== 0; ) {
      const space = body.indexOf(0x20, at);
      const digits = space < 0 ? '' : decodeName(body.subarray(at, Math.min(space, at + 10)));
      const length = /^\d+$/.test(digits) ? Number(digits) : 0;
      const end = at + length;
      const equals = body.indexOf(0x3d, at);
      if (length === 0 || end > body.length || equals < 0 || equals >= end) throw this.#corrupt('a record of an extended header is broken');
      const key = decodeName(body.subarray(space + 1, equals));
      const value = body.slice(equals + 1, end - 1);
      // Form 0.0 repeats two keys instead of one list.
      if (key === 'GNU.sparse.offset' || key === 'GNU.sparse.numbytes') map.push(decodeName(value));
      else if (value.length === 0 && !key.startsWith('SCHILY.xattr.')) records.delete(key);
      else records.set(key, value);
      at = end;
    }
    if (map.length > 0) records.set('GNU.sparse.map', encodeName(map.join(',')));
  }

  *#extended(size: number): Io<Bytes> {
    if (size > EXTENDED_LIMIT) throw this.#corrupt(`an extended header of ${size} bytes`);
    const body = (yield* this.#all(size)).slice();
    yield* this.#skip(tarPadding(size));
    return body;
  }

  /** Exactly `length` bytes in one piece. */
  *#all(length: number): Io<Bytes> {
    return (yield* this.#take(length, false)) ?? this.#have;
  }

  *#take(length: number, mayEnd: boolean): Io<Bytes | undefined> {
    while (this.#have.length - this.#at < length) {
      const more = yield* this.#pull();
      if (more === undefined) {
        if (mayEnd && this.#have.length === this.#at) return undefined;
        throw this.#corrupt('the archive ends in the middle');
      }
      this.#have = this.#at === this.#have.length ? more : concatBytes(this.#have.subarray(this.#at), more);
      this.#at = 0;
    }
    const bytes = this.#have.subarray(this.#at, this.#at + length);
    this.#at += length;
    this.#position += length;
    return bytes;
  }

  /** From 1 to `length` bytes, whatever is at hand. */
  *#piece(length: number): Io<Bytes> {
    while (this.#at === this.#have.length) {
      const more = yield* this.#pull();
      if (more === undefined) throw this.#corrupt('the archive ends in the middle');
      this.#have = more;
      this.#at = 0;
    }
    const bytes = this.#have.subarray(this.#at, this.#at + length);
    this.#at += bytes.length;
    this.#position += bytes.length;
    return bytes;
  }

  /** As {@link #take}, if it is at hand. */
  #takeNow(length: number): Bytes | undefined {
    const end = this.#at + length;
    if (end > this.#have.length) return undefined;
    const bytes = this.#have.subarray(this.#at, end);
    this.#at = end;
    this.#position += length;
    return bytes;
  }

  #skipNow(length: number): boolean {
    if (this.#at + length > this.#have.length) return false;
    this.#at += length;
    this.#position += length;
    return true;
  }

  *#skip(length: number): Io<void> {
    for (let left = length; left > 0; ) left -= (yield* this.#piece(left)).length;
  }

  #corrupt(message: string): Corrupt {
    return new Corrupt(message, { layer: 'tar', offset: this.#position });
  }
}

const NOTHING: Bytes = new Uint8Array(0);
const NO_ATTRIBUTES: readonly ExtendedAttribute[] = [];
function pairs(numbers: readonly number[]): Run[] {
  const runs: Run[] = [];
  for (let i = 0; i < numbers.length; i += 2) runs.push([numbers[i] as number, numbers[i + 1] ?? Number.NaN]);
  return runs;
}
