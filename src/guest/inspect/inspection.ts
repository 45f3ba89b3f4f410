/** Inspection: which operating systems a disk holds, and what they say of themselves. */
import { GuestlessError } from '../../errors.ts';
import type { Io } from '../../io/effect.ts';
import type { Disk } from '../disk.ts';
import { GuestTree } from '../tree.ts';
import { readArchitecture } from './architecture.ts';
import { Probe } from './probe.ts';
import { osinfoOf, type PackageFormat, type PackageManagement, packageFormat, packageManagement } from './product.ts';
import { type Release, readRelease } from './release.ts';
import { type InitSystem, readBsdHostname, readHostname, readInit } from './settings.ts';
import { findSystems, type Skipped, type SystemRoot } from './systems.ts';

/** An operating system. All text comes from the image and is not to be trusted. */
export interface Inspection extends SystemRoot {
  /** libguestfs's name of the distribution, such as `debian`; `unknown` when nothing tells. */
  readonly distribution: string;
  /** The product's name as libguestfs gives it. */
  readonly productName: string;
  /** PRETTY_NAME of os-release. */
  readonly prettyName?: string;
  /** What the release files of the root's own file system say, nothing else being mounted: this is what libguestfs goes by. */
  readonly rootRelease: Release;
  /** ID, ID_LIKE, VERSION_ID, VARIANT_ID, BUILD_ID of os-release. */
  readonly id?: string;
  readonly idLike?: string;
  readonly versionId?: string;
  readonly variant?: string;
  readonly buildId?: string;
  /** 0.0 where unknown. */
  readonly version: { readonly major: number; readonly minor: number };
  /** Such as `x86_64`; `unknown` when no program tells. */
  readonly architecture: string;
  readonly hostname?: string;
  readonly packageFormat: PackageFormat;
  readonly packageManagement: PackageManagement;
  /** /usr/bin/dnf is there. */
  readonly hasDnf: boolean;
  readonly init: InitSystem;
  /** libosinfo's short id, such as `debian12`. */
  readonly osinfo: string;
}

/** Looks at all operating systems of a disk. What cannot be looked at is told to `skip`, and the rest goes on. */
export function* inspect(disk: Disk, skip: (skipped: Skipped) => void = () => {}): Io<Inspection[]> {
  const inspections: Inspection[] = [];
  for (const system of yield* findSystems(disk, skip)) inspections.push(yield* describe(disk, system));
  return inspections;
}

/** The files of an operating system as it sees them. A mount that fails, the root's apart, is told to `skip`. */
export function* mountSystem(disk: Disk, system: SystemRoot, skip: (skipped: Skipped) => void = () => {}): Io<GuestTree> {
  const tree = GuestTree.of(yield* disk.mount(system.root), { device: system.root });
  for (const { path, device } of system.mounts) {
    if (path === '/' || device === undefined) continue;
    try {
      yield* tree.mount(yield* disk.mount(device), path, { device });
    } catch (error) {
      if (!(error instanceof GuestlessError)) throw error;
      skip({ device, error });
    }
  }
  return tree;
}

function* rootProbe(disk: Disk, { root }: SystemRoot): Io<Probe> {
  return new Probe(GuestTree.of(yield* disk.mount(root), { device: root }));
}

function* describe(disk: Disk, system: SystemRoot): Io<Inspection> {
  const warnings = [...system.warnings];
  const tree = yield* mountSystem(disk, system, ({ device, error }) => warnings.push(`${device} cannot be mounted: ${error.message}`));
  const probe = new Probe(tree);
  const linux = system.type === 'linux';
  const release: Release = linux
    ? yield* readRelease(probe)
    : {
        distribution: system.type === 'dos' || system.type === 'windows' || system.type === 'hurd' ? 'unknown' : system.type,
        major: 0,
        minor: 0,
      };
  const hostname = linux || system.type === 'hurd' ? yield* readHostname(probe) : yield* readBsdHostname(probe);
  // A separate /usr may hold the os-release to which /etc has but a link.
  const alone = linux && system.mounts.length > 1 ? yield* readRelease(yield* rootProbe(disk, system)) : release;
  const hasDnf = (yield* probe.followedKind('/usr/bin/dnf')) === 'file';
  const { prettyName, id, idLike, versionId, variant, buildId } = release;
  return {
    ...system,
    distribution: release.distribution,
    productName: release.productName ?? 'unknown',
    ...(prettyName === undefined ? {} : { prettyName }),
    rootRelease: alone.distribution === 'unknown' ? release : alone,
    ...(id === undefined ? {} : { id }),
    ...(idLike === undefined ? {} : { idLike }),
    ...(versionId === undefined ? {} : { versionId }),
    ...(variant === undefined ? {} : { variant }),
    ...(buildId === undefined ? {} : { buildId }),
    version: { major: release.major, minor: release.minor },
    architecture: yield* readArchitecture(probe),
    ...(hostname === undefined ? {} : { hostname }),
    packageFormat: packageFormat(release),
    packageManagement: packageManagement(release, hasDnf),
    hasDnf,
    init: linux ? yield* readInit(probe) : 'unknown',
    osinfo: osinfoOf(system.type, release.distribution, release),
    warnings: [...warnings, ...probe.warnings],
  };
}
