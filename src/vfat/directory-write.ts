/** Names put into directories and taken out of them: slots, and the clusters that hold them. */
import type { Bytes } from '../bytes/struct.ts';
import type { Io } from '../io/effect.ts';
import { clusterOffset } from './bpb.ts';
import type { Directory, Entry } from './directory.ts';
import {
  ATTR_DIRECTORY,
  DIRECTORY_ENTRY,
  ENTRY_SIZE,
  MAX_DIRECTORY_ENTRIES,
  NAME_DELETED,
  NTRES_LOWER_BASE,
  NTRES_LOWER_EXTENSION,
} from './format.ts';
import { decodeShortName, encodeLongName, shortNameChecksum } from './names.ts';
import { makeShortName } from './shortname.ts';
import type { Node } from './volume.ts';
import { type EntryFields, failure, type WritableVolume } from './writable-volume.ts';
import { decodeWtf8 } from './wtf8.ts';

/** The entry of a name in a directory, and the contents of that directory. Throws ENOENT. */
export function* existingEntry(volume: WritableVolume, parent: Node, name: Bytes): Io<{ contents: Directory; entry: Entry }> {
  const contents = yield* volume.directory(parent);
  const text = decodeWtf8(name);
  const entry = text === undefined ? undefined : contents.find(text);
  if (entry === undefined) throw failure('ENOENT');
  return { contents, entry };
}

/** Writes a name's entries into a directory. */
export function* insertEntry(volume: WritableVolume, parent: Node, contents: Directory, text: string, fields: EntryFields): Io<Entry> {
  const { raw, needsLongName } = makeShortName(text, volume.codePage, (name) => contents.hasRawShortName(name));
  const short = new Uint8Array(ENTRY_SIZE);
  const ntFlags = fields.DIR_NTRes & ~(NTRES_LOWER_BASE | NTRES_LOWER_EXTENSION);
  DIRECTORY_ENTRY.write(short, 0, { ...fields, DIR_Name: raw, DIR_NTRes: ntFlags });
  const long = needsLongName ? encodeLongName(text, shortNameChecksum(raw)) : new Uint8Array();
  const bytes = new Uint8Array(long.length + ENTRY_SIZE);
  bytes.set(long);
  bytes.set(short, long.length);
  const firstSlot = yield* placeSlots(volume, parent, contents, bytes);
  const slot = firstSlot + long.length / ENTRY_SIZE;
  const entry: Entry = {
    name: text,
    shortName: decodeShortName(raw, 0, 0, volume.codePage),
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
export function* placeSlots(volume: WritableVolume, parent: Node, contents: Directory, bytes: Bytes): Io<number> {
  const count = bytes.length / ENTRY_SIZE;
  const first = contents.findFree(count);
  const end = first + count;
  if (end > MAX_DIRECTORY_ENTRIES) throw failure('ENOSPC', parent.id);
  while (contents.slots < end) yield* growDirectory(volume, parent, contents);
  yield* writeSlots(volume, contents, first, bytes);
  // What stands after the end mark is old rubbish: the mark has to move along.
  if (end > contents.used && end < contents.slots) {
    const next = yield* volume.device.read(contents.offsetOf(end), ENTRY_SIZE);
    if (next.some((byte) => byte !== 0)) yield* volume.device.write(contents.offsetOf(end), new Uint8Array(ENTRY_SIZE));
  }
  contents.markUsed(first, end - 1);
  return first;
}

function* growDirectory(volume: WritableVolume, parent: Node, contents: Directory): Io<void> {
  const last = contents.runs[contents.runs.length - 1];
  if (contents.place.cluster === 0 || last === undefined) throw failure('ENOSPC', parent.id);
  const { clusterSize, dataOffset } = volume.geometry;
  const lastCluster = Math.floor((last.offset + last.count * ENTRY_SIZE - 1 - dataOffset) / clusterSize) + 2;
  for (const { cluster, count } of yield* volume.fat.allocate(1, lastCluster)) {
    yield* volume.device.write(clusterOffset(volume.geometry, cluster), new Uint8Array(clusterSize));
    contents.addRun(clusterOffset(volume.geometry, cluster), (count * clusterSize) / ENTRY_SIZE);
  }
}

/** Writes entries into adjacent slots, wherever their clusters are. */
function* writeSlots(volume: WritableVolume, contents: Directory, first: number, bytes: Bytes): Io<void> {
  const count = bytes.length / ENTRY_SIZE;
  for (let i = 0; i < count; ) {
    const offset = contents.offsetOf(first + i);
    let together = 1;
    while (i + together < count && contents.offsetOf(first + i + together) === offset + together * ENTRY_SIZE) together++;
    yield* volume.device.write(offset, bytes.subarray(i * ENTRY_SIZE, (i + together) * ENTRY_SIZE));
    i += together;
  }
}

/** Marks an entry's slots as deleted. */
export function* removeEntry(volume: WritableVolume, contents: Directory, entry: Entry): Io<void> {
  for (let slot = entry.firstSlot; slot <= entry.slot; slot++) {
    yield* volume.device.write(contents.offsetOf(slot), Uint8Array.of(NAME_DELETED));
  }
  contents.remove(entry);
  contents.markFree(entry.firstSlot, entry.slot);
}
