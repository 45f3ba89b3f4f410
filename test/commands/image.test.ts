import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GUESTLESS, guestless } from '../cli/run.ts';
import { qcow2Folder } from '../image/chains.ts';
import { FIXTURES, scratchFolder, sha256, untouched } from '../support/images.ts';
import { must, qemuCheckComplaints, run } from '../support/oracle.ts';
import { command, json } from './run-image.ts';

interface Golden {
  readonly info: Record<string, unknown> | null;
  readonly map?: readonly Record<string, unknown>[] | null;
  readonly check: Record<string, unknown> | null;
  readonly checkStatus: number;
  readonly sha256?: string | null;
  readonly snapshots?: Record<string, string>;
}

const golden = JSON.parse(fs.readFileSync(path.join(FIXTURES, 'qcow2/golden.json'), 'utf8')) as Record<string, Golden>;
const images = Object.keys(golden);
const folder = qcow2Folder();
const scratch = scratchFolder('guestless-image-');
const at = (name: string): string => path.join(scratch, name);
const home = process.cwd();

/** Names without a folder are those of the golden data. */
beforeAll(() => process.chdir(folder));
afterAll(() => process.chdir(home));

/** What the host allocates for an unpacked copy is no property of the image. */
function described(information: unknown): unknown {
  const { 'actual-size': size, ...rest } = information as Record<string, unknown>;
  expect(size === undefined || typeof size === 'number').toBe(true);
  return rest;
}

describe('given every qcow2 fixture, img says what qemu-img says', () => {
  it.each(images.filter((name) => golden[name]?.info !== null))('info of %s', async (name) => {
    expect(described(await json('img', 'info', '--output=json', name))).toEqual(described(golden[name]?.info));
  });

  it.each(images.filter((name) => Array.isArray(golden[name]?.map)))('map of %s', async (name) => {
    // Holes of the host file show as zeros in qemu-img's map of preallocated images; Node.js cannot ask for holes.
    const known = (entry: Record<string, unknown>): object => (name.includes('prealloc') ? { ...entry, zero: undefined } : entry);
    const ours = (await json('img', 'map', '--output=json', '-f', 'qcow2', name)) as Record<string, unknown>[];
    expect(ours.map(known)).toEqual(golden[name]?.map?.map(known));
  });

  it.each(images.filter((name) => golden[name]?.check !== null))('check of %s', async (name) => {
    const answer = await command('img', 'check', '--output=json', name);
    expect(JSON.parse(answer.text)).toEqual(golden[name]?.check);
    expect(answer.status).toBe(golden[name]?.checkStatus);
  });

  it.each(images.filter((name) => typeof golden[name]?.sha256 === 'string'))('convert of %s to raw and to qcow2', async (name) => {
    const files = fs.readdirSync('.').filter((file) => /\.(qcow2|raw)$/.test(file) && fs.statSync(file).size < 1 << 26);
    await untouched([...new Set([name, ...files.filter((file) => /base|middle|top|data/.test(file))])], async () => {
      expect(await command('img', 'convert', name, at('out.raw'))).toMatchObject({ status: 0 });
      expect(sha256(at('out.raw'))).toBe(golden[name]?.sha256);
      expect(await command('img', 'convert', '-O', 'qcow2', name, at('out.qcow2'))).toMatchObject({ status: 0 });
      expect(qemuCheckComplaints(at('out.qcow2'))).toBe('');
      must('qemu-img', 'compare', '-f', 'raw', '-F', 'qcow2', at('out.raw'), at('out.qcow2'));
    });
  });

  it('convert -l: a snapshot, by id and by name', async () => {
    for (const [snapshot, id] of [
      ['3', '3'],
      ['snapshot.id=3', '3'],
      ['snapshot.name=third, larger', '3'],
    ] as const) {
      expect(await command('img', 'convert', '-l', snapshot, 'snapshots.qcow2', at('snapshot.raw'))).toMatchObject({ status: 0 });
      expect(sha256(at('snapshot.raw'))).toBe(golden['snapshots.qcow2']?.snapshots?.[id]);
    }
    expect((await command('img', 'convert', '-l', 'nope', 'snapshots.qcow2', at('none.raw'))).status).toBe(1);
    expect(fs.existsSync(at('none.raw'))).toBe(false);
  });
});

describe('given text for people, it has the shape of qemu-img', () => {
  const theirs = (...words: readonly string[]): string => {
    const { stdout } = run('qemu-img', words);
    return stdout.toString();
  };
  it.each(['v3.qcow2', 'v2.qcow2', 'luks.qcow2', 'bitmaps.qcow2', 'snapshots.qcow2', 'dirty.qcow2', 'data.qcow2', 'src.raw'])(
    'info of %s',
    async (name) => {
      const zone = process.env['TZ'];
      process.env['TZ'] = 'UTC';
      const { text } = await command('img', 'info', name);
      process.env['TZ'] = zone ?? 'UTC';
      expect(text).toBe(theirs('info', name));
    },
  );
  it('info --backing-chain', async () => {
    expect((await command('img', 'info', '--backing-chain', 'shorter.qcow2')).text).toBe(
      theirs('info', '--backing-chain', 'shorter.qcow2'),
    );
    const ours = (await json('img', 'info', '--backing-chain', '--output=json', 'shorter.qcow2')) as unknown[];
    const qemu = JSON.parse(theirs('info', '--backing-chain', '--output=json', 'shorter.qcow2')) as unknown[];
    expect(ours.map(described)).toEqual(qemu.map(described));
    expect(ours).toHaveLength(4);
  });
  it.each(['v3.qcow2', 'top.qcow2', 'data.qcow2', 'extl2.qcow2'])('map of %s', async (name) => {
    // Without holes of the host file, which qemu-img asks for and Node.js cannot.
    const full = scratchFolder();
    for (const file of ['base.raw', 'middle.qcow2', 'top.qcow2', 'data.raw', name])
      fs.writeFileSync(path.join(full, file), fs.readFileSync(file));
    process.chdir(full);
    const ours = await command('img', 'map', name);
    const expected = theirs('map', name);
    process.chdir(folder);
    expect(ours.text).toBe(expected);
  });
  it('map of a part', async () => {
    for (const part of [
      ['-s', '70000', '-l', '1000000'],
      ['-s', '64M'],
      ['-l', '3K'],
    ]) {
      expect(await json('img', 'map', '--output=json', ...part, 'v3.qcow2')).toEqual(
        JSON.parse(theirs('map', '--output=json', ...part, 'v3.qcow2')),
      );
    }
  });
  it('map of compressed clusters is refused without JSON', async () => {
    expect(await command('img', 'map', 'zlib-64k.qcow2')).toMatchObject({ status: 3 });
  });
  it.each(['v3.qcow2', 'empty.qcow2', 'zlib-4k.qcow2'])('check of %s', async (name) => {
    expect((await command('img', 'check', name)).text).toBe(theirs('check', name));
  });
  it('check: leaks, corruption, and formats without anything to check', async () => {
    const leak = await command('img', 'check', 'leak.qcow2');
    expect(leak.status).toBe(3);
    expect(leak.text).toContain('Leaked cluster 9 refcount=3 reference=0');
    expect(leak.text.endsWith(theirs('check', 'leak.qcow2'))).toBe(true);
    expect(await command('img', 'check', '-q', 'corruption.qcow2')).toMatchObject({ status: 2, text: '' });
    expect(await command('img', 'check', 'src.raw')).toMatchObject({ status: 63 });
    expect(await command('img', 'check', '-f', 'raw', 'v3.qcow2')).toMatchObject({ status: 63 });
    expect(await command('img', 'check', 'missing')).toMatchObject({ status: 1 });
    expect(await command('img', 'check', '-f', 'qcow2', 'src.raw')).toMatchObject({ status: 1 });
  });
});

describe('given two images, compare answers as qemu-img does', () => {
  const pair = (name: string, ...change: readonly [number, string][]): string => {
    must('qemu-img', 'convert', '-O', 'raw', 'v3.qcow2', at(name));
    const file = fs.openSync(at(name), 'r+');
    for (const [offset, text] of change) fs.writeSync(file, text, offset);
    fs.closeSync(file);
    return at(name);
  };
  beforeAll(() => {
    pair('same.raw');
    fs.truncateSync(pair('longer.raw'), 9 << 20);
    fs.truncateSync(pair('behind.raw', [8_500_000, 'x']), 9 << 20);
    pair('changed.raw', [70_000, 'x']);
    must('qemu-img', 'create', '-q', '-f', 'qcow2', at('a.qcow2'), '8M');
    must('qemu-img', 'create', '-q', '-f', 'qcow2', at('b.qcow2'), '8M');
    must('qemu-img', 'create', '-q', '-f', 'qcow2', at('zeroed.qcow2'), '8M');
    must('qemu-io', '-f', 'qcow2', '-c', 'write -z 0 64k', at('zeroed.qcow2'));
  });
  const pairs: readonly (readonly [string, string])[] = [
    ['v3.qcow2', 'same.raw'],
    ['v3.qcow2', 'longer.raw'],
    ['longer.raw', 'v3.qcow2'],
    ['v3.qcow2', 'behind.raw'],
    ['v3.qcow2', 'changed.raw'],
    ['changed.raw', 'same.raw'],
    ['a.qcow2', 'b.qcow2'],
    ['a.qcow2', 'zeroed.qcow2'],
    ['v3.qcow2', 'missing.raw'],
  ];
  const place = (name: string): string => (name === 'v3.qcow2' ? name : at(name));
  it.each(pairs)('%s and %s', async (first, second) => {
    for (const options of [[], ['-q'], ['-s']]) {
      const words = ['compare', ...options, place(first), place(second)];
      const theirs = run('qemu-img', words);
      const ours = await command('img', ...words);
      expect([ours.status, words.join(' ')]).toEqual([theirs.status, words.join(' ')]);
      // A raw file has its holes for qemu-img, so that in strict mode the place of the first difference may be another.
      if (!options.includes('-s') || first === 'a.qcow2') expect(ours.text).toBe(theirs.stdout.toString());
    }
  });
  it('a disk that cannot be read is told from one that differs', async () => {
    const damaged = at('damaged.qcow2');
    fs.copyFileSync('zlib-64k.qcow2', damaged);
    fs.chmodSync(damaged, 0o644);
    const [first] = (await json('img', 'map', '--output=json', damaged)) as { compressed?: boolean }[];
    expect(first).toBeDefined();
    const file = fs.openSync(damaged, 'r+');
    fs.writeSync(file, Buffer.alloc(200_000, 0xff), 0, 200_000, 5 * 65_536);
    fs.closeSync(file);
    expect([3, 4]).toContain((await command('img', 'compare', damaged, 'src.raw')).status);
  });
  it('formats can be told, and JSON asked for', async () => {
    expect(await command('img', 'compare', '-f', 'raw', '-F', 'qcow2', 'v3.qcow2', 'v3.qcow2')).toMatchObject({ status: 1 });
    expect(await json('img', 'compare', '--json', 'v3.qcow2', at('changed.raw'))).toMatchObject({
      identical: false,
      difference: { kind: 'content', offset: 69_632 },
    });
  });
});

describe('given options, convert makes what was asked for', () => {
  const layouts = [
    'cluster_size=512',
    'cluster_size=2M,refcount_bits=1',
    'compat=0.10',
    'compat=1.1,lazy_refcounts=on',
    'refcount_bits=64,cluster_size=4k',
  ];
  it.each(layouts)('-o %s, plain and compressed', async (layout) => {
    for (const name of ['v3.qcow2', 'top.qcow2', 'src.raw', 'empty.qcow2']) {
      for (const more of [[], ['-c'], ...(layout.includes('0.10') ? [] : [['-c', '-o', 'compression_type=zstd']])]) {
        expect(await command('img', 'convert', '-O', 'qcow2', '-o', layout, ...more, name, at('made.qcow2'))).toMatchObject({ status: 0 });
        expect(qemuCheckComplaints(at('made.qcow2'))).toBe('');
        must('qemu-img', 'compare', '-q', name, at('made.qcow2'));
      }
    }
  });
  it('the layout is the one asked for', async () => {
    await command(
      'img',
      'convert',
      '-O',
      'qcow2',
      '-o',
      'cluster_size=4k,refcount_bits=8',
      '-o',
      'lazy_refcounts=on',
      'src.raw',
      at('made.qcow2'),
    );
    expect(await json('img', 'info', '--json', at('made.qcow2'))).toMatchObject({
      'cluster-size': 4096,
      'format-specific': { data: { 'refcount-bits': 8, 'lazy-refcounts': true, compat: '1.1' } },
    });
  });
  it('zeros become holes, unless -S 0 wants them written', async () => {
    await command('img', 'convert', 'src.raw', at('sparse.raw'));
    await command('img', 'convert', '-S', '0', 'src.raw', at('full.raw'));
    expect(sha256(at('sparse.raw'))).toBe(sha256('src.raw'));
    expect(sha256(at('full.raw'))).toBe(sha256('src.raw'));
    expect(fs.statSync(at('sparse.raw')).blocks * 512).toBeLessThan(800_000);
    expect(fs.statSync(at('full.raw')).blocks * 512).toBeGreaterThanOrEqual(4 << 20);
  });
  it('a whole-compressed raw image converts like any other', async () => {
    const whole = path.join(FIXTURES, 'qcow2/whole.zst');
    expect(await command('img', 'convert', whole, at('whole.raw'))).toMatchObject({ status: 0 });
    expect(sha256(at('whole.raw'))).toBe(sha256('src.raw'));
  });
  it.each([
    [2, ['-o', 'cluster_size=3k']],
    [2, ['-o', 'nonsense=1']],
    [2, ['-o', 'compat=0.10,refcount_bits=8']],
    [2, ['-S', '513']],
    [2, ['-S', 'much']],
    [3, ['-o', 'extended_l2=on']],
    [3, ['-n']],
    [3, ['-B', 'base.raw']],
    [3, ['-O', 'vmdk']],
    [2, ['-O', 'raw', '-c']],
    [2, ['-O', 'raw', '-o', 'compat=1.1']],
    [3, ['-f', 'vmdk']],
  ] as const)('status %i for %j', async (status, words) => {
    expect((await command('img', 'convert', '-O', 'qcow2', ...words, 'v3.qcow2', at('refused'))).status).toBe(status);
    expect(fs.readdirSync(scratch).filter((name) => name.includes('refused'))).toEqual([]);
  });
});

describe('given a target that must not be harmed', () => {
  it('the image itself, and files of its chain, are refused under any name', async () => {
    const own = scratchFolder();
    for (const name of ['top.qcow2', 'middle.qcow2', 'base.raw', 'data.qcow2', 'data.raw']) fs.copyFileSync(name, path.join(own, name));
    fs.symlinkSync('base.raw', path.join(own, 'link'));
    fs.linkSync(path.join(own, 'middle.qcow2'), path.join(own, 'other-name'));
    const mine = (name: string): string => path.join(own, name);
    await untouched(['top.qcow2', 'middle.qcow2', 'base.raw', 'data.raw'].map(mine), async () => {
      for (const target of ['top.qcow2', 'middle.qcow2', 'base.raw', 'link', 'other-name']) {
        expect((await command('img', 'convert', mine('top.qcow2'), mine(target))).status).toBe(2);
      }
      expect((await command('img', 'convert', mine('data.qcow2'), mine('data.raw'))).status).toBe(2);
    });
  });
  it('a conversion that fails in the middle leaves the old file and nothing else', async () => {
    const own = scratchFolder();
    const damaged = path.join(own, 'damaged.qcow2');
    must('qemu-img', 'convert', '-c', '-O', 'qcow2', 'src.raw', damaged);
    const bytes = fs.readFileSync(damaged);
    // The data begins at the sixth cluster; its first half stays as it is.
    const data = 5 * 65_536;
    bytes.fill(0xff, data + Math.floor((bytes.length - data) / 2));
    fs.writeFileSync(damaged, bytes);
    fs.writeFileSync(path.join(own, 'old.raw'), 'old');
    for (const format of ['raw', 'qcow2']) {
      const answer = await command('img', 'convert', '-O', format, damaged, path.join(own, 'old.raw'));
      expect(answer).toMatchObject({ status: 4 });
      await command('img', 'convert', '-O', format, damaged, path.join(own, 'new.raw'));
      expect(fs.readFileSync(path.join(own, 'old.raw'), 'utf8')).toBe('old');
      expect(fs.readdirSync(own).sort()).toEqual(['damaged.qcow2', 'old.raw']);
    }
  });
  it('a device gets zeros written', async () => {
    expect((await command('img', 'convert', 'v3.qcow2', '/dev/null')).status).toBe(0);
    expect((await command('img', 'convert', '-O', 'qcow2', 'v3.qcow2', '/dev/null')).status).toBe(2);
    expect(fs.statSync('/dev/null').isCharacterDevice()).toBe(true);
  });
});

describe('given a large image and the tool as its users start it', () => {
  const disk = at('large.raw');
  beforeAll(() => {
    // 96 MiB that compress, none of them equal to another, and holes.
    const file = fs.openSync(disk, 'w');
    const block = Buffer.alloc(1 << 20);
    for (let i = 0; i < 96; i++) {
      for (let k = 0; k < block.length; k += 16) block.write(`${i}-${k}-line `.padEnd(16), k, 'latin1');
      fs.writeSync(file, block, 0, block.length, i * (3 << 19));
    }
    fs.closeSync(file);
  });
  it.each(['zlib', 'zstd'])('threads decompress %s clusters to the same disk, and damage is told by offset', (compression) => {
    const image = at(`large-${compression}.qcow2`);
    must('qemu-img', 'convert', '-c', '-O', 'qcow2', '-o', `compression_type=${compression}`, disk, image);
    expect(guestless(['img', 'convert', image, at('large.out')])).toMatchObject({ status: 0, stderr: '' });
    must('qemu-img', 'compare', '-f', 'raw', '-F', 'raw', disk, at('large.out'));
    fs.rmSync(at('large.out'));
    const bytes = fs.readFileSync(image);
    bytes.fill(0xff, bytes.length >> 1, (bytes.length >> 1) + 20_000);
    fs.writeFileSync(image, bytes);
    const failed = guestless(['img', 'convert', image, at('large.out')]);
    expect(failed.status).toBe(4);
    expect(failed.stderr).toMatch(/^guestless: .*large-.*qcow2.*(decompress|L2|table).*\n$/);
    expect(fs.readdirSync(scratch).filter((name) => name.includes('large.out'))).toEqual([]);
  });
  it('a signal leaves nothing behind', async () => {
    const slow = spawn(GUESTLESS, ['img', 'convert', '-c', '-O', 'qcow2', disk, at('signal.qcow2')], { stdio: 'ignore' });
    const ended = new Promise<string | null>((resolve) => slow.once('exit', (_status, signal) => resolve(signal)));
    const temporary = (): string[] => fs.readdirSync(scratch).filter((name) => name.includes('signal.qcow2'));
    while (temporary().length === 0 && slow.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 10));
    slow.kill('SIGTERM');
    expect(await ended).toBe('SIGTERM');
    expect(temporary()).toEqual([]);
  });
});
