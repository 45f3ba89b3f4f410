import * as fs from 'node:fs';
import * as path from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { scratchFolder } from '../support/images.ts';
import { must } from '../support/oracle.ts';
import { makeTestDisk, type TestDisk } from './disk.ts';
import { guestless } from './run.ts';

let disk: TestDisk;
const folder = scratchFolder('guestless-cli-damage-');

beforeAll(() => {
  disk = makeTestDisk(folder);
});

/** A small generator of numbers that are the same in each run. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const VERBS: readonly (readonly string[])[] = [
  ['info'],
  ['filesystems'],
  ['ls', '-lR'],
  ['checksum'],
  ['tar-out', '--partition', '2', 'IMAGE', '/', '/dev/null'],
  ['df'],
];

function expectTame(image: string, words: readonly string[]): void {
  const { status, stderr } = guestless(
    words.includes('IMAGE') ? words.map((word) => (word === 'IMAGE' ? image : word)) : [...words, image],
  );
  expect([0, 1, 2, 3, 4], `${words.join(' ')}: ${stderr}`).toContain(status);
  expect(stderr).not.toMatch(/internal error|RangeError|TypeError|\n {4}at /);
  expect(stderr.split('\n').filter((line) => line !== '' && !line.startsWith('guestless: '))).toEqual([]);
}

test.each([0, 1, 511, 1536, 65_536, 300_000])(
  'an image cut off after %i bytes is told in one line, or read as far as it goes',
  (length) => {
    for (const [name, source] of [
      ['cut.qcow2', disk.qcow2],
      ['cut.raw', disk.raw],
    ] as const) {
      const image = path.join(folder, name);
      fs.writeFileSync(image, fs.readFileSync(source).subarray(0, length));
      for (const verb of VERBS.slice(0, 3)) expectTame(image, verb);
    }
  },
);

test.each([1, 2, 3, 4, 5, 6, 7, 8])('bytes changed at random places (%i): only exit statuses of the contract', (seed) => {
  const random = numbers(seed);
  const compressed = seed % 2 === 0;
  const bytes = fs.readFileSync(compressed ? disk.qcow2 : disk.raw);
  // Where the tables are: the beginning of the file, of each partition, and for qcow2 anywhere.
  const places = compressed ? [0, 65_536, 131_072, bytes.length - 70_000] : [0, 1 << 20, 9 << 20, (9 << 20) + 4096, bytes.length - 20_000];
  for (let i = 0; i < 60; i++) {
    const start = places[Math.floor(random() * places.length)] ?? 0;
    bytes[start + Math.floor(random() * 4096)] = Math.floor(random() * 256);
  }
  const image = path.join(folder, `random-${seed}.img`);
  fs.writeFileSync(image, bytes);
  for (const verb of VERBS) expectTame(image, verb);
});

test('checksum tells of a file that cannot be read, goes on behind it, and exits 4', () => {
  const image = path.join(folder, 'unreadable.img');
  fs.copyFileSync(disk.ext4, image);
  must('debugfs', '-w', '-R', 'set_inode_field /a/one.txt block[0] 0', image);
  const { status, stdout, stderr } = guestless(['checksum', '--partition', '0', image, '/a-b']);
  expect([status, stderr]).toEqual([0, '']);
  const all = guestless(['checksum', '--partition', '0', image, '/']);
  expect(all.status).toBe(4);
  expect(all.stderr).toMatch(/^guestless: warning: \/a\/one\.txt: [^\n]+\n$/);
  expect(all.stdout).toContain(stdout);
  expect(all.stdout).toContain('  /sticky/secret\n');
  expect(all.stdout).not.toContain('/a/one.txt');
});
