/**
 * Writing a tree as a tar archive, in the pax format with the extensions that GNU tar, bsdtar and star understand: attributes as
 * `SCHILY.xattr.*`, access control lists as `SCHILY.acl.*`, sparse files as `GNU.sparse` 1.0, times to the nanosecond.
 *
 * Everything goes through one buffer: headers are put into it and contents are read into it, and a full buffer goes to the sink. No
 * byte of a file is copied on its way.
 */
import { type Bytes, concatBytes, decodeName, encodeName, sameBytes } from '../bytes/index.ts';
import { Corrupt } from '../errors.ts';
import type { Stat, Warning } from '../filesystem/filesystem.ts';
import type { Io } from '../io/effect.ts';
import { type FileSource, readFully } from './file-data.ts';
import type { Mount } from './mounts.ts';
import { NodeMap } from './node-map.ts';
import { type Path, SLASH } from './path.ts';
import { aclText } from './posix-acl.ts';
import {
  MAX_OCTAL_7,
  MAX_OCTAL_11,
  NAME_LENGTH,
  paxRecord,
  paxTime,
  splitName,
  TAR_BLOCK,
  TAR_RECORD,
  type TarType,
  tarPadding,
  writeTarHeader,
} from './tar-format.ts';
import type { GuestTree } from './tree.ts';
import { type WalkEntry, type WalkOptions, walk } from './walk.ts';

/** Takes the archive piece by piece. A piece is a view of a buffer that is used again as soon as the computation has ended. */
export type TarSink = (bytes: Bytes) => Io<void> | undefined;

export interface TarOptions extends Omit<WalkOptions, 'order' | 'maxDepth'> {
  /** Extended attributes and ACLs: all (the default), none, or those whose name is taken. */
  readonly xattrs?: boolean | ((name: Bytes) => boolean);
  /** Keep holes (GNU.sparse 1.0, which GNU tar and bsdtar read). Default true; otherwise holes are written as zeros. */
  readonly sparse?: boolean;
  /** Length of the one buffer in bytes, a multiple of 512; default 256 KiB. */
  readonly bufferSize?: number;
  /** Told of what is left out: sockets. */
  readonly onWarning?: (warning: Warning & { readonly path: Bytes }) => void;
}

export interface TarSummary {
  readonly entries: number;
  /** Length of the archive. */
  readonly bytes: number;
}

/** Small enough to stay in a processor's second cache on the way from the file to the pipe. */
const BUFFER = 1 << 18;
/** Runs of one sparse file; with more, its holes are written as zeros. */
const SPARSE_RUNS = 1 << 18;
const DOT = Uint8Array.of(0x2e);
const EMPTY: Bytes = new Uint8Array(0);

const KEY = {
  path: encodeName('path'),
  linkpath: encodeName('linkpath'),
  size: encodeName('size'),
  uid: encodeName('uid'),
  gid: encodeName('gid'),
  mtime: encodeName('mtime'),
  aclAccess: encodeName('SCHILY.acl.access'),
  aclDefault: encodeName('SCHILY.acl.default'),
  sparseMajor: encodeName('GNU.sparse.major'),
  sparseMinor: encodeName('GNU.sparse.minor'),
  sparseName: encodeName('GNU.sparse.name'),
  sparseSize: encodeName('GNU.sparse.realsize'),
} as const;
const XATTR_PREFIX = encodeName('SCHILY.xattr.');
const ACL_ACCESS = encodeName('system.posix_acl_access');
const ACL_DEFAULT = encodeName('system.posix_acl_default');
const ONE = encodeName('1');
const NONE = encodeName('0');

const TYPES = { file: '0', symlink: '2', character: '3', block: '4', directory: '5', fifo: '6' } as const;

/** A stretch of a sparse file that holds data. */
type Run = readonly [offset: number, length: number];

/**
 * Writes a file or a directory with all that is below it. Names are relative to `start`: `./`, `./a`, `./a/b`; a single file has its own
 * name. Sockets are left out, with a warning.
 */
export function* writeTar(tree: GuestTree, start: Path, options: TarOptions, sink: TarSink): Io<TarSummary> {
  const walker = yield* walk(tree, start, options);
  const writer = new TarWriter(options, sink);
  let base = 0;
  for (let entry = yield* walker.next(); entry !== undefined; entry = yield* walker.next()) {
    if (entry.depth === 0 && entry.kind === 'directory') base = entry.path.length === 1 ? 1 : entry.path.length + 1;
    const name = base === 0 ? entry.name : entry.depth === 0 ? DOT : below(entry.path, base);
    yield* writer.add(entry, name);
  }
  return yield* writer.end();
}

/** `./` and the path from `base` on. */
function below(path: Bytes, base: number): Bytes {
  const name = new Uint8Array(path.length - base + 2);
  name[0] = 0x2e;
  name[1] = SLASH;
  for (let from = base, to = 2; from < path.length; from++, to++) name[to] = path[from]!;
  return name;
}

class TarWriter {
  readonly #sink: TarSink;
  readonly #xattrs: boolean | ((name: Bytes) => boolean);
  readonly #sparse: boolean;
  readonly #onWarning: TarOptions['onWarning'];
  readonly #buffer: Bytes;
  #filled = 0;
  #flushed = 0;
  #entries = 0;
  /** The first name of each node that has several. */
  readonly #linked = new NodeMap<Mount, Bytes>();

  constructor(options: TarOptions, sink: TarSink) {
    const size = options.bufferSize ?? BUFFER;
    if (size < TAR_BLOCK || size % TAR_BLOCK !== 0) throw new RangeError(`a buffer of ${size} bytes is no multiple of 512`);
    this.#sink = sink;
    this.#xattrs = options.xattrs ?? true;
    this.#sparse = options.sparse ?? true;
    this.#onWarning = options.onWarning;
    this.#buffer = new Uint8Array(size);
  }

  /** Adds one node under a name without slash at its end. */
  *add(entry: WalkEntry, name: Bytes): Io<void> {
    const { mount, node, stat, kind } = entry;
    const { fileSystem } = mount;
    if (kind === 'socket') {
      this.#onWarning?.({ message: 'archives have no sockets; it is left out', inode: node, path: entry.path });
      return;
    }
    this.#entries++;
    if (kind !== 'directory' && stat.links > 1) {
      const original = this.#linked.get(mount, node);
      if (original !== undefined) return yield* this.#member(stat, name, '1', 0, [], original);
      this.#linked.set(mount, node, name);
    }
    const records = this.#xattrs === false ? [] : yield* attributeRecords(entry, this.#xattrs);
    if (kind === 'symlink') return yield* this.#member(stat, name, '2', 0, records, yield* fileSystem.readlink(node));
    if (kind !== 'file') {
      const full = kind === 'directory' ? concatBytes(name, Uint8Array.of(SLASH)) : name;
      return yield* this.#member(stat, full, TYPES[kind], 0, records);
    }
    const file = { fileSystem, node, size: stat.size };
    const runs = this.#sparse && stat.blocks * 512 < stat.size ? yield* dataRuns(file) : undefined;
    if (runs !== undefined) return yield* this.#sparseFile(stat, name, records, file, runs);
    yield* this.#member(stat, name, '0', stat.size, records);
    yield* this.#data(file, 0, stat.size);
    yield* this.#zeros(tarPadding(stat.size));
  }

  *end(): Io<TarSummary> {
    const length = this.#flushed + this.#filled + 2 * TAR_BLOCK;
    yield* this.#zeros(2 * TAR_BLOCK + ((TAR_RECORD - (length % TAR_RECORD)) % TAR_RECORD));
    yield* this.#flush();
    return { entries: this.#entries, bytes: this.#flushed };
  }

  /** The headers of one member; its `size` bytes of contents have to follow. */
  *#member(stat: Stat, name: Bytes, type: TarType, size: number, records: Bytes[], linkname?: Bytes): Io<void> {
    const { mtime } = stat;
    const split = splitName(name);
    if (split === undefined || needsRecord(name)) records.push(paxRecord(KEY.path, name));
    if (linkname !== undefined && (linkname.length > NAME_LENGTH || needsRecord(linkname))) records.push(paxRecord(KEY.linkpath, linkname));
    if (size > MAX_OCTAL_11) records.push(paxRecord(KEY.size, encodeName(String(size))));
    if (stat.uid > MAX_OCTAL_7) records.push(paxRecord(KEY.uid, encodeName(String(stat.uid))));
    if (stat.gid > MAX_OCTAL_7) records.push(paxRecord(KEY.gid, encodeName(String(stat.gid))));
    if (mtime.nanoseconds !== 0 || mtime.seconds < 0 || mtime.seconds > MAX_OCTAL_11) {
      records.push(paxRecord(KEY.mtime, encodeName(paxTime(mtime))));
    }
    if (records.length > 0) yield* this.#extended(records);
    writeTarHeader(this.#buffer, yield* this.#room(TAR_BLOCK), {
      name: split === undefined ? name.subarray(name.length - NAME_LENGTH) : split.name,
      prefix: split?.prefix,
      mode: stat.mode,
      uid: stat.uid,
      gid: stat.gid,
      size,
      mtime: mtime.seconds,
      type,
      linkname,
      device: stat.device,
    });
    this.#filled += TAR_BLOCK;
  }

  *#extended(records: readonly Bytes[]): Io<void> {
    const body = records.length === 1 ? (records[0] as Bytes) : concatBytes(...records);
    writeTarHeader(this.#buffer, yield* this.#room(TAR_BLOCK), {
      name: PAX_NAME,
      mode: 0o644,
      uid: 0,
      gid: 0,
      size: body.length,
      mtime: 0,
      type: 'x',
    });
    this.#filled += TAR_BLOCK;
    yield* this.#bytes(body);
    yield* this.#zeros(tarPadding(body.length));
  }

  *#sparseFile(stat: Stat, name: Bytes, records: Bytes[], file: FileSource, runs: readonly Run[]): Io<void> {
    const map = sparseMap(runs, file.size);
    const stored = runs.reduce((sum, [, length]) => sum + length, 0);
    records.push(
      paxRecord(KEY.sparseMajor, ONE),
      paxRecord(KEY.sparseMinor, NONE),
      paxRecord(KEY.sparseName, name),
      paxRecord(KEY.sparseSize, encodeName(String(file.size))),
    );
    yield* this.#member(stat, sparseMemberName(name), '0', map.length + stored, records);
    yield* this.#bytes(map);
    for (const [offset, length] of runs) yield* this.#data(file, offset, length);
    yield* this.#zeros(tarPadding(map.length + stored));
  }

  /** Contents of a file, read straight into the buffer. */
  *#data(file: FileSource, offset: number, length: number): Io<void> {
    for (let done = 0; done < length; ) {
      if (this.#filled === this.#buffer.length) yield* this.#flush();
      const count = Math.min(length - done, this.#buffer.length - this.#filled);
      yield* readFully(file, offset + done, this.#buffer.subarray(this.#filled, this.#filled + count));
      this.#filled += count;
      done += count;
    }
  }

  *#bytes(bytes: Bytes): Io<void> {
    for (let done = 0; done < bytes.length; ) {
      if (this.#filled === this.#buffer.length) yield* this.#flush();
      const count = Math.min(bytes.length - done, this.#buffer.length - this.#filled);
      this.#buffer.set(bytes.subarray(done, done + count), this.#filled);
      this.#filled += count;
      done += count;
    }
  }

  *#zeros(length: number): Io<void> {
    for (let left = length; left > 0; ) {
      if (this.#filled === this.#buffer.length) yield* this.#flush();
      const count = Math.min(left, this.#buffer.length - this.#filled);
      this.#buffer.fill(0, this.#filled, this.#filled + count);
      this.#filled += count;
      left -= count;
    }
  }

  /** Where the next `length` bytes go, which have to fit in one piece. */
  *#room(length: number): Io<number> {
    if (this.#filled + length > this.#buffer.length) yield* this.#flush();
    return this.#filled;
  }

  *#flush(): Io<void> {
    if (this.#filled === 0) return;
    const more = this.#sink(this.#filled === this.#buffer.length ? this.#buffer : this.#buffer.subarray(0, this.#filled));
    if (more !== undefined) yield* more;
    this.#flushed += this.#filled;
    this.#filled = 0;
  }
}

/** The name of the member that holds extended records; readers ignore it. */
const PAX_NAME = encodeName('././@PaxHeader');

/**
 * Whether a name goes into an extended record although it would fit into the header: when it is not ASCII, for there it is said to be
 * UTF-8. What is no UTF-8 stays in the header as it is, where it fits; readers take records as bytes too.
 */
function needsRecord(name: Bytes): boolean {
  for (let i = 0; i < name.length; i++) if (name[i]! >= 0x80) return !/[\uDC80-\uDCFF]/.test(decodeName(name));
  return false;
}

function* attributeRecords(entry: WalkEntry, taken: true | ((name: Bytes) => boolean)): Io<Bytes[]> {
  const records: Bytes[] = [];
  for (const { name, value } of yield* entry.mount.fileSystem.xattrs(entry.node)) {
    if (taken !== true && !taken(name)) continue;
    const acl = sameBytes(name, ACL_ACCESS) ? KEY.aclAccess : sameBytes(name, ACL_DEFAULT) ? KEY.aclDefault : undefined;
    const text = acl === undefined ? undefined : aclText(value);
    if (acl !== undefined && text !== undefined) records.push(paxRecord(acl, encodeName(text)));
    else records.push(paxRecord(concatBytes(XATTR_PREFIX, keyOfName(name)), value));
  }
  return records;
}

/** A key cannot contain `=`: GNU tar writes %3D, and %25 for the per cent sign. */
function keyOfName(name: Bytes): Bytes {
  if (!name.includes(0x3d) && !name.includes(0x25)) return name;
  return encodeName(decodeName(name).replaceAll('%', '%25').replaceAll('=', '%3D'));
}

/** The runs of a file that hold data; undefined when it has no holes, or too many runs to list. */
function* dataRuns(file: FileSource): Io<Run[] | undefined> {
  const runs: [number, number][] = [];
  let holes = false;
  for (let offset = 0; offset < file.size; ) {
    const run = yield* file.fileSystem.mapFile(file.node, offset, file.size - offset);
    if (run.length <= 0) throw new Corrupt('an empty run of a file', { layer: file.fileSystem.type, inode: file.node });
    const last = runs.at(-1);
    if (run.hole) holes = true;
    else if (last !== undefined && last[0] + last[1] === offset) last[1] += run.length;
    else runs.push([offset, run.length]);
    if (runs.length > SPARSE_RUNS) return undefined;
    offset += run.length;
  }
  // Readers pad each run to a block: only the last one may end elsewhere.
  const aligned = runs.every(([offset, length], i) => offset % TAR_BLOCK === 0 && (length % TAR_BLOCK === 0 || i === runs.length - 1));
  return holes && aligned ? runs : undefined;
}

/** GNU.sparse 1.0: the number of runs, then offset and length of each, a line each, padded to a block. A hole at the end is an empty run. */
function sparseMap(runs: readonly Run[], size: number): Bytes {
  const last = runs.at(-1);
  const all = last === undefined || last[0] + last[1] < size ? [...runs, [size, 0] as const] : runs;
  const text = encodeName(`${[all.length, ...all.flat()].join('\n')}\n`);
  return concatBytes(text, new Uint8Array(tarPadding(text.length)));
}

/** The name for readers that do not know sparse files: beside the real one, in a folder GNUSparseFile.0. */
function sparseMemberName(name: Bytes): Bytes {
  const slash = name.lastIndexOf(SLASH);
  const folder = slash < 0 ? EMPTY : name.subarray(0, slash + 1);
  return concatBytes(folder, SPARSE_FOLDER, name.subarray(slash + 1));
}

const SPARSE_FOLDER = encodeName('GNUSparseFile.0/');
