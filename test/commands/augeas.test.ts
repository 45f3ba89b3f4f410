/** The verbs of Augeas over a file system made by mke2fs; results are those that the real libguestfs 1.48 gives for the same calls. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { expect, test } from 'vitest';
import { functionFacts } from '../../src/commands/api/facts.ts';
import { callVerb } from '../../src/commands/verbs/call.ts';
import { Handle } from '../../src/commands/verbs/handle.ts';
import { GuestlessError } from '../../src/errors.ts';
import { MemorySource, runSync, SourceDevice } from '../../src/io/index.ts';
import { nodeHandleHost } from '../../src/library/drive.ts';
import { scratchFolder } from '../support/images.ts';
import { must } from '../support/oracle.ts';

const FILES = {
  passwd: 'root:x:0:0:root:/root:/bin/bash\nbin:x:1:1:bin:/bin:/sbin/nologin\n',
  hosts: '127.0.0.1 localhost\n',
  group: 'broken line here without colon\n',
  hostname: 'h.example\n',
};

function guest(): Handle {
  const folder = scratchFolder();
  const etc = path.join(folder, 'root/etc');
  fs.mkdirSync(etc, { recursive: true });
  for (const [name, text] of Object.entries(FILES)) fs.writeFileSync(path.join(etc, name), text);
  const image = path.join(folder, 'disk.img');
  must('mke2fs', '-q', '-t', 'ext2', '-d', path.join(folder, 'root'), image, '4M');
  return new Handle(
    nodeHandleHost(() => {}),
    [{ image: new SourceDevice(new MemorySource(fs.readFileSync(image))), readOnly: false }],
  );
}

function caller(handle: Handle): (name: string, args?: Readonly<Record<string, unknown>>) => unknown {
  return (name, args = {}) => {
    const facts = functionFacts(name);
    if (facts === undefined) throw new Error(`no such function: ${name}`);
    return runSync(callVerb(handle, facts, args));
  };
}

test('given a guest, when its configuration is looked up, changed and saved, then results and files are those of libguestfs', () => {
  const handle = guest();
  const call = caller(handle);
  call('mount', { mountable: '/dev/sda', mountpoint: '/' });
  expect(() => call('aug_get', { augpath: '/files/etc/passwd/root/uid' })).toThrow(/aug-init/);
  expect(() => call('aug_close')).toThrow(GuestlessError);
  call('aug_init', { root: '/', flags: 0 });
  expect(call('aug_get', { augpath: '/files/etc/passwd/root/uid' })).toBe('0');
  expect(() => call('aug_get', { augpath: '/files/nonexist' })).toThrow(/no matching node/);
  expect(() => call('aug_get', { augpath: '/files/etc/passwd/*' })).toThrow(/Too many matches for path expression/);
  expect(() => call('aug_get', { augpath: '/files/etc/passwd/root' })).toThrow(GuestlessError);
  expect(call('aug_match', { augpath: '/files/etc/passwd/*' })).toEqual(['/files/etc/passwd/root', '/files/etc/passwd/bin']);
  expect(call('aug_ls', { augpath: '/files/etc' })).toEqual(['/files/etc/hostname', '/files/etc/hosts', '/files/etc/passwd']);
  expect(call('aug_ls', { augpath: '/' })).toEqual(['/augeas', '/files']);
  for (const augpath of ['/files/etc/', '/files/etc/passwd/*', '/files['])
    expect(() => call('aug_ls', { augpath })).toThrow(GuestlessError);
  expect(call('aug_label', { augpath: '/files/etc/passwd/*[last()]' })).toBe('bin');
  call('aug_clear', { augpath: '/files/nonexist/a' });
  expect(call('aug_rm', { augpath: '/files/nonexist' })).toBe(2);
  expect(() => call('aug_mv', { src: '/files/none', dest: '/files/some' })).toThrow(/No match for path expression/);
  expect(() => call('aug_mv', { src: '/files/etc', dest: '/files/etc/passwd/foo' })).toThrow(/Cannot move node into its descendant/);
  // The node to move to is made before the move is refused.
  expect(call('aug_rm', { augpath: '/files/etc/passwd/foo' })).toBe(1);
  expect(call('aug_defvar', { name: 'v', expr: '/files/etc/passwd' })).toBe(1);
  expect(call('aug_defvar', { name: 'w', expr: 'count(/files/etc/passwd/*)' })).toBe(0);
  expect(call('aug_defvar', { name: 'w', expr: undefined })).toBe(0);
  expect(call('aug_match', { augpath: '$v' })).toEqual(['/files/etc/passwd']);
  expect(call('aug_defnode', { name: 'n', expr: '/files/etc/passwd/bin/shell', val: 'val' })).toEqual({ i: 1, b: 0 });
  expect(call('aug_setm', { base: '/files/etc/passwd/*', sub: 'shell', val: '/x' })).toBe(2);
  expect(call('aug_get', { augpath: '/augeas/files/etc/group/error' })).toBe('parse_failed');
  call('aug_insert', { augpath: '/files/etc/hosts/1', label: '#comment', before: true });
  call('aug_set', { augpath: '/files/etc/hosts/#comment', val: 'mine' });
  call('aug_set', { augpath: '/files/etc/hosts/2/ipaddr', val: '1.2.3.4' });
  call('aug_set', { augpath: '/files/etc/hosts/2/canonical', val: 'foo' });
  call('aug_save');
  expect(handle.tree.sync.readText('/etc/hosts')).toBe('# mine\n127.0.0.1 localhost\n1.2.3.4\tfoo\n');
  expect(handle.tree.sync.readText('/etc/passwd')).toBe(FILES.passwd.replace('/bin/bash', '/x').replace('/sbin/nologin', '/x'));
  call('aug_transform', { lens: 'Hosts.lns', file: '/etc/myhosts', remove: undefined });
  call('aug_load');
  expect(call('aug_get', { augpath: '/files/etc/hosts/2/canonical' })).toBe('foo');
  expect(call('aug_match', { augpath: "/files/etc/passwd/*[shell = '/x']" })).toHaveLength(2);
  call('aug_close');
  expect(() => call('aug_match', { augpath: '/files' })).toThrow(/aug-init/);
});

test('given a session, when everything is unmounted, then nothing more is read or written', () => {
  const handle = guest();
  const call = caller(handle);
  call('mount', { mountable: '/dev/sda', mountpoint: '/' });
  call('aug_init', { root: '/', flags: 0 });
  call('aug_set', { augpath: '/files/etc/hostname/hostname', val: 'lost' });
  call('umount_all');
  expect(() => call('aug_save')).toThrow(GuestlessError);
  call('mount', { mountable: '/dev/sda', mountpoint: '/' });
  expect(handle.tree.sync.readText('/etc/hostname')).toBe(FILES.hostname);
});
