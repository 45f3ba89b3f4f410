/** Verbs about mounting, the handle and the machine, and what is true of all verbs. */
import { describe, expect, it } from 'vitest';
import { functionFacts, functionNames } from '../../../src/commands/api/facts.ts';
import { AVAILABLE_GROUPS } from '../../../src/commands/verbs/groups.ts';
import { findVerb, verbNames } from '../../../src/commands/verbs/index.ts';
import { must } from '../../support/oracle.ts';
import { Guest, newFile } from './guest.ts';

function image(): string {
  const file = newFile('disk.img');
  must('truncate', '-s', '8M', file);
  must('mke2fs', '-q', '-F', '-t', 'ext4', file);
  return file;
}

describe('the table of verbs', () => {
  it('has functions of the API only', () => {
    const known = new Set(functionNames());
    expect([...verbNames()].filter((name) => !known.has(name))).toEqual([]);
  });

  it('has every function of each group that is said to be there', () => {
    const missing = [...functionNames()].filter((name) => {
      const group = functionFacts(name)?.group;
      return group !== undefined && AVAILABLE_GROUPS.has(group) && findVerb(name) === undefined;
    });
    expect(missing).toEqual([]);
  });

  it('says in one line what each does', () => {
    for (const name of verbNames()) expect(findVerb(name)?.summary, name).toMatch(/^[^\n]{5,120}[^.\n]$/);
  });
});

describe('mount points', () => {
  it('can be made before anything is mounted', () => {
    const guest = new Guest(image());
    expect(guest.errno('ls', { directory: '/' })).toBe('EINVAL');
    guest.call('mkmountpoint', { exemptpath: '/mp' });
    guest.call('mkmountpoint', { exemptpath: '/mp/sub' });
    expect(guest.errno('mkmountpoint', { exemptpath: '/mp' })).toBe('EEXIST');
    expect(guest.errno('mkmountpoint', { exemptpath: '/none/sub' })).toBe('ENOENT');
    expect(guest.errno('mkmountpoint', { exemptpath: 'mp2' })).toBe('EINVAL');
    guest.call('mount', { mountable: '/dev/sda', mountpoint: '/mp' });
    expect(guest.call('mountpoints', {})).toEqual([['/dev/sda', '/mp']]);
    expect(guest.call('find', { directory: '/' })).toEqual(['mp', 'mp/lost+found']);
    guest.write('/mp/f', 'x');
    expect(guest.errno('rmmountpoint', { exemptpath: '/mp' })).toBe('EBUSY');
    guest.call('umount', { pathordevice: '/mp' });
    expect(guest.errno('rmmountpoint', { exemptpath: '/mp' })).toBe('ENOTEMPTY');
    guest.call('rmmountpoint', { exemptpath: '/mp/sub' });
    guest.call('rmmountpoint', { exemptpath: '/mp' });
    expect(guest.errno('rmmountpoint', { exemptpath: '/mp' })).toBe('ENOENT');
    guest.call('mount', { mountable: '/dev/sda', mountpoint: '/' });
    expect(guest.call('ls', { directory: '/' })).toEqual(['f', 'lost+found']);
    guest.finish();
  });

  it('remount takes the right to change away and gives it back', () => {
    const guest = new Guest(image());
    guest.call('mount_ro', { mountable: '/dev/sda', mountpoint: '/' });
    expect(guest.errno('touch', { path: '/f' })).toBe('EROFS');
    expect(guest.call('statvfs', { path: '/' }).flag).toBe(4097);
    guest.call('remount', { mountpoint: '/', rw: true });
    guest.call('touch', { path: '/f' });
    guest.call('remount', { mountpoint: '/', rw: false });
    expect(guest.errno('touch', { path: '/g' })).toBe('EROFS');
    guest.call('remount', { mountpoint: '/', rw: true });
    guest.call('touch', { path: '/g' });
    expect(guest.errno('remount', { mountpoint: '/' })).toBe('EINVAL');
    expect(guest.errno('remount', { mountpoint: '/lost+found', rw: true })).toBe('EINVAL');
    expect(guest.errno('remount', { mountpoint: '/none', rw: true })).toBe('ENOENT');
    guest.finish();
    expect(must('debugfs', '-R', 'ls -p /', guest.image)).toMatch(/\/f\/.*\n.*\/g\//s);
  });
});

describe('the machine that is not there', () => {
  it('says so', () => {
    const guest = Guest.empty();
    expect(guest.call('utsname', {})).toMatchObject({ uts_sysname: 'Linux', uts_release: 'guestless' });
    expect(guest.errno('command', { arguments: ['/bin/true'] })).toBe('UNSUPPORTED');
    expect(guest.errno('sh', { command: 'true' })).toBe('UNSUPPORTED');
    expect(guest.errno('modprobe', { modulename: 'ext2' })).toBe('UNSUPPORTED');
    expect(guest.errno('mount_loop', { file: '/f', mountpoint: '/' })).toBe('UNSUPPORTED');
    expect(guest.call('echo_daemon', { words: ['a', 'b c'] })).toBe('a b c');
    expect(guest.call('debug', { subcmd: 'help', extraargs: [] })).toMatch(/^Commands supported: help/);
    expect(guest.errno('debug', { subcmd: 'segv', extraargs: [] })).toBe('EINVAL');
    expect(guest.errno('drop_caches', { whattodrop: 9 })).toBe('EINVAL');
    expect(guest.errno('sleep', { secs: -1 })).toBe('EINVAL');
    expect(guest.call('getcon', {})).toBe('unconfined\n');
    expect(guest.errno('setcon', { context: 'x' })).toBe('EINVAL');
    expect(guest.call('internal_parse_mountable', { mountable: '/dev/vda' })).toMatchObject({ im_device: '/dev/sda' });
  });
});
