/** Given changes in an overlay, a new qcow2 over the base, or the base after a commit, is for qemu the disk that the overlay showed. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GuestlessError, Posix, Refused, Unsupported } from '../../src/errors.ts';
import { folderGate } from '../../src/image/gate.ts';
import { type Image, openImage } from '../../src/image/index.ts';
import { runSync } from '../../src/io/index.ts';
import { CLUSTER, OverlayDevice, saveOverlay, WriteBack } from '../../src/overlay/index.ts';
import { nodeCodecs } from '../../src/platform/node/codecs.ts';
import { commitHost } from '../../src/platform/node/commit.ts';
import { createExclusively, ExclusiveFile, relativeReference } from '../../src/platform/node/exclusive-file.ts';
import { FileSource } from '../../src/platform/node/file.ts';
import { hostFiles } from '../../src/platform/node/host-files.ts';
import { openTemporary } from '../../src/platform/node/temporary.ts';
import { scratchFolder, sha256, untouched } from '../support/images.ts';
import { must, qemuCheckComplaints, run } from '../support/oracle.ts';

const folder = scratchFolder('guestless-save-');
const at = (name: string): string => path.join(folder, name);

function open(name: string): Image {
  return runSync(openImage(FileSource.open(name), { codecs: nodeCodecs, gate: folderGate(name, hostFiles) }));
}

interface Step {
  readonly kind: 'write' | 'zero' | 'discard';
  readonly offset: number;
  readonly length: number;
  readonly value: number;
}

const steps = (size: number): fc.Arbitrary<Step[]> =>
  fc.array(
    fc.record({
      kind: fc.constantFrom('write' as const, 'write' as const, 'zero' as const, 'discard' as const),
      offset: fc.oneof(
        fc.nat(size - 1),
        fc.nat(Math.floor((size - 1) / CLUSTER)).map((cluster) => cluster * CLUSTER),
      ),
      length: fc.oneof(fc.integer({ min: 1, max: 3 * CLUSTER }), fc.constantFrom(CLUSTER, 512)),
      value: fc.integer({ min: 1, max: 255 }),
    }),
    { minLength: 1, maxLength: 8 },
  );

/** Makes the changes, in the overlay and in a copy of the disk's bytes. */
function apply(overlay: OverlayDevice, list: readonly Step[], disk: Uint8Array): void {
  for (const { kind, offset, length, value } of list) {
    const inside = Math.min(length, overlay.size - offset);
    if (kind === 'write') runSync(overlay.write(offset, new Uint8Array(inside).fill(value)));
    else if (kind === 'zero') runSync(overlay.writeZeroes(offset, inside));
    else runSync(overlay.discard(offset, inside));
    if (kind === 'write') disk.fill(value, offset, offset + inside);
  }
  // What a discard leaves in clusters that it covers in part is the overlay's own affair.
  runSync(overlay.readInto(0, disk));
}

function flat(image: string): Buffer {
  must('qemu-img', 'convert', '-O', 'raw', image, at('flat.raw'));
  return fs.readFileSync(at('flat.raw'));
}

function pattern(size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, i) => (i * 11 + (i >> 8)) & 0xff);
}

const SIZES = [10 * CLUSTER, 9 * CLUSTER + 4096, 7 * CLUSTER + 1000, 300];

describe('a new qcow2 over the base', () => {
  test.each(SIZES)('of %i raw bytes', async (size) => {
    const base = at(`base-${size}.raw`);
    fs.writeFileSync(base, pattern(size));
    const above = path.join(scratchFolder(), 'new.qcow2');
    await untouched([base], () =>
      fc.assert(
        fc.property(steps(Math.ceil(size / 512) * 512), (list) => {
          fs.rmSync(above, { force: true });
          const image = open(base);
          const overlay = new OverlayDevice(image);
          const disk = new Uint8Array(overlay.size);
          apply(overlay, list, disk);
          const backing = relativeReference(above, base);
          runSync(createExclusively(above, (file) => saveOverlay(overlay, image, file, { backing })));
          expect(qemuCheckComplaints(above)).toBe('');
          const info = JSON.parse(must('qemu-img', 'info', '--output=json', above));
          expect(info).toMatchObject({
            'backing-filename': `../${path.basename(folder)}/base-${size}.raw`,
            'backing-filename-format': 'raw',
          });
          expect(Buffer.compare(flat(above), disk)).toBe(0);
          image.close();
        }),
        { numRuns: 8 },
      ),
    );
  });

  test.each(SIZES)(
    'of %i raw bytes, whose clusters were in the new file from the beginning, those of a rolled back transaction too',
    (size) => {
      const base = at(`base-${size}.raw`);
      fs.writeFileSync(base, pattern(size));
      const above = path.join(scratchFolder(), 'new.qcow2');
      const some = steps(Math.ceil(size / 512) * 512);
      fc.assert(
        fc.property(some, some, some, fc.nat(2), (before, undone, after, clusters) => {
          fs.rmSync(above, { force: true });
          const image = open(base);
          const file = ExclusiveFile.begin(above);
          const overlay = new OverlayDevice(image, { budget: clusters * CLUSTER, temporary: () => file.target, origin: CLUSTER });
          const disk = new Uint8Array(overlay.size);
          apply(overlay, before, disk);
          overlay.begin();
          apply(overlay, undone, disk);
          runSync(overlay.rollback());
          apply(overlay, after, disk);
          runSync(saveOverlay(overlay, image, file.target, { backing: relativeReference(above, base) }));
          runSync(file.finish());
          expect(qemuCheckComplaints(above)).toBe('');
          expect(Buffer.compare(flat(above), disk)).toBe(0);
          image.close();
        }),
        { numRuns: 8 },
      );
    },
  );

  test('stores zeros and discards as clusters of zeros, and of the rest only what was changed', () => {
    const base = at('large.raw');
    fs.writeFileSync(base, pattern(1 << 20));
    fs.truncateSync(base, 1 << 30);
    const image = open(base);
    const overlay = new OverlayDevice(image);
    runSync(overlay.discard(0, 8 * CLUSTER));
    runSync(overlay.writeZeroes(8 * CLUSTER, CLUSTER));
    runSync(overlay.write(20 * CLUSTER, new Uint8Array(CLUSTER).fill(7)));
    const above = at('large.qcow2');
    runSync(createExclusively(above, (file) => saveOverlay(overlay, image, file, { backing: 'large.raw' })));
    const map = JSON.parse(must('qemu-img', 'map', '--output=json', above));
    expect(map.slice(0, 1)).toMatchObject([{ start: 0, length: 9 * CLUSTER, depth: 0, zero: true, data: false }]);
    expect(fs.statSync(above).size).toBeLessThanOrEqual(6 * CLUSTER);
    expect(run('qemu-img', ['check', above]).stdout.toString()).toMatch(/No errors/);
  });

  test('is refused while a transaction is open, and over a compressed image', () => {
    const base = at('small.raw');
    fs.writeFileSync(base, pattern(CLUSTER));
    const overlay = new OverlayDevice(open(base));
    overlay.begin();
    const save = (image: Image): void =>
      runSync(createExclusively(at('no.qcow2'), (file) => saveOverlay(overlay, image, file, { backing: 'small.raw' })));
    expect(() => save(open(base))).toThrow(Refused);
    runSync(overlay.rollback());
    must('gzip', '-k', base);
    const packed = runSync(
      openImage(FileSource.open(`${base}.gz`), {
        codecs: nodeCodecs,
        // biome-ignore lint/correctness/useYield: a place is at hand
        scratch: function* () {
          return openTemporary();
        },
      }),
    );
    expect(() => save(packed)).toThrow(Unsupported);
    expect(fs.existsSync(at('no.qcow2'))).toBe(false);
  });
});

describe('a new file that appears whole or not at all', () => {
  const own = scratchFolder();
  const name = path.join(own, 'new');
  // biome-ignore lint/correctness/useYield: a computation that fails at once
  function* broken(): Generator<never, void> {
    throw new Posix('ENOSPC', {});
  }
  function* nothing(): Generator<never, void> {}

  test('leaves nothing after an error', () => {
    expect(() => runSync(createExclusively(name, broken))).toThrow(Posix);
    expect(fs.readdirSync(own)).toEqual([]);
  });

  test('takes no name that is taken, not even by a dangling link or meanwhile', () => {
    fs.symlinkSync('nowhere', name);
    expect(() => runSync(createExclusively(name, nothing))).toThrow(/already/);
    expect(fs.readdirSync(own)).toEqual(['new']);
    fs.rmSync(name);
    expect(() =>
      runSync(
        // biome-ignore lint/correctness/useYield: what happens meanwhile happens at once
        createExclusively(name, function* () {
          fs.writeFileSync(name, 'mine');
        }),
      ),
    ).toThrow(GuestlessError);
    expect(fs.readFileSync(name, 'utf8')).toBe('mine');
    expect(fs.readdirSync(own)).toEqual(['new']);
  });
});

test('names of backing files are relative to the folder of the new file, and never look like a protocol', () => {
  fs.mkdirSync(at('sub/deep'), { recursive: true });
  fs.writeFileSync(at('a:b.raw'), '');
  expect(relativeReference(at('new'), at('a:b.raw'))).toBe('./a:b.raw');
  expect(relativeReference(at('sub/deep/new'), at('base.raw'))).toBe('../../base.raw');
  expect(relativeReference(at('new'), at('sub/base.raw'))).toBe('sub/base.raw');
  fs.symlinkSync(at('sub/deep'), at('short'));
  expect(relativeReference(at('short/new'), at('base.raw'))).toBe('../../base.raw');
  expect(relativeReference(at('new'), '/dev/loop0')).toBe('/dev/loop0');
});

describe('a commit into qcow2', () => {
  const size = 40 * CLUSTER + 512;
  const kinds: readonly (readonly [string, readonly string[]])[] = [
    ['plain clusters', ['-O', 'qcow2']],
    ['compressed clusters', ['-c', '-O', 'qcow2']],
    ['zstd clusters of 256 KiB', ['-c', '-O', 'qcow2', '-o', 'compression_type=zstd,cluster_size=256k']],
    ['clusters of 512 bytes', ['-O', 'qcow2', '-o', 'cluster_size=512']],
    ['clusters of 2 MiB', ['-O', 'qcow2', '-o', 'cluster_size=2M']],
    ['subclusters', ['-O', 'qcow2', '-o', 'extended_l2=on,cluster_size=128k']],
    ['version 2', ['-O', 'qcow2', '-o', 'compat=0.10']],
  ];
  const raw = at('commit.raw');
  fs.writeFileSync(raw, pattern(size));

  test.each(kinds)('with %s', (_, options) => {
    must('qemu-img', 'convert', ...options, raw, at('made.qcow2'));
    fc.assert(
      fc.property(steps(size), (list) => {
        fs.copyFileSync(at('made.qcow2'), at('image.qcow2'));
        commits(at('image.qcow2'), list);
      }),
      { numRuns: 5 },
    );
  });

  test('with a backing file, which stays as it is', async () => {
    must('qemu-img', 'create', '-q', '-f', 'qcow2', '-b', 'commit.raw', '-F', 'raw', at('top.qcow2'));
    const before = sha256(raw);
    fc.assert(
      fc.property(steps(size), (list) => {
        fs.copyFileSync(at('top.qcow2'), at('image.qcow2'));
        commits(at('image.qcow2'), list);
      }),
      { numRuns: 5 },
    );
    expect(sha256(raw)).toBe(before);
  });

  function commits(name: string, list: readonly Step[]): void {
    const back = runSync(WriteBack.prepare({ ...commitHost(name), leastBlank: CLUSTER }, { codecs: nodeCodecs, temporary: openTemporary }));
    const image = open(name);
    const overlay = new OverlayDevice(image);
    const disk = new Uint8Array(size);
    apply(overlay, list, disk);
    runSync(back.commit(image, overlay));
    image.close();
    expect(qemuCheckComplaints(name)).toBe('');
    expect(Buffer.compare(flat(name), disk)).toBe(0);
    expect(fs.existsSync(`${name}.guestless-journal`)).toBe(false);
  }
});

describe('what is not written into', () => {
  const options = { codecs: nodeCodecs };

  test('an external data file', async () => {
    must('qemu-img', 'create', '-q', '-f', 'qcow2', '-o', `data_file=${at('data.raw')}`, at('external.qcow2'), '1M');
    const name = at('external.qcow2');
    const gate = folderGate(name, { ...hostFiles, open: (file) => hostFiles.open(file) });
    await untouched([name, at('data.raw')], () => {
      const back = runSync(WriteBack.prepare(commitHost(name), options));
      const image = runSync(
        openImage(FileSource.open(name), {
          codecs: nodeCodecs,
          gate: (reference) => (reference.kind === 'data' ? sourceOf(at('data.raw')) : gate(reference)),
        }),
      );
      const overlay = new OverlayDevice(image);
      runSync(overlay.write(0, Uint8Array.of(1)));
      expect(() => runSync(back.commit(image, overlay))).toThrow(/external data file/);
    });
  });

  test('a compressed image', async () => {
    const name = at('packed.raw.gz');
    fs.writeFileSync(at('packed.raw'), pattern(CLUSTER));
    must('gzip', at('packed.raw'));
    await untouched([name], () => {
      const back = runSync(WriteBack.prepare(commitHost(name), options));
      // biome-ignore lint/correctness/useYield: a place is at hand
      const scratch = function* (): Generator<never, ReturnType<typeof openTemporary>> {
        return openTemporary();
      };
      const image = runSync(openImage(FileSource.open(name), { codecs: nodeCodecs, scratch }));
      const overlay = new OverlayDevice(image);
      runSync(overlay.write(0, Uint8Array.of(1)));
      expect(() => runSync(back.commit(image, overlay))).toThrow(/decompress it first/);
    });
  });

  // biome-ignore lint/correctness/useYield: a gate is a computation
  function* sourceOf(name: string): Generator<never, FileSource> {
    return FileSource.open(name);
  }
});

test('a raw file that ends within a sector keeps its length, unless something is written behind its end', () => {
  const name = at('odd.raw');
  const commit = (change: (overlay: OverlayDevice) => void): void => {
    const back = runSync(WriteBack.prepare(commitHost(name), { codecs: nodeCodecs }));
    const image = open(name);
    const overlay = new OverlayDevice(image);
    change(overlay);
    runSync(back.commit(image, overlay));
    image.close();
  };
  fs.writeFileSync(name, pattern(CLUSTER + 1000));
  commit((overlay) => runSync(overlay.write(CLUSTER + 10, Uint8Array.of(1, 2, 3))));
  const expected = pattern(CLUSTER + 1000);
  expected.set([1, 2, 3], CLUSTER + 10);
  expect(Buffer.compare(fs.readFileSync(name), expected)).toBe(0);
  commit((overlay) => runSync(overlay.write(CLUSTER + 1010, Uint8Array.of(9))));
  expect(fs.statSync(name).size).toBe(CLUSTER + 1024);
  expect(fs.readFileSync(name)[CLUSTER + 1010]).toBe(9);
});
