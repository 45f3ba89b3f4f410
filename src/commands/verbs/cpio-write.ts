/** Writing cpio archives in the forms "newc" and "crc" (Linux's Documentation/driver-api/early-userspace/buffer-format.rst). */
import { type Bytes, encodeName } from '../../bytes/index.ts';
import { Posix } from '../../errors.ts';
import type { Stat } from '../../filesystem/filesystem.ts';
import { type FileSource, forEachChunk } from '../../guest/file-data.ts';
import type { Mount } from '../../guest/mounts.ts';
import { type WalkEntry, walk } from '../../guest/walk.ts';
import type { Io } from '../../io/effect.ts';
import type { Push } from '../api/values.ts';
import type { Handle } from './handle.ts';

export type CpioFormat = 'newc' | 'crc';

const MAGIC = { newc: '070701', crc: '070702' } as const;
/** What the fields of eight digits can hold. */
const MAX_FIELD = 0xffffffff;
/** GNU cpio writes blocks of this many bytes. */
const BLOCK = 512;

class CpioWriter {
  readonly #format: CpioFormat;
  readonly #push: Push;
  #position = 0;
  #next = 1;
  /** The numbers under which nodes with several names were written. */
  readonly #linked = new Map<Mount, Map<number, number>>();

  constructor(format: CpioFormat, push: Push) {
    this.#format = format;
    this.#push = push;
  }

  *add({ mount, node, stat, kind }: WalkEntry, name: Bytes): Io<void> {
    const { fileSystem } = mount;
    const known = this.#linked.get(mount)?.get(node);
    const number = known ?? this.#next++;
    if (kind !== 'directory' && stat.links > 1 && known === undefined) {
      const numbers = this.#linked.get(mount) ?? new Map<number, number>();
      this.#linked.set(mount, numbers.set(node, number));
    }
    if (kind === 'symlink') {
      const target = yield* fileSystem.readlink(node);
      yield* this.#header(name, stat, number, target.length, 0);
      yield* this.#write(target);
      yield* this.#pad(4);
      return;
    }
    // The contents of a file with several names stand under the first of them.
    const file: FileSource = { fileSystem, node, size: kind === 'file' && known === undefined ? stat.size : 0 };
    if (file.size > MAX_FIELD) throw new Posix('EFBIG', {}, 'a cpio archive holds files of up to 4 GiB');
    let sum = 0;
    if (this.#format === 'crc') {
      yield* forEachChunk(file, {}, (chunk) => {
        for (let i = 0; i < chunk.length; i++) sum = (sum + chunk[i]!) % 2 ** 32;
        return undefined;
      });
    }
    yield* this.#header(name, stat, number, file.size, sum);
    yield* forEachChunk(file, {}, (chunk) => this.#write(chunk));
    yield* this.#pad(4);
  }

  *end(): Io<void> {
    const nothing = { mode: 0, uid: 0, gid: 0, links: 1, mtime: { seconds: 0 } };
    yield* this.#header(encodeName('TRAILER!!!'), nothing, 0, 0, 0);
    yield* this.#pad(BLOCK);
  }

  *#header(
    name: Bytes,
    stat: Pick<Stat, 'mode' | 'uid' | 'gid' | 'links' | 'device'> & { readonly mtime: { readonly seconds: number } },
    number: number,
    size: number,
    sum: number,
  ): Io<void> {
    const { mode, uid, gid, links, mtime, device = { major: 0, minor: 0 } } = stat;
    const seconds = Math.min(Math.max(0, mtime.seconds), MAX_FIELD);
    const fields = [number, mode, uid, gid, links, seconds, size, 0, 0, device.major, device.minor, name.length + 1, sum];
    const text = fields.map((field) => field.toString(16).toUpperCase().padStart(8, '0')).join('');
    yield* this.#write(encodeName(MAGIC[this.#format] + text));
    const terminated = new Uint8Array(name.length + 1);
    terminated.set(name);
    yield* this.#write(terminated);
    yield* this.#pad(4);
  }

  *#pad(block: number): Io<void> {
    const left = (block - (this.#position % block)) % block;
    if (left > 0) yield* this.#write(new Uint8Array(left));
  }

  *#write(bytes: Bytes): Io<void> {
    this.#position += bytes.length;
    if (bytes.length > 0) yield* this.#push(bytes);
  }
}

/** Writes a directory with all that is in it, names relative to it, as `find . | cpio` does. */
export function* writeCpio(handle: Handle, directory: string, format: CpioFormat, push: Push): Io<void> {
  yield* handle.tree.directory(directory);
  const walker = yield* walk(handle.tree, directory, { followStart: true });
  const writer = new CpioWriter(format, push);
  let base = 0;
  for (let entry = yield* walker.next(); entry !== undefined; entry = yield* walker.next()) {
    if (entry.depth === 0) {
      base = entry.path.length === 1 ? 1 : entry.path.length + 1;
      yield* writer.add(entry, Uint8Array.of(0x2e));
    } else yield* writer.add(entry, entry.path.slice(base));
  }
  yield* writer.end();
}
