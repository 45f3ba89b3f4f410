import * as fs from 'node:fs';
import * as path from 'node:path';
import { describe, expect, it } from 'vitest';
import { scratchFolder, sha256 } from '../support/images.ts';
import { must, qemuCheckComplaints, run } from '../support/oracle.ts';
import { command, json } from './run-image.ts';

const MIB = 1 << 20;
let counter = 0;

/** A folder of its own for each test. */
function place(): (name: string) => string {
  const folder = path.join(root, String(counter++));
  fs.mkdirSync(folder);
  return (name) => path.join(folder, name);
}
const root = scratchFolder('guestless-image-write-');

async function done(...words: string[]): Promise<void> {
  expect(await command('img', ...words)).toMatchObject({ status: 0, text: '' });
}

/** The disk as qemu-img shows it. */
function disk(file: string): Buffer {
  must('qemu-img', 'convert', '-O', 'raw', file, `${file}.converted`);
  return fs.readFileSync(`${file}.converted`);
}

/** base.qcow2 of 1s, middle.qcow2 with 2s, top.qcow2 with 3s and zeros. */
function chain(at: (name: string) => string, options = 'cluster_size=64k'): void {
  const io = (file: string, ...commands: string[]): string => must('qemu-io', ...commands.flatMap((one) => ['-c', one]), at(file));
  must('qemu-img', 'create', '-q', '-f', 'qcow2', '-o', options, at('base.qcow2'), '2M');
  io('base.qcow2', 'write -P 1 0 2M');
  must('qemu-img', 'create', '-q', '-f', 'qcow2', '-o', options, '-b', 'base.qcow2', '-F', 'qcow2', at('middle.qcow2'), '3M');
  io('middle.qcow2', 'write -P 2 100k 600k', 'write -P 2 2200k 100k');
  must('qemu-img', 'create', '-q', '-f', 'qcow2', '-o', options, '-b', 'middle.qcow2', '-F', 'qcow2', at('top.qcow2'), '4M');
  io(
    'top.qcow2',
    'write -P 3 300k 100k',
    'write -P 3 3500k 70k',
    ...(options.includes('0.10') ? [] : ['write -z 512k 128k', 'discard 1M 64k']),
  );
}

describe('img create', () => {
  it.each([
    ['-f qcow2 IMAGE 10M'],
    ['-f qcow2 -o compat=0.10 IMAGE 10M'],
    ['-f qcow2 -o cluster_size=4k,refcount_bits=1,lazy_refcounts=on IMAGE 1234567'],
    ['-f qcow2 -o extended_l2=on,compression_type=zstd,preallocation=metadata IMAGE 10M'],
    ['-f qcow2 -o size=3M IMAGE'],
    ['-f raw IMAGE 1000001'],
    ['-f qcow2 -b back.raw -F raw IMAGE'],
    ['-f qcow2 -u -b not-there.qcow2 -F qcow2 IMAGE 5M'],
  ])('%s does what qemu-img create does', async (line) => {
    const at = place();
    fs.writeFileSync(at('back.raw'), Buffer.alloc(MIB + 512, 7));
    await done('create', ...line.replace('IMAGE', at('ours')).split(' '));
    must('qemu-img', 'create', '-q', ...line.replace('IMAGE', at('theirs')).split(' '));
    const info = (file: string): unknown => ({
      ...JSON.parse(must('qemu-img', 'info', '--output=json', file)),
      filename: '',
      'actual-size': 0,
    });
    expect(info(at('ours'))).toEqual(info(at('theirs')));
    if (line.includes('qcow2')) expect(run('qemu-img', ['check', at('ours')]).status).toBe(run('qemu-img', ['check', at('theirs')]).status);
  });

  it('makes the data file too', async () => {
    const at = place();
    await done('create', '-f', 'qcow2', '-o', `data_file=${at('data')},data_file_raw=on`, at('image'), '2M');
    expect(qemuCheckComplaints(at('image'))).toBe('');
    expect(fs.statSync(at('data')).size).toBe(2 * MIB);
  });

  it.each([
    ['-f qcow2 IMAGE', 2],
    ['-f qcow2 -b back.raw IMAGE', 2],
    ['-f vmdk IMAGE 1M', 3],
    ['-f qcow2 -o nonsense=1 IMAGE 1M', 2],
    ['-f qcow2 -o cluster_size=4M IMAGE 1M', 2],
    ['-f qcow2 -b missing -F raw IMAGE', 1],
    ['-f qcow2 -b IMAGE -F qcow2 IMAGE', 2],
  ])('%s is refused with %s and leaves nothing', async (line, status) => {
    const at = place();
    expect((await command('img', 'create', ...line.replaceAll('IMAGE', at('image')).split(' '))).status).toBe(status);
    expect(fs.readdirSync(path.dirname(at('image')))).toEqual([]);
  });
});

describe('img commit', () => {
  it.each([['cluster_size=64k'], ['cluster_size=4k'], ['compat=0.10'], ['extended_l2=on,cluster_size=16k']])(
    'writes down what the top holds, and empties it (%s)',
    async (options) => {
      const at = place();
      chain(at, options);
      const shown = disk(at('top.qcow2'));
      const base = sha256(at('base.qcow2'));
      await done('commit', at('top.qcow2'));
      expect(sha256(at('base.qcow2'))).toBe(base);
      for (const name of ['top.qcow2', 'middle.qcow2']) expect(qemuCheckComplaints(at(name))).toBe('');
      expect(disk(at('middle.qcow2')).equals(shown)).toBe(true);
      expect(disk(at('top.qcow2')).equals(shown)).toBe(true);
      const map = JSON.parse(must('qemu-img', 'map', '--output=json', at('top.qcow2'))) as { depth: number; present: boolean }[];
      expect(map.some(({ depth, present }) => depth === 0 && present)).toBe(false);
      expect(fs.statSync(at('top.qcow2')).size).toBeLessThan(512 * 1024);
    },
  );

  it('goes down several layers with -b, and leaves the top with -d', async () => {
    const at = place();
    chain(at);
    const shown = disk(at('top.qcow2'));
    const top = sha256(at('top.qcow2'));
    await done('commit', '-d', '-b', at('base.qcow2'), at('top.qcow2'));
    expect(disk(at('base.qcow2')).equals(shown)).toBe(true);
    expect(qemuCheckComplaints(at('base.qcow2'))).toBe('');
    expect(sha256(at('top.qcow2'))).toBe(top);
  });

  it('writes into a raw file', async () => {
    const at = place();
    fs.writeFileSync(at('base.raw'), Buffer.alloc(MIB, 5));
    must('qemu-img', 'create', '-q', '-f', 'qcow2', '-b', 'base.raw', '-F', 'raw', at('top.qcow2'), '2M');
    must('qemu-io', '-c', 'write -P 6 1000k 100k', '-c', 'write -z 0 64k', at('top.qcow2'));
    const shown = disk(at('top.qcow2'));
    await done('commit', at('top.qcow2'));
    expect(fs.readFileSync(at('base.raw')).equals(shown)).toBe(true);
  });

  it('needs a backing file', async () => {
    const at = place();
    must('qemu-img', 'create', '-q', '-f', 'qcow2', at('alone.qcow2'), '1M');
    expect((await command('img', 'commit', at('alone.qcow2'))).status).toBe(2);
  });
});

describe('img rebase', () => {
  it.each([['cluster_size=64k'], ['compat=0.10'], ['extended_l2=on,cluster_size=16k']])('keeps the disk as it is (%s)', async (options) => {
    const at = place();
    chain(at, options);
    must('qemu-img', 'create', '-q', '-f', 'qcow2', at('other.qcow2'), '5M');
    must('qemu-io', '-c', 'write -P 9 0 5M', '-c', 'write -P 1 1500k 200k', at('other.qcow2'));
    const shown = disk(at('top.qcow2'));
    for (const [backing, format] of [
      ['base.qcow2', 'qcow2'],
      ['other.qcow2', 'qcow2'],
      ['', ''],
    ] as const) {
      await done('rebase', '-b', backing, ...(format === '' ? [] : ['-F', format]), at('top.qcow2'));
      expect(qemuCheckComplaints(at('top.qcow2'))).toBe('');
      expect(disk(at('top.qcow2')).equals(shown)).toBe(true);
      const { 'backing-filename': name } = JSON.parse(must('qemu-img', 'info', '--output=json', at('top.qcow2')));
      expect(name).toBe(backing === '' ? undefined : backing);
    }
  });

  it('-u changes the name alone', async () => {
    const at = place();
    chain(at);
    await done('rebase', '-u', '-b', 'missing.raw', '-F', 'raw', at('top.qcow2'));
    expect(JSON.parse(must('qemu-img', 'info', '--output=json', at('top.qcow2')))).toMatchObject({
      'backing-filename': 'missing.raw',
      'backing-filename-format': 'raw',
    });
    await done('rebase', '-u', '-b', 'middle.qcow2', '-F', 'qcow2', at('top.qcow2'));
    expect(qemuCheckComplaints(at('top.qcow2'))).toBe('');
    expect((await command('img', 'rebase', '-u', '-b', 'middle.qcow2', at('top.qcow2'))).status).toBe(2);
  });
});

describe('img resize, snapshot, amend, measure, bitmap, check -r', () => {
  it('the size grows, and shrinks when that is meant', async () => {
    const at = place();
    chain(at);
    await done('resize', at('top.qcow2'), '+1M');
    expect(disk(at('top.qcow2')).length).toBe(5 * MIB);
    const refused = await command('img', 'resize', at('top.qcow2'), '1M');
    expect(refused.status).toBe(2);
    await done('resize', '--shrink', at('top.qcow2'), '1M');
    await done('resize', at('top.qcow2'), '2M');
    expect(
      disk(at('top.qcow2'))
        .subarray(MIB)
        .every((byte) => byte === 0),
    ).toBe(true);
    expect(qemuCheckComplaints(at('top.qcow2'))).toBe('');
    fs.writeFileSync(at('raw'), Buffer.alloc(1000));
    await done('resize', '-f', 'raw', at('raw'), '1M');
    expect(fs.statSync(at('raw')).size).toBe(MIB);
  });

  it('snapshots are taken, listed, applied and deleted', async () => {
    const at = place();
    chain(at);
    const shown = disk(at('top.qcow2'));
    await done('snapshot', '-c', 'before', at('top.qcow2'));
    must('qemu-io', '-c', 'write -P 8 0 1M', at('top.qcow2'));
    const list = await json('img', 'snapshot', '-l', '--output=json', at('top.qcow2'));
    expect(list).toMatchObject([{ id: '1', name: 'before' }]);
    expect((await command('img', 'snapshot', at('top.qcow2'))).text).toBe(must('qemu-img', 'snapshot', '-l', at('top.qcow2')));
    await done('snapshot', '-a', 'before', at('top.qcow2'));
    expect(disk(at('top.qcow2')).equals(shown)).toBe(true);
    await done('snapshot', '-d', 'before', at('top.qcow2'));
    expect(qemuCheckComplaints(at('top.qcow2'))).toBe('');
    expect((await command('img', 'snapshot', '-d', 'before', at('top.qcow2'))).status).toBe(1);
  });

  it('measures what qemu-img measures', async () => {
    const at = place();
    chain(at);
    must('qemu-img', 'convert', '-O', 'qcow2', at('top.qcow2'), at('flat.qcow2'));
    must('qemu-img', 'convert', '-O', 'qcow2', at('top.qcow2'), at('bitmaps.qcow2'));
    must('qemu-img', 'bitmap', '--add', '-g', '4k', at('bitmaps.qcow2'), 'b0');
    for (const line of [
      '-O qcow2 --size 10G',
      '-O qcow2 -o cluster_size=4k --size 10M',
      '-O raw --size 1M',
      `-O qcow2 ${at('flat.qcow2')}`,
    ]) {
      const theirs = JSON.parse(must('qemu-img', 'measure', '--output=json', ...line.split(' ')));
      expect(await json('img', 'measure', '--output=json', ...line.split(' ')), line).toEqual(theirs);
    }
  });

  it('amends and lists bitmaps', async () => {
    const at = place();
    must('qemu-img', 'create', '-q', '-f', 'qcow2', '-o', 'compat=0.10', at('image'), '1M');
    await done('amend', '-o', 'compat=1.1,lazy_refcounts=on', at('image'));
    expect(must('qemu-img', 'info', at('image'))).toContain('lazy refcounts: true');
    must('qemu-img', 'bitmap', '--add', '-g', '4k', at('image'), 'b0');
    expect((await command('img', 'bitmap', at('image'))).text).toBe('b0 4096 auto\n');
  });

  it('repairs leaks and more', async () => {
    const at = place();
    must('qemu-img', 'create', '-q', '-f', 'qcow2', at('image'), '4M');
    must('qemu-io', '-c', 'write -P 4 0 1M', '-c', 'discard 512k 64k', at('image'));
    const file = fs.openSync(at('image'), 'r+');
    fs.writeSync(file, Uint8Array.of(0, 1), 0, 2, 2 * 65536 + 2 * 13);
    fs.closeSync(file);
    expect((await command('img', 'check', at('image'))).status).toBe(3);
    expect(await json('img', 'check', '-r', 'leaks', '--output=json', at('image'))).toMatchObject({ 'leaks-fixed': 1 });
    expect(qemuCheckComplaints(at('image'))).toBe('');
    const again = fs.openSync(at('image'), 'r+');
    fs.writeSync(again, Uint8Array.of(0, 0), 0, 2, 2 * 65536 + 2 * 7);
    fs.closeSync(again);
    expect((await command('img', 'check', at('image'))).status).toBe(2);
    expect((await command('img', 'check', '-r', 'all', at('image'))).status).toBe(0);
    expect(qemuCheckComplaints(at('image'))).toBe('');
    expect(
      disk(at('image'))
        .subarray(0, 512 << 10)
        .every((byte) => byte === 4),
    ).toBe(true);
  });
});
