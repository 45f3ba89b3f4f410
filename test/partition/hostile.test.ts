/** Whatever bytes stand where a table should be, an answer or one of our errors comes out, soon. */
import * as fs from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { crc32 } from '../../src/bytes/crc32.ts';
import { GuestlessError } from '../../src/errors.ts';
import { MemorySource, runSync, SourceDevice } from '../../src/io/index.ts';
import { GPT_ENTRY, GPT_HEADER, MASTER_BOOT_RECORD, MBR_ENTRY } from '../../src/partition/format.ts';
import { type PartitionTable, readPartitionTable } from '../../src/partition/index.ts';
import { fixture } from '../support/images.ts';

const image = (name: string): Uint8Array => new Uint8Array(fs.readFileSync(fixture(`partition/${name}.img`)));

/** Reads the table of a disk; whatever is listed lies on the disk, and nothing but our errors escapes. */
function attempt(disk: Uint8Array): PartitionTable | undefined | 'refused' {
  try {
    const table = runSync(readPartitionTable(new SourceDevice(new MemorySource(disk))));
    for (const { start, size, number } of table?.partitions ?? []) {
      if (!(start >= 0 && size > 0 && start + size <= disk.length)) throw new Error(`partition ${number} leaves the disk`);
    }
    expect(table?.partitions.length ?? 0).toBeLessThanOrEqual(32_768);
    return table;
  } catch (error) {
    if (error instanceof GuestlessError) return 'refused';
    throw error;
  }
}

/** Puts the checksums of the primary GPT right, so that what is behind them is reached. */
function seal(disk: Uint8Array): void {
  const header = GPT_HEADER.read(disk, 512);
  const at = Number(header.PartitionEntryLBA) * 512;
  const length = header.NumberOfPartitionEntries * header.SizeOfPartitionEntry;
  if (at + length <= disk.length) GPT_HEADER.write(disk, 512, { PartitionEntryArrayCRC32: crc32(disk.subarray(at, at + length)) });
  GPT_HEADER.write(disk, 512, { HeaderCRC32: 0 });
  const size = Math.min(Math.max(header.HeaderSize, 92), 512);
  GPT_HEADER.write(disk, 512, { HeaderCRC32: crc32(disk.subarray(512, 512 + size)) });
}

test('changed bytes in an MBR and its chain', () => {
  const original = image('mbr');
  const places = fc.oneof(
    fc.integer({ min: 440, max: 511 }),
    fc.integer({ min: 446, max: 511 }).map((at) => 6144 * 512 + at),
    fc.integer({ min: 446, max: 511 }).map((at) => 9216 * 512 + at),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(places, fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 8 }), (changes) => {
      const undo = changes.map(([at]) => [at, original[at]!] as const);
      for (const [at, value] of changes) original[at] = value;
      attempt(original);
      for (const [at, value] of undo.reverse()) original[at] = value;
    }),
    { numRuns: 2000 },
  );
});

test('changed bytes in a GPT whose checksums are right', () => {
  const original = image('gpt').slice(0, 1 << 20);
  const places = fc.oneof(fc.integer({ min: 512, max: 512 + 92 }), fc.integer({ min: 1024, max: 1024 + 2048 }));
  fc.assert(
    fc.property(fc.array(fc.tuple(places, fc.constantFrom(0, 1, 2, 0x7f, 0x80, 0xff)), { minLength: 1, maxLength: 6 }), (changes) => {
      const disk = original.slice();
      for (const [at, value] of changes) disk[at] = value;
      seal(disk);
      attempt(disk);
    }),
    { numRuns: 500 },
  );
});

test('each field of the GPT header and of an entry at its extremes', () => {
  const original = image('gpt');
  for (const value of [0n, 1n, 0x7fff_ffffn, 0xffff_ffffn, 0x20_0000_0000_0000n, 0x7fff_ffff_ffff_ffffn, 0xffff_ffff_ffff_ffffn]) {
    for (const [base, fields] of [
      [512, GPT_HEADER.fields],
      [1024, GPT_ENTRY.fields],
    ] as const) {
      for (const field of Object.values(fields)) {
        if (field.length > 8) continue;
        const disk = original.slice();
        const view = new DataView(disk.buffer);
        if (field.length === 8) view.setBigUint64(base + field.offset, value, true);
        else view.setUint32(base + field.offset, Number(BigInt.asUintN(32, value)), true);
        seal(disk);
        attempt(disk);
      }
    }
  }
});

test('every truncation, and random disks', () => {
  for (const name of ['gpt', 'mbr', 'gpt-4k', 'fake-mbr']) {
    const disk = image(name);
    for (const length of [0, 1, 445, 511, 512, 513, 1023, 1024, 1536, 4096, 17_407, 17_408, 24_576, 1 << 20, 3 << 20])
      attempt(disk.slice(0, length));
  }
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 0, maxLength: 4096 }), fc.boolean(), (bytes, signed) => {
      if (signed && bytes.length >= 512) bytes.set([0x55, 0xaa], 510);
      attempt(bytes);
    }),
    { numRuns: 500 },
  );
});

test('a chain of empty records, and one of a thousand partitions, come to an end', () => {
  for (const size of [0, 1]) {
    const disk = new Uint8Array(4 << 20);
    const sector = (lba: number, entries: readonly (readonly [number, number, number])[]): void => {
      MASTER_BOOT_RECORD.write(disk, lba * 512, { Signature: 0xaa55 });
      entries.forEach(([type, start, length], slot) => {
        MBR_ENTRY.write(disk, lba * 512 + 446 + 16 * slot, { OSType: type, StartingLBA: start, SizeInLBA: length });
      });
    };
    sector(0, [[5, 1, 8000]]);
    for (let i = 0; i < 3000; i++)
      sector(1 + i * 2, [
        [0x83, 1, size],
        [5, (i + 1) * 2, 2],
      ]);
    const table = attempt(disk) as PartitionTable;
    expect(table.partitions.length).toBe(size === 0 ? 1 : 252);
    expect(table.warnings.map((warning) => warning.message).join()).toMatch(
      size === 0 ? /empty extended boot records/ : /after number 255/,
    );
  }
});

test('structures: what is written is read', () => {
  const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
  const u64 = fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn });
  fc.assert(
    fc.property(
      u32,
      u64,
      fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 36, maxLength: 36 }),
      fc.uint8Array({ minLength: 128, maxLength: 128 }),
      (n, wide, units, noise) => {
        const bytes = noise.slice();
        const record = { ...GPT_ENTRY.read(bytes), Attributes: wide, PartitionName: units };
        GPT_ENTRY.write(bytes, 0, record);
        expect(GPT_ENTRY.read(bytes)).toEqual(record);
        GPT_ENTRY.write(bytes, 0, GPT_ENTRY.read(noise));
        expect(bytes).toEqual(noise);
        const entry = { ...MBR_ENTRY.read(bytes), StartingLBA: n };
        MBR_ENTRY.write(bytes, 0, entry);
        expect(MBR_ENTRY.read(bytes)).toEqual(entry);
      },
    ),
  );
});
