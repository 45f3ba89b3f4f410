/** Setting up and tearing down: which partitions, which systems, what is written when. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { describe, expect, test } from 'vitest';
import { GuestlessError, Posix, Refused, Unsupported } from '../../src/errors.ts';
import {
  canResizeImage,
  extend,
  getDiskSize,
  isImageExtendable,
  LocalBlockImage,
  LocalFileImage,
  openGuestSync,
  VFS,
} from '../../src/index.ts';
import { sha256, untouched } from '../support/images.ts';
import { e2fsckComplaints, fsckVfatComplaints, must, qemuCheckComplaints } from '../support/oracle.ts';
import { dump, guestImage, newFolder, PASSWD, partitioned } from './guests.ts';

const raw = (image: string): LocalFileImage => new LocalFileImage(image, 'raw');

/** What a setup says: `ok` or the code of its error. */
function setup(image: LocalFileImage, partition: number | null): string {
  const vfs = VFS.instanceForImage(image, partition, { snapshot: true }).sync;
  try {
    vfs.setup();
    expect(vfs.hasFile('/')).toBe(true);
    vfs.teardown();
    return 'ok';
  } catch (error) {
    if (!(error instanceof GuestlessError)) throw error;
    // Nothing stays open: it can be set up again, and fails in the same way.
    expect(() => vfs.setup()).toThrow(error.message);
    vfs.teardown();
    return `${error.code} ${error.message}`;
  }
}

describe('which partition', () => {
  test('a file system without a partition table', () => {
    const image = raw(guestImage());
    expect([null, 0, -1].map((partition) => setup(image, partition))).toEqual(['ok', 'ok', 'ok']);
    expect(setup(image, 1)).toMatch(/^ENOENT .*there is no partition 1/);
    expect(setup(image, -2)).toMatch(/^EINVAL /);
    expect(setup(image, 1.5)).toMatch(/^EINVAL /);
  });

  test('a disk with an MBR, also one whose fstab names a wrong root', () => {
    const image = raw(partitioned('dos', [guestImage()]));
    expect([1, -1].map((partition) => setup(image, partition))).toEqual(['ok', 'ok']);
    for (const partition of [null, 0]) expect(setup(image, partition)).toMatch(/^UNSUPPORTED .*\/dev\/sda/);
    expect(setup(image, 2)).toMatch(/^ENOENT .*there are 1/);
  });

  test('an empty disk holds no operating system', () => {
    const image = path.join(newFolder(), 'blank.raw');
    fs.writeFileSync(image, '');
    fs.truncateSync(image, 1 << 20);
    expect(setup(raw(image), -1)).toBe(`REFUSED No operating system found in ${image}; choose a partition: /dev/sda (unknown)`);
    expect(setup(raw(image), 0)).toMatch(/^UNSUPPORTED /);
  });

  test('two operating systems are one too many', () => {
    const image = partitioned('gpt', [guestImage(), guestImage()]);
    expect(setup(raw(image), -1)).toBe(
      `REFUSED Multi-boot operating system found in ${image}: linux on /dev/sda1, linux on /dev/sda2; choose a partition`,
    );
  });

  test('mounts of the fstab, in the order of the mount points; what is dead is passed over', () => {
    const boot = guestImage({ 'vmlinuz.txt': 'kernel' }, { bare: true, type: 'ext2', label: 'boot', size: '8M' });
    const home = guestImage({ ada: { directory: 0o755 } }, { bare: true, label: 'home', size: '8M' });
    const fstab =
      'LABEL=home /home ext4\nLABEL=boot /boot ext2 defaults 0 2\nLABEL=rootfs / ext4\n/dev/sda9 /data ext4\nLABEL=gone /gone ext4\n';
    const mountPoints = { boot: { directory: 0o755 }, data: { directory: 0o755 } } as const;
    const root = guestImage({ 'etc/fstab': fstab, ...mountPoints });
    const image = partitioned('gpt', [boot, home, root]);
    const vfs = VFS.instanceForImage(raw(image), -1).sync;
    vfs.setup();
    expect(vfs.readFile('boot/vmlinuz.txt')).toBe('kernel');
    expect(vfs.hasFile('/home/ada')).toBe(true);
    vfs.appendFile('boot/vmlinuz.txt', '+');
    vfs.makePath('/home/ada/work');
    vfs.teardown();
    const guest = openGuestSync(image);
    expect(guest.io.mounts.map(({ device }) => device)).toEqual(['/dev/sda3', '/dev/sda1', '/dev/sda2']);
    expect(guest.readText('/boot/vmlinuz.txt')).toBe('kernel+');
    expect(guest.stat('/home/ada/work').kind).toBe('directory');
    guest.close();
  });

  test('a mount point that is not there is passed over and said', () => {
    const fstab = 'LABEL=boot /boot ext2\nLABEL=rootfs / ext4\n';
    const boot = guestImage({}, { bare: true, type: 'ext2', label: 'boot', size: '8M' });
    const image = partitioned('gpt', [boot, guestImage({ 'etc/fstab': fstab })]);
    const warnings: string[] = [];
    const vfs = VFS.instanceForImage(raw(image), -1, { warn: (message) => warnings.push(message), snapshot: true }).sync;
    vfs.setup();
    expect(warnings).toEqual([expect.stringMatching(/^\/dev\/sda1 is not mounted at \/boot: /)]);
    vfs.teardown();
  });
});

describe('the format is what the caller says', () => {
  test('a qcow2 file as raw, and a raw file as qcow2, are errors; nobody probes', async () => {
    const image = guestImage();
    const packed = path.join(newFolder(), 'guest.qcow2');
    must('qemu-img', 'convert', '-O', 'qcow2', image, packed);
    await untouched([image, packed], () => {
      expect(setup(new LocalFileImage(packed, 'qcow2'), null)).toBe('ok');
      expect(setup(raw(packed), null)).toMatch(/^UNSUPPORTED /);
      expect(setup(new LocalFileImage(image, 'qcow2'), null)).toMatch(/^CORRUPT /);
    });
    expect(() => new LocalFileImage(image, 'jpeg' as 'raw')).toThrow("Invalid image format 'jpeg'");
    expect(new LocalBlockImage('/dev/vg/lv').format).toBe('raw');
  });

  test('a backing file has to stand in the folder of the image', () => {
    const base = guestImage();
    const beside = path.join(path.dirname(base), 'top.qcow2');
    must('qemu-img', 'create', '-q', '-f', 'qcow2', '-b', 'guest.raw', '-F', 'raw', beside);
    expect(setup(new LocalFileImage(beside, 'qcow2'), null)).toBe('ok');
    const elsewhere = path.join(newFolder(), 'top.qcow2');
    must('qemu-img', 'create', '-q', '-f', 'qcow2', '-b', base, '-F', 'raw', elsewhere);
    expect(setup(new LocalFileImage(elsewhere, 'qcow2'), null)).toMatch(/^REFUSED /);
  });
});

describe('setup and teardown', () => {
  test('nothing works before setup, and nothing but getImageFs without mounting', async () => {
    const vfs = VFS.instanceForImage(raw(guestImage()), null);
    await vfs.teardown();
    await expect(vfs.hasFile('/')).rejects.toThrow('call setup first');
    await expect(vfs.getImageFs()).rejects.toThrow('call setup first');
    await vfs.setup({ mount: false });
    expect(await vfs.hasFile('/')).toBe(false);
    await expect(vfs.readFile('/etc/passwd')).rejects.toThrow(Refused);
    expect(await vfs.getImageFs()).toBe('ext4');
    await expect(vfs.setup()).rejects.toThrow('set up already');
    await vfs.teardown();
    await vfs.teardown();
    expect(await vfs.inspectCapabilities()).toEqual({
      imageFormats: ['raw', 'qcow2'],
      fileSystems: ['ext2', 'ext3', 'ext4', 'vfat', 'iso9660'],
    });
  });

  test('getImageFs knows the whole disk only', async () => {
    const blank = path.join(newFolder(), 'blank');
    fs.writeFileSync(blank, Buffer.alloc(1 << 20));
    const swap = path.join(newFolder(), 'swap');
    fs.writeFileSync(swap, Buffer.alloc(1 << 20));
    must('mkswap', '-q', swap);
    const small = guestImage({}, { type: 'ext2' });
    const found: string[] = [];
    for (const image of [small, partitioned('dos', [small]), partitioned('gpt', [small]), blank, swap]) {
      const vfs = VFS.instanceForImage(raw(image), null);
      await vfs.setup({ mount: false });
      found.push(await vfs.getImageFs());
      await vfs.teardown();
    }
    expect(found).toEqual(['ext2', '', '', '', 'swap']);
  });

  test('looking does not change the image; changes are in it after teardown, and not before', () => {
    const image = guestImage();
    const before = sha256(image);
    const vfs = VFS.instanceForImage(raw(image), null).sync;
    vfs.setup();
    vfs.readFile('/etc/passwd');
    vfs.teardown();
    expect(sha256(image)).toBe(before);
    vfs.setup();
    vfs.replaceFile('/etc/hostname', 'new\n');
    expect(sha256(image)).toBe(before);
    vfs.teardown();
    expect(dump(image)['/etc/hostname']?.[3]).toBe('new\n');
    expect(e2fsckComplaints(image)).toBe('');
  });

  test('a snapshot forgets, unless it is committed', async () => {
    const image = guestImage();
    const vfs = VFS.instanceForImage(raw(image), null, { snapshot: true });
    await untouched([image], async () => {
      await vfs.setup();
      await vfs.replaceFile('/etc/hostname', 'new\n');
      expect(await vfs.readFile('/etc/hostname')).toBe('new\n');
      await vfs.teardown();
    });
    await vfs.setup();
    await vfs.replaceFile('/etc/hostname', 'kept\n');
    await vfs.commit();
    await vfs.teardown();
    expect(dump(image)['/etc/hostname']?.[3]).toBe('kept\n');
  });

  test('a qcow2 image over another one: changes go into the upper one, and both stay clean', async () => {
    const base = guestImage();
    const top = path.join(path.dirname(base), 'top.qcow2');
    must('qemu-img', 'create', '-q', '-f', 'qcow2', '-b', 'guest.raw', '-F', 'raw', top);
    const vfs = VFS.instanceForImage(new LocalFileImage(top, 'qcow2'), null);
    await untouched([base], async () => {
      for (const line of ['one\n', 'two\n']) {
        await vfs.setup();
        await vfs.appendFile('/etc/hostname', line);
        await vfs.teardown();
      }
    });
    expect(qemuCheckComplaints(top)).toBe('');
    const flat = path.join(path.dirname(base), 'flat.raw');
    must('qemu-img', 'convert', '-O', 'raw', top, flat);
    expect(dump(flat)['/etc/hostname']?.[3]).toBe('guest\none\ntwo\n');
    expect(e2fsckComplaints(flat)).toBe('');
  });

  test('an image that cannot be written is refused by setup, unless it is a snapshot', () => {
    const image = guestImage();
    const split = path.join(path.dirname(image), 'split.qcow2');
    // qemu-img takes the name of the data file from its own folder, and writes it down as it is.
    must('sh', '-c', 'cd "$1" && qemu-img convert -O qcow2 -o data_file=split.data guest.raw split.qcow2', 'sh', path.dirname(image));
    expect(setup(new LocalFileImage(split, 'qcow2'), null)).toBe('ok');
    expect(() => VFS.instanceForImage(new LocalFileImage(split, 'qcow2')).sync.setup()).toThrow(Unsupported);
  });

  test('an image that somebody else changed meanwhile is not written to', () => {
    const image = guestImage();
    const vfs = VFS.instanceForImage(raw(image), null).sync;
    vfs.setup();
    vfs.replaceFile('/etc/hostname', 'new\n');
    fs.appendFileSync(image, Buffer.alloc(512));
    const before = sha256(image);
    expect(() => vfs.teardown()).toThrow('changed by somebody else');
    expect(sha256(image)).toBe(before);
    vfs.teardown();
  });

  test('calls that nobody waits for keep their order', async () => {
    const image = guestImage();
    const vfs = VFS.instanceForImage(raw(image), null);
    const all: Promise<unknown>[] = [vfs.setup(), vfs.makePath('/a/b')];
    for (let i = 0; i < 20; i++) all.push(vfs.appendFile('/a/b/log', `${i}\n`));
    all.push(vfs.teardown());
    await Promise.all(all);
    expect(dump(image)['/a/b/log']?.[3]).toBe(Array.from({ length: 20 }, (_, i) => `${i}\n`).join(''));
    expect(e2fsckComplaints(image)).toBe('');
  });
});

/** Runs `body` on a guest that is torn down afterwards; the image has to be clean then. */
function inGuest(image: string, body: (vfs: VFS['sync']) => void): void {
  const vfs = VFS.instanceForImage(raw(image), null).sync;
  vfs.setup();
  try {
    body(vfs);
  } finally {
    vfs.teardown();
  }
  expect(e2fsckComplaints(image)).toBe('');
}

const codeOf = (call: () => unknown): string => {
  try {
    call();
    return 'ok';
  } catch (error) {
    if (error instanceof Posix) return error.code;
    throw error;
  }
};

describe('edges of the verbs', () => {
  test('40 links are followed, 41 are not', () => {
    const links: Record<string, { link: string }> = {};
    for (let i = 1; i <= 41; i++) links[`l${i}`] = { link: i === 1 ? 'etc/hostname' : `l${i - 1}` };
    inGuest(guestImage(links), (vfs) => {
      expect(vfs.readFile('l40')).toBe('guest\n');
      expect(vfs.hasFile('l41')).toBe(false);
      for (const call of [
        () => vfs.readFile('l41'),
        () => vfs.appendFile('l41', 'x'),
        () => vfs.replaceFile('l41', 'x'),
        () => vfs.setPermissions('l41', 0o600),
        () => vfs.setOwnership('l41', 'root', 'root'),
        () => vfs.makePath('l41/x'),
      ]) {
        expect(codeOf(call)).toBe('ELOOP');
      }
    });
  });

  test('paths that are none', () => {
    inGuest(guestImage(), (vfs) => {
      for (const path of ['', 'a\0b', '\ud800']) {
        expect(codeOf(() => vfs.hasFile(path))).toBe('EINVAL');
        expect(codeOf(() => vfs.makePath(path))).toBe('EINVAL');
        expect(codeOf(() => vfs.replaceFile(path, ''))).toBe('EINVAL');
      }
      expect(vfs.hasFile(`/${'n'.repeat(256)}`)).toBe(false);
      expect(vfs.hasFile('/x'.repeat(2050))).toBe(false);
      expect(codeOf(() => vfs.makePath(`/${'ü'.repeat(128)}`))).toBe('ENAMETOOLONG');
      expect(vfs.hasFile('nosuch/../etc')).toBe(false);
      expect(vfs.hasFile('/etc/passwd/..')).toBe(false);
      expect(vfs.hasFile('../../etc/./passwd')).toBe(true);
      vfs.makePath('/nosuch/../made');
      expect([vfs.hasFile('/nosuch'), vfs.hasFile('/made')]).toEqual([true, true]);
    });
  });

  test('a directory whose group is inherited', () => {
    const image = guestImage({ srv: { directory: 0o2775 } });
    must('debugfs', '-w', '-R', 'set_inode_field /srv gid 500', image);
    inGuest(image, (vfs) => {
      vfs.makePath('/srv/a/b');
      vfs.appendFile('/srv/a/f', 'x');
    });
    const files = dump(image);
    expect(files['/srv/a']).toEqual(['042755', 0, 500]);
    expect(files['/srv/a/b']).toEqual(['042755', 0, 500]);
    expect(files['/srv/a/f']).toEqual(['100644', 0, 500, 'x']);
  });

  test('set-ID bits after chown, file and directory, with and without names', () => {
    const image = guestImage({ tool: 'x', shared: { directory: 0o755 }, lock: 'x' });
    inGuest(image, (vfs) => {
      vfs.setPermissions('tool', 0o6755);
      vfs.setPermissions('shared', 0o6755);
      vfs.setPermissions('lock', 0o6745);
      for (const path of ['tool', 'shared', 'lock']) vfs.setOwnership(path, null, null);
    });
    const files = dump(image);
    expect([files['/tool']?.[0], files['/shared']?.[0], files['/lock']?.[0]]).toEqual(['100755', '046755', '102745']);
  });

  test('a user that was added a moment ago is known; accounts behind a link too', () => {
    const image = guestImage({ 'etc/group': null, 'etc/group.real': 'crew:x:70000:\n', 'etc/group.x': { link: '/etc/group.real' } });
    inGuest(image, (vfs) => {
      expect(codeOf(() => vfs.setOwnership('/etc/hostname', null, 'crew'))).toBe('ENOENT');
      vfs.appendFile('etc/passwd', 'eve:x:4294967294:1::/:/bin/sh');
      vfs.setOwnership('/etc/hostname', 'eve', null);
    });
    expect(dump(image)['/etc/hostname']?.slice(1, 3)).toEqual([4294967294, 0]);
    const linked = guestImage({ 'etc/group': { link: 'group.real' }, 'etc/group.real': 'crew:x:70000:\n' });
    inGuest(linked, (vfs) => vfs.setOwnership('/etc/hostname', 'al', 'crew'));
    expect(dump(linked)['/etc/hostname']?.slice(1, 3)).toEqual([1001, 70000]);
  });

  test('files and directories that are immutable or only for appending, as the kernel has them', () => {
    const folders = { fixed: { directory: 0o755 }, growing: { directory: 0o755 } } as const;
    const image = guestImage({ immutable: 'x', append: 'x', empty: '', ...folders, 'growing/file': 'y' });
    // FS_IMMUTABLE_FL and FS_APPEND_FL, beside the flag of extents.
    for (const name of ['immutable', 'fixed']) must('debugfs', '-w', '-R', `set_inode_field /${name} flags 0x80010`, image);
    for (const name of ['append', 'empty', 'growing']) must('debugfs', '-w', '-R', `set_inode_field /${name} flags 0x80020`, image);
    inGuest(image, (vfs) => {
      const outcomes = (path: string): string[] => [
        codeOf(() => vfs.appendFile(path, 'z')),
        codeOf(() => vfs.replaceFile(path, 'z')),
        codeOf(() => vfs.setPermissions(path, 0o600)),
        codeOf(() => vfs.setOwnership(path, 'root', null)),
      ];
      expect(outcomes('immutable')).toEqual(['EPERM', 'EPERM', 'EPERM', 'EPERM']);
      expect(outcomes('append')).toEqual(['ok', 'EPERM', 'EPERM', 'EPERM']);
      expect(outcomes('empty')).toEqual(['ok', 'EPERM', 'EPERM', 'EPERM']);
      expect([codeOf(() => vfs.appendFile('fixed/new', '')), codeOf(() => vfs.makePath('fixed/new'))]).toEqual(['EPERM', 'EPERM']);
      expect([codeOf(() => vfs.appendFile('growing/new', '')), codeOf(() => vfs.makePath('growing/d'))]).toEqual(['ok', 'ok']);
      expect(codeOf(() => vfs.replaceFile('growing/file', 'z'))).toBe('ok');
      expect([vfs.readFile('immutable'), vfs.readFile('append'), vfs.readFile('empty')]).toEqual(['x', 'xz', 'z']);
    });
  });

  test('a verb that fails changes nothing: a full file system', () => {
    const image = guestImage({}, { size: '2M', options: ['-O', '^has_journal'] });
    const before = dump(image);
    inGuest(image, (vfs) => {
      vfs.replaceFile('/big', 'small');
      expect(codeOf(() => vfs.replaceFile('/big', 'x'.repeat(3 << 20)))).toBe('ENOSPC');
      expect(vfs.readFile('/big')).toBe('small');
      expect(codeOf(() => vfs.appendFile('/big', 'x'.repeat(3 << 20)))).toBe('ENOSPC');
      expect(codeOf(() => vfs.replaceFile('/other', 'x'.repeat(3 << 20)))).toBe('ENOSPC');
      expect(codeOf(() => vfs.makePath('/one/two/three/etc/passwd/x'.replace('/one/two/three', '/new/..')))).toBe('ENOTDIR');
    });
    expect(dump(image)).toEqual({ ...before, '/big': ['100644', 0, 0, 'small'] });
  });
});

test('a FAT file system: owners and most modes are not its own, as Linux has it', () => {
  const image = path.join(newFolder(), 'fat.img');
  fs.writeFileSync(image, '');
  fs.truncateSync(image, 4 << 20);
  must('mkfs.vfat', image);
  const vfs = VFS.instanceForImage(raw(image)).sync;
  vfs.setup();
  expect(vfs.getImageFs()).toBe('vfat');
  vfs.makePath('/etc/cloud');
  vfs.replaceFile('/etc/passwd', PASSWD);
  vfs.appendFile('etc/cloud/A long name.txt', 'x');
  expect(vfs.hasFile('ETC/PASSWD')).toBe(true);
  vfs.setOwnership('etc/passwd', 'root', null);
  expect(codeOf(() => vfs.setOwnership('etc/passwd', 'fred', null))).toBe('EPERM');
  vfs.teardown();
  expect(fsckVfatComplaints(image)).toBe('');
  expect(must('mtype', '-i', image, '::/etc/cloud/A long name.txt')).toBe('x');
});

describe('sizes', () => {
  test('getDiskSize and canResizeImage', async () => {
    const image = guestImage();
    const packed = path.join(newFolder(), 'guest.qcow2');
    must('qemu-img', 'create', '-q', '-f', 'qcow2', packed, '5G');
    expect(await getDiskSize(raw(image))).toBe(16 << 20);
    expect(await getDiskSize(packed)).toBe(5 * 2 ** 30);
    expect([await canResizeImage(packed, 5 * 2 ** 30), await canResizeImage(packed, 5 * 2 ** 30 + 1)]).toEqual([false, true]);
    await expect(getDiskSize('/nonexistent')).rejects.toThrow(Posix);
  });

  test('isImageExtendable', async () => {
    const image = guestImage();
    const empty = path.join(newFolder(), 'empty');
    fs.writeFileSync(empty, '');
    expect(await isImageExtendable(raw(image))).toBe(true);
    expect(await isImageExtendable(raw(partitioned('dos', [image])))).toBe(false);
    expect(await isImageExtendable(new LocalFileImage(empty, 'qcow2'))).toBe(false);
  });

  test('extend lets a partitioned raw image grow, and says what it cannot do', async () => {
    const image = guestImage();
    const disk = partitioned('dos', [image]);
    const size = fs.statSync(disk).size;
    await untouched([image, disk], async () => {
      await extend(raw(disk), size);
      await extend(raw(disk), size - 512);
      await expect(extend(raw(image), 128 << 20)).rejects.toThrow(Unsupported);
      await expect(extend(raw(image), 128 << 20)).rejects.toThrow('file system');
    });
    await extend(raw(disk), size + 4096);
    expect(fs.statSync(disk).size).toBe(size + 4096);
  });

  test('extend lets a qcow2 image grow, also over a backing file that is longer', async () => {
    const folder = newFolder();
    must('qemu-img', 'create', '-q', '-f', 'raw', `${folder}/base.raw`, '3M');
    fs.writeFileSync(`${folder}/base.raw`, Buffer.alloc(3 << 20, 0x5a));
    const image = `${folder}/top.qcow2`;
    must('sh', '-c', 'cd "$1" && qemu-img create -q -f qcow2 -b base.raw -F raw top.qcow2 1M', 'sh', folder);
    await untouched([`${folder}/base.raw`], () => extend(new LocalFileImage(image, 'qcow2'), 2 << 20));
    expect(await getDiskSize(image)).toBe(2 << 20);
    expect(qemuCheckComplaints(image)).toBe('');
    const flat = `${folder}/flat.raw`;
    must('qemu-img', 'convert', '-O', 'raw', image, flat);
    const bytes = fs.readFileSync(flat);
    expect([bytes.length, bytes.lastIndexOf(0x5a)]).toEqual([2 << 20, (1 << 20) - 1]);
  });
});
