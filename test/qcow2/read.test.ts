import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { describe, expect, it } from 'vitest';
import { Refused } from '../../src/errors.ts';
import { eachExtent, openImage } from '../../src/image/index.ts';
import { type ByteSource, runAsync, runSync } from '../../src/io/index.ts';
import { FileSource, nodeCodecs } from '../../src/platform/node/index.ts';
import { digest, type MapEntry, mapOf, open, openGate, qcow2Folder } from '../image/chains.ts';
import { FIXTURES, untouched } from '../support/images.ts';

interface Golden {
  info: { 'virtual-size': number } | null;
  map?: MapEntry[] | null;
  sha256?: string | null;
  snapshots?: Record<string, string>;
}

const golden = JSON.parse(fs.readFileSync(path.join(FIXTURES, 'qcow2/golden.json'), 'utf8')) as Record<string, Golden>;
const folder = qcow2Folder();
const file = (name: string): string => path.join(folder, name);
const named = (pick: (golden: Golden) => boolean): string[] => Object.keys(golden).filter((name) => pick(golden[name] as Golden));

describe('given images made by qemu-img and qemu-io', () => {
  it.each(named((image) => typeof image.sha256 === 'string'))('the disk in %s is what qemu-img converts it to', async (name) => {
    await untouched([file(name)], () => {
      const image = open(file(name));
      expect(digest(image)).toBe(golden[name]?.sha256);
      expect(digest(image, 3 * 512)).toBe(golden[name]?.sha256);
      image.close();
    });
  });

  it.each(named((image) => Array.isArray(image.map)))('the map of %s is that of qemu-img', (name) => {
    const image = open(file(name));
    const map = mapOf(image);
    // Holes of the host file show as zeros in qemu-img's map of preallocated images; no source can tell them.
    const known = name.includes('prealloc') ? ({ zero: _, ...entry }: MapEntry) => entry : (entry: MapEntry) => entry;
    expect(map.map(known)).toEqual(
      golden[name]?.map
        ?.filter((entry) => entry.length > 0)
        .map(({ start, length, depth, present, zero, data, offset }) =>
          known({ start, length, depth, present, zero, data, ...(offset === undefined ? {} : { offset }) }),
        ),
    );
    image.close();
  });

  it.each(named((image) => image.snapshots !== undefined))('each snapshot of %s shows the disk as it was', (name) => {
    for (const [id, sha256] of Object.entries(golden[name]?.snapshots ?? {})) {
      const image = open(file(name), { snapshot: id });
      // qemu-img writes a snapshot with the size that the disk has now; what was not there then is zero.
      const shown = image.size;
      const now = golden[name]?.info?.['virtual-size'] ?? 0;
      const hash = createHash('sha256').update(runSync(image.read(0, Math.min(shown, now))));
      expect(hash.update(new Uint8Array(Math.max(0, now - shown))).digest('hex')).toBe(sha256);
      image.close();
    }
  });

  it.each(['top.qcow2', 'zlib-4k.qcow2', 'extl2-backed.qcow2'])('%s reads the same when many ask at once and wait', async (name) => {
    const image = await runAsync(openImage(FileSource.open(file(name)), { codecs: nodeCodecs, gate: openGate }));
    const whole = Buffer.alloc(image.size);
    const parts: Promise<void>[] = [];
    for (let at = 0; at < image.size; at += 30_208) {
      parts.push(runAsync(image.readInto(at, whole.subarray(at, Math.min(image.size, at + 30_208)))));
    }
    await Promise.all(parts);
    expect(createHash('sha256').update(whole).digest('hex')).toBe(golden[name]?.sha256);
    image.close();
  });

  it('a source that can only be waited for reads the same, several requests at a time', async () => {
    const bytes = fs.readFileSync(file('v3.qcow2'));
    let underWay = 0;
    let most = 0;
    const source: ByteSource = {
      name: 'remote',
      size: bytes.length,
      preferredRequest: 65536,
      readAsync: async (offset, target) => {
        most = Math.max(most, ++underWay);
        await new Promise((resolve) => setTimeout(resolve, 1));
        underWay--;
        return bytes.subarray(offset, offset + target.length).copy(target);
      },
    };
    const image = await runAsync(openImage(source, { codecs: nodeCodecs }));
    const whole = await runAsync(image.read(0, image.size));
    expect(createHash('sha256').update(whole).digest('hex')).toBe(golden['v3.qcow2']?.sha256);
    expect(most).toBeGreaterThan(1);
    expect(() => runSync(openImage(source, { codecs: nodeCodecs }))).toThrow(Refused);
  });

  it('extents are joined over the whole disk, without reading data', () => {
    const image = open(file('huge.qcow2'));
    const extents: [number, number, boolean][] = [];
    runSync(eachExtent(image, 0, image.size, (start, extent) => extents.push([start, extent.length, extent.data])));
    expect(extents).toEqual([
      [0, 65536, true],
      [65536, 63 * 2 ** 40 - 65536, false],
      [63 * 2 ** 40, 65536, true],
      [63 * 2 ** 40 + 65536, 2 ** 40 - 65536, false],
    ]);
    image.close();
  });

  it('a disk of 64 TiB opens and reads in little memory', () => {
    const before = process.memoryUsage();
    const image = open(file('huge.qcow2'));
    const block = runSync(image.read(63 * 2 ** 40, 4096));
    const after = process.memoryUsage();
    expect(block.every((byte) => byte === 0x46)).toBe(true);
    expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(2 << 20);
    image.close();
  });
});
