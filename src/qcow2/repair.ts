/** Repairing refcounts, as `qemu-img check -r` does. */
import { viewOf } from '../bytes/struct.ts';
import { Refused } from '../errors.ts';
import { type Io, perform } from '../io/effect.ts';
import { Flush, type WritableSource, Write } from '../io/source.ts';
import { type CheckReport, checkQcow2, referencesOf } from './check.ts';
import { encodeHeader } from './encode-header.ts';
import { Qcow2File } from './file.ts';
import * as format from './format.ts';
import type { Header } from './header.ts';
import { refcountClusters } from './layout.ts';
import { type Metadata, readMetadata } from './metadata.ts';
import { maxRefcount, refcountsPerBlock, setRefcount } from './refcounts.ts';
import { ReferenceCounts } from './references.ts';
import { markCopied } from './snapshot-write.ts';

export interface RepairReport {
  /** What is left. */
  readonly report: CheckReport;
  readonly leaksFixed: number;
  readonly corruptionsFixed: number;
}

/**
 * Checks a file and repairs it: `leaks` gives back clusters that nothing refers to; `all` counts every reference anew, writes new
 * refcounts beside the old ones, and corrects the flags of tables. Throws Refused for `leaks` where all has to be done.
 */
export function* repairQcow2(source: WritableSource, mode: 'leaks' | 'all'): Io<RepairReport> {
  const metadata = yield* readMetadata(source);
  const before = yield* checkQcow2(metadata);
  const { dirty, corrupt } = metadata.header;
  if (before.leaks === 0 && before.corruptions === 0 && !dirty && !(corrupt && mode === 'all')) {
    return { report: before, leaksFixed: 0, corruptionsFixed: 0 };
  }
  if (mode === 'leaks') {
    if (dirty || corrupt) throw new Refused('the refcounts have to be rebuilt: repair all', metadata.where);
    if (before.leaks > 0) yield* giveBackLeaks(source, metadata);
  } else {
    yield* rebuild(source, metadata);
    const file = yield* Qcow2File.open(source);
    if (metadata.header.dataFile === undefined) {
      yield* file.transact(function* () {
        yield* markCopied(file);
        return {};
      });
    }
  }
  const report = yield* checkQcow2(yield* readMetadata(source));
  return {
    report,
    leaksFixed: Math.max(0, before.leaks - report.leaks),
    corruptionsFixed: Math.max(0, before.corruptions - report.corruptions),
  };
}

/** Lowers the refcounts that are higher than what is there; those that are lower stay as they are. */
function* giveBackLeaks(source: WritableSource, metadata: Metadata): Io<void> {
  const references = yield* referencesOf(metadata);
  const { header } = metadata;
  const file = yield* Qcow2File.open(source);
  const { allocator, clusterSize } = file;
  const count = (offset: number, length: number): void => {
    for (let at = offset; at < offset + length; at += clusterSize) references.add(at / clusterSize, 1);
  };
  count(header.refcountTableOffset, header.refcountTableClusters * clusterSize);
  for (let at = 0; at < allocator.table.bytes.length; at += 8)
    if (allocator.table.number(at) !== 0) count(allocator.table.number(at), clusterSize);
  yield* file.start();
  for (let index = 0; index * 8 < allocator.table.bytes.length; index++) {
    if (allocator.table.number(index * 8) === 0) continue;
    const end = (index + 1) * allocator.perBlock;
    for (let cluster = index * allocator.perBlock; cluster < end; cluster++) {
      const wanted = references.get(cluster);
      if ((yield* allocator.refcount(cluster)) > wanted) yield* allocator.set(cluster, wanted);
    }
  }
  yield* file.flush();
}

/** Writes a refcount table and blocks that say what is there, behind everything else, and makes them the file's. */
function* rebuild(source: WritableSource, metadata: Metadata): Io<void> {
  const { header, where } = metadata;
  const references = yield* referencesOf(metadata);
  const { clusterSize, refcountOrder } = header;
  const perBlock = refcountsPerBlock(header);
  const last = references.stretches().at(-1) ?? 0;
  const end = Math.max(Math.ceil(source.size / clusterSize), last + ReferenceCounts.STRETCH);
  let used = end;
  while (used > 1 && references.get(used - 1) === 0) used--;
  // Not into clusters that the old structures, whatever they are, may still occupy.
  const first = Math.max(used, Math.ceil(source.size / clusterSize));
  const { table, blocks } = refcountClusters(first, clusterSize, refcountOrder);
  if (table * clusterSize > format.MAX_REFCOUNT_TABLE_BYTES) throw new Refused('the file is too long for its refcounts', where);
  const most = maxRefcount(refcountOrder);
  for (let i = 0; i < table + blocks; i++) references.add(first + i, 1);
  const tableBytes = new Uint8Array(table * clusterSize);
  const tableView = viewOf(tableBytes);
  for (let block = 0; block < blocks; block++) {
    const bytes = new Uint8Array(clusterSize);
    const view = viewOf(bytes);
    for (let i = 0; i < perBlock; i++) {
      const count = references.get(block * perBlock + i);
      if (count > most) throw new Refused(`refcounts cannot hold the ${count} references to cluster ${block * perBlock + i}`, where);
      if (count > 0) setRefcount(view, i, refcountOrder, count);
    }
    const offset = (first + table + block) * clusterSize;
    tableView.setUint32(block * 8, Math.floor(offset / 2 ** 32));
    tableView.setUint32(block * 8 + 4, offset % 2 ** 32);
    yield* perform(new Write(source, offset, bytes));
  }
  yield* perform(new Write(source, first * clusterSize, tableBytes));
  yield* perform(new Flush(source));
  const repaired: Header = {
    ...header,
    refcountTableOffset: first * clusterSize,
    refcountTableClusters: table,
    incompatibleFeatures: header.incompatibleFeatures & ~(format.INCOMPATIBLE_DIRTY | format.INCOMPATIBLE_CORRUPT),
  };
  yield* perform(new Write(source, 0, encodeHeader(repaired, where)));
  yield* perform(new Flush(source));
}
