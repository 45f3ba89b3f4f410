/** Damaged and hostile images: what can be read is read, the rest is said, and nothing but our errors comes out, in bounded time. */

import * as fs from 'node:fs';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { decodeName, encodeName } from '../../src/bytes/text.ts';
import { Corrupt, GuestlessError, Refused, Unsupported } from '../../src/errors.ts';
import { BufferedDevice } from '../../src/io/buffered-device.ts';
import { runSync } from '../../src/io/drivers.ts';
import { MemorySource, SourceDevice } from '../../src/io/source.ts';
import { WritableSourceDevice } from '../../src/io/writable-source-device.ts';
import { encodeLongName, shortNameChecksum } from '../../src/vfat/names.ts';
import { mountVfat, type Vfat } from '../../src/vfat/vfat.ts';
import { mountWritableVfat } from '../../src/vfat/writable.ts';
import { fixture } from '../support/images.ts';
import { list, mountBytes, readFile, type Volume, walk } from './volume.ts';
import { complaints, Hands, mkfs, workbench } from './workbench.ts';

interface Poke {
  readonly name: string;
  readonly attributes?: number;
  readonly ntFlags?: number;
  readonly start?: number;
  readonly size?: number;
  readonly date?: number;
  readonly time?: number;
  /** A long name before it, with the right checksum or a wrong one. */
  readonly long?: string;
  readonly wrongChecksum?: boolean;
}

/** Puts entries by hand into the fixed root directory of an image, after those that are there. */
function poke(image: Uint8Array, entries: readonly Poke[]): Uint8Array {
  const bytes = image.slice();
  const { rootOffset } = mountBytes(bytes).geometry;
  let at = rootOffset;
  while (bytes[at] !== 0) at += 32;
  const view = new DataView(bytes.buffer);
  for (const entry of entries) {
    const raw = Buffer.from(entry.name.padEnd(11), 'latin1');
    if (entry.long !== undefined) {
      const long = encodeLongName(entry.long, shortNameChecksum(raw) ^ (entry.wrongChecksum === true ? 1 : 0));
      bytes.set(long, at);
      at += long.length;
    }
    bytes.set(raw, at);
    view.setUint8(at + 11, entry.attributes ?? 0x20);
    view.setUint8(at + 12, entry.ntFlags ?? 0);
    view.setUint16(at + 18, entry.date ?? 0x5a21, true);
    view.setUint16(at + 22, entry.time ?? 0x6000, true);
    view.setUint16(at + 24, entry.date ?? 0x5a21, true);
    view.setUint16(at + 26, entry.start ?? 0, true);
    view.setUint32(at + 28, entry.size ?? 0, true);
    at += 32;
  }
  return bytes;
}

/** Sets entries of both FATs of a FAT12 image. */
function link(image: Uint8Array, links: Readonly<Record<number, number>>): void {
  const { fatOffset, fatLength, fatCount } = mountBytes(image).geometry;
  const view = new DataView(image.buffer);
  for (let copy = 0; copy < fatCount; copy++) {
    for (const [cluster, value] of Object.entries(links)) {
      const number = Number(cluster);
      const at = fatOffset + copy * fatLength + Math.floor((number * 3) / 2);
      const pair = view.getUint16(at, true);
      view.setUint16(at, (number & 1) === 0 ? (pair & 0xf000) | value : (pair & 0x000f) | (value << 4), true);
    }
  }
}

const names = (vfat: Vfat): string[] => runSync(list(vfat, vfat.root)).map((each) => each.name);
const messages = (vfat: Vfat): string => vfat.warnings.map((each) => each.message).join('\n');
const statOf = (vfat: Volume, path: string) => vfat.sync.stat(vfat.sync.resolve(path) as number);

let empty: Uint8Array;
beforeAll(() => {
  empty = mkfs(1440);
});

describe('names', () => {
  test.each<[string, Poke, string, RegExp | undefined]>([
    ['a slash in a short name', { name: 'A/B     TXT' }, 'A:002FB.TXT', /cannot be part of a path/],
    ['NUL in a short name', { name: 'NUL\0    TXT' }, 'NUL:0000.TXT', /cannot be part of a path/],
    ['a long name of two dots', { name: 'DOTS       ', long: '..' }, ':002E:002E', /cannot be part of a path/],
    ['a long name with a slash', { name: 'SLASH      ', long: '../../etc/passwd' }, '..:002F..:002Fetc:002Fpasswd', /cannot be part/],
    ['what looks like an escape', { name: 'ESC        ', long: 'a:002Fb' }, 'a:003A002Fb', /cannot be part of a path/],
    ['an empty short name', { name: '           ' }, ':0020', /cannot be part of a path/],
    ['a wrong checksum', { name: 'BADSUM~1TXT', long: 'bad sum.txt', wrongChecksum: true }, 'BADSUM~1.TXT', /does not belong/],
    ['NT flags', { name: 'LOWER   TXT', ntFlags: 0x18 }, 'lower.txt', undefined],
    ['NT flag of the base', { name: 'LOWBASE TXT', ntFlags: 0x08 }, 'lowbase.TXT', undefined],
    ['NT flag of the extension', { name: 'LOWEXT  TXT', ntFlags: 0x10 }, 'LOWEXT.txt', undefined],
    ['0x05 for 0xE5', { name: '\u0005KANJI     ' }, 'σKANJI', undefined],
    ['code page 437', { name: 'CP437\u0082\u008e   ' }, 'CP437éÄ', undefined],
    ['a space inside', { name: 'AB CD   E F' }, 'AB CD.E F', undefined],
    ['attribute bits beyond the known', { name: 'ATTRC0  TXT', attributes: 0xc0 }, 'ATTRC0.TXT', undefined],
  ])('%s', (_what, entry, shown, warning) => {
    const vfat = mountBytes(poke(empty, [{ name: 'BEFORE     ' }, entry, { name: 'AFTER      ' }]));
    expect(names(vfat)).toEqual(['BEFORE', shown, 'AFTER']);
    expect(vfat.sync.resolve(shown)).toBeDefined();
    if (warning === undefined) expect(vfat.warnings).toEqual([]);
    else expect(messages(vfat)).toMatch(warning);
  });

  test('an unpaired surrogate survives, and its name finds the file again', () => {
    const vfat = mountBytes(
      poke(empty, [
        { name: 'LONE~1  TXT', long: 'lone\ud800.txt' },
        { name: 'EMOJI~1    ', long: 'smile 😀' },
      ]),
    );
    const [lone, emoji] = runSync(vfat.readDirectory(vfat.root)).entries;
    expect(Buffer.from(lone?.name ?? []).toString('hex')).toBe(
      `${Buffer.from('lone').toString('hex')}eda080${Buffer.from('.txt').toString('hex')}`,
    );
    expect(decodeName(emoji?.name ?? new Uint8Array())).toBe('smile 😀');
    expect(vfat.sync.lookup(vfat.root, lone?.name ?? new Uint8Array())).toBe(lone?.node);
    // Through text and back, as a program at the door does it.
    expect(vfat.sync.lookup(vfat.root, encodeName(decodeName(lone?.name ?? new Uint8Array())))).toBe(lone?.node);
  });

  test('code page 850 is an option', () => {
    const image = poke(empty, [{ name: '\u0005KANJI     ' }]);
    expect(names(mountBytes(image, { codePage: 850 }))).toEqual(['ÕKANJI']);
    expect(names(mountBytes(image, { codePage: 1252 }))).toEqual(['åKANJI']);
  });

  test('of two equal names both are listed and the first is found', () => {
    const vfat = mountBytes(poke(empty, [{ name: 'TWIN       ', size: 1, start: 5 }, { name: 'TWIN       ' }]));
    expect(names(vfat)).toEqual(['TWIN', 'TWIN']);
    expect(statOf(vfat, '/twin').size).toBe(1);
  });

  test('orphans of long names are said and skipped', () => {
    const image = poke(empty, [{ name: 'GONE       ', long: 'an orphan' }, { name: 'HERE       ' }]);
    const { rootOffset } = mountBytes(image).geometry;
    image[rootOffset + 32] = 0xe5;
    const vfat = mountBytes(image);
    expect(names(vfat)).toEqual(['HERE']);
    expect(messages(vfat)).toMatch(/no short name after it/);
  });

  test('entries after the end mark are shown only when asked for', () => {
    const image = poke(empty, [{ name: 'ONE        ' }, { name: 'TWO        ' }, { name: 'THREE      ' }]);
    image[mountBytes(image).geometry.rootOffset + 32] = 0;
    expect(names(mountBytes(image))).toEqual(['ONE']);
    expect(names(mountBytes(image, { beyondEnd: true }))).toEqual(['ONE', 'THREE']);
    // Writing moves the mark along, so that the rubbish does not come back.
    const { vfat, source } = workbench(image);
    new Hands(vfat).create('/NEW');
    expect(names(mountBytes(source.bytes, { beyondEnd: true }))).toEqual(['ONE', 'NEW']);
  });
});

describe('attributes and times', () => {
  test.each([
    [0x01, 0o100555],
    [0x02, 0o100755],
    [0x04, 0o100755],
    [0x27, 0o100555],
  ])('attributes 0x%s give mode %i', (attributes, mode) => {
    const vfat = mountBytes(poke(empty, [{ name: 'FILE       ', attributes }]));
    expect(statOf(vfat, '/FILE').mode).toBe(mode);
  });

  test.each([
    [0, 0, 315_532_800],
    [0xffff, 0xffff, 4_325_990_642],
    [(127 << 9) | (12 << 5) | 31, (23 << 11) | (59 << 5) | 29, 4_354_819_198],
  ])('date %i and time %i are %i seconds, as Linux has them', (date, time, seconds) => {
    const vfat = mountBytes(poke(empty, [{ name: 'FILE       ', date, time }]));
    expect(statOf(vfat, '/FILE').mtime.seconds).toBe(seconds);
  });

  test('the zone of the writer is an option', () => {
    const image = poke(empty, [{ name: 'FILE       ' }]);
    const utc = statOf(mountBytes(image), '/FILE').mtime.seconds;
    expect(statOf(mountBytes(image, { zoneMinutes: 90 }), '/FILE').mtime.seconds).toBe(utc - 5400);
  });
});

describe('chains', () => {
  const file = (start: number, size: number): Poke => ({ name: 'FILE       ', start, size });
  test.each<[string, Poke, Record<number, number>, RegExp]>([
    ['a loop', file(2, 100_000), { 2: 3, 3: 2 }, /loops/],
    ['a loop later on', file(2, 100_000), { 2: 3, 3: 9, 9: 12, 12: 9 }, /loops/],
    ['a link to itself', file(2, 100_000), { 2: 2 }, /loops/],
    ['a link to a free cluster', file(2, 4096), { 2: 3 }, /marked free/],
    ['a link outside', file(2, 4096), { 2: 0xf00 }, /points to/],
    ['a start outside', file(0xfff0, 100), {}, /outside of/],
    ['a start of 1', file(1, 100), {}, /outside of/],
    ['a chain that is too short', file(2, 10_000), { 2: 0xfff }, /run fsck/],
    ['no chain at all', file(0, 10_000), {}, /run fsck/],
  ])('%s is Corrupt, and the listing works', (_what, entry, links, message) => {
    const image = poke(empty, [entry]);
    link(image, links);
    const vfat = mountBytes(image);
    const stat = statOf(vfat, '/FILE');
    expect(() => readFile(vfat, stat)).toThrow(Corrupt);
    expect(() => readFile(vfat, stat)).toThrow(message);
  });

  test.each<[string, Poke, Record<number, number>]>([
    ['without its dots', { name: 'DIR        ', attributes: 0x10, start: 2 }, { 2: 0xfff }],
    ['at cluster 0', { name: 'DIR        ', attributes: 0x10, start: 0 }, {}],
    ['outside of the disk', { name: 'DIR        ', attributes: 0x10, start: 0xff00 }, {}],
  ])('a directory %s is Corrupt to list, and its parent is not', (_what, entry, links) => {
    const image = poke(empty, [entry, { name: 'AFTER      ' }]);
    link(image, links);
    const vfat = mountBytes(image);
    expect(names(vfat)).toEqual(['DIR', 'AFTER']);
    expect(statOf(vfat, '/DIR').kind).toBe('directory');
    expect(() => runSync(list(vfat, vfat.sync.resolve('/DIR') as number))).toThrow(Corrupt);
  });

  test('a directory that contains itself ends', () => {
    const { vfat, source } = workbench(empty);
    const hands = new Hands(vfat);
    const outer = hands.mkdir('/outer');
    const inner = hands.mkdir('/outer/inner');
    // The inner entry is made to point at the outer directory.
    source.bytes.copyWithin(inner * 32 + 26, outer * 32 + 26, outer * 32 + 28);
    const damaged = mountBytes(source.bytes);
    expect(() => walk(damaged)).toThrow(/is the same as the directory/);
  });

  test('mirroring switched off: the active FAT is the one that is read, and nothing is written', () => {
    const { vfat, source } = workbench(mkfs(34816, '-F', '32', '-s', '1'));
    const hands = new Hands(vfat);
    hands.create('/file', 'x'.repeat(2000));
    const { fatOffset, fatLength } = vfat.geometry;
    const image = source.bytes.slice();
    image[40] = 0x81;
    // The first FAT loses everything: only the second one still knows the file.
    image.fill(0, fatOffset + 12, fatOffset + fatLength);
    const damaged = mountBytes(image);
    expect(damaged.geometry.activeFat).toBe(1);
    expect(Buffer.from(readFile(damaged, statOf(damaged, '/file'))).toString()).toBe('x'.repeat(2000));
    const device = new BufferedDevice(new WritableSourceDevice(new MemorySource(image)));
    expect(() => runSync(mountWritableVfat(device))).toThrow(Refused);
  });

  test('the top four bits of FAT32 entries are not links, and stay', () => {
    const { vfat, source } = workbench(mkfs(34816, '-F', '32', '-s', '1'));
    const hands = new Hands(vfat);
    hands.create('/file', 'x'.repeat(2000));
    const { fatOffset, fatLength } = vfat.geometry;
    for (let cluster = 3; cluster < 100; cluster++) {
      for (let copy = 0; copy < 2; copy++) (source.bytes[fatOffset + copy * fatLength + cluster * 4 + 3] as number) |= 0xa0;
    }
    const again = workbench(source.bytes);
    const other = new Hands(again.vfat);
    expect(other.text('/file')).toBe('x'.repeat(2000));
    other.write(other.node('/file'), 2000, 'y'.repeat(2000));
    other.create('/more', 'z'.repeat(3000));
    expect(other.text('/file')).toBe('x'.repeat(2000) + 'y'.repeat(2000));
    for (let cluster = 3; cluster < 20; cluster++) expect((again.source.bytes[fatOffset + cluster * 4 + 3] as number) & 0xf0).toBe(0xa0);
  });

  test('a dirty volume is said to be so, and stays dirty', () => {
    const image = empty.slice();
    image[37] = 1;
    const { vfat, source } = workbench(image);
    expect(messages(vfat)).toMatch(/dirty/);
    new Hands(vfat).create('/file', 'x');
    expect(source.bytes[37]).toBe(1);
  });

  test('FSInfo is a hint: the free count is counted', () => {
    const image = mkfs(34816, '-F', '32', '-s', '1');
    new DataView(image.buffer).setUint32(512 + 488, 0x1234_5678, true);
    const vfat = mountBytes(image);
    const { blocks, freeBlocks, maximumNameLength } = runSync(vfat.usage());
    expect([blocks - freeBlocks, maximumNameLength]).toEqual([1, 1530]);
    const bench = workbench(image);
    new Hands(bench.vfat).create('/file', 'x');
    expect(complaints(bench.source.bytes)).toBe('');
  });
});

describe('boot sectors', () => {
  test.each<[string, number, number[], RegExp]>([
    ['no reserved sectors', 14, [0, 0], /no reserved sectors/],
    ['no FATs', 16, [0], /no FAT/],
    ['a media byte of nothing', 21, [0x12], /media byte/],
    ['sectors of 513 bytes', 11, [1, 2], /bytes per sector/],
    ['sectors of 0 bytes', 11, [0, 0], /bytes per sector/],
    ['3 sectors per cluster', 13, [3], /sectors per cluster/],
    ['0 sectors per cluster', 13, [0], /sectors per cluster/],
    ['a root directory of half a sector', 17, [3, 0], /do not fill sectors/],
    ['no sectors in all', 19, [0, 0], /in all/],
    ['FATs of no sectors', 22, new Array<number>(18).fill(0), /FATs of no sectors/],
    ['FATs beyond the device', 22, [0xff, 0x7f], /in all|beyond/],
  ])('%s is Corrupt', (_what, at, bytes, message) => {
    const image = empty.slice();
    image.set(bytes, at);
    expect(() => mountBytes(image)).toThrow(Corrupt);
    expect(() => mountBytes(image)).toThrow(message);
  });

  test('a DOS 1.x floppy and large sectors are Unsupported by name', () => {
    const floppy = new Uint8Array(160 * 1024);
    floppy.set([0xeb, 0x34, 0x90]);
    expect(() => mountBytes(floppy)).toThrow(Unsupported);
    const large = empty.slice();
    large.set([0x00, 0x20], 11);
    expect(() => mountBytes(large)).toThrow(/sectors of 8192 bytes/);
  });

  test('an image cut short anywhere gives an error or a part, in our words', () => {
    const whole = fs.readFileSync(fixture('vfat/fat16.img'));
    for (let size = 0; size < 300_000; size += 7_777) explore(whole.subarray(0, size));
  });
});

/** Does everything a reader can do; only our errors may come out. Gives how much could be read. */
function explore(image: Uint8Array): number {
  let work = 0;
  const guarded = (body: () => void): void => {
    try {
      body();
    } catch (error) {
      if (!(error instanceof GuestlessError)) throw error;
    }
  };
  guarded(() => {
    const vfat = runSync(mountVfat(new SourceDevice(new MemorySource(image)), { cacheBudget: 1 << 18 }));
    guarded(() => void runSync(vfat.usage()));
    const visit = (directory: number, depth: number): void => {
      for (const { node, name } of runSync(list(vfat, directory))) {
        if (work++ > 3000) return;
        guarded(() => {
          runSync(vfat.lookup(directory, encodeName(name)));
          const stat = runSync(vfat.stat(node));
          if (stat.kind === 'directory' && depth < 40) visit(node, depth + 1);
          else if (stat.kind === 'file') {
            runSync(vfat.read(node, 0, new Uint8Array(Math.min(stat.size, 1 << 20))));
            runSync(vfat.read(node, Math.max(0, stat.size - 10), new Uint8Array(10)));
          }
        });
      }
    };
    guarded(() => visit(vfat.root, 0));
  });
  return work;
}

test('the boot sector with each field at 0, 1 and its largest value', () => {
  for (const name of ['floppy', 'fat32-sector4096']) {
    const image = new Uint8Array(fs.readFileSync(fixture(`vfat/${name}.img`)));
    for (let at = 0; at < 90; at++) {
      for (const width of [1, 2, 4]) {
        for (const value of [0, 1, 0x7f, 0xff]) {
          const saved = image.slice(at, at + width);
          image.fill(value === 1 ? 0 : value, at, at + width);
          if (value === 1) image[at] = 1;
          explore(image);
          image.set(saved, at);
        }
      }
    }
  }
});

test('random damage in boot sector, tables and directories: only our errors, reading and writing', () => {
  const pristine = new Uint8Array(fs.readFileSync(fixture('vfat/fat12-cluster512.img')));
  const { dataOffset } = mountBytes(pristine).geometry;
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(dataOffset + 40_000), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 200 }),
      fc.boolean(),
      (damage, spareBoot) => {
        const image = pristine.slice();
        for (const [at, value] of damage) if (!spareBoot || at >= 512) image[at] = value;
        explore(image);
        try {
          const { vfat } = workbench(image);
          const hands = new Hands(vfat);
          for (const act of [
            () => hands.create('/new file', 'x'.repeat(5000)),
            () => hands.rename('/deep', '/deeper'),
            () => hands.unlink('/fragmented.bin'),
            () => hands.truncate('/gap2.bin', 10),
            () => hands.rmdir('/empty'),
          ]) {
            try {
              act();
            } catch (error) {
              if (!(error instanceof GuestlessError) && !/^no \//.test((error as Error).message)) throw error;
            }
          }
        } catch (error) {
          if (!(error instanceof GuestlessError)) throw error;
        }
      },
    ),
    { numRuns: 150 },
  );
});

test('random bytes are no file system', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 0, maxLength: 4096 }), (bytes) => {
      explore(bytes);
    }),
    { numRuns: 300 },
  );
});
