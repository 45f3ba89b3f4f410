import { describe, expect, it } from 'vitest';
import type { Bytes } from '../../src/bytes/struct.ts';
import { decodeName, encodeName } from '../../src/bytes/text.ts';
import { Posix } from '../../src/errors.ts';
import { runSync } from '../../src/io/drivers.ts';
import type { Io } from '../../src/io/effect.ts';
import { type InjectionItem, type InjectionItems, injectDataIntoFs, posixDirname } from '../../src/vfs/inject.ts';
import { pythonJson, pythonStrip } from '../../src/vfs/python-text.ts';
import type { Content, VfsVerbs } from '../../src/vfs/verbs.ts';

type Call = readonly [verb: string, ...parameters: readonly string[]];

const text = (content: Content): string => (typeof content === 'string' ? content : decodeName(content));

/** Stands in for a guest and writes down what is asked of it; files spring into being as they are written. */
class Recorder implements VfsVerbs {
  readonly calls: Call[] = [];
  readonly files: Map<string, string>;
  readonly #failing: readonly string[];

  constructor(files: Readonly<Record<string, string>> = {}, failing: readonly string[] = []) {
    this.files = new Map(Object.entries(files));
    this.#failing = failing;
  }

  #note(...call: Call): void {
    this.calls.push(call);
    if (this.#failing.includes(call[0])) throw new Posix('EIO', {}, `boom ${call[0]}`);
  }

  // biome-ignore-start lint/correctness/useYield: a recorder does no I/O
  *makePath(path: string): Io<void> {
    this.#note('make_path', path);
    this.files.set(path, '');
  }
  *appendFile(path: string, content: Content): Io<void> {
    this.#note('append_file', path, text(content));
    this.files.set(path, (this.files.get(path) ?? '') + text(content));
  }
  *replaceFile(path: string, content: Content): Io<void> {
    this.#note('replace_file', path, text(content));
    this.files.set(path, text(content));
  }
  *readFile(path: string): Io<string> {
    return decodeName(yield* this.readFileBytes(path));
  }
  *readFileBytes(path: string): Io<Bytes> {
    this.#note('read_file', path);
    const content = this.files.get(path);
    if (content === undefined) throw new Posix('ENOENT', { path });
    return encodeName(content);
  }
  *hasFile(path: string): Io<boolean> {
    this.#note('has_file', path);
    return this.files.has(path);
  }
  *setPermissions(path: string, mode: number): Io<void> {
    this.#note('set_permissions', path, `0o${mode.toString(8)}`);
  }
  *setOwnership(path: string, user: string | null, group: string | null): Io<void> {
    this.#note('set_ownership', path, String(user), String(group));
  }
  // biome-ignore-end lint/correctness/useYield: a recorder does no I/O
}

const ACCOUNTS = { 'etc/passwd': 'root:x:0:0:root:/root:/bin/bash\n', 'etc/shadow': 'root:xx:1:0:99999:7:::\nbin:*:1::::::\n' };
const salt = (): string => '1234567890abcdef';

function inject(fs: Recorder, items: InjectionItems, mandatory: readonly InjectionItem[] = []): boolean {
  return runSync(injectDataIntoFs(fs, items, { mandatory, salt }));
}

const KEY_CALLS: readonly Call[] = [
  ['make_path', 'root/.ssh'],
  ['set_ownership', 'root/.ssh', 'root', 'root'],
  ['set_permissions', 'root/.ssh', '0o700'],
  ['append_file', 'root/.ssh/authorized_keys', '\n# The following ssh key was injected by Nova\nk\n'],
  ['set_permissions', 'root/.ssh/authorized_keys', '0o600'],
];
const LABELS = '\n# Added by Nova to ensure injected ssh keys have the right context\nrestorecon -RF root/.ssh 2>/dev/null || :\n';
const ownedPath = (path: string): readonly Call[] => [
  ['make_path', path],
  ['set_ownership', path, 'root', 'root'],
  ['set_permissions', path, '0o744'],
];

// The sequences below are what Debian's python3-nova 26.2.2 does on a recording file system.
describe('injection asks for the same as nova, in the same order', () => {
  it('all five items', () => {
    const fs = new Recorder(ACCOUNTS);
    const files = [
      ['/a/b/c', 'x'],
      ['top', 'y'],
      ['rel/f', 'z'],
      ['/', 'q'],
    ] as const;
    expect(inject(fs, { files, adminPassword: '123456', metadata: { a: 1, b: [1, 'é'] }, net: 'net', key: ' k\n' })).toBe(true);
    expect(fs.calls).toEqual([
      ...KEY_CALLS,
      ['has_file', 'etc/selinux'],
      ...ownedPath('etc/network'),
      ['replace_file', 'etc/network/interfaces', 'net'],
      ['replace_file', 'meta.js', '{"a": 1, "b": [1, "\\u00e9"]}'],
      ['read_file', 'etc/passwd'],
      ['read_file', 'etc/shadow'],
      ['replace_file', 'etc/shadow', 'root:$1$12345678$a4ge4d5iJ5vwvbFS88TEN0:1:0:99999:7:::\nbin:*:1::::::\n'],
      ['has_file', '/a/b'],
      ...ownedPath('/a/b'),
      ['replace_file', '/a/b/c', 'x'],
      ['replace_file', 'top', 'y'],
      ['has_file', 'rel'],
      ...ownedPath('rel'),
      ['replace_file', 'rel/f', 'z'],
      ['replace_file', '/', 'q'],
    ]);
  });

  it.each([
    ['neither rc.local nor rc.d', {}, ['etc/rc.local', 'etc/rc.d', 'etc/rc.local'], 'etc/rc.local', '#!/bin/sh'],
    ['an rc.local', { 'etc/rc.local': '' }, ['etc/rc.local', 'etc/rc.local'], 'etc/rc.local', ''],
    ['an rc.d', { 'etc/rc.d': '' }, ['etc/rc.local', 'etc/rc.d', 'etc/rc.d/rc.local'], 'etc/rc.d/rc.local', '#!/bin/sh'],
    [
      'an rc.d/rc.local',
      { 'etc/rc.d': '', 'etc/rc.d/rc.local': '' },
      ['etc/rc.local', 'etc/rc.d', 'etc/rc.d/rc.local'],
      'etc/rc.d/rc.local',
      '',
    ],
  ])('a key on an SELinux guest with %s', (_, files, asked, rcLocal, start) => {
    const fs = new Recorder({ 'etc/selinux': '', ...files });
    expect(inject(fs, { key: 'k' })).toBe(true);
    expect(fs.calls).toEqual([
      ...KEY_CALLS,
      ['has_file', 'etc/selinux'],
      ...asked.map((path): Call => ['has_file', path]),
      ['append_file', rcLocal, start + LABELS],
      ['set_permissions', rcLocal, '0o700'],
    ]);
  });

  it('a failure that is not mandatory makes the result false and the rest goes on', () => {
    const fs = new Recorder(ACCOUNTS, ['make_path']);
    expect(inject(fs, { key: 'k', net: 'n', metadata: { a: 1 }, adminPassword: 'p', files: [['/a/b', 'x']] })).toBe(false);
    expect(fs.calls.map(([verb, path]) => `${verb} ${path}`)).toEqual([
      'make_path root/.ssh',
      'make_path etc/network',
      'replace_file meta.js',
      'read_file etc/passwd',
      'read_file etc/shadow',
      'replace_file etc/shadow',
      'has_file /a',
      'make_path /a',
    ]);
  });

  it('a mandatory failure is thrown and ends the injection', () => {
    const fs = new Recorder(ACCOUNTS, ['make_path']);
    expect(() => inject(fs, { key: 'k', net: 'n', metadata: { a: 1 } }, ['net'])).toThrow('boom make_path');
    expect(fs.calls).toEqual([
      ['make_path', 'root/.ssh'],
      ['make_path', 'etc/network'],
    ]);
  });

  it('nothing wanted is nothing done', () => {
    const fs = new Recorder();
    expect(inject(fs, { key: '', net: null, metadata: {}, files: [] })).toBe(true);
    expect(fs.calls).toEqual([]);
  });

  it('odd paths keep the form they were given in', () => {
    const fs = new Recorder();
    inject(fs, {
      files: [
        ['a//b//c', '1'],
        ['/x/', '2'],
        ['../e', '3'],
        ['', '4'],
        ['//f', '5'],
      ],
    });
    expect(fs.calls).toEqual([
      ['has_file', 'a//b'],
      ...ownedPath('a//b'),
      ['replace_file', 'a//b//c', '1'],
      ['has_file', '/x'],
      ...ownedPath('/x'),
      ['replace_file', '/x/', '2'],
      ['has_file', '..'],
      ...ownedPath('..'),
      ['replace_file', '../e', '3'],
      ['replace_file', '', '4'],
      ['has_file', '//'],
      ...ownedPath('//'),
      ['replace_file', '//f', '5'],
    ]);
  });
});

describe('the password', () => {
  const shadowAfter = (files: Readonly<Record<string, string>>): string | undefined => {
    const fs = new Recorder(files);
    runSync(injectDataIntoFs(fs, { adminPassword: 'p' }, { mandatory: ['adminPassword'], salt, passwordScheme: 'md5' }));
    return fs.files.get('etc/shadow');
  };

  it('replaces every line of root and leaves all other bytes', () => {
    expect(shadowAfter({ ...ACCOUNTS, 'etc/shadow': 'root:a:b\nbin:\udcff:x\nroot:c:d\r\n' })).toBe(
      'root:$1$12345678$nYXUJE.mBJyqCGS2l1xPQ.:b\nbin:\udcff:x\nroot:$1$12345678$nYXUJE.mBJyqCGS2l1xPQ.:d\r\n',
    );
  });

  it.each([
    ['password', { 'etc/passwd': 'bin:x:1:1::/:\n', 'etc/shadow': 'root:a:b\n' }],
    ['shadow', { 'etc/passwd': 'root:x:0:0::/:\n', 'etc/shadow': 'bin:a:b\n' }],
    ['shadow', { 'etc/passwd': 'root:x:0:0::/:\n', 'etc/shadow': 'root\n' }],
  ])('says in which file root is missing: %s', (file, files) => {
    expect(() => shadowAfter(files)).toThrow(`User root not found in ${file} file.`);
  });

  it('misspelt mandatory items are refused', () => {
    expect(() => inject(new Recorder(), { key: 'k' }, ['admin_password' as InjectionItem])).toThrow('there is no item "admin_password"');
  });
});

describe("Python's habits", () => {
  it('json.dumps', () => {
    expect(pythonJson({ n: 1, f: 1.5, t: true, z: null, l: [1, 2], o: { x: 'y' } })).toBe(
      '{"n": 1, "f": 1.5, "t": true, "z": null, "l": [1, 2], "o": {"x": "y"}}',
    );
    expect(pythonJson({ q: 'a"b\\\n\t/<>\u2028😀\x7f' })).toBe('{"q": "a\\"b\\\\\\n\\t/<>\\u2028\\ud83d\\ude00\\u007f"}');
    expect(pythonJson({})).toBe('{}');
  });

  it('str.strip', () => {
    expect(pythonStrip('\x1c\x85 \r\nkey \ufeff\t')).toBe('key \ufeff');
    expect(pythonStrip('   ')).toBe('');
  });

  it('posixpath.dirname', () => {
    expect(['/a/b', 'top', '//f', 'a//b//c', '/x/', '../e', '', '/'].map(posixDirname)).toEqual([
      '/a',
      '',
      '//',
      'a//b',
      '/x',
      '..',
      '',
      '/',
    ]);
  });
});
