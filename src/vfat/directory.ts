/** One directory in memory: its entries, an index of their names, and which of its slots are free. */
import type { Bytes } from '../bytes/struct.ts';
import { Corrupt } from '../errors.ts';
import type { CachedDevice } from '../io/cache.ts';
import type { BlockDevice } from '../io/device.ts';
import type { Io } from '../io/effect.ts';
import { clusterOffset, type Geometry } from './bpb.ts';
import { Chain } from './chain.ts';
import { type CodePage, decodeCodePage } from './codepage.ts';
import {
  ATTR_DIRECTORY,
  ATTR_LONG_NAME,
  ATTR_VOLUME_ID,
  DIRECTORY_ENTRY,
  ENTRY_SIZE,
  MAX_DIRECTORY_ENTRIES,
  NAME_DELETED,
  NAME_END,
} from './format.ts';
import { decodeShortName, foldName, LongNameAssembler, showableName } from './names.ts';
import type { FatTable } from './table.ts';

/** A name in a directory. */
export interface Entry {
  /** As it is shown: see {@link showableName}. */
  readonly name: string;
  /** The short name as it would be shown if there were no long one. */
  readonly shortName: string;
  /** The 11 bytes of the short name, one character each. */
  readonly rawShortName: string;
  /** The first slot that belongs to the entry, and the one of its short entry. */
  readonly firstSlot: number;
  readonly slot: number;
  /** Where the short entry stands on the device, in units of 32 bytes. */
  readonly position: number;
  readonly isDirectory: boolean;
}

/** Slots that stand together on the device. */
export interface SlotRun {
  readonly slot: number;
  readonly count: number;
  /** Byte offset on the device. */
  readonly offset: number;
}

export type Warn = (message: string, offset?: number) => void;

const SLOT_FREE = 0;
const SLOT_USED = 1;
const { DIR_Attr, DIR_NTRes } = DIRECTORY_ENTRY.fields;
const DOT = '.          ';
const DOT_DOT = '..         ';

/** Where a directory's slots are: the fixed root of FAT12 and FAT16, or a chain. */
export interface DirectoryPlace {
  /** First cluster; 0 for the fixed root. */
  readonly cluster: number;
  readonly isRoot: boolean;
}

export class Directory {
  readonly place: DirectoryPlace;
  /** Entries by the slot of their short entry; most places are empty where names are long. */
  readonly entries: (Entry | undefined)[] = [];
  /** How many entries there are. */
  count = 0;
  /** The volume label entry of a root directory, if there is one. */
  label: { readonly text: string; readonly slot: number } | undefined;
  readonly runs: SlotRun[] = [];
  /** Slots that the clusters hold. */
  slots = 0;
  /** Slots before the end mark. */
  used = 0;
  /** What this counts for in the memory budget of its file system. */
  weight = 0;
  /** Directories in here. */
  subdirectories = 0;
  #state: Uint8Array = new Uint8Array(64);
  #firstFree = 0;
  readonly #index = new Map<string, Entry | Entry[]>();
  #rawShortNames: Set<string> | undefined;

  constructor(place: DirectoryPlace) {
    this.place = place;
  }

  /** The byte on the device where a slot begins. */
  offsetOf(slot: number): number {
    let low = 0;
    let high = this.runs.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.runs[middle]?.slot ?? 0) <= slot) low = middle;
      else high = middle - 1;
    }
    const run = this.runs[low] as SlotRun;
    return run.offset + (slot - run.slot) * ENTRY_SIZE;
  }

  addRun(offset: number, count: number): void {
    const last = this.runs[this.runs.length - 1];
    if (last !== undefined && last.offset + last.count * ENTRY_SIZE === offset) {
      this.runs[this.runs.length - 1] = { slot: last.slot, count: last.count + count, offset: last.offset };
    } else this.runs.push({ slot: this.slots, count, offset });
    this.slots += count;
    if (this.#state.length < this.slots) {
      const larger = new Uint8Array(Math.max(this.slots, this.#state.length * 2));
      larger.set(this.#state);
      this.#state = larger;
    }
  }

  markUsed(first: number, last: number): void {
    this.#state.fill(SLOT_USED, first, last + 1);
    if (this.used <= last) this.used = last + 1;
  }

  markFree(first: number, last: number): void {
    this.#state.fill(SLOT_FREE, first, last + 1);
    if (first < this.#firstFree) this.#firstFree = first;
  }

  /** The first of `count` adjacent free slots; they may reach beyond the slots that there are. */
  findFree(count: number): number {
    while (this.#firstFree < this.slots && this.#state[this.#firstFree] !== SLOT_FREE) this.#firstFree++;
    let start = this.#firstFree;
    for (let slot = start; slot < this.slots && slot - start < count; slot++) {
      if (this.#state[slot] !== SLOT_FREE) start = slot + 1;
    }
    return start;
  }

  add(entry: Entry): void {
    this.entries[entry.slot] = entry;
    this.count++;
    if (entry.isDirectory) this.subdirectories++;
    this.#enter(foldName(entry.name), entry);
    const short = foldName(entry.shortName);
    if (short !== foldName(entry.name)) this.#enter(short, entry);
    this.#rawShortNames?.add(entry.rawShortName);
  }

  remove(entry: Entry): void {
    if (this.entries[entry.slot] !== entry) return;
    this.entries[entry.slot] = undefined;
    this.count--;
    if (entry.isDirectory) this.subdirectories--;
    for (const key of new Set([foldName(entry.name), foldName(entry.shortName)])) this.#leave(key, entry);
    this.#rawShortNames?.delete(entry.rawShortName);
  }

  /** The entry of a name: the one of exactly this name before those that differ in case, and the first of equals. */
  find(name: string): Entry | undefined {
    const found = this.#index.get(foldName(name));
    if (!Array.isArray(found)) return found;
    return found.find((entry) => entry.name === name) ?? found[0];
  }

  hasRawShortName(raw: string): boolean {
    if (this.#rawShortNames === undefined) {
      this.#rawShortNames = new Set();
      for (const entry of this.entries) if (entry !== undefined) this.#rawShortNames.add(entry.rawShortName);
    }
    return this.#rawShortNames.has(raw);
  }

  #enter(key: string, entry: Entry): void {
    const there = this.#index.get(key);
    if (there === undefined) this.#index.set(key, entry);
    else if (Array.isArray(there)) there.push(entry);
    else this.#index.set(key, [there, entry]);
  }

  #leave(key: string, entry: Entry): void {
    const there = this.#index.get(key);
    if (there === entry) this.#index.delete(key);
    else if (Array.isArray(there)) {
      const rest = there.filter((other) => other !== entry);
      if (rest.length === 0) this.#index.delete(key);
      else this.#index.set(key, rest);
    }
  }
}

export interface DirectoryReader {
  readonly cache: CachedDevice<BlockDevice>;
  readonly geometry: Geometry;
  readonly table: FatTable;
  readonly codePage: CodePage;
  readonly warn: Warn;
  /** Go on after the end mark, as Linux does: for looking at what may be left over there. */
  readonly beyondEnd: boolean;
}

/**
 * Reads a directory. A bad entry never makes it fail: it is shown as far as it can be, with a warning. Throws Corrupt for a broken chain
 * and for a sub-directory that does not begin with its `.` and `..`, as Linux does.
 */
export function* loadDirectory(reader: DirectoryReader, place: DirectoryPlace): Io<Directory> {
  const { geometry, table, cache, warn } = reader;
  const directory = new Directory(place);
  if (place.cluster === 0) {
    directory.addRun(geometry.rootOffset, geometry.rootLength / ENTRY_SIZE);
  } else {
    const chain = new Chain(table, place.cluster);
    const perCluster = geometry.clusterSize / ENTRY_SIZE;
    for (let index = 0; ; ) {
      const run = yield* chain.runAt(index);
      if (run === undefined) break;
      const room = MAX_DIRECTORY_ENTRIES - directory.slots;
      if (room <= 0) {
        warn(`the directory at cluster ${place.cluster} is longer than ${MAX_DIRECTORY_ENTRIES} entries; the rest is not read`);
        break;
      }
      directory.addRun(clusterOffset(geometry, run.cluster), Math.min(room, run.count * perCluster));
      index += run.count;
    }
  }
  const parser = new Parser(directory, reader);
  for (const run of directory.runs) {
    const bytes = yield* cache.read(run.offset, run.count * ENTRY_SIZE);
    if (parser.take(bytes, run)) break;
  }
  parser.end();
  return directory;
}

class Parser {
  readonly #directory: Directory;
  readonly #reader: DirectoryReader;
  readonly #assembler = new LongNameAssembler();

  constructor(directory: Directory, reader: DirectoryReader) {
    this.#directory = directory;
    this.#reader = reader;
  }

  /** Takes the bytes of a run of slots; true at the end mark. */
  take(bytes: Bytes, run: SlotRun): boolean {
    const { isRoot } = this.#directory.place;
    for (let i = 0; i < run.count; i++) {
      const at = i * ENTRY_SIZE;
      const slot = run.slot + i;
      const first = bytes[at] ?? 0;
      if (!isRoot && slot < 2) this.#checkDots(bytes, at, slot);
      if (first === NAME_END && !this.#reader.beyondEnd) return true;
      if (first === NAME_DELETED || first === NAME_END) {
        this.#orphans(slot);
        continue;
      }
      this.#directory.markUsed(slot, slot);
      const attributes = bytes[at + DIR_Attr.offset] ?? 0;
      if (attributes === ATTR_LONG_NAME) {
        if (!this.#assembler.add(bytes, at, slot)) this.#warn('a long name is out of order; it is ignored', slot);
      } else this.#short(bytes, at, slot, attributes);
    }
    return false;
  }

  end(): void {
    this.#orphans(this.#directory.used);
  }

  #short(bytes: Bytes, at: number, slot: number, attributes: number): void {
    const directory = this.#directory;
    const raw = String.fromCharCode(...bytes.subarray(at, at + 11));
    const page = this.#reader.codePage;
    if ((attributes & ATTR_VOLUME_ID) !== 0) {
      this.#assembler.reset();
      if (directory.place.isRoot && directory.label === undefined && (attributes & ATTR_DIRECTORY) === 0) {
        const name = bytes.slice(at, at + 11);
        if (name[0] === 0x05) name[0] = 0xe5;
        directory.label = { text: decodeCodePage(page, name).replace(/ +$/, ''), slot };
      }
      return;
    }
    if (raw === DOT || raw === DOT_DOT) {
      this.#assembler.reset();
      if (directory.place.isRoot || slot > 1) this.#warn(`a stray "${raw.trim()}" entry is ignored`, slot);
      return;
    }
    const pending = this.#assembler.start >= 0;
    const long = this.#assembler.finish(bytes, at);
    if (pending && long === undefined) this.#warn('a long name does not belong to the short name after it; it is ignored', slot);
    const short = decodeShortName(bytes, at, bytes[at + DIR_NTRes.offset] ?? 0, page);
    const name = long?.name ?? short;
    const shown = showableName(name);
    if (shown !== name)
      this.#warn(`the name ${JSON.stringify(name)} cannot be part of a path; it is shown as ${JSON.stringify(shown)}`, slot);
    directory.add({
      name: shown,
      shortName: showableName(short),
      rawShortName: raw,
      firstSlot: long?.start ?? slot,
      slot,
      position: directory.offsetOf(slot) / ENTRY_SIZE,
      isDirectory: (attributes & ATTR_DIRECTORY) !== 0,
    });
  }

  #checkDots(bytes: Bytes, at: number, slot: number): void {
    const raw = String.fromCharCode(...bytes.subarray(at, at + 11));
    const directory = ((bytes[at + DIR_Attr.offset] ?? 0) & ATTR_DIRECTORY) !== 0;
    if (raw === (slot === 0 ? DOT : DOT_DOT) && directory) return;
    throw new Corrupt(`a directory does not begin with "." and ".."; run fsck.vfat`, {
      layer: 'vfat',
      offset: this.#directory.offsetOf(slot),
    });
  }

  #orphans(slot: number): void {
    if (this.#assembler.reset()) this.#warn('a long name has no short name after it; it is ignored', Math.max(0, slot - 1));
  }

  #warn(message: string, slot: number): void {
    this.#reader.warn(message, this.#directory.offsetOf(slot));
  }
}
