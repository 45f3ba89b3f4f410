/** Given drives, what verbs write to them is what sfdisk, sgdisk, blkid, wipefs and swaplabel find there, and what libguestfs's appliance answered. */
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { expect, test } from 'vitest';
import { isZero } from '../../../src/bytes/text.ts';
import { runSync } from '../../../src/io/drivers.ts';
import { untouched, writeSparse } from '../../support/images.ts';
import { must, run } from '../../support/oracle.ts';
import { Guest, newFile } from './guest.ts';

const MIB = 1 << 20;
const DEVICE = '/dev/sda';

function blank(size: number): Guest {
  const image = newFile('blank.img');
  fs.writeFileSync(image, '');
  fs.truncateSync(image, size);
  return new Guest(image);
}

/** The drive as a file for real tools. */
function asFile(guest: Guest): string {
  const file = newFile('written.img');
  const { overlay } = guest.handle.drives[0]!;
  writeSparse(file, runSync(overlay.read(0, overlay.size)));
  return file;
}

interface Row {
  readonly start: number;
  readonly size: number;
  readonly type: string;
  readonly name?: string;
  readonly uuid?: string;
  readonly attrs?: string;
  readonly bootable?: boolean;
}

function sfdisk(guest: Guest): { label: string; id: string; partitions: Row[] } {
  const json = JSON.parse(must('sfdisk', '--json', asFile(guest))) as { partitiontable: { label: string; id: string; partitions?: Row[] } };
  return { ...json.partitiontable, partitions: json.partitiontable.partitions ?? [] };
}

test('a whole disk as one partition, where parted puts it for libguestfs', () => {
  for (const [parttype, label] of [
    ['mbr', 'dos'],
    ['gpt', 'gpt'],
  ] as const) {
    const guest = blank(10 * MIB);
    guest.call('part_disk', { device: DEVICE, parttype });
    expect(sfdisk(guest)).toMatchObject({ label, partitions: [{ start: 128, size: 20_225 }] });
    expect(guest.call('part_list', { device: DEVICE })).toEqual([
      { part_num: 1, part_start: 65_536, part_end: 10_420_735, part_size: 10_355_200 },
    ]);
    expect(guest.call('part_get_parttype', { device: DEVICE })).toBe(parttype === 'mbr' ? 'msdos' : 'gpt');
    expect(guest.call('list_partitions', {})).toEqual(['/dev/sda1']);
  }
});

test('an MBR: kinds, types, numbers, the boot flag', async () => {
  const guest = blank(128 * MIB);
  await untouched([guest.image], () => {
    guest.call('part_init', { device: DEVICE, parttype: 'msdos' });
    expect(guest.call('part_list', { device: DEVICE })).toEqual([]);
    const add = (prlogex: string, startsect: number, endsect: number): void =>
      guest.call('part_add', { device: DEVICE, prlogex, startsect, endsect });
    add('p', 64, 2047);
    add('extended', 2048, 200_000);
    add('l', 2049, 3000);
    add('logical', 100_000, 110_000);
    add('l', 50_000, 60_000);
    add('primary', 210_000, -1);
    guest.call('part_set_mbr_id', { device: DEVICE, partnum: 6, idbyte: 0x82 });
    guest.call('part_set_bootable', { device: DEVICE, partnum: 1, bootable: true });
    guest.call('part_set_bootable', { device: DEVICE, partnum: 3, bootable: true });
    // In the order of the disk, as parted lists them.
    expect(guest.call('part_list', { device: DEVICE }).map(({ part_num }) => part_num)).toEqual([1, 2, 5, 7, 6, 3]);
    const kind = (partnum: number): string => guest.call('part_get_mbr_part_type', { device: DEVICE, partnum });
    expect([kind(1), kind(2), kind(6)]).toEqual(['primary', 'extended', 'logical']);
    expect(guest.call('part_get_mbr_id', { device: DEVICE, partnum: 2 })).toBe(0x0f);
    const bootable = (partnum: number): boolean => guest.call('part_get_bootable', { device: DEVICE, partnum });
    expect([bootable(1), bootable(3)]).toEqual([false, true]);
    expect(guest.call('part_get_gpt_type', { device: DEVICE, partnum: 6 })).toBe('0657FD6D-A4AB-43C4-84E5-0933C84B4F4F');
    expect(sfdisk(guest).partitions).toMatchObject([
      { start: 64, size: 1984, type: '83' },
      { start: 2048, size: 197_953, type: 'f' },
      { start: 210_000, size: 52_144, type: '83', bootable: true },
      { start: 2049, size: 952, type: '83' },
      { start: 100_000, size: 10_001, type: '82' },
      { start: 50_000, size: 10_001, type: '83' },
    ]);
    guest.call('part_resize', { device: DEVICE, partnum: 5, endsect: 40_000 });
    guest.call('part_del', { device: DEVICE, partnum: 6 });
    expect(sfdisk(guest).partitions.map(({ start, size }) => [start, size])).toEqual([
      [64, 1984],
      [2048, 197_953],
      [210_000, 52_144],
      [2049, 37_952],
      [50_000, 10_001],
    ]);
    guest.call('part_del', { device: DEVICE, partnum: 2 });
    expect(guest.call('list_partitions', {})).toEqual(['/dev/sda1', '/dev/sda3']);
  });
});

test('a GPT: names, types, identifiers, attributes', () => {
  const guest = blank(16 * MIB);
  const uuid = '01234567-89AB-CDEF-0123-456789ABCDEF';
  guest.call('part_init', { device: DEVICE, parttype: 'gpt' });
  guest.call('part_add', { device: DEVICE, prlogex: 'primary', startsect: 34, endsect: 127 });
  guest.call('part_add', { device: DEVICE, prlogex: 'l', startsect: 128, endsect: -34 });
  const partnum = 2;
  expect(guest.call('part_get_name', { device: DEVICE, partnum })).toBe('logical');
  guest.call('part_set_name', { device: DEVICE, partnum, name: `it's "ä" ${'x'.repeat(40)}` });
  guest.call('part_set_gpt_type', { device: DEVICE, partnum, guid: '0657fd6d-a4ab-43c4-84e5-0933c84b4f4f' });
  guest.call('part_set_gpt_guid', { device: DEVICE, partnum, guid: `{${uuid}}` });
  guest.call('part_set_gpt_attributes', { device: DEVICE, partnum, attributes: -(1n << 63n) + 4n });
  guest.call('part_set_disk_guid', { device: DEVICE, guid: uuid });
  expect(guest.call('part_get_gpt_guid', { device: DEVICE, partnum })).toBe(uuid);
  expect(guest.call('part_get_gpt_type', { device: DEVICE, partnum })).toBe('0657FD6D-A4AB-43C4-84E5-0933C84B4F4F');
  expect(guest.call('part_get_gpt_attributes', { device: DEVICE, partnum })).toBe(-(1n << 63n) + 4n);
  expect(guest.call('part_get_disk_guid', { device: DEVICE })).toBe(uuid);
  expect(sfdisk(guest)).toMatchObject({
    id: uuid,
    partitions: [{}, { uuid, name: `it's "ä" ${'x'.repeat(27)}`, attrs: 'LegacyBIOSBootable GUID:63', start: 128, size: 32_607 }],
  });
  guest.call('part_set_disk_guid_random', { device: DEVICE });
  expect(guest.call('part_get_disk_guid', { device: DEVICE })).not.toBe(uuid);
  // To parted the boot flag of a GPT is the type of the EFI system partition.
  guest.call('part_set_bootable', { device: DEVICE, partnum: 1, bootable: true });
  expect(sfdisk(guest).partitions[0]?.type).toBe('C12A7328-F81F-11D2-BA4B-00A0C93EC93B');
  expect(guest.call('part_get_bootable', { device: DEVICE, partnum: 1 })).toBe(true);
  guest.call('part_set_bootable', { device: DEVICE, partnum: 1, bootable: false });
  expect(guest.call('part_get_bootable', { device: DEVICE, partnum: 1 })).toBe(false);
  const verified = run('sgdisk', ['-v', asFile(guest)]);
  expect(verified.stdout.toString()).toContain('No problems found.');
});

test('a GPT that was copied to a larger disk is expanded', () => {
  const small = blank(8 * MIB);
  small.call('part_disk', { device: DEVICE, parttype: 'gpt' });
  const guest = blank(16 * MIB);
  const bytes = fs.readFileSync(asFile(small));
  guest.call('pwrite_device', { device: DEVICE, content: new Uint8Array(bytes.subarray(0, MIB)), offset: 0 });
  expect(guest.call('list_partitions', {})).toEqual(['/dev/sda1']);
  expect(guest.errno('part_add', { device: DEVICE, prlogex: 'p', startsect: 20_000, endsect: 30_000 })).toBe('EINVAL');
  guest.call('part_expand_gpt', { device: DEVICE });
  guest.call('part_add', { device: DEVICE, prlogex: 'p', startsect: 20_000, endsect: -34 });
  expect(run('sgdisk', ['-v', asFile(guest)]).stdout.toString()).toContain('No problems found.');
});

test('tables that are not there, or not as asked, are refused and nothing changes', async () => {
  const guest = blank(16 * MIB);
  await untouched([guest.image], () => {
    const device = DEVICE;
    for (const name of ['part_list', 'part_get_parttype', 'part_get_disk_guid'] as const)
      expect(guest.errno(name, { device })).toBe('EINVAL');
    expect(guest.errno('part_add', { device, prlogex: 'p', startsect: 64, endsect: 127 })).toBe('EINVAL');
    expect(guest.errno('part_init', { device, parttype: 'nonsense' })).toBe('EINVAL');
    expect(guest.errno('part_init', { device, parttype: 'mac' })).toBe('UNSUPPORTED');
    guest.call('part_disk', { device, parttype: 'mbr' });
    const before = sfdisk(guest);
    expect(guest.errno('part_add', { device, prlogex: 'x', startsect: 1, endsect: 10 })).toBe('EINVAL');
    expect(guest.errno('part_add', { device, prlogex: 'p', startsect: -1, endsect: 10 })).toBe('EINVAL');
    expect(guest.errno('part_add', { device, prlogex: 'p', startsect: 1, endsect: 500 })).toBe('EINVAL');
    expect(guest.errno('part_resize', { device, partnum: 1, endsect: 32_768 })).toBe('EINVAL');
    expect(guest.errno('part_del', { device, partnum: 2 })).toBe('ENOENT');
    expect(guest.errno('part_del', { device, partnum: 0 })).toBe('EINVAL');
    expect(guest.errno('part_set_name', { device, partnum: 1, name: 'x' })).toBe('EINVAL');
    expect(guest.errno('part_set_gpt_guid', { device, partnum: 1, guid: 'f' })).toBe('EINVAL');
    expect(guest.errno('part_get_gpt_attributes', { device, partnum: 1 })).toBe('EINVAL');
    expect(guest.errno('part_set_mbr_id', { device, partnum: 1, idbyte: 256 })).toBe('EINVAL');
    expect(guest.errno('part_to_dev', { partition: DEVICE })).toBe('EINVAL');
    expect(sfdisk(guest)).toMatchObject({ id: before.id, partitions: [{ start: 128, size: 32_513, type: '83' }] });
  });
});

test('what is mounted or read-only is not written over', () => {
  const guest = Guest.empty();
  for (const name of ['zero', 'zero_device', 'wipefs', 'blkdiscard', 'scrub_device', 'mkswap'] as const)
    expect(guest.errno(name, { device: DEVICE })).toBe('EBUSY');
  expect(guest.errno('part_disk', { device: DEVICE, parttype: 'mbr' })).toBe('EBUSY');
  guest.finish();

  const other = blank(16 * MIB);
  other.call('blockdev_setro', { device: DEVICE });
  expect(other.call('blockdev_getro', { device: DEVICE })).toBe(true);
  expect(other.errno('pwrite_device', { device: DEVICE, content: new Uint8Array(1), offset: 0 })).toBe('EPERM');
  expect(other.errno('part_disk', { device: DEVICE, parttype: 'mbr' })).toBe('EPERM');
  other.call('blockdev_setrw', { device: DEVICE });
  other.call('part_disk', { device: DEVICE, parttype: 'mbr' });
  other.call('blockdev_setro', { device: DEVICE });
  expect(other.call('blockdev_getro', { device: '/dev/sda1' })).toBe(true);
});

test('bytes of a device', () => {
  const size = 10 * MIB;
  const guest = blank(size);
  const device = DEVICE;
  expect(guest.call('blockdev_getsize64', { device })).toBe(size);
  expect(guest.call('blockdev_getsz', { device })).toBe(size / 512);
  expect(guest.call('blockdev_getss', { device })).toBe(512);
  expect(guest.call('blockdev_getbsz', { device })).toBe(4096);
  const xs = new Uint8Array(100).fill(0x78);
  expect(guest.call('pwrite_device', { device, content: xs, offset: size - 50 })).toBe(50);
  expect(guest.errno('pwrite_device', { device, content: xs, offset: size })).toBe('ENOSPC');
  expect(guest.errno('pwrite_device', { device, content: xs, offset: -1 })).toBe('EINVAL');
  expect(guest.call('pread_device', { device, count: 100, offset: size - 50 })).toEqual(xs.subarray(0, 50));
  expect(guest.call('pread_device', { device, count: 100, offset: size + 4096 }).length).toBe(0);
  expect(guest.errno('pread_device', { device, count: -1, offset: 0 })).toBe('EINVAL');
  expect(guest.errno('pread_device', { device, count: 5_000_000, offset: 0 })).toBe('EINVAL');
  expect(guest.call('is_zero_device', { device })).toBe(false);
  const md5 = (bytes: Uint8Array): string => createHash('md5').update(bytes).digest('hex');
  expect(guest.call('checksum_device', { csumtype: 'md5', device })).toBe(md5(fs.readFileSync(asFile(guest))));
  guest.call('zero_device', { device });
  expect(guest.call('is_zero_device', { device })).toBe(true);
  expect(guest.call('checksum_device', { csumtype: 'crc', device })).toBe('248556017');

  guest.call('pwrite_device', { device, content: new Uint8Array(2_000_000).fill(0xff), offset: 0 });
  guest.call('zero', { device });
  const bytes = fs.readFileSync(asFile(guest));
  expect(bytes.findIndex((byte) => byte !== 0)).toBe(131_072);
  guest.call('copy_device_to_device', { src: device, dest: device, srcoffset: 131_072, size: 1000, destoffset: 10 });
  expect(fs.readFileSync(asFile(guest)).subarray(0, 1020).indexOf(0xff)).toBe(10);
  expect(guest.errno('copy_device_to_device', { src: device, dest: device, append: true })).toBe('EINVAL');
  expect(guest.errno('copy_device_to_device', { src: device, dest: device, srcoffset: 1, size })).toBe('EINVAL');
  guest.call('scrub_device', { device });
  const scrubbed = fs.readFileSync(asFile(guest));
  expect(scrubbed.subarray(131_072, 2_000_000).every((byte) => byte === 0xff)).toBe(false);
  guest.call('blkdiscard', { device });
  expect(isZero(new Uint8Array(fs.readFileSync(asFile(guest))))).toBe(true);
});

test('between files and devices', () => {
  const guest = Guest.empty({ size: '32M' });
  guest.write('/f', '0123456789'.repeat(10));
  const device = DEVICE;
  guest.call('copy_device_to_file', { src: device, dest: '/g', srcoffset: 1080, size: 2 });
  expect(guest.call('read_file', { path: '/g' })).toEqual(Uint8Array.of(0x53, 0xef));
  guest.call('copy_device_to_file', { src: device, dest: '/g', srcoffset: 1080, size: 2, append: true });
  guest.call('copy_device_to_file', { src: device, dest: '/h', srcoffset: 1080, size: 1, destoffset: 5 });
  expect(guest.call('read_file', { path: '/g' }).length).toBe(4);
  expect([...guest.call('read_file', { path: '/h' })]).toEqual([0, 0, 0, 0, 0, 0x53]);
  expect(guest.errno('copy_file_to_device', { src: '/f', dest: device })).toBe('EBUSY');
  guest.call('ln_s', { target: '/f', linkname: '/link' });
  guest.call('scrub_file', { file: '/link' });
  expect(guest.call('exists', { path: '/f' })).toBe(false);
  expect(guest.errno('scrub_file', { file: '/link' })).toBe('ENOENT');
  guest.call('scrub_freespace', { dir: '/scrubbed' });
  expect(guest.call('exists', { path: '/scrubbed' })).toBe(false);
  expect(guest.errno('scrub_freespace', { dir: '/lost+found' })).toBe('EEXIST');
  guest.finish();
});

test.each([
  ['ext4', 8, ['mke2fs', '-qF', '-t', 'ext4']],
  ['btrfs', 128, ['mkfs.btrfs', '-qf']],
  ['FAT16', 16, ['mkfs.vfat']],
  ['FAT32', 40, ['mkfs.vfat', '-F', '32']],
  ['swap', 8, ['mkswap', '-q']],
  ['MBR', 8, ['parted', '-s']],
  ['GPT', 8, ['sgdisk', '-n', '1:2048:4095']],
] as const)('wipefs leaves nothing of %s', (what, mebibytes, [command, ...options]) => {
  const image = newFile('wipe.img');
  fs.writeFileSync(image, '');
  fs.truncateSync(image, mebibytes * MIB);
  must(command, ...options, image, ...(what === 'MBR' ? ['mklabel', 'msdos'] : []));
  expect(must('wipefs', '--noheadings', image)).not.toBe('');
  const guest = new Guest(image);
  guest.call('wipefs', { device: DEVICE });
  expect(must('wipefs', '--noheadings', asFile(guest))).toBe('');
  expect(runSync(guest.handle.disk.identify(DEVICE))).toBeUndefined();
  expect(guest.call('list_partitions', {})).toEqual([]);
});

test('swap areas', () => {
  const guest = blank(10 * MIB);
  const device = DEVICE;
  const uuid = 'a3a61220-882b-4f61-89f4-cf24dcc7297d';
  guest.call('mkswap', { device, label: 'thelabel', uuid });
  const seen = must('swaplabel', asFile(guest));
  expect(seen).toContain('LABEL: thelabel');
  expect(seen).toContain(`UUID:  ${uuid}`);
  const theirs = newFile('theirs.img');
  fs.writeFileSync(theirs, '');
  fs.truncateSync(theirs, 10 * MIB);
  must('mkswap', '-q', '-L', 'thelabel', '-U', uuid, theirs);
  expect(Buffer.compare(fs.readFileSync(asFile(guest)), fs.readFileSync(theirs))).toBe(0);

  guest.call('swapon_label', { label: 'thelabel' });
  expect(guest.errno('swapon_device', { device })).toBe('EBUSY');
  expect(guest.errno('mkswap', { device })).toBe('EBUSY');
  guest.call('swapoff_uuid', { uuid });
  expect(guest.errno('swapoff_device', { device })).toBe('EINVAL');
  expect(guest.errno('swapon_label', { label: 'other' })).toBe('ENOENT');
  guest.call('mkswap_L', { label: '0123456789abcdef', device });
  expect(must('swaplabel', asFile(guest))).toContain('LABEL: 0123456789abcde\n');
  expect(guest.errno('mkswap_L', { label: '0123456789abcdefX', device })).toBe('EINVAL');
  expect(guest.errno('mkswap_U', { uuid: 'x', device })).toBe('EINVAL');
  guest.call('zero', { device });
  expect(guest.errno('swapon_device', { device })).toBe('EINVAL');

  const files = Guest.empty();
  files.call('fallocate64', { path: '/swap', len: MIB });
  files.call('mkswap_file', { path: '/swap' });
  files.call('swapon_file', { file: '/swap' });
  expect(files.errno('swapon_file', { file: '/swap' })).toBe('EBUSY');
  files.call('swapoff_file', { file: '/swap' });
  files.write('/small', 'x'.repeat(20_000));
  expect(files.errno('mkswap_file', { path: '/small' })).toBe('ENOSPC');
  expect(files.errno('swapon_file', { file: '/small' })).toBe('EINVAL');
  files.finish();
});

test('volumes of several devices: there are none', () => {
  const guest = blank(MIB);
  for (const name of ['lvs', 'vgs', 'pvs', 'lvs_full', 'vgs_full', 'pvs_full', 'list_dm_devices', 'list_md_devices'] as const)
    expect(guest.call(name, {})).toEqual([]);
  for (const name of ['lvm_remove_all', 'vgscan', 'lvm_clear_filter'] as const) guest.call(name, {});
  expect(guest.call('is_lv', { mountable: DEVICE })).toBe(false);
  expect(guest.errno('lvm_canonical_lv_name', { lvname: DEVICE })).toBe('EINVAL');
  expect(guest.errno('vgrename', { volgroup: 'VG', newvolgroup: 'VG2' })).toBe('ENOENT');
});
