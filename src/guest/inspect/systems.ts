/** Finds the operating systems of a disk and what each of them mounts: all that is needed to see its files as it does. */
import { GuestlessError } from '../../errors.ts';
import type { Io } from '../../io/effect.ts';
import type { Disk } from '../disk.ts';
import { GuestTree } from '../tree.ts';
import { classify, type SystemType } from './classify.ts';
import { DeviceFinder } from './devices.ts';
import { type FstabEntry, isOfDisks, parseFstab } from './fstab.ts';
import { CONFIGURATION_LIMIT, Probe } from './probe.ts';

/** A mount point that an operating system's fstab names. */
export interface SystemMount {
  readonly path: string;
  /** The device, such as /dev/sda1; undefined when the fstab names one that is not on this disk. */
  readonly device: string | undefined;
  /** As the fstab writes it, such as `UUID=...`. */
  readonly spec: string;
  readonly type: string;
  readonly options: string;
}

/** An operating system: the device of its root, and its mounts. */
export interface SystemRoot {
  readonly root: string;
  readonly type: SystemType;
  /** Mount points, the shortest first; always with `/`. */
  readonly mounts: readonly SystemMount[];
  /** All devices of its fstab that are on this disk, swap space too, in the order of the fstab. */
  readonly devices: readonly string[];
  /** Every line of its fstab that is about disks, resolved, in the order of the file. */
  readonly fstab: readonly SystemMount[];
  readonly warnings: readonly string[];
}

/** A file system that could not be looked at. */
export interface Skipped {
  readonly device: string;
  readonly error: GuestlessError;
}

/** File systems that are looked at. */
const FILE_SYSTEM_LIMIT = 256;

/** Types of GPT partitions that hold no file system of a guest: LDM metadata and data, MSR, snapshots of NetBSD. */
const NO_FILE_SYSTEM: ReadonlySet<string> = new Set([
  '5808C8AA-7E8F-42E0-85D2-E1E90434CFB3',
  'AF9B60A0-1431-4F62-BC68-3311714A69AD',
  'E3C9E316-0B5C-4DB8-817D-F92DF00215AE',
  'CADDEBF1-4400-4DE8-B103-12117DCF3CCF',
]);

/** All operating systems: those on drives without partitions, then those on partitions, each in the order of the devices. What cannot be looked at is told to `skip`, and the rest goes on. */
export function* findSystems(disk: Disk, skip: (skipped: Skipped) => void = () => {}): Io<SystemRoot[]> {
  const finder = new DeviceFinder(disk);
  const systems: SystemRoot[] = [];
  const devices = yield* disk.devices();
  const partitioned = new Set(devices.filter((device) => device.kind === 'partition').map((device) => device.drive));
  let looked = 0;
  const ordered = [...devices.filter(({ kind }) => kind === 'drive'), ...devices.filter(({ kind }) => kind === 'partition')];
  for (const { name, kind, drive, partition, error } of ordered) {
    if (error !== undefined) skip({ device: name, error });
    if (kind === 'drive' ? partitioned.has(drive) : partition?.kind === 'extended') continue;
    if (partition !== undefined && NO_FILE_SYSTEM.has(partition.type)) continue;
    if (++looked > FILE_SYSTEM_LIMIT) break;
    try {
      const signature = yield* disk.identify(name);
      if (signature?.usage !== 'filesystem') continue;
      const system = yield* systemOn(disk, name, finder);
      if (system !== undefined) systems.push(system);
    } catch (failure) {
      if (!(failure instanceof GuestlessError)) throw failure;
      skip({ device: name, error: failure });
    }
  }
  return systems;
}

function* systemOn(disk: Disk, root: string, finder: DeviceFinder): Io<SystemRoot | undefined> {
  const probe = new Probe(GuestTree.of(yield* disk.mount(root), { device: root }));
  const role = yield* classify(probe);
  if (role.role !== 'root') return undefined;
  const own: SystemMount = { path: '/', device: root, spec: root, type: '', options: 'defaults' };
  const lines = yield* probe.lines('/etc/fstab', CONFIGURATION_LIMIT);
  if (lines === undefined) return { root, type: role.type, mounts: [own], devices: [root], fstab: [], warnings: probe.warnings };
  const mounts = new Map<string, SystemMount>();
  const named: string[] = [];
  const all: SystemMount[] = [];
  for (const entry of parseFstab(lines)) {
    if (!isOfDisks(entry)) continue;
    const mount = yield* resolveEntry(entry, root, role.type, finder);
    all.push(mount);
    if (mount.device !== undefined && !named.includes(mount.device)) named.push(mount.device);
    if (!mount.path.startsWith('/')) continue;
    if (mounts.has(mount.path)) probe.warnings.push(`/etc/fstab names ${mount.path} twice; the first counts`);
    else mounts.set(mount.path, mount);
  }
  const rootEntry = mounts.get('/');
  if (rootEntry?.device !== root) {
    if (rootEntry !== undefined) probe.warnings.push(`/etc/fstab names ${rootEntry.spec} for /, which is not ${root}`);
    mounts.set('/', { ...(rootEntry ?? own), device: root });
  }
  if (!named.includes(root)) named.unshift(root);
  const sorted = [...mounts.values()].sort((a, b) => a.path.length - b.path.length || (a.path < b.path ? -1 : 1));
  return { root, type: role.type, mounts: sorted, devices: named, fstab: all, warnings: probe.warnings };
}

function* resolveEntry(entry: FstabEntry, root: string, type: SystemType, finder: DeviceFinder): Io<SystemMount> {
  const bsd = type === 'freebsd' || type === 'netbsd' || type === 'openbsd';
  const device = bsd && entry.path === '/' ? root : yield* finder.find(entry.spec, root);
  return { path: entry.path, device, spec: entry.spec, type: entry.type, options: entry.options };
}
