/** Attributes that several inodes share, as the kernel stores them: changed and dropped by one holder after the other. */
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { expect, test } from 'vitest';
import { encodeName } from '../../src/bytes/text.ts';
import { mountWritableExt4 } from '../../src/ext4/index.ts';
import { runSync } from '../../src/io/drivers.ts';
import { MemorySource, SourceDevice } from '../../src/io/source.ts';
import { OverlayDevice } from '../../src/overlay/overlay.ts';
import { e2fsckComplaints, must } from '../support/oracle.ts';
import { KERNEL, mke2fs, mounted, saved } from './workbench.ts';

const name = encodeName;

/** Three files with the same long attribute, written by the kernel, else each by itself with debugfs. */
function shared(options: string, length: number): Uint8Array {
  return saved(mke2fs({ name: options, size: '16M', options: options.split(' ') }), (file) => {
    if (KERNEL) {
      mounted(file, 'rw', (mount) => {
        for (const one of ['a', 'b', 'c']) {
          fs.writeFileSync(path.join(mount, one), one);
          execFileSync('setfattr', ['-n', 'user.long', '-v', 'v'.repeat(length), path.join(mount, one)]);
        }
      });
    } else {
      const value = path.join(path.dirname(file), 'value');
      fs.writeFileSync(value, 'v'.repeat(length));
      for (const one of ['a', 'b', 'c']) {
        must('debugfs', '-w', '-R', `write ${value} ${one}`, file);
        must('debugfs', '-w', '-R', `ea_set -f ${value} ${one} user.long`, file);
      }
    }
    return new Uint8Array(fs.readFileSync(file));
  });
}

test.each([
  ['a block', '-t ext4 -b 1024 -I 128 -O ^has_journal', 600],
  ['a block of ext2', '-t ext2 -b 1024 -I 128', 600],
  ['an inode', '-t ext4 -b 1024 -I 256 -O ea_inode,^has_journal', 5000],
])('%s that holds attributes of three files', (_, options, length) => {
  const overlay = new OverlayDevice(new SourceDevice(new MemorySource(shared(options, length))), { budget: 64 << 20 });
  const system = runSync(mountWritableExt4(overlay));
  const clean = (): void => saved(runSync(overlay.read(0, overlay.size)), (file) => expect(e2fsckComplaints(file)).toBe(''));
  const node = (one: string): number => runSync(system.lookup(system.root, name(one)))!;
  const values = (one: string): string[] =>
    runSync(system.xattrs(node(one)))
      .map(({ value }) => Buffer.from(value).toString())
      .sort();
  const long = 'v'.repeat(length);
  const free = runSync(system.usage()).freeBlocks;
  runSync(system.setXattr(node('a'), name('user.more'), name('1')));
  clean();
  expect([values('a'), values('b'), values('c')]).toEqual([['1', long], [long], [long]]);
  runSync(system.removeXattr(node('b'), name('user.long')));
  clean();
  expect([values('a'), values('b'), values('c')]).toEqual([['1', long], [], [long]]);
  runSync(system.setXattr(node('c'), name('user.long'), name('w'.repeat(length))));
  clean();
  expect([values('a'), values('c')]).toEqual([['1', long], ['w'.repeat(length)]]);
  for (const one of ['a', 'b', 'c']) {
    runSync(system.unlink(system.root, name(one)));
    clean();
  }
  expect(runSync(system.usage()).freeBlocks).toBeGreaterThan(free);
});
