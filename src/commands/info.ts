/** `info`: what an image is and what is on it. */

import { decodeName } from '../bytes/text.ts';
import { GuestlessError } from '../errors.ts';
import type { FileSystemInfo } from '../guest/disk.ts';
import { type Inspection, inspect, mountSystem } from '../guest/inspect/inspection.ts';
import { listPackages, type PackageList } from '../guest/inspect/packages.ts';
import type { Image } from '../image/image.ts';
import type { Io } from '../io/effect.ts';
import type { PartitionTable } from '../partition/index.ts';
import type { Run } from './declaration.ts';
import { humanSize } from './file-text.ts';
import { filesystemRecord } from './filesystems.ts';
import { openImageDisk } from './open.ts';
import { escapeControls, Printer } from './output.ts';
import { fullVersion } from './packages.ts';

/** One image of a chain, the top first. */
interface Layer {
  readonly file: string;
  readonly format: string;
  readonly virtualSize: number;
  readonly actualSize: number | undefined;
}

interface System {
  readonly inspection: Inspection;
  readonly packages: PackageList;
}

/** All that is said of an image. */
interface Findings {
  /** The top first. */
  readonly layers: readonly Layer[];
  readonly table: PartitionTable | undefined;
  readonly filesystems: readonly FileSystemInfo[];
  readonly systems: readonly System[];
  readonly warnings: readonly string[];
  /** Whether the packages are listed and not only counted. */
  readonly listed: boolean;
}

export const info: Run = function* (invocation, host, output): Io<number> {
  const { image, disk } = yield* openImageDisk(invocation, host);
  const layers = chain(image);
  let table: PartitionTable | undefined;
  const warnings: string[] = [];
  let status = 0;
  try {
    table = yield* disk.partitionTable();
    for (const warning of table?.warnings ?? []) warnings.push(`partition table: ${warning.message}`);
  } catch (error) {
    if (!(error instanceof GuestlessError)) throw error;
    warnings.push(`partition table: ${error.message}`);
    status = 4;
  }
  const filesystems = yield* disk.filesystems();
  const systems: System[] = [];
  for (const inspection of yield* inspect(disk)) {
    systems.push({ inspection, packages: yield* packagesOf(disk, inspection) });
  }
  const findings: Findings = { layers, table, filesystems, systems, warnings, listed: invocation.has('--packages') };
  const printer = new Printer(output);
  if (output.json) {
    printer.text(JSON.stringify(record(findings), null, 2));
    yield* printer.line();
  } else {
    for (const line of report(findings)) {
      printer.text(line);
      yield* printer.line();
    }
  }
  yield* printer.flush();
  return status;
};

type DiskOfImage = Parameters<typeof inspect>[0];

function* packagesOf(disk: DiskOfImage, inspection: Inspection): Io<PackageList> {
  try {
    return yield* listPackages(yield* mountSystem(disk, inspection), inspection.packageFormat);
  } catch (error) {
    if (!(error instanceof GuestlessError)) throw error;
    return { status: 'unsupported', format: inspection.packageFormat, reason: error.message };
  }
}

/** What is of use to programs; the rest is there for the libguestfs API. */
function summary({
  rootRelease: _release,
  hasDnf: _dnf,
  fstab: _fstab,
  ...told
}: Inspection): Omit<Inspection, 'rootRelease' | 'hasDnf' | 'fstab'> {
  return told;
}

function chain(image: Image): Layer[] {
  const layers: Layer[] = [];
  for (let layer: Image | undefined = image; layer !== undefined; layer = layer.backing) {
    const { source, format, size } = layer;
    layers.push({ file: source.name, format, virtualSize: size, actualSize: source.allocated });
  }
  return layers;
}

function record({ layers, table, filesystems, systems, warnings, listed }: Findings): Record<string, unknown> {
  const [top] = layers;
  return {
    image: top?.file,
    format: top?.format,
    virtualSize: top?.virtualSize,
    actualSize: top?.actualSize ?? null,
    chain: layers.map((layer) => ({ ...layer, actualSize: layer.actualSize ?? null })),
    partitionTable:
      table === undefined
        ? null
        : {
            scheme: table.scheme,
            sectorSize: table.sectorSize,
            id: table.id ?? null,
            partitions: table.partitions.map((partition) => ({
              ...partition,
              ...(partition.attributes === undefined ? {} : { attributes: `0x${partition.attributes.toString(16)}` }),
            })),
          },
    filesystems: filesystems.map(filesystemRecord),
    operatingSystems: systems.map(({ inspection, packages }) => ({
      ...summary(inspection),
      packageCount: packages.status === 'listed' ? packages.packages.length : null,
      ...(listed ? { packages } : {}),
    })),
    warnings,
  };
}

function report({ layers, table, filesystems, systems, warnings, listed }: Findings): string[] {
  const lines: string[] = [];
  for (const [depth, { file, format, virtualSize, actualSize }] of layers.entries()) {
    const space = actualSize === undefined ? '' : `, ${humanSize(actualSize)} on the host`;
    lines.push(
      `${depth === 0 ? 'image' : `backing file ${depth}`}: ${shown(file)}: ${format}, ${humanSize(virtualSize)} (${virtualSize} bytes)${space}`,
    );
  }
  if (table === undefined) lines.push('partitions: none');
  else {
    lines.push(`partitions: ${table.scheme}${table.id === undefined ? '' : ` ${table.id}`}, sectors of ${table.sectorSize} bytes`);
    for (const { number, start, size, type, typeName, name, kind, bootable } of table.partitions) {
      const more = [
        name === undefined || name === '' ? '' : ` "${shown(name)}"`,
        kind === 'primary' ? '' : ` ${kind}`,
        bootable ? ' bootable' : '',
      ].join('');
      lines.push(`  ${String(number).padStart(3)}  ${humanSize(size).padStart(6)} at ${start}  ${typeName ?? type}${more}`);
    }
  }
  lines.push('file systems:');
  for (const info of filesystems) {
    const { device, type, label, uuid, size, usage, error } = info;
    const parts = [`${type}, ${humanSize(size)}`];
    if (label.length > 0) parts.push(`label ${shown(decodeName(label))}`);
    if (uuid !== undefined) parts.push(`UUID ${uuid}`);
    if (usage !== undefined) parts.push(`${humanSize((usage.blocks - usage.freeBlocks) * usage.blockSize)} used`);
    lines.push(`  ${device}: ${parts.join(', ')}`);
    if (error !== undefined) lines.push(`    ${error.family}: ${shown(error.message)}`);
    for (const warning of info.warnings) lines.push(`    warning: ${shown(warning.message)}`);
  }
  for (const system of systems) lines.push(...systemReport(system, listed));
  for (const warning of warnings) lines.push(`warning: ${shown(warning)}`);
  return lines;
}

function systemReport({ inspection, packages }: System, listed: boolean): string[] {
  const lines: string[] = [];
  const { root, type, distribution, version, prettyName, productName, architecture, hostname, mounts } = inspection;
  lines.push(`operating system on ${root}: ${shown(prettyName ?? titled(productName, distribution))}`);
  const number = version.major === 0 && version.minor === 0 ? '' : ` ${version.major}.${version.minor}`;
  lines.push(
    `  ${type}, ${shown(distribution)}${number}, ${architecture}, init ${inspection.init}, packages ${inspection.packageFormat} (${inspection.packageManagement})`,
  );
  if (hostname !== undefined) lines.push(`  hostname: ${shown(hostname)}`);
  for (const { path, device, spec } of mounts) lines.push(`  mount: ${shown(path)} on ${device ?? `${shown(spec)} (not on this disk)`}`);
  for (const warning of inspection.warnings) lines.push(`  warning: ${shown(warning)}`);
  if (packages.status === 'unsupported') {
    lines.push(`  packages: NOT LISTED, ${packages.reason}`);
    return lines;
  }
  lines.push(`  packages: ${packages.packages.length}`);
  for (const warning of packages.warnings) lines.push(`  warning: ${shown(warning)}`);
  if (!listed) return lines;
  for (const one of packages.packages) lines.push(`    ${shown(one.name)} ${shown(fullVersion(one))} ${shown(one.architecture)}`);
  return lines;
}

/** Some release files have nothing but a version in them. */
function titled(productName: string, distribution: string): string {
  return /^[0-9]/.test(productName) ? `${distribution} ${productName}` : productName;
}

/** Text of the image in a report for people is escaped, wherever it goes. */
function shown(text: string): string {
  return escapeControls(text);
}
