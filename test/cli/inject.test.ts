import * as fs from 'node:fs';
import * as path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { privateCopy, scratchFolder, untouched } from '../support/images.ts';
import { e2fsckComplaints, must, qemuCheckComplaints, run } from '../support/oracle.ts';
import { makeTestDisk, type TestDisk } from './disk.ts';
import { guestless } from './run.ts';

const folder = scratchFolder('guestless-cli-inject-');
const at = (name: string): string => path.join(folder, name);
let disk: TestDisk;

/** A Linux guest with the databases that injection needs. */
function guest(): string {
  const image = path.join(scratchFolder(), 'guest.raw');
  fs.writeFileSync(image, '');
  fs.truncateSync(image, 16 << 20);
  must('mke2fs', '-q', '-F', '-t', 'ext4', '-d', at('tree'), image);
  return image;
}

const debugfs = (image: string, request: string): string => must('debugfs', '-R', request, image);

beforeAll(() => {
  disk = makeTestDisk(folder);
  fs.mkdirSync(at('tree/root'), { recursive: true });
  fs.writeFileSync(at('tree/etc/shadow'), 'root:*:19000:0:99999:7:::\nada:!:19000::::::\n', { mode: 0o640 });
  fs.writeFileSync(at('key.pub'), 'ssh-ed25519 AAAAtest ada@example\n');
  fs.writeFileSync(at('interfaces'), 'auto lo\niface lo inet loopback\n');
  fs.writeFileSync(at('secret'), 'correct horse\n');
  fs.writeFileSync(
    at('binary'),
    Uint8Array.from({ length: 5000 }, (_, i) => i & 0xff),
  );
});

describe('everything at once', () => {
  test('is in the guest as nova puts it, and e2fsck has nothing to say', () => {
    const image = guest();
    const words = ['--key', at('key.pub'), '--net', at('interfaces'), '--meta', 'role=web', '--meta', 'name=a=b'];
    words.push('--admin-password-file', at('secret'), '--file', `/opt/x/y=${at('binary')}`, '--file', `etc/motd=${at('interfaces')}`);
    const { status, stdout, stderr } = guestless(['inject', ...words, '--partition', '0', '--commit', image]);
    expect([status, stdout, stderr]).toEqual([0, '', '']);
    expect(e2fsckComplaints(image)).toBe('');
    expect(debugfs(image, 'cat /root/.ssh/authorized_keys')).toBe(
      '\n# The following ssh key was injected by Nova\nssh-ed25519 AAAAtest ada@example\n',
    );
    expect(debugfs(image, 'stat /root/.ssh/authorized_keys')).toMatch(/Mode: {2}0600 .*[\s\S]*User: {5}0 {3}Group: {5}0/);
    expect(debugfs(image, 'stat /root/.ssh')).toMatch(/Mode: {2}0700/);
    expect(debugfs(image, 'cat /etc/network/interfaces')).toBe('auto lo\niface lo inet loopback\n');
    expect(debugfs(image, 'cat /meta.js')).toBe('{"role": "web", "name": "a=b"}');
    expect(debugfs(image, 'cat /etc/motd')).toBe('auto lo\niface lo inet loopback\n');
    expect(run('debugfs', ['-R', 'cat /opt/x/y', image]).stdout.equals(fs.readFileSync(at('binary')))).toBe(true);
    const [root = '', ada] = debugfs(image, 'cat /etc/shadow').split('\n');
    const [, hash = '', ...rest] = root.split(':');
    const [, scheme, salt = ''] = hash.split('$');
    expect(scheme).toBe('6');
    expect(must('openssl', 'passwd', '-6', '-salt', salt, 'correct horse').trim()).toBe(hash);
    expect(rest).toEqual(['19000', '0', '99999', '7', '', '', '']);
    expect(ada).toBe('ada:!:19000::::::');
  });

  test.each([
    ['md5', '-1'],
    ['sha512', '-6'],
  ])('a password hashed by %s, from standard input', (scheme, option) => {
    const image = guest();
    const words = ['inject', '--partition', '0', '--commit', image, '--admin-password-file', '-', '--password-scheme', scheme];
    expect(guestless(words, Buffer.from('gr\u00fc\u00dfe\n')).status).toBe(0);
    const hash = debugfs(image, 'cat /etc/shadow').split('\n')[0]?.split(':')[1] ?? '';
    expect(must('openssl', 'passwd', option, '-salt', hash.split('$')[2] ?? '', 'gr\u00fc\u00dfe').trim()).toBe(hash);
  });
});

describe('an overlay', () => {
  test.each(['raw', 'qcow2', 'overlay'] as const)(
    'over the %s image leaves that as it is, and is the changed disk for qemu',
    async (kind) => {
      await untouched([disk.raw, disk.qcow2, disk.overlay], () => {
        const fresh = path.join(folder, `new-${kind}.qcow2`);
        const { status, stderr } = guestless(['inject', '--key', at('key.pub'), disk[kind], '--overlay', fresh, '--partition', '2']);
        expect([status, stderr]).toEqual([0, '']);
        expect(qemuCheckComplaints(fresh)).toBe('');
        expect(JSON.parse(must('qemu-img', 'info', '--output=json', fresh))).toMatchObject({
          'backing-filename': path.basename(disk[kind]),
          'backing-filename-format': kind === 'raw' ? 'raw' : 'qcow2',
        });
        const flat = at('flat.raw');
        must('qemu-img', 'convert', '-O', 'raw', fresh, flat);
        const part = at('part.img');
        must('dd', `if=${flat}`, `of=${part}`, 'bs=1M', 'skip=9', 'count=16', 'status=none');
        expect(e2fsckComplaints(part)).toBe('');
        expect(debugfs(part, 'cat /root/.ssh/authorized_keys')).toContain('AAAAtest');
        expect(guestless(['diff', '--partition', '2', disk[kind], fresh]).stdout).toContain('/root/.ssh/authorized_keys\n');
      });
    },
  );
});

describe('what cannot be injected', () => {
  const bad = (): string[] => ['--file', `/etc/passwd/x=${at('binary')}`, '--meta', 'a=b'];

  test('is said, the rest is saved, and the exit status is 1', () => {
    const image = guest();
    const { status, stderr } = guestless(['inject', ...bad(), '--partition', '0', '--commit', image]);
    expect(status).toBe(1);
    expect(stderr).toBe('guestless: warning: --file was not injected: /etc/passwd/x: Not a directory\n');
    expect(debugfs(image, 'cat /meta.js')).toBe('{"a": "b"}');
    expect(e2fsckComplaints(image)).toBe('');
  });

  test('with --json, as one object', () => {
    const { status, stdout } = guestless(['inject', '--json', ...bad(), '--partition', '0', '--commit', guest()]);
    expect(status).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ complete: false, failed: [{ item: 'file', family: 'posix', code: 'ENOTDIR' }] });
  });

  test('and is mandatory: nothing is saved', async () => {
    const image = guest();
    await untouched([image], () => {
      const { status, stderr } = guestless(['inject', ...bad(), '--mandatory', 'file', '--partition', '0', '--commit', image]);
      expect([status, stderr]).toEqual([1, 'guestless: /etc/passwd/x: Not a directory\n']);
    });
  });

  const wrong: readonly (readonly [string, number, readonly string[]])[] = [
    ['nothing at all', 2, []],
    ['a file that is missing', 1, ['--key', 'MISSING']],
    ['an empty key', 1, ['--key', '/dev/null']],
    ['a private key', 2, ['--key', 'PRIVATE']],
    ['bytes that are no text', 1, ['--net', 'BINARY']],
    ['--file without a file of the host', 2, ['--file', '/etc/x']],
    ['--meta without a value', 2, ['--meta', 'x']],
    ['an item that does not exist', 2, ['--meta', 'a=b', '--mandatory', 'password']],
    ['a mandatory item that is not given', 2, ['--meta', 'a=b', '--mandatory', 'key']],
    ['standard input twice', 2, ['--key', '-', '--net', '-']],
    ['a scheme that nobody knows', 2, ['--admin-password-file', '-', '--password-scheme', 'rot13']],
  ];
  test.each(wrong)('%s: exit %i, one line, and nothing changes', async (_, expected, words) => {
    fs.writeFileSync(at('private'), '-----BEGIN OPENSSH PRIVATE KEY-----\n');
    const names: Readonly<Record<string, string>> = { MISSING: at('missing'), PRIVATE: at('private'), BINARY: at('binary') };
    const image = privateCopy(disk.ext4);
    await untouched([image], () => {
      const call = ['inject', ...words.map((word) => names[word] ?? word), '--partition', '0', '--commit', image];
      const { status, stderr } = guestless(call, Buffer.from('x'));
      expect(status).toBe(expected);
      expect(stderr).toMatch(/^guestless: [^\n]+\n$/);
    });
  });
});
