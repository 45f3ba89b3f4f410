/**
 * Journals that a real kernel (or debugfs) left behind, replayed in memory. The judge is the Linux kernel: fixtures/ext4-journal/make.sh
 * let it replay a copy of each image and recorded the tree that it then showed.
 */
import * as fs from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Unsupported } from '../../src/errors.ts';
import { type Ext4, mountExt4 } from '../../src/ext4/index.ts';
import { runAsync, runSync } from '../../src/io/drivers.ts';
import { SourceDevice } from '../../src/io/source.ts';
import { FileSource } from '../../src/platform/node/file.ts';
import { fixture, untouched } from '../support/images.ts';
import { golden, mountBytes, REPLAYED, type WalkEntry, walk } from './journal-walk.ts';

const FAST = ['fast-write', 'fast-range', 'fast-allocate', 'fast-name', 'fast-rename', 'fast-directory', 'fast-wrapped'] as const;

const image = (name: string): string => fixture(`ext4-journal/${name}.img`);
const bytesOf = (name: string): Uint8Array => new Uint8Array(fs.readFileSync(image(name)));

function withMounted<T>(name: string, body: (fileSystem: Ext4) => T): Promise<T> {
  return untouched([image(name)], () => {
    const source = FileSource.open(image(name));
    try {
      return body(runSync(mountExt4(new SourceDevice(source))));
    } finally {
      source.close();
    }
  });
}

describe('a journal with full transactions', () => {
  test.each(REPLAYED)('%s: every path, attribute, time and byte is what the kernel shows after its replay', async (name) => {
    await withMounted(name, (fileSystem) => {
      const expected = golden(name);
      expect(walk(fileSystem)).toEqual(expected.entries);
      expect(runSync(fileSystem.usage())).toMatchObject({ freeBlocks: expected.freeBlocks, freeInodes: expected.freeInodes });
      expect(fileSystem.warnings.map(({ message }) => message).join()).toMatch(/replayed in memory: [1-9]/);
    });
  });

  test('asynchronously too', async () => {
    const source = FileSource.open(image('v3-1k'));
    const fileSystem = await runAsync(mountExt4(new SourceDevice(source)));
    expect(walk(fileSystem)).toEqual(golden('v3-1k').entries);
    source.close();
  });

  test('what a transaction without its commit block would have made is not there', async () => {
    await withMounted('cut', (fileSystem) => expect(walk(fileSystem).map(({ path }) => path)).not.toContain('/unseen'));
  });

  test('the superblock of the replayed file system needs no recovery', async () => {
    await withMounted('v3-1k', (fileSystem) => expect(fileSystem.volume.superblock.incompat & 4).toBe(0));
  });

  test('deleted files that were in use are reported', async () => {
    for (const name of ['orphan-list', 'orphan-file']) {
      await withMounted(name, (fileSystem) =>
        expect(fileSystem.warnings.map(({ message }) => message)).toContain('4 deleted files were still in use; a mount would free them'),
      );
    }
  });
});

describe('a journal with fast commits', () => {
  // Directories changed by the replay get the time of the replay from the kernel, and new ones blocks that it allocates then.
  const comparable = ({ mtime, ctime, blocks, ...rest }: WalkEntry): object =>
    (rest.mode & 0o170000) === 0o040000 ? rest : { ...rest, mtime, ctime, blocks };

  test.each(FAST)('%s: names, attributes and contents are what the kernel shows after its replay', async (name) => {
    await withMounted(name, (fileSystem) => {
      expect(fileSystem.volume.fastCommits?.operations.length).toBeGreaterThan(0);
      expect(walk(fileSystem).map(comparable)).toEqual(golden(name).entries.map(comparable));
    });
  });

  test('all kinds of operation occur in the fixtures', async () => {
    const kinds = new Set<string>();
    for (const name of FAST) {
      await withMounted(name, (fileSystem) => {
        for (const { kind } of fileSystem.volume.fastCommits?.operations ?? []) kinds.add(kind);
      });
    }
    expect([...kinds].sort()).toEqual(['addRange', 'create', 'inode', 'link', 'removeRange', 'unlink']);
  });

  test('a fast commit whose checksum is wrong ends the replay, and what came before it stands', () => {
    const bytes = bytesOf('fast-name');
    const whole = mountBytes(bytes);
    const { operations } = whole.volume.fastCommits!;
    // The last file's name stands in the last records; spoiling it takes away that one fast commit only.
    const at = Buffer.from(bytes).lastIndexOf('more-39');
    bytes[at] = 0x4d;
    const damaged = mountBytes(bytes).volume.fastCommits!;
    expect(damaged.operations.length).toBeLessThan(operations.length);
    expect(damaged.operations).toEqual(operations.slice(0, damaged.operations.length));
    const names = walk(mountBytes(bytes)).map(({ path }) => path);
    expect(names).toContain('/dir/more-38');
    expect(names).not.toContain('/dir/more-39');
  });
});

describe('a journal that cannot be replayed', () => {
  test('on another device it is refused by name', async () => {
    await untouched([image('external')], () => {
      const error = (() => {
        try {
          mountBytes(bytesOf('external'));
        } catch (thrown) {
          return thrown;
        }
        return undefined;
      })();
      expect(error).toBeInstanceOf(Unsupported);
      expect((error as Unsupported).feature).toBe('external journal');
    });
  });

  test('whose inode is lost is found through its copy in the superblock', () => {
    const bytes = bytesOf('v3-1k');
    const { volume } = mountBytes(bytes);
    const table = runSync(volume.groups.descriptor(0)).inodeTable * volume.superblock.blockSize;
    // Kept out of the way of the replay, which would put the inode back: the journal has to be read first.
    bytes.fill(0, table + 7 * volume.superblock.inodeSize, table + 8 * volume.superblock.inodeSize);
    const fileSystem = mountBytes(bytes);
    expect(fileSystem.warnings.map(({ message }) => message).join('\n')).toMatch(/copy in the superblock/);
    expect(walk(fileSystem)).toEqual(golden('v3-1k').entries);
  });

  test('with an unknown feature it is refused by name', () => {
    const bytes = bytesOf('none');
    const at = Buffer.from(bytes).indexOf(Buffer.from('c03b399800000004', 'hex'));
    bytes[at + 0x28] = 0x80;
    expect(() => mountBytes(bytes)).toThrow(/journal incompat 0x80000000/);
  });
});
