import * as fs from 'node:fs';
import * as path from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Bytes, concatBytes, decodeName, encodeName } from '../../src/bytes/index.ts';
import { GuestlessError } from '../../src/errors.ts';
import { EditableTree, type Pull, TarReader, tarChecksum, unpackTar, walkAll, writeTar } from '../../src/guest/index.ts';
import { runSync } from '../../src/io/index.ts';
import { compareTrees, MemoryFileSystem } from '../../src/testing/index.ts';
import { scratchFolder } from '../support/images.ts';
import { must, run } from '../support/oracle.ts';
import { listing, makeHostTree } from './host-tree.ts';

/** The bytes in pieces of `size`. */
function pullOf(bytes: Bytes, size = 65_536): Pull {
  let at = 0;
  // biome-ignore lint/correctness/useYield: the bytes are at hand
  return function* () {
    if (at >= bytes.length) return undefined;
    const piece = bytes.subarray(at, at + size);
    at += piece.length;
    return piece;
  };
}

function unpacked(bytes: Bytes, size?: number): MemoryFileSystem {
  const system = new MemoryFileSystem();
  runSync(unpackTar(EditableTree.of(system), '/', pullOf(bytes, size)));
  return system;
}

function packed(system: MemoryFileSystem): Bytes {
  const pieces: Bytes[] = [];
  runSync(
    writeTar(EditableTree.of(system), '/', {}, (bytes) => {
      pieces.push(bytes.slice());
      return undefined;
    }),
  );
  return concatBytes(...pieces);
}

describe('archives of the real tool', () => {
  const scratch = scratchFolder();
  const source = path.join(scratch, 'source');
  beforeAll(() => makeHostTree(source));

  const everything = ['--format=pax', '--xattrs', '--acls', '-S'];
  test.each([
    ['pax, sparse 1.0', everything],
    ['pax, sparse 0.1', [...everything, '--sparse-version=0.1']],
    ['pax, sparse 0.0', [...everything, '--sparse-version=0.0']],
    ['pax without holes', ['--format=pax', '--xattrs', '--acls']],
  ])('%s: unpacked by us, packed by us and unpacked by it, the tree is the same', (title, options) => {
    const file = path.join(scratch, `${title}.tar`);
    run('tar', [...options, '-cf', file, '-C', source, '.']);
    for (const size of [65_536, 512, 77]) {
      const target = path.join(scratch, `${title}-${size}`);
      fs.mkdirSync(target);
      const again = path.join(scratch, 'again.tar');
      fs.writeFileSync(again, packed(unpacked(fs.readFileSync(file), size)));
      must('tar', '--xattrs', '--xattrs-include=*', '--acls', '--numeric-owner', '-xpf', again, '-C', target);
      expect(listing(target)).toEqual(listing(source));
    }
  });

  test.each([
    ['gnu', ['--format=gnu']],
    ['gnu with old sparse files', ['--format=gnu', '-S']],
    ['oldgnu', ['--format=oldgnu', '-S']],
    ['ustar', ['--format=ustar', '--exclude=0000*', '--exclude=./etc/passwd']],
    [
      'v7',
      [
        '--format=v7',
        '--exclude=0000*',
        '--exclude=fifo',
        '--exclude=null',
        '--exclude=loop',
        '--exclude=long-link',
        '--exclude=\xff*',
        '--exclude=./etc/passwd',
      ],
    ],
  ])('%s: unpacked by us and by it, the trees are the same', (title, options) => {
    const file = path.join(scratch, `${title}.tar`);
    run('tar', [...options, '-cf', file, '-C', source, '.']);
    const [one, other] = [path.join(scratch, `${title}-ours`), path.join(scratch, `${title}-theirs`)];
    fs.mkdirSync(one);
    fs.mkdirSync(other);
    fs.writeFileSync(path.join(scratch, 'again.tar'), packed(unpacked(fs.readFileSync(file))));
    run('tar', ['--numeric-owner', '-xpf', path.join(scratch, 'again.tar'), '-C', one]);
    run('tar', ['--numeric-owner', '-xpf', file, '-C', other]);
    expect((listing(one) as unknown[]).length).toBeGreaterThan(15);
    expect(listing(one)).toEqual(listing(other));
  });

  test('packed and unpacked, a tree in memory is the same', () => {
    const file = path.join(scratch, 'whole.tar');
    run('tar', [...everything, '-cf', file, '-C', source, '.']);
    const first = unpacked(fs.readFileSync(file));
    expect(runSync(compareTrees(first, unpacked(packed(first))))).toEqual([]);
  });
});

type Header = readonly [name: string, type: string, linkname?: string];

describe('where an archive may write', () => {
  /** An archive of plain headers. */
  const archive = (...members: readonly Header[]): Bytes => {
    const blocks = members.map(([name, type, linkname = '']) => {
      const block = new Uint8Array(512);
      const put = (at: number, text: string): void => block.set(encodeName(text), at);
      put(0, name);
      put(100, '0000755\0');
      put(124, '00000000000\0');
      put(136, '00000000000\0');
      put(156, type);
      put(157, linkname);
      put(257, 'ustar\u000000');
      put(148, `${tarChecksum(block, 0).toString(8).padStart(6, '0')}\0 `);
      return block;
    });
    return concatBytes(...blocks, new Uint8Array(1024));
  };
  const guest = (): EditableTree => {
    const tree = EditableTree.of(new MemoryFileSystem());
    for (const folder of ['/target/real', '/outside']) tree.sync.mkdirp(folder);
    tree.sync.symlink('real', '/target/inward');
    tree.sync.symlink('/outside', '/target/outward');
    tree.sync.writeFile('/outside/secret', encodeName('secret'));
    return tree;
  };
  const attempt = (tree: EditableTree, ...members: readonly Header[]): string => {
    try {
      runSync(unpackTar(tree, '/target', pullOf(archive(...members))));
      return 'done';
    } catch (error) {
      if (error instanceof GuestlessError) return error.code;
      throw error;
    }
  };
  const paths = (tree: EditableTree): string[] => runSync(walkAll(tree)).map((entry) => decodeName(entry.path));

  test.each([
    ['a name with ..', [['../escaped', '0']]],
    ['a name with .. in the middle', [['real/../../escaped', '0']]],
    ['a directory that is a link to elsewhere', [['outward/escaped', '0']]],
    [
      'a link made by the archive itself',
      [
        ['made', '2', '/outside'],
        ['made/escaped', '0'],
      ],
    ],
    [
      'a chain of links made by the archive',
      [
        ['a', '2', '..'],
        ['b', '2', 'a/outside'],
        ['b/escaped', '0'],
      ],
    ],
    ['a hard link to the outside', [['stolen', '1', '../outside/secret']]],
    ['a hard link through a link', [['stolen', '1', 'outward/secret']]],
  ] as const)('%s is refused, and nothing is written at all', (_, members) => {
    const tree = guest();
    const before = paths(tree);
    expect(attempt(tree, ['first', '0'], ...members)).toBe('REFUSED');
    expect(paths(tree)).toEqual(before);
  });

  test('a slash at the beginning is dropped, links inside are followed, a link under the name of a file is replaced', () => {
    const tree = guest();
    expect(attempt(tree, ['/absolute', '0'], ['inward/new', '0'], ['deep/er/file', '0'], ['outward', '0'])).toBe('done');
    expect(paths(tree)).toEqual([
      ...['/', '/outside', '/outside/secret', '/target', '/target/absolute', '/target/deep', '/target/deep/er', '/target/deep/er/file'],
      ...['/target/inward', '/target/outward', '/target/real', '/target/real/new'],
    ]);
    expect(tree.sync.lstat('/target/outward').kind).toBe('file');
  });

  test('a hard link to itself is there already, and what type nobody knows is a file', () => {
    const tree = guest();
    expect(attempt(tree, ['one', '0'], ['one', '1', './one'], ['odd', 'Z'], ['label', 'V'])).toBe('done');
    expect(tree.sync.lstat('/target/one').links).toBe(1);
    expect(tree.sync.lstat('/target/odd').kind).toBe('file');
    expect(paths(tree)).not.toContain('/target/label');
  });

  test('what is no archive is called so', () => {
    const unpack = (bytes: Bytes): void => {
      runSync(unpackTar(guest(), '/target', pullOf(bytes)));
    };
    expect(() => unpack(new Uint8Array(0))).toThrow(/an empty stream is no tar archive/);
    expect(() => unpack(encodeName('# A text of some length, no archive at all\n'.repeat(40)))).toThrow(/this is no tar archive/);
    expect(() => unpack(new Uint8Array(1024))).not.toThrow();
  });

  test('a file replaces a directory only where that is empty, as GNU tar has it', () => {
    const tree = guest();
    expect(attempt(tree, ['real', '5'], ['real', '0'], ['inward', '0'])).toBe('done');
    expect(tree.sync.lstat('/target/real').kind).toBe('file');
    expect(attempt(tree, ['dir/inner', '0'], ['dir', '0'])).toBe('EISDIR');
    expect(paths(tree)).not.toContain('/target/dir');
  });
});

test('broken archives give only our errors', () => {
  const system = new MemoryFileSystem();
  const { sync } = EditableTree.of(system);
  sync.mkdirp(`/${'d'.repeat(120)}`);
  sync.writeFile('/sparse', encodeName('x'));
  sync.truncate('/sparse', 100_000);
  sync.write('/sparse', 50_000, encodeName('middle'));
  sync.setxattr('/sparse', 'user.a', encodeName('b'));
  sync.symlink('sparse', '/link');
  const good = packed(system);
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { maxLength: 6 }),
      fc.nat(good.length),
      fc.boolean(),
      (changes, length, repair) => {
        const bad = good.slice(0, repair ? good.length : length);
        for (const [at, value] of changes) if (at < bad.length) bad[at] = value;
        // Headers with a right checksum get past the first check.
        if (repair) {
          for (let at = 0; at + 512 <= bad.length; at += 512) {
            if (decodeName(bad.subarray(at + 257, at + 262)) !== 'ustar') continue;
            bad.set(encodeName(`${tarChecksum(bad, at).toString(8).padStart(6, '0')}\0 `), at + 148);
          }
        }
        const reader = new TarReader(pullOf(bad, 1000));
        try {
          for (let member = runSync(reader.next()); member !== undefined; member = runSync(reader.next())) {
            while (runSync(reader.data()) !== undefined);
          }
        } catch (error) {
          expect(error).toBeInstanceOf(GuestlessError);
        }
      },
    ),
    { numRuns: 1500 },
  );
});
