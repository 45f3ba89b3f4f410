import * as fs from 'node:fs';
import * as path from 'node:path';
import { describe, expect, it } from 'vitest';
import { Corrupt, Posix, Refused, Unsupported } from '../../src/errors.ts';
import { chainOf, folderGate, openImage, probe, resolveBackingName } from '../../src/image/index.ts';
import { type Io, MemorySource, runAsync, runSync, type WritableSource } from '../../src/io/index.ts';
import { FileSource, hostFiles, nodeCodecs } from '../../src/platform/node/index.ts';
import { decompressCluster } from '../../src/qcow2/index.ts';
import { FIXTURES, privateCopy, scratchFolder, sha256, untouched } from '../support/images.ts';
import { must } from '../support/oracle.ts';
import { digest, open, qcow2Folder } from './chains.ts';

const folder = qcow2Folder();
const file = (name: string): string => path.join(folder, name);
const gated = (name: string, image = name): unknown =>
  runSync(openImage(FileSource.open(file(name)), { codecs: nodeCodecs, gate: folderGate(file(image), hostFiles) }));

describe('given an image that names other files', () => {
  it('nothing is opened unless a gate allows it', () => {
    const source = FileSource.open(file('top.qcow2'));
    expect(() => runSync(openImage(source, { codecs: nodeCodecs }))).toThrow(Refused);
    expect(() => runSync(openImage(source, { codecs: nodeCodecs }))).toThrow(/middle\.qcow2/);
    source.close();
  });

  it('the folder gate opens a chain that stands together, and says what the layers are', () => {
    const image = open(file('shorter.qcow2'), { gate: folderGate(file('shorter.qcow2'), hostFiles) });
    expect(chainOf(image).map((layer) => [layer.format, path.basename(layer.source.name)])).toEqual([
      ['qcow2', 'shorter.qcow2'],
      ['qcow2', 'top.qcow2'],
      ['qcow2', 'middle.qcow2'],
      ['raw', 'base.raw'],
    ]);
    image.close();
  });

  it('the folder gate refuses protocols, names relative to the process, absolute names and escapes', () => {
    expect(() => gated('name-nbd.qcow2')).toThrow(Unsupported);
    expect(() => gated('name-nbd.qcow2')).toThrow(/nbd/);
    expect(() => gated('name-file.qcow2')).toThrow(Refused);
    expect(() => gated('name-json.qcow2')).toThrow(Refused);
    expect(() => gated('name-missing.qcow2')).toThrow(Posix);
    const place = scratchFolder();
    fs.mkdirSync(path.join(place, 'in'));
    must('qemu-img', 'create', '-q', '-f', 'raw', path.join(place, 'secret'), '1M');
    const make = (backing: string): (() => unknown) => {
      const overlay = path.join(place, 'in/overlay.qcow2');
      must('qemu-img', 'create', '-q', '-u', '-f', 'qcow2', '-b', backing, '-F', 'raw', overlay, '1M');
      return () => runSync(openImage(FileSource.open(overlay), { codecs: nodeCodecs, gate: folderGate(overlay, hostFiles) }));
    };
    expect(make('../secret')).toThrow(/outside/);
    expect(make(path.join(place, 'secret'))).toThrow(/absolute/);
    fs.symlinkSync('../secret', path.join(place, 'in/link'));
    expect(make('link')).toThrow(/outside/);
    fs.writeFileSync(path.join(place, 'in/base'), new Uint8Array(512));
    expect(make('./base')).not.toThrow();
  });

  it('a backing file without declared format is taken as raw, whatever it looks like', () => {
    const image = open(file('no-format.qcow2'));
    expect(chainOf(image).map((layer) => layer.format)).toEqual(['qcow2', 'raw']);
    expect(image.warnings.map((warning) => warning.message).join()).toContain('never guessed');
    expect(Buffer.from(runSync(image.read(0, 4)))).toEqual(Buffer.from('QFI\xfb', 'latin1'));
    image.close();
    const probed = open(file('no-format.qcow2'), { probeBacking: true });
    expect(chainOf(probed).map((layer) => layer.format)).toEqual(['qcow2', 'qcow2', 'raw']);
    probed.close();
  });

  it('a chain that leads back into itself is found, and so is one that is too long', () => {
    const place = scratchFolder();
    const create = (name: string, backing: string): string =>
      must('qemu-img', 'create', '-q', '-u', '-f', 'qcow2', '-b', backing, '-F', 'qcow2', path.join(place, name), '1M');
    create('a', 'b');
    create('b', 'a');
    expect(() => open(path.join(place, 'a'))).toThrow(Corrupt);
    expect(() => open(path.join(place, 'a'))).toThrow(/leads back/);
    for (let i = 0; i < 5; i++) create(`n${i}`, `n${i + 1}`);
    must('qemu-img', 'create', '-q', '-f', 'qcow2', path.join(place, 'n5'), '1M');
    expect(chainOf(open(path.join(place, 'n0')))).toHaveLength(6);
    expect(() => open(path.join(place, 'n0'), { maxDepth: 5 })).toThrow(Refused);
  });

  it('names are resolved as QEMU resolves them', () => {
    const resolve = (name: string): unknown => resolveBackingName(name, 'images/top.qcow2', {});
    expect(resolve('base')).toEqual({ path: 'images/base', outside: false });
    expect(resolve('./a:b')).toEqual({ path: 'images/./a:b', outside: false });
    expect(resolve('/base')).toEqual({ path: '/base', outside: true });
    expect(resolve('file:base')).toEqual({ path: 'base', outside: true });
    expect(resolve('json:{"driver":"qcow2","file.driver":"file","file.filename":"x"}')).toEqual({
      path: 'x',
      format: 'qcow2',
      outside: true,
    });
    for (const name of [
      'a:b',
      'nbd://host/x',
      'json:{"driver":"nbd","host":"x"}',
      'json:{"driver":"raw","offset":512,"file":{"filename":"x"}}',
    ]) {
      expect(() => resolve(name)).toThrow(Unsupported);
    }
    for (const name of ['json:', 'json:{}', 'json:[[[[]]]]']) expect(() => resolve(name)).toThrow(Refused);
  });
});

describe('given files of other kinds', () => {
  it('formats that are only recognised are refused by name', () => {
    const place = scratchFolder();
    for (const [format, name] of [
      ['vmdk', 'vmdk'],
      ['vdi', 'vdi'],
      ['vhdx', 'vhdx'],
      ['vpc', 'vpc'],
      ['qed', 'qed'],
      ['qcow', 'qcow'],
      ['parallels', 'parallels'],
    ]) {
      const image = path.join(place, `disk.${format}`);
      must('qemu-img', 'create', '-q', '-f', format as string, image, '4M');
      expect(runSync(probe(FileSource.open(image)))).toEqual({ kind: 'unsupported', format: name });
      expect(() => open(image)).toThrow(Unsupported);
    }
    expect(() => open(file('luks.qcow2'))).not.toThrow();
    expect(() => runSync(open(file('luks.qcow2')).read(0, 512))).toThrow(/LUKS encryption/);
    expect(() => runSync(open(file('aes.qcow2')).read(0, 512))).toThrow(/AES encryption/);
  });

  it('a raw file is rounded up to sectors, with zeros', () => {
    const place = path.join(scratchFolder(), 'odd.raw');
    fs.writeFileSync(place, new Uint8Array(1000).fill(7));
    const image = open(place);
    expect(image.size).toBe(1024);
    expect(runSync(image.read(990, 34))).toEqual(Uint8Array.from({ length: 34 }, (_, i) => (i < 10 ? 7 : 0)));
    image.close();
  });

  it.each(['whole.gz', 'whole.zst', 'whole.lz4', 'whole.xz'])(
    'the raw disk in %s opens through temporary storage, sparsely',
    async (name) => {
      const compressed = path.join(FIXTURES, 'qcow2', name);
      expect(() => open(compressed)).toThrow(Refused);
      await untouched([compressed], async () => {
        const stores: FileSource[] = [];
        // biome-ignore lint/correctness/useYield: a file opens without waiting
        const scratch = function* (): Io<WritableSource> {
          const store = path.join(scratchFolder(), 'store');
          fs.writeFileSync(store, '');
          stores.push(FileSource.open(store, { writable: true }));
          return stores.at(-1) as FileSource;
        };
        const image = open(compressed, { scratch });
        expect(digest(image)).toBe(sha256(file('src.raw')));
        expect(fs.statSync(stores[0]?.name ?? '').blocks * 512).toBeLessThan(2 << 20);
        image.close();
        const again = await runAsync(openImage(FileSource.open(compressed), { codecs: nodeCodecs, scratch }));
        expect(digest(again)).toBe(sha256(file('src.raw')));
        again.close();
        expect(() => open(compressed, { scratch, maxDecompressed: 1 << 20 })).toThrow(Refused);
      });
    },
  );
});

describe('given compressed clusters', () => {
  it('they can be located and decompressed one by one, in any order', () => {
    for (const name of ['zlib-64k.qcow2', 'zstd-64k.qcow2', 'zlib-512.qcow2', 'zstd-2M.qcow2', 'zlib-extl2.qcow2', 'top.qcow2']) {
      const image = open(file(name));
      const disk = Buffer.alloc(image.size);
      for (let at = 0; at < image.size; ) {
        const place = runSync(image.locate(at, image.size - at));
        const target = disk.subarray(at, at + place.length);
        if (place.kind === 'plain') place.source.readSync?.(place.offset, target);
        else if (place.kind === 'compressed') {
          const input = Buffer.alloc(place.compressedLength);
          place.source.readSync?.(place.offset, input);
          const cluster = Buffer.alloc(place.clusterSize);
          decompressCluster(nodeCodecs, place, input, cluster);
          cluster.copy(target, 0, place.within);
        }
        at += place.length;
      }
      expect(disk.equals(runSync(image.read(0, image.size)))).toBe(true);
      image.close();
    }
  });

  it('a deflate stream may be longer than its cluster, but not shorter', () => {
    const target = new Uint8Array(512);
    nodeCodecs.inflateRaw(nodeCodecs.deflateRaw(new Uint8Array(5000).fill(3)), target);
    expect(target.every((byte) => byte === 3)).toBe(true);
    expect(() => nodeCodecs.inflateRaw(nodeCodecs.deflateRaw(new Uint8Array(511)), target)).toThrow(Corrupt);
    expect(() => nodeCodecs.inflateRaw(nodeCodecs.deflateRaw(new Uint8Array(2 ** 24)).subarray(0, 600), target)).not.toThrow();
  });

  it('several zstd frames may make a cluster, which has to end with the last one', () => {
    const half = nodeCodecs.zstdCompress(new Uint8Array(256).fill(9));
    const target = new Uint8Array(512);
    nodeCodecs.zstdDecompress(Buffer.concat([half, half, new Uint8Array(300)]), target);
    expect(target.every((byte) => byte === 9)).toBe(true);
    expect(() => nodeCodecs.zstdDecompress(half, target)).toThrow(Corrupt);
    expect(() => nodeCodecs.zstdDecompress(nodeCodecs.zstdCompress(new Uint8Array(600)), target)).toThrow(Corrupt);
    expect(() => nodeCodecs.zstdDecompress(new Uint8Array(100), target)).toThrow(Corrupt);
  });
});

it('a source in memory serves as well as a file', () => {
  const bytes = fs.readFileSync(privateCopy(file('zlib-v2.qcow2')));
  const image = runSync(openImage(new MemorySource(bytes), { codecs: nodeCodecs }));
  expect(digest(image)).toBe(sha256(file('src.raw')));
});
