/** Verbs about partition tables. Where the API leaves the outcome open, it is that of parted, sgdisk and sfdisk, which libguestfs runs. */
import { Posix, Unsupported } from '../../errors.ts';
import type { BlockDevice } from '../../io/device.ts';
import type { Io } from '../../io/effect.ts';
import {
  changePartitionTable,
  createPartitionTable,
  type EditablePartition,
  type EditableTable,
  editPartitionTable,
  GPT_EFI_SYSTEM,
  GPT_LINUX_FILESYSTEM,
  gptTypeOfMbr,
  newPartitionTable,
  partitionName,
  type RandomBytes,
  readPartitionTable,
} from '../../partition/index.ts';
import { idleDevice, requireIdle, writableDevice } from './device-access.ts';
import type { Handle } from './handle.ts';
import type { Verbs } from './verb.ts';

/** Where `part_disk` begins the partition, and how far in front of the disk's end it stops, in sectors. */
const DISK_MARGIN = 128;
/** Tables that libguestfs can make and we cannot. */
const OTHER_SCHEMES = ['aix', 'amiga', 'rdb', 'bsd', 'dasd', 'dvh', 'mac', 'pc98', 'sun'];
const GPT_NAME_UNITS = 36;

interface Options {
  readonly random: RandomBytes;
  readonly sectorSize?: number;
}

function optionsFor(handle: Handle, device: string): Options {
  const { blockSize } = handle.driveOf(device);
  const random: RandomBytes = (length) => handle.host.random(length);
  return blockSize === undefined ? { random } : { random, sectorSize: blockSize };
}

function requireNumber(partnum: number): void {
  if (partnum < 1) throw new Posix('EINVAL', {}, `partition number ${partnum}: they begin at 1`);
}

function schemeOf(parttype: string): 'gpt' | 'mbr' {
  if (parttype === 'gpt' || parttype === 'efi') return 'gpt';
  if (parttype === 'mbr' || parttype === 'msdos') return 'mbr';
  if (OTHER_SCHEMES.includes(parttype))
    throw new Unsupported(`${parttype} partition table`, `${parttype} partition tables cannot be made; use gpt or mbr`);
  throw new Posix('EINVAL', {}, `there is no partition table of type '${parttype}'; use gpt or mbr`);
}

function kindOf(prlogex: string): EditablePartition['kind'] {
  for (const kind of ['primary', 'logical', 'extended'] as const) if (prlogex === kind || prlogex === kind[0]) return kind;
  throw new Posix('EINVAL', {}, `'${prlogex}' is no kind of partition: primary, logical, extended`);
}

/** The last sector that an argument means: negative ones count from the end of the disk. */
function lastSector(endsect: number, device: BlockDevice, table: EditableTable): number {
  const sectors = Math.floor(device.size / table.sectorSize);
  const last = endsect < 0 ? sectors + endsect : endsect;
  if (last < 0 || last >= sectors) throw new Posix('EINVAL', {}, `sector ${endsect} is not on the disk, which has ${sectors}`);
  return last;
}

/** Makes a table on a device, with what `fill` puts into it. */
function* makeTable(handle: Handle, device: string, parttype: string, fill: (table: EditableTable, target: BlockDevice) => void): Io<void> {
  const scheme = schemeOf(parttype);
  const target = yield* idleDevice(handle, device);
  const table = newPartitionTable(scheme, target.size, optionsFor(handle, device));
  fill(table, target);
  yield* createPartitionTable(target, table);
  handle.forget(device);
}

/** Changes the table of a device. */
function* change(handle: Handle, device: string, body: (table: EditableTable, target: BlockDevice) => void): Io<void> {
  const target = yield* writableDevice(handle, device);
  yield* changePartitionTable(target, optionsFor(handle, device), (table) => body(table, target));
  handle.forget(device);
}

function* changeGpt(handle: Handle, device: string, body: (table: EditableTable) => void): Io<void> {
  yield* change(handle, device, (table) => {
    requireScheme(table, 'gpt', device);
    body(table);
  });
}

function requireScheme(table: EditableTable, scheme: 'gpt' | 'mbr', device: string): void {
  if (table.scheme !== scheme)
    throw new Posix('EINVAL', { path: device }, `this works on ${scheme} partition tables only, and this is ${table.scheme}`);
}

/** The table of a device for looking at, and one of its partitions. */
function* look(
  handle: Handle,
  device: string,
  partnum: number,
): Io<{ readonly table: EditableTable; readonly partition: EditablePartition }> {
  requireNumber(partnum);
  const table = yield* editPartitionTable(yield* handle.disk.device(device), optionsFor(handle, device));
  const partition = table.partitions.find((one) => one.number === partnum);
  if (partition === undefined) throw new Posix('EINVAL', { path: device }, `partition number ${partnum} not found`);
  return { table, partition };
}

function* lookGpt(handle: Handle, device: string, partnum: number): Io<EditablePartition> {
  const { table, partition } = yield* look(handle, device, partnum);
  requireScheme(table, 'gpt', device);
  return partition;
}

/** The partition as a device must not be in use. */
function requirePartitionIdle(handle: Handle, device: string, partnum: number): void {
  requireIdle(handle, partitionName(device, partnum));
}

/** A disk that is one file system, without a table: parted calls it a loop, a single partition. */
function* isUnpartitioned(handle: Handle, device: string): Io<boolean> {
  return (yield* handle.disk.identify(device))?.usage === 'filesystem';
}

/** GUIDs may stand in braces. */
function bareGuid(guid: string): string {
  return guid.replace(/^\{(.*)\}$/, '$1');
}

/** On GPT what parted calls the boot flag is the type of the EFI system partition. */
function isBootable(table: EditableTable, partition: EditablePartition): boolean {
  return partition.bootable || (table.scheme === 'gpt' && partition.type === GPT_EFI_SYSTEM);
}

function setBootable(table: EditableTable, partnum: number, bootable: boolean): void {
  if (table.scheme === 'mbr') table.setBootable(partnum, bootable);
  else if (bootable) table.setType(partnum, GPT_EFI_SYSTEM);
  else {
    table.setBootable(partnum, false);
    const partition = table.partitions.find((one) => one.number === partnum);
    if (partition?.type === GPT_EFI_SYSTEM) table.setType(partnum, GPT_LINUX_FILESYSTEM);
  }
}

export const partitionVerbs: Verbs = {
  part_init: {
    summary: 'makes an empty partition table',
    *run(handle, { device, parttype }) {
      yield* makeTable(handle, device, parttype, () => {});
    },
  },
  part_disk: {
    summary: 'makes a partition table with one partition over the whole disk',
    *run(handle, { device, parttype }) {
      yield* makeTable(handle, device, parttype, (table, target) => {
        const name = table.scheme === 'gpt' ? { name: 'p1' } : {};
        table.add({ first: DISK_MARGIN, last: lastSector(-DISK_MARGIN, target, table), ...name });
      });
    },
  },
  part_add: {
    summary: 'adds a partition',
    *run(handle, { device, prlogex, startsect, endsect }) {
      const kind = kindOf(prlogex);
      if (startsect < 0) throw new Posix('EINVAL', {}, 'startsect is negative');
      yield* change(handle, device, (table, target) => {
        const place = { first: startsect, last: lastSector(endsect, target, table) };
        // On GPT, parted takes the kind for a name.
        table.add(table.scheme === 'gpt' ? { ...place, name: kind } : { ...place, kind });
      });
    },
  },
  part_del: {
    summary: 'removes a partition; with an extended one the logical ones in it',
    *run(handle, { device, partnum }) {
      requireNumber(partnum);
      requirePartitionIdle(handle, device, partnum);
      yield* change(handle, device, (table) => {
        const partition = table.partitions.find((one) => one.number === partnum);
        // Logical partitions behind it get other numbers.
        if (partition?.kind !== 'primary' && table.scheme === 'mbr')
          for (const one of table.partitions) if (one.kind === 'logical') requirePartitionIdle(handle, device, one.number);
        table.remove(partnum);
      });
    },
  },
  part_resize: {
    summary: 'moves the end of a partition',
    *run(handle, { device, partnum, endsect }) {
      requireNumber(partnum);
      requirePartitionIdle(handle, device, partnum);
      yield* change(handle, device, (table, target) => table.resize(partnum, lastSector(endsect, target, table)));
    },
  },
  part_expand_gpt: {
    summary: 'moves the backup of a GPT to the end of a disk that has grown',
    *run(handle, { device }) {
      yield* changeGpt(handle, device, (table) => table.expand());
    },
  },
  part_list: {
    summary: 'lists the partitions of a device in the order in which they stand there',
    *run(handle, { device }) {
      const target = yield* handle.disk.device(device);
      const { sectorSize } = optionsFor(handle, device);
      const table = yield* readPartitionTable(target, sectorSize === undefined ? {} : { sectorSize });
      if (table === undefined || (table.partitions[0]?.start === 0 && table.partitions.length === 1)) {
        if (!(yield* isUnpartitioned(handle, device))) throw new Posix('EINVAL', { path: device }, 'there is no partition table');
        return [{ part_num: 1, part_start: 0, part_end: target.size - 1, part_size: target.size }];
      }
      const weight = (kind: string): number => (kind === 'extended' ? 0 : 1);
      return [...table.partitions]
        .sort((a, b) => a.start - b.start || weight(a.kind) - weight(b.kind))
        .map(({ number, start, size }) => ({ part_num: number, part_start: start, part_end: start + size - 1, part_size: size }));
    },
  },
  part_get_parttype: {
    summary: 'gives the type of a partition table: msdos or gpt',
    *run(handle, { device }) {
      const target = yield* handle.disk.device(device);
      const { sectorSize } = optionsFor(handle, device);
      try {
        const table = yield* readPartitionTable(target, sectorSize === undefined ? {} : { sectorSize });
        if (table !== undefined && table.partitions[0]?.start !== 0) return table.scheme === 'gpt' ? 'gpt' : 'msdos';
      } catch (error) {
        const other = error instanceof Unsupported ? /^(\w+) partition table$/.exec(error.feature)?.[1] : undefined;
        if (other === undefined) throw error;
        return other === 'sgi' ? 'dvh' : other;
      }
      throw new Posix('EINVAL', { path: device }, 'not a partitioned device');
    },
  },
  part_get_bootable: {
    summary: 'tells whether a partition is to be booted from',
    *run(handle, { device, partnum }) {
      const { table, partition } = yield* look(handle, device, partnum);
      return isBootable(table, partition);
    },
  },
  part_set_bootable: {
    summary: 'sets from which partition is to be booted',
    *run(handle, { device, partnum, bootable }) {
      requireNumber(partnum);
      yield* change(handle, device, (table) => setBootable(table, partnum, bootable));
    },
  },
  part_get_mbr_id: {
    summary: 'gives the type of a partition of an MBR, a number',
    *run(handle, { device, partnum }) {
      const { table, partition } = yield* look(handle, device, partnum);
      requireScheme(table, 'mbr', device);
      return Number.parseInt(partition.type, 16);
    },
  },
  part_set_mbr_id: {
    summary: 'sets the type of a partition of an MBR, a number',
    *run(handle, { device, partnum, idbyte }) {
      requireNumber(partnum);
      if (!(idbyte >= 0 && idbyte <= 255)) throw new Posix('EINVAL', {}, `${idbyte} is no type: 0 to 255`);
      yield* change(handle, device, (table) => {
        requireScheme(table, 'mbr', device);
        table.setType(partnum, idbyte.toString(16));
      });
    },
  },
  part_get_mbr_part_type: {
    summary: 'tells of a partition whether it is primary, extended or logical',
    *run(handle, { device, partnum }) {
      return (yield* look(handle, device, partnum)).partition.kind;
    },
  },
  part_get_name: {
    summary: 'gives the name of a partition of a GPT',
    *run(handle, { device, partnum }) {
      return (yield* lookGpt(handle, device, partnum)).name;
    },
  },
  part_set_name: {
    summary: 'names a partition of a GPT',
    *run(handle, { device, partnum, name }) {
      requireNumber(partnum);
      // parted cuts what is too long.
      yield* changeGpt(handle, device, (table) => table.setName(partnum, name.slice(0, GPT_NAME_UNITS)));
    },
  },
  part_get_gpt_type: {
    summary: 'gives the type of a partition of a GPT, a GUID; for an MBR the one that its type corresponds to',
    *run(handle, { device, partnum }) {
      const { table, partition } = yield* look(handle, device, partnum);
      if (table.scheme === 'gpt') return partition.type;
      const type = gptTypeOfMbr(Number.parseInt(partition.type, 16));
      if (type === undefined) throw new Posix('EINVAL', { path: device }, `the type ${partition.type} of partition ${partnum} has no GUID`);
      return type;
    },
  },
  part_set_gpt_type: {
    summary: 'sets the type of a partition of a GPT, a GUID',
    *run(handle, { device, partnum, guid }) {
      requireNumber(partnum);
      yield* changeGpt(handle, device, (table) => table.setType(partnum, bareGuid(guid)));
    },
  },
  part_get_gpt_guid: {
    summary: 'gives the GUID of a partition of a GPT',
    *run(handle, { device, partnum }) {
      return ((yield* lookGpt(handle, device, partnum)).uuid ?? '').toUpperCase();
    },
  },
  part_set_gpt_guid: {
    summary: 'sets the GUID of a partition of a GPT',
    *run(handle, { device, partnum, guid }) {
      requireNumber(partnum);
      yield* changeGpt(handle, device, (table) => table.setUuid(partnum, bareGuid(guid)));
    },
  },
  part_get_gpt_attributes: {
    summary: 'gives the 64 attribute bits of a partition of a GPT',
    *run(handle, { device, partnum }) {
      return BigInt.asIntN(64, (yield* lookGpt(handle, device, partnum)).attributes ?? 0n);
    },
  },
  part_set_gpt_attributes: {
    summary: 'sets the 64 attribute bits of a partition of a GPT',
    *run(handle, { device, partnum, attributes }) {
      requireNumber(partnum);
      yield* changeGpt(handle, device, (table) => table.setAttributes(partnum, BigInt(attributes)));
    },
  },
  part_get_disk_guid: {
    summary: 'gives the GUID of a disk with a GPT',
    *run(handle, { device }) {
      const table = yield* editPartitionTable(yield* handle.disk.device(device), optionsFor(handle, device));
      requireScheme(table, 'gpt', device);
      return table.id.toUpperCase();
    },
  },
  part_set_disk_guid: {
    summary: 'sets the GUID of a disk with a GPT',
    *run(handle, { device, guid }) {
      yield* changeGpt(handle, device, (table) => table.setId(bareGuid(guid)));
    },
  },
  part_set_disk_guid_random: {
    summary: 'gives a disk with a GPT a new random GUID',
    *run(handle, { device }) {
      yield* changeGpt(handle, device, (table) => table.setId(undefined));
    },
  },
};
