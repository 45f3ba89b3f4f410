import * as fs from 'node:fs';
import * as path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { privateCopy, scratchFolder, sha256, untouched } from '../support/images.ts';
import { e2fsckComplaints, fsckVfatComplaints, must, run } from '../support/oracle.ts';
import { makeTestDisk, type TestDisk } from './disk.ts';
import { guestless } from './run.ts';

let disk: TestDisk;
const folder = scratchFolder('guestless-cli-write-');

beforeAll(() => {
  disk = makeTestDisk(folder);
});

/** A FAT file system of its own, and what mtools and fsck.vfat say of it. */
function fat(): string {
  const image = path.join(scratchFolder(), 'fat.img');
  fs.writeFileSync(image, '');
  fs.truncateSync(image, 8 << 20);
  must('mkfs.vfat', '-F', '12', image);
  return image;
}

describe('where changes go has to be said', () => {
  const calls: readonly (readonly string[])[] = [
    ['write', 'IMAGE', '/etc/x'],
    ['mkdir', 'IMAGE', '/etc/x'],
    ['rm', 'IMAGE', '/etc/hostname'],
    ['mv', 'IMAGE', '/etc/hostname', '/etc/x'],
    ['ln', '-s', 'IMAGE', 'target', '/etc/x'],
    ['chmod', 'IMAGE', '600', '/etc/hostname'],
    ['chown', 'IMAGE', 'ada', '/etc/hostname'],
    ['truncate', 'IMAGE', '/etc/hostname', '0'],
    ['setfattr', 'IMAGE', '/etc/hostname', 'user.x', 'y'],
    ['tar-in', 'IMAGE', '-', '/etc'],
    ['copy-in', 'IMAGE', '/etc/hostname', '/etc'],
  ];
  test.each(calls)('%s without --commit and --overlay exits 2 and changes nothing', async (...call) => {
    await untouched([disk.raw], () => {
      const words = ['--partition', '2', ...call.slice(1)].map((word) => (word === 'IMAGE' ? disk.raw : word));
      const result = guestless([call[0] ?? '', ...words], Buffer.from('y'));
      expect(result.status).toBe(2);
      expect(result.stderr).toMatch(/^guestless: .*--commit or --overlay.*\n$/);
      expect(guestless([call[0] ?? '', ...words, '--commit', '--overlay', path.join(folder, 'n.qcow2')]).status).toBe(2);
    });
  });

  test('an overlay that is there already is not overwritten', async () => {
    const there = path.join(folder, 'there.qcow2');
    fs.writeFileSync(there, 'mine');
    await untouched([disk.raw, there], () => {
      expect(guestless(['mkdir', '--overlay', there, '--partition', '2', disk.raw, '/x']).status).toBe(1);
    });
  });
});

describe('changes committed into a FAT image', () => {
  test('are seen by mtools, and fsck.vfat has nothing to say', () => {
    const image = fat();
    const commit = (words: readonly string[], input?: string): void => {
      const { status, stderr } = guestless([...words, '--commit'], Buffer.from(input ?? ''));
      expect([words[0], status, stderr]).toEqual([words[0], 0, '']);
      expect(fsckVfatComplaints(image)).toBe('');
    };
    const content = 'a line\n'.repeat(20_000);
    commit(['mkdir', '-p', image, '/a/b/A long name']);
    commit(['write', image, '/a/b/A long name/file.txt'], content);
    commit(['write', '--append', image, '/a/b/A long name/file.txt'], 'the end\n');
    expect(must('mtype', '-i', image, '::/a/b/A long name/file.txt')).toBe(`${content}the end\n`);
    commit(['truncate', image, '/a/b/A long name/file.txt', '7']);
    commit(['mv', image, '/a/b/A long name/file.txt', '/a']);
    expect(must('mtype', '-i', image, '::/a/file.txt')).toBe('a line\n');
    commit(['rm', '-r', image, '/a/b']);
    const source = path.join(scratchFolder(), 'tree');
    fs.mkdirSync(path.join(source, 'sub'), { recursive: true });
    fs.writeFileSync(path.join(source, 'sub', 'deep.txt'), 'deep\n');
    commit(['copy-in', image, source, '/a']);
    expect(guestless(['find', image]).stdout).toBe('/\n/a\n/a/file.txt\n/a/tree\n/a/tree/sub\n/a/tree/sub/deep.txt\n');
    expect(fs.readdirSync(path.dirname(image))).toEqual(['fat.img']);
  });

  test('inside of a partition, and nothing else on the disk changes', () => {
    const copy = privateCopy(disk.raw);
    const { status, stderr } = guestless(['write', '--partition', '1', '--commit', copy, '/new.txt'], Buffer.from('new\n'));
    expect([status, stderr]).toEqual([0, '']);
    const part = path.join(scratchFolder(), 'esp.img');
    must('dd', `if=${copy}`, `of=${part}`, 'bs=1M', 'skip=1', 'count=8', 'status=none');
    expect(fsckVfatComplaints(part)).toBe('');
    expect(must('mtype', '-i', part, '::/new.txt')).toBe('new\n');
    const rest = (file: string): string => {
      const bytes = fs.readFileSync(file);
      bytes.fill(0, 1 << 20, 9 << 20);
      const blanked = path.join(scratchFolder(), 'rest');
      fs.writeFileSync(blanked, bytes);
      return sha256(blanked);
    };
    expect(rest(copy)).toBe(rest(disk.raw));
  });

  test('a verb that fails in the middle leaves the image as it was', async () => {
    const image = fat();
    await untouched([image], () => {
      expect(guestless(['mkdir', '--commit', image, '/one', '/two/three']).status).toBe(1);
      expect(guestless(['write', '--commit', image, '/big'], Buffer.alloc(9 << 20, 1)).status).toBe(1);
      expect(guestless(['tar-in', '--commit', image, '-', '/'], Buffer.alloc(512, 0x41)).status).not.toBe(0);
    });
  });
});

describe('copy-in of a tree with every kind of file', () => {
  test('hard links stay links, pipes and devices stay what they are', () => {
    const scratch = scratchFolder();
    const image = path.join(scratch, 'ext.img');
    fs.writeFileSync(image, '');
    fs.truncateSync(image, 8 << 20);
    must('mke2fs', '-q', '-F', '-t', 'ext4', image);
    const source = path.join(scratch, 'tree');
    fs.mkdirSync(path.join(source, 'sub'), { recursive: true });
    fs.writeFileSync(path.join(source, 'one'), 'shared\n');
    fs.linkSync(path.join(source, 'one'), path.join(source, 'sub', 'two'));
    fs.symlinkSync('nowhere', path.join(source, 'link'));
    fs.linkSync(path.join(source, 'link'), path.join(source, 'link-2'));
    must('mkfifo', path.join(source, 'pipe'));
    const copied = guestless(['copy-in', '--commit', image, source, path.join(source, 'one'), '/dev/null', '/']);
    expect([copied.status, copied.stderr]).toEqual([0, '']);
    // Once more over what is there.
    const again = guestless(['copy-in', '--commit', image, source, '/']);
    expect([again.status, again.stderr]).toEqual([0, '']);
    expect(e2fsckComplaints(image)).toBe('');
    const stat = (name: string): string => must('debugfs', '-R', `stat ${name}`, image);
    const inode = (name: string): string | undefined => /Inode: (\d+)/.exec(stat(name))?.[1];
    expect(inode('/tree/one')).toBe(inode('/tree/sub/two'));
    expect(inode('/tree/link')).toBe(inode('/tree/link-2'));
    expect(stat('/tree/one')).toContain('Links: 2');
    expect(stat('/one')).toContain('Links: 1');
    expect(stat('/tree/pipe')).toContain('Type: FIFO');
    expect(stat('/null')).toMatch(/Type: character special[\s\S]*Device major\/minor number: 01:03/);
  });

  test('where there are no hard links, each name gets a file of its own', () => {
    const image = fat();
    const source = path.join(scratchFolder(), 'tree');
    fs.mkdirSync(source);
    fs.writeFileSync(path.join(source, 'one'), 'shared\n');
    fs.linkSync(path.join(source, 'one'), path.join(source, 'two'));
    const { status, stderr } = guestless(['copy-in', '--owner', '0:0', '--commit', image, source, '/']);
    expect([status, stderr]).toEqual([0, '']);
    expect(fsckVfatComplaints(image)).toBe('');
    for (const name of ['one', 'two']) expect(must('mtype', '-i', image, `::/tree/${name}`)).toBe('shared\n');
  });
});

describe('tar-in of packed archives', () => {
  test.each([
    ['gzip', ['-c']],
    ['xz', ['-c']],
    ['zstd', ['-qc']],
    ['bzip2', ['-c']],
  ] as const)('%s, from a file and from a pipe', (program, options) => {
    const scratch = scratchFolder();
    fs.mkdirSync(path.join(scratch, 'tree'));
    fs.writeFileSync(path.join(scratch, 'tree', 'file'), 'packed\n'.repeat(50_000));
    must('tar', '-cf', path.join(scratch, 'plain.tar'), '--owner=0', '--group=0', '-C', path.join(scratch, 'tree'), 'file');
    const packed = path.join(scratch, 'packed.tar');
    fs.writeFileSync(packed, run(program, [...options, path.join(scratch, 'plain.tar')]).stdout);
    const image = fat();
    for (const [file, input] of [[packed], ['-', fs.readFileSync(packed)]] as const) {
      const { status, stderr } = guestless(['tar-in', '--commit', image, file, '/'], input);
      expect([status, stderr]).toEqual([0, '']);
      expect(must('mtype', '-i', image, '::/file')).toBe('packed\n'.repeat(50_000));
      expect(guestless(['rm', '--commit', image, '/file']).status).toBe(0);
    }
    const cut = fs.readFileSync(packed);
    const { status, stderr } = guestless(['tar-in', '--commit', image, '-', '/'], cut.subarray(0, cut.length >> 1));
    expect([status, stderr]).toEqual([4, expect.stringMatching(/^guestless: .*\n$/)]);
  });
});

test('setfattr: no user. attribute on a pipe, as on Linux', () => {
  const image = path.join(scratchFolder(), 'ext.img');
  fs.writeFileSync(image, '');
  fs.truncateSync(image, 4 << 20);
  must('mke2fs', '-q', '-F', '-t', 'ext4', image);
  must('debugfs', '-w', '-R', 'mknod pipe p', image);
  expect(guestless(['setfattr', '--commit', image, '/pipe', 'user.x', 'y']).stderr).toMatch(
    /^guestless: \/pipe: .*only files and directories/,
  );
  expect(guestless(['setfattr', '--commit', image, '/pipe', 'trusted.x', 'y']).status).toBe(0);
});
