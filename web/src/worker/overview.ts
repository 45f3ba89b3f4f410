/** What is on a disk: partitions to scale, file systems, operating systems. */
import { decodeName } from '../../../src/bytes/text.ts';
import { GuestlessError } from '../../../src/errors.ts';
import type { Disk, FileSystemInfo } from '../../../src/guest/disk.ts';
import { inspect, mountSystem } from '../../../src/guest/inspect/inspection.ts';
import { listPackages } from '../../../src/guest/inspect/packages.ts';
import type { Io } from '../../../src/io/effect.ts';
import { diskName, type PartitionTable, partitionName } from '../../../src/partition/index.ts';
import type { Content, Overview, Packages, Region, System } from '../protocol.ts';
import { failureOf } from './failure.ts';

/** Gaps smaller than this are alignment and no free space: 1 MiB and the tables. */
const SMALLEST_GAP: number = 3 << 20;

export function* overviewOf(disk: Disk): Io<Overview> {
  let table: PartitionTable | undefined;
  let tableError: Overview['tableError'];
  try {
    table = yield* disk.partitionTable();
  } catch (error) {
    if (!(error instanceof GuestlessError)) throw error;
    tableError = failureOf(error);
  }
  const contents = (yield* disk.filesystems()).map(content);
  const systems: System[] = [];
  for (const found of yield* inspect(disk)) {
    const { root, prettyName, productName, distribution, architecture, hostname, init, packageFormat, mounts, warnings } = found;
    systems.push({
      root,
      title: prettyName ?? productName,
      distribution,
      architecture,
      ...(hostname === undefined ? {} : { hostname }),
      init,
      packageFormat,
      mounts: mounts.map(({ path, device, spec }) => ({ path, spec, ...(device === undefined ? {} : { device }) })),
      warnings,
    });
  }
  return {
    ...(table === undefined ? {} : { scheme: table.scheme, sectorSize: table.sectorSize }),
    ...(table?.id === undefined ? {} : { tableId: table.id }),
    ...(tableError === undefined ? {} : { tableError }),
    tableWarnings: table?.warnings.map(({ message }) => message) ?? [],
    regions: regions(disk.drives[0]?.size ?? 0, table, contents),
    contents,
    systems,
  };
}

function content(info: FileSystemInfo): Content {
  const { device, type, size, label, uuid, usage, warnings, error } = info;
  return {
    device,
    type,
    size,
    label: decodeName(label),
    ...(uuid === undefined ? {} : { uuid }),
    ...(usage === undefined
      ? {}
      : {
          used: (usage.blocks - usage.freeBlocks) * usage.blockSize,
          total: usage.blocks * usage.blockSize,
          inodes: usage.inodes,
          freeInodes: usage.freeInodes,
        }),
    warnings: warnings.map(({ message }) => message),
    ...(error === undefined ? {} : { error: failureOf(error) }),
  };
}

function regions(size: number, table: PartitionTable | undefined, contents: readonly Content[]): Region[] {
  const of = (device: string): { content?: Content } => {
    const found = contents.find((one) => one.device === device);
    return found === undefined ? {} : { content: found };
  };
  if (table === undefined) return [{ kind: 'partition', start: 0, size, device: diskName(0), ...of(diskName(0)) }];
  const found: Region[] = [];
  let at = 0;
  const gap = (to: number): void => {
    if (to - at >= SMALLEST_GAP) found.push({ kind: 'free', start: at, size: to - at });
  };
  const sorted = table.partitions.filter(({ kind }) => kind !== 'extended').sort((a, b) => a.start - b.start);
  for (const { number, start, size: length, typeName, type, name, bootable } of sorted) {
    gap(start);
    const device = partitionName(diskName(0), number);
    found.push({
      kind: 'partition',
      start,
      size: length,
      device,
      typeName: typeName ?? type,
      ...(name === undefined ? {} : { partitionName: name }),
      bootable,
      ...of(device),
    });
    at = Math.max(at, start + length);
  }
  gap(size);
  return found;
}

export function* packagesOf(disk: Disk, root: string): Io<Packages> {
  const system = (yield* inspect(disk)).find((one) => one.root === root);
  if (system === undefined) return { names: [], reason: 'there is no operating system' };
  try {
    const list = yield* listPackages(yield* mountSystem(disk, system), system.packageFormat);
    if (list.status === 'unsupported') return { names: [], reason: list.reason };
    return { count: list.packages.length, names: list.packages.map((one) => `${one.name} ${one.version}`) };
  } catch (error) {
    if (!(error instanceof GuestlessError)) throw error;
    return { names: [], reason: error.message };
  }
}
