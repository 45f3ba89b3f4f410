/** FAT12, FAT16 and FAT32 with long names as a file system; what stat(2) says is what Linux's vfat says to root with umask 022. */
import type { Bytes } from '../bytes/struct.ts';
import { Corrupt, Posix } from '../errors.ts';
import {
  type DirectoryEntry,
  type DirectoryPart,
  type ExtendedAttribute,
  type FileRun,
  type FileSystem,
  type NodeId,
  S_IFDIR,
  S_IFREG,
  type Stat,
  type Timestamp,
  type Usage,
  type Warning,
} from '../filesystem/filesystem.ts';
import { CachedDevice } from '../io/cache.ts';
import type { BlockDevice } from '../io/device.ts';
import type { Io } from '../io/effect.ts';
import { type Geometry, parseBootSector } from './bpb.ts';
import { ATTR_DIRECTORY, ATTR_READ_ONLY, ENTRY_SIZE, FSINFO, FSINFO_LEAD, FSINFO_STRUCTURE } from './format.ts';
import { readLabel } from './label.ts';
import { FatTable } from './table.ts';
import { decodeTime } from './time.ts';
import { ROOT, type VfatOptions, Volume } from './volume.ts';
import { decodeWtf8, encodeWtf8 } from './wtf8.ts';

export type { VfatOptions } from './volume.ts';

const NO_TIME: Timestamp = { seconds: 0, nanoseconds: 0 };
/** Names of a directory given at a time. */
const PART = 1024;
/** What Linux's statfs says: 255 units of up to 6 bytes. */
const MAXIMUM_NAME_LENGTH = 1530;

export class Vfat implements FileSystem {
  readonly type = 'vfat';
  readonly root: NodeId = ROOT;
  readonly uuid?: string;
  readonly geometry: Geometry;
  readonly #volume: Volume;

  /** Use {@link mountVfat}. */
  constructor(volume: Volume) {
    this.#volume = volume;
    this.geometry = volume.geometry;
    const { serial } = volume.geometry;
    if (serial !== undefined) {
      const digits = serial.toString(16).toUpperCase().padStart(8, '0');
      this.uuid = `${digits.slice(0, 4)}-${digits.slice(4)}`;
    }
  }

  get label(): Bytes {
    return this.#volume.label;
  }

  get warnings(): readonly Warning[] {
    return this.#volume.warnings;
  }

  /** Reads what mounting needs beyond the boot sector: the label and FSInfo's signatures. */
  *begin(): Io<void> {
    const { fsInfoOffset, bits } = this.geometry;
    if (bits === 32 && fsInfoOffset !== undefined) {
      const info = FSINFO.read(yield* this.#volume.cache.read(fsInfoOffset, FSINFO.size));
      if (info.FSI_LeadSig !== FSINFO_LEAD || info.FSI_StrucSig !== FSINFO_STRUCTURE) {
        this.#volume.warn('the FSInfo sector has no valid signature; it is not used', fsInfoOffset);
      }
    }
    this.#volume.label = yield* readLabel(this.#volume);
  }

  *lookup(directory: NodeId, name: Bytes): Io<NodeId | undefined> {
    const text = decodeWtf8(name);
    if (text === undefined) return undefined;
    const entry = (yield* this.#volume.directory(yield* this.#volume.directoryNode(directory))).find(text);
    return entry === undefined ? undefined : this.#volume.nodeAt(entry.position);
  }

  *readDirectory(directory: NodeId, cursor = 0): Io<DirectoryPart> {
    const { entries } = yield* this.#volume.directory(yield* this.#volume.directoryNode(directory));
    const part: DirectoryEntry[] = [];
    let at = Math.max(0, cursor);
    for (; at < entries.length && part.length < PART; at++) {
      const entry = entries[at];
      if (entry === undefined) continue;
      part.push({
        name: encodeWtf8(entry.name),
        node: this.#volume.nodeAt(entry.position),
        kind: entry.isDirectory ? 'directory' : 'file',
      });
    }
    return at < entries.length ? { entries: part, next: at } : { entries: part };
  }

  *stat(id: NodeId): Io<Stat> {
    const node = yield* this.#volume.node(id);
    const { clusterSize } = this.geometry;
    const { zoneMinutes } = this.#volume;
    let { size } = node;
    let links = 1;
    if (node.isDirectory) {
      links = 2;
      try {
        const directory = yield* this.#volume.directory(node);
        links += directory.subdirectories;
        size = directory.slots * ENTRY_SIZE;
      } catch (error) {
        if (!(error instanceof Corrupt)) throw error;
        this.#volume.warn(error.message, node.offset);
      }
    }
    const { entry } = node;
    const readOnly = entry !== undefined && !node.isDirectory && (entry.DIR_Attr & ATTR_READ_ONLY) !== 0;
    const mtime = entry === undefined ? NO_TIME : decodeTime(entry.DIR_WrtDate, entry.DIR_WrtTime, 0, zoneMinutes);
    return {
      node: id,
      kind: node.isDirectory ? 'directory' : 'file',
      mode: (node.isDirectory ? S_IFDIR : S_IFREG) | (readOnly ? 0o555 : 0o755),
      links,
      uid: 0,
      gid: 0,
      size,
      blocks: (Math.ceil(size / clusterSize) * clusterSize) / 512,
      blockSize: clusterSize,
      atime: entry === undefined ? NO_TIME : decodeTime(entry.DIR_LstAccDate, 0, 0, zoneMinutes),
      mtime,
      ctime: mtime,
      ...(entry === undefined ? {} : { btime: decodeTime(entry.DIR_CrtDate, entry.DIR_CrtTime, entry.DIR_CrtTimeTenth, zoneMinutes) }),
      flags: entry?.DIR_Attr ?? ATTR_DIRECTORY,
    };
  }

  *read(id: NodeId, offset: number, target: Bytes): Io<number> {
    const node = yield* this.#volume.fileNode(id);
    const end = Math.min(node.size, offset + target.length);
    for (let at = offset; at < end; ) {
      const run = yield* this.#volume.runAt(node, at);
      const length = Math.min(end - at, run.length);
      // Straight into the target, adjacent clusters at once, past the page cache.
      yield* this.#volume.cache.device.readInto(run.deviceOffset, target.subarray(at - offset, at - offset + length));
      at += length;
    }
    return Math.max(0, end - offset);
  }

  *mapFile(id: NodeId, offset: number, length: number): Io<FileRun> {
    const node = yield* this.#volume.fileNode(id);
    if (!(offset >= 0 && offset < node.size && length > 0)) throw new Posix('EINVAL', { layer: 'vfat', inode: id });
    const run = yield* this.#volume.runAt(node, offset);
    return { length: Math.min(run.length, length, node.size - offset), hole: false, deviceOffset: run.deviceOffset };
  }

  *readlink(id: NodeId): Io<Bytes> {
    yield* this.#volume.node(id);
    throw new Posix('EINVAL', { layer: 'vfat', inode: id });
  }

  *xattrs(id: NodeId): Io<readonly ExtendedAttribute[]> {
    yield* this.#volume.node(id);
    return [];
  }

  *usage(): Io<Usage> {
    if (this.#volume.freeClusters === undefined) {
      const { generation } = this.#volume;
      const counted = yield* this.#volume.table.countFree();
      if (generation === this.#volume.generation) this.#volume.freeClusters = counted;
      return this.#usage(counted);
    }
    return this.#usage(this.#volume.freeClusters);
  }

  #usage(free: number): Usage {
    const { clusterSize, clusters } = this.geometry;
    return {
      blockSize: clusterSize,
      blocks: clusters,
      freeBlocks: free,
      availableBlocks: free,
      inodes: 0,
      freeInodes: 0,
      maximumNameLength: MAXIMUM_NAME_LENGTH,
    };
  }
}

/**
 * Mounts a FAT file system that begins at byte 0 of the device, for reading.
 *
 * Throws Corrupt where Linux would refuse to mount, Unsupported for relatives of FAT (Atari, DOS 1.x).
 */
export function* mountVfat(device: BlockDevice, options: VfatOptions = {}): Io<Vfat> {
  const cache = new CachedDevice(device, options.cacheBudget === undefined ? {} : { budget: options.cacheBudget });
  const geometry = yield* readGeometry(cache);
  const vfat = new Vfat(new Volume(cache, geometry, new FatTable(cache, geometry), options));
  yield* vfat.begin();
  return vfat;
}

/** Reads and judges the boot sector. */
export function* readGeometry(device: BlockDevice): Io<Geometry> {
  if (device.size < 512) throw new Corrupt('too small for a FAT file system', { layer: 'vfat', offset: 0 });
  return parseBootSector(yield* device.read(0, 512), device.size);
}
