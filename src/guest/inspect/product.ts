/** What follows from a distribution's name and version: package format and tool, and libosinfo's short id. */
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

/** libguestfs's names of distributions, by the format of their packages. */
const NAMES: Readonly<Partial<Record<PackageFormat, readonly string[]>>> = {
  deb: ['debian', 'ubuntu', 'linuxmint', 'kalilinux', 'kylin'],
  rpm: [
    ...['fedora', 'rhel', 'centos', 'circle', 'rocky', 'oraclelinux', 'scientificlinux', 'redhat-based', 'meego', 'mageia', 'mandriva'],
    ...['openmandriva', 'altlinux', 'opensuse', 'sles', 'suse-based', 'neokylin', 'openeuler', 'opencloudos', 'tencentos'],
  ],
  pacman: ['archlinux'],
  ebuild: ['gentoo'],
  pisi: ['pardus'],
  pkgsrc: ['netbsd'],
  apk: ['alpinelinux'],
  xbps: ['voidlinux'],
};

/** ID and ID_LIKE of os-release, for distributions that libguestfs does not know by name. */
const IDS: Readonly<Partial<Record<PackageFormat, readonly string[]>>> = {
  deb: ['debian', 'ubuntu', 'raspbian', 'devuan', 'pop', 'elementary', 'zorin'],
  rpm: ['fedora', 'rhel', 'centos', 'suse', 'opensuse', 'almalinux', 'amzn', 'ol', 'azurelinux', 'mariner', 'photon', 'pld', 'openEuler'],
  pacman: ['arch', 'archlinux', 'manjaro', 'endeavouros', 'frugalware'],
  ebuild: ['gentoo'],
  apk: ['alpine', 'wolfi', 'chainguard', 'postmarketos'],
  xbps: ['void'],
};

function inverted(table: Readonly<Partial<Record<PackageFormat, readonly string[]>>>): ReadonlyMap<string, PackageFormat> {
  return new Map(Object.entries(table).flatMap(([format, names]) => names.map((name) => [name, format as PackageFormat] as const)));
}

const FORMATS = inverted(NAMES);
const FORMATS_BY_ID = inverted(IDS);

/** The package format as libguestfs tells it, by its name of the distribution alone. */
export function packageFormatByName(distribution: string): PackageFormat | undefined {
  return FORMATS.get(distribution);
}

/** The package format; where libguestfs's names do not tell it, by ID and ID_LIKE of os-release. */
export function packageFormat({ distribution, id, idLike }: Release): PackageFormat {
  const known = packageFormatByName(distribution);
  if (known !== undefined) return known;
  for (const name of [distribution === 'pldlinux' ? 'pld' : distribution, id ?? '', ...(idLike ?? '').split(/[ \t]+/)]) {
    const format = FORMATS_BY_ID.get(name);
    if (format !== undefined) return format;
  }
  return 'unknown';
}

const RED_HATS: ReadonlySet<string> = new Set(['rhel', 'centos', 'circle', 'rocky', 'oraclelinux', 'scientificlinux', 'redhat-based']);
const DNF_ALWAYS: ReadonlySet<string> = new Set(['openmandriva', 'neokylin', 'openeuler', 'opencloudos', 'tencentos']);

/** The tool that installs packages as libguestfs tells it: a function of its name of the distribution, and its version. */
export function packageManagementByName(distribution: string, major: number, hasDnf: boolean): PackageManagement {
  if (distribution === 'fedora') return major >= 22 && hasDnf ? 'dnf' : major >= 1 ? 'yum' : 'unknown';
  if (RED_HATS.has(distribution)) return major >= 8 ? 'dnf' : major >= 5 ? 'yum' : major >= 2 ? 'up2date' : 'unknown';
  if (DNF_ALWAYS.has(distribution)) return 'dnf';
  switch (distribution) {
    case 'meego':
      return 'yum';
    case 'mageia':
    case 'mandriva':
      return 'urpmi';
    case 'opensuse':
    case 'sles':
    case 'suse-based':
      return 'zypper';
    case 'altlinux':
      return 'apt';
    default:
      return TOOLS[FORMATS.get(distribution) ?? 'unknown'] ?? 'unknown';
  }
}

/** The tool of a format that has but one. */
const TOOLS: Readonly<Partial<Record<PackageFormat, PackageManagement>>> = {
  deb: 'apt',
  pacman: 'pacman',
  ebuild: 'portage',
  pisi: 'pisi',
  pkgsrc: 'pkgsrc',
  apk: 'apk',
  xbps: 'xbps',
};

/** The tool that installs packages; where libguestfs's names do not tell it, by the format. */
export function packageManagement(release: Release, hasDnf: boolean): PackageManagement {
  const known = packageManagementByName(release.distribution, release.major, hasDnf);
  if (known !== 'unknown') return known;
  const format = packageFormat(release);
  if (format !== 'rpm') return TOOLS[format] ?? 'unknown';
  return hasDnf ? 'dnf' : 'unknown';
}

/** libosinfo's short id, by libguestfs's rules; `unknown` where there is none. */
export function osinfoOf(type: string, distribution: string, { major, minor }: { readonly major: number; readonly minor: number }): string {
  const plain = `${distribution}${major}.${minor}`;
  if (type === 'freebsd' || type === 'netbsd' || type === 'openbsd') return plain;
  if (type === 'dos') return distribution === 'msdos' ? 'msdos6.22' : 'unknown';
  if (type !== 'linux') return 'unknown';
  switch (distribution) {
    case 'centos':
      if (major >= 8) return `centos${major}`;
      if (major === 7) return 'centos7.0';
      break;
    case 'circle':
    case 'rocky':
      if (major >= 8) return `${distribution}${major}`;
      break;
    case 'debian':
      if (major >= 4) return `debian${major}`;
      break;
    case 'fedora':
    case 'mageia':
      return `${distribution}${major}`;
    case 'ubuntu':
      return `ubuntu${major}.${String(minor).padStart(2, '0')}`;
    case 'sles': {
      const name = major >= 15 ? 'sle' : 'sles';
      return minor === 0 ? `${name}${major}` : `${name}${major}sp${minor}`;
    }
    case 'archlinux':
    case 'gentoo':
    case 'voidlinux':
      return distribution;
    case 'altlinux':
      return major >= 8 ? `alt${major}.${minor}` : plain;
    default:
  }
  return distribution === 'unknown' || (major === 0 && minor === 0) ? 'unknown' : plain;
}

/** The short id of a Linux. */
export function osinfo(release: { readonly distribution: string; readonly major: number; readonly minor: number }): string {
  return osinfoOf('linux', release.distribution, release);
}
