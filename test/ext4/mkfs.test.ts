/** New file systems are those that mke2fs makes: judged by dumpe2fs beside the real one, by e2fsck, by the kernel, by our own writer. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { encodeName } from '../../src/bytes/text.ts';
import { GuestlessError, Posix, Unsupported } from '../../src/errors.ts';
import { mountWritableExt4 } from '../../src/ext4/index.ts';
import { type MakeExt4Options, makeExt4, makeExt4Journal } from '../../src/ext4/mkfs/index.ts';
import { BufferedDevice } from '../../src/io/buffered-device.ts';
import { runSync } from '../../src/io/drivers.ts';
import { MemorySource } from '../../src/io/source.ts';
import { WritableSourceDevice } from '../../src/io/writable-source-device.ts';
import { e2fsckComplaints, must, run } from '../support/oracle.ts';
import '../support/seed.ts';
import { described, difference, folder, ours, SparseFile, theirs, UUID } from './mkfs-bench.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;

/** How ours differs from what mke2fs makes of the same; nothing when it does not. */
function compare(size: number, options: MakeExt4Options): string[] {
  const real = theirs(size, options);
  let made: SparseFile;
  try {
    made = ours(size, options);
  } catch (error) {
    if (!(error instanceof GuestlessError)) throw error;
    if (real !== undefined) fs.rmSync(real);
    return real === undefined ? [] : [`refused: ${error.message}`];
  }
  try {
    if (real === undefined) return ['mke2fs refuses'];
    const complaints = e2fsckComplaints(made.name);
    return [...difference(described(made.name), described(real)), ...(complaints === '' ? [] : [complaints])];
  } finally {
    made.remove();
    if (real !== undefined) fs.rmSync(real);
  }
}

const CASES: readonly (readonly [number, MakeExt4Options])[] = [
  [1 * MIB, { type: 'ext2' }],
  [3 * MIB - KIB, {}],
  [8 * MIB, {}],
  [10 * MIB, { type: 'ext3' }],
  [16_500 * KIB, { type: 'ext2', reservedPercentage: 50 }],
  [100 * MIB, {}],
  [100 * MIB, { type: 'ext2' }],
  [100 * MIB, { type: 'ext3' }],
  [136 * MIB, {}],
  [512 * MIB, { type: 'ext3' }],
  [2 * GIB - 17 * KIB, {}],
  [2 * GIB, { type: 'ext2' }],
  [5 * GIB, {}],
  [48_828 * KIB, { type: 'ext3', inodeRatio: 1024 }],
  [129 * MIB + 512, { blockSize: 4096 }],
  [300 * MIB, { blockSize: 65536 }],
  [30 * MIB, { blockSize: 2048, inodeSize: 128 }],
  [64 * MIB, { features: '^64bit,^metadata_csum,uninit_bg' }],
  [64 * MIB, { features: '^extent,^64bit' }],
  [64 * MIB, { features: '^flex_bg,^has_journal' }],
  [64 * MIB, { features: 'meta_bg,^resize_inode' }],
  [64 * MIB, { features: 'sparse_super2' }],
  [64 * MIB, { features: '^resize_inode,^sparse_super' }],
  [64 * MIB, { features: 'metadata_csum_seed' }],
  [64 * MIB, { usageType: 'news' }],
  [64 * MIB, { usageType: 'largefile4' }],
  [64 * MIB, { usageType: 'nonsense' }],
  [64 * MIB, { journalSize: 4, type: 'ext2' }],
  [64 * MIB, { inodesCount: 60_000, inodeSize: 512 }],
  [64 * MIB, { blocksPerGroup: 512, inodesCount: 4000, features: '^resize_inode' }],
  [50 * MIB, { blocksPerGroup: 256, inodesCount: 1000 }],
  [40 * MIB, { groupsPerFlex: 4 }],
  [700 * MIB, { maximumOnlineResize: 10_000_000 }],
  [300 * MIB, { blocksCount: 20_001 }],
  [21_323 * KIB, { blockSize: 4096, features: '^large_file' }],
  [7321 * KIB, { blockSize: 4096, blocksPerGroup: 8192 }],
  [29_711 * KIB, { blockSize: 2048, inodeSize: 512, inodeRatio: 1036, blocksPerGroup: 1024, groupsPerFlex: 64, features: '^resize_inode' }],
  [11_492 * KIB, { type: 'ext2', inodeSize: 512, inodeRatio: 67_665, blocksPerGroup: 512 }],
];

describe('a new file system', () => {
  it('is laid out as mke2fs lays it out, for each size and option', () => {
    for (const [size, options] of CASES) expect([size / MIB, options, compare(size, options)]).toEqual([size / MIB, options, []]);
  }, 120_000);

  it('is laid out as mke2fs lays it out, for random sizes and options', () => {
    const options = fc.record(
      {
        type: fc.constantFrom('ext2', 'ext3', 'ext4'),
        blockSize: fc.constantFrom(1024, 2048, 4096),
        inodeSize: fc.constantFrom(128, 256, 512),
        inodeRatio: fc.integer({ min: 1024, max: 70_000 }),
        blocksPerGroup: fc.constantFrom(512, 1024, 8192),
        groupsPerFlex: fc.constantFrom(1, 2, 8, 64),
        reservedPercentage: fc.integer({ min: 0, max: 50 }),
        features: fc.constantFrom('^resize_inode', '^dir_index', '^sparse_super,^resize_inode', '^large_file', '^ext_attr'),
      },
      { requiredKeys: ['type'] },
    ) as fc.Arbitrary<MakeExt4Options>;
    fc.assert(
      fc.property(fc.integer({ min: 200, max: 120_000 }), options, (size, chosen) => {
        expect(compare(size * KIB, chosen)).toEqual([]);
      }),
      { numRuns: 40, endOnFailure: true },
    );
  }, 120_000);

  it('costs little on a device of a terabyte', () => {
    const device = ours(1024 * GIB, {});
    expect(device.written).toBeLessThan(20 * MIB);
    expect(must('dumpe2fs', '-h', device.name)).toContain('Block count:              268435456');
    device.remove();
  });

  it('is what it says to the kernel and to our own writer', () => {
    const device = ours(64 * MIB, { label: encodeName('fresh') });
    const bytes = new Uint8Array(fs.readFileSync(device.name));
    const source = new MemorySource(bytes);
    const ext4 = runSync(mountWritableExt4(new BufferedDevice(new WritableSourceDevice(source))));
    const node = runSync(ext4.create(ext4.root, encodeName('hello'), { mode: 0o644 }));
    runSync(ext4.write(node, 0, encodeName('from our writer')));
    runSync(ext4.sync());
    fs.writeFileSync(device.name, source.bytes);
    expect(e2fsckComplaints(device.name)).toBe('');
    const at = fs.mkdtempSync(path.join(folder, 'mount-'));
    must('mount', '-o', 'loop', device.name, at);
    try {
      expect(fs.readFileSync(path.join(at, 'hello'), 'utf8')).toBe('from our writer');
      fs.writeFileSync(path.join(at, 'kernel'), Buffer.alloc(3 * MIB, 7));
      expect(fs.readdirSync(at).sort()).toEqual(['hello', 'kernel', 'lost+found']);
    } finally {
      must('umount', at);
    }
    expect(e2fsckComplaints(device.name)).toBe('');
    expect(must('blkid', '-p', '-o', 'value', '-s', 'LABEL', device.name).trim()).toBe('fresh');
    device.remove();
  });

  it('leaves nothing of what was on the device before, where that could be taken for metadata', () => {
    for (const options of [{}, { type: 'ext3' }, { features: '^has_journal', blockSize: 4096 }] as const) {
      const source = new MemorySource(new Uint8Array(20 * MIB).fill(0xa5));
      runSync(makeExt4(new BufferedDevice(new WritableSourceDevice(source)), options));
      const name = path.join(folder, 'dirty.img');
      fs.writeFileSync(name, source.bytes);
      expect(e2fsckComplaints(name)).toBe('');
    }
  });

  it('is the same bytes again when times and identifiers are given', () => {
    const images = [0, 1].map(() => {
      const device = ours(16 * MIB, {});
      const bytes = fs.readFileSync(device.name);
      device.remove();
      return bytes;
    });
    expect(images[0]?.equals(images[1]!)).toBe(true);
  });

  it('keeps its journal on a device of its own', () => {
    const journal = new SparseFile(16 * MIB);
    runSync(makeExt4Journal(journal, { blockSize: 4096, uuid: UUID, label: encodeName('JOURNAL') }));
    expect(must('dumpe2fs', journal.name)).toContain('journal_dev');
    expect(must('blkid', '-p', '-o', 'export', journal.name)).toContain(`UUID=${UUID}\nTYPE=jbd`.split('\n')[0]!);
    const device = ours(32 * MIB, { type: 'ext3', blockSize: 4096, uuid: 'd306427c-371d-3832-d8f7-eaad61dc6244', journalDevice: journal });
    expect(must('dumpe2fs', '-h', device.name)).toContain(`Journal UUID:             ${UUID}`);
    expect(run('e2fsck', ['-fn', '-j', journal.name, device.name]).status).toBe(0);
    expect(must('dumpe2fs', journal.name)).toContain('d306427c-371d-3832-d8f7-eaad61dc6244');
    journal.remove();
    device.remove();
  });
});

describe('what cannot be made', () => {
  const refusal = (size: number, options: MakeExt4Options): unknown => {
    const source = new MemorySource(new Uint8Array(size).fill(1));
    const before = source.bytes.slice();
    try {
      runSync(makeExt4(new BufferedDevice(new WritableSourceDevice(source)), options));
    } catch (error) {
      expect(Buffer.compare(source.bytes, before)).toBe(0);
      return error;
    }
    return undefined;
  };

  it('is refused as mke2fs refuses it, and nothing is written', () => {
    const refused: readonly MakeExt4Options[] = [
      { type: 'ext3', groupsPerFlex: 8 },
      { blockSize: 512 },
      { inodeSize: 100 },
      { inodeSize: 8192, blockSize: 4096 },
      { features: 'nonsense' },
      { features: 'meta_bg' },
      { features: '^sparse_super' },
      { reservedPercentage: 51 },
      { blocksPerGroup: 100 },
      { groupsPerFlex: 3 },
      { journalSize: 100 },
      { inodesCount: 1_000_000 },
    ];
    for (const options of refused) {
      expect([options, theirs(8 * MIB, options)]).toEqual([options, undefined]);
      const error = refusal(8 * MIB, options);
      expect(error, JSON.stringify(options)).toBeInstanceOf(Posix);
      expect((error as Posix).code).toBe('EINVAL');
    }
    expect(refusal(20 * KIB, {})).toMatchObject({ code: 'ENOSPC' });
    // mke2fs would make a file longer.
    expect(refusal(8 * MIB, { blocksCount: 1_000_000 })).toMatchObject({ code: 'EINVAL' });
  });

  it('is named when it is this library that cannot make it', () => {
    for (const feature of ['bigalloc', 'quota', 'casefold', 'mmp']) {
      const error = refusal(8 * MIB, { features: feature });
      expect(error).toBeInstanceOf(Unsupported);
      expect((error as Unsupported).feature).toBe(feature);
    }
  });

  it('is refused with an error of ours, whatever the numbers are', () => {
    const number = fc.oneof(fc.integer(), fc.double(), fc.constantFrom(0, 1, 8, 1024, 4096, 65536, 2 ** 31, 2 ** 32, 2 ** 53));
    const options = fc.record(
      {
        blockSize: number,
        blocksCount: number,
        inodeSize: number,
        inodeRatio: number,
        inodesCount: number,
        blocksPerGroup: number,
        groupsPerFlex: number,
        reservedPercentage: number,
        journalSize: number,
        maximumOnlineResize: number,
        features: fc.string(),
        uuid: fc.string(),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4000 }), options, (size, chosen) => {
        const error = refusal(size * 64, chosen);
        if (error !== undefined) expect(error).toBeInstanceOf(GuestlessError);
      }),
      { numRuns: 300, endOnFailure: true },
    );
  });
});

afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));
