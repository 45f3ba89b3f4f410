/** Given file systems that mke2fs made and the kernel filled, when we walk them, then we see what the kernel sees. */
import { describe, expect, test } from 'vitest';
import { encodeName } from '../../src/bytes/text.ts';
import { mountExt4 } from '../../src/ext4/index.ts';
import { runAsync, runSync } from '../../src/io/drivers.ts';
import { SourceDevice } from '../../src/io/source.ts';
import { FileSource } from '../../src/platform/node/file.ts';
import { fixture, untouched } from '../support/images.ts';
import { type GoldenNode, golden, goldenNames, walk } from './golden.ts';

/** What a tree that mke2fs copied keeps of its source. */
function copied(node: GoldenNode): Partial<GoldenNode> {
  const { inode: _inode, blocks: _blocks, atime: _atime, ctime: _ctime, size, ...kept } = node;
  return { ...kept, mtime: kept.mtime.slice(0, -9), ...(node.kind === 'directory' ? {} : { size }) };
}

/** Inodes 1 to 10, and lost+found. */
const RESERVED_INODES = 11;

describe.each(goldenNames())('%s', (name) => {
  const { judge, usage, nodes } = golden(name);
  const open = (): SourceDevice => new SourceDevice(FileSource.open(fixture(`ext4/${name}.img`)));

  test('the whole tree is as the judge saw it, synchronously', async () => {
    await untouched([fixture(`ext4/${name}.img`)], () => {
      const fs = runSync(mountExt4(open()));
      const seen = runSync(walk(fs));
      if (judge === 'kernel') expect(seen).toEqual(nodes);
      else expect(seen.filter(({ path }) => path !== '' && path !== 'lost+found').map(copied)).toEqual(nodes.slice(1).map(copied));
      expect(fs.warnings).toEqual([]);
    });
  });

  test('the whole tree is the same asynchronously', async () => {
    const fs = await runAsync(mountExt4(open()));
    const seen = await runAsync(walk(fs));
    expect(seen.length).toBe(judge === 'kernel' ? nodes.length : nodes.length + 1);
    if (judge === 'kernel') expect(seen).toEqual(nodes);
  });

  test('statvfs is as the kernel computes it', () => {
    const fs = runSync(mountExt4(open()));
    const seen = runSync(fs.usage());
    if (judge === 'kernel') expect(seen).toEqual(usage);
    else expect(seen.inodes - seen.freeInodes).toBe(RESERVED_INODES + new Set(nodes.slice(1).map(({ inode }) => inode)).size);
  });

  test('every name is found, and others are not', () => {
    const fs = runSync(mountExt4(open()));
    const inodes = new Map(nodes.map(({ path, inode }) => [path, inode]));
    const directories = new Map([['', fs.root]]);
    for (const { path, kind } of nodes) {
      if (path === '') continue;
      const slash = path.lastIndexOf('/');
      const directory = directories.get(path.slice(0, Math.max(0, slash)))!;
      const found = runSync(fs.lookup(directory, encodeName(path.slice(slash + 1))));
      if (judge === 'kernel') expect(found).toBe(inodes.get(path));
      else expect(found).toBeDefined();
      if (kind === 'directory') directories.set(path, found!);
      expect(runSync(fs.lookup(directory, encodeName(`${path.slice(slash + 1, 200)}~`)))).toBeUndefined();
    }
  });
});
