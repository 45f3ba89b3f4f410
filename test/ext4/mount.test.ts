/** Mounting what is not whole or not plain: broken superblocks, backups, journals elsewhere, flags the kernel here cannot judge. */
import * as fs from 'node:fs';
import { expect, test } from 'vitest';
import { decodeName, encodeName } from '../../src/bytes/text.ts';
import { Corrupt, Posix, Refused, Unsupported } from '../../src/errors.ts';
import { type Ext4, type Ext4Options, mountExt4 } from '../../src/ext4/index.ts';
import { runSync } from '../../src/io/drivers.ts';
import { MemorySource, SourceDevice } from '../../src/io/source.ts';
import { FileSource } from '../../src/platform/node/file.ts';
import { fixture, privateCopy, scratchFolder } from '../support/images.ts';
import { must, run } from '../support/oracle.ts';
import { entriesOf, golden, resolve, walk } from './golden.ts';

function mountFile(file: string, options: Ext4Options = {}): Ext4 {
  return runSync(mountExt4(new SourceDevice(FileSource.open(file)), options));
}

function mountBytes(bytes: Uint8Array, options: Ext4Options = {}): Ext4 {
  return runSync(mountExt4(new SourceDevice(new MemorySource(bytes)), options));
}

const load = (name: string): Uint8Array => new Uint8Array(fs.readFileSync(fixture(`ext4/${name}.img`)));

function readAll(mounted: Ext4, path: string): Buffer {
  const node = runSync(resolve(mounted, path));
  const bytes = Buffer.alloc(runSync(mounted.stat(node)).size);
  expect(runSync(mounted.read(node, 0, bytes))).toBe(bytes.length);
  return bytes;
}

test('identity: type, label, UUID', () => {
  for (const [name, type] of [
    ['rev0', 'ext2'],
    ['ext2-4k', 'ext2'],
    ['ext3-2k', 'ext3'],
    ['ext4-1k', 'ext4'],
  ] as const) {
    const mounted = mountBytes(load(name));
    const blkid = must('blkid', '-p', '-o', 'export', fixture(`ext4/${name}.img`));
    expect(blkid).toContain(`\nTYPE=${type}\n`);
    expect(mounted.type).toBe(type);
    expect(blkid).toContain(`LABEL=${decodeName(mounted.label)}\n`);
    expect(blkid).toContain(`UUID=${mounted.uuid}\n`);
  }
});

test('nothing, zeros and text are no file system', () => {
  for (const bytes of [new Uint8Array(0), new Uint8Array(1500), new Uint8Array(100_000), new Uint8Array(100_000).fill(0x41)]) {
    expect(() => mountBytes(bytes)).toThrow(Corrupt);
  }
});

test.each(['ext4-no-flex', 'ext4-meta-bg', 'ext2-4k-small'])('a destroyed superblock: a backup serves, with a warning (%s)', (name) => {
  const small = name === 'ext2-4k-small';
  const file = small ? `${scratchFolder()}/small.img` : privateCopy(fixture(`ext4/${name}.img`));
  if (small) must('mke2fs', '-q', '-F', '-t', 'ext2', '-b', '1024', '-N', '64', file, '20M');
  const before = runSync(walk(mountFile(file)));
  const raw = mountFile(file).volume.superblock.raw;
  const group = raw.s_blocks_per_group * 1024 + 1024;
  const handle = fs.openSync(file, 'r+');
  fs.writeSync(handle, Buffer.alloc(1024), 0, 1024, 1024);
  fs.closeSync(handle);
  if (small) {
    // Where mke2fs puts the first copy by default, it is found.
    const mounted = mountFile(file);
    expect(mounted.warnings.map(({ message }) => message).join()).toContain('the backup in block group 1 is used instead');
    expect(runSync(walk(mounted))).toEqual(before);
  } else expect(() => mountFile(file)).toThrow(Corrupt);
  const asked = mountFile(file, { superblockOffset: group });
  expect(asked.warnings.map(({ message }) => message).join()).toContain('as asked for');
  expect(runSync(walk(asked))).toEqual(before);
  expect(() => mountFile(file, { superblockOffset: group + 1024 })).toThrow(Corrupt);
  expect(() => mountFile(file, { superblockOffset: 5 })).toThrow(Refused);
});

test('the journal of a dirty file system on another device: refused by name; clean: read', () => {
  const file = `${scratchFolder()}/external.img`;
  must('mke2fs', '-q', '-F', '-t', 'ext4', '-O', 'has_journal', '-J', 'size=1', '-b', '1024', file, '4M');
  run('debugfs', ['-w', '-R', 'ssv journal_inum 0', file]);
  run('debugfs', ['-w', '-R', 'ssv journal_uuid 5b3bd6e1-3d3f-4c55-8a4e-1f9bd0e7a6c2', file]);
  expect(runSync(entriesOf(mountFile(file), 2)).map(({ name }) => decodeName(name))).toEqual(['lost+found']);
  run('debugfs', ['-w', '-R', 'feature needs_recovery', file]);
  expect(() => mountFile(file)).toThrow(Unsupported);
  expect(() => mountFile(file)).toThrow(/journal is on another device/);
});

test('a directory that ignores case finds names whatever their case', () => {
  const folder = scratchFolder();
  fs.mkdirSync(`${folder}/tree/folded`, { recursive: true });
  fs.mkdirSync(`${folder}/tree/plain`);
  for (const name of ['Grüße.TXT', 'ǅwide', 'plain']) {
    fs.writeFileSync(`${folder}/tree/folded/${name}`, name);
    fs.writeFileSync(`${folder}/tree/plain/${name}`, name);
  }
  const file = `${folder}/casefold.img`;
  must('mke2fs', '-q', '-F', '-t', 'ext4', '-O', 'casefold,^has_journal', '-E', 'encoding=utf8', '-d', `${folder}/tree`, file, '4M');
  must('debugfs', '-w', '-R', 'sif /folded flags 0x40080000', file);
  const mounted = mountFile(file);
  for (const name of ['grüße.txt', 'GRÜSSE.TXT', 'gru\u0308ße.txt'])
    expect(readAll(mounted, `/folded/${name}`).toString()).toBe('Grüße.TXT');
  expect(readAll(mounted, '/folded/ǆWIDE').toString()).toBe('ǅwide');
  expect(runSync(mounted.lookup(runSync(resolve(mounted, '/plain')), encodeName('PLAIN')))).toBeUndefined();
});

test('a file under verity reads up to its size', () => {
  const file = privateCopy(fixture('ext4/ext4-desc128.img'));
  const before = readAll(mountFile(file), '/sizes/13317');
  must('debugfs', '-w', '-R', 'feature verity', file);
  const flags = runSync(mountFile(file).stat(runSync(resolve(mountFile(file), '/sizes/13317')))).flags;
  must('debugfs', '-w', '-R', `sif /sizes/13317 flags ${flags + 0x100000}`, file);
  expect(readAll(mountFile(file), '/sizes/13317')).toEqual(before);
});

test('contents of encrypted files are refused, their names listed', () => {
  const mounted = mountBytes(load('ext4-encrypt'));
  const secret = golden('ext4-encrypt').nodes.find(({ error }) => error === 126)!;
  const node = runSync(resolve(mounted, `/${secret.path}`));
  expect(() => runSync(mounted.read(node, 0, new Uint8Array(10)))).toThrow(expect.objectContaining({ code: 'ENOKEY' }));
  expect(() => runSync(mounted.mapFile(node, 0, 1))).toThrow(Posix);
});

test('quota files, the journal and the resize inode are nobody’s to open', () => {
  const mounted = mountBytes(load('ext4-quota'));
  const { s_usr_quota_inum: user, s_prj_quota_inum: project } = mounted.volume.superblock.raw;
  expect(user).toBeGreaterThan(0);
  expect(project).toBeGreaterThan(10);
  for (const node of [0, 1, 7, 8, user, project, 2 ** 31, -1, 12.5])
    expect(() => runSync(mounted.stat(node)), String(node)).toThrow(Corrupt);
});

test('reads begin and end anywhere', () => {
  const mounted = mountBytes(load('ext4-1k'));
  for (const path of ['/sparse/holes', '/sparse/deep', '/sparse/unwritten', '/sizes/13317']) {
    const whole = readAll(mounted, path);
    const node = runSync(resolve(mounted, path));
    for (let i = 0; i < 200; i++) {
      const from = (i * 7919) % (whole.length + 500);
      const length = (i * i * 31) % 5000;
      const target = new Uint8Array(length).fill(0xee);
      const got = runSync(mounted.read(node, from, target));
      expect(got).toBe(Math.max(0, Math.min(length, whole.length - from)));
      expect(Buffer.compare(target.subarray(0, got), whole.subarray(from, from + got))).toBe(0);
      expect(target.subarray(got).every((byte) => byte === 0xee)).toBe(true);
    }
  }
});

test('what a node is not, it refuses', () => {
  const mounted = mountBytes(load('ext4-1k'));
  const file = runSync(resolve(mounted, '/sizes/3'));
  expect(() => runSync(mounted.readDirectory(file))).toThrow(expect.objectContaining({ code: 'ENOTDIR' }));
  expect(() => runSync(mounted.lookup(file, encodeName('x')))).toThrow(expect.objectContaining({ code: 'ENOTDIR' }));
  expect(() => runSync(mounted.readlink(file))).toThrow(expect.objectContaining({ code: 'EINVAL' }));
  expect(() => runSync(mounted.read(mounted.root, 0, new Uint8Array(1)))).toThrow(expect.objectContaining({ code: 'EISDIR' }));
  expect(() => runSync(mounted.lookup(mounted.root, new Uint8Array(256)))).toThrow(expect.objectContaining({ code: 'ENAMETOOLONG' }));
});
