/** What Linux looks at first when several things are wrong. Each was found by random sequences against the model or the kernel. */
import { expect, test } from 'vitest';
import type { Operation } from '../../src/testing/index.ts';
import { Bench, KINDS } from './workbench.ts';

const kind = KINDS.find(({ name }) => name === 'ext4-2k')!;

/** How the last operation ended on the file system and, the same, on the model. */
function last(...operations: Operation[]): string[] {
  const bench = new Bench(kind);
  const unequal = operations.map((operation) => bench.step(operation));
  expect(unequal.filter((each) => each !== undefined)).toEqual([]);
  expect(bench.verdict()).toEqual([]);
  return bench.outcomes;
}

const mkdir = (path: string): Operation => ({ verb: 'mkdir', path, mode: 0o755 });
const create = (path: string): Operation => ({ verb: 'create', path, mode: 0o644 });

test('a file renamed onto a directory above it: not empty, rather than a directory', () => {
  expect(last(mkdir('/a'), mkdir('/a/b'), create('/a/b/f'), { verb: 'rename', path: '/a/b/f', newPath: '/a' })).toEqual([
    'done',
    'done',
    'done',
    'ENOTEMPTY',
  ]);
});

test('a file renamed onto a directory elsewhere: is a directory, empty or not', () => {
  const outcomes = last(
    mkdir('/a'),
    mkdir('/b'),
    create('/b/g'),
    create('/a/f'),
    { verb: 'rename', path: '/a/f', newPath: '/b' },
    { verb: 'rename', path: '/b/g', newPath: '/lost+found' },
  );
  expect(outcomes.slice(-2)).toEqual(['EISDIR', 'EISDIR']);
});

test('a directory linked to a name that exists: the name exists, rather than not permitted', () => {
  const outcomes = last(mkdir('/a'), { verb: 'link', path: '/a', newPath: '/a' }, { verb: 'link', path: '/a', newPath: '/b' });
  expect(outcomes.slice(-2)).toEqual(['EEXIST', 'EPERM']);
});

test('a missing name renamed into what is no directory: not a directory, rather than missing', () => {
  const outcomes = last(
    create('/a'),
    create('/b'),
    { verb: 'rename', path: '/none', newPath: '/a/x' },
    { verb: 'rename', path: '/b/x', newPath: '/c' },
  );
  expect(outcomes.slice(-2)).toEqual(['ENOTDIR', 'ENOTDIR']);
});

test.each<[string, Operation]>([
  ['writing', { verb: 'write', path: '/f', offset: 3, bytes: { seed: 1, length: 5 } }],
  ['cutting', { verb: 'truncate', path: '/f', size: 1 }],
  ['changing the owner', { verb: 'setAttributes', path: '/f', attributes: { uid: 7, gid: 8 } }],
])('file capabilities do not outlive %s', (_, change) => {
  const set: Operation = { verb: 'setXattr', path: '/f', name: 'security.capability', value: { seed: 2, length: 20 } };
  const remove: Operation = { verb: 'removeXattr', path: '/f', name: 'security.capability' };
  expect(last(create('/f'), set, change, remove).slice(-1)).toEqual(['ENODATA']);
  expect(last(create('/f'), set, remove).slice(-1)).toEqual(['done']);
});
