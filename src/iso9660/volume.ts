/** A mounted volume: where its records stand, and what is remembered of them. */
import type { Bytes } from '../bytes/struct.ts';
import { compareBytes } from '../bytes/text.ts';
import { Corrupt, GuestlessError, Posix } from '../errors.ts';
import { type FileKind, kindOfMode, type NodeId, type Warning } from '../filesystem/filesystem.ts';
import type { CachedDevice } from '../io/cache.ts';
import type { Io } from '../io/effect.ts';
import type { Descriptors } from './descriptors.ts';
import {
  FLAG_ASSOCIATED,
  FLAG_DIRECTORY,
  FLAG_MULTI_EXTENT,
  MAX_CONTINUATIONS,
  MAX_DIRECTORY_BYTES,
  MAX_NAME,
  MAX_SECTIONS,
  NODE_UNIT,
  SECTOR,
} from './format.ts';
import { jolietKey, jolietName, plainName } from './names.ts';
import { type Inode, isDotRecord, makeInode, parseRecord, type Record, type Section } from './record.ts';
import { type Continuation, type RockRidge, readSystemUse } from './system-use.ts';

/** Which names and attributes are shown. */
export type Naming = 'rock ridge' | 'joliet' | 'plain';

export interface Entry {
  readonly name: Bytes;
  readonly node: NodeId;
  readonly kind: FileKind;
}

interface Directory {
  readonly entries: readonly Entry[];
  /** From a name (its Joliet key) to the first entry that has it. */
  readonly byName: ReadonlyMap<string, Entry>;
}

/** System Use fields may stand behind the attributes of CD-ROM XA. */
const XA_LENGTH = 14;
const MAX_CACHED_ENTRIES = 1_000_000;
const MAX_CACHED_INODES = 10_000;
const MAX_PLACES = 1_000_000;
const MAX_WARNINGS = 1000;
const NOTHING: RockRidge = {};

export class Volume {
  readonly cache: CachedDevice;
  readonly descriptors: Descriptors;
  readonly warnings: Warning[] = [];
  naming: Naming = 'plain';
  /** Bytes to leave out at the beginning of each System Use field (SUSP 5.3). */
  #skip = 0;
  readonly #directories = new Map<NodeId, Directory>();
  #cachedEntries = 0;
  readonly #inodes = new Map<NodeId, Inode>();
  /** Where exactly the record of a node begins. */
  readonly #places = new Map<NodeId, number>();

  constructor(cache: CachedDevice, descriptors: Descriptors) {
    this.cache = cache;
    this.descriptors = descriptors;
  }

  /** Chooses between Rock Ridge, Joliet and plain names as Linux does; gives the root directory. */
  *begin(): Io<NodeId> {
    const { root, jolietRoot, blockSize } = this.descriptors;
    const record = yield* this.#record(root * blockSize);
    const rock: RockRidge = {};
    yield* this.#systemUse(record, rock, 0);
    if (rock.skip === undefined && rock.announced !== true && record.systemUse.length > XA_LENGTH)
      yield* this.#systemUse(record, rock, XA_LENGTH);
    this.#skip = rock.skip ?? 0;
    const announced = rock.announced === true;
    if (jolietRoot !== undefined && !(announced && !(yield* this.#isEmpty(root * blockSize)))) {
      this.naming = 'joliet';
      return this.nodeOf(jolietRoot * blockSize);
    }
    // Linux believes Rock Ridge entries that nobody announced where there is nothing better.
    this.naming = announced || rock.skip !== undefined || rock.mode !== undefined ? 'rock ridge' : 'plain';
    return this.nodeOf(root * blockSize);
  }

  nodeOf(offset: number): NodeId {
    return Math.floor(offset / NODE_UNIT);
  }

  warn(message: string, inode?: NodeId): void {
    if (this.warnings.length < MAX_WARNINGS) this.warnings.push(inode === undefined ? { message } : { message, inode });
  }

  /** Some discs have files in their Joliet tree alone: then there are only the entries of the directory itself and the one above. */
  *#isEmpty(offset: number): Io<boolean> {
    const bytes = yield* this.cache.read(offset, Math.min(this.descriptors.blockSize, this.cache.size - offset));
    let records = 0;
    for (let at = 0; records < 3 && at < bytes.length && bytes[at] !== 0; at += bytes[at] ?? 0) records++;
    return records < 3;
  }

  *#record(offset: number): Io<Record> {
    const length = Math.min(255, this.cache.size - offset);
    if (length < 1) throw new Corrupt('a directory record beyond the end', { layer: 'iso9660', offset });
    return parseRecord(yield* this.cache.read(offset, length), 0, offset);
  }

  *#systemUse(record: Record, found: RockRidge, skip: number): Io<void> {
    let more: Continuation | undefined = readSystemUse(record.systemUse.subarray(skip), found);
    for (let count = 0; more !== undefined; count++) {
      const { block, offset, length } = more;
      const { blockSize } = this.descriptors;
      if (count >= MAX_CONTINUATIONS || offset + length > blockSize) {
        throw new Corrupt('System Use entries go on in an impossible place', { layer: 'iso9660', offset: record.offset });
      }
      more = readSystemUse(yield* this.cache.read(block * blockSize + offset, length), found);
    }
  }

  *#rockRidge(record: Record): Io<RockRidge> {
    if (this.naming !== 'rock ridge') return NOTHING;
    const found: RockRidge = {};
    yield* this.#systemUse(record, found, this.#skip);
    return found;
  }

  /** Where the record of a node begins: as its directory told, or as the records before it in the sector tell. ENOENT when there is none. */
  *#place(node: NodeId): Io<number> {
    const known = this.#places.get(node);
    if (known !== undefined) return known;
    const from = node * NODE_UNIT;
    const gone = (): Posix => new Posix('ENOENT', { layer: 'iso9660', inode: node });
    if (!Number.isSafeInteger(from) || from < 0 || from >= this.cache.size) throw gone();
    if (from % this.descriptors.blockSize === 0) return from;
    const sector = from - (from % SECTOR);
    const bytes = yield* this.cache.read(sector, Math.min(SECTOR, this.cache.size - sector));
    let at = 0;
    while (sector + at < from && (bytes[at] ?? 0) !== 0) at += bytes[at] ?? 0;
    if (at >= bytes.length || sector + at < from || sector + at >= from + NODE_UNIT || bytes[at] === 0) throw gone();
    return sector + at;
  }

  *inode(node: NodeId): Io<Inode> {
    const known = this.#inodes.get(node);
    if (known !== undefined) return known;
    const inode = yield* this.#readInode(yield* this.#place(node), node, false);
    if (this.#inodes.size >= MAX_CACHED_INODES) this.#inodes.clear();
    this.#inodes.set(node, inode);
    return inode;
  }

  *#readInode(offset: number, node: NodeId, isRelocated: boolean): Io<Inode> {
    const record = yield* this.#record(offset);
    const rock = yield* this.#rockRidge(record);
    if (rock.childLink !== undefined) {
      const place = rock.childLink * this.descriptors.blockSize;
      if (isRelocated || place === offset)
        throw new Corrupt('a relocated directory leads to another one', { layer: 'iso9660', inode: node });
      const inode = yield* this.#readInode(place, node, true);
      if (inode.kind !== 'directory') throw new Corrupt('a relocated directory is none', { layer: 'iso9660', inode: node });
      return inode;
    }
    return makeInode(record, rock, yield* this.#sections(record), (message) => this.warn(message, node));
  }

  /** The contents of a file: those of its record, and of the records behind it that go on with it (9.1.6, "Multi-Extent"). */
  *#sections(first: Record): Io<Section[]> {
    const sections: Section[] = [];
    for (let record = first; ; ) {
      const { locationOfExtent, extendedAttributeRecordLength, dataLength, fileFlags, lengthOfDirectoryRecord } = record.fields;
      const start = (locationOfExtent + extendedAttributeRecordLength) * this.descriptors.blockSize;
      if (dataLength > 0) sections.push({ start, length: dataLength });
      if ((fileFlags & FLAG_MULTI_EXTENT) === 0) return sections;
      if (sections.length >= MAX_SECTIONS) {
        throw new Corrupt(`a file of more than ${MAX_SECTIONS} sections`, { layer: 'iso9660', offset: first.offset });
      }
      let next = record.offset + lengthOfDirectoryRecord;
      if (next % SECTOR !== 0 && (yield* this.cache.read(next, 1))[0] === 0) next += SECTOR - (next % SECTOR);
      record = yield* this.#record(next);
    }
  }

  *directory(node: NodeId): Io<Directory> {
    const known = this.#directories.get(node);
    if (known !== undefined) return known;
    const inode = yield* this.inode(node);
    if (inode.kind !== 'directory') throw new Posix('ENOTDIR', { layer: 'iso9660', inode: node });
    const directory = yield* this.#readDirectory(node, inode);
    this.#cachedEntries += directory.entries.length;
    if (this.#cachedEntries > MAX_CACHED_ENTRIES) {
      this.#directories.clear();
      this.#cachedEntries = directory.entries.length;
    }
    this.#directories.set(node, directory);
    return directory;
  }

  *#readDirectory(node: NodeId, { sections }: Inode): Io<Directory> {
    const section = sections[0] ?? { start: 0, length: 0 };
    if (section.length > MAX_DIRECTORY_BYTES) {
      throw new Corrupt(`a directory of ${section.length} bytes`, { layer: 'iso9660', inode: node });
    }
    const bytes = yield* this.cache.read(section.start, section.length);
    const entries: Entry[] = [];
    const byName = new Map<string, Entry>();
    let first: Record | undefined;
    for (let at = 0; at < bytes.length; ) {
      if (bytes[at] === 0) {
        at += SECTOR - (at % SECTOR);
        continue;
      }
      const record = parseRecord(bytes, at, section.start + at);
      at += record.fields.lengthOfDirectoryRecord;
      first ??= record;
      if ((record.fields.fileFlags & FLAG_MULTI_EXTENT) !== 0) continue;
      const beginning = first;
      first = undefined;
      if (isDotRecord(record) || (record.fields.fileFlags & FLAG_ASSOCIATED) !== 0) continue;
      const entry = yield* this.#entry(beginning, record, node);
      if (entry === undefined) continue;
      entries.push(entry);
      const key = this.#key(entry.name);
      if (!byName.has(key)) byName.set(key, entry);
    }
    return { entries, byName };
  }

  /** What a record shows; undefined for what is not to be seen. */
  *#entry(first: Record, last: Record, directory: NodeId): Io<Entry | undefined> {
    let rock = NOTHING;
    try {
      rock = yield* this.#rockRidge(last);
    } catch (error) {
      if (!(error instanceof GuestlessError) || error.family !== 'corrupt') throw error;
      this.warn(`an entry is left out: ${error.message}`, directory);
      return undefined;
    }
    if (rock.relocated === true) return undefined;
    const { identifier } = last;
    const name = rock.name ?? (this.naming === 'joliet' ? jolietName(identifier) : plainName(identifier));
    if (!isName(name)) {
      this.warn('an entry is left out: its name is none', directory);
      return undefined;
    }
    return { name, ...this.#node(first, rock) };
  }

  /** Directories are known by their own first record, all else by the record that names it. */
  #node({ fields, offset }: Record, rock: RockRidge): { node: NodeId; kind: FileKind } {
    const isDirectory = (fields.fileFlags & FLAG_DIRECTORY) !== 0;
    const start = (fields.locationOfExtent + fields.extendedAttributeRecordLength) * this.descriptors.blockSize;
    const place = isDirectory ? start : offset;
    const node = this.nodeOf(place);
    if (this.#places.size >= MAX_PLACES) this.#places.clear();
    this.#places.set(node, place);
    const shown = rock.mode === undefined ? undefined : kindOfMode(rock.mode);
    return { node, kind: rock.childLink !== undefined || isDirectory ? 'directory' : (shown ?? 'file') };
  }

  #key(name: Bytes): string {
    return String.fromCharCode(...(this.naming === 'joliet' ? jolietKey(name) : name));
  }

  *find(node: NodeId, name: Bytes): Io<NodeId | undefined> {
    if (name.length > MAX_NAME * 4) return undefined;
    return (yield* this.directory(node)).byName.get(this.#key(name))?.node;
  }
}

const RESERVED = [Uint8Array.of(0x2e), Uint8Array.of(0x2e, 0x2e)];

function isName(name: Bytes): boolean {
  if (name.length === 0 || name.includes(0) || name.includes(0x2f)) return false;
  return !RESERVED.some((one) => compareBytes(one, name) === 0);
}
