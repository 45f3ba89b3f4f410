/** FAT images made by mkfs.vfat and mtools read as 7-Zip reads them. */
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { decodeName, encodeName } from '../../src/bytes/text.ts';
import { FIXTURES, fixture, untouched } from '../support/images.ts';
import { mountFile, readFile, walk } from './volume.ts';

interface Golden {
  readonly path: string;
  readonly kind: string;
  readonly size?: number;
  readonly sha256?: string;
  readonly modified: string;
  readonly attributes: string;
  readonly shortName: string;
}

const FULL = [
  'floppy',
  'fat12-cluster512',
  'fat12-cluster64k',
  'fat12-sector1024',
  'fat12-sector4096',
  'fat16',
  'fat16-mbr',
  'fat16-one-table',
  'fat16-sector2048',
  'fat32',
];

function attributesOf(flags: number): string {
  return [
    [0x01, 'R'],
    [0x02, 'H'],
    [0x04, 'S'],
    [0x10, 'D'],
    [0x20, 'A'],
  ]
    .filter(([bit]) => (flags & Number(bit)) !== 0)
    .map(([, letter]) => letter)
    .join('');
}

describe.each(FULL)('%s', (name) => {
  test('holds what 7-Zip finds in it: names, kinds, sizes, times, attributes, contents', async () => {
    const image = fixture(`vfat/${name}.img`);
    const golden = JSON.parse(fs.readFileSync(path.join(FIXTURES, `vfat/${name}.json`), 'utf8')) as Golden[];
    await untouched([image], () => {
      const vfat = mountFile(image);
      const found = walk(vfat).map(({ path: where, stat }) => ({
        path: where,
        kind: stat.kind,
        ...(stat.kind === 'directory' ? {} : { size: stat.size, sha256: createHash('sha256').update(readFile(vfat, stat)).digest('hex') }),
        modified: new Date(stat.mtime.seconds * 1000).toISOString().slice(0, 19).replace('T', ' '),
        attributes: [...attributesOf(stat.flags)].sort().join(''),
      }));
      const expected = golden.map(({ shortName, attributes, ...rest }) => ({ ...rest, attributes: [...attributes].sort().join('') }));
      expect(found.sort((a, b) => (a.path < b.path ? -1 : 1))).toEqual(expected);
      expect(vfat.warnings).toEqual([]);
    });
  });

  test('finds every file by its short name and in any case', () => {
    const vfat = mountFile(fixture(`vfat/${name}.img`));
    const golden = JSON.parse(fs.readFileSync(path.join(FIXTURES, `vfat/${name}.json`), 'utf8')) as Golden[];
    for (const { path: where, shortName } of golden) {
      const parent = vfat.sync.resolve(path.dirname(where));
      const own = vfat.sync.resolve(where);
      expect(own).toBeDefined();
      // 7-Zip prints the bytes of short names undecoded: those beyond ASCII say nothing here.
      const short = /^[ -~]+$/.test(shortName) ? [shortName] : [];
      for (const alias of [...short, path.basename(where).toUpperCase(), path.basename(where).toLowerCase()]) {
        expect(vfat.sync.lookup(parent as number, encodeName(alias)), `${alias} in ${where}`).toBe(own);
      }
    }
  });
});

test.each([
  ['floppy', 'FLOPPY', '1234-ABCD', 12],
  ['fat16', 'SIXTEEN BIT', 'ABCD-1234', 16],
  ['fat32', 'THIRTYTWO', '1234-ABCD', 32],
  ['fat32-cluster64k', 'LABEL', '1234-ABCD', 32],
  ['fat32-sector4096', '', '1234-ABCD', 32],
  ['fat32-sector2048', '', '1234-ABCD', 32],
  ['fat16-mbr', '', '1234-ABCD', 16],
])('%s has label "%s", UUID %s and %i bits', (name, label, uuid, bits) => {
  const vfat = mountFile(fixture(`vfat/${name}.img`));
  expect([decodeName(vfat.label), vfat.uuid, vfat.geometry.bits]).toEqual([label, uuid, bits]);
});

test('an Atari volume is refused by name', () => {
  expect(() => mountFile(fixture('vfat/atari.img'))).toThrow(/Atari/);
});
