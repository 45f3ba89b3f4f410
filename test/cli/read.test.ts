import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { scratchFolder, untouched } from '../support/images.ts';
import { must, run } from '../support/oracle.ts';
import { makeTestDisk, type TestDisk } from './disk.ts';
import { answer, GUESTLESS, guestless } from './run.ts';

let disk: TestDisk;
const folder = scratchFolder('guestless-cli-');

beforeAll(() => {
  disk = makeTestDisk(folder);
  guestless(['--version']);
});

const lines = (text: string): string[] => text.split('\n').slice(0, -1);

describe('given a disk with a system partition and a root, made by real tools', () => {
  test('filesystems says what blkid says', () => {
    const blkid = (offset: number, size: number): string =>
      must('blkid', '-p', '-O', String(offset), '-S', String(size), '-s', 'UUID', '-o', 'value', disk.raw).trim();
    expect(lines(answer('filesystems', disk.qcow2))).toEqual([
      `/dev/sda1\tvfat\tTESTESP\t${blkid(1 << 20, 8 << 20)}\t${8 << 20}`,
      `/dev/sda2\text4\ttestroot\t${blkid(9 << 20, 16 << 20)}\t${16 << 20}`,
    ]);
    const json = JSON.parse(answer('filesystems', '--json', disk.overlay)) as Record<string, unknown>[];
    expect(json).toMatchObject([
      { device: '/dev/sda1', type: 'vfat', label: 'TESTESP', error: null },
      { device: '/dev/sda2', type: 'ext4', label: 'testroot', partition: { number: 2 } },
    ]);
  });

  test('info names the system, its mounts and the chain', () => {
    const json = JSON.parse(guestless(['info', '--json', disk.overlay]).stdout) as Record<string, unknown>;
    expect(json).toMatchObject({
      format: 'qcow2',
      virtualSize: 32 << 20,
      chain: [{ format: 'qcow2' }, { format: 'qcow2', file: disk.qcow2 }],
      partitionTable: { scheme: 'gpt', partitions: [{ number: 1 }, { number: 2 }] },
      operatingSystems: [
        {
          root: '/dev/sda2',
          distribution: 'debian',
          version: { major: 12, minor: 11 },
          hostname: 'testhost',
          mounts: [
            { path: '/', device: '/dev/sda2' },
            { path: '/gone', spec: 'UUID=dead-beef' },
            { path: '/boot/efi', device: '/dev/sda1' },
          ],
        },
      ],
    });
    const text = guestless(['info', disk.overlay]).stdout;
    expect(text).toContain('operating system on /dev/sda2: Debian GNU/Linux 12 (bookworm)');
    expect(text).toContain('mount: /gone on UUID=dead-beef (not on this disk)');
  });

  test('without options the mounts of the only system are used, and what is missing is told', () => {
    const { status, stdout, stderr } = guestless(['cat', disk.qcow2, '/boot/efi/a LONG name.txt', '/a/absolute']);
    expect([status, stdout]).toEqual([0, 'from the ESP\ntesthost\n']);
    expect(stderr).toBe('guestless: warning: UUID=dead-beef for /gone is not on this disk\n');
  });

  test('--partition and -m choose; relative links stay inside', () => {
    expect(answer('cat', '--partition', '2', disk.qcow2, '/a/up')).toBe(fs.readFileSync(path.join(disk.tree, 'etc/passwd'), 'utf8'));
    expect(answer('cat', '-m', '/dev/sda1', disk.raw, '/A long Name.txt')).toBe('from the ESP\n');
    expect(answer('cat', '-m', '/dev/sda2', '-m', '/dev/sda1:/boot/efi', disk.raw, '/boot/efi/A long Name.txt')).toBe('from the ESP\n');
    expect(answer('cat', '--partition', '0', disk.ext4, '/a/one.txt')).toBe('one\n');
    expect(guestless(['cat', '--partition', '-1', disk.qcow2, '/etc/hostname']).stdout).toBe('testhost\n');
  });

  test('ls in its four ways', () => {
    const top = fs.readdirSync(disk.tree, { encoding: 'latin1' });
    const wanted = [...top, 'lost+found'].sort((a, b) => (a < b ? -1 : 1));
    const plain = guestless(['ls', '--partition', '2', disk.qcow2, '/']);
    expect(plain.bytes.toString('latin1').split('\n').join('|')).toBe(`${wanted.join('|').replaceAll('\n', '|')}|`);
    expect(lines(answer('ls', '-l', '--partition', '2', disk.qcow2, '/sticky'))[0]).toMatch(
      /^-rw------- 1 root root 1 \d{4}-\d\d-\d\d \d\d:\d\d:\d\d secret$/,
    );
    expect(lines(answer('ls', '-R', '--partition', '2', disk.qcow2, '/a'))).toEqual(['absolute', 'one.txt', 'up']);
    const long = lines(answer('ls', '-lR', '--partition', '2', disk.qcow2, '/a'));
    expect(long).toEqual([
      'd 0755       1024 /a',
      'l 0777         13 /a/absolute -> /etc/hostname',
      '- 0644          4 /a/one.txt',
      'l 0777         19 /a/up -> ../../../etc/passwd',
    ]);
    expect(answer('ls', '-lR', '--partition', '2', disk.qcow2, '/setuid')).toBe('- 4755          1 /setuid\n');
    expect(JSON.parse(answer('ls', '--json', '--partition', '2', disk.qcow2, '/a'))).toMatchObject([
      { name: 'absolute', type: 'symlink', target: '/etc/hostname' },
      { name: 'one.txt', type: 'file', size: 4, mode: '0644' },
      { name: 'up' },
    ]);
  });

  test('find and checksum sort by the bytes of whole paths', () => {
    const found = lines(answer('find', '--partition', '2', disk.qcow2, '--type', 'f', '--name', '[aot]*'));
    expect(found).toEqual(['/a-b', '/a.d/two', '/a/one.txt', '/etc/os-release']);
    const sums = lines(answer('checksum', '--partition', '2', disk.qcow2, '/a'));
    expect(sums).toEqual([`${createHash('sha256').update('one\n').digest('hex')}  /a/one.txt`]);
    const all = guestless(['checksum', '--partition', '2', disk.qcow2]).bytes.toString('latin1');
    const paths = all
      .replaceAll('\xfe\n', '\xfe')
      .split('\n')
      .slice(0, -1)
      .map((line) => line.slice(66));
    expect(paths).toEqual([...paths].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0)));
    expect(paths).toHaveLength(Number(must('find', disk.tree, '-type', 'f', '-printf', 'x').length));
  });

  test('a name that is no UTF-8 is printed as its bytes, and can be given', () => {
    const bytes = guestless(['find', '-0', '--partition', '2', disk.qcow2, '--name', '*!']).bytes;
    expect(bytes).toEqual(Buffer.from([0x2f, 0xff, 0xfe, 0x0a, 0x21, 0]));
    const viaShell = run('bash', ['-c', `exec "$0" cat --partition 2 "$1" $'/\\xff\\xfe\\n!'`, GUESTLESS, disk.qcow2]);
    expect(viaShell.stdout.toString()).toBe('odd\n');
    expect(answer('ls', '--json', '--partition', '2', disk.qcow2, '/')).toContain('"name":"\\udcff\\udcfe\\n!"');
  });

  test('stat agrees with debugfs', () => {
    const json = JSON.parse(answer('stat', '--json', '--partition', '2', disk.qcow2, '/setuid')) as Record<string, unknown>;
    const debugfs = must('debugfs', '-R', 'stat /setuid', disk.ext4);
    expect(json).toMatchObject({ path: '/setuid', type: 'file', mode: '4755', links: 1, uid: 0, gid: 0, size: 1 });
    expect(json['inode']).toBe(Number(/Inode: (\d+)/.exec(debugfs)?.[1]));
    expect(answer('stat', '--partition', '2', disk.qcow2, '/a/up')).toContain('File: /a/up -> ../../../etc/passwd');
  });

  test('df counts as dumpe2fs does', () => {
    const [title, , ext] = lines(answer('df', disk.qcow2));
    expect(title).toBe('Filesystem                           1K-blocks       Used  Available  Use%');
    const header = must('dumpe2fs', '-h', disk.ext4);
    const free = Number(/Free blocks:\s+(\d+)/.exec(header)?.[1]) * (Number(/Block size:\s+(\d+)/.exec(header)?.[1]) / 1024);
    const [name, size, used] = ext?.split(/\s+/) ?? [];
    expect(name).toBe('disk.qcow2:/dev/sda2');
    expect(Number(size) - Number(used)).toBe(free);
    const [, , inodes] = lines(answer('df', '-i', disk.qcow2));
    expect(inodes?.split(/\s+/)[1]).toBe(/Inode count:\s+(\d+)/.exec(header)?.[1]);
  });

  test('tar-out writes what GNU tar reads, to a file and to a pipe', () => {
    const file = path.join(folder, 'a.tar');
    answer('tar-out', '--partition', '2', disk.qcow2, '/a', file);
    expect(must('tar', 'tf', file)).toBe('./\n./absolute\n./one.txt\n./up\n');
    expect(guestless(['tar-out', '--partition', '2', disk.qcow2, '/a', '-']).bytes).toEqual(fs.readFileSync(file));
    answer('tar-out', '--partition', '2', disk.qcow2, '/a', '/dev/null');
    expect(fs.statSync('/dev/null').isCharacterDevice()).toBe(true);
  });

  test('an unfinished tar leaves nothing under its name', () => {
    const target = path.join(folder, 'half.tar');
    expect(guestless(['tar-out', '--partition', '2', disk.qcow2, '/nowhere', target]).status).toBe(1);
    expect(fs.existsSync(target)).toBe(false);
    expect(fs.readdirSync(folder).filter((name) => name.includes('half'))).toEqual([]);
  });

  test('diff finds nothing between an image and its empty overlay', () => {
    expect(answer('diff', '--partition', '2', disk.qcow2, disk.overlay)).toBe('');
    expect(guestless(['diff', '--partition', '2', '--exit-code', disk.raw, disk.qcow2]).status).toBe(0);
  });

  test('no verb changes any image', async () => {
    await untouched([disk.raw, disk.qcow2, disk.overlay], () => {
      for (const verb of ['info', 'filesystems', 'df']) guestless([verb, disk.overlay]);
      for (const verb of ['ls', 'find', 'checksum']) guestless([verb, '--partition', '2', disk.overlay]);
    });
  });
});

describe('copy-out', () => {
  const target = (name: string): string => {
    const place = path.join(folder, name);
    fs.mkdirSync(place);
    return place;
  };

  test('copies trees with modes, times, links and sparse files, without set-id bits', () => {
    const place = target('out');
    answer('copy-out', '--partition', '2', disk.qcow2, '/a', '/setuid', '/sticky', place);
    expect(fs.readFileSync(path.join(place, 'a/one.txt'), 'utf8')).toBe('one\n');
    expect(fs.readlinkSync(path.join(place, 'a/up'))).toBe('../../../etc/passwd');
    expect(fs.statSync(path.join(place, 'setuid')).mode & 0o7777).toBe(0o755);
    expect(fs.statSync(path.join(place, 'sticky/secret')).mode & 0o7777).toBe(0o600);
    const guest = JSON.parse(answer('stat', '--json', '--partition', '2', disk.qcow2, '/a/one.txt')) as { mtime: string };
    expect(fs.statSync(path.join(place, 'a/one.txt')).mtime.toISOString().slice(0, 19)).toBe(guest.mtime.slice(0, 19));
    answer('copy-out', '--set-id', '--partition', '2', disk.qcow2, '/setuid', place);
    expect(fs.statSync(path.join(place, 'setuid')).mode & 0o7777).toBe(0o4755);
  });

  test('never goes through a symbolic link of the host', () => {
    const place = target('trap');
    const outside = target('outside');
    fs.symlinkSync(outside, path.join(place, 'a'));
    const { status, stderr } = guestless(['copy-out', '--partition', '2', disk.qcow2, '/a', place]);
    expect(status).toBe(2);
    expect(stderr).toMatch(/^guestless: .*\n$/);
    expect(fs.readdirSync(outside)).toEqual([]);
    fs.symlinkSync(path.join(outside, 'victim'), path.join(place, 'setuid'));
    fs.writeFileSync(path.join(outside, 'victim'), 'as it was');
    answer('copy-out', '--partition', '2', disk.qcow2, '/setuid', place);
    expect(fs.readFileSync(path.join(outside, 'victim'), 'utf8')).toBe('as it was');
    expect(fs.lstatSync(path.join(place, 'setuid')).isFile()).toBe(true);
  });

  test('a target that is missing or no folder is an error', () => {
    expect(guestless(['copy-out', '--partition', '2', disk.qcow2, '/a', path.join(folder, 'missing')]).status).toBe(1);
  });
});

describe('errors are one line and an exit status', () => {
  test.each<[string, readonly string[], number, RegExp]>([
    ['no such file', ['cat', '--partition', '2', 'QCOW2', '/nope'], 1, /^guestless: \/nope: No such file or directory\n$/],
    ['a directory', ['cat', '--partition', '2', 'QCOW2', '/etc'], 1, /Is a directory/],
    ['no such image', ['info', '/nowhere.img'], 1, /^guestless: \/nowhere.img: No such file or directory\n$/],
    ['no such partition', ['ls', '--partition', '7', 'QCOW2'], 1, /there are 1, 2/],
    ['wrong use', ['ls', '--what', 'QCOW2'], 2, /unknown option --what/],
    ['both ways to mount', ['ls', '--partition', '2', '-m', '/dev/sda1', 'QCOW2'], 2, /exclude each other/],
    ['a bad -m', ['ls', '-m', 'sda1', 'QCOW2'], 2, /DEV\[:MOUNTPOINT\]/],
    ['a format that is recognised only', ['info', 'VMDK'], 3, /vmdk/i],
    ['damage', ['ls', '--partition', '0', 'BROKEN'], 4, /checksum|corrupt/i],
    ['the outside', ['info', 'ESCAPE'], 2, /outside of the image's folder.*--allow-backing/],
  ])('%s', (_, words, status, message) => {
    const escaping = path.join(folder, 'inner', 'escape.qcow2');
    const vmdk = path.join(folder, 'x.vmdk');
    const broken = path.join(folder, 'broken.img');
    if (!fs.existsSync(escaping)) {
      fs.mkdirSync(path.dirname(escaping), { recursive: true });
      must('qemu-img', 'create', '-q', '-f', 'qcow2', '-b', disk.qcow2, '-F', 'qcow2', escaping);
      must('qemu-img', 'create', '-q', '-f', 'vmdk', vmdk, '1M');
      fs.copyFileSync(disk.ext4, broken);
      const inodeTable = Number(/Inode table at (\d+)/.exec(must('dumpe2fs', disk.ext4))?.[1]);
      const blockSize = Number(/Block size:\s+(\d+)/.exec(must('dumpe2fs', '-h', disk.ext4))?.[1]);
      const file = fs.openSync(broken, 'r+');
      // A bit of the root directory's inode, number 2.
      fs.writeSync(file, Uint8Array.of(0xff), 0, 1, inodeTable * blockSize + 256 + 8);
      fs.closeSync(file);
    }
    const names: Readonly<Record<string, string>> = { QCOW2: disk.qcow2, VMDK: vmdk, BROKEN: broken, ESCAPE: escaping };
    const real = words.map((word) => names[word] ?? word);
    const result = guestless(real);
    expect([result.status, result.stdout]).toEqual([status, '']);
    expect(result.stderr).toMatch(message);
    expect(lines(result.stderr)).toHaveLength(1);
    const json = guestless([...real, '--json']);
    expect(json.status).toBe(status);
    expect(JSON.parse(json.stderr)).toMatchObject({ error: expect.any(String), family: expect.any(String), code: expect.any(String) });
  });

  test('--allow-backing admits a backing file elsewhere', () => {
    const escaping = path.join(folder, 'inner', 'escape.qcow2');
    expect(guestless(['cat', '--partition', '2', escaping, '/etc/hostname', '--allow-backing', disk.qcow2]).stdout).toBe('testhost\n');
    expect(guestless(['cat', '--partition', '2', escaping, '/etc/hostname', '--allow-backing', folder]).status).toBe(0);
  });

  test('--checksums=ignore goes on behind a wrong checksum', () => {
    const broken = path.join(folder, 'broken.img');
    expect(guestless(['cat', '--checksums=ignore', '--partition', '0', broken, '/etc/hostname']).stdout).toBe('testhost\n');
  });

  test('a reader that goes away ends it without a word', () => {
    const { stdout, stderr } = spawnSync('bash', ['-c', '"$0" ls -lR --partition 0 "$1" | head -c 10', GUESTLESS, disk.ext4]);
    expect(stdout.length).toBe(10);
    expect(stderr.toString()).toBe('');
  });

  test('--version and --help go to standard output', () => {
    expect(answer('--version')).toMatch(/^guestless \d+\.\d+\.\d+\n$/);
    expect(answer('--help')).toContain('Commands:');
    expect(answer('ls', '--help')).toContain('Usage: guestless ls [OPTIONS] IMAGE [PATH]');
  });
});
