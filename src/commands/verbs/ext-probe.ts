/** Verbs that tell what is on devices: types, labels, UUIDs. */
import { decodeName } from '../../bytes/text.ts';
import { Posix, Unsupported } from '../../errors.ts';
import type { Signature } from '../../filesystem/index.ts';
import { FILE_SYSTEMS } from '../../guest/registry.ts';
import type { Io } from '../../io/effect.ts';
import { identified } from './ext-make.ts';
import { flushed } from './ext-tune.ts';
import type { Handle } from './handle.ts';
import type { Verbs } from './verb.ts';

/** GPT types of partitions that hold no file system: metadata and data of Windows's logical disk manager, Microsoft's reserved partition. */
const NO_FILESYSTEM: ReadonlySet<string> = new Set([
  '5808C8AA-7E8F-42E0-85D2-E1E90434CFB3',
  'AF9B60A0-1431-4F62-BC68-3311714A69AD',
  'E3C9E316-0B5C-4DB8-817D-F92DF00215AE',
]);

function* look(handle: Handle, device: string): Io<Signature | undefined> {
  yield* flushed(handle, device);
  return yield* identified(handle, device);
}

/** Devices that may hold a file system, and what blkid finds there: drives without partitions first. */
function* candidates(handle: Handle): Io<(readonly [string, Signature | undefined])[]> {
  const devices = yield* handle.disk.devices();
  const partitioned = new Set(devices.filter((device) => device.kind === 'partition').map((device) => device.drive));
  const drives = devices.filter((device) => device.kind === 'drive' && !partitioned.has(device.drive));
  const partitions = devices.filter(({ kind, partition }) => {
    return kind === 'partition' && partition?.kind !== 'extended' && !NO_FILESYSTEM.has(partition?.type ?? '');
  });
  const found: (readonly [string, Signature | undefined])[] = [];
  for (const { name } of [...drives, ...partitions]) found.push([name, yield* look(handle, name)]);
  return found;
}

function* findBy(handle: Handle, tag: string, value: string, matches: (signature: Signature) => boolean): Io<string> {
  for (const { name } of yield* handle.disk.devices()) {
    const signature = yield* look(handle, name);
    if (signature !== undefined && matches(signature)) return name;
  }
  throw new Posix('ENOENT', {}, `unable to resolve '${tag}=${value}'`);
}

export const extProbeVerbs: Verbs = {
  vfs_type: {
    summary: 'tells the type of what is on a device',
    *run(handle, { mountable }) {
      return (yield* look(handle, mountable))?.type ?? '';
    },
  },
  vfs_label: {
    summary: 'tells the label of a file system',
    *run(handle, { mountable }) {
      const signature = yield* look(handle, mountable);
      return signature === undefined ? '' : decodeName(signature.label);
    },
  },
  vfs_uuid: {
    summary: 'tells the UUID of a file system',
    *run(handle, { mountable }) {
      return (yield* look(handle, mountable))?.uuid ?? '';
    },
  },
  vfs_minimum_size: {
    summary: 'tells how small a file system could be made',
    *run(handle, { mountable }) {
      const type = (yield* look(handle, mountable))?.type ?? '';
      throw new Unsupported('vfs_minimum_size', `the least size of a file system of type '${type}' cannot be told`);
    },
  },
  blkid: {
    summary: 'tells what is known of what is on a device',
    *run(handle, { device }) {
      const signature = yield* look(handle, device);
      const sector = String(handle.driveOf(device).blockSize ?? 512);
      const pairs: [string, string][] = [];
      const add = (key: string, value: string | number | undefined): void => {
        if (value !== undefined && value !== '') pairs.push([key, String(value)]);
      };
      add('DEVNAME', device);
      if (signature !== undefined) {
        add('LABEL', decodeName(signature.label));
        add('UUID', signature.uuid);
        add('VERSION', signature.version);
        add('TYPE', signature.type);
        add('USAGE', signature.usage);
      }
      add('MINIMUM_IO_SIZE', sector);
      add('PHYSICAL_SECTOR_SIZE', sector);
      add('LOGICAL_SECTOR_SIZE', sector);
      const devices = yield* handle.disk.devices();
      const info = devices.find((one) => one.name === device);
      const table = devices.find((one) => one.kind === 'drive' && one.drive === info?.drive)?.table;
      if (info?.partition !== undefined && table !== undefined) {
        const { partition } = info;
        add('PART_ENTRY_SCHEME', table.scheme === 'mbr' ? 'dos' : 'gpt');
        add('PART_ENTRY_NAME', partition.name);
        add('PART_ENTRY_UUID', partition.uuid);
        add('PART_ENTRY_TYPE', table.scheme === 'mbr' ? `0x${partition.type.replace(/^0/, '')}` : partition.type.toLowerCase());
        add('PART_ENTRY_NUMBER', partition.number);
        add('PART_ENTRY_OFFSET', partition.start / 512);
        add('PART_ENTRY_SIZE', partition.size / 512);
      }
      return pairs;
    },
  },
  findfs_label: {
    summary: 'finds the device of a file system by its label',
    *run(handle, { label }) {
      return yield* findBy(handle, 'LABEL', label, (signature) => decodeName(signature.label) === label);
    },
  },
  findfs_uuid: {
    summary: 'finds the device of a file system by its UUID',
    *run(handle, { uuid }) {
      return yield* findBy(handle, 'UUID', uuid, (signature) => signature.uuid?.toLowerCase() === uuid.toLowerCase());
    },
  },
  list_filesystems: {
    summary: 'lists the devices that hold file systems, and their types',
    *run(handle) {
      const pairs: [string, string][] = [];
      for (const [device, signature] of yield* candidates(handle)) {
        const type = signature?.type ?? 'unknown';
        if (type.endsWith('_member') || type === 'crypto_LUKS' || type === 'BitLocker') continue;
        pairs.push([device, type]);
      }
      return pairs;
    },
  },
  filesystem_available: {
    summary: 'tells whether a type of file system can be opened',
    *run(_handle, { filesystem }) {
      if (!/^[A-Za-z0-9_]+$/.test(filesystem))
        throw new Posix('EINVAL', {}, 'the name of a file system has letters, digits and underscores only');
      return FILE_SYSTEMS.has(filesystem) || filesystem === 'msdos';
    },
  },
};
