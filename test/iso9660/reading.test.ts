/** Images made by genisoimage and xorriso read as the Linux kernel reads them. */
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { decodeName } from '../../src/bytes/text.ts';
import { runSync } from '../../src/io/drivers.ts';
import { contents, GOLDEN, imageBytes, mountBytes, walk } from './workbench.ts';

const KINDS: Readonly<Record<string, string>> = {
  f: 'file',
  d: 'directory',
  l: 'symlink',
  c: 'character',
  b: 'block',
  p: 'fifo',
  s: 'socket',
};
/** The golden names are bytes, one character each. */
const fromLatin1 = (text: string): string => decodeName(Uint8Array.from(text, (character) => character.charCodeAt(0)));

const NAMING: Readonly<Record<string, string>> = {
  rock: 'rock ridge',
  'rock-joliet': 'rock ridge',
  joliet: 'joliet',
  plain: 'plain',
  level4: 'plain',
  relaxed: 'plain',
  xorriso: 'rock ridge',
  'xorriso-relocated': 'rock ridge',
  boot: 'rock ridge',
  seed: 'rock ridge',
  zisofs: 'rock ridge',
  sections: 'plain',
};

test('the kernel judged every image that there is', () => {
  expect(Object.keys(GOLDEN).sort()).toEqual(Object.keys(NAMING).sort());
});

describe.each(Object.keys(NAMING))('%s', (name) => {
  const golden = GOLDEN[name]!;
  const iso = mountBytes(imageBytes(name));

  test('names, attributes and inode numbers are those of the kernel', () => {
    const shown: Record<string, unknown> = {};
    for (const [path, stat] of walk(iso)) {
      shown[path] = {
        inode: stat.node,
        kind: stat.kind,
        mode: stat.mode & 0o7777,
        links: stat.links,
        uid: stat.uid,
        gid: stat.gid,
        size: stat.size,
        blocks: stat.blocks,
        mtime: stat.mtime.seconds,
        atime: stat.atime.seconds,
        ctime: stat.ctime.seconds,
        ...(stat.kind === 'symlink' ? { target: decodeName(runSync(iso.readlink(stat.node))) } : {}),
        ...(stat.device === undefined ? {} : { device: [stat.device.major, stat.device.minor] }),
      };
    }
    const wanted: Record<string, unknown> = {};
    for (const [path, { md5: _, kind, target, ...rest }] of Object.entries(golden.files)) {
      wanted[fromLatin1(path)] = { ...rest, kind: KINDS[kind], ...(target === undefined ? {} : { target: fromLatin1(target) }) };
    }
    expect(shown).toEqual(wanted);
    expect(iso.naming).toBe(NAMING[name]);
  });

  test('the contents are those that the kernel reads', () => {
    const stats = walk(iso);
    let files = 0;
    for (const [path, { md5 }] of Object.entries(golden.files)) {
      if (md5 === undefined) continue;
      const stat = stats.get(fromLatin1(path))!;
      expect(createHash('md5').update(contents(iso, stat)).digest('hex'), path).toBe(md5);
      files++;
    }
    expect(files).toBe(Object.values(golden.files).filter(({ kind }) => kind === 'f').length);
  });

  test('space, label and identifier', () => {
    expect(runSync(iso.usage())).toMatchObject(golden.usage);
    expect(decodeName(iso.label)).toBe(golden.blkid['LABEL']!.replaceAll('\\ ', ' '));
    expect(iso.uuid).toBe(golden.blkid['UUID']);
    expect(iso.warnings).toEqual([]);
  });
});

test('a node is found again by its number alone, without its directory having been read', () => {
  const bytes = imageBytes('rock');
  for (const [path, stat] of walk(mountBytes(bytes))) expect(runSync(mountBytes(bytes).stat(stat.node)), path).toEqual(stat);
});

test('Joliet names are found whatever their case, and however many dots end them', () => {
  const iso = mountBytes(imageBytes('joliet'));
  const find = (name: string): number | undefined => runSync(iso.lookup(iso.root, new TextEncoder().encode(name)));
  expect(find('readme')).toBeDefined();
  expect(find('readme')).toBe(find('README'));
  expect(find('MIXED.txt..')).toBe(find('MiXed.TxT'));
  expect(find('readm')).toBeUndefined();
  const rock = mountBytes(imageBytes('rock'));
  expect(runSync(rock.lookup(rock.root, new TextEncoder().encode('readme')))).toBeUndefined();
});

test('a file compressed by zisofs is refused by name where nobody can inflate it', () => {
  const iso = mountBytes(imageBytes('zisofs'), {});
  const stat = walk(iso).get('/text')!;
  expect(() => contents(iso, stat)).toThrow(expect.objectContaining({ code: 'UNSUPPORTED', feature: 'zisofs' }));
});

test('reads begin and end anywhere, across the sections of a file and the blocks of a compressed one', () => {
  for (const [name, path] of [
    ['sections', '/part1.bin'],
    ['zisofs', '/text'],
  ] as const) {
    const iso = mountBytes(imageBytes(name));
    const stat = walk(iso).get(path)!;
    const whole = contents(iso, stat);
    for (let offset = 0; offset < stat.size + 5000; offset += 4999) {
      const target = new Uint8Array(7001);
      const got = runSync(iso.read(stat.node, offset, target));
      expect(Buffer.compare(target.subarray(0, got), whole.subarray(offset, offset + 7001))).toBe(0);
    }
  }
});
