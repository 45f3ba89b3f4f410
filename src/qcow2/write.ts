/** The virtual disk in a qcow2 file, for reading and writing. */
import type { Bytes } from '../bytes/struct.ts';
import { isZero } from '../bytes/text.ts';
import type { Codecs } from '../codec/codecs.ts';
import { Corrupt, Refused } from '../errors.ts';
import { checkRange, type Extent, readNew, type WritableDevice } from '../io/device.ts';
import { type Io, perform } from '../io/effect.ts';
import { Lock } from '../io/lock.ts';
import { Flush, readPadded, type WritableSource, Write } from '../io/source.ts';
import type { HostRun } from './allocate.ts';
import { CompressedClusters } from './compressed.ts';
import { compressedRange, encodeCompressedRange } from './entries.ts';
import { Qcow2File } from './file.ts';
import type { CompressedCluster, Layer, Location } from './location.ts';
import type { ClusterEntry } from './subclusters.ts';
import type { Run } from './tables.ts';

export interface WritableQcow2Options {
  readonly codecs: Codecs;
  /** What shines through where the image has nothing; only read. */
  readonly backing?: Layer;
  /** The external data file, where the image has one. */
  readonly dataFile?: WritableSource;
}

/** Puts guest bytes into the file that holds them: `length` bytes of the disk from `guest` on belong at `host`. */
export type Put = (host: number, guest: number, length: number) => Io<void>;

/** What is to be done about one cluster of a write. */
interface Plan {
  readonly index: number;
  /** The cluster's offset on the disk. */
  readonly guest: number;
  readonly entry: ClusterEntry;
  /** The bytes `[from, to)` of the cluster are written. */
  readonly from: number;
  readonly to: number;
  /** Where it will stand; -1 until it is allocated. */
  host: number;
  readonly fresh: boolean;
  readonly allocated: number;
  readonly zeros: number;
  /** Subclusters whose other bytes have to be copied. */
  readonly fill: number;
}

/** Zeros are written in pieces of this many bytes. */
const ZERO_PIECE: number = 1 << 20;

/** Opens a qcow2 file for writing, which has to be clean; see {@link Qcow2File.open} for what is refused. */
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
  readonly #compressed: CompressedClusters;
  readonly #lock = new Lock();
  /** Behind the last compressed stream, while its cluster has room. */
  #tail: number | undefined;

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
    this.#compressed = new CompressedClusters(file.source, header.clusterSize, options.codecs, where);
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
    yield* this.#lock.exclusive(() => this.#readInto(offset, target));
  }

  *map(offset: number, length: number): Io<Extent> {
    checkRange(this, offset, length, this.file.where);
    return yield* this.#lock.exclusive(() => this.#map(offset, length));
  }

  *locate(offset: number, length: number): Io<Location> {
    checkRange(this, offset, length, this.file.where);
    return yield* this.#lock.exclusive(() => this.#locate(offset, length));
  }

  *write(offset: number, bytes: Bytes): Io<void> {
    const put: Put = (host, guest, length) => this.#writeData(host, bytes.subarray(guest - offset, guest - offset + length));
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
    this.#compressed.clear();
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

  /** Whether the backing file has bytes at or behind an offset. */
  shines(offset: number): boolean {
    return this.backing !== undefined && offset < this.backing.size;
  }

  // Reading

  /** The run of one kind that begins at `offset`, as {@link Run}; within one L2 table. */
  *run(offset: number, length: number): Io<Run> {
    const { shape, clusterSize } = this.file;
    const l1Index = Math.floor(offset / shape.bytesPerTable);
    const end = Math.min(offset + length, (l1Index + 1) * shape.bytesPerTable);
    const table = yield* this.file.l2(l1Index);
    if (table === undefined) return { kind: 'unallocated', length: end - offset };
    let kind: Run['kind'] | undefined;
    let host = -1;
    let at = offset;
    while (at < end) {
      const within = at % clusterSize;
      const guest = at - within;
      const entry = shape.decode(table, (guest - l1Index * shape.bytesPerTable) / clusterSize, guest);
      for (let sub = Math.floor(within / shape.subclusterSize); sub < shape.count && at < end; sub++) {
        const bit = 2 ** sub;
        const next: Run['kind'] = entry.compressed
          ? 'compressed'
          : (entry.allocated & bit) !== 0
            ? 'data'
            : (entry.zeros & bit) !== 0
              ? 'zero'
              : 'unallocated';
        const place = entry.host < 0 ? -1 : entry.host + (at - guest);
        if (kind === undefined) {
          kind = next;
          host = place;
        } else if (next !== kind || (host < 0 ? place >= 0 : place !== host + (at - offset))) {
          return { kind, length: at - offset, ...(host < 0 ? {} : { host }) };
        }
        at = Math.min(end, guest + (sub + 1) * shape.subclusterSize);
      }
    }
    return { kind: kind ?? 'unallocated', length: at - offset, ...(host < 0 ? {} : { host }) };
  }

  *#readInto(offset: number, target: Bytes): Io<void> {
    for (let done = 0; done < target.length; ) {
      const at = offset + done;
      const run = yield* this.run(at, target.length - done);
      const part = target.subarray(done, done + run.length);
      if (run.kind === 'data') yield* readPadded(this.dataSource, run.host ?? 0, part);
      else if (run.kind === 'compressed') yield* this.#readCompressed(at, part);
      else if (run.kind === 'unallocated') yield* this.#readBacking(at, part);
      else part.fill(0);
      done += run.length;
    }
    this.file.trim();
  }

  *#readBacking(offset: number, target: Bytes): Io<void> {
    const inside = this.backing === undefined ? 0 : Math.max(0, Math.min(target.length, this.backing.size - offset));
    if (this.backing !== undefined && inside > 0) yield* this.backing.readInto(offset, target.subarray(0, inside));
    target.fill(0, inside);
  }

  *#readCompressed(offset: number, target: Bytes): Io<void> {
    const { clusterSize } = this.file;
    for (let done = 0; done < target.length; ) {
      const within = (offset + done) % clusterSize;
      const length = Math.min(clusterSize - within, target.length - done);
      const cluster = yield* this.#compressedCluster(offset + done);
      yield* this.#compressed.readInto(cluster, within, target.subarray(done, done + length));
      done += length;
    }
  }

  *#compressedCluster(offset: number): Io<CompressedCluster> {
    const { header, shape, where } = this.file;
    const l1Index = Math.floor(offset / shape.bytesPerTable);
    const table = yield* this.file.l2(l1Index);
    if (table === undefined) throw new RangeError('no compressed cluster here');
    const at = Math.floor((offset - l1Index * shape.bytesPerTable) / header.clusterSize) * shape.entrySize;
    const range = compressedRange(table.view.getUint32(at), table.view.getUint32(at + 4), header.clusterBits, where);
    return { offset: range.offset, compressedLength: range.length, compression: header.compression, clusterSize: header.clusterSize };
  }

  /** Forgets decompressed clusters: host clusters get new contents. */
  forgetCompressed(): void {
    this.#tail = undefined;
    this.#compressed.clear();
  }

  *#map(offset: number, length: number): Io<Extent> {
    const run = yield* this.run(offset, length);
    const place = run.host === undefined ? {} : { offset: run.host };
    switch (run.kind) {
      case 'data':
        return { length: run.length, present: true, zero: false, data: true, depth: 0, ...place };
      case 'compressed':
        return { length: run.length, present: true, zero: false, data: true, depth: 0, compressed: true };
      case 'zero':
        return { length: run.length, present: true, zero: true, data: false, depth: 0, ...place };
      case 'unallocated': {
        if (this.backing !== undefined && offset < this.backing.size) {
          const below = yield* this.backing.map(offset, Math.min(run.length, this.backing.size - offset));
          return { ...below, depth: below.depth + 1 };
        }
        return { length: run.length, present: false, zero: true, data: false, depth: 0, ...place };
      }
    }
  }

  *#locate(offset: number, length: number): Io<Location> {
    const run = yield* this.run(offset, length);
    if (run.kind === 'data') return { kind: 'plain', length: run.length, source: this.dataSource, offset: run.host ?? 0 };
    if (run.kind === 'compressed') {
      const within = offset % this.file.clusterSize;
      const cluster = yield* this.#compressedCluster(offset);
      return {
        kind: 'compressed',
        length: Math.min(run.length, cluster.clusterSize - within),
        source: this.file.source,
        within,
        ...cluster,
      };
    }
    if (run.kind === 'unallocated' && this.backing !== undefined && offset < this.backing.size) {
      return yield* this.backing.locate(offset, Math.min(run.length, this.backing.size - offset));
    }
    return { kind: 'zero', length: run.length };
  }

  // Writing

  *#writeData(host: number, bytes: Bytes): Io<void> {
    if (this.dataSource === this.file.source) this.file.places.check(host, bytes.length);
    yield* perform(new Write(this.dataSource, host, bytes));
  }

  *#place(offset: number, length: number, put: Put): Io<void> {
    this.#tail = undefined;
    const { bytesPerTable } = this.file.shape;
    for (let at = offset; at < offset + length; ) {
      const l1Index = Math.floor(at / bytesPerTable);
      const stop = Math.min(offset + length, (l1Index + 1) * bytesPerTable);
      yield* this.#placeInTable(l1Index, at, stop, put);
      at = stop;
    }
  }

  *#placeInTable(l1Index: number, start: number, stop: number, put: Put): Io<void> {
    const { file } = this;
    const plans = yield* this.#plan(l1Index, start, stop);
    const taken: HostRun[] = [];
    try {
      yield* this.#allocate(plans, taken);
      for (const plan of plans) if (plan.fill !== 0) yield* this.#fill(plan);
      for (let i = 0; i < plans.length; ) {
        const first = plans[i] as Plan;
        const host = first.host + first.from;
        const guest = first.guest + first.from;
        let last = first;
        for (i++; i < plans.length && plans[i]?.host === last.host + file.clusterSize; i++) last = plans[i] as Plan;
        const length = last.guest + last.to - guest;
        if (this.dataSource === file.source) file.places.check(host, length);
        yield* put(host, guest, length);
      }
    } catch (error) {
      for (const run of taken) yield* file.allocator.undo(run);
      throw error;
    }
    const table = yield* file.l2(l1Index);
    if (table === undefined) throw new RangeError('the L2 table is gone');
    for (const plan of plans) this.#publish(table, plan);
  }

  *#plan(l1Index: number, start: number, stop: number): Io<Plan[]> {
    const { file } = this;
    const { shape, clusterSize, header } = file;
    const table = yield* file.writableL2(l1Index);
    const plans: Plan[] = [];
    for (let guest = start - (start % clusterSize); guest < stop; guest += clusterSize) {
      const index = (guest - l1Index * shape.bytesPerTable) / clusterSize;
      const entry = shape.decode(table, index, guest);
      const from = Math.max(0, start - guest);
      const to = Math.min(clusterSize, stop - guest);
      const firstWhole = Math.ceil(from / shape.subclusterSize);
      const endWhole = Math.floor(to / shape.subclusterSize);
      const touched = shape.mask(Math.floor(from / shape.subclusterSize), Math.ceil(to / shape.subclusterSize));
      const whole = shape.mask(firstWhole, endWhole);
      const external = header.dataFile !== undefined;
      const inPlace = external || (entry.host >= 0 && entry.copied);
      const old = inPlace ? 0 : entry.allocated;
      plans.push({
        index,
        guest,
        entry,
        from,
        to,
        host: external ? guest : inPlace ? entry.host : -1,
        fresh: !inPlace,
        allocated: (entry.allocated | touched) >>> 0,
        zeros: (entry.zeros & ~touched) >>> 0,
        fill: ((inPlace ? touched & ~entry.allocated : old | touched) & ~whole) >>> 0,
      });
    }
    return plans;
  }

  *#allocate(plans: readonly Plan[], taken: HostRun[]): Io<void> {
    const wanting = plans.filter((plan) => plan.host < 0);
    for (let i = 0; i < wanting.length; ) {
      const run = yield* this.file.allocator.allocate(wanting.length - i, true);
      taken.push(run);
      for (let k = 0; k < run.count; k++) (wanting[i + k] as Plan).host = (run.first + k) * this.file.clusterSize;
      i += run.count;
    }
  }

  /** Copies what stands before and behind the written bytes in the subclusters that get a new place. */
  *#fill(plan: Plan): Io<void> {
    const { subclusterSize, count } = this.file.shape;
    for (let sub = 0; sub < count; ) {
      if ((plan.fill & (2 ** sub)) === 0) {
        sub++;
        continue;
      }
      const start = sub;
      while (sub < count && (plan.fill & (2 ** sub)) !== 0) sub++;
      const from = start * subclusterSize;
      const to = sub * subclusterSize;
      yield* this.#copy(plan, from, Math.min(to, plan.from));
      yield* this.#copy(plan, Math.max(from, plan.to), to);
    }
  }

  *#copy(plan: Plan, from: number, to: number): Io<void> {
    if (from >= to) return;
    const bytes = new Uint8Array(to - from);
    const inside = Math.min(bytes.length, this.size - plan.guest - from);
    if (inside > 0) yield* this.#readInto(plan.guest + from, bytes.subarray(0, inside));
    // A data file ends where the disk does.
    const whole = this.dataSource === this.file.source ? bytes : bytes.subarray(0, Math.max(0, inside));
    if (whole.length > 0) yield* this.#writeData(plan.host + from, whole);
  }

  #publish(table: Parameters<Qcow2File['shape']['decode']>[0], plan: Plan): void {
    const { entry } = plan;
    if (!plan.fresh && entry.host >= 0 && entry.allocated === plan.allocated && entry.zeros === plan.zeros) return;
    this.file.shape.encode(table, plan.index, plan.host, true, plan.allocated, plan.zeros);
    if (plan.fresh) this.release(entry);
  }

  /** Gives back the clusters of an entry that is no longer there. */
  release(entry: ClusterEntry): void {
    const { allocator, header, where } = this.file;
    if (entry.compressed) {
      const { offset, length } = compressedRange(entry.high, entry.low, header.clusterBits, where);
      allocator.freeRange(offset, length);
    } else if (entry.host >= 0 && header.dataFile === undefined) allocator.free(entry.host / allocator.clusterSize);
  }

  /** Zeros within a change that is under way. */
  *zero(offset: number, length: number): Io<void> {
    this.#tail = undefined;
    const { bytesPerTable } = this.file.shape;
    for (let at = offset; at < offset + length; ) {
      const l1Index = Math.floor(at / bytesPerTable);
      const stop = Math.min(offset + length, (l1Index + 1) * bytesPerTable);
      // What was never written and has nothing below it is zero already.
      if (this.file.l2Offset(l1Index) !== 0 || this.shines(at) || this.file.header.dataFile?.raw === true) {
        yield* this.#zeroInTable(l1Index, at, stop);
      }
      at = stop;
    }
  }

  *#zeroInTable(l1Index: number, start: number, stop: number): Io<void> {
    const { file } = this;
    const { shape, clusterSize, header } = file;
    for (let guest = start - (start % clusterSize); guest < stop; guest += clusterSize) {
      const from = Math.max(0, start - guest);
      // Behind the end of the disk nothing is kept.
      const to = stop === this.size && stop < guest + clusterSize ? clusterSize : Math.min(clusterSize, stop - guest);
      const index = (guest - l1Index * shape.bytesPerTable) / clusterSize;
      const before = yield* file.l2(l1Index);
      const entry = before === undefined ? NOTHING : shape.decode(before, index, guest);
      const first = Math.ceil(from / shape.subclusterSize);
      const end = Math.floor(to / shape.subclusterSize);
      const whole = shape.mask(first, end);
      const byEntry =
        header.dataFile?.raw !== true &&
        whole !== 0 &&
        (whole === shape.all || !entry.compressed) &&
        (header.version === 3 || !this.shines(guest));
      if (!byEntry) {
        yield* this.#zeroBytes(guest + from, Math.min(guest + to, this.size));
        continue;
      }
      yield* this.#zeroBytes(guest + from, Math.min(guest + first * shape.subclusterSize, this.size));
      yield* this.#zeroBytes(guest + end * shape.subclusterSize, Math.min(guest + to, this.size));
      yield* this.#zeroSubclusters(l1Index, index, guest, whole);
    }
  }

  /** Makes whole subclusters zeros by their entry alone. */
  *#zeroSubclusters(l1Index: number, index: number, guest: number, whole: number): Io<void> {
    const { file } = this;
    const { shape, header } = file;
    const now = yield* file.l2(l1Index);
    const entry = now === undefined ? NOTHING : shape.decode(now, index, guest);
    const stored = entry.compressed ? shape.all : entry.allocated;
    const below = this.shines(guest);
    const bare = (whole & ~stored & ~entry.zeros) !== 0;
    if ((whole & stored) === 0 && (!bare || !below)) return;
    const table = yield* file.writableL2(l1Index);
    const allocated = entry.compressed ? 0 : (entry.allocated & ~whole) >>> 0;
    const zeros = header.version === 2 ? 0 : (entry.zeros | whole) >>> 0;
    const keeps = allocated !== 0;
    shape.encode(table, index, keeps ? entry.host : -1, entry.copied, allocated, zeros);
    if (!keeps) this.release(entry);
  }

  /** Writes zeros where there is anything else. */
  *#zeroBytes(start: number, stop: number): Io<void> {
    for (let at = start; at < stop; ) {
      const run = yield* this.run(at, Math.min(stop - at, ZERO_PIECE));
      const plain = run.kind === 'zero' || (run.kind === 'unallocated' && !this.shines(at));
      if (!plain || this.file.header.dataFile?.raw === true) {
        const bytes = new Uint8Array(run.length);
        yield* this.#readInto(at, bytes);
        if (!isZero(bytes)) {
          bytes.fill(0);
          yield* this.#place(at, run.length, (host, guest, length) =>
            this.#writeData(host, bytes.subarray(guest - at, guest - at + length)),
          );
        }
      }
      at += run.length;
    }
  }

  /** Gives up the clusters of `[start, stop)`, which begins at a cluster: the backing file shows there. Within a change that is under way. */
  *drop(start: number, stop: number): Io<void> {
    const { file } = this;
    const { shape, clusterSize } = file;
    this.#tail = undefined;
    for (let at = start; at < stop; ) {
      const l1Index = Math.floor(at / shape.bytesPerTable);
      const first = l1Index * shape.bytesPerTable;
      const end = Math.min(stop, first + shape.bytesPerTable);
      const table = yield* file.l2(l1Index);
      if (table !== undefined) {
        const whole = at === first && (end === first + shape.bytesPerTable || end >= this.size);
        const changed = whole ? table : yield* file.writableL2(l1Index);
        for (let guest = at; guest < end; guest += clusterSize) {
          const index = (guest - first) / clusterSize;
          this.release(shape.decode(changed, index, guest));
          if (!whole) shape.encode(changed, index, -1, false, 0, 0);
        }
        if (whole) file.dropL2(l1Index);
      }
      file.trim();
      at = end;
    }
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
    else yield* this.exclusive(() => this.#storeStream(offset, stream));
  }

  *#storeStream(offset: number, stream: Bytes): Io<void> {
    const { file } = this;
    const { clusterSize, shape, allocator } = file;
    const l1Index = Math.floor(offset / shape.bytesPerTable);
    const table = yield* file.writableL2(l1Index);
    const index = (offset - l1Index * shape.bytesPerTable) / clusterSize;
    const before = shape.decode(table, index, offset);
    const place = yield* this.#placeStream(stream.length);
    try {
      this.file.places.check(place.offset, stream.length);
      yield* perform(new Write(file.source, place.offset, stream));
    } catch (error) {
      this.#tail = undefined;
      for (const cluster of place.counted) yield* allocator.decrease(cluster, 1);
      throw error;
    }
    this.#compressed.clear();
    const { high, low } = encodeCompressedRange(place.offset, stream.length, file.header.clusterBits);
    shape.encodeRaw(table, index, high, low);
    this.release(before);
    const end = place.offset + stream.length;
    this.#tail = end % clusterSize === 0 ? undefined : end;
  }

  /** A place for a stream, counted: behind the last one where that is possible. */
  *#placeStream(length: number): Io<{ offset: number; counted: readonly number[] }> {
    const { clusterSize, allocator } = this.file;
    const tail = this.#tail;
    if (tail !== undefined) {
      const cluster = Math.floor(tail / clusterSize);
      const shareable = (yield* allocator.refcount(cluster)) < allocator.maxRefcount;
      if (shareable && (tail % clusterSize) + length <= clusterSize) {
        yield* allocator.increase(cluster, 1);
        return { offset: tail, counted: [cluster] };
      }
      const { first } = yield* allocator.allocate(1);
      if (shareable && first === cluster + 1) {
        yield* allocator.increase(cluster, 1);
        return { offset: tail, counted: [cluster, first] };
      }
      return { offset: first * clusterSize, counted: [first] };
    }
    const { first } = yield* allocator.allocate(1);
    return { offset: first * clusterSize, counted: [first] };
  }

  /** Refuses what cannot be done to images whose bytes are in another file. */
  refuseDataFile(what: string): void {
    if (this.file.header.dataFile !== undefined) throw new Refused(`${what} and an external data file exclude each other`, this.file.where);
  }
}

/** The entry of a cluster whose table does not exist. */
const NOTHING: ClusterEntry = { compressed: false, host: -1, copied: false, allocated: 0, zeros: 0, high: 0, low: 0 };
