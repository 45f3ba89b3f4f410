import * as fs from 'node:fs';
import * as path from 'node:path';
import { describe, expect, it } from 'vitest';
import { Refused } from '../../src/errors.ts';
import { MemorySource, runSync } from '../../src/io/index.ts';
import { FileSource } from '../../src/platform/node/index.ts';
import { type CreateOptions, createQcow2, writeOverlay } from '../../src/qcow2/index.ts';
import { scratchFolder } from '../support/images.ts';
import { must, qemuCheckComplaints } from '../support/oracle.ts';

const MIB = 1 << 20;
const folder = scratchFolder();

function newFile(name: string): FileSource {
  const file = path.join(folder, name);
  fs.writeFileSync(file, '');
  return FileSource.open(file, { writable: true });
}

const info = (file: string): Record<string, unknown> => {
  const { 'actual-size': _, filename: __, ...rest } = JSON.parse(must('qemu-img', 'info', '--output=json', file));
  return rest;
};

const CASES: [string, Omit<CreateOptions, 'size' | 'dataFile'>, string][] = [
  ['defaults', {}, ''],
  ['version 2', { version: 2 }, 'compat=0.10'],
  ['512-byte clusters', { clusterSize: 512 }, 'cluster_size=512'],
  ['2 MiB clusters', { clusterSize: 2 * MIB }, 'cluster_size=2M'],
  ['1-bit refcounts', { refcountBits: 1 }, 'refcount_bits=1'],
  ['64-bit refcounts', { refcountBits: 64, clusterSize: 512 }, 'refcount_bits=64,cluster_size=512'],
  ['lazy refcounts', { lazyRefcounts: true }, 'lazy_refcounts=on'],
  ['zstd', { compression: 'zstd' }, 'compression_type=zstd'],
  ['extended L2', { extendedL2: true }, 'extended_l2=on'],
  ['metadata', { preallocation: 'metadata' }, 'preallocation=metadata'],
  [
    'metadata, small clusters',
    { preallocation: 'metadata', clusterSize: 512, refcountBits: 64 },
    'preallocation=metadata,cluster_size=512,refcount_bits=64',
  ],
  ['metadata, extended L2', { preallocation: 'metadata', extendedL2: true }, 'preallocation=metadata,extended_l2=on'],
  ['full', { preallocation: 'full' }, 'preallocation=full'],
];

describe('a new image', () => {
  it.each(CASES)('with %s is what qemu-img creates', (name, options, spelled) => {
    const target = newFile('ours.qcow2');
    runSync(createQcow2(target, { size: 10_000_001, ...options }));
    target.close();
    const theirs = path.join(folder, 'theirs.qcow2');
    must('qemu-img', 'create', '-q', '-f', 'qcow2', ...(spelled === '' ? [] : ['-o', spelled]), theirs, '10000001');
    expect(info(target.name), name).toEqual(info(theirs));
    expect(qemuCheckComplaints(target.name)).toBe('');
    must('qemu-img', 'compare', target.name, theirs);
    // And qemu writes into it.
    must('qemu-io', '-c', 'write -P 7 1234432 300000', '-c', 'read -P 7 1234432 300000', target.name);
    expect(qemuCheckComplaints(target.name)).toBe('');
  });

  it('is byte for byte that of qemu-img, by default', () => {
    const target = newFile('same.qcow2');
    runSync(createQcow2(target, { size: 10 * MIB, backing: { name: 'base.img', format: 'raw' } }));
    target.close();
    const theirs = path.join(folder, 'same-theirs.qcow2');
    must('qemu-img', 'create', '-q', '-u', '-f', 'qcow2', '-b', 'base.img', '-F', 'raw', theirs, '10M');
    expect(fs.readFileSync(target.name).equals(fs.readFileSync(theirs))).toBe(true);
  });

  it.each([false, true])('has its data file (raw: %s)', (raw) => {
    const data = newFile(`data-${raw}.raw`);
    const target = newFile(`with-data-${raw}.qcow2`);
    runSync(createQcow2(target, { size: 3 * MIB, dataFile: { name: data.name, raw, target: data } }));
    target.close();
    expect(data.size).toBe(3 * MIB);
    expect(info(target.name)).toMatchObject({
      'virtual-size': 3 * MIB,
      'format-specific': { data: { 'data-file': data.name, 'data-file-raw': raw } },
    });
    must('qemu-io', '-c', 'write -P 9 70000 70000', target.name);
    expect(qemuCheckComplaints(target.name)).toBe('');
    expect(fs.readFileSync(data.name)[70000]).toBe(9);
  });

  it.each<[string, Partial<CreateOptions>]>([
    ['clusters of 256 bytes', { clusterSize: 256 }],
    ['clusters of 4 MiB', { clusterSize: 4 * MIB }],
    ['clusters of 1000 bytes', { clusterSize: 1000 }],
    ['narrow refcounts in version 2', { version: 2, refcountBits: 8 }],
    ['extended L2 at 8 KiB', { clusterSize: 8192, extendedL2: true }],
    ['zstd in version 2', { version: 2, compression: 'zstd' }],
    ['preallocation over a backing file', { preallocation: 'metadata', backing: { name: 'x', format: 'raw' } }],
    ['a size beyond its L1 table', { clusterSize: 512, size: 2 ** 50 }],
    ['a name that does not fit', { clusterSize: 512, backing: { name: 'x'.repeat(500) } }],
  ])('is refused: %s', (_, options) => {
    const target = new MemorySource(new Uint8Array(0));
    expect(() => runSync(createQcow2(target, { size: MIB, ...options }))).toThrow(Refused);
    expect(target.size).toBe(0);
  });
});

describe('an overlay written in one pass', () => {
  it.each([65536, 4096, 2 * MIB])('shows its changes over the backing file (clusters of %s bytes)', (clusterSize) => {
    const size = 21 * MIB + 512;
    const base = path.join(folder, 'base.raw');
    fs.writeFileSync(base, Buffer.alloc(size, 0x11));
    const expected = Buffer.alloc(size, 0x11);
    const changes = [
      { offset: 0, length: 2 * MIB, kind: 'data' as const },
      { offset: 4 * MIB, length: 6 * MIB, kind: 'zero' as const },
      { offset: 10 * MIB, length: 2 * MIB, kind: 'discard' as const },
      { offset: 20 * MIB, length: MIB + 512, kind: 'data' as const },
    ];
    for (const { offset, length, kind } of changes) expected.fill(kind === 'data' ? 0x22 : 0, offset, offset + length);
    const target = newFile(`overlay-${clusterSize}.qcow2`);
    runSync(
      // biome-ignore lint/correctness/useYield: the bytes are at hand
      writeOverlay(target, { size, clusterSize, backing: { name: 'base.raw', format: 'raw' } }, changes, function* (offset, bytes) {
        bytes.set(expected.subarray(offset, offset + bytes.length));
      }),
    );
    target.close();
    expect(qemuCheckComplaints(target.name)).toBe('');
    const plain = path.join(folder, 'plain.raw');
    must('qemu-img', 'convert', '-O', 'raw', target.name, plain);
    expect(fs.readFileSync(plain).equals(expected)).toBe(true);
  });
});
