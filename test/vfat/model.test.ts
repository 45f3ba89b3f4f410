/** Random work against a model in memory, with fsck.vfat after every step and mtools at the end; and every step failing everywhere. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeName, sameBytes } from '../../src/bytes/text.ts';
import { GuestlessError, Posix } from '../../src/errors.ts';
import { runAsync, runSync } from '../../src/io/drivers.ts';
import type { Io } from '../../src/io/effect.ts';
import type { WritableVfat } from '../../src/vfat/writable.ts';
import { mountBytes, readFile, walk } from './volume.ts';
import { complaints, type FaultySource, Hands, mkfs, mtoolsTree, workbench } from './workbench.ts';

interface Branch {
  name: string;
  contents: string | undefined;
  children: Map<string, Branch>;
}

const fold = (name: string): string => name.toUpperCase();
const lastOf = (where: string): string => where.slice(where.lastIndexOf('/') + 1);
const parentOf = (where: string): string => where.slice(0, where.lastIndexOf('/'));

/** What a FAT file system is to its users: a tree of names that differ by more than case. Failing verbs throw their errno. */
class Model {
  root: Branch = { name: '', contents: undefined, children: new Map() };

  find(where: string): Branch {
    let at = this.root;
    for (const part of where.split('/').filter((each) => each !== '')) {
      if (at.contents !== undefined) throw 'ENOTDIR';
      const next = at.children.get(fold(part));
      if (next === undefined) throw 'ENOENT';
      at = next;
    }
    return at;
  }

  directory(where: string): Branch {
    const found = this.find(where);
    if (found.contents !== undefined) throw 'ENOTDIR';
    return found;
  }

  add(where: string, contents: string | undefined): void {
    const parent = this.directory(parentOf(where));
    if (parent.children.has(fold(lastOf(where)))) throw 'EEXIST';
    parent.children.set(fold(lastOf(where)), { name: lastOf(where), contents, children: new Map() });
  }

  remove(where: string, directory: boolean): void {
    const parent = this.directory(parentOf(where));
    const found = parent.children.get(fold(lastOf(where)));
    if (found === undefined) throw 'ENOENT';
    if (directory && found.contents !== undefined) throw 'ENOTDIR';
    if (!directory && found.contents === undefined) throw 'EISDIR';
    if (found.children.size > 0) throw 'ENOTEMPTY';
    parent.children.delete(fold(lastOf(where)));
  }

  write(where: string, offset: number, text: string): void {
    const found = this.find(where);
    if (found.contents === undefined) throw 'EISDIR';
    const padded = found.contents.padEnd(offset, '\0');
    found.contents = padded.slice(0, offset) + text + padded.slice(offset + text.length);
  }

  truncate(where: string, size: number): void {
    const found = this.find(where);
    if (found.contents === undefined) throw 'EISDIR';
    found.contents = found.contents.slice(0, size).padEnd(size, '\0');
  }

  rename(from: string, to: string): void {
    // Both folders are looked up before either has to be one.
    const [source, target] = [this.find(parentOf(from)), this.find(parentOf(to))];
    if (source.contents !== undefined || target.contents !== undefined) throw 'ENOTDIR';
    const moved = source.children.get(fold(lastOf(from)));
    if (moved === undefined) throw 'ENOENT';
    const inside = (branch: Branch): boolean => branch === target || [...branch.children.values()].some(inside);
    if (moved.contents === undefined && inside(moved)) throw 'EINVAL';
    const there = target.children.get(fold(lastOf(to)));
    if (there !== undefined && there !== moved) {
      const above = (branch: Branch): boolean => branch === source || [...branch.children.values()].some(above);
      if (above(there)) throw 'ENOTEMPTY';
      if (there.contents === undefined && moved.contents !== undefined) throw 'EISDIR';
      if (there.contents !== undefined && moved.contents === undefined) throw 'ENOTDIR';
      if (there.children.size > 0) throw 'ENOTEMPTY';
    }
    source.children.delete(fold(lastOf(from)));
    moved.name = there === undefined || there === moved ? lastOf(to) : there.name;
    target.children.set(fold(moved.name), moved);
  }

  tree(branch: Branch = this.root, prefix = ''): [string, string | undefined][] {
    return [...branch.children.values()].flatMap((child) => {
      const here = `${prefix}/${child.name}`;
      return [[here, child.contents] as [string, string | undefined], ...this.tree(child, here)];
    });
  }
}

interface Operation {
  readonly kind: 'create' | 'mkdir' | 'unlink' | 'rmdir' | 'write' | 'truncate' | 'rename';
  readonly path: string;
  readonly other: string;
  readonly offset: number;
  readonly text: string;
}

const NAMES = ['a', 'A', 'b.txt', 'B.TXT', 'A rather long name, so it has parts', 'a rather long name, so it has tails', 'ünï', 'x.y.z'];
const anyPath = fc.array(fc.constantFrom(...NAMES), { minLength: 1, maxLength: 3 }).map((parts) => `/${parts.join('/')}`);
const anyOperation: fc.Arbitrary<Operation> = fc.record({
  kind: fc.constantFrom('create', 'create', 'mkdir', 'mkdir', 'unlink', 'rmdir', 'write', 'write', 'truncate', 'rename', 'rename'),
  path: anyPath,
  other: anyPath,
  offset: fc.nat(9000),
  text: fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.integer({ min: 1, max: 7000 })).map(([letter, count]) => letter.repeat(count)),
});

function onModel(model: Model, { kind, path, other, offset, text }: Operation): void {
  if (kind === 'create') model.add(path, '');
  else if (kind === 'mkdir') model.add(path, undefined);
  else if (kind === 'unlink' || kind === 'rmdir') model.remove(path, kind === 'rmdir');
  else if (kind === 'write') model.write(path, offset, text);
  else if (kind === 'truncate') model.truncate(path, offset);
  else model.rename(path, other);
}

/** The same on a file system. */
function* onVfat(vfat: WritableVfat, { kind, path, other, offset, text }: Operation): Io<void> {
  const find = function* (where: string): Io<number> {
    let node = vfat.root;
    for (const part of where.split('/').filter((each) => each !== '')) {
      const next = yield* vfat.lookup(node, encodeName(part));
      if (next === undefined) throw new Posix('ENOENT');
      node = next;
    }
    return node;
  };
  if (kind === 'write') return yield* vfat.write(yield* find(path), offset, encodeName(text));
  if (kind === 'truncate') return yield* vfat.truncate(yield* find(path), offset);
  const parent = yield* find(parentOf(path));
  const name = encodeName(lastOf(path));
  if (kind === 'create') yield* vfat.create(parent, name, { mode: 0o644 });
  else if (kind === 'mkdir') yield* vfat.mkdir(parent, name, { mode: 0o755 });
  else if (kind === 'unlink') yield* vfat.unlink(parent, name);
  else if (kind === 'rmdir') yield* vfat.rmdir(parent, name);
  else yield* vfat.rename(parent, name, yield* find(parentOf(other)), encodeName(lastOf(other)));
}

function treeOf(vfat: WritableVfat | ReturnType<typeof mountBytes>): [string, string | undefined][] {
  return walk(vfat).map(({ path, stat }) => [
    path,
    stat.kind === 'directory' ? undefined : Buffer.from(readFile(vfat, stat)).toString('latin1'),
  ]);
}

const byPath = (a: [string, unknown], b: [string, unknown]): number => (a[0] < b[0] ? -1 : 1);

const IMAGES: [string, Uint8Array][] = [
  ['FAT12', mkfs(360, '-s', '1')],
  ['FAT16', mkfs(5000, '-F', '16', '-s', '2')],
  ['FAT32', mkfs(34816, '-F', '32', '-s', '1')],
];

describe.each(IMAGES)('%s', (kind, image) => {
  test('random work agrees with the model, fsck.vfat and mtools', () => {
    fc.assert(
      fc.property(fc.array(anyOperation, { minLength: 5, maxLength: 30 }), (operations) => {
        const { source, vfat } = workbench(image);
        const model = new Model();
        for (const operation of operations) {
          let expected: unknown = 'done';
          let got: unknown = 'done';
          try {
            onModel(model, operation);
          } catch (error) {
            expected = error;
          }
          const before = expected === 'done' ? undefined : source.bytes.slice();
          try {
            runSync(onVfat(vfat, operation));
          } catch (error) {
            if (!(error instanceof GuestlessError)) throw error;
            got = error.code;
          }
          expect(got).toBe(expected);
          if (before === undefined) expect(complaints(source.bytes)).toBe('');
          else expect(sameBytes(source.bytes, before)).toBe(true);
        }
        const expected = model.tree().sort(byPath);
        expect(treeOf(vfat).sort(byPath)).toEqual(expected);
        expect(treeOf(mountBytes(source.bytes)).sort(byPath)).toEqual(expected);
        expect([...mtoolsTree(source.bytes)].sort(byPath)).toEqual(expected);
      }),
      { numRuns: kind === 'FAT32' ? 4 : 12 },
    );
  });
});

/** Runs a computation whose `failing`-th step fails; says whether there was such a step. */
function runFailing(io: Io<void>, failing: number): 'done' | 'failed' {
  const injected = new Posix('EIO', {}, 'injected');
  try {
    let step = io.next();
    for (let count = 1; step.done !== true; count++) {
      let reply: unknown;
      try {
        if (count === failing) throw injected;
        reply = step.value.sync();
      } catch (error) {
        step = io.throw(error);
        continue;
      }
      step = io.next(reply);
    }
    return 'done';
  } catch (error) {
    if (error === injected) return 'failed';
    throw error;
  }
}

/** The same with the disk itself failing at its n-th read or write, in the middle of a commit too. */
function runOnFailingDisk(source: FaultySource, io: Io<void>, failing: number): 'done' | 'failed' {
  source.countdown = failing;
  try {
    runSync(io);
    return 'done';
  } catch (error) {
    if (error instanceof Posix && error.message === 'injected') return 'failed';
    throw error;
  } finally {
    source.countdown = 0;
  }
}

describe.each([
  ['FAT12, steps failing', IMAGES[0]?.[1], false],
  ['FAT12, the disk failing', IMAGES[0]?.[1], true],
  ['FAT16, the disk failing', IMAGES[1]?.[1], true],
  ['FAT32, the disk failing', mkfs(2048, '-F', '32', '-s', '1'), true],
] as [string, Uint8Array, boolean][])('%s', (_kind, image, disk) => {
  test('a verb that fails at any of its steps leaves disk and memory as they were, and the same object works on', () => {
    const { source, vfat } = workbench(image, { cacheBudget: 4 * 4096 });
    const name = 'A rather long name, so it has parts';
    const text = 'x'.repeat(5000);
    const story: [Operation['kind'], string, string, number][] = [
      ['create', `/${name}`, '', 0],
      ['write', `/${name}`, '', 100],
      ['mkdir', '/d', '', 0],
      ['mkdir', '/d/e', '', 0],
      ['rename', `/${name}`, '/d/e/moved', 0],
      ['write', '/d/e/moved', '', 20_000],
      ['truncate', '/d/e/moved', '', 300],
      ['truncate', '/d/e/moved', '', 9000],
      ['rename', '/d/e', '/E', 0],
      ['create', '/victim', '', 0],
      ['write', '/victim', '', 0],
      ['rename', '/E/moved', '/victim', 0],
      ['rmdir', '/E', '', 0],
      ['unlink', '/VICTIM', '', 0],
    ];
    const model = new Model();
    let failures = 0;
    for (const [kind, path, other, offset] of story) {
      const operation: Operation = { kind, path, other, offset, text };
      const before = source.bytes.slice();
      const tree = treeOf(vfat);
      for (let failing = 1; ; failing++) {
        const io = onVfat(vfat, operation);
        const outcome = disk ? runOnFailingDisk(source, io, failing) : runFailing(io, failing);
        if (outcome === 'done') break;
        failures++;
        expect(sameBytes(source.bytes, before), `${kind} ${path} failing at ${failing}`).toBe(true);
        if (failing % 3 === 0) expect(treeOf(vfat)).toEqual(tree);
      }
      onModel(model, operation);
      expect(treeOf(vfat).sort(byPath)).toEqual(model.tree().sort(byPath));
      expect(complaints(source.bytes), `${kind} ${path}`).toBe('');
    }
    expect(failures).toBeGreaterThan(50);
  });
});

test('under the asynchronous driver, verbs started at once come one after the other', async () => {
  const { source, vfat } = workbench(mkfs(1440));
  await Promise.all(
    Array.from({ length: 30 }, (_, i) =>
      runAsync(
        vfat.transaction(function* () {
          const node = yield* vfat.create(vfat.root, encodeName(`file number ${i}`), { mode: 0o644 });
          yield* vfat.write(node, 0, encodeName(`${i}`.repeat(1000)));
        }),
      ),
    ),
  );
  expect(complaints(source.bytes)).toBe('');
  expect(treeOf(vfat).sort(byPath)).toEqual(
    Array.from({ length: 30 }, (_, i) => [`/file number ${i}`, `${i}`.repeat(1000)] as [string, string]).sort(byPath),
  );
});

test('two thousand files in twenty directories, and fsck.vfat is content', () => {
  const { source, vfat } = workbench(mkfs(34816, '-F', '32', '-s', '1'));
  const hands = new Hands(vfat);
  for (let d = 0; d < 20; d++) {
    const directory = hands.mkdir(`/directory ${d}`);
    for (let i = 0; i < 100; i++) {
      const node = runSync(vfat.create(directory, encodeName(`file number ${i}`), { mode: 0o644 }));
      runSync(vfat.write(node, 0, encodeName(`${d} ${i}`)));
    }
  }
  expect(complaints(source.bytes)).toBe('');
  expect(walk(vfat).length).toBe(20 * 101);
});

test('a file renamed onto a directory above it: not empty, rather than a directory, as Linux says', () => {
  const { vfat } = workbench(mkfs(1440));
  const hands = new Hands(vfat);
  hands.mkdir('/a');
  hands.mkdir('/a/b');
  hands.create('/a/b/file');
  hands.mkdir('/c');
  expect(() => hands.rename('/a/b/file', '/a')).toThrow(expect.objectContaining({ code: 'ENOTEMPTY' }));
  expect(() => hands.rename('/a/b/file', '/a/b')).toThrow(expect.objectContaining({ code: 'ENOTEMPTY' }));
  expect(() => hands.rename('/a/b/file', '/c')).toThrow(expect.objectContaining({ code: 'EISDIR' }));
});
