/**
 * What the functions `inspect_get_*` of the libguestfs API answer of an operating system. They differ from what this library says on its own
 * account where libguestfs knows a distribution less well: programs that were written for it go by these words.
 */
import type { Inspection } from './inspection.ts';
import { osinfoOf, packageFormatByName, packageManagementByName } from './product.ts';

export interface ApiAnswers {
  readonly root: string;
  /** `linux`, `windows`, `freebsd`, ... */
  readonly type: string;
  readonly distro: string;
  readonly productName: string;
  readonly majorVersion: number;
  readonly minorVersion: number;
  readonly arch: string;
  readonly hostname: string;
  readonly packageFormat: string;
  readonly packageManagement: string;
  readonly buildId: string;
  readonly osinfo: string;
  /** Mount points with their devices, the last of the fstab first, as libguestfs 1.48 has them. */
  readonly mountpoints: readonly (readonly [path: string, device: string])[];
  readonly filesystems: readonly string[];
}

/** Where libguestfs has file(1)'s name of a machine. */
const ARCHITECTURES: ReadonlyMap<string, string> = new Map([
  ['mips', 'MIPS'],
  ['parisc', 'PA-RISC'],
]);

/** The answers of one operating system. What is not known is `unknown`, or 0. */
export function apiAnswers(system: Inspection): ApiAnswers {
  const { root, type, hasDnf, rootRelease } = system;
  const { distribution: distro, major, minor } = rootRelease;
  // A device that is not one of the disk's keeps its name; a UUID or label that nothing has is left out.
  const named = system.fstab.flatMap(({ path, device, spec }) => {
    const known = device ?? (spec.startsWith('/dev/') ? spec : undefined);
    return known === undefined ? [] : [{ path, device: known }];
  });
  const first = named.findIndex(({ path }) => path === '/');
  // Two lines for / would make mounting fail: the first counts, as in libguestfs from 1.56 on.
  const entries = named.filter(({ path }, i) => path !== '/' || i === first).reverse();
  return {
    root,
    type,
    distro,
    productName: rootRelease.productName ?? 'unknown',
    majorVersion: major,
    minorVersion: minor,
    arch: ARCHITECTURES.get(system.architecture) ?? system.architecture,
    hostname: system.hostname ?? 'unknown',
    packageFormat: packageFormatByName(distro) ?? 'unknown',
    packageManagement: packageManagementByName(distro, major, hasDnf),
    buildId: system.buildId ?? 'unknown',
    osinfo: osinfoOf(type, distro, rootRelease),
    mountpoints:
      entries.length === 0 ? [['/', root]] : entries.flatMap(({ path, device }) => (path.startsWith('/') ? [[path, device] as const] : [])),
    filesystems: entries.length === 0 ? [root] : entries.map(({ device }) => device),
  };
}
