/** Copying a disk from its beginning to its end into something new, without what is zero. */
import { zeroRun } from '../bytes/runs.ts';
import type { Bytes } from '../bytes/struct.ts';
import type { BlockDevice } from '../io/device.ts';
import { type Io, perform } from '../io/effect.ts';
import { Truncate, type WritableSource, Write } from '../io/source.ts';
import { Qcow2StreamWriter, type StreamLayout } from '../qcow2/stream-write.ts';

/** Receives a disk in order. What `zeros` names, and only that, holds zeros. */
export interface DiskSink {
  /** Everything is given in multiples of this, except at the end of the disk; bytes. */
  readonly granularity: number;
  write(offset: number, bytes: Bytes): Io<void>;
  zeros(offset: number, length: number): Io<void>;
  finish(): Io<void>;
}

export interface CopyOptions {
  /** Runs of zeros in the data of at least this many bytes, and aligned to it, are left out; 0 writes them. */
  readonly detectZeros: number;
  /** Bytes that are read at once; default 1 MiB. More is faster where each request has a price. */
  readonly atOnce?: number;
  /** Called with the bytes that are done. */
  readonly onProgress?: (done: number) => void;
  /** Called between two pieces of work. */
  readonly pause?: () => Io<void>;
}

const PIECE: number = 1 << 20;
/** Small extents are read together with what follows them. */
const LEAST: number = 128 << 10;

/** Copies the whole disk. The sink is not finished. */
export function* copyDisk(device: BlockDevice, sink: DiskSink, options: CopyOptions): Io<void> {
  const unit = Math.max(sink.granularity, options.detectZeros);
  const { size } = device;
  const buffer = new Uint8Array(Math.min(Math.max(options.atOnce ?? PIECE, unit), Math.ceil(size / unit) * unit));
  for (let at = 0; at < size; ) {
    const extent = yield* device.map(at, size - at);
    const end = at + extent.length;
    const zeroEnd = !extent.zero ? at : end === size ? size : end - (end % unit);
    if (zeroEnd > at) {
      yield* sink.zeros(at, zeroEnd - at);
      at = zeroEnd;
    } else {
      const wanted = Math.ceil(Math.max(extent.length, LEAST) / unit) * unit;
      const piece = buffer.subarray(0, Math.min(wanted, buffer.length, size - at));
      yield* device.readInto(at, piece);
      yield* giveRuns(sink, at, piece, options.detectZeros === 0 ? 0 : unit);
      at += piece.length;
    }
    options.onProgress?.(at);
    if (options.pause !== undefined) yield* options.pause();
  }
}

/** Gives a piece to the sink, split into runs with and without data by units of `unit` bytes. */
function* giveRuns(sink: DiskSink, offset: number, piece: Bytes, unit: number): Io<void> {
  if (unit === 0) {
    yield* sink.write(offset, piece);
    return;
  }
  for (let start = 0; start < piece.length; ) {
    const { zero, end } = zeroRun(piece, start, offset, unit);
    if (zero) yield* sink.zeros(offset + start, end - start);
    else yield* sink.write(offset + start, start === 0 && end === piece.length ? piece : piece.subarray(start, end));
    start = end;
  }
}

const ZEROS_AT_ONCE: number = 1 << 20;

/** A raw file. Where the target can be any length zeros become holes; a device or pipe gets them written. */
export class RawSink implements DiskSink {
  readonly granularity = 1;
  readonly #target: WritableSource;
  readonly #size: number;
  readonly #sparse: boolean;

  constructor(target: WritableSource, size: number, options: { readonly sparse: boolean }) {
    this.#target = target;
    this.#size = size;
    this.#sparse = options.sparse && target.truncateSync !== undefined;
  }

  write(offset: number, bytes: Bytes): Io<void> {
    return perform(new Write(this.#target, offset, bytes));
  }

  *zeros(offset: number, length: number): Io<void> {
    if (this.#sparse) return;
    const zeros = new Uint8Array(Math.min(length, ZEROS_AT_ONCE));
    for (let done = 0; done < length; done += zeros.length) {
      yield* perform(new Write(this.#target, offset + done, zeros.subarray(0, Math.min(zeros.length, length - done))));
    }
  }

  *finish(): Io<void> {
    if (this.#sparse) yield* perform(new Truncate(this.#target, this.#size));
  }
}

/** Compresses one cluster; undefined when nothing is gained. */
export type ClusterCompressor = (cluster: Bytes) => Bytes | undefined;

/** A plain or compressed qcow2 file without a backing file. */
export class Qcow2Sink implements DiskSink {
  readonly granularity: number;
  readonly #writer: Qcow2StreamWriter;
  readonly #compress: ClusterCompressor | undefined;

  constructor(target: WritableSource, size: number, layout: StreamLayout, compress?: ClusterCompressor) {
    this.#writer = new Qcow2StreamWriter(target, size, layout);
    this.granularity = this.#writer.clusterSize;
    this.#compress = compress;
  }

  *write(offset: number, bytes: Bytes): Io<void> {
    if (this.#compress === undefined) {
      yield* this.#writer.write(offset, bytes);
      return;
    }
    const size = this.granularity;
    for (let done = 0; done < bytes.length; done += size) {
      let cluster = bytes.subarray(done, done + size);
      if (cluster.length < size) {
        const whole = new Uint8Array(size);
        whole.set(cluster);
        cluster = whole;
      }
      const compressed = this.#compress(cluster);
      if (compressed === undefined) yield* this.#writer.write(offset + done, cluster);
      else yield* this.#writer.writeCompressed(offset + done, compressed);
    }
  }

  /** What is not written reads as zeros. */
  *zeros(): Io<void> {}

  finish(): Io<void> {
    return this.#writer.finish();
  }
}
