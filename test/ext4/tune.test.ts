/** Tuning: what tune2fs, e2label, chattr and zerofree do, judged by tune2fs, e2fsck, the kernel and debugfs. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { encodeName } from '../../src/bytes/text.ts';
import { uuidBytes } from '../../src/bytes/uuid.ts';
import { Posix } from '../../src/errors.ts';
import { mountWritableExt4 } from '../../src/ext4/index.ts';
import {
  changeFlags,
  changeGeneration,
  describeSuperblock,
  FLAG_LETTERS,
  setExt4Uuid,
  setMountedUuid,
  superblockBytes,
  tuneExt4,
  tuneMountedExt4,
  zeroFreeBlocks,
} from '../../src/ext4/tune/index.ts';
import { BufferedDevice } from '../../src/io/buffered-device.ts';
import { runSync } from '../../src/io/drivers.ts';
import { MemorySource } from '../../src/io/source.ts';
import { WritableSourceDevice } from '../../src/io/writable-source-device.ts';
import { FIXTURES, scratchFolder } from '../support/images.ts';
import { e2fsckComplaints, must, run } from '../support/oracle.ts';

const folder = scratchFolder('guestless-tune-');
const NEW_UUID = 'd306427c-371d-4832-98f7-eaad61dc6244';
let counter = 0;

/** An image in memory, and as a file for real tools. */
class Image {
  readonly source: MemorySource;
  readonly device: BufferedDevice;
  readonly name: string = path.join(folder, `${counter++}.img`);

  constructor(bytes: Uint8Array) {
    this.source = new MemorySource(bytes);
    this.device = new BufferedDevice(new WritableSourceDevice(this.source));
  }

  static made(...options: string[]): Image {
    const name = path.join(folder, `made-${counter++}.img`);
    must('mke2fs', '-q', '-F', ...options, name, '16M');
    return new Image(new Uint8Array(fs.readFileSync(name)));
  }

  static fixture(name: string): Image {
    return new Image(new Uint8Array(gunzipSync(fs.readFileSync(path.join(FIXTURES, `${name}.img.gz`)))));
  }

  saved(): string {
    fs.writeFileSync(this.name, this.source.bytes);
    return this.name;
  }
}

const lines = (image: Image): string[] => runSync(superblockPairs(image)).map(([key, value]) => `${key}: ${value}`);

function* superblockPairs(image: Image) {
  return describeSuperblock(yield* superblockBytes(image.device));
}

/** What tune2fs -l says, with one space behind the colon. */
const theirs = (name: string): string[] =>
  must('tune2fs', '-l', name)
    .split('\n')
    .slice(1)
    .filter((line) => line.includes(':'))
    .map((line) => line.replace(/^([^:]*):\s*/, '$1: '));

describe('what a superblock says', () => {
  it('is shown as tune2fs -l shows it', () => {
    const images = [
      Image.made('-t', 'ext2'),
      Image.made('-t', 'ext3', '-L', 'a label', '-M', '/mnt', '-o', 'hurd'),
      Image.made('-t', 'ext4', '-E', 'stride=4,stripe_width=8', '-m', '2.5'),
      Image.made('-t', 'ext4', '-O', 'bigalloc,^has_journal,^resize_inode', '-e', 'panic'),
      Image.made('-t', 'ext4', '-O', 'metadata_csum_seed,orphan_file,meta_bg,^resize_inode,quota'),
      Image.made('-t', 'ext2', '-r', '0'),
    ];
    for (const name of fs.readdirSync(path.join(FIXTURES, 'ext4')).filter((file) => file.endsWith('.img.gz'))) {
      images.push(Image.fixture(`ext4/${name.slice(0, -'.img.gz'.length)}`));
    }
    for (const image of images) expect(lines(image)).toEqual(theirs(image.saved()));
    const tuned = Image.made('-t', 'ext4');
    must('tune2fs', '-c', '20', '-C', '3', '-i', '10d', '-u', '33', tuned.saved());
    const shown = theirs(tuned.name).filter((line) => !/uid/.test(line));
    expect(lines(new Image(new Uint8Array(fs.readFileSync(tuned.name)))).filter((line) => !/uid/.test(line))).toEqual(shown);
  });
});

describe('settings', () => {
  const settings = {
    label: encodeName('neu'),
    maximumMountCount: 31,
    mountCount: 4,
    errorBehaviour: 'panic',
    checkInterval: 86_400,
    reservedPercentage: 1,
    reservedGid: 7,
    lastMounted: encodeName('/srv'),
  };
  const said = [
    'Filesystem volume name: neu',
    'Maximum mount count: 31',
    'Mount count: 4',
    'Errors behavior: Panic',
    'Check interval: 86400 (1 day)',
    'Last mounted on: /srv',
  ];

  it('are changed on a device, and e2fsck has nothing against it', () => {
    for (const type of ['ext2', 'ext3', 'ext4']) {
      const image = Image.made('-t', type);
      runSync(tuneExt4(image.device, settings));
      const name = image.saved();
      for (const line of said) expect(theirs(name)).toContain(line);
      expect(e2fsckComplaints(name)).toBe('');
    }
  });

  it('are changed of a mounted file system, which goes on', () => {
    const image = Image.made('-t', 'ext4');
    const ext4 = runSync(mountWritableExt4(image.device));
    runSync(tuneMountedExt4(ext4, settings));
    runSync(ext4.mkdir(ext4.root, encodeName('after'), { mode: 0o755 }));
    const name = image.saved();
    for (const line of said) expect(theirs(name)).toContain(line);
    expect(e2fsckComplaints(name)).toBe('');
  });

  it('that tune2fs refuses are refused, and nothing changes', () => {
    const image = Image.made('-t', 'ext2');
    const before = image.source.bytes.slice();
    for (const wrong of [
      { label: new Uint8Array(17) },
      { reservedPercentage: 51 },
      { errorBehaviour: 'toString' },
      { mountCount: -1 },
      { checkInterval: 2 ** 40 },
    ]) {
      expect(() => runSync(tuneExt4(image.device, wrong))).toThrow(Posix);
    }
    expect(Buffer.compare(image.source.bytes, before)).toBe(0);
    expect(() => runSync(tuneExt4(new Image(new Uint8Array(65_536)).device, { mountCount: 1 }))).toThrow(Posix);
  });
});

describe('another UUID', () => {
  it('leaves a file system of each kind whole, whatever is summed up with it', () => {
    const kinds = fs
      .readdirSync(path.join(FIXTURES, 'ext4'))
      .filter((file) => file.endsWith('.img.gz') && !/ea-inode|mmp|quota/.test(file));
    for (const file of [
      ...kinds.map((kind) => `ext4/${kind}`),
      ...fs
        .readdirSync(path.join(FIXTURES, 'ext4-htree'))
        .filter((kind) => kind.endsWith('.img.gz'))
        .map((kind) => `ext4-htree/${kind}`),
    ]) {
      const image = Image.fixture(file.slice(0, -'.img.gz'.length));
      runSync(setExt4Uuid(image.device, uuidBytes(NEW_UUID)));
      const name = image.saved();
      expect([file, e2fsckComplaints(name)]).toEqual([file, '']);
      expect(theirs(name)).toContain(`Filesystem UUID: ${NEW_UUID}`);
      fs.rmSync(name);
    }
  }, 60_000);

  it('is taken by a mounted file system only where no checksum depends on it, as with tune2fs', () => {
    const plain = Image.made('-t', 'ext3');
    const ext3 = runSync(mountWritableExt4(plain.device));
    runSync(setMountedUuid(ext3, uuidBytes(NEW_UUID)));
    expect(theirs(plain.saved())).toContain(`Filesystem UUID: ${NEW_UUID}`);
    expect(e2fsckComplaints(plain.name)).toBe('');
    const summed = Image.made('-t', 'ext4');
    expect(() => runSync(setMountedUuid(runSync(mountWritableExt4(summed.device)), uuidBytes(NEW_UUID)))).toThrow(/unmounted/);
  });
});

describe('files', () => {
  it('get the flags that chattr would give them, and the kernel sees them', () => {
    const image = Image.made('-t', 'ext4');
    const ext4 = runSync(mountWritableExt4(image.device));
    const node = runSync(ext4.create(ext4.root, encodeName('file'), { mode: 0o644 }));
    runSync(changeFlags(ext4, node, FLAG_LETTERS['i']! | FLAG_LETTERS['s']! | FLAG_LETTERS['D']!, 0));
    expect(() => runSync(ext4.write(node, 0, encodeName('x')))).toThrow(Posix);
    runSync(changeFlags(ext4, node, FLAG_LETTERS['A']!, FLAG_LETTERS['i']!));
    expect(() => runSync(changeFlags(ext4, node, 0, FLAG_LETTERS['e']!))).toThrow(Posix);
    const name = image.saved();
    expect(e2fsckComplaints(name)).toBe('');
    const at = fs.mkdtempSync(path.join(folder, 'mount-'));
    must('mount', '-o', 'loop,ro', name, at);
    try {
      expect([...must('lsattr', path.join(at, 'file')).split(' ')[0]!.replaceAll('-', '')].sort().join('')).toBe('Aes');
    } finally {
      must('umount', at);
    }
  });

  it('get a generation where no checksum depends on it', () => {
    const image = Image.made('-t', 'ext2');
    const ext4 = runSync(mountWritableExt4(image.device));
    const node = runSync(ext4.create(ext4.root, encodeName('file'), { mode: 0o644 }));
    runSync(changeGeneration(ext4, node, 123_456));
    expect(must('debugfs', '-R', 'stat /file', image.saved())).toContain('Generation: 123456');
    expect(e2fsckComplaints(image.name)).toBe('');
    const summed = runSync(mountWritableExt4(Image.made('-t', 'ext4').device));
    expect(() => runSync(changeGeneration(summed, summed.root, 1))).toThrow(Posix);
  });
});

describe('free blocks', () => {
  it('become zeros, and nothing else changes', () => {
    const image = Image.made('-t', 'ext3');
    const ext4 = runSync(mountWritableExt4(image.device));
    const secret = encodeName('SECRET-'.repeat(20_000));
    for (const name of ['kept', 'gone']) {
      const node = runSync(ext4.create(ext4.root, encodeName(name), { mode: 0o644 }));
      runSync(ext4.write(node, 0, name === 'kept' ? encodeName('kept').slice() : secret));
    }
    runSync(ext4.unlink(ext4.root, encodeName('gone')));
    expect(Buffer.from(image.source.bytes).includes('SECRET-')).toBe(true);
    expect(runSync(zeroFreeBlocks(ext4.volume, image.device))).toBeGreaterThanOrEqual(secret.length);
    expect(Buffer.from(image.source.bytes).includes('SECRET-')).toBe(false);
    const name = image.saved();
    expect(e2fsckComplaints(name)).toBe('');
    expect(run('debugfs', ['-R', 'cat /kept', name]).stdout.toString()).toBe('kept');
  });
});
