/** Which code mounts which type of file system. */
import type { Bytes } from '../bytes/struct.ts';
import type { Codecs } from '../codec/codecs.ts';
import { Posix, Unsupported } from '../errors.ts';
import { type Ext4Options, mountExt4, mountWritableExt4 } from '../ext4/index.ts';
import type { FileSystem, Timestamp } from '../filesystem/filesystem.ts';
import type { BlockDevice } from '../io/device.ts';
import type { Io } from '../io/effect.ts';
import { isTransactional } from '../io/transaction.ts';
import { type Iso9660Options, mountIso9660 } from '../iso9660/index.ts';
import { mountVfat, mountWritableVfat, type VfatOptions } from '../vfat/index.ts';

/** What every mount function may be told; each takes what concerns it. */
export interface MountOptions {
  /** Go on, with a warning, where a metadata checksum does not match. Default false: Corrupt. */
  readonly ignoreChecksums?: boolean;
  /** The clock that stamps what is changed; default the platform's. */
  readonly clock?: () => Timestamp;
  readonly ext4?: Ext4Options;
  readonly vfat?: VfatOptions;
  readonly iso9660?: Iso9660Options;
  /** Decoders, for file systems that hold compressed files. */
  readonly codecs?: Pick<Codecs, 'inflateRaw'>;
}

/** Opens the file system on a device. Throws Corrupt or Unsupported. */
export type Mounter = (device: BlockDevice, options: MountOptions) => Io<FileSystem>;

/** From blkid's type name to the function that mounts it. */
export type Registry = ReadonlyMap<string, Mounter>;

const ext4: Mounter = (device, options) =>
  isTransactional(device)
    ? mountWritableExt4(device, options.clock === undefined ? {} : { now: options.clock })
    : mountExt4(device, { checksums: options.ignoreChecksums === true ? 'ignore' : 'verify', ...options.ext4 });

const vfat: Mounter = (device, options) =>
  isTransactional(device)
    ? mountWritableVfat(device, { ...options.vfat, ...(options.clock === undefined ? {} : { clock: options.clock }) })
    : mountVfat(device, options.vfat);

const iso9660: Mounter = (device, { codecs, iso9660 }) => {
  const inflate = codecs === undefined ? {} : { inflate: (input: Bytes, target: Bytes) => codecs.inflateRaw(input, target) };
  return mountIso9660(device, { ...inflate, ...iso9660 });
};

/** The file systems that this library knows: on a device with transactions they can be changed, on any other they are for reading. */
export const FILE_SYSTEMS: Registry = new Map<string, Mounter>([
  ['ext2', ext4],
  ['ext3', ext4],
  ['ext4', ext4],
  ['vfat', vfat],
  ['iso9660', iso9660],
]);

/**
 * Mounts a device whose type is known. Throws Unsupported with the type's name when the registry lacks it, `unknown` when the type
 * could not be told, and Posix EINVAL for what holds no files at all (swap space).
 */
export function* mountByType(
  registry: Registry,
  type: string | undefined,
  device: BlockDevice,
  options: MountOptions,
  name: string,
): Io<FileSystem> {
  if (type === undefined) {
    throw new Unsupported('unknown', 'no file system is recognised here; `filesystems` lists what the image holds', { image: name });
  }
  if (type === 'swap') throw new Posix('EINVAL', { image: name }, 'swap space holds no files');
  const mount = registry.get(type);
  if (mount === undefined) {
    const known = [...registry.keys()].join(', ');
    throw new Unsupported(type, `${type} is recognised but cannot be opened; file systems that can: ${known}`, { image: name });
  }
  return yield* mount(device, options);
}
