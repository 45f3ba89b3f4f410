/** What we write, fsck.vfat finds clean after every operation, and mtools reads back. */
import { describe, expect, test } from 'vitest';
import { decodeName, encodeName, sameBytes } from '../../src/bytes/text.ts';
import { runSync } from '../../src/io/drivers.ts';
import { must, run } from '../support/oracle.ts';
import { list, mountBytes, walk } from './volume.ts';
import { complaints, Hands, mkfs, mtoolsTree, NOW, saved, workbench } from './workbench.ts';

const KINDS: [string, number, string[]][] = [
  ['FAT12 floppy', 1440, []],
  ['FAT12, clusters of 512', 1440, ['-F', '12', '-s', '1']],
  ['FAT12, sectors of 4096', 4096, ['-F', '12', '-S', '4096', '-s', '1', '-r', '512']],
  ['FAT12, clusters of 64 KiB', 6400, ['-F', '12', '-s', '128']],
  ['FAT16', 16384, ['-F', '16']],
  ['FAT16, sectors of 2048, one FAT', 16384, ['-F', '16', '-S', '2048', '-s', '1', '-f', '1']],
  ['FAT32', 34816, ['-F', '32', '-s', '1']],
  ['FAT32, sectors of 4096', 4096, ['-F', '32', '-S', '4096', '-s', '1']],
  ['FAT32, clusters of 64 KiB', 8192, ['-F', '32', '-s', '128']],
];

/** mtools takes a FAT32 of few clusters for something else. */
const mtoolsReads = (kind: string): boolean => !/FAT32, /.test(kind);

describe.each(KINDS)('on %s', (kind, size, options) => {
  test('a day of work: each step is clean for fsck.vfat, the result is what mtools reads', () => {
    const { source, vfat } = workbench(mkfs(size, ...options));
    const hands = new Hands(vfat);
    const cluster = vfat.geometry.clusterSize;
    const clean = (step: string): void => expect(complaints(source.bytes), step).toBe('');
    const big = Uint8Array.from({ length: 3 * cluster + 17 }, (_, i) => (i * 7 + (i >> 8)) & 0xff);
    const steps: [string, () => void][] = [
      ['create', () => hands.create('/hello.txt', 'hello\n')],
      ['create long', () => hands.create('/A long name, with more than one part.text', big)],
      ['mkdir', () => hands.mkdir('/directory')],
      ['mkdir deeper', () => hands.mkdir('/directory/inside')],
      ['create inside', () => hands.create('/directory/inside/UPPER.TXT', 'x'.repeat(cluster))],
      ['write over the middle', () => hands.write(hands.node('/A long name, with more than one part.text'), cluster - 3, 'MIDDLE')],
      ['append', () => hands.write(hands.node('/hello.txt'), 6, 'again\n')],
      ['write beyond the end', () => hands.write(hands.node('/hello.txt'), 2 * cluster, 'far')],
      ['truncate down', () => hands.truncate('/hello.txt', 5)],
      ['truncate up', () => hands.truncate('/hello.txt', cluster + 5)],
      ['truncate to nothing', () => hands.truncate('/directory/inside/UPPER.TXT', 0)],
      ['rename', () => hands.rename('/hello.txt', '/directory/renamed with a long name')],
      ['rename over', () => hands.rename('/A long name, with more than one part.text', '/directory/renamed with a long name')],
      ['rename a directory away', () => hands.rename('/directory/inside', '/outside')],
      ['change case only', () => hands.rename('/outside', '/OutSide')],
      ['create with accents', () => hands.create('/été à la plage.txt', 'sable')],
      ['mkdir to remove', () => hands.mkdir('/short-lived')],
      ['rmdir', () => hands.rmdir('/short-lived')],
      ['unlink', () => hands.unlink('/OutSide/upper.txt')],
      ['create again', () => hands.create('/OutSide/last', 'last')],
    ];
    for (const [step, act] of steps) {
      act();
      clean(step);
    }
    expect(hands.text('/directory/renamed with a long name').slice(cluster - 3, cluster + 3)).toBe('MIDDLE');
    const expected = new Map<string, string | undefined>(
      walk(vfat).map((each) => [each.path, each.stat.kind === 'directory' ? undefined : hands.text(each.path)]),
    );
    expect([...expected.keys()].sort()).toEqual(
      ['/OutSide', '/OutSide/last', '/directory', '/directory/renamed with a long name', '/été à la plage.txt'].sort(),
    );
    const again = mountBytes(source.bytes);
    expect(walk(again)).toEqual(walk(vfat).map((each) => ({ ...each, stat: { ...each.stat, node: again.sync.resolve(each.path) } })));
    if (mtoolsReads(kind)) expect(new Map([...mtoolsTree(source.bytes)].sort())).toEqual(new Map([...expected].sort()));
  });
});

test('a gap beyond the end reads as zeros, though its clusters held something before', () => {
  const image = mkfs(1440);
  const { vfat, source } = workbench(image);
  const hands = new Hands(vfat);
  hands.create('/old', 'o'.repeat(100_000));
  hands.unlink('/old');
  const node = hands.create('/new', 'start');
  hands.write(node, 3000, 'end');
  expect(hands.text('/new')).toBe(`start${'\0'.repeat(2995)}end`);
  hands.truncate('/new', 2);
  hands.truncate('/new', 5000);
  expect(hands.text('/new')).toBe(`st${'\0'.repeat(4998)}`);
  expect(complaints(source.bytes)).toBe('');
});

test('short names are those that Linux makes', () => {
  // Observed of Linux 6.1's vfat, mounted with its defaults.
  const expected: Record<string, string> = {
    'hello.txt': 'HELLO   TXT',
    'Mixed.Txt': 'MIXED   TXT',
    'Long File Name.with.dots.TEXT': 'LONGFI~1TEX',
    'long file name 1.text': 'LONGFI~2TEX',
    '.hidden': 'HIDDEN~1   ',
    'a+b,c;d=e[f].txt': 'A_B_C_~1TXT',
    'été.txt': '\u0090T\u0090     TXT',
    '漢字.txt': '__~1    TXT',
    'trailing.': 'TRAILING   ',
    'aux.txt': 'AUX     TXT',
    'nine45678.txt': 'NINE45~1TXT',
    'eight678.text': 'EIGHT6~1TEX',
    thirteenchars: 'THIRTE~1   ',
    'a.b.c': 'AB~1    C  ',
    '...x': 'X~1        ',
    '~tilde': '~TILDE     ',
    'UPPER.TXT': 'UPPER   TXT',
  };
  const { vfat, source } = workbench(mkfs(1440));
  const hands = new Hands(vfat);
  for (const name of Object.keys(expected)) hands.create(`/${name}`);
  const raw = new Map<string, string>();
  for (const { node, name } of runSync(list(vfat, vfat.root))) {
    raw.set(name, Buffer.from(source.bytes.subarray(node * 32, node * 32 + 11)).toString('latin1'));
  }
  expect(Object.fromEntries(raw)).toEqual(
    Object.fromEntries(Object.entries(expected).map(([name, short]) => [name.replace(/\.$/, ''), short])),
  );
  expect(complaints(source.bytes)).toBe('');
});

test('many names with the same beginning all find a short name of their own', () => {
  const { vfat, source } = workbench(mkfs(4096, '-F', '16', '-s', '1', '-r', '2048'));
  const hands = new Hands(vfat);
  hands.mkdir('/d');
  for (let i = 0; i < 300; i++) hands.create(`/d/same beginning ${i}.text`);
  expect(complaints(source.bytes)).toBe('');
  expect(
    new Set(runSync(list(vfat, hands.node('/d'))).map(({ node }) => source.bytes.subarray(node * 32, node * 32 + 11).join())).size,
  ).toBe(300);
});

test.each([
  ['', 'ENOENT'],
  ['...', 'ENOENT'],
  ['a/b', 'EINVAL'],
  ['a\\b', 'EINVAL'],
  ['question?', 'EINVAL'],
  ['colon:', 'EINVAL'],
  ['new\nline', 'EINVAL'],
  ['trailing ', 'EINVAL'],
  ['n'.repeat(256), 'ENAMETOOLONG'],
])('the name %j is refused with %s', (name, code) => {
  const { vfat, source } = workbench(mkfs(1440));
  const before = source.bytes.slice();
  expect(() => runSync(vfat.create(vfat.root, encodeName(name), { mode: 0o644 }))).toThrow(expect.objectContaining({ code }));
  expect(() => runSync(vfat.mkdir(vfat.root, encodeName(name), { mode: 0o644 }))).toThrow(expect.objectContaining({ code }));
  expect(sameBytes(source.bytes, before)).toBe(true);
});

describe('POSIX answers', () => {
  const prepared = () => {
    const bench = workbench(mkfs(1440));
    const hands = new Hands(bench.vfat);
    hands.create('/file', 'contents');
    hands.mkdir('/directory');
    hands.mkdir('/directory/sub');
    hands.mkdir('/empty');
    return { ...bench, hands };
  };
  test.each<[string, string, (hands: Hands) => void]>([
    ['create what exists', 'EEXIST', (h) => h.create('/FILE')],
    ['mkdir what exists', 'EEXIST', (h) => h.mkdir('/Directory')],
    ['create below a file', 'ENOTDIR', (h) => h.create('/file/x')],
    ['unlink nothing', 'ENOENT', (h) => h.unlink('/nothing')],
    ['unlink a directory', 'EISDIR', (h) => h.unlink('/directory')],
    ['rmdir a file', 'ENOTDIR', (h) => h.rmdir('/file')],
    ['rmdir a full directory', 'ENOTEMPTY', (h) => h.rmdir('/directory')],
    ['rename nothing', 'ENOENT', (h) => h.rename('/nothing', '/x')],
    ['rename a file over a directory', 'EISDIR', (h) => h.rename('/file', '/directory')],
    ['rename a directory over a file', 'ENOTDIR', (h) => h.rename('/directory', '/file')],
    ['rename a directory into itself', 'EINVAL', (h) => h.rename('/directory', '/directory/sub/x')],
    ['rename over a full directory', 'ENOTEMPTY', (h) => h.rename('/empty', '/directory')],
    ['write to a directory', 'EISDIR', (h) => h.write(h.node('/directory'), 0, 'x')],
    ['write beyond 4 GiB', 'EFBIG', (h) => h.write(h.node('/file'), 0xffff_ffff, 'x')],
    ['truncate beyond 4 GiB', 'EFBIG', (h) => h.truncate('/file', 0x1_0000_0000)],
    ['truncate beyond the disk', 'ENOSPC', (h) => h.truncate('/file', 2_000_000)],
    ['symlink', 'EPERM', (h) => runSync(h.vfat.symlink())],
    ['link', 'EPERM', (h) => runSync(h.vfat.link())],
    ['mknod', 'EPERM', (h) => runSync(h.vfat.mknod())],
    ['setXattr', 'EOPNOTSUPP', (h) => runSync(h.vfat.setXattr())],
    ['chown', 'EPERM', (h) => runSync(h.vfat.setAttributes(h.node('/file'), { uid: 1000 }))],
    ['chmod with set-uid', 'EPERM', (h) => runSync(h.vfat.setAttributes(h.node('/file'), { mode: 0o4755 }))],
  ])('%s: %s', (_what, code, act) => {
    const { hands, source } = prepared();
    expect(() => act(hands)).toThrow(expect.objectContaining({ code }));
    expect(complaints(source.bytes)).toBe('');
  });

  test('chmod keeps only the read-only attribute, and ignores the rest as Linux does', () => {
    const { hands, vfat } = prepared();
    const file = hands.node('/file');
    const modes = [0o600, 0o444, 0o555, 0o644, 0o755].map((mode) => {
      runSync(vfat.setAttributes(file, { mode, uid: 0, gid: 0 }));
      return vfat.sync.stat(file).mode & 0o777;
    });
    expect(modes).toEqual([0o755, 0o755, 0o555, 0o555, 0o755]);
    runSync(vfat.setAttributes(hands.node('/directory'), { mode: 0o500 }));
    expect(vfat.sync.stat(hands.node('/directory')).mode).toBe(0o40755);
  });

  test('times are rounded down and clamped to what FAT can hold', () => {
    const { hands, vfat } = prepared();
    const file = hands.node('/file');
    const stamped = (seconds: number): [number, number] => {
      const at = { seconds, nanoseconds: 0 };
      runSync(vfat.setAttributes(file, { atime: at, mtime: at }));
      const stat = vfat.sync.stat(file);
      return [stat.atime.seconds, stat.mtime.seconds];
    };
    expect(stamped(1_000_000_003)).toEqual([999_993_600, 1_000_000_002]);
    expect(stamped(0)).toEqual([315_532_800, 315_532_800]);
    expect(stamped(5_000_000_000)).toEqual([4_354_732_800, 4_354_819_198]);
    expect(vfat.sync.stat(hands.create('/new')).btime).toEqual(NOW);
  });
});

test('a renamed node keeps its number, and no other node gets it', () => {
  const { vfat } = workbench(mkfs(1440));
  const hands = new Hands(vfat);
  const first = hands.create('/first', 'one');
  hands.mkdir('/d');
  hands.rename('/first', '/d/moved');
  expect(hands.node('/d/moved')).toBe(first);
  const second = hands.create('/second', 'two');
  expect(second).not.toBe(first);
  hands.write(first, 3, '+');
  hands.write(second, 3, '-');
  expect([hands.text('/d/moved'), hands.text('/second')]).toEqual(['one+', 'two-']);
  hands.rename('/d/moved', '/second');
  expect([hands.node('/second'), hands.text('/second')]).toEqual([first, 'one+']);
});

test('the fixed root directory fills up: ENOSPC, and nothing is lost', () => {
  const { vfat, source } = workbench(mkfs(1440));
  const hands = new Hands(vfat);
  expect(() => {
    for (let i = 0; i < 300; i++) hands.create(`/F${i}`, 'x');
  }).toThrow(expect.objectContaining({ code: 'ENOSPC' }));
  expect(runSync(list(vfat, vfat.root)).length).toBe(224);
  expect(complaints(source.bytes)).toBe('');
});

test('a full disk: ENOSPC leaves everything as it was, and freeing makes room again', () => {
  const { vfat, source } = workbench(mkfs(360));
  const hands = new Hands(vfat);
  hands.create('/keep', 'k'.repeat(100_000));
  hands.mkdir('/d');
  const before = source.bytes.slice();
  expect(() => hands.write(hands.node('/keep'), 0, new Uint8Array(400_000))).toThrow(expect.objectContaining({ code: 'ENOSPC' }));
  expect(sameBytes(source.bytes, before)).toBe(true);
  const { freeBlocks, blockSize } = runSync(vfat.usage());
  hands.create('/fill', new Uint8Array(freeBlocks * blockSize).fill(1));
  expect(runSync(vfat.usage()).freeBlocks).toBe(0);
  expect(() => hands.mkdir('/e')).toThrow(expect.objectContaining({ code: 'ENOSPC' }));
  expect(complaints(source.bytes)).toBe('');
  hands.unlink('/keep');
  hands.mkdir('/e');
  expect(complaints(source.bytes)).toBe('');
});

test('a directory grows with its names, and names leave it again', () => {
  const { vfat, source } = workbench(mkfs(34816, '-F', '32', '-s', '1'));
  const hands = new Hands(vfat);
  const directory = hands.mkdir('/d');
  for (let i = 0; i < 500; i++) runSync(vfat.create(directory, encodeName(`file number ${i} of very many`), { mode: 0o644 }));
  expect(runSync(list(vfat, directory)).length).toBe(500);
  expect(complaints(source.bytes)).toBe('');
  for (let i = 0; i < 500; i += 2) runSync(vfat.unlink(directory, encodeName(`FILE NUMBER ${i} OF VERY MANY`)));
  expect(runSync(list(mountBytes(source.bytes), directory)).length).toBe(250);
  expect(complaints(source.bytes)).toBe('');
});

describe('labels', () => {
  test.each([
    ['FAT12', 1440, []],
    ['FAT32', 34816, ['-F', '32', '-s', '1', '-n', 'BEFORE']],
  ])('on %s are set, changed and removed as blkid reads them', (_kind, size, options) => {
    const { vfat, source } = workbench(mkfs(size, ...options));
    const blkid = (): string =>
      saved(source.bytes, (file) => run('blkid', ['-p', '-o', 'value', '-s', 'LABEL', file]).stdout.toString().trim());
    for (const label of ['FIRST', 'SECOND ONE', 'cidata', '']) {
      runSync(vfat.setLabel(encodeName(label)));
      expect(decodeName(vfat.label)).toBe(label);
      expect(decodeName(mountBytes(source.bytes).label)).toBe(label);
      expect(blkid()).toBe(label);
      const lower = label !== label.toUpperCase();
      if (!lower) expect(complaints(source.bytes)).toBe('');
    }
    expect(() => runSync(vfat.setLabel(encodeName('TWELVE CHARS')))).toThrow(expect.objectContaining({ code: 'EINVAL' }));
  });
});

test('several verbs as one transaction: all of them or none', () => {
  const { vfat, source } = workbench(mkfs(1440));
  const hands = new Hands(vfat);
  hands.create('/before', 'b');
  const image = source.bytes.slice();
  expect(() =>
    runSync(
      vfat.transaction(function* () {
        const directory = yield* vfat.mkdir(vfat.root, encodeName('new'), { mode: 0o755 });
        const node = yield* vfat.create(directory, encodeName('file'), { mode: 0o644 });
        yield* vfat.write(node, 0, encodeName('text'));
        yield* vfat.unlink(vfat.root, encodeName('missing'));
      }),
    ),
  ).toThrow(expect.objectContaining({ code: 'ENOENT' }));
  expect(sameBytes(source.bytes, image)).toBe(true);
  expect(walk(vfat).map((each) => each.path)).toEqual(['/before']);
  runSync(
    vfat.transaction(function* () {
      const directory = yield* vfat.mkdir(vfat.root, encodeName('new'), { mode: 0o755 });
      try {
        yield* vfat.unlink(vfat.root, encodeName('missing'));
      } catch {
        yield* vfat.create(directory, encodeName('went on'), { mode: 0o644 });
      }
    }),
  );
  expect(walk(vfat).map((each) => each.path)).toEqual(['/before', '/new', '/new/went on']);
  expect(complaints(source.bytes)).toBe('');
});

test('files written by mtools are changed by us, and the other way round', () => {
  const { vfat, source } = workbench(mkfs(1440));
  const hands = new Hands(vfat);
  hands.create('/from us.txt', 'ours');
  const changed = saved(source.bytes, (file) => {
    must('mmd', '-i', file, '::/by mtools');
    must('mren', '-i', file, '::/from us.txt', '::/by mtools/taken over.txt');
    return new Uint8Array(Buffer.from(must('base64', '-w0', file), 'base64'));
  });
  const second = workbench(changed);
  const again = new Hands(second.vfat);
  again.write(again.node('/by mtools/taken over.txt'), 4, ' again');
  again.rename('/by mtools', '/by us');
  expect(mtoolsTree(second.source.bytes)).toEqual(
    new Map([
      ['/by us', undefined],
      ['/by us/taken over.txt', 'ours again'],
    ]),
  );
  expect(complaints(second.source.bytes)).toBe('');
});

test('fsck.vfat bites: a single changed link is found', () => {
  const { vfat, source } = workbench(mkfs(1440));
  new Hands(vfat).create('/file', 'x'.repeat(5000));
  expect(complaints(source.bytes)).toBe('');
  const at = vfat.geometry.fatOffset + 4;
  source.bytes[at] = (source.bytes[at] ?? 0) ^ 0x10;
  expect(complaints(source.bytes)).toMatch(/FATs differ/);
});
