/** Given devices of all sizes, the file systems that we make are as mkfs.vfat makes them; fsck.vfat, mtools and we find them clean. */
import * as fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { encodeName } from '../../src/bytes/text.ts';
import { Posix } from '../../src/errors.ts';
import { identify } from '../../src/filesystem/signatures.ts';
import { BufferedDevice, MemorySource, runSync, WritableSourceDevice } from '../../src/io/index.ts';
import { SourceDevice } from '../../src/io/source.ts';
import { FileSource } from '../../src/platform/node/file.ts';
import { type MakeVfatOptions, makeVfat } from '../../src/vfat/index.ts';
import { planFat } from '../../src/vfat/mkfs-layout.ts';
import { mountVfat } from '../../src/vfat/vfat.ts';
import { mountWritableVfat } from '../../src/vfat/writable.ts';
import { scratchFolder } from '../support/images.ts';
import { fsckVfatComplaints, must, run } from '../support/oracle.ts';

const KIB = 1024;
const MIB = 1 << 20;
const GIB = 1 << 30;
const folder = scratchFolder('guestless-mkfs-vfat-');

/** The numbers of a boot sector. */
function numbers(sector: Buffer): Record<string, number> {
  const is32 = sector.readUInt16LE(22) === 0;
  return {
    bits: Number(sector.toString('latin1', is32 ? 85 : 57, is32 ? 87 : 59)),
    sectorSize: sector.readUInt16LE(11),
    clusterSectors: sector.readUInt8(13),
    reserved: sector.readUInt16LE(14),
    fats: sector.readUInt8(16),
    rootEntries: sector.readUInt16LE(17),
    sectors: sector.readUInt16LE(19) || sector.readUInt32LE(32),
    media: sector.readUInt8(21),
    fatSectors: is32 ? sector.readUInt32LE(36) : sector.readUInt16LE(22),
    sectorsPerTrack: sector.readUInt16LE(24),
    heads: sector.readUInt16LE(26),
    drive: sector.readUInt8(is32 ? 64 : 36),
  };
}

function theirs(size: number, options: readonly string[]): Record<string, number> | undefined {
  const file = path.join(folder, 'theirs');
  fs.writeFileSync(file, '');
  fs.truncateSync(file, size);
  if (run('mkfs.vfat', ['--invariant', ...options, file]).status !== 0) return undefined;
  const sector = Buffer.alloc(512);
  const descriptor = fs.openSync(file, 'r');
  fs.readSync(descriptor, sector, 0, 512, 0);
  fs.closeSync(descriptor);
  return numbers(sector);
}

function ours(size: number, wishes: Parameters<typeof planFat>[1]): Record<string, number> | undefined {
  try {
    const { rootSectors, clusters: _, ...rest } = planFat(size, wishes);
    return { ...rest, rootEntries: (rootSectors * rest.sectorSize) / 32 };
  } catch (error) {
    if (error instanceof Posix) return undefined;
    throw error;
  }
}

test('sizes are those of mkfs.vfat, for every kind, cluster and sector', () => {
  const sizes = [20, 64, 65, 320, 360, 720, 1440, 2880, 1200, 2048, 3072, 4096].map((kibibytes) => kibibytes * KIB);
  sizes.push(4 * MIB + 512, 8 * MIB, 9 * MIB, 10 * MIB, 17 * MIB + 12_345, 32 * MIB, 33 * MIB, 129 * MIB, 255 * MIB, 260 * MIB, 261 * MIB);
  sizes.push(511 * MIB, 512 * MIB - 512, 512 * MIB, GIB, 3 * GIB, 8 * GIB, 16 * GIB, 32 * GIB, 64 * GIB);
  const cases: [number, string[], Parameters<typeof planFat>[1]][] = [];
  for (const size of sizes) cases.push([size, [], {}]);
  for (const bits of [12, 16, 32] as const)
    for (const size of sizes.filter((each, i) => each < 4 * GIB && i % 3 === 0)) cases.push([size, ['-F', String(bits)], { bits }]);
  for (const sectors of [1, 8, 128])
    for (const size of [5 * MIB, 64 * MIB, 600 * MIB]) cases.push([size, ['-s', String(sectors)], { clusterSize: sectors * 512 }]);
  for (const sectorSize of [1024, 2048, 4096])
    for (const size of [3 * MIB, 16 * MIB, 600 * MIB, 16 * GIB]) cases.push([size, ['-S', String(sectorSize)], { sectorSize }]);
  let made = 0;
  for (const [size, options, wishes] of cases) {
    const expected = theirs(size, options);
    expect(ours(size, wishes), `${size} bytes ${options.join(' ')}`).toEqual(expected);
    if (expected !== undefined) made++;
  }
  expect(made).toBeGreaterThan(50);
});

/** Makes a file system on a file full of other bytes. */
function make(size: number, options: MakeVfatOptions = {}): { file: string; bytes: Uint8Array } {
  const file = path.join(folder, `made-${size}`);
  const source = new MemorySource(new Uint8Array(size).fill(0xa5));
  const device = new BufferedDevice(new WritableSourceDevice(source));
  runSync(makeVfat(device, options));
  const bytes = new Uint8Array(size);
  runSync(device.readInto(0, bytes));
  fs.writeFileSync(file, bytes);
  return { file, bytes };
}

test.each([
  ['FAT12', 64 * KIB, {}],
  ['FAT12', 1440 * KIB, {}],
  ['FAT12', 4 * MIB, { sectorSize: 4096 }],
  ['FAT16', 16 * MIB, {}],
  ['FAT16', 16 * MIB, { sectorSize: 2048, clusterSize: 2048 }],
  ['FAT32', 40 * MIB, { bits: 32 }],
  ['FAT32', 40 * MIB, { bits: 32, sectorSize: 512, clusterSize: 512 }],
] as const)('%s of %i bytes, over other data', (version, size, options) => {
  const { file, bytes } = make(size, { ...options, label: encodeName('EFI'), volumeId: 0xdeadbeef });
  expect(fsckVfatComplaints(file)).toBe('');
  expect(must('blkid', '-p', '-o', 'export', file)).toContain('LABEL=EFI\n');
  expect(must('blkid', '-p', '-o', 'export', file)).toContain('UUID=DEAD-BEEF');
  expect(must('blkid', '-p', '-o', 'export', file)).toContain(`VERSION=${version}`);
  const listed = run('mdir', ['-i', file, '::']);
  expect(listed.stdout.toString() + listed.stderr).toMatch(/Volume in drive : is EFI\s[\s\S]*No files/);
  const device = new SourceDevice(new MemorySource(bytes));
  const mounted = runSync(mountVfat(device));
  expect(mounted.warnings).toEqual([]);
  expect(Buffer.from(mounted.label).toString()).toBe('EFI');
  expect(runSync(mounted.usage()).freeBlocks).toBe(runSync(mounted.usage()).blocks - (version === 'FAT32' ? 1 : 0));
  expect(runSync(identify(device))).toMatchObject({ type: 'vfat', uuid: 'DEAD-BEEF' });
});

test('what we make we can fill', () => {
  const { bytes } = make(2 * MIB);
  const device = new BufferedDevice(new WritableSourceDevice(new MemorySource(bytes)));
  const vfat = runSync(mountWritableVfat(device));
  const node = runSync(vfat.create(vfat.root, encodeName('a long name.txt'), { mode: 0o644 }));
  runSync(vfat.write(node, 0, new Uint8Array(100_000).fill(7)));
  runSync(vfat.sync());
  const file = path.join(folder, 'filled');
  const filled = new Uint8Array(bytes.length);
  runSync(device.readInto(0, filled));
  fs.writeFileSync(file, filled);
  expect(fsckVfatComplaints(file)).toBe('');
  expect(must('mdir', '-b', '-i', file, '::').trim()).toBe('::/a long name.txt');
});

test('a large one takes no time and no space', () => {
  const file = path.join(folder, 'large');
  fs.writeFileSync(file, '');
  fs.truncateSync(file, 8 * GIB);
  const source = FileSource.open(file, { writable: true });
  runSync(makeVfat(new WritableSourceDevice(source), { label: encodeName('LARGE') }));
  source.close();
  expect(fsckVfatComplaints(file)).toBe('');
  expect(fs.statSync(file).blocks * 512).toBeLessThan(32 * MIB);
});

test('the same options give the same bytes', () => {
  const once = make(3 * MIB, { label: encodeName('SAME') }).bytes;
  expect(Buffer.compare(once, make(3 * MIB, { label: encodeName('SAME') }).bytes)).toBe(0);
});

test('what cannot be made is refused before anything is written', () => {
  const attempts: [MakeVfatOptions, RegExp][] = [
    [{ label: encodeName('TWELVE CHARS') }, /11 characters/],
    [{ label: encodeName('A/B') }, /11 characters/],
    [{ clusterSize: 3 * 512 }, /clusters of 1536 bytes/],
    [{ clusterSize: 256 }, /clusters of 256 bytes/],
    [{ clusterSize: 65_536 * 2 }, /clusters of 131072 bytes/],
    [{ sectorSize: 513 }, /sectors of 513 bytes/],
    [{ bits: 16 }, /FAT16 file system cannot have/],
  ];
  for (const [options, message] of attempts) {
    const source = new MemorySource(new Uint8Array(MIB).fill(0xa5));
    expect(() => runSync(makeVfat(new WritableSourceDevice(source), options))).toThrow(message);
    expect(source.bytes.every((byte) => byte === 0xa5)).toBe(true);
  }
  expect(() => make(20 * KIB)).toThrow(/too few/);
});
