/** The chain of extended boot records of an MBR disk, as all tools write it: one logical partition and one link in each. */
import type { Bytes } from '../bytes/struct.ts';
import { Unsupported } from '../errors.ts';
import type { BlockDevice } from '../io/device.ts';
import type { Io } from '../io/effect.ts';
import {
  BOOT_RECORD_SIZE,
  BOOT_SIGNATURE,
  EXTENDED_TYPES,
  MASTER_BOOT_RECORD,
  MBR_ACTIVE,
  MBR_ENTRIES_OFFSET,
  MBR_ENTRY,
  type MbrEntry,
  readMbrEntries,
} from './format.ts';

/** Linux gives no numbers above. */
export const MAX_PARTITION_NUMBER = 255;
/** In an extended boot record the link to the next one is of this type, whatever the extended partition's own. */
const LINK = 0x05;
/** The geometry that Linux and all BIOSes pretend for disks of more than a few hundred megabytes. */
const HEADS = 255;
const SECTORS_PER_TRACK = 63;

export interface Logical {
  /** The sector of its extended boot record. */
  readonly recordAt: number;
  /** The record as it was found; zeros for a new one. */
  readonly record: Bytes;
  readonly first: number;
  readonly last: number;
  readonly type: number;
  readonly active: boolean;
}

/** Cylinder, head and sector of a sector number; 1023/254/63 for what CHS cannot say. */
function chsBytes(lba: number): Bytes {
  const cylinder = Math.floor(lba / (HEADS * SECTORS_PER_TRACK));
  if (cylinder > 1023) return Uint8Array.of(0xfe, 0xff, 0xff);
  const head = Math.floor(lba / SECTORS_PER_TRACK) % HEADS;
  const sector = (lba % SECTORS_PER_TRACK) + 1;
  return Uint8Array.of(head, ((cylinder >> 2) & 0xc0) | sector, cylinder & 0xff);
}

/** The place of a partition as an entry says it, in sectors that count from `base`; CHS counts from the beginning of the disk. */
export function placeOf(
  first: number,
  last: number,
  base: number,
): Pick<MbrEntry, 'StartingCHS' | 'EndingCHS' | 'StartingLBA' | 'SizeInLBA'> {
  return { StartingCHS: chsBytes(first), EndingCHS: chsBytes(last), StartingLBA: first - base, SizeInLBA: last - first + 1 };
}

/** The logical partitions of an extended one. Throws Unsupported for a chain that is not as all tools write it: it can be read, not changed. */
export function* readChain(device: BlockDevice, extended: MbrEntry, sectorSize: number): Io<Logical[]> {
  const logicals: Logical[] = [];
  const visited = new Set<number>();
  for (let at = extended.StartingLBA; ; ) {
    if (visited.has(at)) throw unusual('its chain goes in a circle');
    visited.add(at);
    if (visited.size > MAX_PARTITION_NUMBER) throw unusual('its chain is too long');
    if ((at + 1) * sectorSize > device.size) throw unusual('its chain leaves the disk');
    const record = (yield* device.read(at * sectorSize, BOOT_RECORD_SIZE)).slice();
    // A freshly made extended partition has no boot record yet.
    if (MASTER_BOOT_RECORD.read(record).Signature !== BOOT_SIGNATURE) {
      if (logicals.length === 0) return [];
      throw unusual('an extended boot record has no signature');
    }
    const used = readMbrEntries(record).filter((entry) => entry.SizeInLBA !== 0);
    const data = used.filter((entry) => !EXTENDED_TYPES.has(entry.OSType));
    const links = used.filter((entry) => EXTENDED_TYPES.has(entry.OSType));
    if (data.length > 1 || links.length > 1) throw unusual('an extended boot record holds several partitions');
    const [entry] = data;
    if (entry !== undefined) {
      const first = at + entry.StartingLBA;
      const last = first + entry.SizeInLBA - 1;
      logicals.push({ recordAt: at, record, first, last, type: entry.OSType, active: entry.BootIndicator === MBR_ACTIVE });
    }
    const [link] = links;
    if (link === undefined) return logicals;
    at = extended.StartingLBA + link.StartingLBA;
  }
}

export function unusual(what: string): Unsupported {
  return new Unsupported('unusual extended partition', `this extended partition cannot be changed: ${what}; it can be read`, {
    layer: 'partition',
  });
}

/** The boot records of an extended partition that begins at sector `start`; the first logical partition's stands there. */
export function encodeChain(start: number, logicals: readonly Logical[]): { readonly at: number; readonly bytes: Bytes }[] {
  if (logicals.length === 0) {
    const bytes = new Uint8Array(BOOT_RECORD_SIZE);
    MASTER_BOOT_RECORD.write(bytes, 0, { Signature: BOOT_SIGNATURE });
    return [{ at: start, bytes }];
  }
  return logicals.map(({ recordAt, record, first, last, type, active }, i) => {
    const bytes = record.slice();
    bytes.fill(0, MBR_ENTRIES_OFFSET, MBR_ENTRIES_OFFSET + 4 * MBR_ENTRY.size);
    const entry = { ...placeOf(first, last, recordAt), OSType: type, BootIndicator: active ? MBR_ACTIVE : 0 };
    MBR_ENTRY.write(bytes, MBR_ENTRIES_OFFSET, entry);
    const next = logicals[i + 1];
    if (next !== undefined) {
      const link = { ...placeOf(next.recordAt, next.last, start), OSType: LINK, BootIndicator: 0 };
      MBR_ENTRY.write(bytes, MBR_ENTRIES_OFFSET + MBR_ENTRY.size, link);
    }
    MASTER_BOOT_RECORD.write(bytes, 0, { Signature: BOOT_SIGNATURE });
    return { at: recordAt, bytes };
  });
}
