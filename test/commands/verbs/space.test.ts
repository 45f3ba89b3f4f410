/** Free space and sizes: what was deleted is gone from the image, and file systems grow into their devices. */
import * as fs from 'node:fs';
import { describe, expect, test } from 'vitest';
import { runSync } from '../../../src/io/drivers.ts';
import { e2fsckComplaints, fsckVfatComplaints, must } from '../../support/oracle.ts';
import { Guest, newFile } from './guest.ts';

const MIB = 1 << 20;
const SECRET = 'the secret of the deleted file ';

function newImage(size: number, ...words: readonly string[]): string {
  const image = newFile('disk.img');
  fs.writeFileSync(image, '');
  fs.truncateSync(image, size);
  must(words[0] as string, ...words.slice(1), image);
  return image;
}

const KINDS: readonly (readonly [name: string, size: number, words: readonly string[], complaints: (image: string) => string])[] = [
  ['FAT12', 4 * MIB, ['mkfs.vfat', '-F', '12'], fsckVfatComplaints],
  ['FAT16', 40 * MIB, ['mkfs.vfat', '-F', '16'], fsckVfatComplaints],
  ['FAT32', 70 * MIB, ['mkfs.vfat', '-F', '32'], fsckVfatComplaints],
  ['ext4', 16 * MIB, ['mke2fs', '-q', '-F', '-t', 'ext4'], e2fsckComplaints],
];

describe('free space', () => {
  for (const [name, size, words, complaints] of KINDS) {
    test(`of ${name} is zeros after zero_free_space, and files stay`, () => {
      const guest = new Guest(newImage(size, ...words));
      guest.call('mount', { mountable: '/dev/sda', mountpoint: '/' });
      guest.write('/kept', 'kept '.repeat(40_000));
      guest.write('/deleted', SECRET.repeat(20_000));
      guest.write('/last', 'last');
      guest.call('rm', { path: '/deleted' });
      runSync(guest.handle.save());
      expect(fs.readFileSync(guest.image).includes(SECRET)).toBe(true);
      guest.call('zero_free_space', { directory: '/' });
      runSync(guest.handle.save());
      expect(fs.readFileSync(guest.image).includes(SECRET)).toBe(false);
      expect(complaints(guest.image)).toBe('');
      expect(Buffer.from(guest.call('read_file', { path: '/kept' })).toString()).toBe('kept '.repeat(40_000));
      // And it goes on.
      guest.write('/more', 'm'.repeat(MIB));
      runSync(guest.handle.save());
      guest.handle.close();
      expect(complaints(guest.image)).toBe('');
    });

    test(`of ${name} is given back by fstrim`, () => {
      const guest = new Guest(newImage(size, ...words));
      guest.call('mount', { mountable: '/dev/sda', mountpoint: '/' });
      guest.write('/deleted', SECRET.repeat(20_000));
      guest.write('/kept', 'kept');
      guest.call('rm', { path: '/deleted' });
      guest.call('fstrim', { mountpoint: '/' });
      const { overlay } = guest.handle.drives[0]!;
      expect(Buffer.from(runSync(overlay.read(0, overlay.size))).includes(SECRET)).toBe(false);
      runSync(guest.handle.save());
      guest.handle.close();
      expect(complaints(guest.image)).toBe('');
    });
  }
});

describe('resize2fs', () => {
  test('fills the device, and files stay', () => {
    const image = newImage(64 * MIB, 'mke2fs', '-q', '-F', '-t', 'ext4', '-b', '4096');
    fs.truncateSync(image, 200 * MIB);
    const guest = new Guest(image);
    guest.call('mount', { mountable: '/dev/sda', mountpoint: '/' });
    guest.write('/kept', 'kept');
    expect(guest.errno('resize2fs', { device: '/dev/sda' })).toBe('EBUSY');
    guest.call('umount', { pathordevice: '/dev/sda' });
    guest.call('resize2fs_size', { device: '/dev/sda', size: 100 * MIB });
    guest.call('mount', { mountable: '/dev/sda', mountpoint: '/' });
    expect(guest.call('statvfs', { path: '/' }).blocks).toBeGreaterThan(20_000);
    guest.call('umount', { pathordevice: '/dev/sda' });
    guest.call('resize2fs', { device: '/dev/sda' });
    guest.call('mount', { mountable: '/dev/sda', mountpoint: '/' });
    expect(Buffer.from(guest.call('read_file', { path: '/kept' })).toString()).toBe('kept');
    guest.write('/large', 'x'.repeat(120 * MIB));
    guest.finish();
    expect(must('dumpe2fs', '-h', image)).toMatch(/Block count: +51200\n/);
  });

  test('does not make anything smaller', () => {
    const guest = Guest.empty();
    guest.call('umount', { pathordevice: '/dev/sda' });
    expect(() => guest.call('resize2fs_size', { device: '/dev/sda', size: 8 * MIB })).toThrow(/only grow/);
    expect(() => guest.call('resize2fs_M', { device: '/dev/sda' })).toThrow(/smaller is not supported/);
    guest.finish();
  });
});
