/** Real tools and we write to the same file system in turn: the kernel through a loop mount, and debugfs. The model holds for all. */
import * as fs from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeName } from '../../src/bytes/text.ts';
import { runSync } from '../../src/io/drivers.ts';
import { nodeOfPath, type Operation, outcomeOf, patternBytes, xattrValue } from '../../src/testing/index.ts';
import { must, run } from '../support/oracle.ts';
import { Bench, blank, isMountable, KINDS, kernelWalk, mounted, operationsFor, ourWalk, SEED, saved, show } from './workbench.ts';

const RUNS = Number(process.env['GUESTLESS_FUZZ_RUNS'] ?? 1);
const PERFORM = fileURLToPath(new URL('perform.py', import.meta.url));

/** Performs operations through the kernel; how each ended. */
function byKernel(file: string, operations: readonly Operation[]): string[] {
  const concrete = operations.map((operation) => {
    const value =
      operation.verb === 'write' || operation.verb === 'append'
        ? patternBytes(operation.bytes)
        : operation.verb === 'setXattr'
          ? xattrValue(operation.value)
          : new Uint8Array(0);
    return { ...operation, hex: Buffer.from(value).toString('hex') };
  });
  return mounted(file, 'rw', (mount) => {
    const { status, stdout, stderr } = run('python3', [PERFORM, mount], Buffer.from(JSON.stringify(concrete)));
    if (status !== 0) throw new Error(stderr);
    return JSON.parse(stdout.toString()) as string[];
  });
}

/** The same on the model, which has room where the kernel has none. */
function onModel(bench: Bench, operations: readonly Operation[], outcomes: readonly string[]): void {
  operations.forEach((operation, i) => {
    if (outcomes[i] === 'ENOSPC') return;
    const expected = runSync(outcomeOf(bench.model, operation));
    expect(`${show(operation)}: ${outcomes[i]}`).toBe(`${show(operation)}: ${expected}`);
  });
}

/** All kinds in longer runs, else those that differ most. */
const BY_KERNEL = KINDS.filter(
  (kind) =>
    isMountable(kind) &&
    (RUNS > 1 || ['ext2-1k-inode128', 'ext3', 'ext4-1k', 'bigalloc-small', 'inline-256', 'ea-inode'].includes(kind.name)),
);

describe.each(BY_KERNEL)('the kernel and we on $name', (kind) => {
  test(`in turn, seed ${SEED}`, () => {
    const three = fc.tuple(operationsFor(kind, 30), operationsFor(kind, 30), operationsFor(kind, 30));
    fc.assert(
      fc.property(three, ([first, second, third]) => {
        const times = { times: false } as const;
        const before = new Bench(kind);
        for (const operation of first) expect(before.step(operation)).toBeUndefined();
        const written = saved(before.source.bytes, (file) => {
          onModel(before, second, byKernel(file, second));
          return new Uint8Array(fs.readFileSync(file));
        });
        const after = new Bench(kind, written, before.model);
        expect(after.differences(after.ext4, times)).toEqual([]);
        for (const operation of third) expect(after.step(operation)).toBeUndefined();
        expect(after.verdict(times)).toEqual([]);
        expect(saved(after.source.bytes, kernelWalk)).toEqual(ourWalk(after.ext4));
      }),
      { numRuns: RUNS, seed: SEED, endOnFailure: process.env['GUESTLESS_FUZZ_SHRINK'] === 'no' },
    );
  });
});

describe.each(KINDS)('debugfs and we on $name', (kind) => {
  test('what debugfs wrote is read, changed and added to', () => {
    const content = patternBytes({ seed: 7, length: 70_000 });
    const image = saved(content, (host) =>
      saved(blank(kind), (file) => {
        const commands = ['mkdir d', `write ${host} top`, 'cd d', `write ${host} f`, 'symlink s target', 'mknod p p', 'mkdir e'];
        commands.push('set_inode_field f mtime @1700000000');
        for (let i = 0; i < 30; i++) commands.push(`write /dev/null a-rather-long-name-${i}`);
        saved(new TextEncoder().encode(`${commands.join('\n')}\ncd /\nrm top\n`), (script) => must('debugfs', '-w', '-f', script, file));
        return new Uint8Array(fs.readFileSync(file));
      }),
    );
    const bench = new Bench(kind, image, 'unknown');
    const { ext4 } = bench;
    const file = runSync(nodeOfPath(ext4, '/d/f'));
    const got = new Uint8Array(content.length);
    expect(runSync(ext4.read(file, 0, got))).toBe(content.length);
    expect(Buffer.compare(got, content)).toBe(0);
    expect(runSync(ext4.stat(file)).mtime.seconds).toBe(1_700_000_000);
    const directory = runSync(nodeOfPath(ext4, '/d'));
    for (let i = 0; i < 60; i++) runSync(ext4.create(directory, encodeName(`another-long-name-of-ours-${i}`), { mode: 0o644 }));
    for (let i = 0; i < 30; i += 2) runSync(ext4.unlink(directory, encodeName(`a-rather-long-name-${i}`)));
    runSync(ext4.write(file, 30_000, content.subarray(0, 50_000)));
    runSync(ext4.punch(file, 10_000, 9_000));
    expect(bench.complaints()).toBe('');
    const expected = new Uint8Array(80_000);
    expected.set(content);
    expected.set(content.subarray(0, 50_000), 30_000);
    expected.fill(0, 10_000, 19_000);
    const read = new Uint8Array(80_000);
    runSync(ext4.read(file, 0, read));
    expect(Buffer.compare(read, expected)).toBe(0);
    saved(bench.source.bytes, (image) => {
      saved(new Uint8Array(0), (copy) => {
        must('debugfs', '-R', `dump /d/f ${copy}`, image);
        expect(Buffer.compare(fs.readFileSync(copy), expected)).toBe(0);
      });
      // Unused entries are listed too, as inode 0.
      const listed = must('debugfs', '-R', 'ls -p /d', image).replace(/^\/0\/.*$/gm, '');
      expect(listed.split('\n').filter((line) => line.includes('another-long-name-of-ours-')).length).toBe(60);
      expect(listed.split('\n').filter((line) => line.includes('a-rather-long-name-')).length).toBe(15);
    });
  });
});
