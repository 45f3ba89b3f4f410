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
import { clusterOffset, type Geometry, parseBootSector } from './bpb.ts';
import { Chain } from './chain.ts';
import { type CodePage, decodeCodePage } from './codepage.ts';
import { type Directory, type DirectoryPlace, loadDirectory } from './directory.ts';
import {
  ATTR_DIRECTORY,
  ATTR_LONG_NAME,
  ATTR_READ_ONLY,
  ATTR_VOLUME_ID,
  DIRECTORY_ENTRY,
  ENTRY_SIZE,
  FIRST_CLUSTER,
  FSINFO,
  FSINFO_LEAD,
  FSINFO_STRUCTURE,
  MAX_DIRECTORY_ENTRIES,
  NAME_DELETED,
  NAME_END,
  type ShortEntry,
} from './format.ts';
import { FatTable } from './table.ts';
import { decodeTime } from './time.ts';
import { decodeWtf8, encodeWtf8 } from './wtf8.ts';

export interface VfatOptions {
  /** The code page of short names; default 437, as Linux has it. */
  readonly codePage?: CodePage;
  /** Minutes by which the clocks of the image's writers were ahead of UTC; default 0. FAT stores local time without a zone. */
  readonly zoneMinutes?: number;
  /** Go on after the mark that ends a directory, as Linux does; default false. */
  readonly beyondEnd?: boolean;
  /** Bytes of pages to keep; default 16 MiB. */
  readonly cacheBudget?: number;
}

/** The number of the root directory, as in Linux; other nodes are numbered by the place of their short entry, in units of 32 bytes. */
export const ROOT: NodeId = 1;
const NO_TIME: Timestamp = { seconds: 0, nanoseconds: 0 };
/** Names of a directory given at a time. */
const PART = 1024;
/** Slots of directories kept in memory, chains kept, directories watched for having two parents, warnings kept. */
const MAX_CACHED_SLOTS = 4 * MAX_DIRECTORY_ENTRIES;
const MAX_CHAINS = 64;
const MAX_CLAIMS = 100_000;
const MAX_WARNINGS = 1000;
/** What Linux's statfs says: 255 units of up to 6 bytes. */
const MAXIMUM_NAME_LENGTH = 1530;

/** A node as its short entry tells; the root has none. */
export interface Node {
  readonly id: NodeId;
  /** Byte offset of the short entry; undefined for the root. */
  readonly offset: number | undefined;
  readonly entry: ShortEntry | undefined;
  readonly isDirectory: boolean;
  readonly firstCluster: number;
  /** Bytes of a file as its entry tells; 0 for directories. */
  readonly size: number;
}

export class Vfat implements FileSystem {
  readonly type = 'vfat';
  readonly root: NodeId = ROOT;
  readonly uuid?: string;
  readonly geometry: Geometry;
  protected readonly cache: CachedDevice<BlockDevice>;
  protected readonly table: FatTable;
  protected readonly codePage: CodePage;
  protected readonly zoneMinutes: number;
  protected readonly directories: Map<NodeId, Directory> = new Map();
  protected readonly chains: Map<NodeId, Chain> = new Map();
  /** Which node each directory's first cluster was first seen under: two of them would make the tree a graph. */
  protected readonly claims: Map<number, NodeId> = new Map();
  /** Goes up with every change, so that what was read meanwhile is not kept. */
  protected generation = 0;
  protected freeClusters: number | undefined;
  protected currentLabel: Bytes = new Uint8Array();
  readonly #beyondEnd: boolean;
  readonly #warnings: Warning[];
  readonly #warned = new Set<string>();
  #cachedSlots = 0;

  /** Use {@link mountVfat}. */
  constructor(cache: CachedDevice<BlockDevice>, geometry: Geometry, table: FatTable, options: VfatOptions) {
    this.cache = cache;
    this.geometry = geometry;
    this.table = table;
    this.codePage = options.codePage ?? 437;
    this.zoneMinutes = options.zoneMinutes ?? 0;
    this.#beyondEnd = options.beyondEnd ?? false;
    this.#warnings = [...geometry.warnings];
    if (geometry.serial !== undefined) {
      const digits = geometry.serial.toString(16).toUpperCase().padStart(8, '0');
      this.uuid = `${digits.slice(0, 4)}-${digits.slice(4)}`;
    }
  }

  get label(): Bytes {
    return this.currentLabel;
  }

  get warnings(): readonly Warning[] {
    return this.#warnings;
  }

  /** Reads what mounting needs beyond the boot sector: the label and FSInfo's signatures. */
  *begin(): Io<void> {
    const { fsInfoOffset, bits } = this.geometry;
    if (bits === 32 && fsInfoOffset !== undefined) {
      const info = FSINFO.read(yield* this.cache.read(fsInfoOffset, FSINFO.size));
      if (info.FSI_LeadSig !== FSINFO_LEAD || info.FSI_StrucSig !== FSINFO_STRUCTURE) {
        this.warn('the FSInfo sector has no valid signature; it is not used', fsInfoOffset);
      }
    }
    yield* this.refreshLabel();
  }

  /** Finds the label: the root directory's entry, else the boot sector's. */
  protected *refreshLabel(): Io<void> {
    const { bootLabel } = this.geometry;
    let text = '';
    try {
      const root = yield* this.directory(this.rootNode());
      text = root.label?.text ?? '';
    } catch (error) {
      if (!(error instanceof Corrupt)) throw error;
      this.warn(`the root directory cannot be read: ${error.message}`);
    }
    if (text === '' && bootLabel !== undefined) {
      const own = decodeCodePage(this.codePage, bootLabel).replace(/[ \0]+$/, '');
      if (own !== 'NO NAME') text = own;
    }
    this.currentLabel = encodeWtf8(text);
  }

  *lookup(directory: NodeId, name: Bytes): Io<NodeId | undefined> {
    const text = decodeWtf8(name);
    if (text === undefined) return undefined;
    const entry = (yield* this.directory(yield* this.directoryNode(directory))).find(text);
    return entry === undefined ? undefined : this.nodeAt(entry.position);
  }

  *readDirectory(directory: NodeId, cursor = 0): Io<DirectoryPart> {
    const { entries } = yield* this.directory(yield* this.directoryNode(directory));
    const part: DirectoryEntry[] = [];
    let at = Math.max(0, cursor);
    for (; at < entries.length && part.length < PART; at++) {
      const entry = entries[at];
      if (entry === undefined) continue;
      part.push({
        name: encodeWtf8(entry.name),
        node: this.nodeAt(entry.position),
        kind: entry.isDirectory ? 'directory' : 'file',
      });
    }
    return at < entries.length ? { entries: part, next: at } : { entries: part };
  }

  *stat(id: NodeId): Io<Stat> {
    const node = yield* this.node(id);
    const { clusterSize } = this.geometry;
    let { size } = node;
    let links = 1;
    if (node.isDirectory) {
      links = 2;
      try {
        const directory = yield* this.directory(node);
        links += directory.subdirectories;
        size = directory.slots * ENTRY_SIZE;
      } catch (error) {
        if (!(error instanceof Corrupt)) throw error;
        this.warn(error.message, node.offset);
      }
    }
    const { entry } = node;
    const readOnly = entry !== undefined && !node.isDirectory && (entry.DIR_Attr & ATTR_READ_ONLY) !== 0;
    const mtime = entry === undefined ? NO_TIME : decodeTime(entry.DIR_WrtDate, entry.DIR_WrtTime, 0, this.zoneMinutes);
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
      atime: entry === undefined ? NO_TIME : decodeTime(entry.DIR_LstAccDate, 0, 0, this.zoneMinutes),
      mtime,
      ctime: mtime,
      ...(entry === undefined ? {} : { btime: decodeTime(entry.DIR_CrtDate, entry.DIR_CrtTime, entry.DIR_CrtTimeTenth, this.zoneMinutes) }),
      flags: entry?.DIR_Attr ?? ATTR_DIRECTORY,
    };
  }

  *read(id: NodeId, offset: number, target: Bytes): Io<number> {
    const node = yield* this.fileNode(id);
    const end = Math.min(node.size, offset + target.length);
    for (let at = offset; at < end; ) {
      const run = yield* this.#runAt(node, at);
      const length = Math.min(end - at, run.length);
      // Straight into the target, adjacent clusters at once, past the page cache.
      yield* this.cache.device.readInto(run.deviceOffset, target.subarray(at - offset, at - offset + length));
      at += length;
    }
    return Math.max(0, end - offset);
  }

  *mapFile(id: NodeId, offset: number, length: number): Io<FileRun> {
    const node = yield* this.fileNode(id);
    if (!(offset >= 0 && offset < node.size && length > 0)) throw new Posix('EINVAL', { layer: 'vfat', inode: id });
    const run = yield* this.#runAt(node, offset);
    return { length: Math.min(run.length, length, node.size - offset), hole: false, deviceOffset: run.deviceOffset };
  }

  *readlink(id: NodeId): Io<Bytes> {
    yield* this.node(id);
    throw new Posix('EINVAL', { layer: 'vfat', inode: id });
  }

  *xattrs(id: NodeId): Io<readonly ExtendedAttribute[]> {
    yield* this.node(id);
    return [];
  }

  *usage(): Io<Usage> {
    if (this.freeClusters === undefined) {
      const { generation } = this;
      const counted = yield* this.table.countFree();
      if (generation === this.generation) this.freeClusters = counted;
      return this.#usage(counted);
    }
    return this.#usage(this.freeClusters);
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

  /** The bytes from `offset` of a file to the end of their run of clusters. Throws Corrupt where the chain is shorter than the file. */
  *#runAt(node: Node, offset: number): Io<{ readonly deviceOffset: number; readonly length: number }> {
    const { clusterSize } = this.geometry;
    const index = Math.floor(offset / clusterSize);
    const within = offset - index * clusterSize;
    const run = yield* this.chain(node).runAt(index);
    if (run === undefined) {
      throw new Corrupt(`the file ends after ${index} clusters but is ${node.size} bytes long; run fsck.vfat`, {
        layer: 'vfat',
        inode: node.id,
      });
    }
    return { deviceOffset: clusterOffset(this.geometry, run.cluster) + within, length: run.count * clusterSize - within };
  }

  /** The cluster chain of a node, remembered. */
  protected chain(node: Node): Chain {
    let chain = this.chains.get(node.id);
    if (chain === undefined || chain.first !== node.firstCluster) {
      chain = new Chain(this.table, node.firstCluster);
      const oldest = this.chains.keys().next();
      if (this.chains.size >= MAX_CHAINS && oldest.done !== true) this.chains.delete(oldest.value);
    } else this.chains.delete(node.id);
    this.chains.set(node.id, chain);
    return chain;
  }

  /** The node's number for a short entry's place. */
  protected nodeAt(position: number): NodeId {
    return position;
  }

  /** The place of a node's short entry, in units of 32 bytes. */
  protected positionOf(node: NodeId): number {
    return node;
  }

  protected rootNode(): Node {
    return { id: ROOT, offset: undefined, entry: undefined, isDirectory: true, firstCluster: this.geometry.rootCluster, size: 0 };
  }

  /** Reads a node's entry; ENOENT when there is none (any more). */
  protected *node(id: NodeId): Io<Node> {
    if (id === ROOT) return this.rootNode();
    const offset = this.positionOf(id) * ENTRY_SIZE;
    const gone = (): Posix => new Posix('ENOENT', { layer: 'vfat', inode: id });
    if (!(Number.isSafeInteger(offset) && offset >= this.geometry.rootOffset && offset + ENTRY_SIZE <= this.cache.size)) throw gone();
    const entry = DIRECTORY_ENTRY.read(yield* this.cache.read(offset, ENTRY_SIZE));
    const first = entry.DIR_Name[0];
    if (first === NAME_END || first === NAME_DELETED) throw gone();
    if (entry.DIR_Attr === ATTR_LONG_NAME || (entry.DIR_Attr & ATTR_VOLUME_ID) !== 0) throw gone();
    const isDirectory = (entry.DIR_Attr & ATTR_DIRECTORY) !== 0;
    const high = this.geometry.bits === 32 ? entry.DIR_FstClusHI : 0;
    return {
      id,
      offset,
      entry,
      isDirectory,
      firstCluster: high * 0x1_0000 + entry.DIR_FstClusLO,
      size: isDirectory ? 0 : entry.DIR_FileSize,
    };
  }

  protected *directoryNode(id: NodeId): Io<Node> {
    const node = yield* this.node(id);
    if (!node.isDirectory) throw new Posix('ENOTDIR', { layer: 'vfat', inode: id });
    return node;
  }

  protected *fileNode(id: NodeId): Io<Node> {
    const node = yield* this.node(id);
    if (node.isDirectory) throw new Posix('EISDIR', { layer: 'vfat', inode: id });
    return node;
  }

  /** A directory's contents, from memory where they are. */
  protected *directory(node: Node): Io<Directory> {
    const known = this.directories.get(node.id);
    if (known !== undefined && known.place.cluster === node.firstCluster) {
      this.directories.delete(node.id);
      this.directories.set(node.id, known);
      return known;
    }
    const place = this.#claim(node);
    for (;;) {
      const { generation } = this;
      const directory = yield* loadDirectory(
        {
          cache: this.cache,
          geometry: this.geometry,
          table: this.table,
          codePage: this.codePage,
          beyondEnd: this.#beyondEnd,
          warn: (message, offset) => this.warn(message, offset),
        },
        place,
      );
      if (generation !== this.generation) continue;
      // Another computation may have read it meanwhile: there must be one of each, for the writer changes it.
      const other = this.directories.get(node.id);
      if (other !== undefined && other.place.cluster === node.firstCluster) return other;
      this.#keep(node.id, directory);
      return directory;
    }
  }

  /** Where a directory stands. Throws Corrupt when it is the root, no cluster, or another directory's too: that could never end. */
  #claim(node: Node): DirectoryPlace {
    const cluster = node.firstCluster;
    if (node.id === ROOT) return { cluster, isRoot: true };
    const bad = (what: string): Corrupt => new Corrupt(what, { layer: 'vfat', inode: node.id });
    if (cluster < FIRST_CLUSTER || cluster > this.geometry.lastCluster) throw bad(`a directory begins at cluster ${cluster}`);
    if (cluster === this.geometry.rootCluster) throw bad('a directory begins where the root directory does');
    const owner = this.claims.get(cluster);
    if (owner !== undefined && owner !== node.id) throw bad(`a directory is the same as the directory of inode ${owner}`);
    this.claims.delete(cluster);
    const oldest = this.claims.keys().next();
    if (this.claims.size >= MAX_CLAIMS && oldest.done !== true) this.claims.delete(oldest.value);
    this.claims.set(cluster, node.id);
    return { cluster, isRoot: false };
  }

  #keep(id: NodeId, directory: Directory): void {
    this.forgetDirectory(id);
    this.directories.set(id, directory);
    // Counted by slots, which the writer's changes leave alone but for growth.
    directory.weight = directory.slots;
    this.#cachedSlots += directory.weight;
    for (const oldest of this.directories.keys()) {
      if (this.#cachedSlots <= MAX_CACHED_SLOTS || oldest === id) break;
      this.forgetDirectory(oldest);
    }
  }

  protected forgetDirectory(id: NodeId): void {
    const known = this.directories.get(id);
    if (known === undefined) return;
    this.directories.delete(id);
    this.#cachedSlots -= known.weight;
  }

  /** Forgets all that was remembered of the device. */
  protected forgetEverything(): void {
    this.generation++;
    this.directories.clear();
    this.chains.clear();
    this.claims.clear();
    this.#cachedSlots = 0;
  }

  /** Takes note of a problem, once. */
  protected warn(message: string, offset?: number): void {
    const key = `${offset}:${message}`;
    if (this.#warnings.length >= MAX_WARNINGS || this.#warned.has(key)) return;
    this.#warned.add(key);
    this.#warnings.push(offset === undefined ? { message } : { message, offset });
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
  const vfat = new Vfat(cache, geometry, new FatTable(cache, geometry), options);
  yield* vfat.begin();
  return vfat;
}

/** Reads and judges the boot sector. */
export function* readGeometry(device: BlockDevice): Io<Geometry> {
  if (device.size < 512) throw new Corrupt('too small for a FAT file system', { layer: 'vfat', offset: 0 });
  return parseBootSector(yield* device.read(0, 512), device.size);
}
