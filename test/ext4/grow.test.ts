/** Growing: judged by e2fsck, by resize2fs doing the same, by the kernel's idea of the files, and by going on writing. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { encodeName } from '../../src/bytes/text.ts';
import { Posix, Refused, Unsupported } from '../../src/errors.ts';
import { mountWritableExt4 } from '../../src/ext4/index.ts';
import { makeExt4 } from '../../src/ext4/mkfs/index.ts';
import { growExt4 } from '../../src/ext4/resize/index.ts';
import { BufferedDevice } from '../../src/io/buffered-device.ts';
import { runSync } from '../../src/io/drivers.ts';
import { MemorySource, SourceDevice } from '../../src/io/source.ts';
import { WritableSourceDevice } from '../../src/io/writable-source-device.ts';
import { OverlayDevice } from '../../src/overlay/overlay.ts';
import { FileSource } from '../../src/platform/node/index.ts';
import { FaultySource } from '../../src/testing/index.ts';
import { scratchFolder } from '../support/images.ts';
import { e2fsckComplaints, must } from '../support/oracle.ts';
import '../support/seed.ts';
import { SparseFile } from './mkfs-bench.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;
const NOW = 1_750_000_000;
const folder = scratchFolder('guestless-grow-');
const files = path.join(folder, 'files');
let counter = 0;

beforeAll(() => {
  fs.mkdirSync(path.join(files, 'directory/below'), { recursive: true });
  for (let i = 0; i < 40; i++) fs.writeFileSync(path.join(files, `directory/file-${i}`), `${i} `.repeat(i * 40));
  fs.symlinkSync('directory/file-3', path.join(files, 'link'));
});

/** An image of `size` bytes by the real mke2fs, with files in it where they fit. */
function image(size: number, words: readonly string[], withFiles = size >= 2 * MIB): string {
  const name = path.join(folder, `${counter++}.img`);
  fs.writeFileSync(name, '');
  fs.truncateSync(name, size);
  must('mke2fs', '-q', '-F', ...(withFiles ? ['-d', files] : []), ...words, name);
  return name;
}

/** Makes the file longer and the file system as long; the blocks that it got. */
function grow(name: string, size: number, options: { readonly blocks?: number } = {}): number {
  fs.truncateSync(name, size);
  const source = FileSource.open(name, { writable: true });
  try {
    return runSync(growExt4(new WritableSourceDevice(source), { now: NOW, ...options }));
  } finally {
    source.close();
  }
}

/** The sizes that dumpe2fs tells. */
function sizes(name: string): Record<string, string> {
  const kept =
    /^(Filesystem features|Inode count|Block count|Reserved block count|Free inodes|Reserved GDT blocks|Blocks per group|Inodes per group|Filesystem state): +(.*)$/;
  return Object.fromEntries(
    must('dumpe2fs', '-h', name)
      .split('\n')
      .flatMap((line) => {
        const [, key, value] = kept.exec(line) ?? [];
        return key === undefined || value === undefined ? [] : [[key, value]];
      }),
  );
}

function contents(name: string): string {
  return must('debugfs', '-R', 'ls -lr /directory', name) + must('debugfs', '-R', 'cat /directory/file-39', name);
}

/** Grows one by us and one by resize2fs; the sizes are the same, and ours is sound and writable. */
function compare(from: number, to: number, words: readonly string[]): void {
  const mine = image(from, words);
  const theirs = path.join(folder, `${counter++}.img`);
  fs.copyFileSync(mine, theirs);
  const before = contents(mine);
  grow(mine, to);
  fs.truncateSync(theirs, to);
  must('resize2fs', '-f', theirs);
  expect(e2fsckComplaints(mine)).toBe('');
  expect(sizes(mine)).toEqual(sizes(theirs));
  expect(contents(mine)).toBe(before);
  writeMore(mine);
  fs.rmSync(mine);
  fs.rmSync(theirs);
}

/** Fills some of what was added, by our own writer, and asks e2fsck again. */
function writeMore(name: string): void {
  const source = FileSource.open(name, { writable: true });
  const device = new BufferedDevice(new WritableSourceDevice(source));
  const ext4 = runSync(mountWritableExt4(device));
  const { freeBlocks, blockSize } = runSync(ext4.usage());
  const bytes = Math.min(1 * MIB, Math.floor((freeBlocks * blockSize) / 16));
  runSync(
    ext4.transaction(function* () {
      for (let i = 0; i < 12; i++) {
        const node = yield* ext4.create(ext4.root, encodeName(`more-${i}`), { mode: 0o644 });
        yield* ext4.write(node, 0, new Uint8Array(bytes).fill(i + 1));
      }
    }),
  );
  runSync(device.flush());
  source.close();
  expect(e2fsckComplaints(name)).toBe('');
}

const CASES: readonly (readonly [from: number, to: number, words: readonly string[]])[] = [
  [64 * MIB, 96 * MIB, ['-t', 'ext4']],
  [64 * MIB, 300 * MIB, ['-t', 'ext4']],
  [64 * MIB, 64 * MIB + 40 * KIB, ['-t', 'ext4']],
  [20 * MIB, 1 * GIB, ['-t', 'ext4', '-b', '4096']],
  [130 * MIB, 3 * GIB, ['-t', 'ext4', '-b', '4096']],
  [16 * MIB, 200 * MIB, ['-t', 'ext2']],
  [16 * MIB, 200 * MIB, ['-t', 'ext3']],
  [16 * MIB, 100 * MIB, ['-t', 'ext2', '-O', '^resize_inode']],
  [32 * MIB, 500 * MIB, ['-t', 'ext4', '-O', '^flex_bg']],
  [32 * MIB, 500 * MIB, ['-t', 'ext4', '-O', '^metadata_csum,uninit_bg']],
  [32 * MIB, 500 * MIB, ['-t', 'ext4', '-O', '^64bit']],
  [32 * MIB, 500 * MIB, ['-t', 'ext4', '-O', 'meta_bg,^resize_inode']],
  [32 * MIB, 500 * MIB, ['-t', 'ext4', '-I', '128', '-b', '1024']],
  [64 * MIB, 400 * MIB, ['-t', 'ext4', '-b', '2048', '-G', '4']],
  [64 * MIB, 400 * MIB, ['-t', 'ext4', '-O', 'metadata_csum_seed,orphan_file']],
  [20 * MIB, 60 * MIB, ['-t', 'ext4', '-g', '1024', '-N', '4000']],
];

describe('a file system that grows', () => {
  for (const [from, to, words] of CASES) {
    it(`${from / KIB} KiB to ${to / KIB} KiB, mke2fs ${words.join(' ')}`, () => compare(from, to, words));
  }

  it('sizes and forms by chance', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2000, max: 60_000 }),
        fc.integer({ min: 1, max: 400_000 }),
        fc.constantFrom(1024, 2048, 4096),
        fc.constantFrom('ext2', 'ext3', 'ext4'),
        (from, more, blockSize, type) => {
          const name = image(from * KIB, ['-t', type, '-b', String(blockSize)]);
          try {
            grow(name, (from + more) * KIB);
          } catch (error) {
            if (!(error instanceof Unsupported)) throw error;
          }
          expect(e2fsckComplaints(name)).toBe('');
          fs.rmSync(name);
        },
      ),
      { numRuns: 12 },
    );
  });

  it('by steps, as a disk that is made larger again and again', () => {
    const name = image(10 * MIB, ['-t', 'ext4', '-b', '4096']);
    for (const size of [11, 40, 129, 300, 301, 1000, 4000]) {
      grow(name, size * MIB);
      expect(e2fsckComplaints(name)).toBe('');
    }
    writeMore(name);
    fs.rmSync(name);
  });

  it('to a size that was asked for, and not at all where it has that size', () => {
    const name = image(20 * MIB, ['-t', 'ext4', '-b', '4096']);
    expect(grow(name, 200 * MIB, { blocks: 20_000 })).toBe(20_000);
    expect(sizes(name)['Block count']).toBe('20000');
    const before = fs.readFileSync(name);
    expect(grow(name, 200 * MIB, { blocks: 20_000 })).toBe(20_000);
    expect(fs.readFileSync(name).equals(before)).toBe(true);
    fs.rmSync(name);
  });

  it('a terabyte at the cost of its bitmaps', () => {
    const file = new SparseFile(1024 * GIB);
    runSync(makeExt4(file, { blocksCount: (16 * GIB) / 4096, now: NOW }));
    file.written = 0;
    runSync(growExt4(file, { now: NOW }));
    expect(file.written).toBeLessThan(60 * MIB);
    expect(must('dumpe2fs', '-h', file.name)).toMatch(/Block count: +268435456/);
    file.remove();
  });
});

describe('what does not grow', () => {
  it('where no room was kept for descriptors, or the device is too short, or it would be smaller', () => {
    const name = image(16 * MIB, ['-t', 'ext4', '-b', '1024', '-O', '^resize_inode']);
    expect(() => grow(name, 900 * MIB)).toThrow(Unsupported);
    expect(() => grow(name, 20 * MIB, { blocks: 30_000 })).toThrow(Posix);
    expect(() => grow(name, 20 * MIB, { blocks: 10_000 })).toThrow(/already/);
    expect(e2fsckComplaints(name)).toBe('');
  });

  it('what has to be repaired or recovered first', () => {
    const name = image(16 * MIB, ['-t', 'ext4']);
    must('debugfs', '-w', '-R', 'ssv state 2', name);
    expect(() => grow(name, 32 * MIB)).toThrow(Refused);
    const broken = image(16 * MIB, ['-t', 'ext4', '-O', '^metadata_csum,^64bit']);
    must('debugfs', '-w', '-R', 'sif /directory/file-7 links_count 5', broken);
    expect(() => grow(broken, 32 * MIB)).toThrow(/has to be repaired first/);
  });

  it('bigalloc', () => {
    expect(() => grow(image(32 * MIB, ['-t', 'ext4', '-O', 'bigalloc'], false), 64 * MIB)).toThrow(Unsupported);
  });

  it('a resize inode that names others than its own blocks', () => {
    const name = image(16 * MIB, ['-t', 'ext4', '-b', '4096', '-O', '^metadata_csum']);
    // The second-level map of inode 7 is taken from it.
    must('debugfs', '-w', '-R', 'sif <7> block[DIND] 0', name);
    expect(() => grow(name, 32 * MIB)).toThrow(/e2fsck repairs it|repaired first/);
  });

  it('a write that fails leaves it as it was', () => {
    const original = padded(fs.readFileSync(image(16 * MIB, ['-t', 'ext4'])), 64 * MIB);
    // Nearly all of what is written goes through the file below.
    const attempt = (after: number | undefined): { overlay: OverlayDevice; below: FaultySource; grow: () => number } => {
      const below = new FaultySource(new MemorySource(new Uint8Array(0)));
      if (after !== undefined) below.arm({ after });
      const overlay = new OverlayDevice(new SourceDevice(new MemorySource(original)), { budget: 1 << 16, temporary: () => below });
      return { overlay, below, grow: () => runSync(growExt4(overlay, { now: NOW })) };
    };
    const whole = attempt(undefined);
    whole.grow();
    const { requests } = whole.below;
    expect(requests).toBeGreaterThan(10);
    for (let after = 1; after <= requests; after += Math.ceil(requests / 12)) {
      const { overlay, grow: growing } = attempt(after);
      expect(growing).toThrow(Posix);
      expect(Buffer.compare(runSync(overlay.read(0, overlay.size)), original)).toBe(0);
      expect(growing()).toBe(65_536);
      overlay.close();
    }
  });
});

function padded(bytes: Uint8Array, size: number): Uint8Array {
  const longer = new Uint8Array(size);
  longer.set(bytes);
  return longer;
}
