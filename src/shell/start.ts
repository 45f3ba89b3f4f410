/** What the options of the command line ask for before the first command. */
import { findVerb } from '../commands/verbs/index.ts';
import { findSystems } from '../guest/inspect/systems.ts';
import type { Io } from '../io/effect.ts';
import { addDomain } from './domain.ts';
import { ShellError } from './error.ts';
import type { DriveRequest } from './host.ts';
import type { DriveOption, MountOption, Options } from './options.ts';
import { prepareDisk } from './prepared.ts';
import { CallError, type Session } from './session.ts';

/** Adds drives, opens and mounts them as the options say; what a person is told of it, line by line. Throws {@link CallError}, {@link ShellError}. */
export function* start(session: Session, options: Options): Io<readonly string[]> {
  const { configuration } = session;
  if (options.trace) configuration.trace = true;
  if (options.verbose) configuration.verbose = true;
  if (options.network) configuration.network = true;
  configuration.autosync = options.autosync;
  const fills: (() => Io<void>)[] = [];
  for (const drive of options.drives) {
    if (drive.kind === 'prepared') fills.push(yield* prepareDisk(session, drive.recipe, fills.length + 1));
    else yield* addDrive(session, drive, options);
  }
  if (fills.length === 0 && options.mounts.length === 0 && !options.inspect) return [];
  yield* session.call('launch', {});
  for (const fill of fills) yield* fill();
  const told = options.inspect ? yield* inspect(session, options.readOnly) : [];
  for (const mount of options.mounts) yield* mountOne(session, mount, options.readOnly);
  return told;
}

function* addDrive(session: Session, drive: Exclude<DriveOption, { kind: 'prepared' }>, { readOnly }: Options): Io<void> {
  if (drive.kind === 'domain' || /\.ova$/i.test(drive.name)) {
    yield* addDomain(session, drive.name, { readOnly });
    return;
  }
  const { name, format, blockSize } = drive;
  yield* session.addDrive({
    ...address(name),
    readOnly,
    ...(format === undefined ? {} : { format }),
    ...(blockSize === undefined ? {} : { blockSize }),
  });
}

/** `file:///path` is a file; other addresses name their protocol. */
function address(name: string): Pick<DriveRequest, 'name' | 'protocol'> {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(name)?.[1]?.toLowerCase();
  if (scheme === undefined) return { name };
  if (scheme !== 'file') return { name, protocol: scheme };
  const path = /^file:\/\/(?:localhost)?(\/.*)$/is.exec(name)?.[1];
  if (path === undefined) throw new ShellError(`${name} names no file: write file:///path`);
  try {
    return { name: decodeURIComponent(path) };
  } catch {
    throw new ShellError(`${name} has a % that is not followed by two hexadecimal digits`);
  }
}

function* mountOne(session: Session, { device, at, options, type }: MountOption, readOnly: boolean): Io<void> {
  const flags = options ?? (readOnly ? 'ro' : '');
  try {
    if (type === undefined) yield* session.call('mount_options', { options: flags, mountable: device, mountpoint: at });
    else yield* session.call('mount_vfs', { options: flags, vfstype: type, mountable: device, mountpoint: at });
  } catch (error) {
    if (!(error instanceof CallError)) throw error;
    const found = yield* session.handle({ name: 'mount' }).view().filesystems();
    const names = found.map((one) => `${one.device} (${one.type})`).join(', ');
    session.complain(error);
    throw new ShellError(`${device} cannot be mounted at ${at}; there are ${names === '' ? 'no file systems' : names}`);
  }
}

/** Mounts the file systems of the only operating system. */
function* inspect(session: Session, readOnly: boolean): Io<readonly string[]> {
  const [root, ...others] = yield* roots(session);
  if (root === undefined) {
    throw new ShellError('no operating system was found; without -i, the commands run and list-filesystems show what there is');
  }
  if (others.length > 0) {
    const names = [root, ...others].map(({ device }) => device).join(', ');
    throw new ShellError(`there are several operating systems (on ${names}); without -i, mount the one that is meant`);
  }
  const told = [`Operating system: ${root.product}`];
  for (const [at, device] of [...root.mounts].sort(([a], [b]) => a.length - b.length || (a < b ? -1 : 1))) {
    try {
      if (readOnly) yield* session.call('mount_ro', { mountable: device, mountpoint: at });
      else yield* session.call('mount_options', { options: '', mountable: device, mountpoint: at });
      told.push(`${device} mounted on ${at}`);
    } catch (error) {
      if (!(error instanceof CallError) || at === '/') throw error;
      session.host.say(`guestfish: ${device} is not mounted at ${at}: ${error.cause.message}`);
    }
  }
  return [...told, ''];
}

interface Root {
  readonly device: string;
  readonly product: string;
  readonly mounts: readonly (readonly [at: string, device: string])[];
}

function* roots(session: Session): Io<Root[]> {
  const found: Root[] = [];
  if (findVerb('inspect_os') === undefined) {
    for (const system of yield* findSystems(session.handle({ name: 'inspect_os' }).view())) {
      const mounts = system.mounts.flatMap(({ path, device }) => (device === undefined ? [] : [[path, device] as const]));
      found.push({ device: system.root, product: system.type, mounts });
    }
    return found;
  }
  for (const device of yield* session.call('inspect_os', {})) {
    const product = session.options.interactive === true ? yield* session.call('inspect_get_product_name', { root: device }) : '';
    found.push({ device, product, mounts: yield* session.call('inspect_get_mountpoints', { root: device }) });
  }
  return found;
}
