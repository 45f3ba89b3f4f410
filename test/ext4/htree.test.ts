/** Indexed directories that the Linux kernel built (and e2fsck -D, where names ignore case): the index finds what a full reading finds. */
import * as fs from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { viewOf } from '../../src/bytes/struct.ts';
import { encodeName, latin1, sameBytes } from '../../src/bytes/text.ts';
import { GuestlessError } from '../../src/errors.ts';
import { EXT4_INDEX_FL } from '../../src/ext4/format/index.ts';
import { hashParameters, searchIndex } from '../../src/ext4/htree.ts';
import type { Ext4 } from '../../src/ext4/index.ts';
import type { Inode } from '../../src/ext4/inode.ts';
import { readInode } from '../../src/ext4/inode-table.ts';
import { findRun } from '../../src/ext4/mapping.ts';
import type { DirectoryEntry, DirectoryPart } from '../../src/filesystem/filesystem.ts';
import { runSync } from '../../src/io/drivers.ts';
import { fixture, untouched } from '../support/images.ts';
import { e2fsckComplaints, must } from '../support/oracle.ts';
import { mountBytes } from './journal-walk.ts';

const image = (name: string): string => fixture(`ext4-htree/${name}.img`);
const bytesOf = (name: string): Uint8Array => new Uint8Array(fs.readFileSync(image(name)));

function directoryOf(fileSystem: Ext4, name: string): Inode {
  const node = runSync(fileSystem.lookup(fileSystem.root, encodeName(name)));
  return runSync(readInode(fileSystem.volume, node!));
}

function list(fileSystem: Ext4, directory: number): DirectoryEntry[] {
  const entries: DirectoryEntry[] = [];
  for (let cursor: number | undefined = 0; cursor !== undefined; ) {
    const part: DirectoryPart = runSync(fileSystem.readDirectory(directory, cursor));
    entries.push(...part.entries);
    cursor = part.next;
  }
  return entries;
}

/** Whether the name stands in this leaf, byte by byte. */
function nodeIn(leaf: Uint8Array, name: Uint8Array): number | undefined {
  for (let at = 0; at + 8 <= leaf.length; ) {
    const view = viewOf(leaf);
    const node = view.getUint32(at, true);
    if (node !== 0 && sameBytes(leaf.subarray(at + 8, at + 8 + leaf[at + 6]!), name)) return node;
    at += Math.max(8, view.getUint16(at + 4, true));
  }
  return undefined;
}

interface Kind {
  readonly name: string;
  readonly entries: number;
  readonly version: number;
  readonly levels: number;
}
const KINDS: readonly Kind[] = [
  { name: 'legacy-signed', entries: 1200, version: 0, levels: 0 },
  { name: 'legacy-unsigned', entries: 1200, version: 0, levels: 0 },
  { name: 'half_md4-signed', entries: 1200, version: 1, levels: 0 },
  { name: 'half_md4-unsigned', entries: 1200, version: 1, levels: 0 },
  { name: 'tea-signed', entries: 1200, version: 2, levels: 0 },
  { name: 'tea-unsigned', entries: 1200, version: 2, levels: 0 },
  { name: 'no-checksums', entries: 600, version: 1, levels: 0 },
  { name: 'default-seed', entries: 400, version: 1, levels: 0 },
  { name: 'two-levels', entries: 900, version: 1, levels: 1 },
  { name: 'collisions', entries: 368, version: 0, levels: 1 },
  { name: 'three-levels', entries: 40000, version: 1, levels: 2 },
];

describe('an index built by the kernel', () => {
  test.each(KINDS)('$name: finds every name, and none that is not there', async ({ name, entries, version, levels }) => {
    await untouched([image(name)], () => {
      const fileSystem = mountBytes(bytesOf(name));
      const { volume } = fileSystem;
      const directory = directoryOf(fileSystem, 'dir');
      expect(directory.flags & EXT4_INDEX_FL).not.toBe(0);
      const root = runSync(findRun(volume, directory, 0)).physical! * volume.superblock.blockSize;
      expect([...runSync(volume.cache.read(root + 28, 3))]).toEqual([version, 8, levels]);
      expect(hashParameters(volume.superblock).unsigned).toBe(name.endsWith('-unsigned'));
      expect(hashParameters(volume.superblock).seed.every((word) => word === 0)).toBe(name === 'default-seed');

      const listed = list(fileSystem, directory.number);
      expect(listed.length).toBe(entries);
      expect(new Set(listed.map((entry) => latin1(entry.name))).size).toBe(entries);
      let leaves = 0;
      const find = (wanted: Uint8Array): unknown =>
        runSync(
          searchIndex(volume, directory, wanted, (leaf) => {
            leaves++;
            return nodeIn(leaf, wanted);
          }),
        );
      // Of a very large directory one name in ten.
      const asked = listed.filter((_, i) => entries <= 2000 || i % 10 === 0);
      for (const entry of asked) {
        const found = find(entry.name) as { outcome: string; value?: number };
        if (found.outcome !== 'found' || found.value !== entry.node) throw new Error(`${latin1(entry.name)}: ${JSON.stringify(found)}`);
      }
      // Only equal hashes lead on to a further leaf.
      if (name === 'collisions') expect(leaves).toBeGreaterThan(asked.length);
      else expect(leaves).toBeLessThan(asked.length * 1.05);
      for (let i = 0; i < 300; i++) expect(find(encodeName(`absent-${i}`))).toEqual({ outcome: 'absent' });
      expect(fileSystem.warnings).toEqual([]);
    });
  });

  test('is clean to e2fsck, which checks that each hash is in its place', () => {
    for (const { name } of KINDS) if (name !== 'three-levels') expect(e2fsckComplaints(image(name))).toBe('');
  });
});

describe('names that ignore case', () => {
  const same: readonly (readonly [string, string])[] = [
    ['Straße', 'STRASSE'],
    ['ΣΊΣΥΦΟΣ', 'σίσυφος'],
    ['Ǆungla', 'ǆUNGLA'],
    ['İstanbul', 'i\u0307STANBUL'],
    ['Ångström', 'A\u030Angstro\u0308M'],
    ['Ärger-Nummer-77-ÉCOLE', 'a\u0308rger-nummer-77-e\u0301cole'],
  ];

  test('are found through the index in any case and normal form', async () => {
    await untouched([image('casefold')], () => {
      const fileSystem = mountBytes(bytesOf('casefold'));
      const directory = directoryOf(fileSystem, 'folded');
      expect(directory.flags & EXT4_INDEX_FL).not.toBe(0);
      for (const entry of list(fileSystem, directory.number))
        expect(runSync(fileSystem.lookup(directory.number, entry.name))).toBe(entry.node);
      for (const [stored, other] of same) {
        const node = runSync(fileSystem.lookup(directory.number, encodeName(stored)));
        expect(node, stored).toBeDefined();
        expect(runSync(fileSystem.lookup(directory.number, encodeName(other))), other).toBe(node);
      }
      expect(runSync(fileSystem.lookup(directory.number, encodeName('Strase')))).toBeUndefined();
      expect(fileSystem.warnings).toEqual([]);
    });
  });

  test('are found without an index too, and only in directories that say so', () => {
    const fileSystem = mountBytes(bytesOf('casefold'));
    expect(runSync(fileSystem.lookup(directoryOf(fileSystem, 'small').number, encodeName('STRASSE')))).toBeDefined();
    expect(runSync(fileSystem.lookup(fileSystem.root, encodeName('SMALL')))).toBeUndefined();
    expect(must('debugfs', '-R', 'stat small', image('casefold'))).toMatch(/Flags: 0x40080000/);
  });
});

describe('a broken index', () => {
  test('is given up for a full reading where checksums are ignored', () => {
    const bytes = bytesOf('two-levels');
    const whole = mountBytes(bytes);
    const directory = directoryOf(whole, 'dir');
    const names = list(whole, directory.number);
    const root = runSync(findRun(whole.volume, directory, 0)).physical! * 1024;
    // The limit, the count, the depth and the hash version of the root, and its first pointer.
    for (const [at, value] of [
      [32, 1],
      [34, 0],
      [30, 7],
      [28, 9],
      [36, 0xff],
    ] as const) {
      const spoiled = bytes.slice();
      spoiled[root + at] = value;
      const fileSystem = mountBytes(spoiled, { checksums: 'ignore' });
      for (const entry of names.slice(0, 20)) expect(runSync(fileSystem.lookup(directory.number, entry.name))).toBe(entry.node);
      expect(fileSystem.warnings.length).toBeGreaterThan(0);
      expect(() => runSync(mountBytes(spoiled).lookup(directory.number, names[0]!.name))).toThrow(GuestlessError);
    }
  });

  test('with random bytes changed gives an answer or our error', () => {
    for (const name of ['no-checksums', 'two-levels']) {
      const bytes = bytesOf(name);
      const whole = mountBytes(bytes);
      const directory = directoryOf(whole, 'dir');
      const names = list(whole, directory.number).map((entry) => entry.name);
      const blocks = Array.from({ length: 4 }, (_, k) => runSync(findRun(whole.volume, directory, k)).physical! * 1024);
      const change = fc.record({
        block: fc.constantFrom(blocks[0]!, blocks[0]!, ...blocks),
        at: fc.oneof(fc.nat(80), fc.nat(1023)),
        value: fc.nat(255),
      });
      fc.assert(
        fc.property(fc.array(change, { minLength: 1, maxLength: 5 }), fc.nat(names.length - 1), (changes, which) => {
          const spoiled = bytes.slice();
          for (const { block, at, value } of changes) spoiled[block + at] = value;
          try {
            const fileSystem = mountBytes(spoiled, { checksums: 'ignore' });
            runSync(fileSystem.lookup(directory.number, names[which]!));
            list(fileSystem, directory.number);
          } catch (error) {
            if (!(error instanceof GuestlessError)) throw error;
          }
        }),
        { numRuns: 150 },
      );
    }
  });
});
