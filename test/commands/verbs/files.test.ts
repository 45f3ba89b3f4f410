/** Verbs that make, change, copy and remove files; libguestfs's own appliance gave the same answers to the same calls. */
import { describe, expect, it } from 'vitest';
import { must, run } from '../../support/oracle.ts';
import { Guest, hostFile } from './guest.ts';

const mode = (guest: Guest, path: string): string => (guest.call('lstatns', { path }).st_mode & 0o7777).toString(8);
const text = (guest: Guest, path: string): string => guest.call('cat', { path });

describe('making and removing', () => {
  it('the umask holds for everything that is made', () => {
    const guest = Guest.empty();
    expect(guest.call('umask', { mask: 0o077 })).toBe(0o022);
    guest.call('touch', { path: '/touch' });
    guest.call('mkdir', { path: '/mkdir' });
    guest.call('mkdir_mode', { path: '/mkdir_mode', mode: 0o1777 });
    guest.call('mkdir_p', { path: '/mkdir_p/below' });
    guest.call('mkfifo', { mode: 0o777, path: '/mkfifo' });
    guest.write('/write', 'x');
    guest.call('fill', { c: 1, len: 1, path: '/fill' });
    guest.call('fallocate64', { path: '/fallocate', len: 10 });
    guest.call('mktemp', { tmpl: '/mktemp-XXXXXX', suffix: '.txt' });
    guest.call('ln_s', { target: 'x', linkname: '/symlink' });
    const modes = Object.fromEntries(
      guest.call('ls', { directory: '/' }).map((name) => [name.replace(/-.{6}/, '-'), mode(guest, `/${name}`)]),
    );
    expect(modes).toEqual({
      fallocate: '600',
      fill: '600',
      'lost+found': '700',
      mkdir: '700',
      mkdir_mode: '1700',
      mkdir_p: '700',
      mkfifo: '700',
      'mktemp-.txt': '600',
      symlink: '777',
      touch: '600',
      write: '600',
    });
    guest.finish();
  });

  it('devices are made with their numbers, and modes that hold more are refused', () => {
    const guest = Guest.empty();
    guest.call('mknod', { mode: 0o60640, devmajor: 8, devminor: 1, path: '/block' });
    guest.call('mknod_c', { mode: 0o1644, devmajor: 5, devminor: 300, path: '/character' });
    guest.call('mknod', { mode: 0o140777, devmajor: 0, devminor: 0, path: '/socket' });
    guest.call('mknod', { mode: 0o644, devmajor: 0, devminor: 0, path: '/regular' });
    const { st_mode, st_rdev } = guest.call('lstatns', { path: '/character' });
    expect([st_mode, st_rdev]).toEqual([0o21644, 1049900]);
    expect(guest.errno('mknod_b', { mode: 0o20644, devmajor: 1, devminor: 1, path: '/x' })).toBe('EINVAL');
    expect(guest.errno('mkfifo', { mode: -1, path: '/x' })).toBe('EINVAL');
    expect(guest.errno('mknod', { mode: 0o40755, devmajor: 0, devminor: 0, path: '/x' })).toBe('EPERM');
    expect(guest.errno('mknod', { mode: 0o120777, devmajor: 0, devminor: 0, path: '/x' })).toBe('EINVAL');
    const kinds = ['is_blockdev', 'is_chardev', 'is_socket', 'is_file', 'is_dir', 'is_fifo'] as const;
    const found = ['/block', '/character', '/socket', '/regular'].map((path) => kinds.filter((kind) => guest.call(kind, { path })));
    expect(found).toEqual([['is_blockdev'], ['is_chardev'], ['is_socket'], ['is_file']]);
    guest.finish();
    expect(must('debugfs', '-R', 'stat /character', guest.image)).toMatch(/Device major\/minor number: 05:300/);
  });

  it('touch is for regular files and gives them the time of now', () => {
    const guest = Guest.empty();
    guest.call('touch', { path: '/f' });
    guest.call('utimens', { path: '/f', atsecs: 5, atnsecs: 6, mtsecs: 7, mtnsecs: 8 });
    expect(guest.call('lstatns', { path: '/f' })).toMatchObject({ st_atime_sec: 5, st_atime_nsec: 6, st_mtime_sec: 7, st_mtime_nsec: 8 });
    guest.call('utimens', { path: '/f', atsecs: 0, atnsecs: -2, mtsecs: 0, mtnsecs: -1 });
    const { st_atime_sec, st_mtime_sec } = guest.call('lstatns', { path: '/f' });
    expect(st_atime_sec).toBe(5);
    expect(Math.abs(st_mtime_sec - Date.now() / 1000)).toBeLessThan(60);
    guest.call('touch', { path: '/f' });
    expect(guest.call('lstatns', { path: '/f' }).st_atime_sec).toBeGreaterThan(5);
    expect(guest.errno('utimens', { path: '/f', atsecs: 0, atnsecs: 1_000_000_000, mtsecs: 0, mtnsecs: 0 })).toBe('EINVAL');
    guest.call('ln_s', { target: 'f', linkname: '/l' });
    for (const path of ['/l', '/lost+found']) expect(guest.errno('touch', { path })).toBe('EINVAL');
    expect(guest.errno('touch', { path: '/none/x' })).toBe('ENOENT');
    guest.finish();
  });

  it('removing says what is wrong as the system calls do', () => {
    const guest = Guest.empty();
    guest.call('mkdir_p', { path: '/d/e' });
    guest.write('/f', 'x');
    const answers = [
      guest.errno('rm', { path: '/none' }),
      guest.errno('rm', { path: '/d' }),
      guest.errno('rm_f', { path: '/none' }),
      guest.errno('rm_f', { path: '/f/x' }),
      guest.errno('rmdir', { path: '/d' }),
      guest.errno('rmdir', { path: '/f' }),
      guest.errno('rm_rf', { path: '/' }),
      guest.errno('rm_rf', { path: '/none/x' }),
      guest.errno('rm_rf', { path: '/d' }),
      guest.errno('rm', { path: '/f' }),
    ];
    expect(answers).toEqual(['ENOENT', 'EISDIR', 'none', 'ENOTDIR', 'ENOTEMPTY', 'ENOTDIR', 'EINVAL', 'none', 'none', 'none']);
    expect(guest.call('ls', { directory: '/' })).toEqual(['lost+found']);
    guest.finish();
  });

  it('temporary names are new ones, and templates have to be templates', () => {
    const guest = Guest.empty();
    const made = guest.call('mkdtemp', { tmpl: '/dir-XXXXXX' });
    expect(made).toMatch(/^\/dir-[A-Za-z0-9]{6}$/);
    expect(mode(guest, made)).toBe('700');
    for (const tmpl of ['/tmp', '/XXXXX', '/XXXXXXa']) expect(guest.errno('mkdtemp', { tmpl })).toBe('EINVAL');
    expect(guest.errno('mktemp', { tmpl: '/aXXXXXX', suffix: 'b/c' })).toBe('EINVAL');
    expect(guest.errno('mktemp', { tmpl: '/none/XXXXXX' })).toBe('ENOENT');
  });
});

describe('contents', () => {
  it('fill writes over the beginning only, truncate wants a file that is there, fallocate begins anew', () => {
    const guest = Guest.empty();
    guest.call('fill', { c: 0x41, len: 3, path: '/f' });
    guest.call('fill_pattern', { pattern: 'xy', len: 1, path: '/f' });
    expect(text(guest, '/f')).toBe('xAA');
    guest.call('fill_pattern', { pattern: 'abc', len: 1_500_001, path: '/p' });
    expect(guest.call('filesize', { file: '/p' })).toBe(1_500_001);
    expect(Buffer.from(guest.call('pread', { path: '/p', count: 4, offset: 1_499_997 })).toString()).toBe('abca');
    guest.call('truncate_size', { path: '/f', size: 5 });
    expect(Buffer.from(guest.call('read_file', { path: '/f' })).toString()).toBe('xAA\0\0');
    guest.call('fallocate64', { path: '/f', len: 100_000 });
    expect(guest.call('is_zero', { path: '/f' })).toBe(true);
    expect(guest.call('lstatns', { path: '/f' }).st_blocks).toBeGreaterThanOrEqual(196);
    expect(guest.errno('truncate', { path: '/none' })).toBe('ENOENT');
    expect(guest.errno('truncate_size', { path: '/f', size: -1 })).toBe('EINVAL');
    expect(guest.errno('fallocate64', { path: '/f', len: 0 })).toBe('EINVAL');
    expect(guest.errno('fallocate64', { path: '/g', len: 2 ** 40 })).toBe('ENOSPC');
    expect(guest.errno('fill', { c: 256, len: 1, path: '/f' })).toBe('EINVAL');
    expect(guest.errno('fill_pattern', { pattern: '', len: 1, path: '/f' })).toBe('EINVAL');
    guest.finish();
  });

  it('pread, pwrite and write_file keep to their limits', () => {
    const guest = Guest.empty();
    guest.write('/f', 'hello world');
    expect(guest.call('pwrite', { path: '/f', content: Buffer.from('XY'), offset: 1 })).toBe(2);
    expect(text(guest, '/f')).toBe('hXYlo world');
    expect(guest.call('pread', { path: '/f', count: 100, offset: 20 })).toHaveLength(0);
    expect(guest.errno('pread', { path: '/f', count: 100_000_000, offset: 0 })).toBe('EINVAL');
    expect(guest.errno('pread', { path: '/f', count: -1, offset: 0 })).toBe('EINVAL');
    expect(guest.errno('pwrite', { path: '/f', content: Buffer.from('X'), offset: -1 })).toBe('EINVAL');
    guest.call('write_file', { path: '/w', content: 'abcdef', size: 3 });
    expect(text(guest, '/w')).toBe('abc');
    expect(guest.errno('write_file', { path: '/w', content: 'abc', size: 10_000 })).toBe('EINVAL');
    guest.finish();
  });

  it('upload and download carry files and devices, in whole and in part', () => {
    const guest = Guest.empty();
    const pieces = (...all: string[]) => {
      const left = all.map((piece) => Buffer.from(piece));
      // biome-ignore lint/correctness/useYield: the pieces are at hand
      return function* () {
        return left.shift();
      };
    };
    guest.call('upload', { filename: pieces('hello ', '', 'world'), remotefilename: '/f' });
    guest.call('upload_offset', { filename: pieces('XX'), remotefilename: '/f', offset: 4 });
    const part = (offset: number, size: number) =>
      guest.received((filename) => guest.call('download_offset', { remotefilename: '/f', filename, offset, size })).toString();
    expect(guest.received((filename) => guest.call('download', { remotefilename: '/f', filename })).toString()).toBe('hellXXworld');
    expect([part(2, 3), part(9, 1000), part(1000, 5)]).toEqual(['llX', 'ld', '']);
    guest.call('upload_offset', { filename: pieces('Q'), remotefilename: '/new', offset: 3 });
    expect(Buffer.from(guest.call('read_file', { path: '/new' })).toString()).toBe('\0\0\0Q');
    const magic = guest.received((filename) =>
      guest.call('download_offset', { remotefilename: '/dev/sda', filename, offset: 1080, size: 2 }),
    );
    expect(magic.toString('hex')).toBe('53ef');
    expect(guest.errno('upload_offset', { filename: pieces('Q'), remotefilename: '/dev/sda', offset: 2 ** 40 })).toBe('ENOSPC');
    guest.finish();
  });

  it('ranges are copied between files', () => {
    const guest = Guest.empty();
    guest.write('/f', 'hello world');
    guest.call('copy_file_to_file', { src: '/f', dest: '/c', srcoffset: 2, destoffset: 4, size: 3 });
    expect(Buffer.from(guest.call('read_file', { path: '/c' })).toString()).toBe('\0\0\0\0llo');
    guest.call('copy_file_to_file', { src: '/f', dest: '/c', size: 1, destoffset: 1 });
    expect(Buffer.from(guest.call('read_file', { path: '/c' })).toString()).toBe('\0h');
    for (let i = 0; i < 2; i++) guest.call('copy_file_to_file', { src: '/f', dest: '/a', append: true, destoffset: 3 });
    expect(text(guest, '/a')).toBe('hello worldhello world');
    guest.call('truncate_size', { path: '/f', size: 1_000_000 });
    guest.call('copy_file_to_file', { src: '/f', dest: '/sparse', sparse: true });
    expect(guest.call('equal', { file1: '/f', file2: '/sparse' })).toBe(true);
    expect(guest.call('lstatns', { path: '/sparse' }).st_blocks).toBeLessThan(200);
    guest.call('copy_size', { src: '/f', dest: '/s', size: 5 });
    guest.call('dd', { src: '/s', dest: '/dd' });
    expect(text(guest, '/dd')).toBe('hello');
    expect(guest.errno('copy_size', { src: '/s', dest: '/dd', size: 6 })).toBe('EINVAL');
    expect(text(guest, '/dd')).toBe('hello');
    for (const wrong of [{ srcoffset: -1 }, { destoffset: -1 }, { size: -1 }, { size: 100 }]) {
      expect(guest.errno('copy_file_to_file', { src: '/s', dest: '/dd', ...wrong })).toBe('EINVAL');
    }
    guest.finish();
  });

  it('checksums are those of the real tools', () => {
    const guest = Guest.empty();
    for (const content of ['', 'hello\n', 'x'.repeat(3_000_000)]) {
      const file = hostFile(content);
      guest.write('/f', content);
      for (const type of ['md5', 'sha1', 'sha224', 'sha256', 'sha384', 'sha512']) {
        expect(guest.call('checksum', { csumtype: type.toUpperCase(), path: '/f' })).toBe(must(`${type}sum`, file).split(' ')[0]);
      }
      expect(guest.call('checksum', { csumtype: 'crc', path: '/f' })).toBe(must('cksum', file).split(' ')[0]);
    }
    expect(guest.errno('checksum', { csumtype: 'gost', path: '/f' })).toBe('EINVAL');
    guest.write('/f', 'one');
    guest.call('mkdir', { path: '/d' });
    guest.write('/d/a\\b', 'two');
    const sums = (csumtype: string) =>
      guest.received((sumsfile) => guest.call('checksums_out', { csumtype, directory: '/', sumsfile })).toString();
    const expected = run('sh', [
      '-c',
      'cd "$(mktemp -d)" && mkdir d && printf two >"d/a\\\\b" && printf one >f && md5sum "./d/a\\\\b" ./f',
    ]);
    expect(sums('md5')).toBe(expected.stdout.toString());
    expect(sums('crc')).toBe(
      '1371640498 3 ./d/a\\b\n2648632822 3 ./f\n'.replace('1371640498', guest.call('checksum', { csumtype: 'crc', path: '/d/a\\b' })),
    );
  });
});

describe('copying and moving', () => {
  it('cp follows links, cp-r and cp-a do not, cp-a keeps everything', () => {
    const guest = Guest.empty();
    guest.call('mkdir_p', { path: '/src/sub' });
    guest.write('/src/f', 'content');
    guest.call('ln', { target: '/src/f', linkname: '/src/sub/hard' });
    guest.call('ln_s', { target: 'f', linkname: '/src/soft' });
    guest.call('mkfifo', { mode: 0o640, path: '/src/fifo' });
    guest.call('chown', { owner: 1000, group: 1001, path: '/src/f' });
    guest.call('chmod', { mode: 0o4750, path: '/src/f' });
    guest.call('setxattr', { xattr: 'user.a', val: 'v', vallen: 1, path: '/src/f' });
    guest.call('utimens', { path: '/src/f', atsecs: 1, atnsecs: 2, mtsecs: 3, mtnsecs: 4 });
    guest.call('utimens', { path: '/src', atsecs: 5, atnsecs: 6, mtsecs: 7, mtnsecs: 8 });
    guest.call('cp_a', { src: '/src', dest: '/all' });
    const all = guest.call('lstatns', { path: '/all/f' });
    expect(all).toMatchObject({
      st_mode: 0o104750,
      st_uid: 1000,
      st_gid: 1001,
      st_nlink: 2,
      st_atime_sec: 1,
      st_atime_nsec: 2,
      st_mtime_sec: 3,
      st_mtime_nsec: 4,
    });
    expect(guest.call('lstatns', { path: '/all/sub/hard' }).st_ino).toBe(all.st_ino);
    expect(guest.call('lstatns', { path: '/all' })).toMatchObject({ st_mtime_sec: 7, st_mtime_nsec: 8 });
    expect(guest.call('getxattrs', { path: '/all/f' }).map(({ attrname }) => attrname)).toEqual(['user.a']);
    expect(guest.call('readlink', { path: '/all/soft' })).toBe('f');
    guest.call('cp_r', { src: '/src', dest: '/all' });
    expect(guest.call('find', { directory: '/all/' })).toEqual([
      'f',
      'fifo',
      'soft',
      'src',
      'src/f',
      'src/fifo',
      'src/soft',
      'src/sub',
      'src/sub/hard',
      'sub',
      'sub/hard',
    ]);
    expect(guest.call('lstatns', { path: '/all/src/f' })).toMatchObject({ st_mode: 0o100750, st_uid: 0, st_nlink: 1 });
    guest.call('cp', { src: '/src/soft', dest: '/plain' });
    expect(guest.call('is_file', { path: '/plain' })).toBe(true);
    expect(text(guest, '/plain')).toBe('content');
    guest.finish();
  });

  it('nothing is copied into itself, over itself or through a link that leads nowhere', () => {
    const guest = Guest.empty();
    guest.call('mkdir_p', { path: '/d/e' });
    guest.write('/f', 'x');
    guest.call('ln_s', { target: '/nowhere', linkname: '/dangling' });
    expect(guest.errno('cp_r', { src: '/d', dest: '/d/e' })).toBe('EINVAL');
    expect(guest.errno('mv', { src: '/d', dest: '/d/e/x' })).toBe('EINVAL');
    expect(guest.errno('cp', { src: '/f', dest: '/f' })).toBe('EINVAL');
    expect(guest.errno('mv', { src: '/f', dest: '/f' })).toBe('EINVAL');
    expect(guest.errno('cp', { src: '/d', dest: '/x' })).toBe('EISDIR');
    expect(guest.errno('cp', { src: '/f', dest: '/dangling' })).toBe('EEXIST');
    expect(guest.errno('cp', { src: '/none', dest: '/x' })).toBe('ENOENT');
    expect(guest.errno('cp_r', { src: '/d', dest: '/f' })).toBe('ENOTDIR');
    expect(guest.call('find', { directory: '/' })).toEqual(['d', 'd/e', 'dangling', 'f', 'lost+found']);
    guest.call('mv', { src: '/f', dest: '/d' });
    guest.call('mv', { src: '/d/f', dest: '/d/e/g' });
    expect(guest.call('find', { directory: '/d' })).toEqual(['/e', '/e/g']);
    guest.finish();
  });

  it('copy_attributes copies what is asked for', () => {
    const guest = Guest.empty();
    for (const name of ['/a', '/b']) guest.write(name, name);
    guest.call('chown', { owner: 5, group: 6, path: '/a' });
    guest.call('chmod', { mode: 0o4711, path: '/a' });
    guest.call('setxattr', { xattr: 'user.x', val: 'v', vallen: 1, path: '/a' });
    guest.call('copy_attributes', { src: '/a', dest: '/b' });
    expect(mode(guest, '/b')).toBe('644');
    guest.call('copy_attributes', { src: '/a', dest: '/b', mode: true });
    expect(guest.call('statns', { path: '/b' })).toMatchObject({ st_mode: 0o104711, st_uid: 0 });
    guest.call('copy_attributes', { src: '/a', dest: '/b', all: true });
    expect(guest.call('statns', { path: '/b' })).toMatchObject({ st_mode: 0o104711, st_uid: 5, st_gid: 6 });
    expect(guest.call('lgetxattr', { path: '/b', name: 'user.x' })).toHaveLength(1);
    expect(guest.errno('copy_attributes', { src: '/none', dest: '/b' })).toBe('ENOENT');
    guest.finish();
  });
});
