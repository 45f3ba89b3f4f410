/** Verbs that list, and verbs about links, attributes, access control lists, capabilities and space. */
import { describe, expect, it } from 'vitest';
import { formatAcl, parseAcl } from '../../../src/commands/verbs/acl-text.ts';
import { formatCapabilities, parseCapabilities } from '../../../src/commands/verbs/capability-text.ts';
import { expandBraces } from '../../../src/commands/verbs/glob-expand.ts';
import { run } from '../../support/oracle.ts';
import { Guest } from './guest.ts';

describe('listing', () => {
  const guest = Guest.empty();
  guest.call('mkdir_p', { path: '/d/Sub' });
  guest.write('/d/f', 'x'.repeat(3000));
  guest.write('/d/.hidden', '');
  guest.call('ln_s', { target: '/d', linkname: '/l' });
  guest.call('ln_s', { target: 'nowhere', linkname: '/d/dangling' });
  guest.call('mknod_b', { mode: 0o640, devmajor: 8, devminor: 17, path: '/d/disk' });
  guest.call('chown', { owner: 1000, group: 12, path: '/d/f' });
  guest.call('utimens', { path: '/d/f', atsecs: 0, atnsecs: 0, mtsecs: 86_400, mtnsecs: 0 });

  it('ll is ls -la with numbers', () => {
    const now = guest.call('ll', { directory: '/d' }).replace(/[A-Z][a-z]{2} [ \d]\d \d\d:\d\d/g, 'TODAY');
    expect(now.replace(/^total \d+\n/, '')).toBe(
      `drwxr-xr-x 3    0  0  4096 TODAY .
drwxr-xr-x 4    0  0  4096 TODAY ..
-rw-r--r-- 1    0  0     0 TODAY .hidden
drwxr-xr-x 2    0  0  4096 TODAY Sub
lrwxrwxrwx 1    0  0     7 TODAY dangling -> nowhere
brw-r----- 1    0  0 8, 17 TODAY disk
-rw-r--r-- 1 1000 12  3000 Jan  2  1970 f
`,
    );
    expect(guest.call('ll', { directory: '/l/f' })).toBe('-rw-r--r-- 1 1000 12 3000 Jan  2  1970 /sysroot/d/f\n');
  });

  it('names are sorted by their bytes, and find names them from the directory on', () => {
    expect(guest.call('ls', { directory: '/l' })).toEqual(['.hidden', 'Sub', 'dangling', 'disk', 'f']);
    expect(guest.call('find', { directory: '/d' })).toEqual(['/.hidden', '/Sub', '/dangling', '/disk', '/f']);
    expect(guest.call('find', { directory: '/d/' })).toEqual(['.hidden', 'Sub', 'dangling', 'disk', 'f']);
    expect(guest.received((files) => guest.call('find0', { directory: '/l', files })).toString()).toBe('');
    expect(guest.received((filenames) => guest.call('ls0', { dir: '/d', filenames })).toString()).toBe('.hidden\0Sub\0dangling\0disk\0f\0');
    expect(guest.errno('find', { directory: '/d/f' })).toBe('ENOTDIR');
    expect(guest.errno('ls', { directory: '/none' })).toBe('ENOENT');
    const entries = guest.call('readdir', { dir: '/d' }).map(({ ftyp, name }) => ftyp + name);
    const encoded = guest.received((filename) => guest.call('internal_readdir', { dir: '/d/Sub', filename }));
    const { st_ino } = guest.call('lstatns', { path: '/d/Sub' });
    expect(encoded.subarray(0, 20).toString('hex')).toBe(`${st_ino.toString(16).padStart(16, '0')}00000064000000012e000000`);
    expect(entries.sort()).toEqual(['bdisk', 'd.', 'd..', 'dSub', 'ldangling', 'r.hidden', 'rf']);
  });

  it.each([
    ['/d/*', ['/d/Sub/', '/d/dangling', '/d/disk', '/d/f']],
    ['/l/S*', ['/l/Sub/']],
    ['/*/f', ['/d/f', '/l/f']],
    ['/d/.h*', ['/d/.hidden']],
    ['/{l,d,none}', ['/l/', '/d/']],
    ['/d/[df]*', ['/d/dangling', '/d/disk', '/d/f']],
    ['/d/\\f', ['/d/f']],
    ['/d/f/', []],
    ['/d/f*/', []],
    ['/none/*', []],
    ['/', ['/']],
  ])('glob_expand %s', (pattern, expected) => {
    expect(guest.call('glob_expand', { pattern })).toEqual(expected);
    const bare = expected.map((path) => (path === '/' ? path : path.replace(/\/$/, '')));
    expect(guest.call('glob_expand', { pattern, directoryslash: false })).toEqual(bare);
  });

  it.each(['a{b,c{d,e}}f', '{a,b}{c,d}', '{}', 'a{b', 'a{}b', '{,x}y'])('braces of %s are those of the shell', (pattern) => {
    const { stdout } = run('bash', ['-c', `printf '%s\\n' ${pattern}`]);
    expect(expandBraces(pattern)).toEqual(stdout.toString().trimEnd().split('\n'));
  });

  it('braces that become too many are refused', () => {
    expect(() => expandBraces('{a,b}'.repeat(40))).toThrow(/more than/);
  });

  it('case_sensitive_path finds how directories spell a path', () => {
    const answer = (path: string) => guest.call('case_sensitive_path', { path });
    expect([answer('/D/sub'), answer('/D//SUB/'), answer('/d/NEW'), answer('/L/F'), answer('//')]).toEqual([
      '/d/Sub',
      '/d/Sub',
      '/d/NEW',
      '/l/f',
      '/',
    ]);
    expect(guest.errno('case_sensitive_path', { path: '/D/f/' })).toBe('ENOTDIR');
    expect(guest.errno('case_sensitive_path', { path: '/none/x' })).toBe('ENOENT');
    expect(guest.errno('case_sensitive_path', { path: '/d/../d' })).toBe('EINVAL');
  });

  it('lists of attributes have an entry for each name, there or not', () => {
    guest.call('setxattr', { xattr: 'user.b', val: 'two', vallen: 3, path: '/d/f' });
    guest.call('setxattr', { xattr: 'user.a', val: 'one', vallen: 2, path: '/d/f' });
    const list = guest.call('internal_lxattrlist', { path: '/d', names: ['f', 'none', 'Sub'] });
    expect(list.map(({ attrname, attrval }) => [attrname, Buffer.from(attrval).toString()])).toEqual([
      ['', '2\0'],
      ['user.a', 'on'],
      ['user.b', 'two'],
      ['', ''],
      ['', '0\0'],
    ]);
    const stats = guest.call('internal_lstatnslist', { path: '/d', names: ['f', 'none', 'dangling'] });
    expect(stats.map(({ st_ino, st_size, st_dev }) => [st_ino > 0, st_size, st_dev])).toEqual([
      [true, 3000, 0x800],
      [false, 0, 0],
      [true, 7, 0x800],
    ]);
    expect(guest.call('internal_readlinklist', { path: '/d', names: ['dangling', 'f', 'none'] })).toEqual(['nowhere', '', '']);
  });

  it('extended attributes answer as the system calls do', () => {
    const set = (xattr: string, vallen: number, path: string) => guest.errno('lsetxattr', { xattr, val: 'abc', vallen, path });
    expect([
      set('bad', 1, '/d/f'),
      set('', 1, '/d/f'),
      set('user.x', -1, '/d/f'),
      set('user.x', 1, '/none'),
      set('user.x', 1, '/l'),
    ]).toEqual(['EOPNOTSUPP', 'ERANGE', 'E2BIG', 'ENOENT', 'EPERM']);
    expect(set('trusted.x', 3, '/l')).toBe('none');
    expect(guest.errno('getxattr', { path: '/d/f', name: 'user.none' })).toBe('ENODATA');
    expect(guest.errno('removexattr', { xattr: 'user.none', path: '/d/f' })).toBe('ENODATA');
    guest.call('lremovexattr', { xattr: 'trusted.x', path: '/l' });
    expect(guest.call('lgetxattrs', { path: '/l' })).toEqual([]);
  });

  it('links are made as ln and link(2) make them', () => {
    expect(guest.errno('ln', { target: 'd/f', linkname: '/hard' })).toBe('ENOENT');
    expect(guest.errno('ln', { target: '/d', linkname: '/hard' })).toBe('EPERM');
    guest.call('ln', { target: '/d/f', linkname: '/hard' });
    guest.write('/other', 'x');
    guest.call('ln_f', { target: '/d/f', linkname: '/other' });
    expect(guest.call('statns', { path: '/d/f' }).st_nlink).toBe(3);
    expect(guest.errno('ln_f', { target: '/d/f', linkname: '/d/Sub' })).toBe('EEXIST');
    guest.call('ln_s', { target: 'x/y', linkname: '/d/Sub' });
    guest.call('ln_sf', { target: 'z', linkname: '/other' });
    expect([guest.call('readlink', { path: '/d/Sub/y' }), guest.call('readlink', { path: '/other' })]).toEqual(['x/y', 'z']);
    expect(guest.errno('ln_s', { target: '', linkname: '/empty' })).toBe('ENOENT');
    expect(guest.call('realpath', { path: '/l/../l/Sub/.' })).toBe('/d/Sub');
    guest.call('ln_s', { target: 'loop', linkname: '/loop' });
    expect(guest.errno('is_file', { path: '/loop', followsymlinks: true })).toBe('ELOOP');
    expect([guest.call('exists', { path: '/loop' }), guest.call('exists', { path: '/d/f/x' })]).toEqual([true, false]);
    guest.finish();
  });
});

describe('access control lists', () => {
  it.each([
    [
      'u::rwx,u:4000:rwx,g::rwx,g:12345:rw,m::r,o::---',
      'user::rwx\nuser:4000:rwx\t#effective:r--\ngroup::rwx\t#effective:r--\ngroup:12345:rw-\t#effective:r--\nmask::r--\nother::---\n',
    ],
    ['o:r,u::r,g::w', 'user::r--\ngroup::-w-\nother::r--\n'],
    ['u::rwx , g::r # hi\n o::r\n', 'user::rwx\ngroup::r--\nother::r--\n'],
    ['u:0x10:xr,u:010:-', 'user:8:---\nuser:16:r-x\n'],
  ])('the text %j is understood as by libacl', (text, expected) => {
    expect(formatAcl(parseAcl(text))).toBe(expected);
  });

  it.each(['foo', 'd:u::rwx', 'u::7', 'group::', 'u::rwxr', 'other:5:r', 'u::r,,g::r', 'U::r', 'g::----'])('%j is refused', (text) => {
    expect(() => parseAcl(text)).toThrow(/no entry/);
  });

  it('are set, got and removed', () => {
    const guest = Guest.empty();
    guest.write('/f', 'x');
    guest.call('mkdir', { path: '/d' });
    const get = (path: string, acltype: string) => guest.call('acl_get_file', { path, acltype });
    const set = (path: string, acltype: string, acl: string) => guest.errno('acl_set_file', { path, acltype, acl });
    expect([get('/f', 'access'), get('/d', 'default')]).toEqual(['user::rw-\ngroup::r--\nother::r--\n', '']);
    expect(set('/f', 'access', 'u::rwx,g::r-x,o::r--')).toBe('none');
    expect(guest.call('statns', { path: '/f' }).st_mode & 0o777).toBe(0o754);
    expect(set('/f', 'access', 'u::r-x,u:500:r,m::r,o::---,g::---')).toBe('none');
    expect(get('/f', 'access')).toBe('user::r-x\nuser:500:r--\ngroup::---\nmask::r--\nother::---\n');
    expect(guest.call('ll', { directory: '/f' })).toMatch(/^-r-xr-----\+ /);
    expect(set('/d', 'default', 'user::rwx\ngroup::r-x\nother::r--\n')).toBe('none');
    const answers = [
      set('/f', 'access', 'u:500:r'),
      set('/f', 'default', 'u::r,g::r,o::r'),
      set('/f', 'nothing', 'u::r,g::r,o::r'),
      set('/none', 'access', 'u::r,g::r,o::r'),
      set('/f', 'access', 'u:root:rw,u::r,g::r,o::r,m::r'),
      guest.errno('acl_get_file', { path: '/f', acltype: 'default' }),
      guest.errno('acl_delete_def_file', { dir: '/none' }),
      guest.errno('acl_delete_def_file', { dir: '/f' }),
    ];
    expect(answers).toEqual(['EINVAL', 'EACCES', 'EINVAL', 'ENOENT', 'ENOENT', 'EACCES', 'ENOENT', 'none']);
    guest.call('acl_delete_def_file', { dir: '/d' });
    expect([get('/d', 'default'), set('/f', 'access', '')]).toEqual(['', 'none']);
    expect(get('/f', 'access')).toBe('user::r-x\ngroup::r--\nother::---\n');
    guest.finish();
  });
});

describe('capabilities', () => {
  it.each([
    ['CAP_CHOWN=ep', 'cap_chown=ep'],
    ['cap_chown=', '='],
    ['', '='],
    ['=p+e', '=ep'],
    ['all+p', '=p'],
    ['cap_chown=p+e-p', 'cap_chown=e'],
    ['cap_chown=p\tcap_kill=p', 'cap_chown,cap_kill=p'],
    ['5,cap_kill=p', 'cap_kill=p'],
    ['cap_chown=ip cap_kill=p cap_fowner=ep cap_setuid=eip 50=p 51=i', 'cap_setuid=eip cap_chown+ip cap_fowner+ep cap_kill+p 51+i 50+p'],
    ['=eip cap_chown-e 50+i', '=eip cap_chown-e 50+i'],
    ['all=p cap_chown=', '=p cap_chown-p'],
    ['0x1=p', 'cap_dac_override=p'],
    ['41=p', '= 41+p'],
    ['= cap_chown=p', 'cap_chown=p'],
    ['cap_checkpoint_restore=p', 'cap_checkpoint_restore=p'],
  ])('the text %j is understood as by libcap', (text, expected) => {
    expect(formatCapabilities(parseCapabilities(text))).toBe(expected);
  });

  it.each([
    'chown=p',
    'cap_chown',
    '+p',
    'cap_chown =p',
    '64=p',
    'cap_chown+',
    ',cap_chown=p',
    'cap_chown,,cap_kill=p',
    'cap_chown+p=e',
    'cap_chown=P',
    'none=p',
  ])('%j is refused', (text) => {
    expect(() => parseCapabilities(text)).toThrow(/sets no capabilities/);
  });

  it('are kept in the attribute of the kernel', () => {
    const guest = Guest.empty();
    guest.write('/f', 'x');
    const get = () => guest.call('cap_get_file', { path: '/f' });
    expect(get()).toBe('');
    guest.call('cap_set_file', { path: '/f', cap: 'cap_net_raw,cap_net_admin=ep' });
    expect(get()).toBe('cap_net_admin,cap_net_raw=ep');
    guest.call('cap_set_file', { path: '/f', cap: '=p cap_net_raw-p' });
    const bytes = Buffer.from(guest.call('getxattr', { path: '/f', name: 'security.capability' }));
    expect(bytes.toString('hex')).toBe('00000002ffdfffff00000000ff01000000000000');
    expect(guest.errno('cap_set_file', { path: '/f', cap: 'cap_chown+pe cap_net_raw+p' })).toBe('EINVAL');
    expect(guest.errno('cap_set_file', { path: '/lost+found', cap: 'cap_chown=p' })).toBe('EINVAL');
    guest.finish();
  });
});

describe('space', () => {
  it('du counts what is linked twice once, df and statvfs tell what debugfs tells', () => {
    const guest = Guest.empty();
    guest.call('mkdir', { path: '/d' });
    guest.write('/d/f', 'x'.repeat(100_000));
    const before = guest.call('du', { path: '/d' });
    expect(before).toBe(4 + 100);
    guest.call('ln', { target: '/d/f', linkname: '/d/g' });
    expect(guest.call('du', { path: '/d' })).toBe(before);
    const { bsize, blocks, bfree, files, ffree, namemax, flag } = guest.call('statvfs', { path: '/' });
    expect({ bsize, files, namemax, flag }).toEqual({ bsize: 4096, files: 4096, namemax: 255, flag: 4096 });
    expect(blocks).toBeGreaterThan(bfree);
    expect(ffree).toBe(4096 - 11 - 2);
    const [title = '', row = ''] = guest.call('df', {}).split('\n');
    expect(title).toMatch(/^Filesystem +1K-blocks +Used Available Use% Mounted on$/);
    expect(row).toMatch(new RegExp(`^/dev/sda +${blocks * 4} +${(blocks - bfree) * 4} +\\d+ +\\d+% /sysroot$`));
    expect(guest.call('df_h', {})).toMatch(/^Filesystem +Size +Used Avail Use% Mounted on\n\/dev\/sda +\d+M /);
    guest.finish();
  });
});
