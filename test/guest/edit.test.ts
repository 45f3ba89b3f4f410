import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeName, encodeName } from '../../src/bytes/index.ts';
import { GuestlessError, Posix } from '../../src/errors.ts';
import { EditableTree, walkAll } from '../../src/guest/index.ts';
import { type Io, runSync } from '../../src/io/index.ts';
import { compareTrees, MemoryFileSystem } from '../../src/testing/index.ts';
import { scratchFolder } from '../support/images.ts';

/** One system call: its name, its paths, its number. */
type Call = readonly [verb: string, path: string, other: string, number: number];

// The kernel performs the calls in a chroot and tells the errno of each, and the tree at the end.
const JUDGE = `
import os, sys, json, errno, stat
os.umask(0)
def perform(verb, p, q, n):
    if verb == "mkdir": os.mkdir(p, n & 0o777)
    elif verb == "rmdir": os.rmdir(p)
    elif verb == "unlink": os.unlink(p)
    elif verb == "rename": os.rename(p, q)
    elif verb == "link": os.link(p, q, follow_symlinks=False)
    elif verb == "symlink": os.symlink(q, p)
    elif verb == "mkfifo": os.mkfifo(p, n & 0o777)
    elif verb == "chmod": os.chmod(p, n & 0o7777)
    elif verb == "chown": os.chown(p, n, n // 2)
    elif verb == "lchown": os.lchown(p, n, -1)
    elif verb == "truncate":
        os.truncate(p, n)
    elif verb in ("writeFile", "appendFile"):
        # O_NONBLOCK, so that a FIFO does not wait for its reader.
        f = os.open(p, os.O_WRONLY | os.O_NONBLOCK | os.O_CREAT | (os.O_TRUNC if verb == "writeFile" else os.O_APPEND), 0o644)
        os.write(f, q.encode()); os.close(f)
    elif verb == "stat": os.stat(p)
    elif verb == "readlink": os.readlink(p)
    else: raise Exception(verb)
out = []
for job in json.load(sys.stdin):
    r, w = os.pipe(); pid = os.fork()
    if pid == 0:
        os.chroot(job["root"]); os.chdir("/")
        codes = []
        for verb, p, q, n in job["calls"]:
            try: perform(verb, p, q, n); codes.append("done")
            except OSError as e: codes.append(errno.errorcode[e.errno])
        tree = []
        def show(p):
            s = os.lstat(p)
            row = [p, oct(s.st_mode), s.st_nlink if not stat.S_ISDIR(s.st_mode) else 0, s.st_uid, s.st_gid]
            if stat.S_ISREG(s.st_mode): row.append(open(p, "rb").read().decode())
            if stat.S_ISLNK(s.st_mode): row.append(os.readlink(p))
            tree.append(row)
            if stat.S_ISDIR(s.st_mode):
                for name in sorted(os.listdir(p)): show(os.path.join(p, name))
        show("/")
        data = json.dumps([codes, tree]).encode()
        while data: data = data[os.write(w, data):]
        os._exit(0)
    os.close(w); data = b""
    while True:
        more = os.read(r, 65536)
        if not more: break
        data += more
    os.close(r); os.waitpid(pid, 0); out.append(json.loads(data))
print(json.dumps(out))
`;

function io(tree: EditableTree, [verb, wanted, other, n]: Call): Io<unknown> {
  switch (verb) {
    case 'mkdir':
      return tree.mkdir(wanted, { mode: n & 0o777 });
    case 'rmdir':
      return tree.rmdir(wanted);
    case 'unlink':
      return tree.unlink(wanted);
    case 'rename':
      return tree.rename(wanted, other);
    case 'link':
      return tree.link(wanted, other);
    case 'symlink':
      return tree.symlink(other, wanted);
    case 'mkfifo':
      return tree.mknod(wanted, 'fifo', { mode: n & 0o777 });
    case 'chmod':
      return tree.chmod(wanted, n);
    case 'chown':
      return tree.chown(wanted, n, Math.floor(n / 2));
    case 'lchown':
      return tree.chown(wanted, n, undefined, { followLast: false });
    case 'truncate':
      return tree.truncate(wanted, n);
    case 'writeFile':
      return tree.writeFile(wanted, encodeName(other));
    case 'appendFile':
      return tree.appendFile(wanted, encodeName(other));
    case 'readlink':
      return tree.readlink(wanted);
    default:
      return tree.stat(wanted);
  }
}

function outcome(computation: Io<unknown>): string {
  try {
    runSync(computation);
    return 'done';
  } catch (error) {
    if (error instanceof Posix) return error.code;
    throw error;
  }
}

function listing(tree: EditableTree): unknown[] {
  return runSync(walkAll(tree)).map(({ path: at, stat }) => {
    const text = decodeName(at);
    const row: unknown[] = [text, `0o${stat.mode.toString(8)}`, stat.kind === 'directory' ? 0 : stat.links, stat.uid, stat.gid];
    if (stat.kind === 'file') row.push(tree.sync.readText(text));
    if (stat.kind === 'symlink') row.push(decodeName(tree.sync.readlink(text)));
    return row;
  });
}

const component = fc.constantFrom('a', 'b', 'c', 'a', 'b', 'c', 'a', '.', '..');
const anyPath = fc
  .tuple(fc.array(component, { minLength: 1, maxLength: 3 }), fc.constantFrom('', '', '', '/'))
  .map(([parts, last]) => `/${parts.join('/')}${last}`);
const verb = fc.constantFrom(
  ...[
    'mkdir',
    'mkdir',
    'mkdir',
    'rmdir',
    'unlink',
    'rename',
    'rename',
    'link',
    'symlink',
    'mkfifo',
    'chmod',
    'chown',
    'lchown',
    'truncate',
  ],
  ...['writeFile', 'writeFile', 'appendFile', 'stat', 'readlink'],
);
const anyCall: fc.Arbitrary<Call> = fc.tuple(verb, anyPath, anyPath, fc.integer({ min: 0, max: 0o7777 }));

/** FIFOs differ in what opening them says, which is no matter of files; and `.`/`..` at the end of a link(2) source in what comes first. */
test('random calls end as the Linux kernel ends them, call by call, and leave the same tree', () => {
  const samples = fc.sample(fc.array(anyCall, { minLength: 25, maxLength: 45 }), { numRuns: 250, seed: 77 });
  const folder = scratchFolder();
  const jobs = samples.map((calls, i) => {
    const root = path.join(folder, String(i));
    fs.mkdirSync(root, { mode: 0o755 });
    return { root, calls };
  });
  const judged = spawnSync('python3', ['-c', JUDGE], { input: JSON.stringify(jobs), maxBuffer: 1 << 28 });
  expect(judged.stderr.toString()).toBe('');
  const answers = JSON.parse(judged.stdout.toString()) as [string[], unknown[]][];
  const seen = new Map<string, number>();
  samples.forEach((calls, i) => {
    const tree = EditableTree.of(new MemoryFileSystem());
    const [codes, expected] = answers[i] as [string[], unknown[]];
    calls.forEach((call, k) => {
      const before = listing(tree);
      const ours = outcome(io(tree, call));
      seen.set(ours, (seen.get(ours) ?? 0) + 1);
      expect({ call, before, ours }).toEqual({ call, before, ours: codes[k] });
    });
    expect(listing(tree)).toEqual(expected);
  });
  for (const code of ['done', 'EEXIST', 'ENOENT', 'ENOTDIR', 'EISDIR', 'ENOTEMPTY', 'EINVAL', 'EBUSY', 'ELOOP', 'EPERM'])
    expect(seen.has(code), code).toBe(true);
});

describe('verbs', () => {
  const fresh = (): EditableTree => EditableTree.of(new MemoryFileSystem());

  test('mkdirp makes what is missing, follows links on the way and is content with what is there', () => {
    const tree = fresh();
    const { sync } = tree;
    sync.mkdirp('/a/b/c');
    sync.mkdirp('/a/b/c/');
    sync.symlink('a', '/link');
    sync.mkdirp('/link/b/d');
    sync.mkdirp('/nosuch/../z');
    expect(runSync(walkAll(tree)).map((entry) => decodeName(entry.path))).toEqual([
      '/',
      '/a',
      '/a/b',
      '/a/b/c',
      '/a/b/d',
      '/link',
      '/nosuch',
      '/z',
    ]);
    sync.writeFile('/file', encodeName('x'));
    expect(outcome(tree.mkdirp('/new/../file/d'))).toBe('ENOTDIR');
    expect(sync.exists('/new')).toBe(false);
  });

  test('a file is changed in place: same node, mode, owner and names', () => {
    const { sync } = fresh();
    sync.writeFile('/f', encodeName('long contents'), { mode: 0o4711, uid: 3, gid: 4 });
    sync.link('/f', '/g');
    const { node } = sync.stat('/f');
    sync.writeFile('/g', encodeName('short'));
    sync.appendFile('/f', encodeName('er'));
    expect(sync.readText('/g')).toBe('shorter');
    expect(sync.stat('/g')).toMatchObject({ node, links: 2, mode: 0o104711, uid: 3, gid: 4 });
    expect(outcome(fresh().writeFile('/nosuch/f', encodeName('')))).toBe('ENOENT');
  });

  test('writing through a dangling link makes its target', () => {
    const { sync } = fresh();
    sync.mkdir('/d');
    sync.symlink('d/new', '/link');
    sync.appendFile('/link', encodeName('x'));
    expect(sync.readText('/d/new')).toBe('x');
    expect(sync.lstat('/link').kind).toBe('symlink');
  });

  test('rm removes trees whole, or nothing', () => {
    const tree = fresh();
    const { sync } = tree;
    sync.mkdirp('/a/b/c');
    sync.writeFile('/a/b/f', encodeName('x'));
    sync.symlink('/keep', '/a/b/link');
    sync.mkdir('/keep');
    expect(outcome(tree.rm('/a'))).toBe('EISDIR');
    expect(outcome(tree.rm('/nosuch'))).toBe('ENOENT');
    sync.rm('/nosuch', { force: true });
    const boot = new MemoryFileSystem();
    sync.mkdir('/a/boot');
    sync.mount(boot, '/a/boot');
    expect(outcome(tree.rm('/a', { recursive: true }))).toBe('EBUSY');
    expect(sync.readText('/a/b/f')).toBe('x');
    expect(outcome(tree.rename('/a/boot', '/x'))).toBe('EBUSY');
    expect(outcome(tree.rename('/a/b/f', '/a/boot/f'))).toBe('EXDEV');
    expect(outcome(tree.link('/a/b/f', '/a/boot/f'))).toBe('EXDEV');
    sync.rm('/a/b', { recursive: true });
    expect(sync.names('/a')).toEqual(['boot']);
    expect(sync.exists('/keep')).toBe(true);
  });

  test('nothing is changed on what is mounted read-only', () => {
    const system = new MemoryFileSystem();
    const tree = EditableTree.of(system, { readOnly: true });
    for (const computation of [
      tree.mkdir('/d'),
      tree.writeFile('/f', encodeName('')),
      tree.chmod('/', 0),
      tree.symlink('x', '/l'),
      tree.setxattr('/', 'user.a', encodeName('')),
    ]) {
      expect(outcome(computation)).toBe('EROFS');
    }
    expect(outcome(tree.mkdir('/'))).toBe('EEXIST');
  });

  test('a transaction over two file systems happens as a whole or not at all', () => {
    const [root, boot] = [new MemoryFileSystem(), new MemoryFileSystem()];
    const tree = EditableTree.of(root);
    tree.sync.mkdir('/boot');
    tree.sync.mount(boot, '/boot');
    tree.sync.writeFile('/boot/grub', encodeName('old'));
    expect(() =>
      tree.sync.transaction(function* () {
        yield* tree.writeFile('/boot/grub', encodeName('new'));
        yield* tree.mkdir('/etc');
        yield* tree.mkdir('/nosuch/etc');
      }),
    ).toThrow(GuestlessError);
    expect(tree.sync.readText('/boot/grub')).toBe('old');
    expect(tree.sync.exists('/etc')).toBe(false);
  });

  test('attributes need a namespace, and are there afterwards', () => {
    const tree = fresh();
    tree.sync.writeFile('/f', encodeName(''));
    tree.sync.setxattr('/f', 'user.a', Uint8Array.of(0, 255));
    expect(tree.sync.getxattr('/f', 'user.a')).toEqual(Uint8Array.of(0, 255));
    expect(outcome(tree.setxattr('/f', 'a', encodeName('')))).toBe('EOPNOTSUPP');
    tree.sync.removexattr('/f', 'user.a');
    expect(outcome(tree.removexattr('/f', 'user.a'))).toBe('ENODATA');
  });

  test('the comparison of trees sees each difference', () => {
    const make = (change: (tree: EditableTree) => void): MemoryFileSystem => {
      const system = new MemoryFileSystem({ clock: () => ({ seconds: 1, nanoseconds: 0 }) });
      const tree = EditableTree.of(system);
      tree.sync.mkdirp('/d/e');
      tree.sync.writeFile('/d/f', encodeName('contents'));
      tree.sync.link('/d/f', '/d/g');
      tree.sync.symlink('f', '/d/l');
      change(tree);
      return system;
    };
    const plain = make(() => undefined);
    expect(
      runSync(
        compareTrees(
          plain,
          make(() => undefined),
        ),
      ),
    ).toEqual([]);
    const changes: readonly (readonly [(tree: EditableTree) => void, string])[] = [
      [(tree) => tree.sync.chmod('/d/f', 0), '/d/f: mode 100644, 100000'],
      [(tree) => tree.sync.write('/d/f', 3, encodeName('T')), '/d/f: contents at byte 3'],
      [(tree) => tree.sync.truncate('/d/f', 3), '/d/f: size 8, 3'],
      [(tree) => tree.sync.chown('/d/e', 1, 2), '/d/e: owner 0:0, 1:2'],
      [(tree) => tree.sync.setxattr('/d', 'user.x', encodeName('y')), '/d: xattrs , user.x=79'],
      [(tree) => tree.sync.mkdir('/d/n'), '/d/n: only in the second'],
      [(tree) => tree.sync.unlink('/d/l'), '/d/l: only in the first'],
      [(tree) => tree.sync.utimes('/d', undefined, { seconds: 5, nanoseconds: 6 }), '/d: mtime 1.000000000, 5.000000006'],
    ];
    for (const [change, difference] of changes) expect(runSync(compareTrees(plain, make(change)))).toContain(difference);
  });
});
