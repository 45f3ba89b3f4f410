/** Journals cut or spoiled at many places: what is replayed is what e2fsck replays, and nothing but this library's errors comes out. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { crc32cUpdate } from '../../src/bytes/crc32.ts';
import { Corrupt, GuestlessError } from '../../src/errors.ts';
import { findJournal } from '../../src/ext4/journal-inode.ts';
import { runSync } from '../../src/io/drivers.ts';
import { fixture, scratchFolder } from '../support/images.ts';
import { run } from '../support/oracle.ts';
import { mountBytes, walk } from './journal-walk.ts';

const bytesOf = (name: string): Uint8Array => new Uint8Array(fs.readFileSync(fixture(`ext4-journal/${name}.img`)));

const scratch = scratchFolder();

/** Where things stand in a fixture. */
function geometry(bytes: Uint8Array): { blockSize: number; start: number; blocks: number; at: (index: number) => number } {
  const { volume } = mountBytes(bytes);
  const { blockSize } = volume.superblock;
  const file = runSync(findJournal(volume));
  const at = (index: number): number => file.blockOf(index) * blockSize;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return { blockSize, start: view.getUint32(at(0) + 0x1c), blocks: view.getUint32(at(0) + 0x10), at };
}

/** All bytes of the device after the replay in memory. */
function replayed(bytes: Uint8Array): Uint8Array {
  const { device } = mountBytes(bytes, { checksums: 'ignore' }).volume;
  return runSync(device.read(0, device.size)).slice();
}

/** The same after e2fsck replayed it, and whether e2fsck called the journal damaged. */
function byE2fsck(bytes: Uint8Array): { bytes: Uint8Array; damaged: boolean; aborted: boolean } {
  const file = path.join(scratch, 'copy.img');
  fs.writeFileSync(file, bytes);
  const { stdout } = run('e2fsck', ['-y', '-E', 'journal_only', file]);
  const result = new Uint8Array(fs.readFileSync(file));
  fs.rmSync(file);
  const said = stdout.toString();
  return { bytes: result, damaged: /checksum error|was corrupt/.test(said), aborted: /checksum error/.test(said) };
}

/** Both superblocks are written with the time of the check. */
function differences(a: Uint8Array, b: Uint8Array, { blockSize, at }: { blockSize: number; at: (index: number) => number }): number[] {
  const skip = new Set([Math.floor(1024 / blockSize), at(0) / blockSize]);
  const blocks: number[] = [];
  for (let block = 0; block < a.length / blockSize; block++) {
    if (skip.has(block)) continue;
    const range = [block * blockSize, (block + 1) * blockSize] as const;
    if (Buffer.compare(a.subarray(...range), b.subarray(...range)) !== 0) blocks.push(block);
  }
  return blocks;
}

const CASES = ['v3-1k', 'none', 'v1', 'async', 'data-journal', 'wrapped', 'debugfs-v2'] as const;

describe('against e2fsck, block by block', () => {
  test.each([...CASES, 'v3-4k', 'ext3', 'sequence', 'debugfs-v3', 'debugfs-v2-32', 'debugfs-none'])('%s as it is', (name) => {
    const bytes = bytesOf(name);
    expect(differences(replayed(bytes), byE2fsck(bytes).bytes, geometry(bytes))).toEqual([]);
  });

  test.each(CASES)('%s, its log ending after some block', (name) => {
    const bytes = bytesOf(name);
    const place = geometry(bytes);
    for (let step = 0; step < 5; step++) {
      const cut = bytes.slice();
      for (let k = place.start + 1 + step * 9; k < place.blocks; k++) cut.fill(0, place.at(k), place.at(k) + place.blockSize);
      expect({ step, blocks: differences(replayed(cut), byE2fsck(cut).bytes, place) }).toEqual({ step, blocks: [] });
    }
  });

  test.each(CASES)('%s, one byte of its log wrong', (name) => {
    const bytes = bytesOf(name);
    const place = geometry(bytes);
    for (let step = 0; step < 6; step++) {
      const spoiled = bytes.slice();
      const at = place.at(place.start + step * 7) + 0x15;
      spoiled[at] = spoiled[at]! ^ 0x5a;
      const judged = byE2fsck(spoiled);
      const strict = (): unknown => mountBytes(spoiled);
      if (judged.damaged) expect(strict, `${step}`).toThrow(Corrupt);
      else expect(strict, `${step}`).not.toThrow();
      // A damaged descriptor makes e2fsck drop all of the log; here the transactions before it count, which are complete.
      if (!judged.aborted) expect({ step, blocks: differences(replayed(spoiled), judged.bytes, place) }).toEqual({ step, blocks: [] });
      else
        expect(
          mountBytes(spoiled, { checksums: 'ignore' })
            .warnings.map(({ message }) => message)
            .join(),
        ).toMatch(/wrong checksum/);
    }
  });
});

describe('the replayed device', () => {
  test('gives every range of bytes as the whole has it', () => {
    for (const name of ['data-journal', 'debugfs-v3', 'v3-4k']) {
      const { device } = mountBytes(bytesOf(name)).volume;
      const whole = replayed(bytesOf(name));
      fc.assert(
        fc.property(fc.nat(device.size - 1), fc.nat(20_000), (offset, wanted) => {
          const length = Math.min(wanted, device.size - offset);
          expect(Buffer.compare(runSync(device.read(offset, length)), whole.subarray(offset, offset + length))).toBe(0);
          const extent = runSync(device.map(offset, Math.max(1, length)));
          expect(extent.length).toBeGreaterThan(0);
        }),
        { numRuns: 150 },
      );
    }
  });
});

describe('hostile journals', () => {
  test.each(['v3-1k', 'none', 'data-journal', 'fast-write', 'fast-directory', 'fast-rename', 'orphan-file'])(
    '%s with random bytes changed gives an answer or our error',
    (name) => {
      const bytes = bytesOf(name);
      const place = geometry(bytes);
      const interesting = [0, 0, place.start, place.start, place.start + 1, place.start + 2, place.start + 20];
      const fast = name.startsWith('fast') ? Array.from({ length: 6 }, (_, k) => place.blocks - 1 - k) : [];
      // The first blocks of the fast-commit area, which is at the end of the journal.
      const area = name.startsWith('fast') ? new DataView(bytes.buffer).getUint32(place.at(0) + 0x54) || 256 : 0;
      const blocks = [
        ...interesting,
        ...fast,
        ...(area > 0 ? [place.blocks - area + 1, place.blocks - area + 2, place.blocks - area + 3] : []),
      ];
      const change = fc.record({
        block: fc.constantFrom(...blocks),
        at: fc.oneof(fc.nat(0x60), fc.nat(place.blockSize - 1)),
        value: fc.oneof(fc.constantFrom(0, 1, 0x7f, 0x80, 0xff), fc.nat(255)),
      });
      fc.assert(
        fc.property(
          fc.array(change, { minLength: 1, maxLength: 6 }),
          fc.constantFrom('verify' as const, 'ignore' as const),
          (changes, checksums) => {
            const spoiled = bytes.slice();
            for (const { block, at, value } of changes) spoiled[place.at(block) + at] = value;
            try {
              walk(mountBytes(spoiled, { checksums }));
            } catch (error) {
              if (!(error instanceof GuestlessError)) throw error;
            }
          },
        ),
        { numRuns: 120 },
      );
    },
  );

  test.each(['fast-write', 'fast-range', 'fast-rename', 'fast-directory'])(
    '%s with wrong records under right checksums gives an answer or our error',
    (name) => {
      const bytes = bytesOf(name);
      const place = geometry(bytes);
      const view = new DataView(bytes.buffer);
      const area = view.getUint32(place.at(0) + 0x54) || 256;
      const first = place.blocks - area + 1;
      // Where the values of records are, and where each fast commit ends.
      const values: { at: number; length: number }[] = [];
      const commits: { pieces: (readonly [number, number])[]; checksumAt: number }[] = [];
      let pieces: (readonly [number, number])[] = [];
      for (let index = first; index < place.blocks; index++) {
        const start = place.at(index);
        for (let at = start; at + 4 <= start + place.blockSize; ) {
          const tag = view.getUint16(at, true);
          const length = view.getUint16(at + 2, true);
          if (tag < 1 || tag > 9 || at + 4 + length > start + place.blockSize) break;
          if (tag === 8) {
            commits.push({ pieces: [...pieces, [at, at + 8]], checksumAt: at + 8 });
            pieces = [];
          } else {
            pieces.push([at, at + 4 + length]);
            if (tag !== 9) values.push({ at: at + 4, length });
          }
          at += 4 + length;
        }
      }
      const replay = mountBytes(bytes).volume.fastCommits!.operations.length;
      expect(replay).toBeGreaterThan(0);
      const change = fc.record({
        value: fc.nat(Math.min(values.length, replay + 4) - 1),
        at: fc.nat(400),
        byte: fc.oneof(fc.constantFrom(0, 1, 0x7f, 0x80, 0xff), fc.nat(255)),
      });
      let replayedAll = 0;
      fc.assert(
        fc.property(fc.array(change, { minLength: 1, maxLength: 8 }), (changes) => {
          const spoiled = bytes.slice();
          for (const { value, at, byte } of changes) {
            const record = values[value]!;
            spoiled[record.at + (at % record.length)] = byte;
          }
          for (const commit of commits) {
            const sum = commit.pieces.reduce((crc, [from, to]) => crc32cUpdate(crc, spoiled, from, to), 0);
            new DataView(spoiled.buffer).setUint32(commit.checksumAt, sum, true);
          }
          try {
            const fileSystem = mountBytes(spoiled);
            if (fileSystem.volume.fastCommits?.operations.length === replay) replayedAll++;
            walk(fileSystem);
          } catch (error) {
            if (!(error instanceof GuestlessError)) throw error;
          }
        }),
        // The example makes a new directory an encrypted one: its names are shown, and looked up, in another form.
        {
          numRuns: 100,
          examples: [
            [
              [
                { value: 0, at: 201, byte: 56 },
                { value: 0, at: 2, byte: 0 },
              ],
            ],
          ],
        },
      );
      expect(replayedAll).toBeGreaterThan(15);
    },
  );

  test('a log that is one ring of descriptors of the same transaction ends', () => {
    const bytes = bytesOf('none');
    const place = geometry(bytes);
    const descriptor = bytes.slice(place.at(place.start), place.at(place.start) + place.blockSize);
    for (let k = 1; k < place.blocks; k++) bytes.set(descriptor, place.at(k));
    expect(walk(mountBytes(bytes)).length).toBeGreaterThan(0);
  });

  test('an orphan list that comes back to itself is reported', () => {
    const bytes = bytesOf('orphan-list');
    const whole = replayed(bytes);
    const { volume } = mountBytes(whole);
    const first = volume.superblock.raw.s_last_orphan;
    const table = runSync(volume.groups.descriptor(0)).inodeTable * volume.superblock.blockSize;
    new DataView(whole.buffer).setUint32(table + (first - 1) * volume.superblock.inodeSize + 0x14, first, true);
    const looped = mountBytes(whole, { checksums: 'ignore' });
    expect(looped.warnings.map(({ message }) => message).join('\n')).toMatch(/comes back to inode/);
  });
});
