import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  parseApkInstalled,
  parseDpkgRecords,
  parseDpkgStatus,
  parseDpkgStatusPart,
  parsePacmanDescription,
} from '../../src/packages/index.ts';
import '../support/seed.ts';

const STATUS = [
  'Package: zsh\nStatus: install ok installed\nPriority: optional\nMaintainer: Somebody <somebody@debian.example>\nArchitecture: amd64\n' +
    'Source: zsh-src (1.0)\nVersion: 2:1.2-3-4\nDescription: a shell\n It has\n .\n three lines.\nHomepage: https://zsh.example/',
  'Package: gone\nStatus: purge ok not-installed\nMaintainer: x <x@y>\nArchitecture: amd64\nVersion: 1\nDescription: x',
  'Package: config-only\nStatus: deinstall ok config-files\nMaintainer: x <x@y>\nArchitecture: amd64\nVersion: 1.0-1\nConffiles:\n /etc/x 0123456789abcdef0123456789abcdef\nDescription: x',
  'Package: libc6\nStatus: install ok installed\nMaintainer: x <x@y>\nArchitecture: amd64\nMulti-Arch: same\nVersion: 2.36-9\nDescription: x',
  'Package: libc6\nStatus: install ok installed\nMaintainer: x <x@y>\nArchitecture: i386\nMulti-Arch: same\nVersion: 2.36-9\nDescription: x',
  'Package: half\nStatus: install ok half-configured\nMaintainer: x <x@y>\nArchitecture: all\nVersion: 0.1\nDescription: x',
  'Package: apt\nStatus: install ok installed\nMaintainer: x <x@y>\nArchitecture: all\nVersion: 2.6.1\nDescription: native',
].join('\n\n');

describe('dpkg', () => {
  test('the installed packages are those that dpkg-query says are installed, with the same fields', () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'guestless-dpkg-'));
    fs.writeFileSync(path.join(folder, 'status'), `${STATUS}\n`);
    fs.mkdirSync(path.join(folder, 'info'));
    const fields = ['db:Status-Status', 'Package', 'Version', 'Architecture', 'Homepage', 'binary:Synopsis'];
    const format = `${fields.map((field) => `$\{${field}}`).join('\x1f')}\n`;
    const lines = execFileSync('dpkg-query', ['--admindir', folder, '-W', '-f', format]).toString().trimEnd().split('\n');
    const installed = lines.map((line) => line.split('\x1f')).filter(([state]) => state === 'installed');
    const ours = parseDpkgStatus(STATUS).map(({ name, epoch, version, release, architecture, url, summary }) => [
      'installed',
      name,
      `${epoch === 0 ? '' : `${epoch}:`}${version}${release === '' ? '' : `-${release}`}`,
      architecture,
      url ?? '',
      summary ?? '',
    ]);
    const sorted = (list: readonly (readonly string[])[]) => list.map((fields) => fields.join('|')).sort();
    expect(ours).toHaveLength(4);
    expect(sorted(ours)).toEqual(sorted(installed));
  });

  test('the description has its lines, the source what stands there; the last stanza needs no empty line', () => {
    const packages = parseDpkgStatus(STATUS);
    expect(packages[0]).toMatchObject({ version: '1.2-3', release: '4', source: 'zsh-src (1.0)', description: 'It has\n.\nthree lines.' });
    expect(packages.at(-1)?.name).toBe('apt');
  });

  test('parts without states are installed', () => {
    expect(parseDpkgStatusPart('Package: base-files\nVersion: 12.4\nArchitecture: amd64\n')).toMatchObject([{ name: 'base-files' }]);
    expect(parseDpkgRecords('# comment\nNo colon\n: none\n\n\nVersion: 1\n')).toEqual([]);
  });
});

test('apk: the first field of a letter counts, files do not matter', () => {
  const packages = parseApkInstalled('P:musl\nV:1.2.4-r2\nA:x86_64\nT:a: b\no:musl-src\nF:lib\nR:V:x\nP:other\n\n\nV:1\n\nP:last\nV:2');
  expect(packages).toEqual([
    { name: 'musl', epoch: 0, version: '1.2.4', release: 'r2', architecture: 'x86_64', summary: 'a: b', source: 'musl-src' },
    { name: 'last', epoch: 0, version: '2', release: '', architecture: '' },
  ]);
});

test('pacman: the first value of a field counts', () => {
  expect(parsePacmanDescription('%NAME%\nvi\n\n%VERSION%\n1:070224-6\n\n%DEPENDS%\na\nb\n\n%ARCH%\nany\n')).toEqual({
    name: 'vi',
    epoch: 1,
    version: '070224',
    release: '6',
    architecture: 'any',
  });
  expect(parsePacmanDescription('%VERSION%\n1-1\n')).toBeUndefined();
});

test('any text gives a list', () => {
  const line = fc.oneof(
    fc.constantFrom('', 'Package: a', 'Status: install ok installed', 'P:a', '%NAME%', ' x', ':', '%%'),
    fc.string({ maxLength: 20 }),
  );
  fc.assert(
    fc.property(fc.array(line, { maxLength: 30 }), (lines) => {
      const text = lines.join('\n');
      expect(Array.isArray(parseDpkgStatus(text))).toBe(true);
      expect(Array.isArray(parseApkInstalled(text))).toBe(true);
      const one = parsePacmanDescription(text);
      expect(one === undefined || one.name.length > 0).toBe(true);
    }),
  );
});
