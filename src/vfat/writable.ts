/** FAT for writing. Every verb is a transaction; what Linux's vfat answers to chmod, chown, link and their like is answered here. */
import type { Bytes } from '../bytes/struct.ts';
import { Corrupt, Posix, Refused } from '../errors.ts';
import type { Attributes, Creation, NodeId, Timestamp, WritableFileSystem } from '../filesystem/filesystem.ts';
import { WritableCachedDevice } from '../io/cache.ts';
import type { Io } from '../io/effect.ts';
import { type Savepoint, type TransactionalDevice, Transactions } from '../io/transaction.ts';
import { WritableFatTable } from './allocation.ts';
import { clusterOffset, type Geometry } from './bpb.ts';
import { encodeCharacter } from './codepage.ts';
import type { Directory, Entry } from './directory.ts';
import {
  ATTR_ARCHIVE,
  ATTR_DIRECTORY,
  ATTR_READ_ONLY,
  ATTR_VOLUME_ID,
  BOOT_SIGNATURE_FULL,
  DIRECTORY_ENTRY,
  ENTRY_SIZE,
  EXTENDED_BOOT_RECORD,
  FSINFO,
  FSINFO_LEAD,
  FSINFO_STRUCTURE,
  MAX_DIRECTORY_ENTRIES,
  MAX_FILE_SIZE,
  NAME_DELETED,
  NTRES_LOWER_BASE,
  NTRES_LOWER_EXTENSION,
  type ShortEntry,
} from './format.ts';
import { decodeShortName, encodeLongName, shortNameChecksum } from './names.ts';
import { NodeNumbers } from './numbers.ts';
import { checkNewName, makeShortName } from './shortname.ts';
import { encodeTime } from './time.ts';
import { type Node, ROOT, readGeometry, Vfat, type VfatOptions } from './vfat.ts';
import { decodeWtf8, encodeWtf8 } from './wtf8.ts';

export interface WritableVfatOptions extends VfatOptions {
  /** The clock that stamps what is changed; by default the host's. */
  readonly clock?: () => Timestamp;
}

/** Levels of directories to climb before giving up on a tree that never ends. */
const MAX_DEPTH = 65_536;
const LABEL_LENGTH = 11;
const SPACE = 0x20;

function hostClock(): Timestamp {
  const now = Date.now();
  const seconds = Math.floor(now / 1000);
  return { seconds, nanoseconds: (now - seconds * 1000) * 1_000_000 };
}

function failure(
  code: 'EEXIST' | 'ENOENT' | 'ENOTDIR' | 'EISDIR' | 'ENOTEMPTY' | 'EINVAL' | 'ENOSPC' | 'EPERM' | 'EFBIG' | 'EOPNOTSUPP',
  inode?: NodeId,
): Posix {
  return new Posix(code, inode === undefined ? { layer: 'vfat' } : { layer: 'vfat', inode });
}

/** The fields of a short entry besides its name. */
type EntryFields = Omit<ShortEntry, 'DIR_Name'>;

export class WritableVfat extends Vfat implements WritableFileSystem {
  readonly #device: WritableCachedDevice;
  readonly #fat: WritableFatTable;
  readonly #transactions: Transactions;
  readonly #numbers: NodeNumbers;
  readonly #clock: () => Timestamp;
  /** `freed` of the table's state when FSInfo was last brought up to date. */
  #accounted = 0;

  /** Use {@link mountWritableVfat}. */
  constructor(device: TransactionalDevice, cache: WritableCachedDevice, geometry: Geometry, options: WritableVfatOptions) {
    const fat = new WritableFatTable(cache, geometry);
    super(cache, geometry, fat, options);
    this.#device = cache;
    this.#fat = fat;
    this.#numbers = new NodeNumbers(Math.ceil(device.size / ENTRY_SIZE) + 1);
    this.#transactions = new Transactions(device, () => this.#save());
    this.#clock = options.clock ?? hostClock;
  }

  #save(): Savepoint {
    const { state } = this.#fat;
    const numbers = this.#numbers.mark();
    const { freeClusters, currentLabel } = this;
    const accounted = this.#accounted;
    return {
      restore: () => {
        this.#fat.restore(state);
        numbers.restore();
        this.freeClusters = freeClusters;
        this.currentLabel = currentLabel;
        this.#accounted = accounted;
        // Directories and chains may have been changed in memory: they are read again.
        this.forgetEverything();
        this.#device.clear();
      },
      release: () => numbers.release(),
    };
  }

  #verb<T>(body: () => Io<T>): Io<T> {
    const self = this;
    return this.#transactions.run(function* () {
      self.generation++;
      const result = yield* body();
      yield* self.#fat.flush();
      yield* self.#account();
      self.generation++;
      return result;
    });
  }

  transaction<T>(body: () => Io<T>): Io<T> {
    return this.#transactions.run(body);
  }

  sync(): Io<void> {
    return this.#device.flush();
  }

  create(directory: NodeId, name: Bytes, _creation: Creation): Io<NodeId> {
    const self = this;
    return this.#verb(function* () {
      const parent = yield* self.directoryNode(directory);
      return yield* self.#add(parent, newName(name), self.#newFields(ATTR_ARCHIVE, 0));
    });
  }

  mkdir(directory: NodeId, name: Bytes, _creation: Creation): Io<NodeId> {
    const self = this;
    return this.#verb(function* () {
      const parent = yield* self.directoryNode(directory);
      const text = newName(name);
      if ((yield* self.directory(parent)).find(text) !== undefined) throw failure('EEXIST');
      const [taken] = yield* self.#fat.allocate(1, 0);
      const cluster = taken?.cluster ?? 0;
      const offset = clusterOffset(self.geometry, cluster);
      const fields = self.#newFields(ATTR_DIRECTORY, cluster);
      const dots = new Uint8Array(self.geometry.clusterSize);
      DIRECTORY_ENTRY.write(dots, 0, { ...fields, DIR_Name: dotName(1) });
      DIRECTORY_ENTRY.write(dots, ENTRY_SIZE, { ...fields, ...self.#startFields(parentCluster(parent)), DIR_Name: dotName(2) });
      yield* self.#device.write(offset, dots);
      return yield* self.#add(parent, text, fields);
    });
  }

  unlink(directory: NodeId, name: Bytes): Io<void> {
    const self = this;
    return this.#verb(function* () {
      const parent = yield* self.directoryNode(directory);
      const { contents, entry } = yield* self.#existing(parent, name);
      const node = yield* self.node(self.nodeAt(entry.position));
      if (node.isDirectory) throw failure('EISDIR', node.id);
      yield* self.#fat.release(node.firstCluster, 0);
      yield* self.#remove(contents, entry);
      self.#gone(node);
      yield* self.#stamp(parent);
    });
  }

  rmdir(directory: NodeId, name: Bytes): Io<void> {
    const self = this;
    return this.#verb(function* () {
      const parent = yield* self.directoryNode(directory);
      const { contents, entry } = yield* self.#existing(parent, name);
      const node = yield* self.directoryNode(self.nodeAt(entry.position));
      if ((yield* self.directory(node)).count > 0) throw failure('ENOTEMPTY', node.id);
      yield* self.#fat.release(node.firstCluster, 0);
      yield* self.#remove(contents, entry);
      self.#gone(node);
      yield* self.#stamp(parent);
    });
  }

  rename(directory: NodeId, name: Bytes, newDirectory: NodeId, newBytes: Bytes): Io<void> {
    const self = this;
    return this.#verb(function* () {
      const from = yield* self.directoryNode(directory);
      const to = yield* self.directoryNode(newDirectory);
      const { contents, entry } = yield* self.#existing(from, name);
      const node = yield* self.node(self.nodeAt(entry.position));
      const fields = node.entry as ShortEntry;
      const asGiven = decodeWtf8(newBytes);
      const target = yield* self.directory(to);
      const there = asGiven === undefined ? undefined : target.find(asGiven);
      if (node.isDirectory && to.id !== from.id) yield* self.#refuseInside(node, to);
      if (there !== undefined && there.position !== entry.position) {
        yield* self.#replace(node, there);
        yield* self.#remove(contents, entry);
        self.#numbers.move(node.id, there.position);
        const slot = there.slot;
        target.remove(there);
        target.add({ ...there, slot, isDirectory: node.isDirectory });
      } else {
        const text = newName(newBytes);
        if (there !== undefined && there.name === text) return;
        // The old name goes first, so that its slots and its short name are free for the new one.
        yield* self.#remove(contents, entry);
        const added = yield* self.#insert(to, target, text, fields);
        self.#numbers.move(node.id, added.position);
      }
      if (node.isDirectory && to.id !== from.id) {
        const offset = clusterOffset(self.geometry, node.firstCluster) + ENTRY_SIZE;
        yield* self.#patchEntry(offset, self.#startFields(parentCluster(to)));
      }
      self.chains.delete(node.id);
      yield* self.#stamp(from);
      if (to.id !== from.id) yield* self.#stamp(to);
    });
  }

  write(id: NodeId, offset: number, bytes: Bytes): Io<void> {
    const self = this;
    return this.#verb(function* () {
      const node = yield* self.fileNode(id);
      if (!(Number.isSafeInteger(offset) && offset >= 0)) throw failure('EINVAL', id);
      if (bytes.length === 0) return;
      const end = offset + bytes.length;
      if (end > MAX_FILE_SIZE) throw failure('EFBIG', id);
      const grown = yield* self.#grow(node, Math.max(node.size, end), offset);
      yield* self.#transfer(grown, offset, end, (at, from, to) => self.#device.write(at, bytes.subarray(from - offset, to - offset)));
      yield* self.#touch(grown);
    });
  }

  truncate(id: NodeId, size: number): Io<void> {
    const self = this;
    return this.#verb(function* () {
      const node = yield* self.fileNode(id);
      if (!(Number.isSafeInteger(size) && size >= 0)) throw failure('EINVAL', id);
      if (size > MAX_FILE_SIZE) throw failure('EFBIG', id);
      if (size >= node.size) {
        yield* self.#touch(yield* self.#grow(node, size, size));
        return;
      }
      const keep = Math.ceil(size / self.geometry.clusterSize);
      yield* self.#fat.release(node.firstCluster, keep);
      self.chains.delete(id);
      yield* self.#touch({ ...node, firstCluster: keep === 0 ? 0 : node.firstCluster, size });
    });
  }

  setAttributes(id: NodeId, attributes: Attributes): Io<void> {
    const self = this;
    return this.#verb(function* () {
      const node = yield* self.node(id);
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
      if (atime !== undefined) change.DIR_LstAccDate = encodeTime(atime, self.zoneMinutes).date;
      if (mtime !== undefined) {
        const { date, time } = encodeTime(mtime, self.zoneMinutes);
        change.DIR_WrtDate = date;
        change.DIR_WrtTime = time;
      }
      yield* self.#patchEntry(offset, change);
    });
  }

  setLabel(label: Bytes): Io<void> {
    const self = this;
    return this.#verb(function* () {
      const text = decodeWtf8(label);
      const name = new Uint8Array(LABEL_LENGTH).fill(SPACE);
      if (text === undefined || text.length > LABEL_LENGTH || /^ |[\u0000-\u001f"*+,./:;<=>?[\\\]|]/.test(text)) throw failure('EINVAL');
      for (const [i, character] of [...text].entries()) {
        const byte = encodeCharacter(self.codePage, character);
        if (byte === undefined) throw failure('EINVAL');
        name[i] = byte;
      }
      const root = yield* self.directory(self.rootNode());
      const there = root.label;
      if (text === '' && there !== undefined) {
        yield* self.#device.write(root.offsetOf(there.slot), Uint8Array.of(NAME_DELETED));
        root.markFree(there.slot, there.slot);
        root.label = undefined;
      } else if (text !== '') {
        const inEntry = name.slice();
        if (inEntry[0] === NAME_DELETED) inEntry[0] = 0x05;
        const { date, time } = encodeTime(self.#clock(), self.zoneMinutes);
        if (there !== undefined) {
          const change = { DIR_Name: inEntry, DIR_WrtDate: date, DIR_WrtTime: time };
          yield* self.#patchEntry(root.offsetOf(there.slot), change);
          root.label = { text, slot: there.slot };
        } else {
          const bytes = new Uint8Array(ENTRY_SIZE);
          const fields = { ...self.#newFields(ATTR_VOLUME_ID, 0), DIR_CrtDate: 0, DIR_CrtTime: 0, DIR_CrtTimeTenth: 0, DIR_LstAccDate: 0 };
          DIRECTORY_ENTRY.write(bytes, 0, { ...fields, DIR_Name: inEntry });
          root.label = { text, slot: yield* self.#place(self.rootNode(), root, bytes) };
        }
      }
      const own = text === '' ? Uint8Array.from('NO NAME    ', (each) => each.charCodeAt(0)) : name;
      for (const start of [0, self.geometry.backupOffset]) if (start !== undefined) yield* self.#labelBootSector(start, own);
      self.currentLabel = encodeWtf8(text.replace(/ +$/, ''));
    });
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

  protected override nodeAt(position: number): NodeId {
    return this.#numbers.numberAt(position);
  }

  protected override positionOf(node: NodeId): number {
    return this.#numbers.placeOf(node);
  }

  *#existing(parent: Node, name: Bytes): Io<{ contents: Directory; entry: Entry }> {
    const contents = yield* this.directory(parent);
    const text = decodeWtf8(name);
    const entry = text === undefined ? undefined : contents.find(text);
    if (entry === undefined) throw failure('ENOENT');
    return { contents, entry };
  }

  /** Adds a new node's name. */
  *#add(parent: Node, text: string, fields: EntryFields): Io<NodeId> {
    const contents = yield* this.directory(parent);
    if (contents.find(text) !== undefined) throw failure('EEXIST');
    const entry = yield* this.#insert(parent, contents, text, fields);
    yield* this.#stamp(parent);
    return this.#numbers.claim(entry.position);
  }

  /** Writes a name's entries into a directory. */
  *#insert(parent: Node, contents: Directory, text: string, fields: EntryFields): Io<Entry> {
    const { raw, needsLongName } = makeShortName(text, this.codePage, (name) => contents.hasRawShortName(name));
    const short = new Uint8Array(ENTRY_SIZE);
    const ntFlags = fields.DIR_NTRes & ~(NTRES_LOWER_BASE | NTRES_LOWER_EXTENSION);
    DIRECTORY_ENTRY.write(short, 0, { ...fields, DIR_Name: raw, DIR_NTRes: ntFlags });
    const long = needsLongName ? encodeLongName(text, shortNameChecksum(raw)) : new Uint8Array();
    const bytes = new Uint8Array(long.length + ENTRY_SIZE);
    bytes.set(long);
    bytes.set(short, long.length);
    const firstSlot = yield* this.#place(parent, contents, bytes);
    const slot = firstSlot + long.length / ENTRY_SIZE;
    const entry: Entry = {
      name: text,
      shortName: decodeShortName(raw, 0, 0, this.codePage),
      rawShortName: String.fromCharCode(...raw),
      firstSlot,
      slot,
      position: contents.offsetOf(slot) / ENTRY_SIZE,
      isDirectory: (fields.DIR_Attr & ATTR_DIRECTORY) !== 0,
    };
    contents.add(entry);
    return entry;
  }

  /** Finds free slots for entries, growing the directory where it must, and writes them. Gives the first slot. */
  *#place(parent: Node, contents: Directory, bytes: Bytes): Io<number> {
    const count = bytes.length / ENTRY_SIZE;
    const first = contents.findFree(count);
    const end = first + count;
    if (end > MAX_DIRECTORY_ENTRIES) throw failure('ENOSPC', parent.id);
    while (contents.slots < end) yield* this.#growDirectory(parent, contents);
    yield* this.#writeSlots(contents, first, bytes);
    // What stands after the end mark is old rubbish: the mark has to move along.
    if (end > contents.used && end < contents.slots) {
      const next = yield* this.#device.read(contents.offsetOf(end), ENTRY_SIZE);
      if (next.some((byte) => byte !== 0)) yield* this.#device.write(contents.offsetOf(end), new Uint8Array(ENTRY_SIZE));
    }
    contents.markUsed(first, end - 1);
    return first;
  }

  *#growDirectory(parent: Node, contents: Directory): Io<void> {
    const last = contents.runs[contents.runs.length - 1];
    if (contents.place.cluster === 0 || last === undefined) throw failure('ENOSPC', parent.id);
    const { clusterSize, dataOffset } = this.geometry;
    const lastCluster = Math.floor((last.offset + last.count * ENTRY_SIZE - 1 - dataOffset) / clusterSize) + 2;
    for (const { cluster, count } of yield* this.#fat.allocate(1, lastCluster)) {
      yield* this.#device.write(clusterOffset(this.geometry, cluster), new Uint8Array(clusterSize));
      contents.addRun(clusterOffset(this.geometry, cluster), (count * clusterSize) / ENTRY_SIZE);
    }
  }

  /** Writes entries into adjacent slots, wherever their clusters are. */
  *#writeSlots(contents: Directory, first: number, bytes: Bytes): Io<void> {
    const count = bytes.length / ENTRY_SIZE;
    for (let i = 0; i < count; ) {
      const offset = contents.offsetOf(first + i);
      let together = 1;
      while (i + together < count && contents.offsetOf(first + i + together) === offset + together * ENTRY_SIZE) together++;
      yield* this.#device.write(offset, bytes.subarray(i * ENTRY_SIZE, (i + together) * ENTRY_SIZE));
      i += together;
    }
  }

  /** Marks an entry's slots as deleted. */
  *#remove(contents: Directory, entry: Entry): Io<void> {
    for (let slot = entry.firstSlot; slot <= entry.slot; slot++) {
      yield* this.#device.write(contents.offsetOf(slot), Uint8Array.of(NAME_DELETED));
    }
    contents.remove(entry);
    contents.markFree(entry.firstSlot, entry.slot);
  }

  /** Puts a node in the place of another one, whose stored name stays, as in Linux. */
  *#replace(node: Node, there: Entry): Io<void> {
    const victim = yield* this.node(this.nodeAt(there.position));
    if (victim.isDirectory && !node.isDirectory) throw failure('EISDIR', victim.id);
    if (!victim.isDirectory && node.isDirectory) throw failure('ENOTDIR', victim.id);
    if (victim.isDirectory && (yield* this.directory(victim)).count > 0) throw failure('ENOTEMPTY', victim.id);
    yield* this.#fat.release(victim.firstCluster, 0);
    const { entry: kept, offset } = victim;
    if (kept === undefined || offset === undefined || node.entry === undefined) throw failure('EINVAL', victim.id);
    const cases = NTRES_LOWER_BASE | NTRES_LOWER_EXTENSION;
    yield* this.#patchEntry(offset, {
      ...node.entry,
      DIR_Name: kept.DIR_Name,
      DIR_NTRes: (node.entry.DIR_NTRes & ~cases) | (kept.DIR_NTRes & cases),
    });
    this.#gone(victim);
  }

  /** Throws EINVAL when `to` is the directory `node` or stands anywhere inside of it. */
  *#refuseInside(node: Node, to: Node): Io<void> {
    const isTop = (cluster: number): boolean => cluster === 0 || cluster === this.geometry.rootCluster;
    let cluster = to.firstCluster;
    for (let depth = 0; !isTop(cluster); depth++) {
      if (cluster === node.firstCluster) throw failure('EINVAL', node.id);
      if (depth > MAX_DEPTH) throw new Corrupt('the parents of a directory never end', { layer: 'vfat', inode: to.id });
      this.#fat.checkCluster(cluster, 'a parent directory');
      const offset = clusterOffset(this.geometry, cluster) + ENTRY_SIZE;
      const dots = DIRECTORY_ENTRY.read(yield* this.#device.read(offset, ENTRY_SIZE));
      cluster = (this.geometry.bits === 32 ? dots.DIR_FstClusHI : 0) * 0x1_0000 + dots.DIR_FstClusLO;
    }
  }

  /** Forgets what is remembered of a node that is no more. */
  #gone(node: Node): void {
    this.chains.delete(node.id);
    this.forgetDirectory(node.id);
    if (this.claims.get(node.firstCluster) === node.id) this.claims.delete(node.firstCluster);
    this.#numbers.release(node.id);
  }

  /** Gives a file the clusters for `size` bytes; what is between its old end and `zeroUntil`, and slack at the new end, reads as zeros. */
  *#grow(node: Node, size: number, zeroUntil: number): Io<Node> {
    const { clusterSize } = this.geometry;
    const wanted = Math.ceil(size / clusterSize);
    const chain = this.chain(node);
    const have = yield* chain.length(wanted);
    if (have < Math.ceil(node.size / clusterSize)) {
      throw new Corrupt(`the file has ${have} clusters but is ${node.size} bytes long; run fsck.vfat`, { layer: 'vfat', inode: node.id });
    }
    let { firstCluster } = node;
    if (have < wanted) {
      const last = have === 0 ? undefined : yield* chain.runAt(have - 1);
      const added = yield* this.#fat.allocate(wanted - have, last?.cluster ?? 0);
      if (have === 0) {
        firstCluster = added[0]?.cluster ?? 0;
        this.chains.delete(node.id);
      } else chain.append(added);
    }
    const grown = { ...node, firstCluster, size };
    if (size > node.size) {
      const zero = (at: number, from: number, to: number): Io<void> => this.#device.writeZeroes(at, to - from);
      if (zeroUntil > node.size) yield* this.#transfer(grown, node.size, zeroUntil, zero);
      const end = wanted * clusterSize;
      if (have < wanted && end > size) yield* this.#transfer(grown, Math.max(size, have * clusterSize), end, zero);
    }
    return grown;
  }

  /** Runs `step` for each run of device bytes that holds the file's bytes `[start, end)`: (device offset, file offsets from, to). */
  *#transfer(node: Node, start: number, end: number, step: (at: number, from: number, to: number) => Io<void>): Io<void> {
    const { clusterSize } = this.geometry;
    for (let at = start; at < end; ) {
      const index = Math.floor(at / clusterSize);
      const run = yield* this.chain(node).runAt(index);
      if (run === undefined) throw new Corrupt('the file has fewer clusters than bytes', { layer: 'vfat', inode: node.id });
      const within = at - index * clusterSize;
      const length = Math.min(end - at, run.count * clusterSize - within);
      yield* step(clusterOffset(this.geometry, run.cluster) + within, at, at + length);
      at += length;
    }
  }

  /** Writes back a file's size and start, stamps it and marks it for archiving. */
  *#touch(node: Node): Io<void> {
    if (node.offset === undefined || node.entry === undefined) return;
    const { date, time } = encodeTime(this.#clock(), this.zoneMinutes);
    yield* this.#patchEntry(node.offset, {
      ...this.#startFields(node.firstCluster),
      DIR_FileSize: node.size,
      DIR_Attr: node.entry.DIR_Attr | ATTR_ARCHIVE,
      DIR_WrtDate: date,
      DIR_WrtTime: time,
    });
  }

  /** Stamps a directory that changed. */
  *#stamp(directory: Node): Io<void> {
    if (directory.id === ROOT) return;
    const { date, time } = encodeTime(this.#clock(), this.zoneMinutes);
    yield* this.#patchEntry(this.positionOf(directory.id) * ENTRY_SIZE, { DIR_WrtDate: date, DIR_WrtTime: time });
  }

  *#patchEntry(offset: number, change: Partial<ShortEntry>): Io<void> {
    const bytes = (yield* this.#device.read(offset, ENTRY_SIZE)).slice();
    DIRECTORY_ENTRY.write(bytes, 0, change);
    yield* this.#device.write(offset, bytes);
  }

  #startFields(cluster: number): Pick<ShortEntry, 'DIR_FstClusLO'> & Partial<ShortEntry> {
    const low = { DIR_FstClusLO: cluster % 0x1_0000 };
    // On FAT12 and FAT16 the high half belongs to OS/2's extended attributes.
    return this.geometry.bits === 32 ? { ...low, DIR_FstClusHI: Math.floor(cluster / 0x1_0000) } : low;
  }

  #newFields(attributes: number, cluster: number): EntryFields {
    const { date, time, hundredths } = encodeTime(this.#clock(), this.zoneMinutes);
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
      ...this.#startFields(cluster),
    };
  }

  *#labelBootSector(start: number, label: Bytes): Io<void> {
    const sector = (yield* this.#device.read(start, 512)).slice();
    const at = this.geometry.extendedAt;
    if (EXTENDED_BOOT_RECORD.read(sector, at).BS_BootSig !== BOOT_SIGNATURE_FULL) return;
    EXTENDED_BOOT_RECORD.write(sector, at, { BS_VolLab: label });
    yield* this.#device.write(start, sector);
  }

  /** Brings the count of free clusters and FSInfo up to date with what the verb took and freed. */
  *#account(): Io<void> {
    const { freed, lastTaken } = this.#fat.state;
    const change = freed - this.#accounted;
    this.#accounted = freed;
    if (this.freeClusters !== undefined) this.freeClusters += change;
    const { fsInfoOffset, clusters } = this.geometry;
    if (change === 0 || fsInfoOffset === undefined) return;
    const sector = (yield* this.#device.read(fsInfoOffset, FSINFO.size)).slice();
    const info = FSINFO.read(sector);
    if (info.FSI_LeadSig !== FSINFO_LEAD || info.FSI_StrucSig !== FSINFO_STRUCTURE) return;
    // A count that was right stays right by adding; one that cannot be right is counted anew, once.
    let free = this.freeClusters ?? info.FSI_Free_Count + change;
    if (info.FSI_Free_Count > clusters || free < 0 || free > clusters) {
      free = this.freeClusters ?? (yield* this.#fat.countFree());
      this.freeClusters = free;
    }
    FSINFO.write(sector, 0, { FSI_Free_Count: free, ...(lastTaken === 0 ? {} : { FSI_Nxt_Free: lastTaken }) });
    yield* this.#device.write(fsInfoOffset, sector);
  }
}

// biome-ignore lint/correctness/useYield: the answer is known
function* refuse<T>(code: 'EPERM' | 'EOPNOTSUPP'): Io<T> {
  throw failure(code);
}

function newName(bytes: Bytes): string {
  const text = decodeWtf8(bytes);
  if (text === undefined) throw new Posix('EINVAL', { layer: 'vfat' }, 'a FAT name has to be UTF-8');
  return checkNewName(text);
}

function dotName(dots: number): Bytes {
  return new Uint8Array(LABEL_LENGTH).fill(SPACE).fill(0x2e, 0, dots);
}

/** What `..` says in a child: 0 for the root, on FAT32 too. */
function parentCluster(parent: Node): number {
  return parent.id === ROOT ? 0 : parent.firstCluster;
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
  const vfat = new WritableVfat(device, cache, geometry, options);
  yield* vfat.begin();
  return vfat;
}
