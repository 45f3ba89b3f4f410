/** The drives of a guest: their partitions, and the file systems on them, under the names that a Linux guest would use. */
import type { Bytes } from '../bytes/struct.ts';
import { GuestlessError, Posix } from '../errors.ts';
import type { FileSystem, Usage, Warning } from '../filesystem/filesystem.ts';
import { identify, type Signature } from '../filesystem/signatures.ts';
import type { BlockDevice, WritableDevice } from '../io/device.ts';
import type { Io } from '../io/effect.ts';
import { type AsyncFace, asyncFace, type SyncFace, syncFace } from '../io/faces.ts';
import { Lock } from '../io/lock.ts';
import { Slice, TransactionalSlice, WritableSlice } from '../io/slice.ts';
import { isTransactional } from '../io/transaction.ts';
import { diskName, type Partition, type PartitionTable, parseDeviceName, partitionName, readPartitionTable } from '../partition/index.ts';
import { FILE_SYSTEMS, type MountOptions, mountByType, type Registry } from './registry.ts';

export interface DiskOptions extends MountOptions {
  /** Bytes per sector of the partition tables; found out by default (512, else 4096). */
  readonly sectorSize?: number;
  /** The file systems that can be opened; default all that this library knows. */
  readonly registry?: Registry;
}

/** A whole drive or one of its partitions. */
export interface DeviceInfo {
  /** Such as /dev/sda or /dev/sda1. */
  readonly name: string;
  readonly kind: 'drive' | 'partition';
  /** The number of the drive, from 0. */
  readonly drive: number;
  /** First byte on the drive; 0 for the drive itself. */
  readonly start: number;
  /** Length in bytes. */
  readonly size: number;
  /** The entry of the partition table, for a partition. */
  readonly partition?: Partition;
  /** The partition table, for a drive that has one. */
  readonly table?: PartitionTable;
  /** Why the partition table of a drive could not be read. */
  readonly error?: GuestlessError;
}

/** What a device holds. */
export interface FileSystemInfo {
  readonly device: string;
  /** Length of the device in bytes. */
  readonly size: number;
  /** The type as blkid names it, `unknown` where nothing is recognised. */
  readonly type: string;
  /** What kind of content the type is; undefined for `unknown`. */
  readonly content?: Signature['usage'];
  readonly label: Bytes;
  readonly uuid?: string;
  readonly version?: string;
  readonly partition?: Partition;
  /** Space and inodes, when the file system could be opened. */
  readonly usage?: Usage;
  /** What was found wrong, or replayed, when it was opened. */
  readonly warnings: readonly Warning[];
  /** Why it cannot be opened: its type is not supported, or it is damaged. */
  readonly error?: GuestlessError;
}

const NO_LABEL: Bytes = new Uint8Array(0);

/** Opens drives, the first as /dev/sda. Nothing is read before it is asked for. */
// biome-ignore lint/correctness/useYield: a computation like its siblings, so that opening may read one day
export function* openDisk(images: BlockDevice | readonly BlockDevice[], options: DiskOptions = {}): Io<Disk> {
  return new Disk('size' in images ? [images] : images, options);
}

/** Drives and what is on them. Its mounted file systems are kept: the same device gives the same object. */
export class Disk {
  readonly drives: readonly BlockDevice[];
  readonly #options: DiskOptions;
  readonly #tables = new Map<number, PartitionTable | undefined>();
  readonly #signatures = new Map<string, Signature | undefined>();
  readonly #mounted = new Map<string, FileSystem>();
  readonly #lock = new Lock();

  constructor(drives: readonly BlockDevice[], options: DiskOptions = {}) {
    this.drives = drives;
    this.#options = options;
  }

  /** The same, each call giving its result at once. */
  get sync(): SyncDisk {
    return syncFace<Disk>(this);
  }

  /** The same, each call giving a promise. */
  get async(): AsyncDisk {
    return asyncFace<Disk>(this);
  }

  /** The partition table of a drive; undefined where there is none. Throws Corrupt. */
  *partitionTable(drive = 0): Io<PartitionTable | undefined> {
    if (this.#tables.has(drive)) return this.#tables.get(drive);
    const { sectorSize } = this.#options;
    const table = yield* readPartitionTable(this.#drive(drive), sectorSize === undefined ? {} : { sectorSize });
    this.#tables.set(drive, table);
    return table;
  }

  /** All drives, each followed by its partitions. A partition table that cannot be read is told in `error` of its drive. */
  *devices(): Io<readonly DeviceInfo[]> {
    const devices: DeviceInfo[] = [];
    for (const [drive, image] of this.drives.entries()) {
      const whole = { name: diskName(drive), kind: 'drive', drive, start: 0, size: image.size } as const;
      let table: PartitionTable | undefined;
      try {
        table = yield* this.partitionTable(drive);
      } catch (error) {
        if (!(error instanceof GuestlessError)) throw error;
        devices.push({ ...whole, error });
        continue;
      }
      devices.push(table === undefined ? whole : { ...whole, table });
      for (const partition of table?.partitions ?? []) {
        const { number, start, size } = partition;
        devices.push({ name: partitionName(diskName(drive), number), kind: 'partition', drive, start, size, partition });
      }
    }
    return devices;
  }

  /**
   * What each partition holds, and each drive without partitions; extended partitions are left out, they only hold others. One that is
   * damaged or not supported has `error`; the others are not affected.
   */
  *filesystems(): Io<readonly FileSystemInfo[]> {
    const devices = yield* this.devices();
    const partitioned = new Set(devices.filter((device) => device.kind === 'partition').map((device) => device.drive));
    const found: FileSystemInfo[] = [];
    for (const device of devices) {
      if (device.kind === 'drive' ? partitioned.has(device.drive) : device.partition?.kind === 'extended') continue;
      found.push(yield* this.#describe(device));
    }
    return found;
  }

  *#describe(info: DeviceInfo): Io<FileSystemInfo> {
    const base = {
      device: info.name,
      size: info.size,
      ...(info.partition === undefined ? {} : { partition: info.partition }),
      ...(info.error === undefined ? {} : { error: info.error }),
    };
    let known = { ...base, type: 'unknown', label: NO_LABEL, warnings: [] } as FileSystemInfo;
    try {
      const signature = yield* this.identify(info.name);
      if (signature === undefined) return known;
      const { type, usage: content, label, uuid, version } = signature;
      known = {
        ...known,
        type,
        content,
        label,
        ...(uuid === undefined ? {} : { uuid }),
        ...(version === undefined ? {} : { version }),
      };
      if (content !== 'filesystem') return known;
      const system = yield* this.mount(info.name);
      return { ...known, usage: yield* system.usage(), warnings: system.warnings };
    } catch (error) {
      if (!(error instanceof GuestlessError)) throw error;
      return { ...known, error };
    }
  }

  /** What is recognised on a device, by its magic numbers. */
  *identify(name: string): Io<Signature | undefined> {
    return yield* this.#identify(name, yield* this.device(name));
  }

  /** What is only read is looked at once. */
  *#identify(name: string, device: BlockDevice): Io<Signature | undefined> {
    if (isWritableDevice(device)) return yield* identify(device);
    const key = deviceKey(name);
    if (!this.#signatures.has(key)) this.#signatures.set(key, yield* identify(device));
    return this.#signatures.get(key);
  }

  /**
   * The bytes of a drive or partition. Partition 1 of a drive that is one FAT file system without a table is the drive itself, as some
   * tools name it. Throws Posix ENOENT for a name that is not there.
   */
  *device(name: string): Io<BlockDevice> {
    const parsed = parseDeviceName(name);
    if (parsed === undefined) throw new Posix('ENODEV', { path: name }, 'no name of a device; they are like /dev/sda or /dev/sda1');
    const { index, number } = parsed;
    const drive = this.#drive(index, name);
    if (number === undefined) return drive;
    const table = yield* this.partitionTable(index);
    const partition = table?.partitions.find((one) => one.number === number);
    if (partition !== undefined) return slice(drive, partition.start, partition.size);
    if (number === 1 && (table === undefined || table.partitions.length === 0)) {
      if ((yield* identify(drive))?.type === 'vfat') return drive;
    }
    throw new Posix('ENOENT', { path: name }, `there is no partition ${number}; ${present(index, table)}`);
  }

  /**
   * Opens the file system of a device. Throws Unsupported (its `feature` is the type's name, or `unknown`), Corrupt, or Posix ENOENT for
   * a device that is not there.
   */
  *mount(name: string): Io<FileSystem> {
    return yield* this.#lock.exclusive(() => this.#mountOnce(name));
  }

  *#mountOnce(name: string): Io<FileSystem> {
    const key = deviceKey(name);
    const mounted = this.#mounted.get(key);
    if (mounted !== undefined) return mounted;
    const device = yield* this.device(name);
    const signature = yield* this.#identify(name, device);
    const registry = this.#options.registry ?? FILE_SYSTEMS;
    const system = yield* mountByType(registry, signature?.type, device, this.#options, name);
    this.#mounted.set(key, system);
    return system;
  }

  /**
   * Drops what is remembered of a device: after it was written to directly, or unmounted. For a whole drive its partition table and all its
   * partitions are meant. File systems in `keep`, by their devices' names, stay.
   */
  forget(name: string, keep: readonly string[] = []): void {
    const parsed = parseDeviceName(name);
    if (parsed === undefined) return;
    const { index, number } = parsed;
    const kept = new Set(keep.map(deviceKey));
    const concerned = (key: string): boolean =>
      !kept.has(key) && (key === `${index}:${number ?? 0}` || (number === undefined && key.startsWith(`${index}:`)));
    if (number === undefined) this.#tables.delete(index);
    for (const key of [...this.#mounted.keys()]) if (concerned(key)) this.#mounted.delete(key);
    for (const key of [...this.#signatures.keys()]) if (concerned(key)) this.#signatures.delete(key);
  }

  #drive(drive: number, name: string = diskName(drive)): BlockDevice {
    const image = this.drives[drive];
    if (image !== undefined) return image;
    const last = diskName(this.drives.length - 1);
    throw new Posix('ENOENT', { path: name }, this.drives.length === 1 ? `the only drive is ${last}` : `the drives end at ${last}`);
  }
}

/** The synchronous face of a disk. */
export interface SyncDisk extends SyncFace<Disk> {}
/** The asynchronous face of a disk. */
export interface AsyncDisk extends AsyncFace<Disk> {}

/** The same for all names of a device. */
function deviceKey(name: string): string {
  const parsed = parseDeviceName(name);
  return parsed === undefined ? name : `${parsed.index}:${parsed.number ?? 0}`;
}

function present(drive: number, table: PartitionTable | undefined): string {
  if (table === undefined) return `${diskName(drive)} has no partition table`;
  const numbers = table.partitions.map((partition) => partition.number);
  return numbers.length === 0 ? `the partition table of ${diskName(drive)} is empty` : `there are ${numbers.join(', ')}`;
}

function slice(drive: BlockDevice, start: number, size: number): BlockDevice {
  if (isTransactional(drive)) return new TransactionalSlice(drive, start, size);
  return isWritableDevice(drive) ? new WritableSlice(drive, start, size) : new Slice(drive, start, size);
}

function isWritableDevice(device: BlockDevice): device is WritableDevice {
  return typeof (device as Partial<WritableDevice>).write === 'function';
}
