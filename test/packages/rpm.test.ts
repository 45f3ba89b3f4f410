import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Bytes } from '../../src/bytes/index.ts';
import { Corrupt, GuestlessError } from '../../src/errors.ts';
import { runSync } from '../../src/io/drivers.ts';
import { fileOfBytes, type Package, parseRpmHeader, type RpmDatabase, readRpmDatabase } from '../../src/packages/index.ts';
import { adler32 } from '../../src/packages/ndb/read.ts';
import '../support/seed.ts';
import { bdb, fixture, type Golden, golden, ndb, sqlite } from './fixtures.ts';

const BDB = ['Packages-512-1234', 'Packages-4096-1234', 'Packages-4096-4321', 'Packages-65536-4321'];

/** In the form of the goldens. */
function told(one: Package): Golden {
  const { name, epoch, version, release, architecture, url, summary, description, source } = one;
  return {
    ...{ name, epoch, version, release, architecture: architecture === '' ? null : architecture, url: url ?? null },
    ...{ summary: summary ?? '', source: source ?? null, description: description ?? '' },
  };
}

function list(database: RpmDatabase): Golden[] {
  const { packages, warnings } = runSync(readRpmDatabase(database));
  expect(warnings).toEqual([]);
  return packages.map(told).sort((a, b) => (a.name < b.name ? -1 : 1));
}

describe('the packages of each database are those that rpm itself lists', () => {
  test('SQLite, with a header that fills many overflow pages', () => {
    expect(list(sqlite(fixture('rpmdb.sqlite')))).toEqual(golden());
    expect(golden().find((one) => one.name === 'long')?.description.length).toBeGreaterThan(30_000);
  });

  test('SQLite, half of them only in the write-ahead log', () => {
    expect(list(sqlite(fixture('wal.sqlite'), fixture('wal.sqlite-wal')))).toEqual(golden());
    expect(list(sqlite(fixture('wal.sqlite'))).length).toBeLessThan(golden().length);
  });

  test('SQLite, a log whose last transaction never ended', () => {
    expect(fixture('rolled.sqlite-wal').length).toBeGreaterThan(fixture('wal.sqlite-wal').length);
    expect(list(sqlite(fixture('wal.sqlite'), fixture('rolled.sqlite-wal')))).toEqual(golden());
  });

  test('NDB', () => {
    expect(list(ndb(fixture('Packages.db')))).toEqual(golden());
  });

  test.each(BDB)('Berkeley DB: %s (bytes of a page, byte order)', (name) => {
    expect(list(bdb(fixture(name)))).toEqual(golden());
  });
});

describe('SQLite itself judges', () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'guestless-sqlite-'));

  test.each([
    [512, 0],
    [1024, 8],
    [4096, 0],
    [65_536, 32],
  ])('pages of %i bytes, %i reserved, many rows, some deleted and vacuumed away', (pageSize, reserved) => {
    const file = path.join(folder, `${pageSize}.sqlite`);
    // Reserved bytes are asked for through the header of an empty file, which is what SQLite's own file control does.
    const script = [
      'import sqlite3, struct, sys',
      'path, size, reserved = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])',
      'db = sqlite3.connect(path)',
      'db.execute("pragma page_size=%d" % size); db.execute("pragma user_version=1"); db.commit(); db.close()',
      'head = bytearray(open(path, "rb").read()); head[20] = reserved; head[105:107] = struct.pack(">H", (size - reserved) & 0xffff); open(path, "wb").write(head)',
      'db = sqlite3.connect(path)',
      'db.execute("create table other (a)"); db.execute("create table Packages (hnum integer primary key autoincrement, blob blob not null)")',
      'intro = lambda name: struct.pack(">II", 1, len(name) + 1) + struct.pack(">IIII", 1000, 6, 0, 1) + name + b"\\0"',
      'for i in range(3000): db.execute("insert into Packages values (?, ?)", (i * 7 + 1, intro(b"n%d" % i + b"x" * (i * 13 % 3000))))',
      'db.execute("delete from Packages where hnum % 3 = 0"); db.commit()',
      'assert db.execute("pragma integrity_check").fetchone()[0] == "ok"',
      'print(db.execute("select count(*), sum(length(blob)) from Packages").fetchone())',
    ].join('\n');
    const [count, length] = (JSON.parse(
      execFileSync('python3', ['-c', script, file, String(pageSize), String(reserved)])
        .toString()
        .replace('(', '[')
        .replace(')', ']'),
    ) ?? []) as number[];
    const { packages, warnings } = runSync(readRpmDatabase(sqlite(new Uint8Array(fs.readFileSync(file)))));
    expect(warnings).toEqual([]);
    expect(packages).toHaveLength(count ?? -1);
    expect(packages.reduce((sum, one) => sum + one.name.length + 25, 0)).toBe(length);
  });
});

describe('a header', () => {
  const of = (...entries: [tag: number, type: number, count: number, data: string][]): Bytes => {
    const data = entries.map(([, , , text]) => text).join('');
    const bytes = new Uint8Array(8 + 16 * entries.length + data.length);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, entries.length);
    view.setUint32(4, data.length);
    let offset = 0;
    for (const [i, [tag, type, count, text]] of entries.entries()) {
      for (const [j, value] of [tag, type, offset, count].entries()) view.setUint32(8 + i * 16 + j * 4, value);
      offset += text.length;
    }
    bytes.set(new TextEncoder().encode(data), 8 + 16 * entries.length);
    return bytes;
  };

  test('with the magic of package files before it is read too', () => {
    const plain = of([1000, 6, 1, 'a\0'], [1001, 6, 1, '1\0']);
    const whole = new Uint8Array(plain.length + 8);
    whole.set([0x8e, 0xad, 0xe8, 1]);
    whole.set(plain, 8);
    expect(parseRpmHeader(whole)).toEqual(parseRpmHeader(plain));
    expect(parseRpmHeader(plain)).toEqual({ name: 'a', epoch: 0, version: '1', release: '', architecture: '' });
  });

  test('of a text in many languages the first counts, of a tag that occurs twice the last', () => {
    const header = of([1000, 6, 1, 'old\0'], [1004, 9, 2, 'English\0Deutsch\0'], [1000, 6, 1, 'new\0']);
    expect(parseRpmHeader(header)).toMatchObject({ name: 'new', summary: 'English' });
  });

  test.each<[string, Bytes]>([
    ['without a name', of([1001, 6, 1, '1\0'])],
    ['whose text does not end', of([1000, 6, 1, 'abc'])],
    ['that is empty', new Uint8Array(0)],
    ['of more entries than bytes', Uint8Array.of(0, 0, 255, 255, 0, 0, 0, 0)],
  ])('%s is Corrupt', (_, header) => {
    expect(() => parseRpmHeader(header)).toThrow(Corrupt);
  });
});

describe('damage', () => {
  test('a damaged blob is told, and the other packages are listed', () => {
    const bytes = fixture('Packages.db');
    const at = Buffer.from(bytes).indexOf('Library 7');
    bytes[at] = 0x21;
    const { packages, warnings } = runSync(readRpmDatabase(ndb(bytes)));
    expect(packages).toHaveLength(golden().length);
    expect(warnings.join()).toMatch(/checksum of package \d+/);
  });

  test('an overflow chain that leads to itself is told, and ends', () => {
    const bytes = fixture('Packages-512-1234');
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    let changed = 0;
    for (let at = 512; at + 512 <= bytes.length && changed < 40; at += 512) {
      if (bytes[at + 25] !== 7 || view.getUint32(at + 16, true) === 0) continue;
      view.setUint32(at + 16, at / 512, true);
      changed++;
    }
    const { packages, warnings } = runSync(readRpmDatabase(bdb(bytes)));
    expect(packages.length).toBeLessThan(golden().length);
    expect(warnings.join()).toMatch(/used twice/);
  });

  test('a tree that leads to its own root is Corrupt', () => {
    const bytes = fixture('rpmdb.sqlite');
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    let loops = 0;
    for (let at = 0; at < bytes.length; at += 4096) {
      if (bytes[at] !== 5) continue;
      view.setUint32(at + 8, at / 4096 + 1);
      loops++;
    }
    expect(loops).toBeGreaterThan(0);
    expect(() => runSync(readRpmDatabase(sqlite(bytes)))).toThrow(/used twice/);
  });

  test.each<[string, () => RpmDatabase]>([
    ['sqlite', () => sqlite(new Uint8Array(200))],
    ['ndb', () => ndb(new Uint8Array(5000))],
    ['bdb', () => bdb(new Uint8Array(5000))],
    ['an empty file', () => bdb(new Uint8Array(0))],
  ])('zeros are no database: %s', (_, make) => {
    expect(() => runSync(readRpmDatabase(make()))).toThrow(Corrupt);
  });

  const kinds: readonly [string, (bytes: Bytes) => RpmDatabase, string, number][] = [
    ['sqlite', (bytes) => sqlite(bytes), 'rpmdb.sqlite', 40],
    ['its log', (bytes) => sqlite(fixture('wal.sqlite'), bytes), 'wal.sqlite-wal', 30],
    ['ndb', ndb, 'Packages.db', 40],
    ['bdb', bdb, 'Packages-4096-1234', 40],
  ];
  test.each(kinds)('changed bytes and short files of %s give a list or one of our errors', (_, open, name, numRuns) => {
    const good = fixture(name);
    const place = fc.oneof(fc.nat(300), fc.nat(good.length - 1));
    fc.assert(
      fc.property(fc.array(fc.tuple(place, fc.nat(255)), { maxLength: 12 }), fc.option(fc.nat(good.length)), (changes, length) => {
        const bytes = good.slice();
        for (const [at, value] of changes) bytes[at] = value;
        try {
          runSync(readRpmDatabase(open(length === null ? bytes : bytes.subarray(0, length))));
        } catch (error) {
          expect(error).toBeInstanceOf(GuestlessError);
        }
      }),
      { numRuns },
    );
  });

  test('any bytes as a header give a package or one of our errors', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        try {
          parseRpmHeader(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(GuestlessError);
        }
      }),
    );
  });

  test('many entries that lead to one long blob cost no more than the file is long', () => {
    const bytes = fixture('Packages.db');
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    const slots: [number, number][] = [];
    for (let at = 32; at < 4096; at += 16) {
      if (view.getUint32(at + 4, true) !== 0) slots.push([view.getUint32(at + 8, true), view.getUint32(at + 12, true)]);
    }
    const [offset, count] = slots.sort((a, b) => b[1] - a[1])[0]!;
    for (let at = 32; at < 4096; at += 16) {
      view.setUint32(at + 4, 1, true);
      view.setUint32(at + 8, offset, true);
      view.setUint32(at + 12, count, true);
    }
    expect(() => runSync(readRpmDatabase(ndb(bytes)))).toThrow(/overlap/);
  });
});

test('Adler-32 of long runs', () => {
  expect(adler32(new TextEncoder().encode('Wikipedia'))).toBe(0x11e6_0398);
  const long = new Uint8Array(100_000).fill(255);
  let [a, b] = [1, 0];
  for (const byte of long) {
    a = (a + byte) % 65_521;
    b = (b + a) % 65_521;
  }
  expect(adler32(long)).toBe(b * 65_536 + a);
});

test('a database of pages is read page by page, never as a whole', () => {
  for (const [name, backend] of [
    ['rpmdb.sqlite', 'sqlite'],
    ['Packages-4096-1234', 'bdb'],
  ] as const) {
    const good = fileOfBytes(fixture(name));
    let longest = 0;
    const file = {
      size: good.size,
      *readInto(offset: number, target: Bytes) {
        longest = Math.max(longest, target.length);
        yield* good.readInto(offset, target);
      },
    };
    runSync(readRpmDatabase({ backend, file }));
    expect(longest).toBe(4096);
  }
});
