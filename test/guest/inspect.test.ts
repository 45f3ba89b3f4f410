import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Corrupt, GuestlessError } from '../../src/errors.ts';
import { GuestTree } from '../../src/guest/index.ts';
import { elfArchitecture } from '../../src/guest/inspect/architecture.ts';
import { parseFstab } from '../../src/guest/inspect/fstab.ts';
import { findSystems, inspect, listPackages, type PackageFormat, type Skipped, splitVersion } from '../../src/guest/inspect/index.ts';
import { unquote } from '../../src/guest/inspect/shell-words.ts';
import { runSync } from '../../src/io/index.ts';
import { fixture, golden } from '../packages/fixtures.ts';
import { elf, type Files, phonyDisk, phonySystem } from './phony.ts';

const X86_64 = 62;
/** What makes a file system the root of a Linux. */
const LINUX: Files = { '/etc/fstab': '/dev/sda / ext4 defaults 0 1\n', '/bin/ls': elf(X86_64), '/usr/': '', '/sbin/': '' };

function only(files: Files) {
  const systems = runSync(inspect(phonyDisk(phonySystem({ ...LINUX, ...files }))));
  expect(systems).toHaveLength(1);
  return systems[0]!;
}

describe('the release files of a guest tell distribution, product and version', () => {
  const cases: readonly [string, Files, Record<string, unknown>][] = [
    [
      'Debian 12: the minor version is in debian_version, and so is the product name that libguestfs gives',
      {
        '/etc/os-release': '-> ../usr/lib/os-release',
        '/usr/lib/os-release': 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian GNU/Linux"\nVERSION_ID="12"\nID=debian\n',
        '/etc/debian_version': '12.11\n',
        '/usr/lib/systemd/systemd': elf(X86_64),
        '/sbin/init': '-> ../usr/lib/systemd/systemd',
      },
      {
        distribution: 'debian',
        productName: '12.11',
        prettyName: 'Debian GNU/Linux 12 (bookworm)',
        version: { major: 12, minor: 11 },
        packageFormat: 'deb',
        packageManagement: 'apt',
        osinfo: 'debian12',
        init: 'systemd',
        architecture: 'x86_64',
      },
    ],
    [
      'Debian testing: no number in debian_version',
      { '/etc/os-release': 'ID=debian\nPRETTY_NAME="Debian GNU/Linux trixie/sid"\n', '/etc/debian_version': 'trixie/sid\n' },
      { distribution: 'debian', productName: 'trixie/sid', version: { major: 0, minor: 0 } },
    ],
    [
      'Ubuntu 22.04',
      {
        '/etc/os-release': 'PRETTY_NAME="Ubuntu 22.04.3 LTS"\nID=ubuntu\nID_LIKE=debian\nVERSION_ID="22.04"\n',
        '/etc/debian_version': 'bookworm/sid\n',
        '/etc/lsb-release': 'DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=22.04\nDISTRIB_DESCRIPTION="other"\n',
      },
      {
        distribution: 'ubuntu',
        productName: 'Ubuntu 22.04.3 LTS',
        version: { major: 22, minor: 4 },
        osinfo: 'ubuntu22.04',
        packageFormat: 'deb',
      },
    ],
    [
      'Ubuntu 10.10, before os-release',
      { '/etc/lsb-release': 'DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=10.10\nDISTRIB_CODENAME=maverick\nDISTRIB_DESCRIPTION="Ubuntu 10.10"\n' },
      { distribution: 'ubuntu', productName: 'Ubuntu 10.10', version: { major: 10, minor: 10 } },
    ],
    [
      'Fedora 40',
      {
        '/etc/os-release':
          'NAME="Fedora Linux"\nID=fedora\nVERSION_ID=40\nVARIANT_ID=cloud\nPRETTY_NAME="Fedora Linux 40 (Cloud Edition)"\n',
        '/usr/bin/dnf': 'x',
      },
      {
        distribution: 'fedora',
        version: { major: 40, minor: 0 },
        variant: 'cloud',
        packageFormat: 'rpm',
        packageManagement: 'dnf',
        osinfo: 'fedora40',
      },
    ],
    [
      'Fedora 14, by its release file',
      { '/etc/redhat-release': 'Fedora release 14 (Phony)\n' },
      { distribution: 'fedora', productName: 'Fedora release 14 (Phony)', version: { major: 14, minor: 0 }, packageManagement: 'yum' },
    ],
    [
      'RHEL 9.3',
      { '/etc/os-release': 'ID="rhel"\nVERSION_ID="9.3"\nPRETTY_NAME="Red Hat Enterprise Linux 9.3 (Plow)"\n' },
      { distribution: 'rhel', version: { major: 9, minor: 3 }, packageManagement: 'dnf', osinfo: 'rhel9.3' },
    ],
    [
      'RHEL 4, with its update',
      { '/etc/redhat-release': 'Red Hat Enterprise Linux AS release 4 (Nahant Update 8)\n' },
      { distribution: 'rhel', version: { major: 4, minor: 8 }, packageManagement: 'up2date' },
    ],
    [
      'CentOS 7: the minor version is in centos-release',
      {
        '/etc/os-release': 'ID="centos"\nVERSION_ID="7"\nPRETTY_NAME="CentOS Linux 7 (Core)"\n',
        '/etc/centos-release': 'CentOS Linux release 7.9.2009 (Core)\n',
      },
      {
        distribution: 'centos',
        productName: 'CentOS Linux release 7.9.2009 (Core)',
        version: { major: 7, minor: 9 },
        packageManagement: 'yum',
        osinfo: 'centos7.0',
      },
    ],
    [
      'Rocky 9.2',
      { '/etc/os-release': 'ID="rocky"\nVERSION_ID="9.2"\nPRETTY_NAME="Rocky Linux 9.2 (Blue Onyx)"\n' },
      { distribution: 'rocky', version: { major: 9, minor: 2 }, osinfo: 'rocky9' },
    ],
    [
      'AlmaLinux, whose name libguestfs does not know',
      {
        '/etc/os-release': 'ID="almalinux"\nVERSION_ID="9.4"\nPRETTY_NAME="AlmaLinux 9.4"\n',
        '/etc/redhat-release': 'AlmaLinux release 9.4 (Seafoam Ocelot)\n',
      },
      { distribution: 'redhat-based', id: 'almalinux', prettyName: 'AlmaLinux 9.4', version: { major: 9, minor: 4 }, packageFormat: 'rpm' },
    ],
    [
      'Alpine',
      {
        '/etc/os-release': 'NAME="Alpine Linux"\nID=alpine\nVERSION_ID=3.18.4\nPRETTY_NAME="Alpine Linux v3.18"\n',
        '/bin/busybox': elf(183),
        '/bin/sh': '-> /bin/busybox',
        '/bin/ls': '-> /bin/busybox',
        '/sbin/init': '-> /bin/busybox',
        '/sbin/openrc': 'x',
        '/etc/runlevels/': '',
      },
      { distribution: 'alpinelinux', version: { major: 3, minor: 18 }, architecture: 'aarch64', init: 'openrc', packageManagement: 'apk' },
    ],
    [
      'Arch, which has no version',
      {
        '/etc/os-release': 'NAME="Arch Linux"\nPRETTY_NAME="Arch Linux"\nID=arch\nBUILD_ID=rolling\n',
        '/bin': '-> usr/bin',
        '/usr/bin/bash': elf(X86_64),
      },
      { distribution: 'archlinux', buildId: 'rolling', version: { major: 0, minor: 0 }, packageFormat: 'pacman', osinfo: 'archlinux' },
    ],
    [
      'openSUSE Leap',
      { '/etc/os-release': 'NAME="openSUSE Leap"\nID="opensuse-leap"\nVERSION_ID="15.5"\nPRETTY_NAME="openSUSE Leap 15.5"\n' },
      { distribution: 'opensuse', version: { major: 15, minor: 5 }, packageFormat: 'rpm', packageManagement: 'zypper' },
    ],
    [
      'SLES 11 SP2, by SuSE-release',
      { '/etc/SuSE-release': 'SUSE Linux Enterprise Server 11 (x86_64)\nVERSION = 11\nPATCHLEVEL = 2\n' },
      { distribution: 'sles', version: { major: 11, minor: 2 }, osinfo: 'sles11sp2' },
    ],
    ['CirrOS 0.5', { '/etc/cirros/version': '0.5.2\n' }, { distribution: 'cirros', productName: '0.5.2', version: { major: 0, minor: 5 } }],
    [
      'CirrOS 0.6, which has the os-release of Buildroot',
      {
        '/etc/os-release': 'NAME=Buildroot\nID=buildroot\nVERSION_ID=2022.02.4\nPRETTY_NAME="Buildroot 2022.02.4"\n',
        '/etc/cirros/version': '0.6.2\n',
      },
      { distribution: 'cirros', version: { major: 0, minor: 6 } },
    ],
    ['Void', { '/etc/os-release': 'ID="void"\nPRETTY_NAME="Void Linux"\n' }, { distribution: 'voidlinux', packageFormat: 'xbps' }],
    [
      'Gentoo',
      { '/etc/gentoo-release': 'Gentoo Base System release 2.14\n' },
      { distribution: 'gentoo', version: { major: 2, minor: 14 } },
    ],
    ['a system that says nothing', {}, { distribution: 'unknown', productName: 'unknown', version: { major: 0, minor: 0 } }],
  ];

  test.each(cases)('%s', (_, files, expected) => {
    const base = '/bin' in files ? { '/etc/hosts': '127.0.0.1 localhost\n' } : LINUX;
    const [system] = runSync(inspect(phonyDisk(phonySystem({ ...base, ...files }))));
    expect(system).toMatchObject(expected);
  });
});

describe('what is no root', () => {
  test.each<[string, Files]>([
    ['an empty file system', {}],
    ['a /boot with grub', { '/grub2/grub.cfg': 'x', '/etc/fstab': '', '/bin/': '' }],
    ['a folder of configuration', { '/etc/fstab': '', '/etc/hosts': '' }],
    ['/bin that leads elsewhere', { '/etc/fstab': '', '/bin': '-> usr/local/bin' }],
  ])('%s', (_, files) => {
    expect(runSync(inspect(phonyDisk(phonySystem(files))))).toEqual([]);
  });

  test('a root without fstab mounts itself alone', () => {
    const [system] = runSync(inspect(phonyDisk(phonySystem({ '/etc/hosts': '', '/bin/ls': elf(X86_64) }))));
    expect(system).toMatchObject({ root: '/dev/sda', mounts: [{ path: '/', device: '/dev/sda' }] });
  });
});

describe('several file systems', () => {
  const root = phonySystem({ ...LINUX, '/etc/fstab': '/dev/sda / ext4 defaults\n/dev/sdb /srv ext4 defaults\n', '/srv/': '' });

  test('a damaged one is reported and the others are inspected', () => {
    const skipped: Skipped[] = [];
    const disk = phonyDisk(root, new Corrupt('shot through'));
    const systems = runSync(findSystems(disk, (one) => skipped.push(one)));
    expect(systems.map((system) => system.root)).toEqual(['/dev/sda']);
    expect(skipped.map(({ device, error }) => [device, error.message])).toEqual([['/dev/sdb', 'shot through']]);
    const [inspection] = runSync(inspect(disk));
    expect(inspection?.warnings).toContain('/dev/sdb cannot be mounted: shot through');
  });

  test('two roots are two systems', () => {
    expect(runSync(inspect(phonyDisk(root, root))).map((system) => system.root)).toEqual(['/dev/sda', '/dev/sdb']);
  });
});

describe('fstab', () => {
  const mounts = (fstab: string, folders: Files = {}) =>
    only({ '/etc/fstab': fstab, ...folders }).mounts.map(({ path, device }) => [path, device]);

  test('comments, short lines, pseudo file systems and removable media are left out', () => {
    const fstab = [
      '# a comment',
      '',
      'proc /proc proc defaults 0 0',
      'tmpfs /tmp tmpfs size=1G',
      '/dev/fd0 /mnt/floppy auto noauto',
      '/dev/cdrom /media/cdrom iso9660 ro',
      '/dev/sda / ext4',
      '/dev/sda',
      'server:/export /nfs nfs defaults 0 0',
    ];
    expect(mounts(fstab.join('\n'))).toEqual([['/', '/dev/sda']]);
  });

  test('paths are made canonical, escapes resolved, and the shortest comes first', () => {
    const parsed = parseFstab([
      '/dev/sdb ///usr//local// ext4 defaults',
      '/dev/sdc /a\\040b\\011c ext4 x 0 2',
      '/dev/sdd /caf\\303\\251 ext4 y',
    ]);
    expect(parsed.map(({ path }) => path)).toEqual(['/usr/local', '/a b\tc', '/café']);
  });

  test('names of other buses mean the same drive', () => {
    expect(mounts('/dev/vda / ext4 x\n')).toEqual([['/', '/dev/sda']]);
    expect(mounts('/dev/xvda / ext4 x\n/dev/vdb /data ext4 x\n')).toEqual([
      ['/', '/dev/sda'],
      ['/data', undefined],
    ]);
  });

  test('a device that is not there is kept without a device', () => {
    const { mounts: all } = only({ '/etc/fstab': 'UUID=11111111-2222-3333-4444-555555555555 /home ext4 defaults\n' });
    expect(all).toMatchObject([{ path: '/' }, { path: '/home', device: undefined, spec: 'UUID=11111111-2222-3333-4444-555555555555' }]);
  });

  test('a second line for the same place does not count', () => {
    const system = only({ '/etc/fstab': '/dev/sda / ext4 a\n/dev/sda / ext4 b\n' });
    expect(system.mounts).toMatchObject([{ options: 'a' }]);
    expect(system.warnings.join()).toMatch(/twice/);
  });
});

describe('hostname', () => {
  test.each<[string, Files, string | undefined]>([
    ['the first line that says something', { '/etc/hostname': '# a comment\n\nhost.example\n' }, 'host.example'],
    ['/etc/HOSTNAME before /etc/hostname', { '/etc/HOSTNAME': 'suse\n', '/etc/hostname': 'other\n' }, 'suse'],
    ['sysconfig', { '/etc/sysconfig/network': 'NETWORKING=yes\nHOSTNAME="old.redhat"\n' }, 'old.redhat'],
    ['none', {}, undefined],
    ['a file that is too long is not looked at', { '/etc/hostname': `${'x'.repeat(100_001)}\n` }, undefined],
  ])('%s', (_, files, expected) => {
    expect(only(files).hostname).toBe(expected);
  });
});

describe('architecture', () => {
  test.each([
    [3, 32, true, 'i386'],
    [40, 32, true, 'arm'],
    [21, 64, false, 'ppc64'],
    [21, 64, true, 'ppc64le'],
    [22, 64, false, 's390x'],
    [243, 64, true, 'riscv64'],
    [258, 64, true, 'loongarch64'],
    [9999, 64, true, undefined],
  ] as const)('e_machine %i, %i bits, little-endian %s: %s', (machine, bits, little, expected) => {
    expect(elfArchitecture(elf(machine, bits, little))).toBe(expected);
  });
});

describe('packages', () => {
  const list = (files: Files, format: PackageFormat) => runSync(listPackages(GuestTree.of(phonySystem(files)), format));

  test('dpkg: what is installed, the last stanza too, the version split at its last hyphen', () => {
    const status = [
      'Package: zsh\nStatus: install ok installed\nArchitecture: amd64\nVersion: 2:1.2-3-4\nSource: zsh-src (1.0)\nDescription: shell\n more text',
      'Package: gone\nStatus: purge ok not-installed\nArchitecture: amd64\nVersion: 1',
      'Package: half\nStatus: install ok half-installed\nArchitecture: amd64\nVersion: 1',
      'Package: apt\nStatus: install ok installed\nArchitecture: all\nVersion: 2.6.1',
    ].join('\n\n');
    const result = list({ '/var/lib/dpkg/status': status }, 'deb');
    expect(result).toMatchObject({
      status: 'listed',
      packages: [
        { name: 'apt', epoch: 0, version: '2.6.1', release: '', architecture: 'all' },
        { name: 'zsh', epoch: 2, version: '1.2-3', release: '4', architecture: 'amd64', summary: 'shell', source: 'zsh-src (1.0)' },
      ],
    });
    expect(result.status === 'listed' && result.packages).toHaveLength(2);
  });

  test('dpkg without dpkg: one file for each package', () => {
    const files = {
      '/var/lib/dpkg/status.d/base': 'Package: base-files\nVersion: 12.4\nArchitecture: amd64\n',
      '/var/lib/dpkg/status.d/base.md5sums': 'Package: no\n',
    };
    expect(list(files, 'deb')).toMatchObject({ packages: [{ name: 'base-files' }] });
  });

  test('apk', () => {
    const installed =
      'C:Q1x\nP:musl\nV:1.2.4-r2\nA:x86_64\nT:the C library\nU:https://musl.libc.org/\no:musl\nF:lib\nR:x\n\nC:Q1y\nP:busybox\nV:1.36.1-r5\nA:x86_64';
    expect(list({ '/lib/apk/db/installed': installed }, 'apk')).toMatchObject({
      packages: [
        { name: 'busybox', version: '1.36.1', release: 'r5' },
        { name: 'musl', version: '1.2.4', release: 'r2', summary: 'the C library', source: 'musl' },
      ],
    });
  });

  test('pacman', () => {
    const desc = '%NAME%\nbash\n\n%VERSION%\n1:5.2.021-1\n\n%DESC%\nThe shell\n\n%ARCH%\nx86_64\n';
    expect(
      list({ '/var/lib/pacman/local/bash-5.2.021-1/desc': desc, '/var/lib/pacman/local/ALPM_DB_VERSION': '9\n' }, 'pacman'),
    ).toMatchObject({
      packages: [{ name: 'bash', epoch: 1, version: '5.2.021', release: '1', architecture: 'x86_64' }],
    });
  });

  test('a format that cannot be read is said to be unsupported, never an empty list', () => {
    expect(list({}, 'ebuild')).toEqual({
      status: 'unsupported',
      format: 'ebuild',
      reason: 'package databases of format ebuild cannot be read yet',
    });
    expect(list({}, 'unknown')).toMatchObject({ status: 'unsupported' });
  });

  test.each<PackageFormat>(['deb', 'rpm', 'apk', 'pacman'])('a database of %s that is missing is an error', (format) => {
    expect(() => list({}, format)).toThrow(/the package database is not there/);
  });

  test('rpm: a newer database counts, an older one that a conversion left behind does not', () => {
    const files: Files = {
      '/var/lib/rpm': '-> ../../usr/lib/sysimage/rpm',
      '/usr/lib/sysimage/rpm/Packages': 'left behind',
      '/usr/lib/sysimage/rpm/rpmdb.sqlite': fixture('wal.sqlite'),
      '/usr/lib/sysimage/rpm/rpmdb.sqlite-wal': fixture('wal.sqlite-wal'),
    };
    const found = list(files, 'rpm');
    expect(found).toMatchObject({ status: 'listed', database: '/var/lib/rpm/rpmdb.sqlite', warnings: [] });
    expect(found.status === 'listed' && found.packages.map(({ name }) => name)).toEqual(golden().map(({ name }) => name));
  });

  test('rpm: a change that was under way is told', () => {
    const files = { '/usr/share/rpm/rpmdb.sqlite': fixture('rpmdb.sqlite'), '/usr/share/rpm/rpmdb.sqlite-journal': 'x' };
    expect(list(files, 'rpm')).toMatchObject({ database: '/usr/share/rpm/rpmdb.sqlite', warnings: [expect.stringMatching(/journal/)] });
  });

  test('any version splits into parts that make it again', () => {
    fc.assert(
      fc.property(
        fc.option(fc.nat(99)),
        fc.stringMatching(/^[0-9][0-9a-z.+~-]{0,10}$/),
        fc.stringMatching(/^[0-9a-z.+~]{1,5}$/),
        (epoch, upstream, release) => {
          const parts = splitVersion(`${epoch === null ? '' : `${epoch}:`}${upstream}-${release}`);
          expect(parts).toEqual({ epoch: epoch ?? 0, version: upstream, release });
        },
      ),
    );
  });
});

describe('hostile text', () => {
  test('any bytes in the files that are read give a result or one of our errors', () => {
    const paths = ['/etc/os-release', '/etc/fstab', '/etc/hostname', '/etc/redhat-release', '/etc/SuSE-release', '/bin/ls', '/sbin/init'];
    fc.assert(
      fc.property(fc.record(Object.fromEntries(paths.map((path) => [path, fc.uint8Array({ maxLength: 200 })]))), (files) => {
        try {
          runSync(inspect(phonyDisk(phonySystem({ '/bin/': '', '/etc/hosts': '', ...files }))));
        } catch (error) {
          expect(error).toBeInstanceOf(GuestlessError);
        }
      }),
      { numRuns: 200 },
    );
  });

  test('a link loop in place of a release file is no release file', () => {
    expect(only({ '/etc/os-release': '-> os-release', '/etc/hostname': '-> /etc/hostname' })).toMatchObject({ distribution: 'unknown' });
  });

  test.each([
    ['"a \\"b\\" \\$c"', 'a "b" $c'],
    ["'it is'", 'it is'],
    ['plain # no', 'plain'],
    ['"open', 'open'],
    ['a"b"\'c\'\\d', 'abcd'],
  ])('the shell word %s is %s', (word, expected) => {
    expect(unquote(word)).toBe(expected);
  });
});
