/** The check says of sound file systems that they are clean, and of broken ones what e2fsck says: that something is wrong. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkExt4 } from '../../src/ext4/check/index.ts';
import { runSync } from '../../src/io/drivers.ts';
import { MemorySource, SourceDevice } from '../../src/io/source.ts';
import { FIXTURES, scratchFolder } from '../support/images.ts';
import { e2fsckComplaints, must } from '../support/oracle.ts';
import '../support/seed.ts';

const folder = scratchFolder('guestless-check-');
const problemsOf = (bytes: Uint8Array): readonly string[] => runSync(checkExt4(new SourceDevice(new MemorySource(bytes)))).problems;
const unpacked = (name: string): Uint8Array => new Uint8Array(gunzipSync(fs.readFileSync(path.join(FIXTURES, name))));

describe('the check of a file system', () => {
  it('finds nothing wrong with sound ones of every kind', () => {
    for (const room of ['ext4', 'ext4-htree']) {
      for (const name of fs.readdirSync(path.join(FIXTURES, room)).filter((file) => file.endsWith('.img.gz'))) {
        expect([name, problemsOf(unpacked(`${room}/${name}`))]).toEqual([name, []]);
      }
    }
  });

  it('finds what e2fsck finds after each kind of damage', () => {
    const clean = path.join(folder, 'clean.img');
    fs.writeFileSync(clean, unpacked('ext4/ext4-1k.img.gz'));
    const numberOf = (name: string): string => {
      const found = /Inode: (\d+)/.exec(must('debugfs', '-R', `stat ${name}`, clean));
      if (found === null) throw new Error(`the fixture has no ${name}`);
      return `<${found[1]}>`;
    };
    const directory = numberOf('/names');
    const inside = must('debugfs', '-R', 'ls -p /sizes', clean).split('\n');
    const file = `<${inside.find((line) => line.split('/')[2]?.startsWith('100'))?.split('/')[1]}>`;
    const damages: readonly string[] = [
      `sif ${file} links_count 7`,
      `sif ${directory} links_count 9`,
      `sif ${file} blocks 3`,
      `clri ${file}`,
      'freeb 3000 1',
      'setb 15000 2',
      `freei ${file}`,
      'seti <120>',
      'ssv free_blocks_count 1',
      'ssv free_inodes_count 2',
      'ssv state 2',
      'set_bg 0 free_blocks_count 5',
      'set_bg 0 used_dirs_count 40',
      'set_bg 0 checksum 1',
      `unlink ${file}`,
    ];
    let bitten = 0;
    for (const damage of damages) {
      const image = path.join(folder, 'damaged.img');
      fs.copyFileSync(clean, image);
      must('debugfs', '-w', '-R', damage, image);
      const theirs = e2fsckComplaints(image) !== '';
      const ours = problemsOf(new Uint8Array(fs.readFileSync(image)));
      expect([damage, ours.length > 0, ours]).toEqual([damage, theirs, ours]);
      if (theirs) bitten++;
    }
    expect(bitten).toBeGreaterThan(9);
  });

  it('ends in bounded time, with no error but a report, whatever is broken', () => {
    const names = ['ext4/ext2-1k.img.gz', 'ext4/ext4-1k.img.gz', 'ext4/ext4-inline.img.gz', 'ext4/ext4-bigalloc.img.gz'];
    const images = names.map(unpacked);
    const flips = fc.array(fc.tuple(fc.integer({ min: 0, max: 600_000 }), fc.integer({ min: 0, max: 255 })), {
      minLength: 1,
      maxLength: 12,
    });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: images.length - 1 }), flips, fc.boolean(), (index, changes, cut) => {
        const bytes = images[index]!.slice();
        for (const [at, value] of changes) bytes[at % bytes.length] = value;
        const problems = problemsOf(cut ? bytes.subarray(0, (changes[0]?.[0] ?? 0) % bytes.length) : bytes);
        expect(problems.length).toBeLessThanOrEqual(101);
      }),
      { numRuns: 150, endOnFailure: true },
    );
  }, 60_000);
});
