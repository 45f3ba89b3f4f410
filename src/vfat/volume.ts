/** What a FAT file system knows of its device, and remembers of it: nodes, the contents of directories, cluster chains, warnings. */
import type { Bytes } from '../bytes/struct.ts';
import { Corrupt, Posix } from '../errors.ts';
import type { NodeId, Warning } from '../filesystem/filesystem.ts';
import type { CachedDevice } from '../io/cache.ts';
import type { BlockDevice } from '../io/device.ts';
import type { Io } from '../io/effect.ts';
import { clusterOffset, type Geometry } from './bpb.ts';
import { Chain } from './chain.ts';
import type { CodePage } from './codepage.ts';
import { type Directory, type DirectoryPlace, loadDirectory } from './directory.ts';
import {
  ATTR_DIRECTORY,
  ATTR_LONG_NAME,
  ATTR_VOLUME_ID,
  DIRECTORY_ENTRY,
  ENTRY_SIZE,
  FIRST_CLUSTER,
  MAX_DIRECTORY_ENTRIES,
  NAME_DELETED,
  NAME_END,
  type ShortEntry,
} from './format.ts';
import type { FatTable } from './table.ts';

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
/** Slots of directories kept in memory, chains kept, directories watched for having two parents, warnings kept. */
const MAX_CACHED_SLOTS = 4 * MAX_DIRECTORY_ENTRIES;
const MAX_CHAINS = 64;
const MAX_CLAIMS = 100_000;
const MAX_WARNINGS = 1000;

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

export class Volume {
  readonly geometry: Geometry;
  readonly cache: CachedDevice<BlockDevice>;
  readonly table: FatTable;
  readonly codePage: CodePage;
  readonly zoneMinutes: number;
  readonly directories: Map<NodeId, Directory> = new Map();
  readonly chains: Map<NodeId, Chain> = new Map();
  /** Which node each directory's first cluster was first seen under: two of them would make the tree a graph. */
  readonly claims: Map<number, NodeId> = new Map();
  /** Goes up with every change, so that what was read meanwhile is not kept. */
  generation = 0;
  /** Undefined until they were counted. */
  freeClusters: number | undefined;
  label: Bytes = new Uint8Array();
  readonly #beyondEnd: boolean;
  readonly #warnings: Warning[];
  readonly #warned = new Set<string>();
  #cachedSlots = 0;

  constructor(cache: CachedDevice<BlockDevice>, geometry: Geometry, table: FatTable, options: VfatOptions) {
    this.cache = cache;
    this.geometry = geometry;
    this.table = table;
    this.codePage = options.codePage ?? 437;
    this.zoneMinutes = options.zoneMinutes ?? 0;
    this.#beyondEnd = options.beyondEnd ?? false;
    this.#warnings = [...geometry.warnings];
  }

  get warnings(): readonly Warning[] {
    return this.#warnings;
  }

  /** The bytes from `offset` of a file to the end of their run of clusters. Throws Corrupt where the chain is shorter than the file. */
  *runAt(node: Node, offset: number): Io<{ readonly deviceOffset: number; readonly length: number }> {
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
  chain(node: Node): Chain {
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
  nodeAt(position: number): NodeId {
    return position;
  }

  /** The place of a node's short entry, in units of 32 bytes. */
  positionOf(node: NodeId): number {
    return node;
  }

  rootNode(): Node {
    return { id: ROOT, offset: undefined, entry: undefined, isDirectory: true, firstCluster: this.geometry.rootCluster, size: 0 };
  }

  /** Reads a node's entry; ENOENT when there is none (any more). */
  *node(id: NodeId): Io<Node> {
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

  *directoryNode(id: NodeId): Io<Node> {
    const node = yield* this.node(id);
    if (!node.isDirectory) throw new Posix('ENOTDIR', { layer: 'vfat', inode: id });
    return node;
  }

  *fileNode(id: NodeId): Io<Node> {
    const node = yield* this.node(id);
    if (node.isDirectory) throw new Posix('EISDIR', { layer: 'vfat', inode: id });
    return node;
  }

  /** A directory's contents, from memory where they are. */
  *directory(node: Node): Io<Directory> {
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

  forgetDirectory(id: NodeId): void {
    const known = this.directories.get(id);
    if (known === undefined) return;
    this.directories.delete(id);
    this.#cachedSlots -= known.weight;
  }

  /** Forgets all that was remembered of the device. */
  forgetEverything(): void {
    this.generation++;
    this.directories.clear();
    this.chains.clear();
    this.claims.clear();
    this.#cachedSlots = 0;
  }

  /** Takes note of a problem, once. */
  warn(message: string, offset?: number): void {
    const key = `${offset}:${message}`;
    if (this.#warnings.length >= MAX_WARNINGS || this.#warned.has(key)) return;
    this.#warned.add(key);
    this.#warnings.push(offset === undefined ? { message } : { message, offset });
  }
}
