/** Injection into images, against what real nova made of the same images. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Refused } from '../../src/errors.ts';
import { injectData, injectDataSync, LocalFileImage } from '../../src/index.ts';
import { md5Crypt } from '../../src/vfs/crypt/md5-crypt.ts';
import { sha256, untouched } from '../support/images.ts';
import { e2fsckComplaints } from '../support/oracle.ts';
import { dump, guestImage, type Node, PASSWD, partitioned, partitionOf, SHADOW } from './guests.ts';

const INJECTED = JSON.parse(readFileSync(new URL('golden/injected.json', import.meta.url), 'utf8')) as Record<string, Record<string, Node>>;

/** The same but for the random salt: the hash is put back to the one that stands in the golden file, once it is the password's. */
function withoutSalt(nodes: Record<string, Node>, golden: Record<string, Node>, password: string): Record<string, Node> {
  const [mode, uid, gid, shadow = ''] = nodes['/etc/shadow'] ?? ['', 0, 0];
  const hash = /^root:(\$1\$([^$]+)\$[^:]+):/.exec(shadow);
  if (hash === null || shadow === golden['/etc/shadow']?.[3]) return nodes;
  expect(hash[1]).toBe(md5Crypt(password, hash[2] ?? ''));
  const theirs = /^root:([^:]+):/.exec(golden['/etc/shadow']?.[3] ?? '')?.[1] ?? '';
  return { ...nodes, '/etc/shadow': [mode, uid, gid, shadow.replace(hash[1] ?? '', theirs)] };
}

function expectLikeNova(image: string, name: string, password: string): void {
  const golden = INJECTED[name] ?? {};
  expect(withoutSalt(dump(image), golden, password)).toEqual(golden);
  expect(e2fsckComplaints(image)).toBe('');
}

const SMALL = { key: 'ssh-rsa AAA k@h', net: 'auto lo\n', metadata: { a: 'b' }, adminPassword: 'pw', files: [['/p/q/r', 's']] } as const;

describe('injection leaves the same files as nova does', () => {
  test('all items into a plain guest', async () => {
    const image = guestImage();
    const items = {
      key: 'ssh-rsa AAAAB3NzaC1yc2E test@host',
      net: 'auto lo\niface lo inet loopback\n',
      metadata: { foo: 'bar', eek: 'wizz', ünï: 'é' },
      adminPassword: 's3cret',
      files: [
        ['/etc/motd', 'hello\n'],
        ['/opt/new/deep/file.txt', Buffer.from('data\n')],
        ['rel/path', 'x'],
        ['toplevel', 'y'],
      ],
    } as const;
    expect(await injectData(new LocalFileImage(image, 'raw'), items)).toBe(true);
    expectLikeNova(image, 'inject_plain', 's3cret');
  });

  test('a guest with SELinux gets an rc.local', () => {
    const image = guestImage({ 'etc/selinux': { directory: 0o755 } });
    expect(injectDataSync(new LocalFileImage(image, 'raw'), SMALL)).toBe(true);
    expectLikeNova(image, 'inj_selinux', 'pw');
  });

  test('a guest with SELinux and an rc.local gets a line behind what is there', () => {
    const golden = INJECTED['inj_se_rc']?.['/etc/rc.local']?.[3] ?? '';
    const before = golden.slice(0, golden.indexOf('\n# Added by Nova'));
    expect(before).toMatch(/^#!\/bin\/sh\n/);
    const image = guestImage({ 'etc/selinux': { directory: 0o755 }, 'etc/rc.local': before });
    expect(injectDataSync(new LocalFileImage(image, 'raw'), SMALL)).toBe(true);
    expectLikeNova(image, 'inj_se_rc', 'pw');
  });

  test('a guest without accounts gets what goes without, and the answer is false', () => {
    const image = guestImage({ 'etc/passwd': null, 'etc/group': null });
    const failed: string[] = [];
    expect(injectDataSync(new LocalFileImage(image, 'raw'), SMALL, { warn: (item) => failed.push(item) })).toBe(false);
    expect(failed).toEqual(['key', 'net', 'adminPassword', 'files']);
    expectLikeNova(image, 'inj_nopasswd', 'pw');
  });
});

describe("nova's own table of injections", () => {
  const inject = (tree: Parameters<typeof guestImage>[0], items: Parameters<typeof injectDataSync>[1]): Record<string, Node> => {
    const image = guestImage(tree);
    expect(injectDataSync(new LocalFileImage(image, 'raw'), items, { salt: () => '1234567890abcdef' })).toBe(true);
    expect(e2fsckComplaints(image)).toBe('');
    return dump(image);
  };
  const LINE = '\n# Added by Nova to ensure injected ssh keys have the right context\nrestorecon -RF root/.ssh 2>/dev/null || :\n';

  test('a key goes behind those that are there, and whose they are stays', () => {
    const files = inject({ 'root/.ssh': { directory: 0o755 }, 'root/.ssh/authorized_keys': 'Hello World' }, { key: 'mysshkey' });
    expect(files['/root/.ssh']).toEqual(['040700', 0, 0]);
    expect(files['/root/.ssh/authorized_keys']?.[3]).toBe('Hello World\n# The following ssh key was injected by Nova\nmysshkey\n');
    expect(files['/root/.ssh/authorized_keys']?.[0]).toBe('100600');
  });

  test('a key with SELinux and rc.d', () => {
    const base = { 'etc/selinux': { directory: 0o755 }, 'etc/rc.d': { directory: 0o755 } };
    expect(inject(base, { key: 'k' })['/etc/rc.d/rc.local']).toEqual(['100700', 0, 0, `#!/bin/sh${LINE}`]);
    expect(inject({ ...base, 'etc/rc.d/rc.local': '#!/bin/sh\necho done' }, { key: 'k' })['/etc/rc.d/rc.local']).toEqual([
      '100700',
      0,
      0,
      `#!/bin/sh\necho done${LINE}`,
    ]);
  });

  test('network, metadata, password and files', () => {
    const files = inject(
      {},
      {
        net: 'mynetconfig',
        metadata: { eek: 'wizz', foo: 'bar' },
        adminPassword: '123456',
        files: [
          ['/path/to/not/exists/file', 'inject-file-contents'],
          ['/inject-file', '1'],
          ['inject-file', '2'],
        ],
      },
    );
    expect(files['/etc/network/interfaces']).toEqual(['100644', 0, 0, 'mynetconfig']);
    expect(files['/meta.js']?.[3]).toBe('{"eek": "wizz", "foo": "bar"}');
    expect(files['/etc/passwd']?.[3]).toBe(PASSWD);
    expect(files['/etc/shadow']).toEqual(['100640', 0, 42, SHADOW.replace('$1$12345678$xxxxx', '$1$12345678$a4ge4d5iJ5vwvbFS88TEN0')]);
    expect(files['/path/to/not/exists']).toEqual(['040744', 0, 0]);
    expect(files['/path/to/not']).toEqual(['040755', 0, 0]);
    expect(files['/path/to/not/exists/file']).toEqual(['100644', 0, 0, 'inject-file-contents']);
    expect(files['/inject-file']?.[3]).toBe('2');
  });
});

describe('what may go wrong', () => {
  test('nothing to inject into an image that is fine is a success, into none a failure', () => {
    expect(injectDataSync(new LocalFileImage(guestImage(), 'raw'), {}, { mandatory: ['files'] })).toBe(true);
    expect(injectDataSync(new LocalFileImage('/nonexistent.img', 'raw'), {}, { mandatory: ['files'] })).toBe(false);
  });

  test('an image that cannot be set up is an error when something that is wanted is mandatory', async () => {
    const missing = new LocalFileImage('/nonexistent.img', 'raw');
    const reasons: string[] = [];
    expect(await injectData(missing, SMALL, { warn: (item, error) => reasons.push(`${item} ${error.code}`) })).toBe(false);
    expect(reasons).toEqual(['image ENOENT']);
    for (const item of ['key', 'net', 'metadata', 'adminPassword', 'files'] as const) {
      await expect(injectData(missing, SMALL, { mandatory: [item] })).rejects.toMatchObject({ code: 'ENOENT' });
      expect(await injectData(missing, { ...SMALL, [item]: null }, { mandatory: [item] })).toBe(false);
    }
    await expect(injectData(missing, {}, { mandatory: ['admin_password' as 'key'] })).rejects.toThrow(Refused);
  });

  test('a mandatory failure ends it; what came before stays', async () => {
    const image = guestImage({ 'etc/shadow': null });
    const options = { mandatory: ['adminPassword'] as const };
    await expect(injectData(new LocalFileImage(image, 'raw'), SMALL, options)).rejects.toMatchObject({ code: 'ENOENT' });
    const files = dump(image);
    expect(files['/meta.js']?.[3]).toBe('{"a": "b"}');
    expect(files['/p']).toBeUndefined();
    expect(e2fsckComplaints(image)).toBe('');
  });

  test('a rehearsal leaves the image as it was, byte for byte', async () => {
    const image = guestImage();
    await untouched([image], async () => {
      expect(await injectData(new LocalFileImage(image, 'raw'), SMALL, { snapshot: true })).toBe(true);
    });
  });

  test('twice appends the key twice, and the rest is the same', () => {
    const image = guestImage();
    const { key, net, metadata, files } = SMALL;
    const items = { key, net, metadata, files };
    injectDataSync(new LocalFileImage(image, 'raw'), items);
    const once = dump(image);
    injectDataSync(new LocalFileImage(image, 'raw'), items);
    const twice = dump(image);
    expect(twice['/root/.ssh/authorized_keys']?.[3]).toBe(once['/root/.ssh/authorized_keys']?.[3]?.repeat(2));
    const rest = (nodes: Record<string, Node>): Record<string, Node> => ({ ...nodes, '/root/.ssh/authorized_keys': ['', 0, 0] });
    expect(rest(twice)).toEqual(rest(once));
  });

  test('other hashes than MD5 for the password', () => {
    for (const [passwordScheme, pattern] of [
      ['des', /^root:12tir\.zIbWQ3c:/],
      ['sha512', /^root:\$6\$1234567890abcdef\$[./0-9A-Za-z]{86}:/],
    ] as const) {
      const image = guestImage();
      injectDataSync(new LocalFileImage(image, 'raw'), { adminPassword: '123456' }, { passwordScheme, salt: () => '1234567890abcdef' });
      expect(dump(image)['/etc/shadow']?.[3]).toMatch(pattern);
    }
  });
});

test('into the partition that is named, and nowhere else', () => {
  const disk = partitioned('gpt', [guestImage({ 'etc/hostname': 'one\n' }), guestImage({ 'etc/hostname': 'two\n' })]);
  const first = sha256(partitionOf(disk, 1));
  expect(injectDataSync(new LocalFileImage(disk, 'raw'), SMALL, { partition: 2 })).toBe(true);
  expect(sha256(partitionOf(disk, 1))).toBe(first);
  const second = partitionOf(disk, 2);
  expect(dump(second)['/p/q/r']).toEqual(['100644', 0, 0, 's']);
  expect(e2fsckComplaints(second)).toBe('');
});
