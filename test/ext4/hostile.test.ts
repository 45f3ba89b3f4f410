/** Given images that were damaged on purpose, when we mount and read all we can, then only our errors come out, soon. */
import * as fs from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Corrupt, GuestlessError, Unsupported } from '../../src/errors.ts';
import { superblockChecksum } from '../../src/ext4/checksum.ts';
import { EXT4_SUPER_BLOCK, INCOMPAT, RO_COMPAT } from '../../src/ext4/format/index.ts';
import { type Ext4, mountExt4 } from '../../src/ext4/index.ts';
import { inodeOffset, readInode } from '../../src/ext4/inode-table.ts';
import { findRun } from '../../src/ext4/mapping.ts';
import type { DirectoryPart } from '../../src/filesystem/filesystem.ts';
import { runSync } from '../../src/io/drivers.ts';
import { MemorySource, SourceDevice } from '../../src/io/source.ts';
import { fixture } from '../support/images.ts';
import { entriesOf, resolve } from './golden.ts';

function load(name: string): Uint8Array {
  return new Uint8Array(fs.readFileSync(fixture(`ext4/${name}.img`)));
}

function mount(bytes: Uint8Array, checksums: 'verify' | 'ignore' = 'ignore'): Ext4 {
  return runSync(mountExt4(new SourceDevice(new MemorySource(bytes)), { checksums }));
}

/** Runs `body`; an error of the library is an answer, any other fails the test. */
function answered<T>(body: () => T): T | GuestlessError {
  try {
    return body();
  } catch (error) {
    if (error instanceof GuestlessError) return error;
    throw error;
  }
}

interface Visit {
  readonly nodes: number;
  readonly errors: readonly GuestlessError[];
}

/** Visits everything that can be reached, going on behind errors, with a budget as a cautious caller has one. */
function visitAll(fs: Ext4): Visit {
  const errors: GuestlessError[] = [];
  const seen = new Set<number>();
  const queue = [fs.root];
  const attempt = <T>(body: () => T): T | undefined => {
    const answer = answered(body);
    if (!(answer instanceof GuestlessError)) return answer;
    errors.push(answer);
    return undefined;
  };
  const buffer = new Uint8Array(1 << 18);
  while (queue.length > 0 && seen.size < 3000) {
    const node = queue.pop()!;
    if (seen.has(node)) continue;
    seen.add(node);
    const stat = attempt(() => runSync(fs.stat(node)));
    attempt(() => runSync(fs.xattrs(node)));
    if (stat?.kind === 'directory') {
      for (let cursor: number | undefined = 0; cursor !== undefined && queue.length < 10_000; ) {
        const from: number = cursor;
        const part: DirectoryPart | undefined = attempt(() => runSync(fs.readDirectory(node, from)));
        for (const entry of part?.entries ?? []) queue.push(entry.node);
        const last = part?.entries.at(-1);
        if (last !== undefined) attempt(() => runSync(fs.lookup(node, last.name)));
        cursor = part?.next;
      }
    } else if (stat?.kind === 'symlink') attempt(() => runSync(fs.readlink(node)));
    else if (stat?.kind === 'file') {
      attempt(() => runSync(fs.read(node, 0, buffer)));
      attempt(() => runSync(fs.read(node, Math.max(0, stat.size - 1000), buffer)));
      if (stat.size > 0) attempt(() => runSync(fs.mapFile(node, 0, stat.size)));
    }
  }
  attempt(() => runSync(fs.usage()));
  return { nodes: seen.size, errors };
}

/** Where metadata lies: superblock, descriptors, the inode tables in use, directories, extent blocks, attributes. */
function metadataPlaces(bytes: Uint8Array): number[] {
  const fs = mount(bytes, 'verify');
  const { blockSize, inodeSize } = fs.volume.superblock;
  const places: number[] = [];
  const add = (from: number, length: number): void => {
    for (let at = from; at < from + length; at++) places.push(at);
  };
  add(1024, 1024);
  add(fs.volume.groups.descriptorOffset(0), 64);
  const queue = [fs.root];
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const inode = runSync(readInode(fs.volume, next));
    add(runSync(inodeOffset(fs.volume, next)), inodeSize);
    if (inode.fileAcl !== 0) add(inode.fileAcl * blockSize, blockSize);
    if (inode.extentRoot !== undefined && inode.extentRoot.depth > 0) add(inode.extentRoot.physical[0]! * blockSize, blockSize);
    if (inode.kind !== 'directory') continue;
    for (const entry of runSync(entriesOf(fs, next))) queue.push(entry.node);
    if ((inode.flags & 0x10000000) === 0) add(runSync(findRun(fs.volume, inode, 0)).physical! * blockSize, blockSize);
  }
  return places;
}

describe.each(['ext4-1k', 'ext2-1k', 'ext4-inline', 'ext4-ea-inode', 'ext4-encrypt'])('%s', (name) => {
  const bytes = load(name);
  const places = metadataPlaces(bytes);
  const interesting = fc.oneof(fc.constantFrom(0, 1, 0x7f, 0x80, 0xff), fc.nat(255));

  test('random bytes of metadata', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(places.length - 1), interesting), { minLength: 1, maxLength: 40 }), (changes) => {
        const damaged = bytes.slice();
        for (const [index, value] of changes) damaged[places[index]!] = value;
        const mounted = answered(() => mount(damaged));
        if (!(mounted instanceof GuestlessError)) visitAll(mounted);
      }),
      { numRuns: 60, seed: 20260101 },
    );
  });
});

test('each field of the superblock set to 0, 1 and all ones', () => {
  const bytes = load('ext4-inode128');
  for (const [name, field] of Object.entries(EXT4_SUPER_BLOCK.fields)) {
    if (field.length > 8) continue;
    for (const value of [0, 1, 0xff]) {
      const damaged = bytes.slice();
      damaged.fill(value === 1 ? 0 : value, 1024 + field.offset, 1024 + field.offset + field.length);
      if (value === 1) damaged[1024 + field.offset] = 1;
      const sum = superblockChecksum(damaged.subarray(1024, 2048));
      EXT4_SUPER_BLOCK.write(damaged, 1024, { s_checksum: sum });
      const mounted = answered(() => mount(damaged, 'verify'));
      if (!(mounted instanceof GuestlessError)) visitAll(mounted);
      else expect(mounted.message, name).toContain('ext4');
    }
  }
});

test('a file cut short anywhere still lists what is reachable', () => {
  const bytes = load('ext4-desc128');
  const whole = visitAll(mount(bytes, 'verify'));
  expect(whole.errors).toEqual([]);
  let most = 0;
  for (let size = 0; size < bytes.length; size += 131_072 + 512) {
    const mounted = answered(() => mount(bytes.slice(0, size), 'verify'));
    if (mounted instanceof GuestlessError) continue;
    expect(mounted.warnings.map(({ message }) => message).join()).toContain('its end is missing');
    const { nodes, errors } = visitAll(mounted);
    for (const error of errors) expect(error).toBeInstanceOf(Corrupt);
    expect(nodes).toBeGreaterThanOrEqual(most);
    most = nodes;
  }
  expect(most).toBe(whole.nodes);
});

describe('features', () => {
  const withFeatures = (change: Partial<Record<'s_feature_incompat' | 's_feature_ro_compat', number>>): Uint8Array => {
    const bytes = load('ext4-inode128').slice();
    const raw = EXT4_SUPER_BLOCK.read(bytes, 1024);
    for (const key of ['s_feature_incompat', 's_feature_ro_compat'] as const) {
      EXT4_SUPER_BLOCK.write(bytes, 1024, { [key]: (raw[key] | (change[key] ?? 0)) >>> 0 });
    }
    EXT4_SUPER_BLOCK.write(bytes, 1024, { s_checksum: superblockChecksum(bytes.subarray(1024, 2048)) });
    return bytes;
  };

  test.each([
    [INCOMPAT.compression, 'compression'],
    [INCOMPAT.journal_dev, 'journal_dev'],
    [INCOMPAT.dirdata, 'dirdata'],
    [0x8000_0000, 'FEATURE_I31'],
    [0x80_0000, 'FEATURE_I23'],
  ])('an incompatible one that cannot be read is refused by name: %i', (bit, name) => {
    const error = answered(() => mount(withFeatures({ s_feature_incompat: bit }), 'verify'));
    expect(error).toBeInstanceOf(Unsupported);
    expect((error as Unsupported).feature).toBe(name);
  });

  test.each([
    [RO_COMPAT['read-only'], 'read-only'],
    [RO_COMPAT.shared_blocks, 'shared_blocks'],
    [0x4000_0000, 'FEATURE_R30'],
  ])('one that forbids writing is read, and says so: %i', (bit, name) => {
    const fs = mount(withFeatures({ s_feature_ro_compat: bit }), 'verify');
    expect(fs.readOnlyReason).toContain(name);
    expect(runSync(fs.stat(runSync(resolve(fs, '/sizes/150')))).size).toBe(150);
  });

  test('a plain file system has no reason against writing', () => {
    expect(mount(withFeatures({}), 'verify').readOnlyReason).toBeUndefined();
  });
});
