/** Given disks that sgdisk, sfdisk and fdisk made, we see in them what partx, sfdisk and blkid see. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { describe, expect, test } from 'vitest';
import { Corrupt } from '../../src/errors.ts';
import { MemorySource, runSync, SourceDevice } from '../../src/io/index.ts';
import { type PartitionTable, readPartitionTable } from '../../src/partition/index.ts';
import { FileSource } from '../../src/platform/node/file.ts';
import { FIXTURES, fixture, untouched } from '../support/images.ts';

interface Golden {
  readonly sectorSize: number;
  readonly partx: readonly string[];
  readonly blkid: readonly string[];
  readonly sfdisk: { readonly label: string; readonly id: string; readonly partitions?: readonly { readonly name?: string }[] } | null;
}
const GOLDEN = JSON.parse(fs.readFileSync(path.join(FIXTURES, 'partition/golden.json'), 'utf8')) as Record<string, Golden>;

function read(name: string): PartitionTable | undefined {
  return runSync(readPartitionTable(new SourceDevice(FileSource.open(fixture(`partition/${name}.img`)))));
}

/** A line of `partx -P`, with the bytes that it escapes put back. */
function partxLine(line: string): Record<string, string> {
  const values: Record<string, string> = {};
  for (const [, key = '', value = ''] of line.matchAll(/(\w+)="([^"]*)"/g)) {
    const bytes = value.replaceAll(/\\x([0-9a-f]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
    values[key] = Buffer.from(bytes, 'latin1').toString('utf8');
  }
  return values;
}

/** Our table in the words of partx. */
function asPartx(table: PartitionTable): Record<string, string>[] {
  return table.partitions.map((partition) => ({
    NR: String(partition.number),
    START: String(partition.start / 512),
    SECTORS: String(partition.size / 512),
    TYPE: table.scheme === 'gpt' ? partition.type.toLowerCase() : `0x${Number.parseInt(partition.type, 16).toString(16)}`,
    UUID: partition.uuid ?? '',
    NAME: partition.name ?? '',
    SCHEME: table.scheme === 'gpt' ? 'gpt' : 'dos',
    FLAGS: table.scheme === 'gpt' ? `0x${partition.attributes?.toString(16)}` : partition.bootable ? '0x80' : '0x0',
  }));
}

/** Where we say more than partx, or are stricter; each has a test of its own below. */
const OUR_WAY = ['fake-mbr', 'gpt-both-bad', 'gpt-grown-bad-primary', 'gpt-truncated', 'mbr-beyond-end', 'mbr-truncated'];

describe('agrees with partx and blkid', () => {
  const names = Object.keys(GOLDEN).filter((name) => !OUR_WAY.includes(name));
  test.each(names)('%s', async (name) => {
    const golden = GOLDEN[name]!;
    await untouched([fixture(`partition/${name}.img`)], () => {
      const table = read(name);
      expect(table === undefined ? [] : asPartx(table)).toEqual(golden.partx.map(partxLine));
      const ptuuid = golden.blkid.find((line) => line.startsWith('PTUUID='));
      if (ptuuid !== undefined) expect(table?.id).toBe(ptuuid.slice(7));
      expect(table !== undefined).toBe(golden.blkid.some((line) => line.startsWith('PTTYPE=')));
    });
  });

  test('sector sizes are found by looking', () => {
    expect(read('gpt-4k')?.sectorSize).toBe(4096);
    expect(read('gpt-4k-bad-primary')?.sectorSize).toBe(4096);
    expect(read('gpt')?.sectorSize).toBe(512);
  });

  test('names of types and the bootable attribute', () => {
    const table = read('gpt')!;
    expect(table.partitions.map((partition) => [partition.number, partition.typeName, partition.bootable])).toEqual([
      [1, 'Linux filesystem', true],
      [2, undefined, false],
      [14, 'BIOS boot', false],
      [15, 'EFI System', false],
    ]);
    expect(table.partitions[3]?.name).toBe('EFI "sys", é 𝄞');
    expect(read('mbr')?.partitions.map((partition) => `${partition.number} ${partition.kind} ${partition.typeName}`)).toEqual([
      '1 primary W95 FAT32 (LBA)',
      '2 primary Linux',
      "4 extended W95 Ext'd (LBA)",
      '5 logical Linux',
      '6 logical Linux swap / Solaris',
      '7 logical Linux LVM',
    ]);
  });
});

describe('damage is said, and worked around where that is safe', () => {
  const warnings = (name: string): string =>
    read(name)!
      .warnings.map((warning) => warning.message)
      .join('\n');

  test('a sound disk has no warnings', () => {
    for (const name of ['gpt', 'gpt-hybrid', 'gpt-4k', 'gpt-200-entries', 'mbr', 'mbr-disordered', 'gpt-grown', 'gpt-entry-256']) {
      expect(`${name}: ${warnings(name)}`).toBe(`${name}: `);
    }
  });

  test.each([
    ['gpt-bad-primary-header', 'its checksum is wrong'],
    ['gpt-bad-primary-entries', 'the checksum of its entries is wrong'],
    ['gpt-zeroed-primary', 'it has no signature'],
    ['gpt-4k-bad-primary', 'its checksum is wrong'],
  ])('%s: the backup is used', (name, reason) => {
    expect(warnings(name)).toBe(`the primary GPT header is damaged (${reason}); the backup is used`);
  });

  test('the backup of a disk that has grown is found where the primary says it is', () => {
    const table = read('gpt-grown-bad-primary')!;
    expect(asPartx(table)).toEqual(GOLDEN['gpt']!.partx.map(partxLine));
    expect(table.warnings).toHaveLength(1);
  });

  test('no usable copy is Corrupt', () => {
    expect(() => read('gpt-both-bad')).toThrow(Corrupt);
    expect(() => read('gpt-both-bad')).toThrow(/its checksum is wrong.*no backup/);
  });

  test('a truncated GPT disk shows what is left of it', () => {
    const table = read('gpt-truncated')!;
    expect(table.partitions.map(({ number, start, size }) => [number, start / 512, size / 512])).toEqual([
      [1, 6144, 4096],
      [14, 2048, 2048],
      [15, 4096, 2048],
    ]);
    expect(table.warnings.map((warning) => warning.message).join('\n')).toMatch(
      /image may be truncated[\s\S]*partition 1 ends[\s\S]*partition 2 begins beyond the end/,
    );
  });

  test('partitions beyond the end of an MBR disk are cut or left out', () => {
    expect(read('mbr-beyond-end')?.partitions.map(({ number, start, size }) => [number, start / 512, size / 512])).toEqual([
      [1, 15000, 1384],
      [4, 6144, 10240],
      [5, 8192, 1024],
      [6, 11264, 1024],
      [7, 14336, 1024],
    ]);
    expect(read('mbr-truncated')?.partitions.map(({ number, size }) => [number, size / 512])).toEqual([
      [1, 2048],
      [2, 2048],
      [4, 6256],
      [5, 1024],
      [6, 1024],
    ]);
  });

  test('a circle of extended boot records is cut', () => {
    expect(warnings('mbr-loop')).toBe('the chain of extended boot records goes in a circle; it is cut there');
  });

  test('overlapping partitions are named', () => {
    expect(warnings('gpt-overlap')).toBe('partitions 15 and 1 overlap');
  });

  test('a BSD label inside of a partition is not passed over in silence', () => {
    const disk = new Uint8Array(fs.readFileSync(fixture('partition/mbr.img')));
    disk[446 + 16 + 4] = 0xa5;
    new DataView(disk.buffer).setUint32(4096 * 512 + 512, 0x82564557, true);
    const table = runSync(readPartitionTable(new SourceDevice(new MemorySource(disk))))!;
    expect(table.partitions).toHaveLength(6);
    expect(table.warnings.map((warning) => warning.message)).toEqual([
      'partition 2 is divided by a BSD disk label; the partitions inside are not listed',
    ]);
  });

  test('mkfs.fat --mbr: the one partition is the disk', () => {
    const table = read('fake-mbr')!;
    expect(table.scheme).toBe('mbr');
    expect(table.partitions.map(({ number, start, size }) => [number, start, size])).toEqual([[1, 0, 16 << 20]]);
  });
});

test('the tables of other systems are refused by name', () => {
  const sun = new Uint8Array(4096);
  sun.set([0xda, 0xbe], 508);
  expect(() => runSync(readPartitionTable(new SourceDevice(new MemorySource(sun))))).toThrow(
    /^partition: sun partition tables are not supported/,
  );
});

test('a usual GPT disk takes one request', () => {
  const device = new SourceDevice(FileSource.open(fixture('partition/gpt.img')));
  let requests = 0;
  const counting = new Proxy(device, {
    get(target, key) {
      if (key === 'read' || key === 'readInto') requests++;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  expect(runSync(readPartitionTable(counting))?.partitions).toHaveLength(4);
  expect(requests).toBe(1);
});
