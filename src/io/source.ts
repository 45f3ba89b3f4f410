/** Byte sources: files, blobs and remote objects as the platform gives them, and the device over one. */
import type { Bytes } from '../bytes/struct.ts';
import { Corrupt, Posix } from '../errors.ts';
import { type BlockDevice, checkRange, type Extent, readNew } from './device.ts';
import { type AbortSignalLike, type Effect, type Io, NeedsAsync, perform } from './effect.ts';

/**
 * Bytes of the outside world, positional. A source has `readSync`, or `readAsync`, or both; a driver that lacks the one it needs
 * gets Refused. Both return how many bytes they put into `target`: fewer than its length only at the end of the source.
 */
export interface ByteSource {
  /** For messages: the file's name or the URL. */
  readonly name: string;
  /** Length in bytes when the source was opened. */
  readonly size: number;
  /** See {@link BlockDevice.preferredRequest}. */
  readonly preferredRequest: number;
  /** Equal for two sources exactly when they are the same file (device and inode, or URL); finds loops in backing chains. */
  readonly identity?: string;
  /** Bytes that the file occupies on the host, where known (`st_blocks` times 512). */
  readonly allocated?: number;
  readSync?(offset: number, target: Bytes): number;
  readAsync?(offset: number, target: Bytes, signal?: AbortSignalLike): Promise<number>;
  close?(): void;
}

/** A source that can also be written, positional; writing beyond the end extends it. */
export interface WritableSource extends ByteSource {
  writeSync?(offset: number, bytes: Bytes): void;
  writeAsync?(offset: number, bytes: Bytes): Promise<void>;
  /** As `writeSync`, pieces one behind the other. */
  writePiecesSync?(offset: number, pieces: readonly Bytes[]): void;
  truncateSync?(size: number): void;
  truncateAsync?(size: number): Promise<void>;
  /** Makes what was written durable (fdatasync). */
  flushSync?(): void;
  flushAsync?(): Promise<void>;
}

/** The effect of reading; its fields are readable so that a test driver can log it, fail it or cut it short. */
export class Read implements Effect<number> {
  readonly source: ByteSource;
  readonly offset: number;
  readonly target: Bytes;

  constructor(source: ByteSource, offset: number, target: Bytes) {
    this.source = source;
    this.offset = offset;
    this.target = target;
  }

  get waits(): boolean {
    return this.source.readSync === undefined;
  }

  sync(): number {
    if (this.source.readSync === undefined) throw needsAsync(this.source);
    return this.source.readSync(this.offset, this.target);
  }

  async async(signal?: AbortSignalLike): Promise<number> {
    if (this.source.readAsync !== undefined) return await this.source.readAsync(this.offset, this.target, signal);
    return this.sync();
  }
}

/** The effect of writing. */
export class Write implements Effect<void> {
  readonly source: WritableSource;
  readonly offset: number;
  readonly bytes: Bytes;

  constructor(source: WritableSource, offset: number, bytes: Bytes) {
    this.source = source;
    this.offset = offset;
    this.bytes = bytes;
  }

  get waits(): boolean {
    return this.source.writeSync === undefined;
  }

  sync(): void {
    if (this.source.writeSync === undefined) throw needsAsync(this.source);
    this.source.writeSync(this.offset, this.bytes);
  }

  async async(): Promise<void> {
    if (this.source.writeAsync !== undefined) await this.source.writeAsync(this.offset, this.bytes);
    else this.sync();
  }
}

/** The effect of writing pieces one behind the other, at once, where a source can do that. */
export class WritePieces implements Effect<void> {
  readonly source: WritableSource;
  readonly offset: number;
  readonly pieces: readonly Bytes[];

  constructor(source: WritableSource, offset: number, pieces: readonly Bytes[]) {
    this.source = source;
    this.offset = offset;
    this.pieces = pieces;
  }

  sync(): void {
    if (this.source.writePiecesSync === undefined) throw needsAsync(this.source);
    this.source.writePiecesSync(this.offset, this.pieces);
  }

  async async(): Promise<void> {
    this.sync();
  }
}

/** The effect of setting a source's length. */
export class Truncate implements Effect<void> {
  readonly source: WritableSource;
  readonly size: number;

  constructor(source: WritableSource, size: number) {
    this.source = source;
    this.size = size;
  }

  get waits(): boolean {
    return this.source.truncateSync === undefined;
  }

  sync(): void {
    if (this.source.truncateSync === undefined) throw needsAsync(this.source);
    this.source.truncateSync(this.size);
  }

  async async(): Promise<void> {
    if (this.source.truncateAsync !== undefined) await this.source.truncateAsync(this.size);
    else this.sync();
  }
}

/** The effect of making writes durable. */
export class Flush implements Effect<void> {
  readonly source: WritableSource;

  constructor(source: WritableSource) {
    this.source = source;
  }

  get waits(): boolean {
    return this.source.flushSync === undefined && this.source.flushAsync !== undefined;
  }

  sync(): void {
    this.source.flushSync?.();
  }

  async async(): Promise<void> {
    if (this.source.flushAsync !== undefined) await this.source.flushAsync();
    else this.sync();
  }
}

function needsAsync(source: ByteSource): NeedsAsync {
  return new NeedsAsync(`${source.name} can only be used asynchronously; use the async form of this call`);
}

/** Fills `target` from the source; a source that ends before is an I/O error (it was longer when it was opened). */
export function* readExactly(source: ByteSource, offset: number, target: Bytes): Io<void> {
  let done = 0;
  while (done < target.length) {
    const got = yield* perform(new Read(source, offset + done, done === 0 ? target : target.subarray(done)));
    if (got <= 0) throw new Posix('EIO', { image: source.name, offset: offset + done }, 'the file ends before the byte that is wanted');
    done += got;
  }
}

/** Fills `target` from the source, with zeros beyond its end: how qcow2 files are read. */
export function* readPadded(source: ByteSource, offset: number, target: Bytes): Io<void> {
  const inside = Math.max(0, Math.min(target.length, source.size - offset));
  if (inside > 0) yield* readExactly(source, offset, inside === target.length ? target : target.subarray(0, inside));
  if (inside < target.length) target.fill(0, inside);
}

/** Bytes in memory as a source. */
export class MemorySource implements WritableSource {
  readonly name: string;
  readonly preferredRequest = 4096;
  #bytes: Bytes;

  constructor(bytes: Bytes, name = 'memory') {
    this.#bytes = bytes;
    this.name = name;
  }

  get size(): number {
    return this.#bytes.length;
  }

  /** The contents now; a view, not a copy. */
  get bytes(): Bytes {
    return this.#bytes;
  }

  readSync(offset: number, target: Bytes): number {
    const part = this.#bytes.subarray(offset, offset + target.length);
    target.set(part);
    return part.length;
  }

  writeSync(offset: number, bytes: Bytes): void {
    if (offset + bytes.length > this.#bytes.length) this.truncateSync(offset + bytes.length);
    this.#bytes.set(bytes, offset);
  }

  truncateSync(size: number): void {
    const resized = new Uint8Array(size);
    resized.set(this.#bytes.subarray(0, size));
    this.#bytes = resized;
  }
}

/** A source as a read-only device: the raw format without its rounding. All of it is data, stored where it stands. */
export class SourceDevice implements BlockDevice {
  readonly source: ByteSource;
  readonly size: number;
  readonly preferredRequest: number;

  constructor(source: ByteSource) {
    this.source = source;
    this.size = source.size;
    this.preferredRequest = source.preferredRequest;
  }

  read(offset: number, length: number): Io<Bytes> {
    return readNew(this, offset, length);
  }

  *readInto(offset: number, target: Bytes): Io<void> {
    checkRange(this, offset, target.length, { image: this.source.name });
    yield* readExactly(this.source, offset, target);
  }

  // biome-ignore lint/correctness/useYield: nothing has to be read to know this
  *map(offset: number, length: number): Io<Extent> {
    if (length <= 0) throw new Corrupt('an empty range has no extent');
    return { length: Math.min(length, this.size - offset), present: true, zero: false, data: true, depth: 0, offset };
  }
}
