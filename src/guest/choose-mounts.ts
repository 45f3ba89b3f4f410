/** Which file systems of a disk make up the tree of a guest, and mounting them. */
import { GuestlessError, Posix, Refused } from '../errors.ts';
import type { Io } from '../io/effect.ts';
import type { Disk } from './disk.ts';
import { findSystems, type Skipped, type SystemRoot } from './inspect/systems.ts';
import type { GuestTree } from './tree.ts';

/** A device and where it is mounted. */
export interface MountPoint {
  readonly device: string;
  readonly at: string;
  /** The caller asked for this one: when it cannot be mounted, nothing is done. */
  readonly wanted: boolean;
}

export interface MountChoice {
  /**
   * nova's numbers: 0 the whole disk, N partition N, -1 the only operating system. Absent: the mounts of the only operating system, else
   * the only file system there is.
   */
  readonly partition?: number | undefined;
  /** The image, for messages. */
  readonly image?: string;
  /** Told about what is passed over. */
  readonly warn?: (message: string) => void;
  /** How the caller can say what to mount, for messages. */
  readonly hint?: string;
}

/** The largest number of a partition that any partition table can hold here. */
const MAX_PARTITION = 9999;

/**
 * The mount points that a choice means on a disk, which is only looked at. Throws Refused where there is no operating system, or more
 * than one, or where nobody said which of several file systems is meant; Posix EINVAL for an impossible number.
 */
export function* chooseMounts(disk: Disk, choice: MountChoice = {}): Io<readonly MountPoint[]> {
  const { partition } = choice;
  if (partition === undefined) return yield* defaultMounts(disk, choice);
  if (partition === -1) return yield* onlySystem(disk, choice);
  if (!(Number.isInteger(partition) && partition >= 0 && partition <= MAX_PARTITION)) {
    throw new Posix('EINVAL', {}, `${partition} is no partition: 0 is the whole disk, N partition N, -1 the only operating system`);
  }
  return [{ device: partition === 0 ? '/dev/sda' : `/dev/sda${partition}`, at: '/', wanted: true }];
}

/**
 * Mounts file systems of a disk in an empty tree, parents first. The first one has to succeed, and those that are wanted; what else
 * fails is told to `warn`.
 */
export function* mountAll(
  tree: GuestTree,
  disk: Disk,
  points: readonly MountPoint[],
  warn: (message: string) => void = () => {},
): Io<void> {
  for (const { device, at, wanted } of [...points].sort(byMountPoint)) {
    try {
      const system = yield* disk.mount(device);
      yield* tree.mount(system, at, { device });
      for (const warning of system.warnings) warn(`${device}: ${warning.message}`);
    } catch (error) {
      if (wanted || tree.mounts.length === 0 || !(error instanceof GuestlessError)) throw error;
      warn(`${device} is not mounted at ${at}: ${error.message}`);
    }
  }
}

/** Byte order of the mount points puts each behind the one it lies in. */
function byMountPoint(a: MountPoint, b: MountPoint): number {
  return a.at < b.at ? -1 : a.at > b.at ? 1 : 0;
}

/** The mounts of one operating system. */
function mountsOf(system: SystemRoot): MountPoint[] {
  return system.mounts
    .filter((mount) => mount.device !== undefined)
    .map((mount) => ({ device: mount.device ?? '', at: mount.path, wanted: false }));
}

/** nova's partition -1. */
function* onlySystem(disk: Disk, choice: MountChoice): Io<readonly MountPoint[]> {
  const { systems, skipped } = yield* lookForSystems(disk);
  const [only] = systems;
  if (only === undefined)
    throw new Refused(`No operating system found${inImage(choice)}${because(skipped)}; ${yield* choices(disk, choice)}`);
  if (systems.length > 1)
    throw new Refused(`Multi-boot operating system found${inImage(choice)}: ${systemNames(systems)}; ${choose(choice)}`);
  return mountsOf(only);
}

/** The mounts of the only operating system, else the only file system there is. */
function* defaultMounts(disk: Disk, choice: MountChoice): Io<readonly MountPoint[]> {
  const { systems, skipped } = yield* lookForSystems(disk);
  const [only] = systems;
  if (systems.length > 1) throw new Refused(`more than one operating system: ${systemNames(systems)}; ${choose(choice)}`);
  if (only !== undefined) {
    for (const warning of only.warnings) choice.warn?.(warning);
    for (const mount of only.mounts) if (mount.device === undefined) choice.warn?.(`${mount.spec} for ${mount.path} is not on this disk`);
    return mountsOf(only);
  }
  const candidates = yield* mountable(disk);
  const [single] = candidates;
  if (single !== undefined && candidates.length === 1) return [{ device: single, at: '/', wanted: true }];
  if (candidates.length === 0) {
    const [reason] = skipped;
    if (reason !== undefined) throw reason.error;
    throw new Refused(`no file system found; ${yield* choices(disk, choice)}`);
  }
  throw new Refused(`no operating system and ${candidates.length} file systems found${because(skipped)}; ${yield* choices(disk, choice)}`);
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

function inImage({ image }: MountChoice): string {
  return image === undefined ? '' : ` in ${image}`;
}

function choose(choice: MountChoice): string {
  return `choose ${choice.hint ?? 'a partition'}`;
}

/** What the caller can choose from. */
function* choices(disk: Disk, choice: MountChoice): Io<string> {
  const names: string[] = [];
  for (const { device, type } of yield* disk.filesystems()) names.push(`${device} (${type})`);
  return names.length === 0 ? 'the image is empty' : `${choose(choice)}: ${names.join(', ')}`;
}
