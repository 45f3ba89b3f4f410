/** New files of the host that appear whole under a name that was free, or not at all. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { decodeName } from '../../bytes/text.ts';
import { Posix } from '../../errors.ts';
import { type Io, perform } from '../../io/effect.ts';
import { Flush, type WritableSource } from '../../io/source.ts';
import { FileSource, hostPath, posixError } from './file.ts';
import { FlushingFile } from './flushing-file.ts';

/** Told the name of an unfinished file; what it returns is called when there is none of that name any more. */
export type Track = (unfinished: string) => () => void;

function attempt<T>(name: string, step: () => T): T {
  try {
    return step();
  } catch (error) {
    throw posixError(error, name);
  }
}

/** Throws Posix EEXIST when anything has this name, be it a dangling link; ENOENT when its folder is missing, and so on. */
export function checkFree(name: string): void {
  if (attempt(name, () => fs.lstatSync(hostPath(name), { throwIfNoEntry: false })) !== undefined) {
    throw new Posix('EEXIST', { image: name }, 'there is a file of this name already; it is left as it is');
  }
  const folder = path.dirname(name);
  if (!attempt(folder, () => fs.statSync(hostPath(folder))).isDirectory()) throw new Posix('ENOTDIR', { image: folder });
  attempt(folder, () => fs.accessSync(hostPath(folder), fs.constants.W_OK));
}

export interface ExclusiveOptions {
  /**
   * Whether `finish` waits until the disk has it all, so that the name stands for a complete file after a power cut too. Default true. Without
   * it is as durable as what cp and qemu-img convert make: complete whatever becomes of the process, and on the disk when the system likes.
   */
  readonly durable?: boolean;
}

/** A new file of the host, made beside its place under a hidden name; it gets its own, which nothing may have, when it is complete. */
export class ExclusiveFile {
  readonly target: WritableSource;
  readonly #name: string;
  readonly #temporary: string;
  readonly #forget: (() => void) | undefined;
  readonly #durable: boolean;
  #there = true;

  private constructor(name: string, temporary: string, target: WritableSource, forget: (() => void) | undefined, durable: boolean) {
    this.#durable = durable;
    this.#name = name;
    this.#temporary = temporary;
    this.target = target;
    this.#forget = forget;
  }

  /** Makes the file, empty. Throws Posix EEXIST when the name is taken, and ENOSPC and so on. */
  static begin(name: string, track?: Track, { durable = true }: ExclusiveOptions = {}): ExclusiveFile {
    checkFree(name);
    const temporary = path.join(
      path.dirname(name),
      `.${path.basename(name).slice(0, 60)}.${process.getBuiltinModule('node:crypto').randomBytes(6).toString('hex')}`,
    );
    // Told before it is made: a signal right behind would leave it.
    const forget = track?.(temporary);
    try {
      const descriptor = attempt(name, () => fs.openSync(hostPath(temporary), 'wx+', 0o666));
      const file = FileSource.adopt(name, descriptor, true);
      return new ExclusiveFile(name, temporary, durable ? new FlushingFile(file) : file, forget, durable);
    } catch (error) {
      forget?.();
      throw error;
    }
  }

  /** Makes it durable, unless that is not wanted, and gives it its name. Throws Posix EEXIST when that is taken meanwhile. */
  *finish(): Io<void> {
    if (this.#durable) yield* perform(new Flush(this.target));
    yield* perform({ sync: () => this.#giveName(), async: async () => this.#giveName() });
    this.abandon();
  }

  /** Removes it unless it is complete; to be called in the end in any case. */
  abandon(): void {
    if (!this.#there) return;
    this.#there = false;
    this.target.close?.();
    fs.rmSync(hostPath(this.#temporary), { force: true });
    this.#forget?.();
  }

  #giveName(): void {
    attempt(this.#name, () => giveName(this.#temporary, this.#name));
  }
}

/**
 * Lets `write` fill an empty file, makes it durable and gives it its name, which nothing may have. After an error nothing is left. Throws
 * what `write` throws, and Posix EEXIST, ENOSPC and so on.
 */
export function* createExclusively(name: string, write: (target: WritableSource) => Io<void>, track?: Track): Io<void> {
  const begin = (): ExclusiveFile => ExclusiveFile.begin(name, track);
  const file = yield* perform<ExclusiveFile>({ sync: begin, async: async () => begin() });
  try {
    yield* write(file.target);
    yield* file.finish();
  } finally {
    file.abandon();
  }
}

/** link(2) never replaces anything; where a file system has no links, rename(2) after a look. */
function giveName(temporary: string, name: string): void {
  try {
    fs.linkSync(hostPath(temporary), hostPath(name));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EPERM' && code !== 'EOPNOTSUPP' && code !== 'ENOTSUP' && code !== 'ENOSYS' && code !== 'EMLINK') throw error;
    checkFree(name);
    fs.renameSync(hostPath(temporary), hostPath(name));
  }
}

/**
 * How a file at `from` refers to the file `to`: relative to its folder, so that both can be moved together; absolute for devices, and where
 * there is no such way. Symbolic links on the way are resolved, one at the end of `to` is kept. Throws Posix.
 */
export function relativeReference(from: string, to: string): string {
  const real = (name: string): string =>
    attempt(name, () => decodeName(fs.realpathSync.native(hostPath(path.dirname(path.resolve(name))), 'buffer')));
  const place = path.join(real(to), path.basename(to));
  if (place.startsWith('/dev/')) return place;
  const relative = path.relative(real(from), place);
  if (path.isAbsolute(relative)) return relative;
  // Up to its first slash a name with a colon would be taken for a protocol.
  return relative.split(path.sep)[0]?.includes(':') === true ? `./${relative}` : relative;
}
