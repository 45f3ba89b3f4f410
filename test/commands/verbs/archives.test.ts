/** Verbs that pack and unpack, judged by tar, cpio, gzip, xz, bzip2, zstd, base64, strings and hexdump. */
import * as fs from 'node:fs';
import { expect, test } from 'vitest';
import type { Io } from '../../../src/io/effect.ts';
import { fixture } from '../../support/images.ts';
import { must, run } from '../../support/oracle.ts';
import { Guest, newFile } from './guest.ts';

/** Collects what a verb sends. */
function collector(): { readonly push: (bytes: Uint8Array) => Io<void>; readonly bytes: () => Buffer } {
  const parts: Buffer[] = [];
  return {
    // biome-ignore lint/correctness/useYield: a sink that never waits
    *push(bytes) {
      parts.push(Buffer.from(bytes));
    },
    bytes: () => Buffer.concat(parts),
  };
}

/** Gives bytes in pieces. */
function feeder(bytes: Uint8Array, step = 1000): () => Io<Uint8Array | undefined> {
  let at = 0;
  // biome-ignore lint/correctness/useYield: a source that never waits
  return function* () {
    if (at >= bytes.length) return undefined;
    at += step;
    return bytes.slice(at - step, at);
  };
}

function populated(): Guest {
  const guest = Guest.empty();
  guest.call('mkdir_p', { path: '/d/sub/deep' });
  for (const [path, content] of [
    ['/d/a.txt', 'aaa'],
    ['/d/b.log', 'bbb'],
    ['/d/sub/a.txt', 'ccc'],
    ['/d/sub/deep/c.o', 'ddd'],
  ] as const) {
    guest.write(path, content);
  }
  guest.call('ln_s', { target: 'a.txt', linkname: '/d/link' });
  guest.call('ln', { target: '/d/a.txt', linkname: '/d/hard' });
  guest.call('setxattr', { xattr: 'user.note', val: 'x', vallen: 1, path: '/d/b.log' });
  return guest;
}

const EVERYTHING = ['./', './a.txt', './b.log', './hard', './link', './sub/', './sub/a.txt', './sub/deep/', './sub/deep/c.o'];

/** The names in an archive as GNU tar lists them. */
const namesIn = (archive: Buffer, ...options: string[]): string[] =>
  run('tar', ['-t', ...options], archive)
    .stdout.toString()
    .split('\n')
    .filter((name) => name !== '')
    .sort();

test('tar_out packs a directory, by every compression that is here', () => {
  const guest = populated();
  for (const compress of [undefined, 'gzip', 'bzip2', 'xz', 'zstd']) {
    const out = collector();
    guest.call('tar_out', { directory: '/d', tarfile: out.push, compress });
    expect(namesIn(out.bytes(), ...(compress === undefined ? [] : [`--${compress}`])), compress).toEqual(EVERYTHING);
  }
  for (const [name, option] of [
    ['tgz_out', '--gzip'],
    ['txz_out', '--xz'],
  ] as const) {
    const out = collector();
    guest.call(name, { directory: '/d', tarball: out.push });
    expect(namesIn(out.bytes(), option)).toEqual(EVERYTHING);
  }
  const tarfile = collector().push;
  expect(guest.errno('tar_out', { directory: '/d', tarfile, compress: 'nope' })).toBe('EINVAL');
  expect(guest.errno('tar_out', { directory: '/d', tarfile, compress: 'lzop' })).toBe('UNSUPPORTED');
  expect(guest.errno('tar_out', { directory: '/d/a.txt', tarfile })).toBe('ENOTDIR');
  expect(guest.errno('tar_out', { directory: '/none', tarfile })).toBe('ENOENT');
  guest.finish();
});

test.each([
  [['a.txt'], ['./', './b.log', './hard', './link', './sub/', './sub/deep/', './sub/deep/c.o']],
  [['./sub'], ['./', './a.txt', './b.log', './hard', './link']],
  [['sub/*'], ['./', './a.txt', './b.log', './hard', './link', './sub/']],
  [
    ['deep', '*.log'],
    ['./', './a.txt', './hard', './link', './sub/', './sub/a.txt'],
  ],
])('tar_out leaves out %j as tar does', (excludes, left) => {
  const out = collector();
  populated().call('tar_out', { directory: '/d', tarfile: out.push, excludes });
  expect(namesIn(out.bytes())).toEqual(left);
});

test('extended attributes go along only when they are asked for, both ways', () => {
  const guest = populated();
  const [plain, full] = [collector(), collector()];
  guest.call('tar_out', { directory: '/d', tarfile: plain.push });
  guest.call('tar_out', { directory: '/d', tarfile: full.push, xattrs: true });
  expect(plain.bytes().includes('SCHILY.xattr.user.note')).toBe(false);
  expect(full.bytes().includes('SCHILY.xattr.user.note')).toBe(true);
  for (const [path, xattrs, count] of [
    ['/without', undefined, 0],
    ['/with', true, 1],
  ] as const) {
    guest.call('mkdir', { path });
    guest.call('tar_in', { tarfile: feeder(full.bytes()), directory: path, xattrs });
    expect(guest.call('getxattrs', { path: `${path}/b.log` }).filter(({ attrname }) => attrname === 'user.note')).toHaveLength(count);
    expect(guest.call('cat', { path: `${path}/sub/deep/c.o` })).toBe('ddd');
  }
  guest.finish();
});

test('tar_in unpacks what each compressor made', () => {
  const folder = newFile('tree');
  fs.mkdirSync(folder);
  fs.writeFileSync(`${folder}/hello`, 'hello\n');
  const guest = Guest.empty();
  for (const compress of ['gzip', 'bzip2', 'xz', 'zstd']) {
    const archive = run('tar', ['-c', `--${compress}`, '-C', folder, '.']).stdout;
    guest.call('mkdir', { path: `/${compress}` });
    guest.call('tar_in', { tarfile: feeder(archive, 17), directory: `/${compress}`, compress });
    expect(guest.call('cat', { path: `/${compress}/hello` })).toBe('hello\n');
  }
  guest.call('tgz_in', { tarball: feeder(run('tar', ['-cz', '-C', folder, '.']).stdout), directory: '/' });
  expect(guest.call('cat', { path: '/hello' })).toBe('hello\n');
  expect(() => guest.call('tar_in', { tarfile: feeder(Buffer.from('not a tar')), directory: '/' })).toThrow();
  guest.finish();
});

test('a directory of the archive keeps a link to a directory where that is asked for', () => {
  const folder = newFile('tree');
  fs.mkdirSync(`${folder}/lib`, { recursive: true });
  fs.writeFileSync(`${folder}/lib/x`, 'x');
  const archive = run('tar', ['-c', '-C', folder, '.']).stdout;
  const guest = Guest.empty();
  guest.call('mkdir_p', { path: '/usr/lib' });
  guest.call('ln_s', { target: 'usr/lib', linkname: '/lib' });
  guest.call('tar_in', { tarfile: feeder(archive), directory: '/', keepdirlink: true });
  expect(guest.call('readlink', { path: '/lib' })).toBe('usr/lib');
  expect(guest.call('cat', { path: '/usr/lib/x' })).toBe('x');
  guest.finish();
});

test.each(['newc', 'crc'])('cpio_out %s', (format) => {
  const guest = populated();
  const out = collector();
  guest.call('cpio_out', { directory: '/d', cpiofile: out.push, format });
  const folder = newFile('unpacked');
  fs.mkdirSync(folder);
  const unpacked = run('sh', ['-c', `cd '${folder}' && cpio -id`], out.bytes());
  expect(unpacked.status, unpacked.stderr).toBe(0);
  expect(fs.readdirSync(folder, { recursive: true }).map(String).sort()).toEqual(
    ['a.txt', 'b.log', 'hard', 'link', 'sub', 'sub/a.txt', 'sub/deep', 'sub/deep/c.o'].sort(),
  );
  expect(fs.readFileSync(`${folder}/hard`, 'utf8')).toBe('aaa');
  expect(fs.readlinkSync(`${folder}/link`)).toBe('a.txt');
  expect(guest.errno('cpio_out', { directory: '/d', cpiofile: out.push, format: 'odc' })).toBe('EINVAL');
});

test('compress_out and compress_device_out', () => {
  const guest = populated();
  for (const ctype of ['gzip', 'bzip2', 'xz']) {
    const [file, device] = [collector(), collector()];
    guest.call('compress_out', { ctype, file: '/d/a.txt', zfile: file.push, level: 9 });
    expect(run(ctype, ['-dc'], file.bytes()).stdout.toString()).toBe('aaa');
    if (ctype !== 'gzip') continue;
    guest.call('compress_device_out', { ctype, device: '/dev/sda', zdevice: device.push });
    expect(run(ctype, ['-dc'], device.bytes()).stdout.length).toBe(16 << 20);
  }
  const zfile = collector().push;
  expect(guest.errno('compress_out', { ctype: 'lzma', file: '/d/a.txt', zfile })).toBe('EINVAL');
  expect(guest.errno('compress_out', { ctype: 'gzip', file: '/d/a.txt', zfile, level: 10 })).toBe('EINVAL');
  expect(guest.errno('compress_out', { ctype: 'gzip', file: '/none', zfile })).toBe('ENOENT');
});

test('base64 both ways, as base64(1) has it', () => {
  const guest = Guest.empty();
  for (const length of [0, 1, 2, 3, 56, 57, 58, 1000]) {
    const bytes = Uint8Array.from({ length }, (_, i) => (i * 37) % 256);
    const text = run('base64', [], bytes).stdout;
    guest.call('base64_in', { base64file: feeder(text, 7), filename: '/f' });
    expect(Buffer.compare(Buffer.from(guest.call('read_file', { path: '/f' })), bytes)).toBe(0);
    const out = collector();
    guest.call('base64_out', { filename: '/f', base64file: out.push });
    expect(out.bytes().toString()).toBe(text.toString());
  }
  expect(guest.errno('base64_in', { base64file: feeder(Buffer.from('!!!')), filename: '/f' })).toBe('EINVAL');
  expect(guest.errno('base64_in', { base64file: feeder(Buffer.from('aGVsbG8K=')), filename: '/f' })).toBe('EINVAL');
  guest.finish();
});

test('strings and hexdump, as the tools', () => {
  const guest = Guest.empty();
  const file = newFile('bytes');
  const bytes = Buffer.concat([
    fs.readFileSync('/bin/true').subarray(0, 20_000),
    new Uint8Array(500),
    Buffer.from('\0h\0e\0l\0l\0o\0\n\xe4\xf6\xfc\xdf!\t', 'latin1'),
  ]);
  fs.writeFileSync(file, bytes);
  guest.call('internal_write', { path: '/f', content: bytes });
  expect(guest.call('strings', { path: '/f' })).toEqual(must('strings', '-a', file).split('\n').slice(0, -1));
  for (const encoding of ['s', 'b', 'l', 'B', 'L']) {
    expect(guest.call('strings_e', { encoding, path: '/f' }), encoding).toEqual(
      must('strings', '-a', '-e', encoding, file).split('\n').slice(0, -1),
    );
  }
  expect(guest.errno('strings_e', { encoding: 'x', path: '/f' })).toBe('EINVAL');
  expect(guest.call('strings', { path: '/' })).toEqual([]);
  expect(guest.call('hexdump', { path: '/f' })).toBe(must('hexdump', '-C', file));
  expect(guest.call('hexdump', { path: '/' })).toBe('');
});

test('file, file_architecture and initrds', () => {
  const guest = populated();
  guest.call('mkfifo', { mode: 0o644, path: '/fifo' });
  guest.call('mknod_c', { mode: 0o644, devmajor: 1, devminor: 3, path: '/char' });
  guest.call('mknod_b', { mode: 0o644, devmajor: 8, devminor: 1, path: '/block' });
  const kinds = ['/d', '/d/link', '/fifo', '/char', '/block', '/d/a.txt'].map((path) => guest.call('file', { path }));
  expect(kinds).toEqual(['directory', 'symbolic link', 'FIFO', 'character device', 'block device', 'ASCII text, with no line terminators']);
  expect(guest.call('file', { path: '/dev/sda' })).toMatch(/^Linux rev 1.0 ext4 filesystem data, UUID=/);
  expect(guest.errno('file', { path: '/none' })).toBe('ENOENT');
  guest.call('internal_write', { path: '/true', content: new Uint8Array(fs.readFileSync('/bin/true')) });
  expect(guest.call('file_architecture', { filename: '/true' })).toBe(must('uname', '-m').trim());
  for (const filename of ['/d', '/d/link', '/d/a.txt']) expect(guest.errno('file_architecture', { filename })).toBe('EINVAL');
  const folder = newFile('initrd');
  fs.mkdirSync(`${folder}/sub`, { recursive: true });
  fs.writeFileSync(`${folder}/sub/f`, 'x\n');
  const archive = run('sh', ['-c', `cd '${folder}' && find . | cpio -o -H newc 2>/dev/null`]).stdout;
  for (const packed of [archive, run('gzip', ['-c'], archive).stdout, run('xz', ['-c'], archive).stdout]) {
    guest.call('internal_write', { path: '/initrd', content: packed });
    expect(guest.call('initrd_list', { path: '/initrd' })).toEqual(['.', 'sub', 'sub/f']);
    expect(Buffer.from(guest.call('initrd_cat', { initrdpath: '/initrd', filename: 'sub/f' })).toString()).toBe('x\n');
  }
  expect(guest.errno('initrd_cat', { initrdpath: '/initrd', filename: 'none' })).toBe('ENOENT');
  expect(guest.errno('initrd_cat', { initrdpath: '/initrd', filename: 'sub' })).toBe('EISDIR');
});

test('isoinfo', () => {
  const guest = Guest.empty();
  const image = fs.readFileSync(fixture('iso9660/rock-joliet.iso'));
  guest.call('internal_write', { path: '/x.iso', content: new Uint8Array(image) });
  const said = guest.call('isoinfo', { isofile: '/x.iso' });
  expect(said).toMatchObject({
    iso_system_id: 'LINUX',
    iso_volume_id: 'BOTH',
    iso_volume_set_size: 1,
    iso_volume_sequence_number: 1,
    iso_logical_block_size: 2048,
    iso_volume_space_size: image.length / 2048,
    iso_volume_expiration_t: -1,
  });
  expect(said.iso_volume_creation_t).toBeGreaterThan(1_700_000_000);
  expect(guest.errno('isoinfo_device', { device: '/dev/sda' })).toBe('EINVAL');
});
