/** Lists of installed packages: where each package manager keeps its database in a guest. */
import { compareBytes, decodeName, encodeName } from '../../bytes/text.ts';
import { Posix } from '../../errors.ts';
import type { Io } from '../../io/effect.ts';
import {
  type DatabaseFile,
  type Package,
  parseApkInstalled,
  parseDpkgStatus,
  parseDpkgStatusPart,
  parsePacmanDescription,
  type RpmDatabase,
  readRpmDatabase,
} from '../../packages/index.ts';
import { readFully } from '../file-data.ts';
import type { GuestTree } from '../tree.ts';
import { Probe } from './probe.ts';
import type { PackageFormat } from './product.ts';

export { type Package, splitVersion } from '../../packages/index.ts';

export type PackageList =
  | {
      readonly status: 'listed';
      readonly format: PackageFormat;
      /** The path of the database in the guest. */
      readonly database: string;
      readonly packages: readonly Package[];
      /** What could not be read; not empty means that the list may lack packages. */
      readonly warnings: readonly string[];
    }
  | { readonly status: 'unsupported'; readonly format: PackageFormat; readonly reason: string };

/** A database of text longer than this is not read: 50 MiB. */
export const TEXT_LIMIT: number = 50 << 20;
/** A database of rpm longer than this is not read: 1 GiB. */
const RPM_LIMIT: number = 1024 * 1024 * 1024;
/** A package's description file in pacman's database. */
const DESCRIPTION_LIMIT = 1 << 20;
const PACKAGE_LIMIT = 200_000;

export const DPKG_STATUS = '/var/lib/dpkg/status';
const DPKG_STATUS_PARTS = '/var/lib/dpkg/status.d';
const APK_INSTALLED: readonly string[] = ['/lib/apk/db/installed', '/usr/lib/apk/db/installed'];
const PACMAN_LOCAL = '/var/lib/pacman/local';

/** Packages by name, in byte order. Throws Posix ENOENT where the database of the format is not there. */
export function* listPackages(tree: GuestTree, format: PackageFormat): Io<PackageList> {
  const probe = new Probe(tree);
  let found: Found;
  if (format === 'deb') found = yield* dpkg(probe);
  else if (format === 'apk') found = yield* apk(probe);
  else if (format === 'pacman') found = yield* pacman(probe);
  else if (format === 'rpm') found = yield* rpm(probe);
  else {
    const reason = format === 'unknown' ? 'the package format is not known' : `package databases of format ${format} cannot be read yet`;
    return { status: 'unsupported', format, reason };
  }
  const warnings = [...probe.warnings];
  const packages = sortPackages(found.packages);
  if (packages.length > PACKAGE_LIMIT) {
    warnings.push(`${found.database} has ${packages.length} packages; the first ${PACKAGE_LIMIT} are listed`);
    packages.length = PACKAGE_LIMIT;
  }
  return { status: 'listed', format, database: found.database, packages, warnings };
}

interface Found {
  readonly database: string;
  readonly packages: readonly Package[];
}

function sortPackages(packages: readonly Package[]): Package[] {
  const keyed = packages.map((one) => ({ one, key: encodeName(one.name) }));
  return keyed.sort((a, b) => compareBytes(a.key, b.key)).map(({ one }) => one);
}

function* dpkg(probe: Probe): Io<Found> {
  const status = yield* probe.text(DPKG_STATUS, TEXT_LIMIT);
  const packages = status === undefined ? [] : parseDpkgStatus(status);
  // Images built without dpkg keep one file for each package.
  let parts = 0;
  for (const entry of yield* probe.entries(DPKG_STATUS_PARTS)) {
    const name = decodeName(entry.name);
    if (name.endsWith('.md5sums') || packages.length > PACKAGE_LIMIT) continue;
    const text = yield* probe.text(`${DPKG_STATUS_PARTS}/${name}`);
    if (text === undefined) continue;
    parts++;
    for (const one of parseDpkgStatusPart(text)) packages.push(one);
  }
  if (status === undefined && parts === 0) throw missing(DPKG_STATUS, probe);
  return { database: status === undefined ? DPKG_STATUS_PARTS : DPKG_STATUS, packages };
}

function* apk(probe: Probe): Io<Found> {
  for (const database of APK_INSTALLED) {
    const text = yield* probe.text(database, TEXT_LIMIT);
    if (text !== undefined) return { database, packages: parseApkInstalled(text) };
  }
  throw missing(APK_INSTALLED[0] ?? '', probe);
}

function* pacman(probe: Probe): Io<Found> {
  if ((yield* probe.followedKind(PACMAN_LOCAL)) !== 'directory') throw missing(PACMAN_LOCAL, probe);
  const packages: Package[] = [];
  for (const entry of yield* probe.entries(PACMAN_LOCAL)) {
    const text = yield* probe.text(`${PACMAN_LOCAL}/${decodeName(entry.name)}/desc`, DESCRIPTION_LIMIT);
    const one = text === undefined ? undefined : parsePacmanDescription(text);
    if (one !== undefined) packages.push(one);
  }
  return { database: PACMAN_LOCAL, packages };
}

/** Where distributions keep rpm's database; the first two are often one and the same folder. */
const RPM_FOLDERS: readonly string[] = ['/var/lib/rpm', '/usr/lib/sysimage/rpm', '/usr/share/rpm'];
/** The files of its backends. A conversion may leave an older one behind: the newest backend counts. */
const RPM_FILES: readonly (readonly [name: string, backend: RpmDatabase['backend']])[] = [
  ['rpmdb.sqlite', 'sqlite'],
  ['Packages.db', 'ndb'],
  ['Packages', 'bdb'],
];

function* rpm(probe: Probe): Io<Found> {
  for (const [name, backend] of RPM_FILES) {
    for (const folder of RPM_FOLDERS) {
      const database = `${folder}/${name}`;
      const file = yield* databaseFile(probe, database);
      if (file === undefined) continue;
      const log = backend === 'sqlite' ? yield* databaseFile(probe, `${database}-wal`) : undefined;
      if (backend === 'sqlite' && ((yield* databaseFile(probe, `${database}-journal`))?.size ?? 0) > 0) {
        probe.warnings.push(`${database}: a change was under way; its journal is not looked at`);
      }
      const { packages, warnings } = yield* readRpmDatabase(backend === 'sqlite' ? { backend, file, log } : { backend, file });
      for (const warning of warnings) probe.warnings.push(`${database}: ${warning}`);
      return { database, packages };
    }
  }
  throw missing('/var/lib/rpm', probe);
}

function* databaseFile(probe: Probe, path: string): Io<DatabaseFile | undefined> {
  return yield* probe.attempt(path, () => openFile(probe, path));
}

function* openFile(probe: Probe, path: string): Io<DatabaseFile | undefined> {
  const { stat } = yield* probe.tree.resolve(path);
  if (stat.kind !== 'file') return undefined;
  if (stat.size > RPM_LIMIT) {
    probe.warnings.push(`${path}: ${stat.size} bytes are more than the limit of ${RPM_LIMIT}; not looked at`);
    return undefined;
  }
  const source = yield* probe.tree.file(path);
  return { size: source.size, readInto: (offset, target) => readFully(source, offset, target) };
}

function missing(path: string, probe: Probe): Posix {
  const [why] = probe.warnings;
  return new Posix('ENOENT', { path }, why ?? 'the package database is not there');
}
