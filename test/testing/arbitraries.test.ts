/** The random values are worth having: they hold what they promise, most operations succeed, failures shrink to what matters. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openImage } from '../../src/image/index.ts';
import { runSync } from '../../src/io/index.ts';
import { FileSource } from '../../src/platform/node/file.ts';
import { nodeCodecs } from '../../src/platform/node/index.ts';
import {
  compareTrees,
  layoutContents,
  MemoryFileSystem,
  type Operation,
  operationSequences,
  outcomeOf,
  pathsOf,
  qcow2Layouts,
  qemuCommands,
  trees,
} from '../../src/testing/index.ts';
import { scratchFolder } from '../support/images.ts';
import { must } from '../support/oracle.ts';

const SEED = 7;

describe('sequences of operations', () => {
  const outcomes = new Map<string, number>();
  const verbs = new Map<string, number>();
  const count = (map: Map<string, number>, key: string): void => void map.set(key, (map.get(key) ?? 0) + 1);

  test('use every verb, succeed mostly, and meet every errno of POSIX that a tree can give', () => {
    fc.assert(
      fc.property(operationSequences(fc), (operations) => {
        const tree = new MemoryFileSystem();
        for (const operation of operations) {
          count(verbs, operation.verb);
          count(outcomes, runSync(outcomeOf(tree, operation)));
        }
      }),
      { numRuns: 150, seed: SEED },
    );
    expect([...verbs.keys()].sort()).toEqual([
      'append',
      'create',
      'link',
      'mkdir',
      'mknod',
      'punch',
      'removeXattr',
      'rename',
      'rmdir',
      'setAttributes',
      'setXattr',
      'symlink',
      'truncate',
      'unlink',
      'write',
    ]);
    const all = [...outcomes.values()].reduce((sum, one) => sum + one, 0);
    expect((outcomes.get('done') ?? 0) / all).toBeGreaterThan(0.6);
    for (const code of ['EEXIST', 'EINVAL', 'EISDIR', 'ENODATA', 'ENOENT', 'ENOTDIR', 'ENOTEMPTY', 'EPERM'])
      expect(outcomes.get(code) ?? 0, code).toBeGreaterThan(0);
  });

  test('are the same when they are performed again: a sequence in a file is a test', () => {
    fc.assert(
      fc.property(operationSequences(fc, { maximum: 20 }), (operations) => {
        const again = JSON.parse(JSON.stringify(operations)) as Operation[];
        const [one, other] = [operations, again].map((sequence) => {
          const tree = new MemoryFileSystem();
          for (const operation of sequence) runSync(outcomeOf(tree, operation));
          return tree;
        });
        expect(runSync(compareTrees(one!, other!, { times: 'all' }))).toEqual([]);
      }),
      { numRuns: 20, seed: SEED },
    );
  });

  test('shrink: a file system that loses the last byte of long writes is found with few operations', () => {
    class Lossy extends MemoryFileSystem {
      override write(node: number, offset: number, bytes: Uint8Array): ReturnType<MemoryFileSystem['write']> {
        return super.write(node, offset, bytes.length > 1000 ? bytes.subarray(0, -1) : bytes);
      }
    }
    const found = fc.check(
      fc.property(operationSequences(fc, { bursts: false }), (operations) => {
        const [right, wrong] = [new MemoryFileSystem(), new Lossy()];
        for (const operation of operations) for (const tree of [right, wrong]) runSync(outcomeOf(tree, operation));
        return runSync(compareTrees(right, wrong, { times: false })).length === 0;
      }),
      { seed: SEED, numRuns: 200 },
    );
    expect(found.failed).toBe(true);
    expect(found.counterexample?.[0].length).toBeLessThanOrEqual(4);
  });

  test('trees have files, directories and links', () => {
    const kinds = new Set<string>();
    fc.assert(
      fc.property(trees(fc), (tree) => {
        for (const { kind } of runSync(pathsOf(tree))) kinds.add(kind);
      }),
      { numRuns: 30, seed: SEED },
    );
    expect([...kinds].sort()).toEqual(['block', 'character', 'directory', 'fifo', 'file', 'socket', 'symlink']);
  });
});

test('qcow2 layouts: qemu makes them, and what we read is what they hold', () => {
  const folder = scratchFolder();
  fc.assert(
    fc.property(qcow2Layouts(fc, { maximumSize: 2 << 20 }), (layout) => {
      const file = path.join(folder, 'layout.qcow2');
      const { create, io } = qemuCommands(layout);
      must('qemu-img', 'create', '-q', ...create.slice(0, -1), file, ...create.slice(-1));
      if (io.length > 0) must('qemu-io', '-d', 'unmap', ...io.flatMap((command) => ['-c', command]), file);
      const source = FileSource.open(file);
      const image = runSync(openImage(source, { codecs: nodeCodecs }));
      expect(image.size).toBe(layout.size);
      expect(Buffer.compare(runSync(image.read(0, layout.size)), layoutContents(layout))).toBe(0);
      source.close();
      fs.rmSync(file);
    }),
    { numRuns: 15, seed: SEED },
  );
});
