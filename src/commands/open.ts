/** Opens the image that a command names, and mounts what its options say. */

import { GuestlessError, Refused } from '../errors.ts';
import { type Disk, openDisk } from '../guest/disk.ts';
import { findSystems, type Skipped, type SystemRoot } from '../guest/inspect/systems.ts';
import { GuestTree } from '../guest/tree.ts';
import type { Image } from '../image/image.ts';
import type { Io } from '../io/effect.ts';
import type { Host } from './host.ts';
import { type Invocation, UsageError } from './invocation.ts';

/** An image and the drive that it is for the guest. */
export interface OpenedImage {
  readonly image: Image;
  readonly disk: Disk;
}

/** Opens the image that an argument names. */
export function* openNamedImage(invocation: Invocation, host: Host, argument = 'IMAGE'): Io<Image> {
  const format = invocation.value('--format');
  const image = yield* host.openImage(invocation.argument(argument), format === undefined ? {} : { format });
  for (const warning of image.warnings) host.warn(warning.message);
  return image;
}

/** The same, as the drive of a guest. */
export function* openImageDisk(invocation: Invocation, host: Host, argument = 'IMAGE'): Io<OpenedImage> {
  const image = yield* openNamedImage(invocation, host, argument);
  const disk = yield* openDisk(image, { ext4: { checksums: invocation.value('--checksums') === 'ignore' ? 'ignore' : 'verify' } });
  return { image, disk };
}

/** A device and where it is mounted. */
interface MountPoint {
  readonly device: string;
  readonly at: string;
  /** The user asked for this one: when it cannot be mounted, nothing is done. */
  readonly wanted: boolean;
}

/** Opens the image that an argument names and mounts its file systems as `--partition`, `-m` or the default rule says. */
export function* openTree(invocation: Invocation, host: Host, argument = 'IMAGE'): Io<GuestTree> {
  const { disk } = yield* openImageDisk(invocation, host, argument);
  const tree = new GuestTree();
  yield* mountChosen(tree, invocation, disk, host);
  return tree;
}

/** Mounts in `tree` what `--partition`, `-m` or the default rule says, shorter mount points first. */
export function* mountChosen(tree: GuestTree, invocation: Invocation, disk: Disk, host: Host): Io<void> {
  const points = yield* chooseMounts(invocation, disk, host);
  for (const { device, at, wanted } of [...points].sort((a, b) => depth(a.at) - depth(b.at))) {
    try {
      const system = yield* disk.mount(device);
      yield* tree.mount(system, at, { device });
      for (const warning of system.warnings) host.warn(`${device}: ${warning.message}`);
    } catch (error) {
      if (wanted || tree.mounts.length === 0 || !(error instanceof GuestlessError)) throw error;
      host.warn(`${device} is not mounted at ${at}: ${error.message}`);
    }
  }
}

function depth(path: string): number {
  return path === '/' ? 0 : path.split('/').length;
}

function* chooseMounts(invocation: Invocation, disk: Disk, host: Host): Io<readonly MountPoint[]> {
  const partition = invocation.value('--partition');
  const mounts = invocation.values('--mount');
  if (partition !== undefined && mounts.length > 0) throw usage(invocation, '--partition and -m exclude each other');
  if (mounts.length > 0) return mountOptions(invocation, mounts);
  if (partition === undefined) return yield* defaultMounts(disk, host);
  if (!/^(-1|[0-9]{1,4})$/.test(partition)) throw usage(invocation, `--partition wants -1, 0 or a number, not '${partition}'`);
  if (partition === '-1') return yield* onlySystem(disk);
  return [{ device: partition === '0' ? '/dev/sda' : `/dev/sda${Number(partition)}`, at: '/', wanted: true }];
}

function usage(invocation: Invocation, message: string): UsageError {
  return new UsageError(`${invocation.command.name}: ${message}`, `${invocation.command.name} --help`);
}

/** DEV[:MOUNTPOINT], further fields (mount options, type) as guestfish takes them are not looked at. */
function mountOptions(invocation: Invocation, values: readonly string[]): MountPoint[] {
  const points = values.map((value) => {
    const [device = '', at = '/'] = value.split(':');
    if (!device.startsWith('/dev/')) throw usage(invocation, `-m wants DEV[:MOUNTPOINT] such as /dev/sda1:/boot, not '${value}'`);
    if (!at.startsWith('/')) throw usage(invocation, `the mount point '${at}' is no absolute path`);
    return { device, at, wanted: true };
  });
  if (!points.some((point) => point.at === '/')) throw usage(invocation, 'one -m has to mount something at /');
  return points;
}

/** The mounts of one operating system. */
function mountsOf(system: SystemRoot): MountPoint[] {
  return system.mounts
    .filter((mount) => mount.device !== undefined)
    .map((mount) => ({ device: mount.device ?? '', at: mount.path, wanted: false }));
}

/** nova's partition -1. */
function* onlySystem(disk: Disk): Io<readonly MountPoint[]> {
  const { systems, skipped } = yield* lookForSystems(disk);
  const [only] = systems;
  if (only === undefined) throw new Refused(`no operating system found${because(skipped)}; ${yield* choices(disk)}`);
  if (systems.length > 1) throw new Refused(`multi-boot: ${systemNames(systems)}; choose one with --partition N`);
  return mountsOf(only);
}

/** The mounts of the only operating system, else the only file system there is. */
function* defaultMounts(disk: Disk, host: Host): Io<readonly MountPoint[]> {
  const { systems, skipped } = yield* lookForSystems(disk);
  const [only] = systems;
  if (systems.length > 1) throw new Refused(`more than one operating system: ${systemNames(systems)}; choose with --partition N or -m DEV`);
  if (only !== undefined) {
    for (const warning of only.warnings) host.warn(warning);
    for (const mount of only.mounts) if (mount.device === undefined) host.warn(`${mount.spec} for ${mount.path} is not on this disk`);
    return mountsOf(only);
  }
  const candidates = yield* mountable(disk);
  const [single] = candidates;
  if (single !== undefined && candidates.length === 1) return [{ device: single, at: '/', wanted: true }];
  if (candidates.length === 0) {
    const [reason] = skipped;
    if (reason !== undefined) throw reason.error;
    throw new Refused(`no file system found; ${yield* choices(disk)}`);
  }
  throw new Refused(`no operating system and ${candidates.length} file systems found${because(skipped)}; ${yield* choices(disk)}`);
}

function* lookForSystems(disk: Disk): Io<{ readonly systems: readonly SystemRoot[]; readonly skipped: readonly Skipped[] }> {
  const skipped: Skipped[] = [];
  const systems = yield* findSystems(disk, (one) => skipped.push(one));
  return { systems, skipped };
}

function because(skipped: readonly Skipped[]): string {
  return skipped.length === 0 ? '' : ` (${skipped.map(({ device, error }) => `${device}: ${error.message}`).join('; ')})`;
}

function systemNames(systems: readonly SystemRoot[]): string {
  return systems.map((system) => `${system.type} on ${system.root}`).join(', ');
}

/** The devices that are recognised as file systems, whether they can be opened or not. */
function* mountable(disk: Disk): Io<string[]> {
  const devices = yield* disk.devices();
  const partitioned = new Set(devices.filter((device) => device.kind === 'partition').map((device) => device.drive));
  const found: string[] = [];
  for (const { name, kind, drive, partition } of devices) {
    if (kind === 'drive' ? partitioned.has(drive) : partition?.kind === 'extended') continue;
    if ((yield* disk.identify(name))?.usage === 'filesystem') found.push(name);
  }
  return found;
}

/** What the user can choose from. */
function* choices(disk: Disk): Io<string> {
  const names: string[] = [];
  for (const { device, type } of yield* disk.filesystems()) names.push(`${device} (${type})`);
  return names.length === 0 ? 'the image is empty' : `choose with --partition N or -m DEV: ${names.join(', ')}`;
}
