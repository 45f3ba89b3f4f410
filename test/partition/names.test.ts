import fc from 'fast-check';
import { expect, test } from 'vitest';
import { diskName, parseDeviceName, partitionName } from '../../src/partition/index.ts';

test('Linux names of disks and partitions', () => {
  expect([0, 25, 26, 27, 701, 702].map((index) => diskName(index))).toEqual([
    '/dev/sda',
    '/dev/sdz',
    '/dev/sdaa',
    '/dev/sdab',
    '/dev/sdzz',
    '/dev/sdaaa',
  ]);
  expect(partitionName('/dev/sda', 1)).toBe('/dev/sda1');
  expect(partitionName('/dev/nvme0n1', 2)).toBe('/dev/nvme0n1p2');
  expect(parseDeviceName('/dev/nvme1n1p2')).toEqual({ disk: '/dev/nvme1n1', index: 1, number: 2 });
  expect(parseDeviceName('/dev/mmcblk0')).toEqual({ disk: '/dev/mmcblk0', index: 0 });
  expect(parseDeviceName('/dev/vdb15')).toEqual({ disk: '/dev/vdb', index: 1, number: 15 });
  for (const no of ['sda1', '/dev/sda0', '/dev/sd', '/dev/sda1x', '/dev/mapper/x', '/dev/sda01', ''])
    expect(parseDeviceName(no)).toBeUndefined();
});

test('a name made is a name understood', () => {
  fc.assert(
    fc.property(fc.nat(100_000), fc.integer({ min: 1, max: 255 }), (index, number) => {
      expect(parseDeviceName(partitionName(diskName(index), number))).toEqual({ disk: diskName(index), index, number });
    }),
  );
});
