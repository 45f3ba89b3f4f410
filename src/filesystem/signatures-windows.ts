/** Probes for the file systems of DOS, OS/2 and Windows. */

import { type Bytes, viewOf } from '../bytes/struct.ts';
import { latin1 } from '../bytes/text.ts';
import type { Io } from '../io/effect.ts';
import { fatVersion, isExfat, isNtfs } from '../partition/boot-sector.ts';
import { type Found, found, type Probe, paddedLabel, serialText, utf16Label, type Window } from './signature-window.ts';

/** Clusters of a root directory that are searched for a label. */
const MAX_ROOT_CLUSTERS = 100;

const ATTR_DIRECTORY = 0x10;
const ATTR_VOLUME_ID = 0x08;
const ATTR_LONG_NAME = 0x0f;

/** The volume label in a run of FAT directory entries: `end` when the directory ends there without one. */
function fatLabel(entries: Bytes): Bytes | 'end' | undefined {
  const view = viewOf(entries);
  for (let at = 0; at + 32 <= entries.length; at += 32) {
    const first = entries[at] ?? 0;
    if (first === 0) return 'end';
    const attributes = (entries[at + 11] ?? 0) & 0x3f;
    if (first === 0xe5 || attributes === ATTR_LONG_NAME || view.getUint16(at + 20, true) !== 0 || view.getUint16(at + 26, true) !== 0)
      continue;
    if ((attributes & (ATTR_VOLUME_ID | ATTR_DIRECTORY)) !== ATTR_VOLUME_ID) continue;
    const name = entries.slice(at, at + 11);
    // 05 stands for a first byte E5, which would mean a deleted entry.
    if (name[0] === 0x05) name[0] = 0xe5;
    return paddedLabel(name);
  }
  return undefined;
}

function lookVfat({ head }: Window): Found | undefined {
  const version = fatVersion(head.slice(0, 512));
  if (version === undefined || head.is(3, '-FVE-FS-')) return undefined;
  const wide = version === 'FAT32';
  return found({ version, uuid: serialText(head.u32(wide ? 67 : 39)) });
}

/** The label is the one in the root directory; the copy in the boot sector is not kept up to date by Windows. */
function* moreVfat(window: Window, start: Found): Io<Found> {
  const { head } = window;
  const bytesPerSector = head.u16(11);
  const reserved = head.u16(14);
  const fats = head.u8(16);
  const fatLength = head.u16(22) !== 0 ? head.u16(22) : head.u32(36);
  const rootAt = (reserved + fats * fatLength) * bytesPerSector;
  if (start.version !== 'FAT32') {
    const root = yield* window.fetch(rootAt, head.u16(17) * 32);
    return withLabel(start, fatLabel(root.bytes));
  }
  const clusterSize = head.u8(13) * bytesPerSector;
  const visited = new Set<number>();
  for (let cluster = head.u32(44); cluster >= 2 && cluster < 0x0fff_fff7 && visited.size < MAX_ROOT_CLUSTERS; ) {
    if (visited.has(cluster)) break;
    visited.add(cluster);
    const label = fatLabel((yield* window.fetch(rootAt + (cluster - 2) * clusterSize, clusterSize)).bytes);
    if (label !== undefined) return withLabel(start, label);
    const at = reserved * bytesPerSector + cluster * 4;
    cluster = (yield* window.fetch(at, 4)).u32(at) & 0x0fff_ffff;
  }
  return start;
}

const withLabel = (start: Found, label: Bytes | 'end' | undefined): Found =>
  label === undefined || label === 'end' || label.length === 0 ? start : { ...start, label };

function lookExfat({ head }: Window): Found | undefined {
  if (!isExfat(head.slice(0, 512))) return undefined;
  return found({ uuid: serialText(head.u32(100)), version: `${head.u8(105)}.${head.u8(104)}` });
}

/** The label is an entry of type 83 in the root directory (exFAT specification, 7.3). */
function* moreExfat(window: Window, start: Found): Io<Found> {
  const { head } = window;
  const sectorShift = head.u8(108);
  const clusterSize = 2 ** Math.min(25, sectorShift + head.u8(109));
  const visited = new Set<number>();
  for (let cluster = head.u32(96); cluster >= 2 && cluster < 0xffff_fff7 && visited.size < MAX_ROOT_CLUSTERS; ) {
    if (visited.has(cluster)) break;
    visited.add(cluster);
    const { bytes } = yield* window.fetch(head.u32(88) * 2 ** sectorShift + (cluster - 2) * clusterSize, clusterSize);
    for (let at = 0; at + 32 <= bytes.length; at += 32) {
      if (bytes[at] === 0) return start;
      if (bytes[at] === 0x83)
        return withLabel(start, utf16Label(bytes.subarray(at + 2, at + 2 + 2 * Math.min(11, bytes[at + 1] ?? 0)), true));
    }
    const at = head.u32(80) * 2 ** sectorShift + cluster * 4;
    cluster = (yield* window.fetch(at, 4)).u32(at);
  }
  return start;
}

function lookNtfs({ head }: Window): Found | undefined {
  if (!isNtfs(head.slice(0, 512))) return undefined;
  return { uuid: head.u64(72).toString(16).toUpperCase().padStart(16, '0') };
}

/** The label is the attribute $VOLUME_NAME of file record 3, $Volume. */
function* moreNtfs(window: Window, start: Found): Io<Found> {
  const { head } = window;
  const sectorsPerCluster = head.u8(13) > 128 ? 2 ** (256 - head.u8(13)) : head.u8(13);
  const clusterSize = sectorsPerCluster * head.u16(11);
  const perRecord = head.u8(64);
  const recordSize = perRecord >= 128 ? 2 ** Math.min(16, 256 - perRecord) : perRecord * clusterSize;
  if (recordSize < 512 || recordSize > 65_536) return start;
  const at = Number(head.u64(48)) * clusterSize + 3 * recordSize;
  const record = yield* window.fetch(at, recordSize);
  if (!record.is(at, 'FILE')) return start;
  let attribute = at + record.u16(at + 20);
  for (let step = 0; step < 64; step++) {
    const type = record.u32(attribute);
    const length = record.u32(attribute + 4);
    if (!record.has(attribute, 24) || type === 0xffff_ffff || length < 24) break;
    if (type === 0x60 && record.u8(attribute + 8) === 0) {
      const name = record.slice(attribute + record.u16(attribute + 20), Math.min(512, record.u32(attribute + 16)));
      return withLabel(start, utf16Label(name, true));
    }
    attribute += length;
  }
  return start;
}

function lookHpfs({ head }: Window): Found | undefined {
  if (!head.is(8192, '\x49\xe8\x95\xf9') || !head.is(8704, '\x49\x18\x91\xf9')) return undefined;
  const version = String(head.u8(8200));
  if (head.u8(38) !== 0x28) return { version };
  return found({ version, label: paddedLabel(head.slice(43, 11)), uuid: serialText(head.u32(39)) });
}

export const VFAT: Probe = { type: 'vfat', usage: 'filesystem', look: lookVfat, more: moreVfat };
export const HPFS: Probe = { type: 'hpfs', usage: 'filesystem', look: lookHpfs };
export const NTFS: Probe = { type: 'ntfs', usage: 'filesystem', look: lookNtfs, more: moreNtfs };
export const REFS: Probe = {
  type: 'ReFS',
  usage: 'filesystem',
  look: ({ head }) => (latin1(head.slice(0, 8)) === '\0\0\0ReFS\0' ? {} : undefined),
};
export const EXFAT: Probe = { type: 'exfat', usage: 'filesystem', look: lookExfat, more: moreExfat };
