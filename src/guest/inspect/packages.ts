/** Lists of installed packages: dpkg, apk, pacman. Others are said to be unsupported, never an empty list. */
import { compareBytes, decodeName, encodeName } from '../../bytes/text.ts';
import { Posix } from '../../errors.ts';
import type { Io } from '../../io/effect.ts';
import type { GuestTree } from '../tree.ts';
import { Probe } from './probe.ts';
import type { PackageFormat } from './product.ts';

export interface Package {
  readonly name: string;
  readonly epoch: number;
  /** Upstream's version. */
  readonly version: string;
  /** The distribution's revision; empty when there is none. */
  readonly release: string;
  readonly architecture: string;
  readonly summary?: string;
  readonly url?: string;
  /** The source package that it was built from, where the database tells. */
  readonly source?: string;
}

export type PackageList =
  | {
      readonly status: 'listed';
      readonly format: PackageFormat;
      readonly packages: readonly Package[];
      readonly warnings: readonly string[];
    }
  | { readonly status: 'unsupported'; readonly format: PackageFormat; readonly reason: string };

/** A database longer than this is not read: 50 MiB. */
const DATABASE_LIMIT = 50 << 20;
/** A package's description file in pacman's database. */
const DESCRIPTION_LIMIT = 1 << 20;
const PACKAGE_LIMIT = 200_000;

/** Packages by name, in byte order. */
export function* listPackages(tree: GuestTree, format: PackageFormat): Io<PackageList> {
  const probe = new Probe(tree);
  let packages: Package[];
  if (format === 'deb') packages = yield* dpkg(probe);
  else if (format === 'apk') packages = yield* apk(probe);
  else if (format === 'pacman') packages = yield* pacman(probe);
  else {
    const reason = format === 'unknown' ? 'the package format is not known' : `package databases of format ${format} cannot be read yet`;
    return { status: 'unsupported', format, reason };
  }
  packages.sort((a, b) => compareBytes(encodeName(a.name), encodeName(b.name)));
  return { status: 'listed', format, packages: packages.slice(0, PACKAGE_LIMIT), warnings: probe.warnings };
}

/** `[epoch:]upstream[-revision]`: the first colon, the last hyphen (Debian policy, 5.6.12; pacman's versions have the same shape). */
export function splitVersion(text: string): { readonly epoch: number; readonly version: string; readonly release: string } {
  const colon = /^([0-9]{1,9}):/.exec(text);
  const rest = colon === null ? text : text.slice(colon[0].length);
  const hyphen = rest.lastIndexOf('-');
  const epoch = colon === null ? 0 : Number(colon[1]);
  return hyphen < 0 ? { epoch, version: rest, release: '' } : { epoch, version: rest.slice(0, hyphen), release: rest.slice(hyphen + 1) };
}

/** Fields of a stanza in the syntax of Debian control files; only the first line of each, under names in lower case. */
function stanzas(text: string): Map<string, string>[] {
  const found: Map<string, string>[] = [];
  for (const stanza of text.split(/\n[ \t]*\n/)) {
    const fields = new Map<string, string>();
    for (const line of stanza.split('\n')) {
      const colon = line.indexOf(':');
      if (colon > 0 && line[0] !== ' ' && line[0] !== '\t' && line[0] !== '#')
        fields.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
    }
    if (fields.size > 0) found.push(fields);
  }
  return found;
}

function* database(probe: Probe, paths: readonly string[]): Io<string | undefined> {
  for (const path of paths) {
    const text = yield* probe.text(path, DATABASE_LIMIT);
    if (text !== undefined) return text;
  }
  return undefined;
}

function* dpkg(probe: Probe): Io<Package[]> {
  const status = yield* database(probe, ['/var/lib/dpkg/status']);
  // Images built without dpkg keep one file for each package, without a Status field.
  const extra: string[] = [];
  for (const entry of yield* probe.entries('/var/lib/dpkg/status.d')) {
    const name = decodeName(entry.name);
    if (name.endsWith('.md5sums')) continue;
    const text = yield* probe.text(`/var/lib/dpkg/status.d/${name}`);
    if (text !== undefined) extra.push(text);
  }
  if (status === undefined && extra.length === 0) throw missing('/var/lib/dpkg/status', probe);
  const packages: Package[] = [];
  for (const fields of stanzas(status ?? '')) {
    if (fields.get('status')?.split(/\s+/)[2] === 'installed') packages.push(packageOf(fields, DPKG));
  }
  for (const text of extra) for (const fields of stanzas(text)) if (fields.has('package')) packages.push(packageOf(fields, DPKG));
  return packages;
}

/** What a database calls the fields of a package. */
interface FieldNames {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  readonly summary: string;
  readonly url: string;
  readonly source: string;
}

const DPKG: FieldNames = {
  name: 'package',
  version: 'version',
  architecture: 'architecture',
  summary: 'description',
  url: 'homepage',
  source: 'source',
};
const APK: FieldNames = { name: 'P', version: 'V', architecture: 'A', summary: 'T', url: 'U', source: 'o' };
const PACMAN: FieldNames = {
  name: '%NAME%',
  version: '%VERSION%',
  architecture: '%ARCH%',
  summary: '%DESC%',
  url: '%URL%',
  source: '%BASE%',
};

function packageOf(fields: ReadonlyMap<string, string>, names: FieldNames): Package {
  const summary = fields.get(names.summary);
  const url = fields.get(names.url);
  const source = fields.get(names.source);
  return {
    name: fields.get(names.name) ?? '',
    ...splitVersion(fields.get(names.version) ?? ''),
    architecture: fields.get(names.architecture) ?? '',
    ...(summary === undefined ? {} : { summary }),
    ...(url === undefined ? {} : { url }),
    ...(source === undefined ? {} : { source }),
  };
}

function* apk(probe: Probe): Io<Package[]> {
  const text = yield* database(probe, ['/lib/apk/db/installed', '/usr/lib/apk/db/installed']);
  if (text === undefined) throw missing('/lib/apk/db/installed', probe);
  const packages: Package[] = [];
  for (const record of text.split(/\n\n+/)) {
    const fields = new Map<string, string>();
    for (const line of record.split('\n'))
      if (line[1] === ':') if (!fields.has(line.slice(0, 1))) fields.set(line.slice(0, 1), line.slice(2));
    if (fields.has(APK.name)) packages.push(packageOf(fields, APK));
  }
  return packages;
}

function* pacman(probe: Probe): Io<Package[]> {
  const local = '/var/lib/pacman/local';
  if ((yield* probe.followedKind(local)) !== 'directory') throw missing(local, probe);
  const packages: Package[] = [];
  for (const entry of yield* probe.entries(local)) {
    const text = yield* probe.text(`${local}/${decodeName(entry.name)}/desc`, DESCRIPTION_LIMIT);
    if (text === undefined) continue;
    const fields = new Map<string, string>();
    for (const part of text.split(/\n\n+/)) {
      const [key = '', value] = part.trimStart().split('\n');
      if (value !== undefined) fields.set(key, value);
    }
    if (fields.has(PACMAN.name)) packages.push(packageOf(fields, PACMAN));
  }
  return packages;
}

function missing(path: string, probe: Probe): Posix {
  const [why] = probe.warnings;
  return new Posix('ENOENT', { path }, why ?? 'the package database is not there');
}
