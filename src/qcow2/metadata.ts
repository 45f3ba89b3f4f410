/** Opening a qcow2 file as far as one file goes: header, snapshots, bitmaps, encryption header. No second file is opened here. */
import { Corrupt, type Warning, type Where } from '../errors.ts';
import { CachedDevice } from '../io/cache.ts';
import type { Io } from '../io/effect.ts';
import { type ByteSource, readPadded } from '../io/source.ts';
import { type Bitmap, readBitmaps } from './bitmaps.ts';
import * as format from './format.ts';
import { type Header, hasMagic, parseHeader } from './header.ts';
import { type LuksHeader, readLuksHeader } from './luks.ts';
import { PaddedSource } from './padded.ts';
import { readSnapshots, type Snapshot, type SnapshotTable } from './snapshots.ts';

export interface Metadata {
  readonly source: ByteSource;
  readonly where: Where;
  readonly header: Header;
  /** Tables of the file, in pages; everything that is read as a table goes through it. */
  readonly tables: CachedDevice;
  readonly snapshots: readonly Snapshot[];
  /** Bytes of the snapshot table. */
  readonly snapshotTableBytes: number;
  readonly bitmaps: readonly Bitmap[];
  readonly luks?: LuksHeader;
  readonly warnings: readonly Warning[];
}

/** Memory for pages of L1, L2 and refcount tables. */
const TABLE_BUDGET: number = 4 << 20;

/**
 * Reads everything that describes a qcow2 file except the cluster tables. Costs the first cluster and the tables of snapshots and
 * bitmaps, whatever the virtual size. Throws Corrupt or Unsupported like `parseHeader`.
 */
export function* readMetadata(source: ByteSource): Io<Metadata> {
  const where: Where = { layer: 'qcow2', image: source.name };
  const warnings: Warning[] = [];
  const head = yield* readHead(source, where);
  const header = parseHeader(head, where, warnings);
  if (header.l1Entries > 0 && header.l1Offset >= source.size) {
    throw new Corrupt(`the L1 table at ${header.l1Offset} lies behind the end of the file`, { ...where, offset: 40 });
  }
  const tables = new CachedDevice(new PaddedSource(source), { budget: TABLE_BUDGET });
  const table: SnapshotTable = yield* readSnapshots(source, header, where, warnings);
  const bitmaps = yield* readBitmaps(source, header, where, warnings);
  const luks = header.luks === undefined ? undefined : yield* readLuksHeader(source, header.luks, where);
  if (header.corrupt) warnings.push({ message: 'the image is marked as corrupt; reading it may give wrong data' });
  if (header.dirty) warnings.push({ message: 'the image was not closed properly; its refcounts may be wrong, its data are not' });
  return {
    source,
    where,
    header,
    tables,
    snapshots: table.snapshots,
    snapshotTableBytes: table.bytes,
    bitmaps,
    ...(luks === undefined ? {} : { luks }),
    warnings,
  };
}

/** The first cluster: as much of it as its extensions can use. */
function* readHead(source: ByteSource, where: Where): Io<Uint8Array> {
  const first = new Uint8Array(Math.min(4096, source.size));
  yield* readPadded(source, 0, first);
  if (first.length < format.HEADER.size || !hasMagic(first)) throw new Corrupt('not a qcow2 image', where);
  const bits = first[23] ?? 0;
  const cluster = bits >= format.MIN_CLUSTER_BITS && bits <= format.MAX_CLUSTER_BITS ? 2 ** bits : 4096;
  const head = new Uint8Array(Math.max(4096, cluster));
  head.set(first);
  if (head.length > first.length) yield* readPadded(source, first.length, head.subarray(first.length));
  return head;
}
