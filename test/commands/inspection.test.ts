/** The phony guests of fixtures/inspection, asked through the verbs of the API; golden.json is what the real libguestfs 1.48 said of them. */
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { functionFacts } from '../../src/commands/api/facts.ts';
import { callVerb } from '../../src/commands/verbs/call.ts';
import { Handle } from '../../src/commands/verbs/handle.ts';
import { GuestlessError } from '../../src/errors.ts';
import { MemorySource, runSync, SourceDevice } from '../../src/io/index.ts';
import { nodeHandleHost } from '../../src/library/drive.ts';
import { golden as rpmGolden } from '../packages/fixtures.ts';

const FOLDER = new URL('../../fixtures/inspection/', import.meta.url);
type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
type Answers = { readonly [key: string]: Json };
interface Golden {
  readonly roots: readonly string[];
  readonly systems: Readonly<Record<string, Answers>>;
  readonly [key: string]: Json | Readonly<Record<string, Answers>>;
}
const golden = JSON.parse(fs.readFileSync(new URL('golden.json', FOLDER), 'utf8')) as Readonly<Record<string, Golden>>;

const images = new Map<string, Uint8Array>();

function image(name: string): Uint8Array {
  const bytes = images.get(name) ?? new Uint8Array(gunzipSync(fs.readFileSync(new URL(`${name}.img.gz`, FOLDER))));
  images.set(name, bytes);
  return bytes;
}

function open(...names: readonly string[]): Handle {
  const drives = names.map((name) => ({ image: new SourceDevice(new MemorySource(image(name))), readOnly: true }));
  return new Handle(
    nodeHandleHost(() => {}),
    drives,
  );
}

/** Calls a verb as a door does; an error is told as the goldens tell it. */
function call(handle: Handle, name: string, args: Readonly<Record<string, unknown>> = {}): Json {
  const facts = functionFacts(name);
  if (facts === undefined) throw new Error(`no such function: ${name}`);
  try {
    return told(runSync(callVerb(handle, facts, args)));
  } catch (error) {
    if (!(error instanceof GuestlessError)) throw error;
    return { error: error.message };
  }
}

function told(value: unknown): Json {
  if (value instanceof Uint8Array) return { length: value.length, sha256: createHash('sha256').update(value).digest('hex') };
  return (value ?? null) as Json;
}

const isError = (value: Json | undefined): boolean => typeof value === 'object' && value !== null && 'error' in value;

/** Applications as the goldens have them: without empty fields, long descriptions by their checksum. */
function shortened(list: Json): Json {
  if (!Array.isArray(list)) return list;
  return list.map((one: Readonly<Record<string, Json>>) => {
    const fields = Object.entries(one).filter(([, value]) => value !== '');
    return Object.fromEntries(
      fields.map(([name, value]) => {
        if (name !== 'app2_description' || typeof value !== 'string' || value.length <= 500) return [name, value];
        return [name, { length: value.length, sha256: createHash('sha256').update(value).digest('hex') }];
      }),
    );
  });
}

const MAIN = 'debian,ubuntu,fedora,centos7,arch,alpine,opensuse,split';
const BIG = {
  ...{ app2_name: 'big', app2_epoch: 0, app2_version: '1', app2_release: '1', app2_arch: 'x86_64' },
  ...{ app2_url: 'https://big.example/', app2_description: 'The big' },
};
const withBig = [...((golden[MAIN]?.systems['/dev/sde']?.['applications2'] ?? []) as Json[]), BIG].sort((a, b) =>
  JSON.stringify((a as Answers)['app2_name']) < JSON.stringify((b as Answers)['app2_name']) ? -1 : 1,
);
const ROOT_BY_UUID = { mountpoints: { '/': '/dev/sdb' }, filesystems: ['/dev/sdb'] };

/** The rpm of Debian's appliance opens no guest's database: what `rpm -qa` says of it takes the place of its error. */
function rpmApplications(): Json {
  return rpmGolden().map((one) => {
    const { name, epoch, version, release, architecture, url, summary, description } = one;
    const fields = {
      app2_name: name,
      app2_epoch: epoch,
      app2_version: version,
      app2_release: release,
      app2_arch: architecture ?? '(none)',
    };
    const long =
      description.length > 500
        ? { length: description.length, sha256: createHash('sha256').update(description).digest('hex') }
        : description;
    const all = { ...fields, app2_url: url ?? '(none)', app2_summary: summary, app2_description: long };
    return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== ''));
  });
}

/** Where we tell more than libguestfs 1.48, or the truth: by run and root. Everything else is the same. */
const DIFFERENT: Readonly<Record<string, Readonly<Record<string, Answers>>>> = {
  [MAIN]: {
    '/dev/sdb': ROOT_BY_UUID,
    // The quotes of the shell are no part of the name.
    '/dev/sdc': { hostname: 'fedora.example', applications2: rpmApplications() },
    '/dev/sdd': { applications2: rpmApplications() },
    // libguestfs leaves out a package whose file is longer than 8 KiB.
    '/dev/sde': { applications2: withBig },
    '/dev/sdg': { applications2: rpmApplications() },
  },
  releases: {
    // What os-release says by an ID that libguestfs 1.48 has no name for.
    '/dev/sda3': { distro: 'linuxmint', osinfo: 'linuxmint21.2', package_format: 'deb', package_management: 'apt' },
    '/dev/sda31': { distro: 'openeuler', osinfo: 'openeuler22.3', package_format: 'rpm', package_management: 'dnf' },
    '/dev/sda36': { distro: 'slackware', osinfo: 'slackware15.0' },
    '/dev/sda37': { distro: 'buildroot', osinfo: 'buildroot2022.2' },
    // The id that libosinfo has for it.
    '/dev/sda24': { osinfo: 'sle15sp4' },
    // The names that the API's own documents have for these machines, not those of file(1).
    '/dev/sda62': { arch: 'sparc' },
    '/dev/sda65': { arch: 'loongarch64' },
    // Blanks are no part of a name.
    '/dev/sda75': { hostname: 'unknown' },
    '/dev/sda76': { hostname: 'padded' },
  },
  fstab: {
    '/dev/sda1': {
      mountpoints: {
        '/bus/mmc': '/dev/sda4',
        '/bus/nvme': '/dev/sda4',
        '/by/disk-label': '/dev/sda2',
        '/by/disk-partuuid': '/dev/sda4',
        '/by/disk-uuid': '/dev/sda4',
        '/by/id-nothing': '/dev/disk/by-id/ata-QEMU_HARDDISK_QM00001-part9',
        '/by/label-escaped': '/dev/sda4',
        '/by/partuuid': '/dev/sda4',
        '/by/path': '/dev/sda4',
        '/by/uuid-lower': '/dev/sda2',
        // The escape stands for a space: no such directory is there otherwise.
        '/with\\040space': null,
        '/with space': '/dev/sda4',
      },
    },
  },
};

/** Roots that libguestfs does not see: `/bin -> /usr/bin`, and one with os-release but neither fstab nor hosts. */
const MORE_ROOTS: Readonly<Record<string, readonly string[]>> = { releases: ['/dev/sda71', '/dev/sda72'] };

function rootsOf(run: string, roots: readonly string[]): string[] {
  const number = (root: string): number => Number(/\d*$/.exec(root)?.[0]);
  return [...roots, ...(MORE_ROOTS[run] ?? [])].sort((a, b) => (run in MORE_ROOTS ? number(a) - number(b) : 0));
}

/** Asks what a golden was asked. */
function ask(handle: Handle, root: string, name: string): Json {
  if (name === 'applications2') return shortened(call(handle, 'inspect_list_applications2', { root }));
  if (name === 'applications') return call(handle, 'inspect_list_applications', { root });
  if (name === 'icon_highquality') return call(handle, 'inspect_get_icon', { root, highquality: true });
  if (name === 'icon_no_favicon') return call(handle, 'inspect_get_icon', { root, favicon: false });
  if (name.startsWith('is_')) return call(handle, `inspect_${name}`, { root }) === true ? 1 : 0;
  const said = call(handle, `inspect_get_${name}`, { root });
  return /mountpoints|drive_mappings/.test(name) && Array.isArray(said) ? Object.fromEntries(said as unknown as [string, string][]) : said;
}

/** What we say in place of the golden. */
function expectedAnswer(answer: Json, different: Json | undefined): Json {
  if (typeof different !== 'object' || different === null || Array.isArray(different)) return different ?? answer;
  const merged = { ...(answer as Answers), ...(different as Answers) };
  return Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== null));
}

function mountAll(handle: Handle, root: string): void {
  const mountpoints = ask(handle, root, 'mountpoints') as Readonly<Record<string, string>>;
  call(handle, 'umount_all');
  call(handle, 'mount_ro', { mountable: root, mountpoint: '/' });
  for (const path of ['/usr', '/boot', '/var', '/home']) {
    const device = mountpoints[path];
    if (device !== undefined) call(handle, 'mount_ro', { mountable: device, mountpoint: path });
  }
}

for (const [run, expected] of Object.entries(golden)) {
  describe(`given the drives ${run}`, () => {
    const handle = open(...run.split(','));
    test('the roots are the same', () => {
      expect(isError(call(handle, 'inspect_get_type', { root: '/dev/sda' }))).toBe(true);
      expect(call(handle, 'inspect_get_roots')).toEqual([]);
      expect(call(handle, 'inspect_os')).toEqual(rootsOf(run, expected.roots));
      expect(call(handle, 'inspect_get_roots')).toEqual(rootsOf(run, expected.roots));
    });
    test.each(Object.entries(expected.systems))('%s gives the same answers', (root, answers) => {
      mountAll(handle, root);
      const ours: Record<string, Json> = {};
      const theirs: Record<string, Json> = {};
      for (const [name, answer] of Object.entries(answers)) {
        if (run === 'fstab' && name === 'filesystems') continue;
        const said = ask(handle, root, name);
        ours[name] = isError(said) ? 'an error' : said;
        const wanted = expectedAnswer(answer, DIFFERENT[run]?.[root]?.[name]);
        theirs[name] = isError(wanted) ? 'an error' : wanted;
      }
      expect(ours).toEqual(theirs);
    });
  });
}

test('file systems are those of the fstab, from its last line to its first, swap space too', () => {
  const handle = open('fstab');
  const [root = ''] = call(handle, 'inspect_os') as readonly string[];
  const mounted = Object.values(ask(handle, root, 'mountpoints') as Record<string, string>);
  const all = call(handle, 'inspect_get_filesystems', { root }) as readonly string[];
  expect(all.filter((device) => device !== '/dev/sda3')).toEqual(mounted);
  expect(all.filter((device) => device === '/dev/sda3')).toHaveLength(3);
});

describe('getters of a device', () => {
  test('that is no root, or not there, or before inspection are errors of EINVAL and ENOENT', () => {
    const handle = open('fstab');
    const failure = (name: string, root: string): string => {
      const facts = functionFacts(name);
      try {
        if (facts !== undefined) runSync(callVerb(handle, facts, { root }));
      } catch (error) {
        if (error instanceof GuestlessError) return `${error.code} ${error.message}`;
      }
      return 'no error';
    };
    expect(failure('inspect_get_type', '/dev/sda1')).toMatch(/^EINVAL nothing was inspected yet/);
    call(handle, 'inspect_os');
    expect(failure('inspect_get_type', '/dev/sda2')).toMatch(/^EINVAL \/dev\/sda2: root device not found/);
    expect(failure('inspect_get_type', '/dev/sdz')).toMatch(/^ENOENT/);
    expect(failure('inspect_get_windows_systemroot', '/dev/sda1')).toMatch(/^EINVAL/);
    expect(failure('inspect_list_applications2', '/dev/sda1')).toMatch(/mount/);
  });
});
