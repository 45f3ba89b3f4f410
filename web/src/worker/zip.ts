/**
 * A directory as a zip archive (APPNOTE 6.3.10), stored without compression, written as it is read. Symbolic links are entries of Unix, as
 * Info-ZIP has them; devices, sockets and pipes are left out.
 */
import { crc32Update } from '../../../src/bytes/crc32.ts';
import { type Bytes, concatBytes, decodeName } from '../../../src/bytes/index.ts';
import type { Timestamp } from '../../../src/filesystem/filesystem.ts';
import { fileSource, forEachChunk } from '../../../src/guest/file-data.ts';
import type { GuestTree } from '../../../src/guest/tree.ts';
import { walk } from '../../../src/guest/walk.ts';
import type { Io } from '../../../src/io/effect.ts';

type Sink = (bytes: Bytes) => Io<void>;

interface Member {
  readonly name: Bytes;
  readonly utf8: boolean;
  readonly mode: number;
  readonly time: number;
  readonly crc: number;
  readonly size: number;
  readonly offset: number;
}

/** Version 4.5 of the format, made on Unix. */
const VERSION = 45;
const MADE_BY: number = (3 << 8) | VERSION;
/** Flags: the lengths follow the contents; names are UTF-8. */
const FOLLOWS = 0x0008;
const UTF8 = 0x0800;
const MAX32 = 0xffffffff;

/** Writes `start` and all below it; `warn` is told of what is left out. */
export function* writeZip(tree: GuestTree, start: string, sink: Sink, warn: (message: string) => void): Io<void> {
  const members: Member[] = [];
  let offset = 0;
  function* put(bytes: Bytes): Io<void> {
    yield* sink(bytes);
    offset += bytes.length;
  }
  const walker = yield* walk(tree, start, { onError: (error) => warn(error.message) });
  let base = 0;
  for (let entry = yield* walker.next(); entry !== undefined; entry = yield* walker.next()) {
    const { kind, stat, mount, node, path, depth } = entry;
    if (depth === 0) {
      base = path.length === 1 ? 1 : path.length + 1;
      continue;
    }
    const bare = path.subarray(base);
    const name = kind === 'directory' ? concatBytes(bare, Uint8Array.of(0x2f)) : bare;
    if (kind !== 'file' && kind !== 'directory' && kind !== 'symlink') {
      warn(`${decodeName(path)}: a ${kind} has no place in a zip archive; it is left out`);
      continue;
    }
    const utf8 = !/[\uDC80-\uDCFF]/.test(decodeName(name));
    const member = { name, utf8, mode: stat.mode, time: dosTime(stat.mtime), offset };
    yield* put(localHeader(member));
    let crc = MAX32;
    let size = 0;
    const add = function* (chunk: Bytes): Io<void> {
      crc = crc32Update(crc, chunk);
      size += chunk.length;
      yield* put(chunk);
    };
    if (kind === 'symlink') yield* add(yield* mount.fileSystem.readlink(node));
    else if (kind === 'file') yield* forEachChunk(fileSource(mount.fileSystem, stat), {}, add);
    const done = { ...member, crc: ~crc >>> 0, size };
    yield* put(descriptor(done));
    members.push(done);
  }
  const begin = offset;
  for (const member of members) yield* put(centralHeader(member));
  yield* put(end(members.length, begin, offset - begin));
}

/** The time of MS-DOS, in UTC: two seconds exact, from 1980 to 2107. */
function dosTime({ seconds }: Timestamp): number {
  const date = new Date(Math.min(Math.max(seconds, 315_532_800), 4_354_819_199) * 1000);
  const day = ((date.getUTCFullYear() - 1980) * 16 + date.getUTCMonth() + 1) * 32 + date.getUTCDate();
  const time = (date.getUTCHours() * 64 + date.getUTCMinutes()) * 32 + (date.getUTCSeconds() >> 1);
  return day * 65_536 + time;
}

class Fields {
  readonly #view = new DataView(new ArrayBuffer(128));
  #at = 0;

  u16(...values: number[]): this {
    for (const value of values) {
      this.#view.setUint16(this.#at, value, true);
      this.#at += 2;
    }
    return this;
  }

  u32(...values: number[]): this {
    for (const value of values) {
      this.#view.setUint32(this.#at, value, true);
      this.#at += 4;
    }
    return this;
  }

  u64(...values: number[]): this {
    for (const value of values) this.u32(value % 2 ** 32, Math.floor(value / 2 ** 32));
    return this;
  }

  get bytes(): Bytes {
    return new Uint8Array(this.#view.buffer, 0, this.#at);
  }
}

/** With an extra field of zip64, which makes the lengths that follow the contents 64 bits wide. */
function localHeader({ name, utf8, time }: Pick<Member, 'name' | 'utf8' | 'time'>): Bytes {
  const fields = new Fields()
    .u32(0x04034b50)
    .u16(VERSION, FOLLOWS | (utf8 ? UTF8 : 0), 0)
    .u32(time, 0, MAX32, MAX32);
  const extra = new Fields().u16(1, 16).u64(0, 0);
  return concatBytes(fields.u16(name.length, extra.bytes.length).bytes, name, extra.bytes);
}

function descriptor({ crc, size }: Pick<Member, 'crc' | 'size'>): Bytes {
  return new Fields().u32(0x08074b50, crc).u64(size, size).bytes;
}

function centralHeader({ name, utf8, mode, time, crc, size, offset }: Member): Bytes {
  const extra = new Fields().u16(1, 24).u64(size, size, offset).bytes;
  const fields = new Fields()
    .u32(0x02014b50)
    .u16(MADE_BY, VERSION, FOLLOWS | (utf8 ? UTF8 : 0), 0)
    .u32(time, crc, MAX32, MAX32)
    .u16(name.length, extra.length, 0, 0, 0)
    .u32(mode * 65_536, MAX32);
  return concatBytes(fields.bytes, name, extra);
}

function end(count: number, offset: number, size: number): Bytes {
  const large = new Fields().u32(0x06064b50).u64(44).u16(MADE_BY, VERSION).u32(0, 0).u64(count, count, size, offset);
  const locator = new Fields()
    .u32(0x07064b50, 0)
    .u64(offset + size)
    .u32(1);
  const small = new Fields().u32(0x06054b50).u16(0, 0, 0xffff, 0xffff).u32(MAX32, MAX32).u16(0);
  return concatBytes(large.bytes, locator.bytes, small.bytes);
}
