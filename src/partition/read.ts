/** Finds and reads the partition table of a disk. */
import { type Bytes, viewOf } from '../bytes/struct.ts';
import { latin1 } from '../bytes/text.ts';
import { Refused, Unsupported } from '../errors.ts';
import type { BlockDevice } from '../io/device.ts';
import type { Io } from '../io/effect.ts';
import { fatVersion, hasFakeMbr, isExfat, isNtfs } from './boot-sector.ts';
import { BOOT_RECORD_SIZE } from './format.ts';
import { readGpt } from './gpt.ts';
import { mbrKind, readMbr } from './mbr.ts';
import type { PartitionTable } from './table.ts';

export interface PartitionOptions {
  /** Logical sector size in bytes. By default 512 for MBR, and whatever the header is found at for GPT (512, 4096, 2048, 1024). */
  readonly sectorSize?: number;
}

/** Everything that the usual GPT disk needs, in one request: boot record, header and entries at 512 and at 4096 bytes a sector. */
const FIRST_REQUEST = 24_576;

/**
 * The partition table of a disk; undefined when it has none (an empty disk, or a file system that covers the whole disk).
 *
 * A disk whose boot sector is a valid FAT, exFAT or NTFS one has no table, with the exception of the table that `mkfs.fat --mbr` puts
 * there: one partition that is the whole disk. A table may well be empty; then the disk may also hold a file system, as boot loaders
 * write 55 AA without partitions.
 *
 * Throws Corrupt when a protective MBR announces a GPT and neither copy can be used, and Unsupported, with the scheme's name, for
 * the tables of other systems (Apple, BSD, Sun, SGI).
 */
export function* readPartitionTable(device: BlockDevice, options: PartitionOptions = {}): Io<PartitionTable | undefined> {
  const { sectorSize } = options;
  if (sectorSize !== undefined && ![512, 1024, 2048, 4096].includes(sectorSize))
    throw new Refused(`no disk has sectors of ${sectorSize} bytes`);
  if (device.size < BOOT_RECORD_SIZE) return undefined;
  const head = (yield* device.read(0, Math.min(FIRST_REQUEST, device.size))).slice();
  const known = new Buffered(device, head);
  const kind = mbrKind(head);
  if (kind === 'protective') return yield* readGpt(known, sectorSize);
  if (kind === 'table') {
    if (fatVersion(head) !== undefined) return hasFakeMbr(head) ? yield* readMbr(known, head, sectorSize ?? 512) : undefined;
    if (isExfat(head) || isNtfs(head)) return undefined;
    const table = yield* readMbr(known, head, sectorSize ?? 512);
    return table.partitions.length === 0 && isPhysicalVolume(head) ? undefined : table;
  }
  if (fatVersion(head) !== undefined) return undefined;
  const foreign = foreignScheme(head);
  if (foreign !== undefined)
    throw new Unsupported(`${foreign} partition table`, `${foreign} partition tables are not supported`, { layer: 'partition' });
  return undefined;
}

/** The device with its first bytes at hand. */
class Buffered implements BlockDevice {
  readonly size: number;
  readonly preferredRequest: number;
  readonly #device: BlockDevice;
  readonly #head: Bytes;

  constructor(device: BlockDevice, head: Bytes) {
    this.#device = device;
    this.#head = head;
    this.size = device.size;
    this.preferredRequest = device.preferredRequest;
  }

  *read(offset: number, length: number): Io<Bytes> {
    if (offset + length <= this.#head.length) return this.#head.subarray(offset, offset + length);
    return yield* this.#device.read(offset, length);
  }

  *readInto(offset: number, target: Bytes): Io<void> {
    target.set(yield* this.read(offset, target.length));
  }

  map: BlockDevice['map'] = (offset, length) => this.#device.map(offset, length);
}

/** An LVM2 physical volume keeps its label in one of the first four sectors. */
function isPhysicalVolume(head: Bytes): boolean {
  for (let at = 0; at + 32 <= Math.min(head.length, 2048); at += 512) {
    if (latin1(head.subarray(at, at + 8)) === 'LABELONE' && latin1(head.subarray(at + 24, at + 32)) === 'LVM2 001') return true;
  }
  return false;
}

/** The tables of other systems, by their magic numbers (libblkid's partitions/*.c). */
function foreignScheme(head: Bytes): string | undefined {
  const view = viewOf(head);
  if (head.length >= 1024 && view.getUint16(0) === 0x4552 && view.getUint16(512) === 0x504d) return 'mac';
  if (view.getUint16(508) === 0xdabe) return 'sun';
  if (view.getUint32(0) === 0x0be5a941) return 'sgi';
  if (head.length >= 1024 && view.getUint32(512, true) === 0x82564557) return 'bsd';
  if (view.getUint32(64, true) === 0x82564557) return 'bsd';
  return undefined;
}
