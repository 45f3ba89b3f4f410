/** Given devices that the real mkfs tools made, identify() says what `blkid -p` says. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Corrupt, GuestlessError } from '../../src/errors.ts';
import { identify, type Signature } from '../../src/filesystem/index.ts';
import { type BlockDevice, MemorySource, runAsync, runSync, SourceDevice } from '../../src/io/index.ts';
import { FileSource } from '../../src/platform/node/file.ts';
import { FIXTURES, fixture, scratchFolder, untouched } from '../support/images.ts';
import { run } from '../support/oracle.ts';

interface Golden {
  readonly status: number;
  readonly type?: string;
  readonly usage?: string;
  readonly label?: string;
  readonly uuid?: string;
  readonly version?: string;
}
const GOLDEN = JSON.parse(fs.readFileSync(path.join(FIXTURES, 'signatures/golden.json'), 'utf8')) as Record<string, Golden>;
const device = (name: string): BlockDevice => new SourceDevice(FileSource.open(fixture(`signatures/${name}.img`)));

/** A signature in the words of the golden file. */
function words(signature: Signature | undefined): Omit<Golden, 'status'> {
  if (signature === undefined) return {};
  const { label, ...rest } = signature;
  return label.length === 0 ? rest : { ...rest, label: Buffer.from(label).toString('utf8') };
}

/** blkid's exit status for "several different things were found". */
const AMBIVALENT = 8;

describe('agrees with blkid', () => {
  test.each(Object.keys(GOLDEN))('%s', async (name) => {
    const { status, ...golden } = GOLDEN[name]!;
    await untouched([fixture(`signatures/${name}.img`)], async () => {
      if (status === AMBIVALENT) {
        expect(() => runSync(identify(device(name)))).toThrow(Corrupt);
        return;
      }
      expect(words(runSync(identify(device(name))))).toEqual(golden);
      expect(words(await runAsync(identify(device(name))))).toEqual(golden);
    });
  });

  test('all kinds are there', () => {
    const types = new Set(Object.values(GOLDEN).map((golden) => golden.type));
    for (const type of [
      'vfat',
      'exfat',
      'ntfs',
      'ext2',
      'ext3',
      'ext4',
      'jbd',
      'xfs',
      'btrfs',
      'swap',
      'crypto_LUKS',
      'iso9660',
      'udf',
      'squashfs',
      'erofs',
      'f2fs',
    ]) {
      expect(types).toContain(type);
    }
    expect(GOLDEN['ext4-and-swap']?.status).toBe(AMBIVALENT);
  });

  test('blkid on this machine still says the same of a changed label', () => {
    const file = path.join(scratchFolder(), 'ext4.img');
    fs.copyFileSync(fixture('signatures/ext4.img'), file);
    fs.chmodSync(file, 0o644);
    expect(run('tune2fs', ['-L', 'new  label ', file]).status).toBe(0);
    const label = run('blkid', ['-p', '-s', 'LABEL', '-o', 'udev', file])
      .stdout.toString()
      .match(/LABEL_ENC=(.*)/)?.[1];
    const ours = runSync(identify(new SourceDevice(FileSource.open(file))))?.label ?? new Uint8Array(0);
    expect(Buffer.from(ours).toString()).toBe(label?.replaceAll('\\x20', ' '));
  });
});

/** Linux MD superblocks, whose tool wants a kernel: the fields are those of include/uapi/linux/raid/md_p.h. */
describe('linux_raid_member', () => {
  const uuid = '00112233-4455-6677-8899-aabbccddeeff';
  const bytes = Uint8Array.from({ length: 16 }, (_, i) => i * 17);

  test.each([
    ['1.0', (size: number) => Math.floor((size / 512 - 16) / 8) * 8 * 512],
    ['1.1', () => 0],
    ['1.2', () => 4096],
  ])('version %s', (version, place) => {
    for (const size of [1 << 20, (1 << 20) + 3 * 512]) {
      const disk = new Uint8Array(size);
      const at = place(size);
      const view = new DataView(disk.buffer);
      view.setUint32(at, 0xa92b4efc, true);
      view.setUint32(at + 4, 1, true);
      disk.set(bytes, at + 16);
      disk.set(Buffer.from('host:0'), at + 32);
      view.setBigUint64(at + 144, BigInt(at / 512), true);
      expect(words(runSync(identify(new SourceDevice(new MemorySource(disk)))))).toEqual({
        type: 'linux_raid_member',
        usage: 'raid',
        uuid,
        label: 'host:0',
        version,
      });
    }
  });

  test('version 0.90, both byte orders', () => {
    for (const little of [true, false]) {
      const disk = new Uint8Array((1 << 20) + 4096);
      const at = (1 << 20) - 65536;
      const view = new DataView(disk.buffer);
      [0xa92b4efc, 0, 90, 3].forEach((word, i) => {
        view.setUint32(at + 4 * i, word, little);
      });
      [20, 52, 56, 60].forEach((offset, i) => {
        view.setUint32(at + offset, [0x00112233, 0x44556677, 0x8899aabb, 0xccddeeff][i]!, little);
      });
      expect(words(runSync(identify(new SourceDevice(new MemorySource(disk)))))).toEqual({
        type: 'linux_raid_member',
        usage: 'raid',
        uuid,
        version: '0.90.3',
      });
    }
  });
});

test('usual devices take two requests, small ones one', () => {
  const requests = (name: string): number => {
    let count = 0;
    const inner = device(name);
    const counting: BlockDevice = {
      size: inner.size,
      preferredRequest: inner.preferredRequest,
      read: (offset, length) => {
        count++;
        return inner.read(offset, length);
      },
      readInto: (offset, target) => inner.readInto(offset, target),
      map: (offset, length) => inner.map(offset, length),
    };
    runSync(identify(counting));
    return count;
  };
  for (const name of ['ext4', 'xfs', 'btrfs', 'swap-4096', 'vfat16', 'jfs']) expect(`${name} ${requests(name)}`).toBe(`${name} 2`);
  expect(requests('luks1')).toBe(1);
  expect(requests('vfat32')).toBeLessThanOrEqual(3);
});

test('whatever the bytes, an answer or one of our errors', () => {
  const attempt = (disk: Uint8Array): void => {
    try {
      runSync(identify(new SourceDevice(new MemorySource(disk))));
    } catch (error) {
      if (!(error instanceof GuestlessError)) throw error;
    }
  };
  const images = Object.keys(GOLDEN).map((name) => new Uint8Array(fs.readFileSync(fixture(`signatures/${name}.img`)).subarray(0, 1 << 20)));
  for (const image of images)
    for (const length of [0, 511, 512, 1025, 4096, 32_768, 65_537, 66_000, 131_072]) attempt(image.slice(0, length));
  const place = fc.oneof(
    fc.nat(600),
    fc.nat(2048),
    fc.nat(1600).map((at) => 32_768 + at),
    fc.nat(400).map((at) => 65_536 + at),
    fc.nat(100_000),
  );
  fc.assert(
    fc.property(
      fc.nat(images.length - 1),
      fc.array(fc.tuple(place, fc.constantFrom(0, 1, 0x7f, 0x80, 0xff, 0x40)), { minLength: 1, maxLength: 6 }),
      (index, changes) => {
        const disk = images[index]!.slice(0, 200_000);
        for (const [at, value] of changes) if (at < disk.length) disk[at] = value;
        attempt(disk);
      },
    ),
    { numRuns: 1500 },
  );
});
