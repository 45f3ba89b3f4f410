/** FAT for writing. Every verb is a transaction; what Linux's vfat answers to chmod, chown, link and their like is answered here. */
import type { Bytes } from '../bytes/struct.ts';
import { Refused } from '../errors.ts';
import type { Attributes, Creation, NodeId, WritableFileSystem } from '../filesystem/filesystem.ts';
import { WritableCachedDevice } from '../io/cache.ts';
import type { WritableDevice } from '../io/device.ts';
import type { Io } from '../io/effect.ts';
import { type TransactionalDevice, Transactions } from '../io/transaction.ts';
import { clusterOffset } from './bpb.ts';
import { existingEntry, insertEntry, removeEntry } from './directory-write.ts';
import { growFile, touchFile, transfer } from './file-write.ts';
import { ATTR_ARCHIVE, ATTR_DIRECTORY, ATTR_READ_ONLY, DIRECTORY_ENTRY, ENTRY_SIZE, MAX_FILE_SIZE, type ShortEntry } from './format.ts';
import { writeLabel } from './label-write.ts';
import { renameNode } from './rename.ts';
import { newName } from './shortname.ts';
import { encodeTime } from './time.ts';
import { readGeometry, Vfat } from './vfat.ts';
import type { Node } from './volume.ts';
import { type EntryFields, failure, parentCluster, type WritableVfatOptions, WritableVolume } from './writable-volume.ts';

export type { WritableVfatOptions } from './writable-volume.ts';

const SHORT_NAME_LENGTH = 11;
const SPACE = 0x20;

export class WritableVfat extends Vfat implements WritableFileSystem {
  readonly #volume: WritableVolume;
  readonly #transactions: Transactions;

  /** Use {@link mountWritableVfat}. */
  constructor(device: TransactionalDevice, volume: WritableVolume) {
    super(volume);
    this.#volume = volume;
    this.#transactions = new Transactions(device, () => volume.save());
  }

  #verb<T>(body: () => Io<T>): Io<T> {
    const volume = this.#volume;
    return this.#transactions.run(function* () {
      volume.generation++;
      const result = yield* body();
      yield* volume.commit();
      volume.generation++;
      return result;
    });
  }

  transaction<T>(body: () => Io<T>): Io<T> {
    return this.#transactions.run(body);
  }

  sync(): Io<void> {
    return this.#volume.device.flush();
  }

  /** What the file system lies on. */
  get device(): WritableDevice {
    return this.#volume.device;
  }

  /** Bytes of a cluster. */
  get clusterSize(): number {
    return this.#volume.geometry.clusterSize;
  }

  /** Shows the free runs, in bytes of the device. */
  eachFreeRun(visit: (offset: number, length: number) => Io<void>): Io<void> {
    const { fat, geometry } = this.#volume;
    return fat.eachFreeRun((cluster, count) => visit(clusterOffset(geometry, cluster), count * geometry.clusterSize));
  }

  create(directory: NodeId, name: Bytes, _creation: Creation): Io<NodeId> {
    const volume = this.#volume;
    return this.#verb(function* () {
      const parent = yield* volume.directoryNode(directory);
      return yield* addNode(volume, parent, newName(name), volume.newFields(ATTR_ARCHIVE, 0));
    });
  }

  mkdir(directory: NodeId, name: Bytes, _creation: Creation): Io<NodeId> {
    const volume = this.#volume;
    return this.#verb(function* () {
      const parent = yield* volume.directoryNode(directory);
      const text = newName(name);
      if ((yield* volume.directory(parent)).find(text) !== undefined) throw failure('EEXIST');
      const [taken] = yield* volume.fat.allocate(1, 0);
      const cluster = taken?.cluster ?? 0;
      const offset = clusterOffset(volume.geometry, cluster);
      const fields = volume.newFields(ATTR_DIRECTORY, cluster);
      const dots = new Uint8Array(volume.geometry.clusterSize);
      DIRECTORY_ENTRY.write(dots, 0, { ...fields, DIR_Name: dotName(1) });
      DIRECTORY_ENTRY.write(dots, ENTRY_SIZE, { ...fields, ...volume.startFields(parentCluster(parent)), DIR_Name: dotName(2) });
      yield* volume.device.write(offset, dots);
      return yield* addNode(volume, parent, text, fields);
    });
  }

  unlink(directory: NodeId, name: Bytes): Io<void> {
    const volume = this.#volume;
    return this.#verb(function* () {
      const parent = yield* volume.directoryNode(directory);
      const { contents, entry } = yield* existingEntry(volume, parent, name);
      const node = yield* volume.node(volume.nodeAt(entry.position));
      if (node.isDirectory) throw failure('EISDIR', node.id);
      yield* volume.fat.release(node.firstCluster, 0);
      yield* removeEntry(volume, contents, entry);
      volume.gone(node);
      yield* volume.stamp(parent);
    });
  }

  rmdir(directory: NodeId, name: Bytes): Io<void> {
    const volume = this.#volume;
    return this.#verb(function* () {
      const parent = yield* volume.directoryNode(directory);
      const { contents, entry } = yield* existingEntry(volume, parent, name);
      const node = yield* volume.directoryNode(volume.nodeAt(entry.position));
      if ((yield* volume.directory(node)).count > 0) throw failure('ENOTEMPTY', node.id);
      yield* volume.fat.release(node.firstCluster, 0);
      yield* removeEntry(volume, contents, entry);
      volume.gone(node);
      yield* volume.stamp(parent);
    });
  }

  rename(directory: NodeId, name: Bytes, newDirectory: NodeId, newBytes: Bytes): Io<void> {
    return this.#verb(() => renameNode(this.#volume, directory, name, newDirectory, newBytes));
  }

  write(id: NodeId, offset: number, bytes: Bytes): Io<void> {
    const volume = this.#volume;
    return this.#verb(function* () {
      const node = yield* volume.fileNode(id);
      if (!(Number.isSafeInteger(offset) && offset >= 0)) throw failure('EINVAL', id);
      if (bytes.length === 0) return;
      const end = offset + bytes.length;
      if (end > MAX_FILE_SIZE) throw failure('EFBIG', id);
      const grown = yield* growFile(volume, node, Math.max(node.size, end), offset);
      yield* transfer(volume, grown, offset, end, (at, from, to) => volume.device.write(at, bytes.subarray(from - offset, to - offset)));
      yield* touchFile(volume, grown);
    });
  }

  truncate(id: NodeId, size: number): Io<void> {
    const volume = this.#volume;
    return this.#verb(function* () {
      const node = yield* volume.fileNode(id);
      if (!(Number.isSafeInteger(size) && size >= 0)) throw failure('EINVAL', id);
      if (size > MAX_FILE_SIZE) throw failure('EFBIG', id);
      if (size >= node.size) {
        yield* touchFile(volume, yield* growFile(volume, node, size, size));
        return;
      }
      const keep = Math.ceil(size / volume.geometry.clusterSize);
      yield* volume.fat.release(node.firstCluster, keep);
      volume.chains.delete(id);
      yield* touchFile(volume, { ...node, firstCluster: keep === 0 ? 0 : node.firstCluster, size });
    });
  }

  setAttributes(id: NodeId, attributes: Attributes): Io<void> {
    const volume = this.#volume;
    return this.#verb(function* () {
      const node = yield* volume.node(id);
      const { mode, uid, gid, atime, mtime } = attributes;
      if ((uid !== undefined && uid !== 0) || (gid !== undefined && gid !== 0)) throw failure('EPERM', id);
      if (mode !== undefined && (mode & ~0o777) !== 0) throw failure('EPERM', id);
      const { entry, offset } = node;
      if (entry === undefined || offset === undefined) return;
      const change: Partial<ShortEntry> = {};
      const readOnly = mode === undefined || node.isDirectory ? undefined : readOnlyOf(mode);
      if (readOnly !== undefined) {
        change.DIR_Attr = readOnly ? entry.DIR_Attr | ATTR_READ_ONLY : entry.DIR_Attr & ~ATTR_READ_ONLY;
      }
      if (atime !== undefined) change.DIR_LstAccDate = encodeTime(atime, volume.zoneMinutes).date;
      if (mtime !== undefined) {
        const { date, time } = encodeTime(mtime, volume.zoneMinutes);
        change.DIR_WrtDate = date;
        change.DIR_WrtTime = time;
      }
      yield* volume.patchEntry(offset, change);
    });
  }

  setLabel(label: Bytes): Io<void> {
    return this.#verb(() => writeLabel(this.#volume, label));
  }

  symlink(): Io<NodeId> {
    return refuse('EPERM');
  }

  mknod(): Io<NodeId> {
    return refuse('EPERM');
  }

  link(): Io<void> {
    return refuse('EPERM');
  }

  punch(): Io<void> {
    return refuse('EOPNOTSUPP');
  }

  setXattr(): Io<void> {
    return refuse('EOPNOTSUPP');
  }

  removeXattr(): Io<void> {
    return refuse('EOPNOTSUPP');
  }
}

/** Adds a new node's name. */
function* addNode(volume: WritableVolume, parent: Node, text: string, fields: EntryFields): Io<NodeId> {
  const contents = yield* volume.directory(parent);
  if (contents.find(text) !== undefined) throw failure('EEXIST');
  const entry = yield* insertEntry(volume, parent, contents, text, fields);
  yield* volume.stamp(parent);
  return volume.numbers.claim(entry.position);
}

// biome-ignore lint/correctness/useYield: the answer is known
function* refuse<T>(code: 'EPERM' | 'EOPNOTSUPP'): Io<T> {
  throw failure(code);
}

function dotName(dots: number): Bytes {
  return new Uint8Array(SHORT_NAME_LENGTH).fill(SPACE).fill(0x2e, 0, dots);
}

/** Whether a mode means the read-only attribute; undefined where Linux's vfat silently ignores it: it keeps no other bits than these. */
function readOnlyOf(mode: number): boolean | undefined {
  const kept = mode & 0o755;
  return kept === 0o555 ? true : kept === 0o755 ? false : undefined;
}

/**
 * Mounts a FAT file system for reading and writing. Throws what mountVfat throws, and Refused for what cannot be written safely: a FAT32
 * version other than 0.0, FATs that are not mirrored.
 */
export function* mountWritableVfat(device: TransactionalDevice, options: WritableVfatOptions = {}): Io<WritableVfat> {
  const cache = new WritableCachedDevice(device, options.cacheBudget === undefined ? {} : { budget: options.cacheBudget });
  const geometry = yield* readGeometry(cache);
  if (geometry.version !== 0) throw new Refused('a FAT32 of an unknown version is not written', { layer: 'vfat' });
  if (!geometry.mirrored) throw new Refused('a FAT32 whose FATs are not mirrored is not written', { layer: 'vfat' });
  if (geometry.totalLength > device.size)
    throw new Refused('a file system that is longer than its device is not written', { layer: 'vfat' });
  if (options.beyondEnd === true) throw new Refused('directories that are read beyond their end are not written', { layer: 'vfat' });
  const vfat = new WritableVfat(device, new WritableVolume(cache, geometry, options));
  yield* vfat.begin();
  return vfat;
}
