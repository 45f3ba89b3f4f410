/** The virtual disk in a qcow2 file, for reading and writing. */
import type { Bytes } from '../bytes/struct.ts';
import type { Codecs } from '../codec/codecs.ts';
import { Corrupt, Refused } from '../errors.ts';
import { checkRange, type Extent, readNew, type WritableDevice } from '../io/device.ts';
import { type Io, perform } from '../io/effect.ts';
import { Lock } from '../io/lock.ts';
import { Flush, type WritableSource } from '../io/source.ts';
import { StreamWriter } from './compressed-write.ts';
import { Qcow2File } from './file.ts';
import { Qcow2FileReader } from './file-reader.ts';
import type { Layer, Location } from './location.ts';
import { Placement, type Put } from './placement.ts';
import type { Run } from './tables.ts';
import { Zeroing } from './zero.ts';

export interface WritableQcow2Options {
  readonly codecs: Codecs;
  /** What shines through where the image has nothing; only read. */
  readonly backing?: Layer;
  /** The external data file, where the image has one. */
  readonly dataFile?: WritableSource;
}

/** Opens a qcow2 file for writing, which has to be clean; see `Qcow2File.open` for what is refused. */
export function* openWritableQcow2(source: WritableSource, options: WritableQcow2Options): Io<WritableQcow2> {
  return new WritableQcow2(yield* Qcow2File.open(source), options);
}

/**
 * Writing allocates; what is written is seen at once and in the file, consistently, after `flush`. Whatever interrupts it, before that or
 * after, leaves an image in which at most clusters are leaked.
 */
export class WritableQcow2 implements WritableDevice, Layer {
  readonly file: Qcow2File;
  readonly preferredRequest: number;
  readonly backing: Layer | undefined;
  /** Where the guest's bytes are. */
  readonly dataSource: WritableSource;
  readonly codecs: Codecs;
  readonly #reader: Qcow2FileReader;
  readonly #placement: Placement;
  readonly #zeroing: Zeroing;
  readonly #streams: StreamWriter;
  readonly #lock = new Lock();

  constructor(file: Qcow2File, options: WritableQcow2Options) {
    const { header, where } = file;
    this.file = file;
    this.preferredRequest = file.source.preferredRequest;
    this.backing = options.backing;
    this.codecs = options.codecs;
    if (header.dataFile !== undefined && options.dataFile === undefined) {
      throw new Corrupt(`the image cannot be used without its data file ${header.dataFile.name ?? '(which it does not name)'}`, where);
    }
    this.dataSource = header.dataFile === undefined ? file.source : (options.dataFile ?? file.source);
    this.#reader = new Qcow2FileReader(file, this.dataSource, options.backing, options.codecs);
    this.#placement = new Placement(file, this.#reader, this.dataSource);
    this.#zeroing = new Zeroing(this.#placement);
    this.#streams = new StreamWriter(this.#placement);
  }

  /** Bytes of the disk now. */
  get size(): number {
    return this.file.header.size;
  }

  read(offset: number, length: number): Io<Bytes> {
    return readNew(this, offset, length);
  }

  *readInto(offset: number, target: Bytes): Io<void> {
    checkRange(this, offset, target.length, this.file.where);
    yield* this.#lock.exclusive(() => this.#reader.readInto(offset, target));
  }

  *map(offset: number, length: number): Io<Extent> {
    checkRange(this, offset, length, this.file.where);
    return yield* this.#lock.exclusive(() => this.#reader.map(offset, length));
  }

  *locate(offset: number, length: number): Io<Location> {
    checkRange(this, offset, length, this.file.where);
    return yield* this.#lock.exclusive(() => this.#reader.locate(offset, length));
  }

  *write(offset: number, bytes: Bytes): Io<void> {
    const put: Put = (host, guest, length) => this.#placement.writeData(host, bytes.subarray(guest - offset, guest - offset + length));
    yield* this.place(offset, bytes.length, put);
  }

  /**
   * Writes a range whose bytes `put` brings into the file. All bytes of a range that `put` is asked for have to be there when it returns,
   * or at the latest when the file is flushed.
   */
  *place(offset: number, length: number, put: Put): Io<void> {
    checkRange(this, offset, length, this.file.where);
    if (length > 0) yield* this.exclusive(() => this.#place(offset, length, put));
  }

  *writeZeroes(offset: number, length: number): Io<void> {
    checkRange(this, offset, length, this.file.where);
    if (length > 0) yield* this.exclusive(() => this.zero(offset, length));
  }

  /** Gives clusters back; the range reads as zeros afterwards, never as the backing file. */
  discard(offset: number, length: number): Io<void> {
    return this.writeZeroes(offset, length);
  }

  *flush(): Io<void> {
    yield* this.#lock.exclusive(() => this.#flush());
  }

  *#flush(): Io<void> {
    if (this.dataSource !== this.file.source) yield* perform(new Flush(this.dataSource));
    yield* this.file.flush();
    this.#reader.forgetCompressed();
  }

  /** Runs a change of the image while no other one and no read goes on. */
  *exclusive<T>(body: () => Io<T>): Io<T> {
    const { file } = this;
    return yield* this.#lock.exclusive(function* (): Io<T> {
      yield* file.start();
      const result = yield* body();
      yield* file.relieve();
      return result;
    });
  }

  /** Bytes that something else than the backing file may come to show: zeros there are written as such. */
  get below(): number {
    return this.#reader.below;
  }

  set below(bytes: number) {
    this.#reader.below = bytes;
  }

  /** The run of one kind that begins at `offset`, within one L2 table. Nothing may change meanwhile. */
  run(offset: number, length: number): Io<Run> {
    return this.#reader.run(offset, length);
  }

  /** Forgets what is known of compressed clusters. */
  forgetCompressed(): void {
    this.#streams.end();
    this.#reader.forgetCompressed();
  }

  *#place(offset: number, length: number, put: Put): Io<void> {
    this.#streams.end();
    yield* this.#placement.place(offset, length, put);
  }

  /** Zeros within a change that is under way. */
  *zero(offset: number, length: number): Io<void> {
    this.#streams.end();
    yield* this.#zeroing.zero(offset, length);
  }

  /** Gives up the clusters of `[start, stop)`, which begins at a cluster: the backing file shows there. Within a change that is under way. */
  *drop(start: number, stop: number): Io<void> {
    this.#streams.end();
    yield* this.#zeroing.drop(start, stop);
  }

  /**
   * Writes one cluster compressed, or as it is where that saves nothing. `bytes` has the length of a cluster, or ends where the disk
   * ends. Streams stand one behind the other, as QEMU packs them.
   */
  *writeCompressed(offset: number, bytes: Bytes): Io<void> {
    const { file } = this;
    const { clusterSize, header } = file;
    checkRange(this, offset, bytes.length, file.where);
    this.refuseDataFile('compressed clusters');
    if (offset % clusterSize !== 0 || bytes.length !== Math.min(clusterSize, this.size - offset)) {
      throw new Refused('only whole clusters can be written compressed', file.where);
    }
    let whole = bytes;
    if (bytes.length < clusterSize) {
      whole = new Uint8Array(clusterSize);
      whole.set(bytes);
    }
    const stream = header.compression === 'zstd' ? this.codecs.zstdCompress(whole) : this.codecs.deflateRaw(whole);
    if (stream.length >= clusterSize) yield* this.write(offset, bytes);
    else yield* this.exclusive(() => this.#streams.store(offset, stream));
  }

  /** Refuses what cannot be done to images whose bytes are in another file. */
  refuseDataFile(what: string): void {
    if (this.file.header.dataFile !== undefined) throw new Refused(`${what} and an external data file exclude each other`, this.file.where);
  }
}
