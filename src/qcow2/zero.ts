/** Zeros and nothing: ranges that read as zeros by their entries, and ranges that are given up. */
import { isZero } from '../bytes/text.ts';
import type { Io } from '../io/effect.ts';
import type { Qcow2File } from './file.ts';
import type { Qcow2FileReader } from './file-reader.ts';
import type { Placement } from './placement.ts';
import type { ClusterEntry } from './subclusters.ts';

/** Zeros are written in pieces of this many bytes. */
const ZERO_PIECE: number = 1 << 20;

/** The entry of a cluster whose table does not exist. */
const NOTHING: ClusterEntry = { compressed: false, host: -1, copied: false, allocated: 0, zeros: 0, high: 0, low: 0 };

export class Zeroing {
  readonly file: Qcow2File;
  readonly reader: Qcow2FileReader;
  readonly placement: Placement;

  constructor(placement: Placement) {
    this.file = placement.file;
    this.reader = placement.reader;
    this.placement = placement;
  }

  /** Makes a range zeros. */
  *zero(offset: number, length: number): Io<void> {
    const { bytesPerTable } = this.file.shape;
    for (let at = offset; at < offset + length; ) {
      const l1Index = Math.floor(at / bytesPerTable);
      const stop = Math.min(offset + length, (l1Index + 1) * bytesPerTable);
      // What was never written and has nothing below it is zero already.
      if (this.file.l2Offset(l1Index) !== 0 || this.reader.shines(at) || this.file.header.dataFile?.raw === true) {
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
      const to = stop === this.file.header.size && stop < guest + clusterSize ? clusterSize : Math.min(clusterSize, stop - guest);
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
        (header.version === 3 || !this.reader.shines(guest));
      if (!byEntry) {
        yield* this.#zeroBytes(guest + from, Math.min(guest + to, this.file.header.size));
        continue;
      }
      yield* this.#zeroBytes(guest + from, Math.min(guest + first * shape.subclusterSize, this.file.header.size));
      yield* this.#zeroBytes(guest + end * shape.subclusterSize, Math.min(guest + to, this.file.header.size));
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
    const below = this.reader.shines(guest);
    const bare = (whole & ~stored & ~entry.zeros) !== 0;
    if ((whole & stored) === 0 && (!bare || !below)) return;
    const table = yield* file.writableL2(l1Index);
    const allocated = entry.compressed ? 0 : (entry.allocated & ~whole) >>> 0;
    const zeros = header.version === 2 ? 0 : (entry.zeros | whole) >>> 0;
    const keeps = allocated !== 0;
    shape.encode(table, index, keeps ? entry.host : -1, entry.copied, allocated, zeros);
    if (!keeps) this.placement.release(entry);
  }

  /** Writes zeros where there is anything else. */
  *#zeroBytes(start: number, stop: number): Io<void> {
    for (let at = start; at < stop; ) {
      const run = yield* this.reader.run(at, Math.min(stop - at, ZERO_PIECE));
      const plain = run.kind === 'zero' || (run.kind === 'unallocated' && !this.reader.shines(at));
      if (!plain || this.file.header.dataFile?.raw === true) {
        const bytes = new Uint8Array(run.length);
        yield* this.reader.readInto(at, bytes);
        if (!isZero(bytes)) {
          bytes.fill(0);
          yield* this.placement.place(at, run.length, (host, guest, length) =>
            this.placement.writeData(host, bytes.subarray(guest - at, guest - at + length)),
          );
        }
      }
      at += run.length;
    }
  }

  /** Gives up the clusters of `[start, stop)`, which begins at a cluster: the backing file shows there. */
  *drop(start: number, stop: number): Io<void> {
    const { file } = this;
    const { shape, clusterSize } = file;
    for (let at = start; at < stop; ) {
      const l1Index = Math.floor(at / shape.bytesPerTable);
      const first = l1Index * shape.bytesPerTable;
      const end = Math.min(stop, first + shape.bytesPerTable);
      const table = yield* file.l2(l1Index);
      if (table !== undefined) {
        const whole = at === first && (end === first + shape.bytesPerTable || end >= this.file.header.size);
        const changed = whole ? table : yield* file.writableL2(l1Index);
        for (let guest = at; guest < end; guest += clusterSize) {
          const index = (guest - first) / clusterSize;
          this.placement.release(shape.decode(changed, index, guest));
          if (!whole) shape.encode(changed, index, -1, false, 0, 0);
        }
        if (whole) file.dropL2(l1Index);
      }
      file.trim();
      at = end;
    }
  }
}
