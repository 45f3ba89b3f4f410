/** What follows from a distribution's name and version: package format and tool, and libosinfo's short id. */
import type { Io } from '../../io/effect.ts';
import type { Probe } from './probe.ts';
import type { Release } from './release.ts';

export type PackageFormat = 'deb' | 'rpm' | 'pacman' | 'ebuild' | 'pisi' | 'pkgsrc' | 'apk' | 'xbps' | 'unknown';
export type PackageManagement =
  | 'apt'
  | 'dnf'
  | 'yum'
  | 'up2date'
  | 'urpmi'
  | 'zypper'
  | 'pacman'
  | 'portage'
  | 'pisi'
  | 'pkgsrc'
  | 'apk'
  | 'xbps'
  | 'unknown';

const FORMATS: ReadonlyMap<string, PackageFormat> = new Map<string, PackageFormat>([
  ...['debian', 'ubuntu', 'linuxmint', 'kalilinux', 'kylin'].map((name): [string, PackageFormat] => [name, 'deb']),
  ...[
    ...['fedora', 'rhel', 'centos', 'circle', 'rocky', 'oraclelinux', 'scientificlinux', 'redhat-based', 'meego', 'mageia', 'mandriva'],
    ...['openmandriva', 'altlinux', 'opensuse', 'sles', 'suse-based', 'pldlinux', 'neokylin', 'openeuler', 'opencloudos', 'tencentos'],
  ].map((name): [string, PackageFormat] => [name, 'rpm']),
  ['archlinux', 'pacman'],
  ['frugalware', 'pacman'],
  ['gentoo', 'ebuild'],
  ['pardus', 'pisi'],
  ['netbsd', 'pkgsrc'],
  ['alpinelinux', 'apk'],
  ['voidlinux', 'xbps'],
]);

/** Relatives by ID of os-release, for distributions that libguestfs does not know by name. */
const FORMATS_BY_ID: ReadonlyMap<string, PackageFormat> = new Map<string, PackageFormat>([
  ['almalinux', 'rpm'],
  ['amzn', 'rpm'],
  ['ol', 'rpm'],
  ['azurelinux', 'rpm'],
  ['mariner', 'rpm'],
  ['photon', 'rpm'],
  ['raspbian', 'deb'],
  ['devuan', 'deb'],
  ['pop', 'deb'],
  ['manjaro', 'pacman'],
  ['wolfi', 'apk'],
  ['chainguard', 'apk'],
  ['postmarketos', 'apk'],
]);

/** The package format, a function of the distribution. */
export function packageFormat({ distribution, id }: Release): PackageFormat {
  return FORMATS.get(distribution) ?? FORMATS_BY_ID.get(id ?? '') ?? 'unknown';
}

const RED_HATS: ReadonlySet<string> = new Set([
  ...[
    'rhel',
    'centos',
    'circle',
    'rocky',
    'oraclelinux',
    'scientificlinux',
    'redhat-based',
    'neokylin',
    'openeuler',
    'opencloudos',
    'tencentos',
  ],
]);

/** The tool that installs packages, a function of the distribution and its version. */
export function* packageManagement(probe: Probe, release: Release): Io<PackageManagement> {
  const { distribution, id, major } = release;
  if (distribution === 'fedora' || id === 'amzn') {
    return (distribution === 'fedora' ? major >= 22 : major >= 2022) && (yield* probe.followedKind('/usr/bin/dnf')) === 'file'
      ? 'dnf'
      : 'yum';
  }
  if (RED_HATS.has(distribution)) {
    if (major === 0 || major >= 8) return 'dnf';
    return major >= 5 ? 'yum' : major >= 2 ? 'up2date' : 'unknown';
  }
  if (['mageia', 'mandriva', 'openmandriva'].includes(distribution)) return 'urpmi';
  if (['opensuse', 'sles', 'suse-based'].includes(distribution)) return 'zypper';
  if (distribution === 'altlinux') return 'apt';
  switch (packageFormat(release)) {
    case 'deb':
      return 'apt';
    case 'pacman':
      return 'pacman';
    case 'ebuild':
      return 'portage';
    case 'pisi':
      return 'pisi';
    case 'pkgsrc':
      return 'pkgsrc';
    case 'apk':
      return 'apk';
    case 'xbps':
      return 'xbps';
    default:
      return 'unknown';
  }
}

/** libosinfo's short id, by libguestfs's rules; `unknown` where there is none. */
export function osinfo({ distribution, major, minor }: Release): string {
  switch (distribution) {
    case 'unknown':
    case 'redhat-based':
    case 'suse-based':
      return 'unknown';
    case 'centos':
      return major >= 8 ? `centos${major}` : major === 7 ? 'centos7.0' : `centos${major}.${minor}`;
    case 'circle':
    case 'rocky':
      return `${distribution}${major}`;
    case 'debian':
    case 'fedora':
    case 'mageia':
      return `${distribution}${major}`;
    case 'ubuntu':
      return `ubuntu${major}.${String(minor).padStart(2, '0')}`;
    case 'sles':
      return major >= 15
        ? minor === 0
          ? `sle${major}`
          : `sle${major}sp${minor}`
        : minor === 0
          ? `sles${major}`
          : `sles${major}sp${minor}`;
    case 'archlinux':
    case 'gentoo':
    case 'voidlinux':
    case 'altlinux':
      return distribution;
    default:
      return major === 0 && minor === 0 ? distribution : `${distribution}${major}.${minor}`;
  }
}
