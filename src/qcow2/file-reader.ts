/** Reading the disk of a qcow2 file that is under change, through its tables in memory. */
import type { Bytes } from '../bytes/struct.ts';
import type { Codecs } from '../codec/codecs.ts';
import type { Io } from '../io/effect.ts';
import type { ByteSource } from '../io/source.ts';
import { type ClusterLookup, ClusterReader } from './cluster-reader.ts';
import type { Qcow2File } from './file.ts';
import type { Layer } from './location.ts';
import type { L2Entry, Run } from './tables.ts';

/** The caller sees to it that nothing changes meanwhile. */
export class Qcow2FileReader extends ClusterReader {
  /** See {@link WritableQcow2.below}. */
  below = 0;
  readonly #file: Qcow2File;
  readonly #tables: FileTables;

  constructor(file: Qcow2File, dataSource: ByteSource, backing: Layer | undefined, codecs: Codecs) {
    const tables = new FileTables(file);
    super(tables, file, dataSource, backing, codecs);
    this.#file = file;
    this.#tables = tables;
  }

  /** Whether something else shows, or may come to show, at or behind an offset where the image has nothing. */
  shines(offset: number): boolean {
    return offset < Math.max(this.below, this.backing?.size ?? 0);
  }

  /** As {@link ClusterLookup.run}; within one L2 table. */
  run(offset: number, length: number): Io<Run> {
    return this.#tables.run(offset, length);
  }

  override *readInto(offset: number, target: Bytes): Io<void> {
    yield* super.readInto(offset, target);
    this.#file.trim();
  }
}

/** The tables of the file as they are now. */
class FileTables implements ClusterLookup {
  readonly #file: Qcow2File;

  constructor(file: Qcow2File) {
    this.#file = file;
  }

  /** The run of one kind that begins at `offset`, within one L2 table. */
  *run(offset: number, length: number): Io<Run> {
    const { shape, clusterSize } = this.#file;
    const l1Index = Math.floor(offset / shape.bytesPerTable);
    const end = Math.min(offset + length, (l1Index + 1) * shape.bytesPerTable);
    const table = yield* this.#file.l2(l1Index);
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

  *entry(offset: number): Io<L2Entry> {
    const { shape, clusterSize } = this.#file;
    const l1Index = Math.floor(offset / shape.bytesPerTable);
    const table = yield* this.#file.l2(l1Index);
    if (table === undefined) return { high: 0, low: 0 };
    const at = Math.floor((offset - l1Index * shape.bytesPerTable) / clusterSize) * shape.entrySize;
    return { high: table.view.getUint32(at), low: table.view.getUint32(at + 4) };
  }
}
