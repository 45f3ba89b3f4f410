/** A FAT file system that is being changed: what changes with every verb, and what goes back when a transaction fails. */
import { Posix } from '../errors.ts';
import type { NodeId, Timestamp } from '../filesystem/filesystem.ts';
import type { WritableCachedDevice } from '../io/cache.ts';
import type { Io } from '../io/effect.ts';
import type { Savepoint } from '../io/transaction.ts';
import { WritableFatTable } from './allocation.ts';
import type { Geometry } from './bpb.ts';
import { DIRECTORY_ENTRY, ENTRY_SIZE, FSINFO, FSINFO_LEAD, FSINFO_STRUCTURE, type ShortEntry } from './format.ts';
import { NodeNumbers } from './numbers.ts';
import { encodeTime } from './time.ts';
import { type Node, ROOT, type VfatOptions, Volume } from './volume.ts';

export interface WritableVfatOptions extends VfatOptions {
  /** The clock that stamps what is changed; by default the host's. */
  readonly clock?: () => Timestamp;
}

/** The fields of a short entry besides its name. */
export type EntryFields = Omit<ShortEntry, 'DIR_Name'>;

function hostClock(): Timestamp {
  const now = Date.now();
  const seconds = Math.floor(now / 1000);
  return { seconds, nanoseconds: (now - seconds * 1000) * 1_000_000 };
}

export function failure(
  code: 'EEXIST' | 'ENOENT' | 'ENOTDIR' | 'EISDIR' | 'ENOTEMPTY' | 'EINVAL' | 'ENOSPC' | 'EPERM' | 'EFBIG' | 'EOPNOTSUPP',
  inode?: NodeId,
): Posix {
  return new Posix(code, inode === undefined ? { layer: 'vfat' } : { layer: 'vfat', inode });
}

/** What `..` says in a child: 0 for the root, on FAT32 too. */
export function parentCluster(parent: Node): number {
  return parent.id === ROOT ? 0 : parent.firstCluster;
}

export class WritableVolume extends Volume {
  /** The cache, for writing. */
  readonly device: WritableCachedDevice;
  /** The table, for writing. */
  readonly fat: WritableFatTable;
  readonly numbers: NodeNumbers;
  readonly clock: () => Timestamp;
  /** `freed` of the table's state when FSInfo was last brought up to date. */
  #accounted = 0;

  constructor(cache: WritableCachedDevice, geometry: Geometry, options: WritableVfatOptions) {
    const fat = new WritableFatTable(cache, geometry);
    super(cache, geometry, fat, options);
    this.device = cache;
    this.fat = fat;
    this.numbers = new NodeNumbers(Math.ceil(cache.size / ENTRY_SIZE) + 1);
    this.clock = options.clock ?? hostClock;
  }

  override nodeAt(position: number): NodeId {
    return this.numbers.numberAt(position);
  }

  override positionOf(node: NodeId): number {
    return this.numbers.placeOf(node);
  }

  /** Remembers the state in memory until it is restored or released. */
  save(): Savepoint {
    const { state } = this.fat;
    const numbers = this.numbers.mark();
    const { freeClusters, label } = this;
    const accounted = this.#accounted;
    return {
      restore: () => {
        this.fat.restore(state);
        numbers.restore();
        this.freeClusters = freeClusters;
        this.label = label;
        this.#accounted = accounted;
        // Directories and chains may have been changed in memory: they are read again.
        this.forgetEverything();
        this.device.clear();
      },
      release: () => numbers.release(),
    };
  }

  /** Writes what a verb left in memory: the table, and the count of free clusters. */
  *commit(): Io<void> {
    yield* this.fat.flush();
    yield* this.#account();
  }

  /** Forgets what is remembered of a node that is no more. */
  gone(node: Node): void {
    this.chains.delete(node.id);
    this.forgetDirectory(node.id);
    if (this.claims.get(node.firstCluster) === node.id) this.claims.delete(node.firstCluster);
    this.numbers.release(node.id);
  }

  /** Stamps a directory that changed. */
  *stamp(directory: Node): Io<void> {
    if (directory.id === ROOT) return;
    const { date, time } = encodeTime(this.clock(), this.zoneMinutes);
    yield* this.patchEntry(this.positionOf(directory.id) * ENTRY_SIZE, { DIR_WrtDate: date, DIR_WrtTime: time });
  }

  *patchEntry(offset: number, change: Partial<ShortEntry>): Io<void> {
    const bytes = (yield* this.device.read(offset, ENTRY_SIZE)).slice();
    DIRECTORY_ENTRY.write(bytes, 0, change);
    yield* this.device.write(offset, bytes);
  }

  startFields(cluster: number): Pick<ShortEntry, 'DIR_FstClusLO'> & Partial<ShortEntry> {
    const low = { DIR_FstClusLO: cluster % 0x1_0000 };
    // On FAT12 and FAT16 the high half belongs to OS/2's extended attributes.
    return this.geometry.bits === 32 ? { ...low, DIR_FstClusHI: Math.floor(cluster / 0x1_0000) } : low;
  }

  newFields(attributes: number, cluster: number): EntryFields {
    const { date, time, hundredths } = encodeTime(this.clock(), this.zoneMinutes);
    return {
      DIR_Attr: attributes,
      DIR_NTRes: 0,
      DIR_CrtTimeTenth: hundredths,
      DIR_CrtTime: time,
      DIR_CrtDate: date,
      DIR_LstAccDate: date,
      DIR_WrtTime: time,
      DIR_WrtDate: date,
      DIR_FileSize: 0,
      DIR_FstClusHI: 0,
      ...this.startFields(cluster),
    };
  }

  /** Brings the count of free clusters and FSInfo up to date with what the verb took and freed. */
  *#account(): Io<void> {
    const { freed, lastTaken } = this.fat.state;
    const change = freed - this.#accounted;
    this.#accounted = freed;
    if (this.freeClusters !== undefined) this.freeClusters += change;
    const { fsInfoOffset, clusters } = this.geometry;
    if (change === 0 || fsInfoOffset === undefined) return;
    const sector = (yield* this.device.read(fsInfoOffset, FSINFO.size)).slice();
    const info = FSINFO.read(sector);
    if (info.FSI_LeadSig !== FSINFO_LEAD || info.FSI_StrucSig !== FSINFO_STRUCTURE) return;
    // A count that was right stays right by adding; one that cannot be right is counted anew, once.
    let free = this.freeClusters ?? info.FSI_Free_Count + change;
    if (info.FSI_Free_Count > clusters || free < 0 || free > clusters) {
      free = this.freeClusters ?? (yield* this.fat.countFree());
      this.freeClusters = free;
    }
    FSINFO.write(sector, 0, { FSI_Free_Count: free, ...(lastTaken === 0 ? {} : { FSI_Nxt_Free: lastTaken }) });
    yield* this.device.write(fsInfoOffset, sector);
  }
}
