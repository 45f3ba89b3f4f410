/** Given a file system with checksums, when a bit of any structure flips, then it is noticed; and by choice only mentioned. */
import * as fs from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Corrupt } from '../../src/errors.ts';
import { readBlockBitmap, readInodeBitmap } from '../../src/ext4/bitmaps.ts';
import { type Ext4, mountExt4 } from '../../src/ext4/index.ts';
import { inodeOffset, readInode } from '../../src/ext4/inode-table.ts';
import { findRun } from '../../src/ext4/mapping.ts';
import { readMmpState } from '../../src/ext4/mmp.ts';
import { readBlockXattrs, readInodeXattrs } from '../../src/ext4/xattr-read.ts';
import { runSync } from '../../src/io/drivers.ts';
import type { Io } from '../../src/io/effect.ts';
import { MemorySource, SourceDevice } from '../../src/io/source.ts';
import { fixture } from '../support/images.ts';
import { resolve, walk } from './golden.ts';

interface Bite {
  readonly image: string;
  /** The byte whose bit flips, found on the intact file system. */
  at(fs: Ext4): number;
  /** What then has to notice; by default the walk over everything. */
  look?(fs: Ext4): Io<unknown>;
}

function* physical(fs: Ext4, path: string, logical: number): Io<number> {
  const inode = yield* readInode(fs.volume, yield* resolve(fs, path));
  const run = yield* findRun(fs.volume, inode, logical);
  return run.physical! * fs.volume.superblock.blockSize;
}

const bites: Readonly<Record<string, Bite>> = {
  superblock: {
    image: 'ext4-1k',
    at() {
      return 1024 + 0x40;
    },
  },
  'group descriptor': {
    image: 'ext4-1k',
    at(fs) {
      return fs.volume.groups.descriptorOffset(0) + 0x0c;
    },
  },
  'group descriptor of uninit_bg': {
    image: 'ext4-gdt-csum',
    at(fs) {
      return fs.volume.groups.descriptorOffset(0) + 0x0c;
    },
  },
  inode: {
    image: 'ext4-1k',
    at(fs) {
      return runSync(inodeOffset(fs.volume, runSync(resolve(fs, '/sizes/150')))) + 0x18;
    },
  },
  'inode of 128 bytes': {
    image: 'ext4-inode128',
    at(fs) {
      return runSync(inodeOffset(fs.volume, runSync(resolve(fs, '/sizes/150')))) + 0x18;
    },
  },
  'end of an inode': {
    image: 'ext4-1k',
    at(fs) {
      return runSync(inodeOffset(fs.volume, runSync(resolve(fs, '/sizes/150')))) + 255;
    },
  },
  'extent block': {
    image: 'ext4-1k',
    at(fs) {
      const inode = runSync(readInode(fs.volume, runSync(resolve(fs, '/sparse/deep'))));
      const { extentRoot } = inode;
      runSync(findRun(fs.volume, inode, 0));
      const root = extentRoot ?? inode.extentRoot!;
      expect(root.depth).toBeGreaterThan(0);
      // The generation of the header, which nothing else looks at.
      return root.physical[0]! * fs.volume.superblock.blockSize + 8;
    },
  },
  'directory block': {
    image: 'ext4-1k',
    at(fs) {
      return runSync(physical(fs, '/names', 0)) + 24 + 8;
    },
  },
  'root of a directory index': {
    image: 'ext4-1k',
    at(fs) {
      return runSync(physical(fs, '/index', 0)) + 32 + 8;
    },
  },
  'directory block below an index': {
    image: 'ext4-1k',
    at(fs) {
      return runSync(physical(fs, '/index', 2)) + 8;
    },
  },
  'block of attributes': {
    image: 'ext4-1k',
    at(fs) {
      const inode = runSync(readInode(fs.volume, runSync(resolve(fs, '/attributes/shared1'))));
      return (inode.fileAcl + 1) * fs.volume.superblock.blockSize - 1;
    },
  },
  'hash of an attribute, without metadata_csum': {
    image: 'ext4-gdt-csum',
    at(fs) {
      const inode = runSync(readInode(fs.volume, runSync(resolve(fs, '/attributes/shared1'))));
      return (inode.fileAcl + 1) * fs.volume.superblock.blockSize - 1;
    },
  },
  'value in an inode': {
    image: 'ext4-ea-inode',
    at(fs) {
      const inode = runSync(readInode(fs.volume, runSync(resolve(fs, '/attributes/large1'))));
      const entries = [...runSync(readInodeXattrs(fs.volume, inode)), ...runSync(readBlockXattrs(fs.volume, inode))];
      const { valueInode } = entries.find((entry) => entry.valueInode !== 0)!;
      const holder = runSync(readInode(fs.volume, valueInode));
      return runSync(findRun(fs.volume, holder, 0)).physical! * fs.volume.superblock.blockSize;
    },
  },
  'block bitmap': {
    image: 'ext4-1k',
    at(fs) {
      return runSync(fs.volume.groups.descriptor(0)).blockBitmap * 1024;
    },
    look: (fs) => readBlockBitmap(fs.volume, 0),
  },
  'inode bitmap': {
    image: 'ext4-1k',
    at(fs) {
      return runSync(fs.volume.groups.descriptor(0)).inodeBitmap * 1024;
    },
    look: (fs) => readInodeBitmap(fs.volume, 0),
  },
  'multiple mount protection': {
    image: 'ext4-mmp',
    at(fs) {
      return Number(fs.volume.superblock.raw.s_mmp_block) * 1024 + 0x20;
    },
    look: (fs) => readMmpState(fs.volume),
  },
};

describe.each(Object.entries(bites))('%s', (_, bite) => {
  const bytes = new Uint8Array(fs.readFileSync(fixture(`ext4/${bite.image}.img`)));
  const intact = runSync(mountExt4(new SourceDevice(new MemorySource(bytes))));
  const look = bite.look ?? ((mounted: Ext4) => walk(mounted));

  test('intact, it is accepted', () => {
    runSync(look(intact));
    expect(intact.warnings).toEqual([]);
  });

  test('with one bit flipped it is Corrupt, or a warning by choice', () => {
    const at = bite.at(intact);
    const flipped = bytes.slice();
    flipped[at]! ^= 0x10;
    const device = new SourceDevice(new MemorySource(flipped));
    expect(() => runSync(look(runSync(mountExt4(device))))).toThrow(Corrupt);
    const lenient = runSync(mountExt4(device, { checksums: 'ignore' }));
    try {
      runSync(look(lenient));
    } catch (error) {
      expect(error).toBeInstanceOf(Corrupt);
    }
    expect(lenient.warnings.map(({ message }) => message).join('\n')).toMatch(/checksum/);
  });
});
