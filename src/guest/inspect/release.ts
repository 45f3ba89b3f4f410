/** Which distribution, and which version of it: os-release(5), then the older release files in libguestfs's order. */
import type { Io } from '../../io/effect.ts';
import type { Probe } from './probe.ts';
import { assignments } from './shell-words.ts';

/** What the release files say. */
export interface Release {
  /** libguestfs's name of the distribution, `unknown` when no file tells. */
  distribution: string;
  /** As `guestfs_inspect_get_product_name` gives it: for some distributions the first line of an older release file. */
  productName?: string;
  /** PRETTY_NAME of os-release. */
  prettyName?: string;
  /** ID of os-release as it stands there. */
  id?: string;
  /** ID_LIKE of os-release: names of relatives, separated by spaces. */
  idLike?: string;
  /** VERSION_ID of os-release as it stands there. */
  versionId?: string;
  buildId?: string;
  variant?: string;
  /** 0 where unknown. */
  major: number;
  /** 0 where unknown. */
  minor: number;
}

/** ID of os-release to libguestfs's name. */
const DISTRIBUTIONS: ReadonlyMap<string, string> = new Map([
  ['alpine', 'alpinelinux'],
  ['altlinux', 'altlinux'],
  ['arch', 'archlinux'],
  ['buildroot', 'buildroot'],
  ['centos', 'centos'],
  ['circle', 'circle'],
  ['cirros', 'cirros'],
  ['coreos', 'coreos'],
  ['debian', 'debian'],
  ['fedora', 'fedora'],
  ['freebsd', 'freebsd'],
  ['frugalware', 'frugalware'],
  ['gentoo', 'gentoo'],
  ['kali', 'kalilinux'],
  ['kylin', 'kylin'],
  ['linuxmint', 'linuxmint'],
  ['mageia', 'mageia'],
  ['mandriva', 'mandriva'],
  ['neokylin', 'neokylin'],
  ['openEuler', 'openeuler'],
  ['openmandriva', 'openmandriva'],
  ['opencloudos', 'opencloudos'],
  ['pardus', 'pardus'],
  ['pld', 'pldlinux'],
  ['rhel', 'rhel'],
  ['rocky', 'rocky'],
  ['scientific', 'scientificlinux'],
  ['slackware', 'slackware'],
  ['sled', 'sles'],
  ['sles', 'sles'],
  ['tencentos', 'tencentos'],
  ['ubuntu', 'ubuntu'],
  ['void', 'voidlinux'],
]);

/** Distributions whose os-release may lack the minor version, which an older file then has. */
const MINOR_ELSEWHERE: ReadonlySet<string> = new Set(['debian', 'centos', 'circle', 'rocky']);
/** Distributions that have no version. */
const ROLLING: ReadonlySet<string> = new Set(['archlinux', 'gentoo', 'voidlinux']);

function distributionOfId(id: string): string | undefined {
  return DISTRIBUTIONS.get(id) ?? (id === 'opensuse' || id.startsWith('opensuse-') ? 'opensuse' : undefined);
}

/** The first `N.N`, or else the first `N`, of a text. */
function versionIn(text: string): { readonly major: number; readonly minor: number } | undefined {
  const match = /(\d{1,9})\.(\d{1,9})/.exec(text) ?? /(\d{1,9})/.exec(text);
  return match === null ? undefined : { major: Number(match[1]), minor: Number(match[2] ?? 0) };
}

type Reader = (release: Release, lines: readonly string[]) => boolean;

/** A release file: where it is, and what it makes of its lines; true when the search ends here. */
interface ReleaseFile {
  readonly path: string;
  readonly read: Reader | 'buildroot';
}

/** The first line is the product's name, the first number in it the version. */
function firstLine(distribution: string): Reader {
  return (release, lines) => {
    const line = (lines[0] ?? '').trim();
    if (line === '') return false;
    release.distribution = distribution;
    release.productName = line;
    Object.assign(release, versionIn(line));
    return true;
  };
}

/** As `firstLine`, where the line has `name` before `release N.N`, `release N ... Update N` or `release N`. */
function released(distribution: string, name: RegExp): Reader {
  return (release, lines) => {
    const line = (lines[0] ?? '').trim();
    if (!name.test(line)) return false;
    const match = /release (\d{1,9}).*Update (\d{1,9})/.exec(line) ?? /release (\d{1,9})(?:\.(\d{1,9}))?/.exec(line);
    if (match === null) return false;
    release.distribution = distribution;
    release.productName = line;
    release.major = Number(match[1]);
    release.minor = Number(match[2] ?? 0);
    return true;
  };
}

function redHat(release: Release, lines: readonly string[]): boolean {
  const tries: readonly [string, RegExp][] = [
    ['fedora', /Fedora/],
    ['rhel', /Red Hat/],
    ['centos', /CentOS/],
    ['circle', /Circle/],
    ['rocky', /Rocky/],
    ['scientificlinux', /Scientific Linux/],
  ];
  for (const [distribution, name] of tries) if (released(distribution, name)(release, lines)) return true;
  if (!firstLine('redhat-based')(release, lines)) release.distribution = 'redhat-based';
  return true;
}

/** lsb-release: only some distributions are known by it. */
function lsb(release: Release, lines: readonly string[]): boolean {
  const values = assignments(lines);
  const names: ReadonlyMap<string, string> = new Map([
    ['Ubuntu', 'ubuntu'],
    ['LinuxMint', 'linuxmint'],
    ['Mageia', 'mageia'],
    ['CoreOS', 'coreos'],
  ]);
  const distribution = names.get(values.get('DISTRIB_ID') ?? '');
  if (distribution === undefined) return false;
  release.distribution = distribution;
  const description = values.get('DISTRIB_DESCRIPTION');
  if (description !== undefined) release.productName = description;
  Object.assign(release, versionIn(values.get('DISTRIB_RELEASE') ?? ''));
  return description !== undefined;
}

/** SuSE-release: the name, then `VERSION = N.N`, then `PATCHLEVEL = N`. */
function suse(release: Release, lines: readonly string[]): boolean {
  const name = (lines[0] ?? '').trim();
  if (name === '') {
    release.distribution = 'suse-based';
    return true;
  }
  release.productName = name;
  const after = (key: string): string => lines.find((line) => line.startsWith(`${key} = `))?.slice(key.length + 3) ?? '';
  if (/^(?:SUSE (?:Linux|LINUX) Enterprise|Novell Linux Desktop) /.test(name)) {
    release.distribution = 'sles';
    release.major = versionIn(after('VERSION'))?.major ?? 0;
    release.minor = versionIn(after('PATCHLEVEL'))?.major ?? 0;
  } else if (/^(?:openSUSE|SuSE Linux|SUSE LINUX) /.test(name)) {
    release.distribution = 'opensuse';
    Object.assign(release, versionIn(after('VERSION')));
  }
  return true;
}

/** Buildroot's own file; CirrOS, which is made with it, adds a logo. */
function* buildroot(probe: Probe, release: Release, lines: readonly string[]): Io<boolean> {
  const cirros = (yield* probe.followedKind('/usr/share/cirros/logo')) === 'file';
  return firstLine(cirros ? 'cirros' : 'buildroot')(release, lines);
}

function arch(release: Release): boolean {
  release.distribution = 'archlinux';
  return true;
}

function coreos(release: Release): boolean {
  release.distribution = 'coreos';
  return true;
}

const RELEASE_FILES: readonly ReleaseFile[] = [
  { path: '/etc/lsb-release', read: lsb },
  { path: '/etc/openmandriva-release', read: firstLine('openmandriva') },
  { path: '/etc/opencloudos-release', read: firstLine('opencloudos') },
  { path: '/etc/tencentos-release', read: firstLine('tencentos') },
  { path: '/etc/oracle-release', read: released('oraclelinux', /Oracle Linux/) },
  { path: '/etc/centos-release', read: released('centos', /CentOS/) },
  { path: '/etc/circle-release', read: released('circle', /Circle/) },
  { path: '/etc/rocky-release', read: released('rocky', /Rocky/) },
  { path: '/etc/altlinux-release', read: firstLine('altlinux') },
  { path: '/etc/redhat-release', read: redHat },
  { path: '/etc/debian_version', read: firstLine('debian') },
  { path: '/etc/pardus-release', read: firstLine('pardus') },
  { path: '/etc/arch-release', read: arch },
  { path: '/etc/gentoo-release', read: firstLine('gentoo') },
  { path: '/etc/meego-release', read: firstLine('meego') },
  { path: '/etc/slackware-version', read: firstLine('slackware') },
  { path: '/etc/ttylinux-target', read: firstLine('ttylinux') },
  { path: '/etc/SuSE-release', read: suse },
  { path: '/etc/cirros/version', read: firstLine('cirros') },
  { path: '/etc/br-version', read: 'buildroot' },
  { path: '/etc/alpine-release', read: firstLine('alpinelinux') },
  { path: '/etc/frugalware-release', read: firstLine('frugalware') },
  { path: '/etc/pld-release', read: firstLine('pldlinux') },
  { path: '/etc/coreos/update.conf', read: coreos },
];

/** Reads the release files of a Linux system. */
export function* readRelease(probe: Probe): Io<Release> {
  const release: Release = { distribution: 'unknown', major: 0, minor: 0 };
  const lines = (yield* probe.lines('/etc/os-release')) ?? (yield* probe.lines('/usr/lib/os-release'));
  if (lines !== undefined && osRelease(release, lines)) {
    // CirrOS is made with Buildroot and carries its os-release.
    const cirros = release.distribution === 'buildroot' ? yield* probe.lines('/etc/cirros/version') : undefined;
    if (cirros !== undefined) firstLine('cirros')(release, cirros);
    return release;
  }
  for (const file of RELEASE_FILES) {
    const found = yield* probe.lines(file.path);
    if (found === undefined) continue;
    if (file.read === 'buildroot' ? yield* buildroot(probe, release, found) : file.read(release, found)) break;
  }
  return release;
}

/** Takes what os-release says; true when no other file is needed. */
function osRelease(release: Release, lines: readonly string[]): boolean {
  const values = assignments(lines);
  const id = values.get('ID');
  const pretty = values.get('PRETTY_NAME');
  const version = values.get('VERSION_ID');
  const build = values.get('BUILD_ID');
  const variant = values.get('VARIANT_ID');
  if (id !== undefined) {
    release.id = id;
    release.distribution = distributionOfId(id) ?? 'unknown';
  }
  if (pretty !== undefined) release.productName = release.prettyName = pretty;
  const like = values.get('ID_LIKE');
  if (like !== undefined) release.idLike = like;
  if (build !== undefined) release.buildId = build;
  if (variant !== undefined) release.variant = variant;
  if (version !== undefined) {
    release.versionId = version;
    // NeoKylin has a form of its own.
    const kylin = /^V(\d{1,9})Update(\d{1,9})$/.exec(version);
    Object.assign(release, kylin === null ? versionIn(version) : { major: Number(kylin[1]), minor: Number(kylin[2]) });
  }
  if (release.distribution === 'unknown' || pretty === undefined) return false;
  if (MINOR_ELSEWHERE.has(release.distribution) && release.minor === 0) return false;
  return ROLLING.has(release.distribution) || release.major !== 0 || release.minor !== 0;
}
