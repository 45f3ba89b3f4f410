import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { describe, expect, test } from 'vitest';
import { decodeName, encodeName } from '../../src/bytes/index.ts';
import { attributeValue } from '../../src/commands/change-files.ts';
import { humanSize } from '../../src/commands/file-text.ts';
import { applyMode } from '../../src/commands/mode.ts';
import { shownPaths } from '../../src/commands/shown-path.ts';
import { parseSize } from '../../src/commands/size.ts';
import { Refused } from '../../src/errors.ts';
import { scratchFolder } from '../support/images.ts';

describe('modes', () => {
  const file = path.join(scratchFolder(), 'file');
  const folder = path.join(scratchFolder(), 'folder');
  fs.writeFileSync(file, '');
  fs.mkdirSync(folder);
  const modes = ['0', '644', '4755', 'u+x', 'go-w', 'a=r', 'u=rwx,go=rx', '+x', 'u+s', 'g+s,o-x', '+t', 'a+X', 'u=g', 'o=u-w', 'ug+rw,o='];

  test.each(modes)('%s is what chmod(1) makes of it', (mode) => {
    for (const [place, directory] of [
      [file, false],
      [folder, true],
    ] as const) {
      for (const before of [0o600, 0o755, 0o2750, 0o6711, 0]) {
        fs.chmodSync(place, before);
        // A numeric mode keeps set-id bits of directories in chmod(1); here it is what it says.
        spawnSync('sh', ['-c', 'umask 0; chmod -- "$0" "$1"', mode, place]);
        const after = fs.statSync(place).mode & 0o7777;
        if (directory && /^\d/.test(mode)) continue;
        expect([before.toString(8), applyMode(mode, before, directory).toString(8)]).toEqual([before.toString(8), after.toString(8)]);
      }
    }
  });

  test.each(['', '888', 'x', 'u', 'u+q', 'u+x,', '77777'])('%j is no mode', (mode) => {
    expect(() => applyMode(mode, 0, false)).toThrow(Refused);
  });
});

describe('sizes', () => {
  test.each([
    ['0', 0],
    ['4096', 4096],
    ['4K', 4096],
    ['1.5M', 1_572_864],
    ['2GiB', 2 ** 31],
    ['1t', 2 ** 40],
  ])('%s is %i bytes', (text, size) => {
    expect(parseSize(text)).toBe(size);
  });

  test.each(['', '-1', '1X', 'K', '9999999999999999', '1.1', '8192P'])('%j is no size', (text) => {
    expect(() => parseSize(text)).toThrow(Refused);
  });

  test.each([
    [0, '0'],
    [1023, '1023'],
    [1024, '1.0K'],
    [1536, '1.5K'],
    [10_239, '10K'],
    [1_048_575, '1.0M'],
    [64 * 2 ** 40, '64T'],
  ])('%i bytes are shown as %s, as by ls -h', (bytes, text) => {
    expect(humanSize(bytes)).toBe(text);
  });
});

describe('values of extended attributes', () => {
  test.each([
    ['text', 'text'],
    ['"a\\"b\\101"', 'a"bA'],
    ['0x48690a', 'Hi\n'],
    ['0sSGkK', 'Hi\n'],
    ['0sSGk=', 'Hi'],
    ['', ''],
  ])('%s', (given, value) => {
    expect(decodeName(attributeValue(given))).toBe(value);
  });

  test.each(['0x1', '0xzz', '0s*', '0sA'])('%s is none', (given) => {
    expect(() => attributeValue(given)).toThrow(Refused);
  });
});

test('paths of a walk are shown as the user began them', () => {
  const show = (given: string, real: string, entry: string): string => decodeName(shownPaths(given, encodeName(real))(encodeName(entry)));
  expect(show('/bin', '/usr/bin', '/usr/bin/ls')).toBe('/bin/ls');
  expect(show('/bin', '/usr/bin', '/usr/bin')).toBe('/bin');
  expect(show('/', '/', '/etc')).toBe('/etc');
  expect(show('//etc/./', '/etc', '/etc/x')).toBe('/etc/x');
  expect(show('/link', '/', '/etc')).toBe('/link/etc');
  expect(show('/a/..', '/', '/etc')).toBe('/etc');
});
