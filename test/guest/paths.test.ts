import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeName, encodeName } from '../../src/bytes/index.ts';
import { GuestlessError, Posix } from '../../src/errors.ts';
import { GuestTree, walkAll } from '../../src/guest/index.ts';
import { runSync } from '../../src/io/index.ts';
import { MemoryFileSystem } from '../../src/testing/index.ts';
import { scratchFolder } from '../support/images.ts';
import { build, buildOnHost, type Spec } from './build.ts';

function treeOf(specs: readonly Spec[]): GuestTree {
  const system = new MemoryFileSystem();
  build(system, specs);
  return GuestTree.of(system);
}

/** What resolving says: the canonical path and the kind, or the errno. */
function outcome(tree: GuestTree, wanted: string, followLast: boolean): string {
  try {
    const place = runSync(tree.resolve(wanted, { followLast }));
    const at = followLast ? decodeName(runSync(tree.realpath(wanted))) : '';
    return `${place.stat.kind} ${at}`.trim();
  } catch (error) {
    if (error instanceof GuestlessError) return error.code;
    throw error;
  }
}

const SPECS: readonly Spec[] = [
  ['dir', 'etc'],
  ['file', 'etc/passwd', 'root:x:0:0::/root:/bin/sh\n'],
  ['dir', 'usr'],
  ['dir', 'usr/bin'],
  ['file', 'usr/bin/sh', '#!'],
  ['link', 'bin', 'usr/bin'],
  ['link', 'absolute', '/etc/passwd'],
  ['link', 'outside', '../../../../etc/passwd'],
  ['link', 'far', '/../../../usr'],
  ['link', 'dangling', 'nosuch/file'],
  ['link', 'loop', 'loop'],
  ['link', 'ping', 'pong'],
  ['link', 'pong', 'ping'],
  ['link', 'slashed', 'usr/'],
  ['link', 'file-slashed', 'etc/passwd/'],
  ['link', 'usr/up', '..'],
  ['link', 'usr/bin/self', '.'],
];

describe('paths', () => {
  const tree = treeOf(SPECS);
  const cases: readonly (readonly [string, string, string])[] = [
    // path, followed, not followed
    ['/', 'directory /', 'directory'],
    ['etc/passwd', 'file /etc/passwd', 'file'],
    ['//etc///passwd', 'file /etc/passwd', 'file'],
    ['/./etc/./passwd', 'file /etc/passwd', 'file'],
    ['/..', 'directory /', 'directory'],
    ['/../../etc/../etc', 'directory /etc', 'directory'],
    ['/bin', 'directory /usr/bin', 'symlink'],
    ['/bin/', 'directory /usr/bin', 'directory'],
    ['/bin/sh', 'file /usr/bin/sh', 'file'],
    ['/bin/..', 'directory /usr', 'directory'],
    ['/absolute', 'file /etc/passwd', 'symlink'],
    ['/absolute/', 'ENOTDIR', 'ENOTDIR'],
    ['/outside', 'file /etc/passwd', 'symlink'],
    ['/far/bin/sh', 'file /usr/bin/sh', 'file'],
    ['/dangling', 'ENOENT', 'symlink'],
    ['/dangling/', 'ENOENT', 'ENOENT'],
    ['/loop', 'ELOOP', 'symlink'],
    ['/loop/x', 'ELOOP', 'ELOOP'],
    ['/ping', 'ELOOP', 'symlink'],
    ['/slashed', 'directory /usr', 'symlink'],
    ['/file-slashed', 'ENOTDIR', 'symlink'],
    ['/usr/up/usr/up/etc', 'directory /etc', 'directory'],
    ['/usr/bin/self/self/sh', 'file /usr/bin/sh', 'file'],
    ['/etc/passwd/', 'ENOTDIR', 'ENOTDIR'],
    ['/etc/passwd/.', 'ENOTDIR', 'ENOTDIR'],
    ['/etc/passwd/..', 'ENOTDIR', 'ENOTDIR'],
    ['/nosuch', 'ENOENT', 'ENOENT'],
    ['/nosuch/../etc', 'ENOENT', 'ENOENT'],
    ['/nosuch/', 'ENOENT', 'ENOENT'],
    ['', 'ENOENT', 'ENOENT'],
    [`/${'n'.repeat(255)}`, 'ENOENT', 'ENOENT'],
    [`/${'n'.repeat(256)}`, 'ENAMETOOLONG', 'ENAMETOOLONG'],
    [`/nosuch/${'n'.repeat(256)}`, 'ENOENT', 'ENOENT'],
    [`/etc/passwd/${'n'.repeat(256)}`, 'ENOTDIR', 'ENOTDIR'],
    [`/${'ä'.repeat(128)}`, 'ENAMETOOLONG', 'ENAMETOOLONG'],
    ['/.'.repeat(2047), 'directory /', 'directory'],
    ['/.'.repeat(2048), 'ENAMETOOLONG', 'ENAMETOOLONG'],
    ['/etc\0/passwd', 'EINVAL', 'EINVAL'],
  ];
  test.each(cases)('%j', (wanted, followed, unfollowed) => {
    expect(outcome(tree, wanted, true)).toBe(followed);
    expect(outcome(tree, wanted, false)).toBe(unfollowed);
  });

  test('40 symbolic links are followed, 41 are ELOOP', () => {
    const chain = (length: number): Spec[] => [
      ['file', 'l0', 'end'],
      ...Array.from({ length }, (_, i): Spec => ['link', `l${i + 1}`, `l${i}`]),
    ];
    const long = treeOf(chain(41));
    expect(decodeName(runSync(long.readFile('/l40')))).toBe('end');
    expect(outcome(long, '/l41', true)).toBe('ELOOP');
    expect(runSync(long.exists('/l41'))).toBe(false);
  });

  test('a name that is no UTF-8 is found as bytes and as text', () => {
    const system = new MemoryFileSystem();
    const name = Uint8Array.of(0xff, 0x61);
    runSync(system.create(system.root, name, { mode: 0o600 }));
    const odd = GuestTree.of(system);
    expect(runSync(odd.stat(Uint8Array.of(0x2f, 0xff, 0x61))).kind).toBe('file');
    const [entry] = runSync(odd.names('/'));
    expect(runSync(odd.realpath(`/${entry}`))).toEqual(Uint8Array.of(0x2f, 0xff, 0x61));
  });

  test('verbs answer with the errno of their system call', () => {
    const code = (io: Parameters<typeof runSync>[0]): string => {
      try {
        runSync(io);
        return 'done';
      } catch (error) {
        return error instanceof Posix ? error.code : String(error);
      }
    };
    expect(code(tree.readFile('/etc'))).toBe('EISDIR');
    expect(code(tree.readFile('/nosuch'))).toBe('ENOENT');
    expect(code(tree.readFile('/etc/passwd', { limit: 3 }))).toBe('EFBIG');
    expect(code(tree.readdir('/etc/passwd'))).toBe('ENOTDIR');
    expect(code(tree.readlink('/etc'))).toBe('EINVAL');
    expect(code(tree.getxattr('/etc', 'user.none'))).toBe('ENODATA');
    expect(code(new GuestTree().stat('/'))).toContain('no file system is mounted');
  });

  test('both faces give the same', async () => {
    expect(tree.sync.readText('/etc/passwd')).toContain('root:x');
    expect(await tree.async.readText('/etc/passwd')).toContain('root:x');
    expect(tree.sync.names('/usr')).toEqual(['bin', 'up']);
  });
});

describe('mount points', () => {
  const root = new MemoryFileSystem();
  build(root, [
    ['dir', 'boot'],
    ['file', 'boot/hidden'],
    ['dir', 'srv'],
    ['link', 'efi', 'boot/efi'],
    ['file', 'top', 'top'],
  ]);
  const boot = new MemoryFileSystem();
  build(boot, [
    ['dir', 'efi'],
    ['link', 'root-link', '/top'],
    ['link', 'up', '../../top'],
  ]);
  const esp = new MemoryFileSystem();
  build(esp, [['file', 'grub.cfg', 'set x']]);
  const tree = GuestTree.of(root, { device: '/dev/sda3' });
  runSync(tree.mount(boot, '/boot', { device: '/dev/sda2' }));
  runSync(tree.mount(esp, '/boot/efi', { device: '/dev/sda1' }));

  test('a mounted file system covers the directory', () => {
    expect(runSync(tree.names('/boot'))).toEqual(['efi', 'root-link', 'up']);
    expect(runSync(tree.exists('/boot/hidden'))).toBe(false);
    expect(runSync(tree.readText('/boot/efi/grub.cfg'))).toBe('set x');
    expect(tree.mounts.map((mount) => `${mount.device} ${decodeName(mount.at)}`)).toEqual([
      '/dev/sda3 /',
      '/dev/sda2 /boot',
      '/dev/sda1 /boot/efi',
    ]);
  });

  test('.. and links cross from one to the other', () => {
    expect(decodeName(runSync(tree.realpath('/boot/efi/../../top')))).toBe('/top');
    expect(runSync(tree.readText('/boot/root-link'))).toBe('top');
    expect(runSync(tree.readText('/boot/up'))).toBe('top');
    expect(decodeName(runSync(tree.realpath('/efi/grub.cfg')))).toBe('/boot/efi/grub.cfg');
    expect(runSync(tree.statfs('/boot/efi/grub.cfg')).device).toBe('/dev/sda1');
  });

  test('what cannot be mounted', () => {
    const another = new MemoryFileSystem();
    expect(() => runSync(tree.mount(another, '/top'))).toThrow(expect.objectContaining({ code: 'ENOTDIR' }));
    expect(() => runSync(tree.mount(another, '/boot'))).toThrow(expect.objectContaining({ code: 'EBUSY' }));
    expect(() => runSync(tree.mount(another, '/nosuch'))).toThrow(expect.objectContaining({ code: 'ENOENT' }));
    expect(() => runSync(tree.mount(another, '/'))).toThrow(expect.objectContaining({ code: 'EBUSY' }));
  });

  test('a walk crosses mount points unless told otherwise', () => {
    const all = (crossMounts: boolean): string[] => runSync(walkAll(tree, '/', { crossMounts })).map((entry) => decodeName(entry.path));
    expect(all(true)).toEqual(['/', '/boot', '/boot/efi', '/boot/efi/grub.cfg', '/boot/root-link', '/boot/up', '/efi', '/srv', '/top']);
    expect(all(false)).toEqual(['/', '/boot', '/efi', '/srv', '/top']);
  });
});

// The kernel is asked in a chroot. Its answers are compared by inode number, so names are canonical without /proc.
const JUDGE = `
import os, sys, json, errno
jobs = json.load(sys.stdin)
out = []
for job in jobs:
    pid_r, pid_w = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.chroot(job["root"]); os.chdir("/")
        known = {}
        for d, ds, fs in os.walk("/"):
            known[os.lstat(d).st_ino] = d
            for f in fs + ds: known[os.lstat(os.path.join(d, f)).st_ino] = os.path.join(d, f)
        answers = []
        for p in job["paths"]:
            for ask in (os.stat, os.lstat):
                try: answers.append(known[ask(p).st_ino])
                except OSError as e: answers.append(errno.errorcode[e.errno])
        os.write(pid_w, json.dumps(answers).encode()); os._exit(0)
    os.close(pid_w)
    data = b""
    while True:
        more = os.read(pid_r, 65536)
        if not more: break
        data += more
    os.close(pid_r); os.waitpid(pid, 0)
    out.append(json.loads(data))
print(json.dumps(out))
`;

const NAMES = ['a', 'b', 'c', 'd'] as const;
const component = fc.oneof({ weight: 6, arbitrary: fc.constantFrom<string>(...NAMES) }, fc.constantFrom('.', '..', '', 'x'));
const anyPath = fc
  .tuple(fc.constantFrom('/', ''), fc.array(component, { minLength: 1, maxLength: 6 }), fc.constantFrom('', '/'))
  .map(([first, parts, last]) => first + parts.join('/') + last)
  .filter((text) => text !== '');
/** Nodes of a random tree: each new name goes below a directory that is there. */
const anyTree = fc
  .array(
    fc.tuple(
      fc.nat(),
      fc.constantFrom<string>(...NAMES),
      fc.constantFrom<'dir' | 'file' | 'link'>('dir', 'dir', 'file', 'link', 'link'),
      anyPath,
    ),
    {
      minLength: 4,
      maxLength: 25,
    },
  )
  .map((rows) => {
    const directories = [''];
    const specs: Spec[] = [];
    for (const [where, name, kind, target] of rows) {
      const full = [directories[where % directories.length] as string, name].filter((part) => part !== '').join('/');
      if (specs.some((spec) => spec[1] === full)) continue;
      if (kind === 'dir') directories.push(full);
      specs.push(kind === 'link' ? ['link', full, target] : kind === 'dir' ? ['dir', full] : ['file', full, full]);
    }
    return specs;
  });

test('random trees and paths are resolved as the Linux kernel resolves them in a chroot', () => {
  const samples = fc.sample(fc.tuple(anyTree, fc.array(anyPath, { minLength: 30, maxLength: 30 })), { numRuns: 120, seed: 20261122 });
  const folder = scratchFolder();
  const jobs = samples.map(([specs, paths], i) => {
    const root = path.join(folder, String(i));
    fs.mkdirSync(root);
    buildOnHost(root, specs);
    return { root, paths };
  });
  const judged = spawnSync('python3', ['-c', JUDGE], { input: JSON.stringify(jobs), maxBuffer: 1 << 28 });
  expect(judged.stderr.toString()).toBe('');
  const answers = JSON.parse(judged.stdout.toString()) as string[][];
  const seen = new Set<string>();
  samples.forEach(([specs, paths], i) => {
    const tree = treeOf(specs);
    const known = new Map(runSync(walkAll(tree)).map((entry) => [entry.node, decodeName(entry.path)]));
    const ours = paths.flatMap((wanted) =>
      [true, false].map((followLast) => {
        try {
          const place = runSync(tree.resolve(wanted, { followLast }));
          return known.get(place.node) as string;
        } catch (error) {
          return error instanceof GuestlessError ? error.code : String(error);
        }
      }),
    );
    for (const answer of ours) seen.add(answer);
    expect({ specs, paths, answers: ours }).toEqual({ specs, paths, answers: answers[i] });
  });
  for (const code of ['ENOENT', 'ENOTDIR', 'ELOOP']) expect(seen).toContain(code);
});

test('random bytes as paths and as link targets give only our errors', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), fc.uint8Array({ minLength: 1, maxLength: 300 }), (target, wanted) => {
      const system = new MemoryFileSystem();
      runSync(system.symlink(system.root, encodeName('l'), target));
      for (const bytes of [wanted, encodeName('/l'), encodeName('/l/l')]) {
        try {
          runSync(GuestTree.of(system).stat(bytes));
        } catch (error) {
          expect(error).toBeInstanceOf(GuestlessError);
        }
      }
    }),
    { numRuns: 300 },
  );
});
