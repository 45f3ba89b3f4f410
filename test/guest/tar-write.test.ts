import * as fs from 'node:fs';
import * as path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { decodeName, encodeName } from '../../src/bytes/index.ts';
import { mountExt4 } from '../../src/ext4/index.ts';
import { aclBytes, GuestTree, type TarOptions, writeTar } from '../../src/guest/index.ts';
import { runSync, SourceDevice } from '../../src/io/index.ts';
import { FileSource } from '../../src/platform/node/index.ts';
import { MemoryFileSystem } from '../../src/testing/index.ts';
import { scratchFolder, untouched } from '../support/images.ts';
import { must, run } from '../support/oracle.ts';
import { listing, makeHostTree } from './host-tree.ts';

function archive(tree: GuestTree, start: string, file: string, options: TarOptions = {}): number {
  const descriptor = fs.openSync(file, 'w');
  const summary = runSync(
    writeTar(tree, start, options, (bytes) => {
      fs.writeSync(descriptor, bytes);
      return undefined;
    }),
  );
  fs.closeSync(descriptor);
  expect(fs.statSync(file).size).toBe(summary.bytes);
  expect(summary.bytes % 10240).toBe(0);
  return summary.entries;
}

describe('a tree of the host, in an ext4 image by mke2fs, written by us and extracted by GNU tar', () => {
  const scratch = scratchFolder();
  const source = path.join(scratch, 'source');
  const image = path.join(scratch, 'image.ext4');
  let tree: GuestTree;

  beforeAll(() => {
    makeHostTree(source);
    must('mke2fs', '-q', '-t', 'ext4', '-I', '512', '-d', source, image, '64M');
    tree = GuestTree.of(runSync(mountExt4(new SourceDevice(FileSource.open(image)))));
  });

  test.each([
    ['one big buffer', {}],
    ['a buffer of one block', { bufferSize: 512 }],
    ['holes as zeros', { sparse: false }],
  ] as const)('%s', async (title, options) => {
    await untouched([image], () => {
      const name = title.replaceAll(' ', '-');
      const file = path.join(scratch, `${name}.tar`);
      const warnings: string[] = [];
      archive(tree, '/', file, { ...options, onWarning: (warning) => warnings.push(decodeName(warning.path)) });
      expect(warnings).toEqual(['/socket']);
      const target = path.join(scratch, name);
      fs.mkdirSync(target);
      const outcome = run('tar', ['--xattrs', '--xattrs-include=*', '--acls', '--numeric-owner', '-xpf', file, '-C', target]);
      expect(outcome.stderr.replace(/^tar: .*: implausibly old time stamp .*\n/gm, '')).toBe('');
      expect(outcome.status).toBe(0);
      fs.rmdirSync(path.join(target, 'lost+found'));
      expect(listing(target)).toEqual(listing(source));
      if (!('sparse' in options)) {
        expect(fs.statSync(path.join(target, 'sparse')).blocks * 512).toBeLessThan(100_000);
        expect(fs.statSync(path.join(target, 'hole')).blocks).toBe(0);
        expect(fs.statSync(file).size).toBeLessThan(6_000_000);
      }
    });
  });

  test('the names are those that tar -C gives', () => {
    const file = path.join(scratch, 'names.tar');
    archive(tree, '/', file);
    const ours = must('tar', 'tf', file)
      .split('\n')
      .filter((name) => name !== './lost+found/')
      .sort();
    must('tar', '--format=pax', '-cf', path.join(scratch, 'gnu.tar'), '--exclude=./socket', '-C', source, '.');
    expect(ours).toEqual(must('tar', 'tf', path.join(scratch, 'gnu.tar')).split('\n').sort());
  });

  test('a part of the tree, and a single file', () => {
    const file = path.join(scratch, 'part.tar');
    archive(tree, '/usr/empty', file);
    expect(must('tar', 'tf', file)).toBe('./\n./hard\n');
    archive(tree, '/etc/passwd', file);
    expect(must('tar', 'tf', file)).toBe('passwd\n');
    expect(must('tar', 'xOf', file)).toBe('root\n');
  });

  test('python reads it too', () => {
    const file = path.join(scratch, 'python.tar');
    archive(tree, '/', file);
    const script = 'import tarfile,sys; print(len([m.name for m in tarfile.open(sys.argv[1])]))';
    expect(Number(must('python3', '-c', script, file))).toBe(must('tar', 'tf', file).split('\n').length - 1);
  });
});

describe('what a disk of a test cannot hold', () => {
  const scratch = scratchFolder();

  test('a sparse file of 20 TiB is a few kilobytes in the archive', () => {
    const system = new MemoryFileSystem();
    const node = runSync(system.create(system.root, encodeName('huge'), { mode: 0o644, uid: 3_000_000_000 }));
    const size = 20 * 2 ** 40;
    runSync(system.truncate(node, size));
    runSync(system.write(node, 2 ** 43, encodeName('middle')));
    const file = path.join(scratch, 'huge.tar');
    archive(GuestTree.of(system), '/', file);
    expect(fs.statSync(file).size).toBeLessThanOrEqual(20_480);
    expect(must('tar', '--numeric-owner', '-tvf', file)).toMatch(new RegExp(`-rw-r--r-- 3000000000/0 +${size} .* ./huge`));
  });

  test('times keep their nanoseconds, before 1970 and after 2242 too', () => {
    const system = new MemoryFileSystem();
    const times = [
      { seconds: 0, nanoseconds: 1 },
      { seconds: -1, nanoseconds: 500_000_000 },
      { seconds: -2, nanoseconds: 999_999_999 },
      { seconds: -86_400, nanoseconds: 0 },
      { seconds: 981_173_106, nanoseconds: 123_456_789 },
      { seconds: 9_000_000_000, nanoseconds: 120_000_000 },
    ];
    times.forEach((mtime, i) => {
      const node = runSync(system.create(system.root, encodeName(String(i)), { mode: 0o644 }));
      runSync(system.setAttributes(node, { mtime }));
    });
    const file = path.join(scratch, 'times.tar');
    archive(GuestTree.of(system), '/', file);
    const target = path.join(scratch, 'times');
    fs.mkdirSync(target);
    must('tar', '-xf', file, '-C', target);
    const extracted = times.map((_, i) => fs.lstatSync(path.join(target, String(i)), { bigint: true }).mtimeNs);
    expect(extracted).toEqual(times.map(({ seconds, nanoseconds }) => BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds)));
  });

  test('more than 8 GiB of data: the size stands in an extended record', () => {
    const system = new MemoryFileSystem();
    const node = runSync(system.create(system.root, encodeName('huge'), { mode: 0o644 }));
    runSync(system.truncate(node, 2 ** 33 + 5));
    let header = new Uint8Array(0);
    const enough = new Error('enough');
    expect(() =>
      runSync(
        writeTar(GuestTree.of(system), '/huge', { sparse: false, bufferSize: 4096 }, (bytes) => {
          header = bytes.slice();
          throw enough;
        }),
      ),
    ).toThrow(enough);
    expect(Buffer.from(header).toString('latin1')).toContain(`19 size=${2 ** 33 + 5}\n`);
  });

  test('an ACL is kept as text and turns back into the same bytes', () => {
    const text = 'user::rw-,user:1000:r--,group::r--,group:5:---,mask::r--,other::---';
    const system = new MemoryFileSystem();
    const node = runSync(system.create(system.root, encodeName('f'), { mode: 0o640 }));
    runSync(system.setXattr(node, encodeName('system.posix_acl_access'), aclBytes(text) as Uint8Array));
    const file = path.join(scratch, 'acl.tar');
    archive(GuestTree.of(system), '/', file);
    expect(must('tar', '--acls', '-tvvf', file)).toContain('user:1000:r--');
    expect(fs.readFileSync(file, 'latin1')).toContain(`SCHILY.acl.access=${text}\n`);
  });
});
