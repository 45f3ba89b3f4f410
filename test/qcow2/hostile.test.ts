import * as fs from 'node:fs';
import * as path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Corrupt, GuestlessError, Unsupported } from '../../src/errors.ts';
import { openImage } from '../../src/image/index.ts';
import { MemorySource, runSync } from '../../src/io/index.ts';
import { nodeCodecs } from '../../src/platform/node/index.ts';
import { checkQcow2, readMetadata } from '../../src/qcow2/index.ts';
import { open as openWith, qcow2Folder } from '../image/chains.ts';
import { privateCopy } from '../support/images.ts';
import { run } from '../support/oracle.ts';

const folder = qcow2Folder();
const bytesOf = (name: string): Buffer => fs.readFileSync(path.join(folder, name));

type Poke = readonly [offset: number, size: 1 | 4 | 8, value: number | bigint];

function poked(name: string, pokes: readonly Poke[]): Buffer {
  const bytes = bytesOf(name);
  for (const [offset, size, value] of pokes) {
    if (size === 1) bytes.writeUInt8(Number(value), offset);
    else if (size === 4) bytes.writeUInt32BE(Number(value), offset);
    else bytes.writeBigUInt64BE(BigInt(value), offset);
  }
  return bytes;
}

/** Opens, reads what is at the beginning and the end, maps and checks; bounded by what it asks for. */
function use(bytes: Buffer): void {
  const image = runSync(openImage(new MemorySource(bytes), { codecs: nodeCodecs, format: 'qcow2', withoutBacking: true }));
  const length = Math.min(image.size, 1 << 20);
  for (const offset of [0, Math.floor((image.size - length) / 512) * 512]) {
    try {
      runSync(image.read(offset, length));
      runSync(image.map(offset, length));
    } catch (error) {
      if (!(error instanceof GuestlessError)) throw error;
    }
  }
  runSync(checkQcow2(runSync(readMetadata(new MemorySource(bytes)))));
}

const l1 = 40;
const max64 = 2n ** 64n - 1n;

describe('given header fields that QEMU refuses', () => {
  const cases: readonly (readonly [string, string, readonly Poke[], typeof Corrupt | typeof Unsupported])[] = [
    ['wrong magic', 'v3.qcow2', [[0, 4, 0x514649fa]], Corrupt],
    ...[0, 1, 4, 0xffffffff].map((v) => [`version ${v}`, 'v3.qcow2', [[4, 4, v]], Unsupported] as const),
    ...[0, 8, 22, 63, 0xffffffff].map((v) => [`cluster_bits ${v}`, 'v3.qcow2', [[20, 4, v]], Unsupported] as const),
    ...[0, 96, 103, 108, 65537, 0xffffffff].map((v) => [`header_length ${v}`, 'v3.qcow2', [[100, 4, v]], Corrupt] as const),
    ...[65537n, 2n ** 63n, max64].map(
      (v) =>
        [
          `backing_file_offset ${v}`,
          'v3.qcow2',
          [
            [8, 8, v],
            [16, 4, 10],
          ],
          Corrupt,
        ] as const,
    ),
    [
      'backing name in the header',
      'v3.qcow2',
      [
        [8, 8, 50],
        [16, 4, 10],
      ],
      Corrupt,
    ],
    ...[1024, 0xffffffff].map(
      (v) =>
        [
          `backing_file_size ${v}`,
          'v3.qcow2',
          [
            [8, 8, 0x200],
            [16, 4, v],
          ],
          Corrupt,
        ] as const,
    ),
    ...[3, 255].map((v) => [`crypt_method ${v}`, 'v3.qcow2', [[32, 4, v]], Unsupported] as const),
    ['LUKS without header', 'v3.qcow2', [[32, 4, 2]], Corrupt],
    ...[7, 64, 0xffffffff].map((v) => [`refcount_order ${v}`, 'v3.qcow2', [[96, 4, v]], Corrupt] as const),
    ...[129, 0x10000000].map((v) => [`refcount_table_clusters ${v}`, 'v3.qcow2', [[56, 4, v]], Corrupt] as const),
    ...[512n, 0x10001n, max64].map((v) => [`refcount_table_offset ${v}`, 'v3.qcow2', [[48, 8, v]], Corrupt] as const),
    ...[65537, 0xffffffff].map((v) => [`nb_snapshots ${v}`, 'v3.qcow2', [[60, 4, v]], Corrupt] as const),
    ['snapshots_offset unaligned', 'v3.qcow2', [[64, 8, 0x10200]], Corrupt],
    [
      'snapshots beyond the end',
      'v3.qcow2',
      [
        [60, 4, 1],
        [64, 8, 2 ** 40],
      ],
      Corrupt,
    ],
    ...[0, 4194305, 0xffffffff].map((v) => [`l1_size ${v}`, 'v3.qcow2', [[36, 4, v]], Corrupt] as const),
    ...[0n, 512n, 2n ** 40n, max64 - 0xffffn].map((v) => [`l1_table_offset ${v}`, 'v3.qcow2', [[40, 8, v]], Corrupt] as const),
    ...[(1n << 29n) + 1n, 1n << 50n, 1n << 63n, max64].map((v) => [`size ${v}`, 'v3.qcow2', [[24, 8, v]], Corrupt] as const),
    ...[5, 63].map((bit) => [`unknown feature ${bit}`, 'v3.qcow2', [[72, 8, 1n << BigInt(bit)]], Unsupported] as const),
    ['compression bit without type', 'v3.qcow2', [[72, 8, 8]], Corrupt],
    ['compression type without bit', 'v3.qcow2', [[104, 1, 1]], Corrupt],
    [
      'compression type 2',
      'v3.qcow2',
      [
        [72, 8, 8],
        [104, 1, 2],
      ],
      Unsupported,
    ],
    [
      'extended L2 with small clusters',
      'v3.qcow2',
      [
        [72, 8, 16],
        [20, 4, 13],
      ],
      Corrupt,
    ],
    ['raw data file without data file', 'v3.qcow2', [[88, 8, 2]], Corrupt],
    [
      'an extension that is too large',
      'v3.qcow2',
      [
        [112, 4, 0x12345678],
        [116, 4, 65536 - 119],
      ],
      Corrupt,
    ],
    ['a backing format that is too long', 'top.qcow2', [[116, 4, 16]], Corrupt],
    [
      'an encryption header without encryption',
      'v3.qcow2',
      [
        [112, 4, 0x0537be77],
        [116, 4, 16],
      ],
      Corrupt,
    ],
  ];

  it.each(cases)('%s', (_label, name, pokes, family) => {
    expect(() => use(poked(name, pokes))).toThrow(family);
  });

  it('unknown features are called by the name that the image gives them', () => {
    const bytes = poked('v3.qcow2', [[72, 8, 1n << 40n]]);
    const table = bytes.indexOf(Buffer.from('6803f857', 'hex'));
    bytes.writeUInt8(40, table + 8 + 1);
    bytes.fill(0, table + 10, table + 56);
    bytes.write('time travel', table + 10);
    expect(() => use(bytes)).toThrow(/time travel/);
  });

  it.each([0, 10, 71, 72, 103])('a file cut to %i bytes', (length) => {
    expect(() => use(bytesOf('v3.qcow2').subarray(0, length))).toThrow(Corrupt);
  });

  it('a dirty or corrupt image can be read, and says so', () => {
    for (const [bit, word] of [
      [1, 'closed properly'],
      [2, 'corrupt'],
    ] as const) {
      const image = runSync(openImage(new MemorySource(poked('v3.qcow2', [[72, 8, bit]])), { codecs: nodeCodecs }));
      expect(image.warnings.map((warning) => warning.message).join()).toContain(word);
      expect(runSync(image.read(0, 512))[100]).toBe(0x11);
    }
  });
});

describe('given entries that contradict the format', () => {
  const entryOf = (name: string): { at: number; entry: bigint; first: number } => {
    const bytes = bytesOf(name);
    const table = Number(bytes.readBigUInt64BE(l1));
    const at = Number(bytes.readBigUInt64BE(table) & 0xfffffffffffe00n);
    return { at, entry: bytes.readBigUInt64BE(at), first: table };
  };
  const reading = (name: string, pokes: readonly Poke[]) => (): unknown => {
    const source = new MemorySource(poked(name, pokes));
    // biome-ignore lint/correctness/useYield: a source in memory
    const gate = function* () {
      return new MemorySource(new Uint8Array(4 << 20));
    };
    return runSync(runSync(openImage(source, { codecs: nodeCodecs, gate })).read(0, 512));
  };

  const damages: readonly (readonly [string, string, (e: ReturnType<typeof entryOf>) => Poke[]])[] = [
    ['an L2 table that begins nowhere', 'v3.qcow2', (e): Poke[] => [[e.first, 8, BigInt(e.at) | 0x200n]]],
    ['a cluster that begins nowhere', 'v3.qcow2', (e): Poke[] => [[e.at, 8, e.entry | 0x200n]]],
    ['a zero cluster in version 2', 'v2.qcow2', (e): Poke[] => [[e.at, 8, e.entry | 1n]]],
    ['compressed garbage', 'v3.qcow2', (e): Poke[] => [[e.at, 8, (1n << 62n) | 0x50000n]]],
    ['a compressed cluster behind the end', 'v3.qcow2', (e): Poke[] => [[e.at, 8, (1n << 62n) | (1n << 40n)]]],
    ['a subcluster allocated and zero', 'extl2.qcow2', (e): Poke[] => [[e.at + 8, 8, (1n << 32n) | 1n]]],
    [
      'an allocated subcluster without cluster',
      'extl2.qcow2',
      (e): Poke[] => [
        [e.at, 8, 0],
        [e.at + 8, 8, 1],
      ],
    ],
    [
      'compressed with a subcluster bitmap',
      'extl2.qcow2',
      (e): Poke[] => [
        [e.at, 8, (1n << 62n) | 0x50000n],
        [e.at + 8, 8, 1],
      ],
    ],
    ['a wrong place in the data file', 'data.qcow2', (e): Poke[] => [[e.at, 8, (1n << 63n) | 0x10000n]]],
    ['a compressed cluster with a data file', 'data.qcow2', (e): Poke[] => [[e.at, 8, (1n << 62n) | 0x10000n]]],
  ];
  it.each(damages)('%s is Corrupt', (_label, name, pokes) => {
    expect(reading(name, [])).not.toThrow();
    expect(reading(name, pokes(entryOf(name)))).toThrow(Corrupt);
  });

  it('tables that repeat one L2 table are checked in time', () => {
    // 64 TiB of disk: 131072 entries that all name the same table of 8192 entries.
    const bytes = Buffer.from(bytesOf('huge.qcow2'));
    const table = Number(bytes.readBigUInt64BE(l1));
    const first = bytes.readBigUInt64BE(table);
    const grown = Buffer.concat([bytes, Buffer.alloc(Math.max(0, table + 8 * 131072 - bytes.length))]);
    for (let i = 0; i < 131072; i++) grown.writeBigUInt64BE(first, table + 8 * i);
    const begin = Date.now();
    expect(runSync(checkQcow2(runSync(readMetadata(new MemorySource(grown))))).corruptions).toBeGreaterThan(0);
    expect(Date.now() - begin).toBeLessThan(10_000);
  });
});

describe('given random damage', () => {
  const names = [
    'v3.qcow2',
    'zlib-4k.qcow2',
    'zstd-64k.qcow2',
    'extl2-16k.qcow2',
    'snapshots.qcow2',
    'bitmaps.qcow2',
    'luks.qcow2',
    'growth.qcow2',
  ];

  it('only our errors come out', () => {
    const sources = names.map(bytesOf);
    const where = fc.oneof(fc.nat(120), fc.nat(600), fc.nat(0x60000), fc.nat(2 ** 22));
    const value = fc.oneof(fc.constantFrom(0, 1, 0x7f, 0x80, 0xff), fc.nat(255));
    fc.assert(
      fc.property(fc.nat(names.length - 1), fc.array(fc.tuple(where, value), { minLength: 1, maxLength: 8 }), (index, changes) => {
        const bytes = Buffer.from(sources[index] as Buffer);
        for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
        try {
          use(bytes);
        } catch (error) {
          if (!(error instanceof GuestlessError)) throw error;
        }
      }),
      { numRuns: 400 },
    );
  });
});

describe('given random work of qemu-io', () => {
  const unit = 512;
  const units = (2 << 20) / unit;
  const range = fc
    .tuple(fc.nat(units - 1), fc.nat(300))
    .map(([start, length]) => [start * unit, Math.min(length + 1, units - start) * unit] as const);
  const command = fc.oneof(
    { weight: 4, arbitrary: fc.tuple(range, fc.integer({ min: 1, max: 255 })).map(([[at, n], p]) => `write -P ${p} ${at} ${n}`) },
    range.map(([at, n]) => `write -z ${at} ${n}`),
    range.map(([at, n]) => `write -z -u ${at} ${n}`),
    range.map(([at, n]) => `discard ${at} ${n}`),
    fc.tuple(fc.nat(31), fc.nat(255)).map(([cluster, p]) => `write -c -P ${p} ${cluster * 65536} 65536`),
  );
  const layout = fc.constantFrom(
    [],
    ['-o', 'cluster_size=512'],
    ['-o', 'cluster_size=64k,extended_l2=on'],
    ['-o', 'compat=0.10,cluster_size=4k'],
    ['-o', 'compression_type=zstd'],
    ['-o', 'refcount_bits=2,cluster_size=1k'],
  );

  it('the disk reads as qemu-img converts it, maps as it maps it and checks as it checks it', () => {
    fc.assert(
      fc.property(layout, fc.boolean(), fc.array(command, { minLength: 1, maxLength: 14 }), (options, backed, commands) => {
        const image = privateCopy(path.join(folder, 'base.raw')).replace(/base\.raw$/, 'work.qcow2');
        const base = backed ? ['-b', path.join(folder, 'middle.qcow2'), '-F', 'qcow2'] : [];
        run('qemu-img', ['create', '-q', '-f', 'qcow2', ...options, ...base, image, '2M']);
        run('qemu-io', ['-f', 'qcow2', ...commands.flatMap((line) => ['-c', line]), image]);
        const expected = `${image}.raw`;
        expect(run('qemu-img', ['convert', '-O', 'raw', image, expected]).status).toBe(0);
        const opened = openWith(image);
        expect(Buffer.from(runSync(opened.read(0, opened.size))).equals(fs.readFileSync(expected))).toBe(true);
        const check = JSON.parse(run('qemu-img', ['check', '--output=json', image]).stdout.toString()) as Record<string, number>;
        const report = runSync(checkQcow2(opened.metadata as NonNullable<typeof opened.metadata>));
        expect([report.corruptions, report.leaks, report.allocatedClusters, report.fragmentedClusters, report.imageEndOffset]).toEqual([
          check['corruptions'] ?? 0,
          check['leaks'] ?? 0,
          check['allocated-clusters'] ?? 0,
          check['fragmented-clusters'] ?? 0,
          check['image-end-offset'],
        ]);
        opened.close();
        fs.rmSync(path.dirname(image), { recursive: true });
      }),
      { numRuns: 40 },
    );
  });
});
