/** The ends of what a file system can hold: blocks, inodes, names, links, sizes; and back. Judged by e2fsck and the kernel or debugfs. */
import { describe, expect, test } from 'vitest';
import { encodeName } from '../../src/bytes/text.ts';
import { mountExt4, mountWritableExt4, type WritableExt4 } from '../../src/ext4/index.ts';
import type { NodeId } from '../../src/filesystem/filesystem.ts';
import { runSync } from '../../src/io/drivers.ts';
import type { Io } from '../../src/io/effect.ts';
import { MemorySource, SourceDevice } from '../../src/io/source.ts';
import { OverlayDevice } from '../../src/overlay/overlay.ts';
import { e2fsckComplaints, must } from '../support/oracle.ts';
import { type Kind, mke2fs, saved } from './workbench.ts';

const name = encodeName;
/** For the tests of very many names: a busy machine may take long. */
const LONG = 300_000;
const code = (one: string): unknown => expect.objectContaining({ code: one });

class Disk {
  readonly overlay: OverlayDevice;
  readonly system: WritableExt4;

  constructor(size: string, options: string) {
    const kind: Kind = { name: options, size, options: options.split(' ') };
    this.overlay = new OverlayDevice(new SourceDevice(new MemorySource(mke2fs(kind))), { budget: 1 << 30 });
    this.system = runSync(mountWritableExt4(this.overlay, { random: () => 7, now: () => ({ seconds: 1_750_000_000, nanoseconds: 0 }) }));
  }

  get usage(): { readonly blocks: number; readonly inodes: number } {
    const { freeBlocks, freeInodes } = runSync(this.system.usage());
    return { blocks: freeBlocks, inodes: freeInodes };
  }

  bytes(): Uint8Array {
    return runSync(this.overlay.read(0, this.overlay.size));
  }

  clean(): void {
    saved(this.bytes(), (file) => expect(e2fsckComplaints(file)).toBe(''));
  }

  debugfs(command: string): string {
    return saved(this.bytes(), (file) => must('debugfs', '-R', command, file));
  }

  create(parent: NodeId, one: string): NodeId {
    return runSync(this.system.create(parent, name(one), { mode: 0o644 }));
  }
}

describe('no space left', () => {
  test.each([
    ['ext4', '4M', '-t ext4 -b 1024 -O ^has_journal'],
    ['ext2', '4M', '-t ext2 -b 1024'],
    ['bigalloc', '8M', '-t ext4 -b 1024 -O bigalloc,^has_journal,^resize_inode -C 8192'],
  ])('%s: a write that does not fit changes nothing; what is deleted is all there again', (_, size, options) => {
    const disk = new Disk(size, options);
    const { system } = disk;
    const initial = disk.usage;
    const file = disk.create(system.root, 'file');
    runSync(system.write(file, 0, new Uint8Array(300_000).fill(1)));
    const before = disk.usage;
    expect(() => runSync(system.write(file, 100_000, new Uint8Array(9 << 20).fill(2)))).toThrow(code('ENOSPC'));
    expect(disk.usage).toEqual(before);
    expect(runSync(system.stat(file)).size).toBe(300_000);
    const part = new Uint8Array(300_000);
    runSync(system.read(file, 0, part));
    expect(part.every((byte) => byte === 1)).toBe(true);
    disk.clean();
    // Now to the last block: each other block of a file, so that its map needs blocks of its own.
    const sparse = disk.create(system.root, 'sparse');
    let written = 0;
    const fill = (): void => {
      for (; written < 100_000; written++) runSync(system.write(sparse, written * 16_384, Uint8Array.of(3)));
    };
    expect(fill).toThrow(code('ENOSPC'));
    expect(written).toBeGreaterThan(100);
    disk.clean();
    // Neither an attribute's block, nor a directory's, nor a long link's is there.
    const denied: readonly (() => Io<unknown>)[] = [
      () => system.setXattr(file, name('user.long'), new Uint8Array(700).fill(4)),
      () => system.mkdir(system.root, name('directory'), { mode: 0o755 }),
      () => system.symlink(system.root, name('link'), name('t'.repeat(300))),
    ];
    const filler = disk.create(system.root, 'filler');
    const fillRest = (): void => {
      for (let i = 0; i < 100; i++) runSync(system.write(filler, i * 1024, Uint8Array.of(6)));
    };
    expect(fillRest).toThrow(code('ENOSPC'));
    expect(disk.usage.blocks).toBe(0);
    for (const verb of denied) expect(() => runSync(verb())).toThrow(code('ENOSPC'));
    disk.clean();
    for (const one of ['sparse', 'filler']) runSync(system.unlink(system.root, name(one)));
    runSync(system.unlink(system.root, name('file')));
    expect(disk.usage).toEqual(initial);
    disk.clean();
  });

  test('a directory that cannot grow does not take the name', () => {
    const disk = new Disk('4M', '-t ext4 -b 1024 -O ^has_journal -N 4096');
    const { system } = disk;
    const initial = disk.usage;
    const file = disk.create(system.root, 'filler');
    for (let length = 1 << 20; length >= 1024; ) {
      try {
        runSync(system.write(file, runSync(system.stat(file)).size, new Uint8Array(length).fill(1)));
      } catch {
        length /= 2;
      }
    }
    expect(disk.usage.blocks).toBe(0);
    let made = 0;
    const fill = (): void => {
      for (; ; made++) disk.create(system.root, `name-${made}-${'x'.repeat(100)}`);
    };
    expect(fill).toThrow(code('ENOSPC'));
    expect(made).toBeGreaterThan(2);
    disk.clean();
    for (let i = 0; i < made; i++) runSync(system.unlink(system.root, name(`name-${i}-${'x'.repeat(100)}`)));
    runSync(system.unlink(system.root, name('filler')));
    expect(disk.usage).toEqual(initial);
    disk.clean();
  });

  test('no inodes left', () => {
    const disk = new Disk('4M', '-t ext4 -b 1024 -O ^has_journal -N 64');
    const { system } = disk;
    const initial = disk.usage;
    let made = 0;
    const fill = (): void => {
      for (; ; made++) disk.create(system.root, `f${made}`);
    };
    expect(fill).toThrow(code('ENOSPC'));
    expect(made).toBe(initial.inodes);
    expect(() => runSync(system.mkdir(system.root, name('d'), { mode: 0o755 }))).toThrow(code('ENOSPC'));
    disk.clean();
    for (let i = 0; i < made; i++) runSync(system.unlink(system.root, name(`f${i}`)));
    expect(disk.usage.inodes).toBe(initial.inodes);
    disk.clean();
  });
});

test('names of 255 bytes, and of 256', () => {
  const disk = new Disk('4M', '-t ext4 -b 1024');
  const node = disk.create(disk.system.root, 'n'.repeat(255));
  expect(runSync(disk.system.lookup(disk.system.root, name('n'.repeat(255))))).toBe(node);
  expect(() => disk.create(disk.system.root, 'n'.repeat(256))).toThrow(code('ENAMETOOLONG'));
  disk.clean();
});

test(
  '65,000 names of one file, and not one more',
  () => {
    const disk = new Disk('32M', '-t ext4 -b 4096 -O ^has_journal');
    const { system } = disk;
    const file = disk.create(system.root, 'first');
    runSync(
      system.transaction(function* () {
        for (let i = 1; i < 65_000; i++) yield* system.link(file, system.root, name(`l${i}`));
      }),
    );
    expect(runSync(system.stat(file)).links).toBe(65_000);
    expect(() => runSync(system.link(file, system.root, name('more')))).toThrow(code('EMLINK'));
    disk.clean();
    expect(disk.debugfs('stat first')).toContain('Links: 65000');
  },
  LONG,
);

describe('as many directories', () => {
  const fill = (disk: Disk, parent: NodeId, count: number): void => {
    const { system } = disk;
    runSync(
      system.transaction(function* () {
        for (let i = 0; i < count; i++) yield* system.mkdir(parent, name(`d${i}`), { mode: 0o755 });
      }),
    );
  };

  test(
    'an indexed one stops counting them',
    () => {
      const disk = new Disk('96M', '-t ext4 -b 1024 -N 70000 -O ^has_journal -I 128');
      const { system } = disk;
      const parent = runSync(system.mkdir(system.root, name('p'), { mode: 0o755 }));
      fill(disk, parent, 65_100);
      expect(runSync(system.stat(parent)).links).toBe(1);
      disk.clean();
      runSync(
        system.transaction(function* () {
          for (let i = 0; i < 65_100; i++) yield* system.rmdir(parent, name(`d${i}`));
        }),
      );
      expect(runSync(system.stat(parent)).links).toBe(1);
      runSync(system.rmdir(system.root, name('p')));
      disk.clean();
    },
    LONG,
  );

  test(
    'without dir_nlink the limit is 65,000 links',
    () => {
      const disk = new Disk('96M', '-t ext4 -b 1024 -N 70000 -O ^has_journal,^dir_nlink -I 128');
      const { system } = disk;
      const parent = runSync(system.mkdir(system.root, name('p'), { mode: 0o755 }));
      fill(disk, parent, 64_998);
      expect(() => runSync(system.mkdir(parent, name('more'), { mode: 0o755 }))).toThrow(code('EMLINK'));
      runSync(system.rmdir(parent, name('d5')));
      runSync(system.mkdir(parent, name('more'), { mode: 0o755 }));
      disk.clean();
    },
    LONG,
  );
});

test(
  '100,000 files in one directory: made, found, half of them removed',
  () => {
    const disk = new Disk('64M', '-t ext4 -b 1024 -N 110000 -O ^has_journal -I 128');
    const { system } = disk;
    const parent = runSync(system.mkdir(system.root, name('p'), { mode: 0o755 }));
    const nodes: NodeId[] = [];
    runSync(
      system.transaction(function* () {
        for (let i = 0; i < 100_000; i++) nodes.push(yield* system.create(parent, name(`file number ${i}`), { mode: 0o644 }));
      }),
    );
    expect(disk.debugfs('htree_dump /p').slice(0, 2000)).toMatch(/Indirect levels: 1/);
    runSync(
      system.transaction(function* () {
        for (let i = 0; i < 100_000; i += 2) yield* system.unlink(parent, name(`file number ${i}`));
      }),
    );
    disk.clean();
    const reread = runSync(mountExt4(new SourceDevice(new MemorySource(disk.bytes()))));
    for (const each of [system, reread]) {
      for (let i = 0; i < 100_000; i += 97) {
        expect(runSync(each.lookup(parent, name(`file number ${i}`)))).toBe(i % 2 === 0 ? undefined : nodes[i]);
      }
    }
  },
  LONG,
);

describe('sizes', () => {
  test('a sparse file of 1 TiB, and the end at 16 TiB', () => {
    const disk = new Disk('16M', '-t ext4 -b 4096 -O ^has_journal');
    const { system } = disk;
    const file = disk.create(system.root, 'f');
    const end = name('the end');
    runSync(system.write(file, 2 ** 40 - end.length, end));
    expect(runSync(system.stat(file))).toMatchObject({ size: 2 ** 40, blocks: 8 });
    disk.clean();
    const limit = (2 ** 32 - 1) * 4096;
    runSync(system.write(file, limit - 1, Uint8Array.of(9)));
    expect(() => runSync(system.write(file, limit, Uint8Array.of(9)))).toThrow(code('EFBIG'));
    expect(() => runSync(system.truncate(file, limit + 1))).toThrow(code('EFBIG'));
    const target = new Uint8Array(end.length);
    runSync(system.read(file, 2 ** 40 - end.length, target));
    expect(target).toEqual(end);
    disk.clean();
  });

  test('a block map at each of its borders, and holes beside them', () => {
    const disk = new Disk('16M', '-t ext2 -b 1024');
    const { system } = disk;
    const initial = disk.usage;
    const file = disk.create(system.root, 'f');
    const perBlock = 256;
    const borders = [
      12,
      12 + perBlock,
      12 + perBlock + perBlock ** 2,
      12 + perBlock + 2 * perBlock,
      12 + perBlock + perBlock ** 2 + perBlock,
    ];
    const blocks = [...new Set(borders.flatMap((border) => [border - 2, border, border + 1]))].sort((a, b) => a - b);
    for (const block of blocks) runSync(system.write(file, block * 1024 + 5, name(`block ${block}`)));
    disk.clean();
    saved(disk.bytes(), (image) => {
      for (const block of blocks) {
        const text = must('debugfs', '-R', `bmap f ${block}`, image).trim();
        expect(Number(text)).toBeGreaterThan(0);
      }
      expect(must('debugfs', '-R', `bmap f ${borders[1]! - 1}`, image).trim()).toBe('0');
    });
    const reread = runSync(mountExt4(new SourceDevice(new MemorySource(disk.bytes()))));
    for (const block of blocks) {
      const expected = name(`block ${block}`);
      const target = new Uint8Array(expected.length);
      runSync(reread.read(file, block * 1024 + 5, target));
      expect(target).toEqual(expected);
    }
    const end = (12 + perBlock + perBlock ** 2 + perBlock ** 3) * 1024;
    expect(() => runSync(system.write(file, end, Uint8Array.of(1)))).toThrow(code('EFBIG'));
    for (const block of [...blocks].reverse()) runSync(system.truncate(file, block * 1024));
    runSync(system.unlink(system.root, name('f')));
    expect(disk.usage).toEqual(initial);
    disk.clean();
  });

  test(
    '3,000 extents: written apart, punched, joined again',
    () => {
      const disk = new Disk('16M', '-t ext4 -b 1024 -O ^has_journal');
      const { system } = disk;
      const initial = disk.usage;
      const file = disk.create(system.root, 'f');
      const count = 3000;
      runSync(
        system.transaction(function* () {
          for (let i = 0; i < count; i++) yield* system.write(file, i * 2048, Uint8Array.of(i & 255, 1));
        }),
      );
      disk.clean();
      expect(disk.debugfs('ex f')).toMatch(/^ 2\/ 2/m);
      runSync(
        system.transaction(function* () {
          for (let i = 0; i < count; i += 3) yield* system.punch(file, i * 2048, 1024);
        }),
      );
      disk.clean();
      const target = new Uint8Array(2);
      for (let i = 0; i < count; i += 7) {
        runSync(system.read(file, i * 2048, target));
        expect([...target]).toEqual(i % 3 === 0 ? [0, 0] : [i & 255, 1]);
      }
      runSync(system.truncate(file, 0));
      runSync(system.unlink(system.root, name('f')));
      expect(disk.usage).toEqual(initial);
      disk.clean();
    },
    LONG,
  );

  test('clusters that several runs of a file share go with the last of them', () => {
    const disk = new Disk('16M', '-t ext4 -b 1024 -O bigalloc,^has_journal,^resize_inode -C 16384');
    const { system } = disk;
    const initial = disk.usage;
    const file = disk.create(system.root, 'f');
    for (const block of [1, 3, 7, 14, 17, 40, 33]) runSync(system.write(file, block * 1024, Uint8Array.of(block)));
    // Three of data, and one for the node that holds seven extents.
    expect(initial.blocks - disk.usage.blocks).toBe(4 * 16);
    disk.clean();
    for (const block of [3, 1, 14]) runSync(system.punch(file, block * 1024, 1024));
    expect(initial.blocks - disk.usage.blocks).toBe(3 * 16);
    disk.clean();
    runSync(system.punch(file, 7 * 1024, 1024));
    expect(initial.blocks - disk.usage.blocks).toBe(2 * 16);
    disk.clean();
  });
});

describe('groups that were never used', () => {
  test.each([
    ['uninitialised, lazily', '-t ext4 -b 1024 -O ^has_journal -E lazy_itable_init=1 -N 4096'],
    ['uninit_bg', '-t ext4 -b 1024 -O ^has_journal,^metadata_csum,uninit_bg -E lazy_itable_init=1 -N 4096'],
    ['no flex_bg', '-t ext4 -b 1024 -O ^has_journal,^flex_bg -E lazy_itable_init=1 -N 4096'],
  ])('%s: are taken into use, the short last one too', (_, options) => {
    const disk = new Disk('27M', options);
    const { system } = disk;
    const initial = disk.usage;
    const directories = Array.from({ length: 12 }, (_, i) => runSync(system.mkdir(system.root, name(`d${i}`), { mode: 0o755 })));
    disk.clean();
    for (const directory of directories) {
      const file = disk.create(directory, 'f');
      runSync(system.write(file, 0, new Uint8Array(1_950_000).fill(5)));
    }
    disk.clean();
    const groups = new Set(directories.map((node) => Math.floor((node - 1) / 1024)));
    expect(groups.size).toBeGreaterThan(1);
    const [, free] = /^ Group +3: .*?(\d+) free blocks/ms.exec(disk.debugfs('stats')) ?? [];
    expect(Number(free)).toBeLessThan(2500);
    for (const [i, directory] of directories.entries()) {
      runSync(system.unlink(directory, name('f')));
      runSync(system.rmdir(system.root, name(`d${i}`)));
    }
    expect(disk.usage).toEqual(initial);
    disk.clean();
  });
});
