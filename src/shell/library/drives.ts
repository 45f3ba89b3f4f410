/** Adding drives, and their names. */
import { Posix, Unsupported } from '../../errors.ts';
import type { Io } from '../../io/effect.ts';
import { diskName, parseDeviceName, partitionName } from '../../partition/index.ts';
import { addDomain } from '../domain.ts';
import type { DriveRequest } from '../host.ts';
import type { LibraryFunctions, Session } from '../session.ts';

const PROTOCOLS = ['file', 'ftp', 'ftps', 'gluster', 'http', 'https', 'iscsi', 'nbd', 'rbd', 'sheepdog', 'ssh', 'tftp'];

interface Options {
  readonly readonly?: boolean | undefined;
  readonly format?: string | undefined;
  readonly label?: string | undefined;
  readonly protocol?: string | undefined;
  readonly server?: readonly string[] | undefined;
  readonly blocksize?: number | undefined;
  readonly iface?: string | undefined;
}

function* add(session: Session, name: string, options: Options): Io<void> {
  const { readonly, format, label, protocol = 'file', server, blocksize, iface } = options;
  const wrong = (message: string): Posix => new Posix('EINVAL', {}, message);
  if (format !== undefined && !/^[A-Za-z0-9_-]+$/.test(format)) throw wrong(`'${format}' is no name of an image format`);
  if (label !== undefined && !/^[A-Za-z]{1,20}$/.test(label)) throw wrong(`'${label}' is no label: 1 to 20 letters`);
  if (blocksize !== undefined && blocksize !== 512 && blocksize !== 4096) throw wrong(`a block size of ${blocksize}: it is 512 or 4096`);
  if (!PROTOCOLS.includes(protocol)) throw wrong(`unknown protocol '${protocol}'`);
  if (protocol === 'file' && server !== undefined && server.length > 0) throw wrong('a file has no server');
  const request: DriveRequest = {
    name,
    readOnly: readonly ?? false,
    ...(format === undefined ? {} : { format }),
    ...(label === undefined ? {} : { label }),
    ...(blocksize === undefined ? {} : { blockSize: blocksize }),
    ...(protocol === 'file' ? {} : { protocol }),
    ...(server === undefined ? {} : { server }),
    ...(iface === undefined ? {} : { iface }),
  };
  yield* session.addDrive(request);
}

function described(drive: DriveRequest): string {
  const { name, readOnly, format, label, blockSize, protocol = 'file', scratch, iface } = drive;
  return [
    name === '' && scratch !== undefined ? 'scratch' : name,
    ...(readOnly ? ['readonly'] : []),
    ...(format === undefined ? [] : [`format=${format}`]),
    `protocol=${protocol}`,
    ...(iface === undefined ? [] : [`iface=${iface}`]),
    ...(label === undefined ? [] : [`label=${label}`]),
    ...(blockSize === undefined ? [] : [`blocksize=${blockSize}`]),
  ].join(' ');
}

export const driveFunctions: LibraryFunctions = {
  *add_drive(session, { filename, ...options }) {
    yield* add(session, filename, options);
  },
  *add_drive_ro(session, { filename }) {
    yield* add(session, filename, { readonly: true });
  },
  *add_drive_with_if(session, { filename, iface }) {
    yield* add(session, filename, { iface });
  },
  *add_drive_ro_with_if(session, { filename, iface }) {
    yield* add(session, filename, { readonly: true, iface });
  },
  *add_cdrom(session, { filename }) {
    yield* add(session, filename, { readonly: true });
  },
  *add_drive_scratch(session, { size, label, blocksize }) {
    if (size < 0) throw new Posix('EINVAL', {}, `invalid size: ${size}`);
    yield* session.addDrive({
      name: '',
      readOnly: false,
      scratch: size,
      ...(label === undefined ? {} : { label }),
      ...(blocksize === undefined ? {} : { blockSize: blocksize }),
    });
  },
  *add_domain(session, { dom, readonly }) {
    return yield* addDomain(session, dom, { readOnly: readonly ?? false });
  },
  // biome-ignore lint/correctness/useYield: a function of the API like others
  *remove_drive() {
    throw new Unsupported('hotplug', 'drives cannot be removed; libguestfs has not done so since 1.48 either');
  },
  // biome-ignore lint/correctness/useYield: answers from memory
  *debug_drives(session) {
    return session.drives.map(described);
  },
  // biome-ignore lint/correctness/useYield: answers from memory
  *device_index(_, { device }) {
    const parsed = parseDeviceName(device);
    if (parsed === undefined || parsed.number !== undefined) throw new Posix('ENOENT', {}, `${device}: there is no such drive`);
    return parsed.index;
  },
  // biome-ignore lint/correctness/useYield: answers from memory
  *device_name(session, { index }) {
    if (!(index >= 0 && index < session.drives.length)) {
      throw new Posix('EINVAL', {}, `there is no drive ${index}; ${session.drives.length} were added`);
    }
    return diskName(index);
  },
  // biome-ignore lint/correctness/useYield: answers from the name
  *canonical_device_name(_, { device }) {
    const parsed = /^\/dev\/[hsv]d/.test(device) ? parseDeviceName(device) : undefined;
    if (parsed === undefined) return device;
    const drive = diskName(parsed.index);
    return parsed.number === undefined ? drive : partitionName(drive, parsed.number);
  },
};
