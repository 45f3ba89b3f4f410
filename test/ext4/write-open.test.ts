/** Opening for writing what was not cleanly unmounted: the journal and the orphans first. Judges: what the kernel made of it, e2fsck. */
import * as fs from 'node:fs';
import { describe, expect, test } from 'vitest';
import { encodeName } from '../../src/bytes/text.ts';
import { Refused, Unsupported } from '../../src/errors.ts';
import { mountExt4, mountWritableExt4 } from '../../src/ext4/index.ts';
import { runSync } from '../../src/io/drivers.ts';
import { MemorySource, SourceDevice } from '../../src/io/source.ts';
import { OverlayDevice } from '../../src/overlay/overlay.ts';
import { fixture, privateCopy } from '../support/images.ts';
import { e2fsckComplaints, must } from '../support/oracle.ts';
import { golden, REPLAYED, walk } from './journal-walk.ts';
import { mke2fs, saved } from './workbench.ts';

const name = encodeName;
const imageOf = (one: string): Uint8Array => new Uint8Array(fs.readFileSync(fixture(`${one}.img`)));
const overlayOver = (bytes: Uint8Array): OverlayDevice =>
  new OverlayDevice(new SourceDevice(new MemorySource(bytes)), { budget: 256 << 20 });
const bytesOf = (device: OverlayDevice): Uint8Array => runSync(device.read(0, device.size));

describe('an image with a journal to replay', () => {
  test.each(REPLAYED)('%s: opened for writing it is what the kernel makes of it, and can be changed', (one) => {
    const image = imageOf(`ext4-journal/${one}`);
    const before = image.slice();
    const overlay = overlayOver(image);
    const system = runSync(mountWritableExt4(overlay));
    const expected = golden(one);
    expect(walk(system)).toEqual(expected.entries);
    expect(runSync(system.usage())).toMatchObject({ freeBlocks: expected.freeBlocks, freeInodes: expected.freeInodes });
    saved(bytesOf(overlay), (file) => expect(e2fsckComplaints(file)).toBe(''));
    const directory = runSync(system.mkdir(system.root, name('made later'), { mode: 0o700 }));
    const file = runSync(system.create(directory, name('file'), { mode: 0o600 }));
    runSync(system.write(file, 5000, name('contents')));
    saved(bytesOf(overlay), (path) => {
      expect(e2fsckComplaints(path)).toBe('');
      expect(must('debugfs', '-R', 'stat "/made later/file"', path)).toContain('Size: 5008');
    });
    // A second mount has nothing left to replay.
    const again = runSync(mountExt4(new SourceDevice(new MemorySource(bytesOf(overlay)))));
    expect(again.warnings).toEqual([]);
    expect(Buffer.compare(image, before)).toBe(0);
  });
});

describe('an image that is not to be written', () => {
  const make = (options: string, ...commands: string[]): Uint8Array =>
    mke2fs({ name: options, size: '16M', options: options.split(' '), after: commands });
  /** As a mounted file system says it: a sequence number that is neither `clean` nor that of e2fsck. */
  const inUse = (image: Uint8Array): Uint8Array => {
    const view = new DataView(image.buffer, image.byteOffset);
    const blockSize = 1024 << view.getUint32(1024 + 0x18, true);
    view.setUint32(view.getUint32(1024 + 0x168, true) * blockSize + 4, 5, true);
    return image;
  };
  const cases: readonly (readonly [string, () => Uint8Array, typeof Refused | typeof Unsupported, RegExp])[] = [
    ['quota', () => imageOf('ext4/ext4-quota'), Unsupported, /quota/],
    ['project', () => make('-t ext4 -I 256 -O project,quota'), Unsupported, /project/],
    ['read-only', () => make('-t ext4', 'feature read-only'), Unsupported, /read.?only/],
    ['an external journal', () => imageOf('ext4-journal/external'), Unsupported, /journal/],
    ['recorded errors', () => make('-t ext4', 'ssv state 2'), Refused, /errors; run e2fsck/],
    ['ext2, not unmounted', () => make('-t ext2', 'ssv state 0'), Refused, /not cleanly unmounted.*run e2fsck/],
    ['in use, says MMP', () => inUse(make('-t ext4 -O mmp,^metadata_csum')), Refused, /in use/],
    ['cut off', () => make('-t ext4 -O ^has_journal').subarray(0, 12 << 20), Refused, /ends before/],
  ];
  test.each(cases)('%s', (_, image, kind, message) => {
    const overlay = overlayOver(image());
    let error: unknown;
    try {
      runSync(mountWritableExt4(overlay));
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(kind);
    expect(String((error as Error).message)).toMatch(message);
    expect(overlay.changed).toBe(false);
    expect(overlay.inTransaction).toBe(false);
  });
});

test('fast commits are refused by name, and nothing is changed', () => {
  const overlay = overlayOver(imageOf('ext4-journal/fast-write'));
  expect(() => runSync(mountWritableExt4(overlay))).toThrow(expect.objectContaining({ feature: 'fast_commit' }));
  expect(overlay.changes()).toEqual([]);
});

test('an image that our writer replayed is one that e2fsck leaves alone', () => {
  const copy = privateCopy(fixture('ext4-journal/v3-4k.img'));
  const overlay = overlayOver(new Uint8Array(fs.readFileSync(copy)));
  runSync(mountWritableExt4(overlay));
  fs.writeFileSync(copy, bytesOf(overlay));
  const before = fs.readFileSync(copy);
  must('e2fsck', '-p', copy);
  expect(Buffer.compare(fs.readFileSync(copy), before)).toBe(0);
});
