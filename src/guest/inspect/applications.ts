/**
 * Applications as `guestfs_inspect_list_applications2` tells them: packages, with versions split the way in which libguestfs does it (at the
 * first hyphen), and what it puts into which field for each package manager.
 */
import { compareBytes, encodeName } from '../../bytes/text.ts';
import type { Io } from '../../io/effect.ts';
import { type DpkgRecord, isInstalled, type Package, parseDpkgRecords } from '../../packages/index.ts';
import type { GuestTree } from '../tree.ts';
import { DPKG_STATUS, listPackages, TEXT_LIMIT } from './packages.ts';
import { Probe } from './probe.ts';

/** Fields that libguestfs always leaves empty on Linux (display name, paths, publisher) are left out. */
export interface Application {
  readonly name: string;
  readonly epoch: number;
  readonly version: string;
  readonly release: string;
  readonly arch: string;
  readonly url: string;
  readonly source: string;
  readonly summary: string;
  readonly description: string;
}

/** All applications of a mounted system, by name in byte order; empty for package formats that libguestfs cannot list. */
export function* listApplications(tree: GuestTree, type: string, format: string): Io<Application[]> {
  if (type !== 'linux' && type !== 'hurd') return [];
  let found: readonly Application[];
  if (format === 'deb') found = yield* debian(tree);
  else if (format === 'rpm') found = yield* listRpmApplications(tree);
  else if (format === 'apk') found = (yield* packagesOf(tree, 'apk')).map(ofApk);
  else if (format === 'pacman') found = (yield* packagesOf(tree, 'pacman')).flatMap(ofPacman);
  else return [];
  const keyed = found.map((one) => ({ one, key: encodeName(one.name) }));
  return keyed.sort((a, b) => compareBytes(a.key, b.key)).map(({ one }) => one);
}

/** The packages of rpm's database in a mounted system; what the header lacks is `(none)`, as rpm prints it. */
export function* listRpmApplications(tree: GuestTree): Io<Application[]> {
  return (yield* packagesOf(tree, 'rpm')).map((one) => ({
    name: one.name,
    epoch: one.epoch,
    version: one.version,
    release: one.release,
    arch: one.architecture === '' ? '(none)' : one.architecture,
    url: one.url ?? '(none)',
    source: '',
    summary: one.summary ?? '(none)',
    description: one.description ?? '(none)',
  }));
}

function* packagesOf(tree: GuestTree, format: 'deb' | 'rpm' | 'apk' | 'pacman'): Io<readonly Package[]> {
  const list = yield* listPackages(tree, format);
  return list.status === 'listed' ? list.packages : [];
}

function* debian(tree: GuestTree): Io<readonly Application[]> {
  const text = yield* new Probe(tree).text(DPKG_STATUS, TEXT_LIMIT);
  if (text !== undefined) return parseDpkgRecords(text).flatMap(ofDpkg);
  // Images that are built without dpkg have other files; where they lack those too, this says so.
  return (yield* packagesOf(tree, 'deb')).map(ofPackage);
}

/** States such as half-installed and not-installed pass too: libguestfs looks for the word in them. */
function ofDpkg(record: DpkgRecord): Application[] {
  if (!(record.status?.includes('installed') ?? isInstalled(record)) || record.version === '') return [];
  const split = splitAtFirst(record.version);
  if (split === undefined) return [];
  return [
    {
      name: record.name,
      ...split,
      arch: record.architecture,
      url: record.homepage ?? '',
      source: record.source?.split(' ')[0] ?? '',
      summary: record.synopsis ?? '',
      description: record.extended ?? '',
    },
  ];
}

function ofPackage(one: Package): Application {
  const { name, epoch, version, release, architecture: arch, url = '', source = '', summary = '', description = '' } = one;
  return { name, epoch, version, release, arch, url, source: source.split(' ')[0] ?? '', summary, description };
}

function ofApk(one: Package): Application {
  const split = splitAtFirst(wholeVersion(one)) ?? { epoch: 0, version: one.version, release: one.release };
  const release = split.release.replace(/^r/, '');
  return { ...ofPackage(one), ...split, release, source: '', summary: '', description: one.summary ?? '' };
}

function ofPacman(one: Package): Application[] {
  const split = splitAtFirst(wholeVersion(one));
  if (split === undefined || split.version === '' || split.release === '' || one.architecture === '') return [];
  return [{ ...ofPackage(one), ...split, source: '', summary: '', description: one.summary ?? '' }];
}

function wholeVersion({ epoch, version, release }: Package): string {
  return `${epoch === 0 ? '' : `${epoch}:`}${version}${release === '' ? '' : `-${release}`}`;
}

/** `[epoch:]version[-release]` at the first hyphen; undefined when the epoch is no number. */
function splitAtFirst(text: string): { readonly epoch: number; readonly version: string; readonly release: string } | undefined {
  const colon = text.indexOf(':');
  const before = colon < 0 ? '0' : text.slice(0, colon);
  if (!/^[0-9]{1,9}$/.test(before)) return undefined;
  const rest = text.slice(colon + 1);
  const hyphen = rest.indexOf('-');
  const epoch = Number(before);
  return hyphen < 0 ? { epoch, version: rest, release: '' } : { epoch, version: rest.slice(0, hyphen), release: rest.slice(hyphen + 1) };
}
