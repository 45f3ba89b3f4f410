/** Writing bytes into clusters: in place, or into new ones with what stood around them. */
import type { Bytes } from '../bytes/struct.ts';
import { Corrupt } from '../errors.ts';
import { type Io, perform } from '../io/effect.ts';
import { type WritableSource, Write } from '../io/source.ts';
import type { HostRun } from './allocate.ts';
import { compressedRange } from './entries.ts';
import type { Qcow2File } from './file.ts';
import type { Qcow2FileReader } from './file-reader.ts';
import type { ClusterEntry } from './subclusters.ts';
import type { Table } from './table.ts';

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

export class Placement {
  readonly file: Qcow2File;
  readonly reader: Qcow2FileReader;
  readonly dataSource: WritableSource;

  constructor(file: Qcow2File, reader: Qcow2FileReader, dataSource: WritableSource) {
    this.file = file;
    this.reader = reader;
    this.dataSource = dataSource;
  }

  /** Writes guest bytes to their place, which must not be that of metadata. */
  *writeData(host: number, bytes: Bytes): Io<void> {
    if (this.dataSource === this.file.source) this.file.places.check(host, bytes.length);
    yield* perform(new Write(this.dataSource, host, bytes));
  }

  /** Brings the bytes of a range into the file by `put`, and makes the tables say so. */
  *place(offset: number, length: number, put: Put): Io<void> {
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
      if (inPlace && !external && (yield* file.allocator.refcount(entry.host / clusterSize)) === 0) {
        throw new Corrupt(`the cluster of byte ${guest} has no refcount; check and repair the image first`, {
          ...file.where,
          offset: entry.host,
        });
      }
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
    const inside = Math.min(bytes.length, this.file.header.size - plan.guest - from);
    if (inside > 0) yield* this.reader.readInto(plan.guest + from, bytes.subarray(0, inside));
    // A data file ends where the disk does.
    const whole = this.dataSource === this.file.source ? bytes : bytes.subarray(0, Math.max(0, inside));
    if (whole.length > 0) yield* this.writeData(plan.host + from, whole);
  }

  #publish(table: Table, plan: Plan): void {
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
}
