/** Given disks that we partition, sfdisk, sgdisk, partx and parted see what was asked for, and find nothing wrong. */
import * as fs from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GuestlessError, Posix } from '../../src/errors.ts';
import { runSync } from '../../src/io/index.ts';
import { type EditableTable, readPartitionTable } from '../../src/partition/index.ts';
import '../support/seed.ts';
import { fixture } from '../support/images.ts';
import { must, run } from '../support/oracle.ts';
import { Disk, emptyFile, sfdisk } from './written-disk.ts';

const MIB = 1 << 20;
const EFI = 'C12A7328-F81F-11D2-BA4B-00A0C93EC93B';

/** What `sgdisk -v` has to say against a GPT: nothing when it is whole. */
function sgdiskComplaints(file: string): string {
  const { status, stdout, stderr } = run('sgdisk', ['-v', file]);
  const text = stdout.toString();
  // Which boundaries partitions end on is the caller's business.
  const noise = text
    .replaceAll(/\nCaution: Partition \d+ doesn't (begin|end) on a[\s\S]*?tools\.\n|\nCaution: [\s\S]*?(\n\n)/g, '\n')
    .trim();
  return status === 0 && /^No problems found\./.test(noise) && stderr === '' ? '' : `exit ${status}\n${text}${stderr}`;
}

function sfdiskComplaints(file: string): string {
  const { status, stdout, stderr } = run('sfdisk', ['--verify', file]);
  const lines = `${stdout.toString()}${stderr}`
    .split('\n')
    .filter(
      (line) =>
        line !== '' &&
        line !== `${file}:` &&
        !/^(No errors detected|Header version|Using \d+ out of|A total of|Remaining|Total allocated sectors)/.test(line),
    );
  return status === 0 && lines.length === 0 ? '' : `exit ${status}\n${lines.join('\n')}`;
}

describe('GPT', () => {
  const id = '01234567-89ab-cdef-0123-456789abcdef';
  const partitions = (table: EditableTable): void => {
    table.add({ first: 2048, last: 4095, type: EFI, name: 'EFI System', uuid: 'aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee' });
    table.add({ first: 4096, last: table.lastUsable, name: 'Wurzel ä€𝄞' });
  };

  test('a new one is what sgdisk makes of the same, byte for byte', () => {
    const disk = new Disk(new Uint8Array(16 * MIB));
    disk.create('gpt', id);
    const uuids = disk.change((table) => {
      partitions(table);
      table.setAttributes(1, 0x8000_0000_0000_0005n);
      return table.partitions.map(({ uuid }) => uuid);
    });
    const file = emptyFile(16 * MIB);
    must(
      'sgdisk',
      '-a',
      '1',
      '-U',
      id,
      '-n',
      '1:2048:4095',
      '-t',
      `1:${EFI}`,
      '-c',
      '1:EFI System',
      '-u',
      '1:aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee',
      '-A',
      '1:set:0',
      '-A',
      '1:set:2',
      '-A',
      '1:set:63',
      file,
    );
    must('sgdisk', '-a', '1', '-n', '2:4096:32734', '-t', '2:8300', '-c', '2:Wurzel ä€𝄞', '-u', `2:${uuids[1]}`, file);
    const theirs = new Uint8Array(fs.readFileSync(file));
    const ours = disk.bytes();
    // sgdisk says of the protective entry that it ends at CHS 255/255/63, others and we at what CHS cannot say.
    for (const bytes of [ours, theirs]) bytes.fill(0, 446, 462);
    expect(Buffer.compare(ours, theirs)).toBe(0);
    const ourFile = disk.file();
    expect(sgdiskComplaints(ourFile)).toBe('');
    expect(sfdisk(ourFile)).toMatchObject({ ...sfdisk(file), device: ourFile });
  });

  test('a flipped bit makes sgdisk complain', () => {
    const disk = new Disk(new Uint8Array(16 * MIB));
    disk.create('gpt');
    const file = disk.file();
    expect(sgdiskComplaints(file)).toBe('');
    const bytes = fs.readFileSync(file);
    bytes[bytes.length - 512 + 60]! ^= 1;
    fs.writeFileSync(file, bytes);
    expect(sgdiskComplaints(file)).toMatch(/CRCs don't match/);
  });

  test('on sectors of 4096 bytes', () => {
    const disk = new Disk(new Uint8Array(16 * MIB), 4096);
    disk.create('gpt', id);
    disk.change((table) => {
      expect([table.firstUsable, table.lastUsable]).toEqual([6, 4090]);
      table.add({ first: 6, last: 100, name: 'big sectors' });
    });
    const loop = must('losetup', '-f', '--show', '--sector-size', '4096', disk.file()).trim();
    try {
      expect(sgdiskComplaints(loop)).toBe('');
      const seen = sfdisk(loop);
      expect(seen).toMatchObject({ label: 'gpt', firstlba: 6, lastlba: 4090 });
      expect(seen.partitions).toMatchObject([{ start: 6, size: 95, name: 'big sectors' }]);
    } finally {
      must('losetup', '-d', loop);
    }
  });

  test('a grown disk: the backup moves to the end, as with sgdisk -e', () => {
    const small = new Disk(new Uint8Array(8 * MIB));
    small.create('gpt', id);
    small.change((table) => table.add({ first: 2048, last: 4095, uuid: id }));
    const grown = new Uint8Array(16 * MIB);
    grown.set(small.bytes());
    const disk = new Disk(grown.slice());
    // Before: the new space cannot be used, and changes leave the backup where it is.
    disk.change((table) => {
      expect(table.lastUsable).toBe(16_350);
      expect(() => table.add({ first: 20_000, last: 20_100 })).toThrow(Posix);
      table.setName(1, 'same place');
    });
    expect(run('sgdisk', ['-v', disk.file()]).stdout.toString()).toMatch(/doesn't reside\nat the end of the disk/);
    disk.change((table) => table.expand());
    disk.change((table) => table.add({ first: 20_000, last: 32_734 }));
    expect(sgdiskComplaints(disk.file())).toBe('');
    expect(sfdisk(disk.file()).partitions.map(({ start }) => start)).toEqual([2048, 20_000]);
  });

  test('a damaged primary is mended from the backup by the next change', () => {
    const disk = new Disk(new Uint8Array(16 * MIB));
    disk.create('gpt', id);
    disk.change(partitions);
    runSync(disk.device.write(512, new Uint8Array(1024)));
    expect(sgdiskComplaints(disk.file())).not.toBe('');
    disk.change((table) => table.setName(1, 'mended'));
    expect(sgdiskComplaints(disk.file())).toBe('');
    expect(sfdisk(disk.file()).partitions[0]?.name).toBe('mended');
  });

  test('a hybrid MBR and boot code stay', () => {
    const file = emptyFile(16 * MIB);
    must('sgdisk', '-n', '1:2048:4095', '-n', '2:4096:8191', '-h', '1', file);
    const bytes = new Uint8Array(fs.readFileSync(file));
    bytes.fill(0xcc, 0, 440);
    const disk = new Disk(bytes);
    const before = disk.bytes().slice(0, 512);
    disk.change((table) => table.setName(2, 'second'));
    disk.change((table) => table.expand());
    expect(Buffer.compare(disk.bytes().slice(0, 512), before)).toBe(0);
    expect(sfdisk(disk.file()).partitions[1]?.name).toBe('second');
  });

  test('what cannot be', () => {
    const disk = new Disk(new Uint8Array(16 * MIB));
    disk.create('gpt', id);
    disk.change(partitions);
    const before = disk.bytes();
    const refused: readonly [string, (table: EditableTable) => unknown][] = [
      ['overlap', (table) => table.add({ first: 4000, last: 5000 })],
      ['leave the usable', (table) => table.add({ first: 33, last: 40 })],
      ['leave the usable', (table) => table.resize(2, 32_735)],
      ['before it begins', (table) => table.resize(2, 4000)],
      ['no partition 3', (table) => table.setName(3, 'x')],
      ['no partition 0', (table) => table.remove(0)],
      ['at most 36', (table) => table.setName(1, 'x'.repeat(37))],
      ['not a GUID', (table) => table.setType(1, 'f')],
      ['unused entries', (table) => table.setType(1, '00000000-0000-0000-0000-000000000000')],
      ['has no logical', (table) => table.add({ kind: 'logical', first: 100, last: 200 })],
      ['already', (table) => table.add({ first: 100, last: 200, number: 2 })],
      ['none for 129', (table) => table.add({ first: 100, last: 200, number: 129 })],
    ];
    for (const [message, change] of refused) {
      expect(() => disk.change(change), message).toThrow(Posix);
      expect(() => disk.change(change)).toThrow(message);
    }
    expect(Buffer.compare(disk.bytes(), before)).toBe(0);
    expect(() => new Disk(new Uint8Array(67 * 512)).create('gpt')).toThrow('does not fit');
    new Disk(new Uint8Array(68 * 512)).create('gpt');
  });

  test('128 partitions, and no more', () => {
    const disk = new Disk(new Uint8Array(MIB));
    disk.create('gpt');
    disk.change((table) => {
      for (let i = 0; i < 128; i++) expect(table.add({ first: 40 + i, last: 40 + i })).toBe(i + 1);
      expect(() => table.add({ first: 1000, last: 1000 })).toThrow(/entries for partitions 1 to 128/);
    });
    expect(sgdiskComplaints(disk.file())).toBe('');
    expect(sfdisk(disk.file()).partitions.length).toBe(128);
  });
});

describe('a new table clears what was there', () => {
  test.each(['gpt', 'mbr'] as const)('%s', (scheme) => {
    const bytes = new Uint8Array(16 * MIB);
    const other = new Disk(bytes);
    other.create(scheme === 'gpt' ? 'mbr' : 'gpt');
    const file = other.file();
    must('mke2fs', '-qF', file);
    must('sgdisk', '-o', file);
    const disk = new Disk(new Uint8Array(fs.readFileSync(file)));
    disk.create(scheme);
    const signatures = must('wipefs', '--noheadings', '--output', 'TYPE', disk.file()).trim().split(/\s+/).sort();
    expect(signatures).toEqual(scheme === 'gpt' ? ['PMBR', 'gpt', 'gpt'] : ['dos']);
  });
});

interface Operation {
  readonly verb: 'add' | 'remove' | 'resize' | 'boot';
  readonly kind: 'primary' | 'extended' | 'logical';
  readonly number: number;
  readonly first: number;
  readonly length: number;
  readonly flag: boolean;
}

const operation: fc.Arbitrary<Operation> = fc.record({
  verb: fc.constantFrom('add', 'add', 'add', 'add', 'remove', 'resize', 'resize', 'boot'),
  kind: fc.constantFrom('primary', 'logical', 'logical', 'extended'),
  number: fc.integer({ min: 1, max: 8 }),
  first: fc.oneof(
    fc.integer({ min: 0, max: 62 }).map((n) => n * 512),
    fc.integer({ min: 0, max: 32_767 }),
    fc.integer({ min: 1, max: 20 }).map((n) => n * 1000 + 1),
  ),
  length: fc.oneof(fc.constant(999), fc.integer({ min: 1, max: 4000 }), fc.constant(16_000)),
  flag: fc.boolean(),
});

/** What an MBR begins with, so that there is room for logical partitions. */
const EXTENDED = { verb: 'add', kind: 'extended', first: 4096, length: 20_000 } as const;

/** The same operation for parted and for us; undefined where parted asks a person. */
function translate(
  table: EditableTable,
  scheme: 'gpt' | 'mbr',
  one: Operation,
): { parted: string[]; ours: (table: EditableTable) => unknown } | undefined {
  const { verb, kind, number, first, length, flag } = one;
  const last = first + length - 1;
  const there = table.partitions.find((partition) => partition.number === number);
  switch (verb) {
    case 'add':
      if (scheme === 'gpt')
        return { parted: ['mkpart', 'name', `${first}s`, `${last}s`], ours: (to) => to.add({ first, last, name: 'name' }) };
      return { parted: ['mkpart', kind, `${first}s`, `${last}s`], ours: (to) => to.add({ kind, first, last }) };
    case 'remove':
      return { parted: ['rm', String(number)], ours: (to) => to.remove(number) };
    case 'resize':
      // parted wants to be asked twice about shrinking.
      if (there !== undefined && last < there.last) return undefined;
      return { parted: ['resizepart', String(number), `${last}s`], ours: (to) => to.resize(number, last) };
    case 'boot':
      if (there?.kind === 'extended') return undefined;
      return {
        parted: ['set', String(number), scheme === 'gpt' ? 'legacy_boot' : 'boot', flag ? 'on' : 'off'],
        ours: (to) => to.setBootable(number, flag),
      };
  }
}

describe.each(['gpt', 'mbr'] as const)('%s: any sequence of changes does what parted does', (scheme) => {
  test('operations', () => {
    let done = 0;
    fc.assert(
      fc.property(fc.array(operation, { minLength: 1, maxLength: 10 }), (operations) => {
        const file = emptyFile(16 * MIB);
        must('parted', '-s', file, 'mklabel', scheme === 'gpt' ? 'gpt' : 'msdos');
        const disk = new Disk(new Uint8Array(fs.readFileSync(file)));
        const start: Operation[] = scheme === 'mbr' ? [{ ...EXTENDED, number: 1, flag: false }] : [];
        for (const one of [...start, ...operations]) {
          const both = disk.change((table) => translate(table, scheme, one));
          if (both === undefined) continue;
          const theirs = run('parted', ['-s', file, 'unit', 's', ...both.parted]).status === 0;
          let ours = true;
          try {
            disk.change(both.ours);
          } catch (error) {
            if (!(error instanceof GuestlessError)) throw error;
            ours = false;
          }
          expect(ours, JSON.stringify(both.parted)).toBe(theirs);
          if (ours) done++;
        }
        const mine = disk.file();
        const rows = (from: string): unknown => sfdisk(from).partitions.map(({ uuid: _, ...rest }) => rest);
        expect(rows(mine)).toEqual(rows(file));
        if (scheme === 'gpt') expect(sgdiskComplaints(mine)).toBe('');
        else expect(sfdiskComplaints(mine)).toBe('');
        const table = runSync(readPartitionTable(disk.device));
        expect(table?.warnings).toEqual([]);
        expect(table?.partitions.map(({ number }) => number)).toEqual(sfdisk(mine).partitions.map(({ number }) => number));
      }),
      { numRuns: 10 },
    );
    expect(done).toBeGreaterThan(5);
  });
});

describe('MBR', () => {
  test('sfdisk and partx find primary, extended and logical partitions', () => {
    const disk = new Disk(new Uint8Array(16 * MIB));
    disk.create('mbr', 'cafe1234');
    disk.change((table) => {
      table.add({ first: 64, last: 2047, type: '0c' });
      table.add({ kind: 'extended', first: 2048, last: 20_000 });
      table.add({ kind: 'logical', first: 2049, last: 3000 });
      table.add({ kind: 'logical', first: 10_000, last: 11_000, type: '82' });
      table.add({ kind: 'logical', first: 3002, last: 4000 });
      table.add({ first: 20_001, last: 32_767 });
      table.setBootable(1, true);
    });
    const file = disk.file();
    expect(sfdiskComplaints(file)).toBe('');
    const seen = must('partx', '-gbo', 'NR,START,SECTORS', file).trim().split('\n');
    expect(seen.map((line) => line.trim().split(/\s+/).map(Number))).toEqual([
      [1, 64, 1984],
      [2, 2048, 17_953],
      [3, 20_001, 12_767],
      [5, 2049, 952],
      [6, 10_000, 1001],
      [7, 3002, 999],
    ]);
    expect(sfdisk(file)).toMatchObject({ label: 'dos', id: '0xcafe1234' });
    // Removing the first logical partition renumbers the others; removing the extended one removes all.
    disk.change((table) => table.remove(5));
    expect(sfdisk(disk.file()).partitions.map(({ number, start }) => [number, start])).toEqual([
      [1, 64],
      [2, 2048],
      [3, 20_001],
      [5, 10_000],
      [6, 3002],
    ]);
    disk.change((table) => table.remove(2));
    expect(sfdisk(disk.file()).partitions.map(({ number }) => number)).toEqual([1, 3]);
  });

  test('boot code and the signature stay', () => {
    const bytes = new Uint8Array(MIB);
    const disk = new Disk(bytes);
    disk.create('mbr', '01020304');
    runSync(disk.device.write(0, new Uint8Array(440).fill(0xcc)));
    disk.change((table) => table.add({ first: 64, last: 127 }));
    expect(disk.bytes().slice(0, 440)).toEqual(new Uint8Array(440).fill(0xcc));
    expect(sfdisk(disk.file())).toMatchObject({ id: '0x01020304' });
  });

  test('a chain that is unusual is not changed', () => {
    for (const name of ['mbr-loop']) {
      const disk = new Disk(fs.readFileSync(fixture(`partition/${name}.img`)));
      expect(() => disk.change((table) => table.setBootable(1, true))).toThrow(/cannot be changed/);
    }
  });

  test('what an MBR cannot say', () => {
    const disk = new Disk(new Uint8Array(MIB));
    disk.create('mbr');
    const refused: readonly [string, (table: EditableTable) => unknown][] = [
      ['no names', (table) => table.add({ first: 64, last: 127, name: 'x' })],
      ['GUID', (table) => table.setUuid(1, '01234567-89ab-cdef-0123-456789abcdef')],
      ['needs an extended', (table) => table.add({ kind: 'logical', first: 64, last: 127 })],
      ['two hexadecimal digits', (table) => table.add({ first: 64, last: 127, type: 'linux' })],
      ['cannot have type 05', (table) => table.add({ first: 64, last: 127, type: '05' })],
      ['leave the usable', (table) => table.add({ first: 0, last: 127 })],
      ['eight hexadecimal', (table) => table.setId('xyz')],
    ];
    for (const [message, change] of refused) expect(() => disk.change(change), message).toThrow(message);
  });
});

test('what was read is what is written, for every table of the fixtures', () => {
  const whole = ['gpt', 'gpt-4k', 'gpt-hybrid', 'mbr', 'mbr-disordered', 'mbr-no-id', 'mbr-empty'];
  // The backups of these do not say what the primaries say; a change mends them.
  const primary = ['gpt-200-entries', 'gpt-entry-256', 'gpt-overlap'];
  for (const name of [...whole, ...primary]) {
    const original = fs.readFileSync(fixture(`partition/${name}.img`));
    const disk = new Disk(new Uint8Array(original), name === 'gpt-4k' ? 4096 : 512);
    disk.change(() => {});
    const length = whole.includes(name) ? original.length : MIB;
    expect(Buffer.compare(disk.bytes().subarray(0, length), original.subarray(0, length)), name).toBe(0);
  }
});
