import * as fs from 'node:fs';
import * as path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { decodeName } from '../../src/bytes/index.ts';
import { Corrupt, GuestlessError, Unsupported } from '../../src/errors.ts';
import { type Disk, GuestTree, openDisk, usageRow } from '../../src/guest/index.ts';
import { MemorySource, runAsync, runSync, SourceDevice } from '../../src/io/index.ts';
import { FileSource } from '../../src/platform/node/index.ts';
import { scratchFolder, untouched } from '../support/images.ts';
import { must, run } from '../support/oracle.ts';

const scratch = scratchFolder();
const MIB = 1 << 20;

function open(...files: string[]): Disk {
  return runSync(openDisk(files.map((file) => new SourceDevice(FileSource.open(file)))));
}

describe('a GPT disk with a FAT, an ext4, a swap, an XFS, a damaged ext4 and an empty partition', () => {
  const image = path.join(scratch, 'gpt.raw');
  let disk: Disk;

  beforeAll(() => {
    fs.writeFileSync(image, '');
    fs.truncateSync(image, 420 * MIB);
    const sizes = [40, 20, 10, 310, 10, 4];
    const table = ['label: gpt', ...sizes.map((size, i) => `size=${size}MiB, type=${i === 0 ? 'U' : 'L'}, name="part ${i + 1}"`)].join(
      '\n',
    );
    expect(run('sfdisk', ['-q', image], Buffer.from(table)).stderr).toBe('');
    const starts = sizes.map((_, i) => MIB * (1 + sizes.slice(0, i).reduce((sum, size) => sum + size, 0)));
    const part = (i: number, command: string, ...parameters: string[]): void => {
      const file = path.join(scratch, `part${i}`);
      if (!fs.existsSync(file)) fs.writeFileSync(file, '');
      fs.truncateSync(file, (sizes[i] as number) * MIB);
      must(command, ...parameters, file);
      must('dd', `if=${file}`, `of=${image}`, 'bs=1M', `seek=${(starts[i] as number) / MIB}`, 'conv=notrunc,sparse', 'status=none');
    };
    part(0, 'mkfs.vfat', '-n', 'ESP', '-i', 'ABCD1234');
    part(1, 'mke2fs', '-q', '-t', 'ext4', '-L', 'root', '-U', '11111111-2222-3333-4444-555555555555');
    part(2, 'mkswap', '-q', '-L', 'swap');
    part(3, 'mkfs.xfs', '-q', '-L', 'data');
    part(4, 'mke2fs', '-q', '-t', 'ext4', '-L', 'bad');
    // A root directory that is a file.
    part(4, 'debugfs', '-w', '-R', 'set_inode_field <2> mode 0100644');
    disk = open(image);
  });

  test('the devices are those that sfdisk lists', async () => {
    await untouched([image], () => {
      const listed = JSON.parse(must('sfdisk', '-J', image)) as {
        partitiontable: { partitions: { start: number; size: number; uuid: string }[] };
      };
      const ours = disk.sync.devices();
      expect(ours.map((device) => device.name)).toEqual(['/dev/sda', ...[1, 2, 3, 4, 5, 6].map((n) => `/dev/sda${n}`)]);
      expect(
        ours.slice(1).map(({ start, size, partition }) => ({ start: start / 512, size: size / 512, uuid: partition?.uuid?.toUpperCase() })),
      ).toEqual(listed.partitiontable.partitions.map(({ start, size, uuid }) => ({ start, size, uuid })));
      expect(ours[0]).toMatchObject({ kind: 'drive', size: 420 * MIB, table: { scheme: 'gpt' } });
    });
  });

  test('each file system is told with its facts; what cannot be opened is told with the reason, and stops nothing', () => {
    const rows = disk.sync.filesystems().map(({ device, type, label, uuid, usage, error }) => ({
      device,
      type,
      label: decodeName(label),
      uuid: type === 'vfat' || decodeName(label) === 'root' ? uuid : undefined,
      opened: usage !== undefined,
      error: error?.family,
    }));
    expect(rows).toEqual([
      { device: '/dev/sda1', type: 'vfat', label: 'ESP', uuid: 'ABCD-1234', opened: true, error: undefined },
      { device: '/dev/sda2', type: 'ext4', label: 'root', uuid: '11111111-2222-3333-4444-555555555555', opened: true, error: undefined },
      { device: '/dev/sda3', type: 'swap', label: 'swap', uuid: undefined, opened: false, error: undefined },
      { device: '/dev/sda4', type: 'xfs', label: 'data', uuid: undefined, opened: false, error: 'unsupported' },
      {
        device: '/dev/sda5',
        type: expect.stringMatching(/^ext/),
        label: 'bad',
        uuid: undefined,
        opened: false,
        error: expect.stringMatching(/corrupt|unsupported/),
      },
      { device: '/dev/sda6', type: 'unknown', label: '', uuid: undefined, opened: false, error: undefined },
    ]);
  });

  test('mounting names what it cannot do', () => {
    const failure = (name: string): unknown => {
      try {
        return disk.sync.mount(name);
      } catch (error) {
        return error;
      }
    };
    expect(failure('/dev/sda4')).toMatchObject({ family: 'unsupported', feature: 'xfs' });
    expect(failure('/dev/sda6')).toMatchObject({ family: 'unsupported', feature: 'unknown' });
    expect(failure('/dev/sda3')).toMatchObject({ code: 'EINVAL' });
    expect(failure('/dev/sda7')).toMatchObject({ code: 'ENOENT', message: expect.stringContaining('there are 1, 2, 3, 4, 5, 6') });
    expect(failure('/dev/sdb')).toMatchObject({ code: 'ENOENT', message: expect.stringContaining('the only drive is /dev/sda') });
    expect(failure('sda1')).toMatchObject({ code: 'ENODEV' });
    expect(failure('/dev/sda2')).toBe(failure('/dev/vda2'));
  });

  test('the figures of df are those of dumpe2fs', () => {
    const usage = disk.sync.filesystems()[1]?.usage;
    expect(usage).toBeDefined();
    const stats = must('dumpe2fs', '-h', path.join(scratch, 'part1'));
    const figure = (name: string): number => Number(new RegExp(`^${name}: +(\\d+)`, 'm').exec(stats)?.[1]);
    expect(usage?.inodes).toBe(figure('Inode count'));
    expect(usage?.freeInodes).toBe(figure('Free inodes'));
    expect(usage?.freeBlocks).toBe(figure('Free blocks'));
    const row = usageRow(usage as NonNullable<typeof usage>);
    expect(row.used).toBe(row.size - figure('Free blocks') * figure('Block size'));
    expect(row.available).toBeLessThanOrEqual((figure('Free blocks') - figure('Reserved block count')) * figure('Block size'));
    expect(row.percent).toBe(Math.ceil((100 * row.used) / (row.used + row.available)));
  });

  test('the tree of two of them, asynchronously', async () => {
    const tree = GuestTree.of(await disk.async.mount('/dev/sda2'), { device: '/dev/sda2' });
    await runAsync(tree.mount(await disk.async.mount('/dev/sda1'), '/lost+found', { device: '/dev/sda1' }));
    expect(await tree.async.names('/')).toEqual(['lost+found']);
    expect((await tree.async.statfs('/lost+found')).type).toBe('vfat');
  });

  test('several drives', () => {
    const two = open(path.join(scratch, 'part1'), image);
    const names = two.sync.filesystems().map((system) => `${system.device} ${system.type}`);
    expect(names[0]).toBe('/dev/sda ext4');
    expect(names[1]).toBe('/dev/sdb1 vfat');
    expect(() => two.sync.device('/dev/sdc')).toThrow('the drives end at /dev/sdb');
  });
});

test('a FAT file system without a partition table is the drive, and partition 1 of it', () => {
  const image = path.join(scratch, 'superfloppy');
  fs.writeFileSync(image, '');
  fs.truncateSync(image, 2 * MIB);
  must('mkfs.vfat', image);
  const disk = open(image);
  expect(disk.sync.filesystems().map((system) => system.device)).toEqual(['/dev/sda']);
  expect(disk.sync.device('/dev/sda1').size).toBe(2 * MIB);
  expect(() => disk.sync.device('/dev/sda2')).toThrow(GuestlessError);
});

test('an ext4 file system without a table has no partition 1', () => {
  const disk = open(path.join(scratch, 'part1'));
  expect(() => disk.sync.device('/dev/sda1')).toThrow('/dev/sda has no partition table');
});

test('random bytes, an empty disk and a disk of a few bytes are only unknown', () => {
  for (const bytes of [
    new Uint8Array(0),
    new Uint8Array(511).fill(7),
    new Uint8Array(MIB),
    crypto.getRandomValues(new Uint8Array(65536)),
  ]) {
    const disk = runSync(openDisk(new SourceDevice(new MemorySource(bytes))));
    for (const system of disk.sync.filesystems()) {
      expect(system.type).toBe('unknown');
      if (system.error !== undefined) expect(system.error).toBeInstanceOf(Corrupt);
    }
    expect(() => disk.sync.mount('/dev/sda')).toThrow(Unsupported);
  }
});
