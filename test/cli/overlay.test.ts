import { type ChildProcess, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { Posix } from '../../src/errors.ts';
import { runSync } from '../../src/io/index.ts';
import { applyThroughJournal } from '../../src/overlay/index.ts';
import { commitHost } from '../../src/platform/node/commit.ts';
import { privateCopy, scratchFolder, untouched } from '../support/images.ts';
import { e2fsckComplaints, must, qemuCheckComplaints } from '../support/oracle.ts';
import { makeTestDisk, type TestDisk } from './disk.ts';
import { answer, GUESTLESS, guestless } from './run.ts';

const folder = scratchFolder('guestless-cli-overlay-');
let disk: TestDisk;

beforeAll(() => {
  disk = makeTestDisk(folder);
});

describe('a chain of edits, each in an overlay over the one before', () => {
  test('shows all of them, and every image below stays as it is', async () => {
    const own = scratchFolder();
    const [one, two, three] = ['one', 'two', 'three'].map((name) => path.join(own, `${name}.qcow2`)) as [string, string, string];
    const base = path.join(own, 'base.qcow2');
    fs.copyFileSync(disk.qcow2, base);
    const edit = (words: readonly string[], input = ''): void => {
      const { status, stderr } = guestless([...words, '--partition', '2'], Buffer.from(input));
      expect([status, stderr]).toEqual([0, '']);
    };
    edit(['write', base, '/etc/one', '--overlay', one], 'one\n');
    edit(['mv', one, '/etc/one', '/etc/moved', '--overlay', two]);
    await untouched([base, one, two], () => {
      edit(['rm', '-r', two, '/a', '--overlay', three]);
    });
    expect(fs.readdirSync(own).sort()).toEqual(['base.qcow2', 'one.qcow2', 'three.qcow2', 'two.qcow2']);
    for (const image of [one, two, three]) expect(qemuCheckComplaints(image)).toBe('');
    expect(answer('cat', '--partition', '2', three, '/etc/moved')).toBe('one\n');
    const flat = path.join(own, 'flat.raw');
    must('qemu-img', 'convert', '-O', 'raw', three, flat);
    must('dd', `if=${flat}`, `of=${path.join(own, 'part')}`, 'bs=1M', 'skip=9', 'count=16', 'status=none');
    expect(e2fsckComplaints(path.join(own, 'part'))).toBe('');
    expect(must('debugfs', '-R', 'cat /etc/moved', path.join(own, 'part'))).toBe('one\n');
  });
});

describe('a commit into qcow2', () => {
  test.each(['qcow2', 'overlay'] as const)('changes the %s image and nothing else', async (kind) => {
    const own = scratchFolder();
    for (const file of [disk.qcow2, disk.overlay]) fs.copyFileSync(file, path.join(own, path.basename(file)));
    const image = path.join(own, path.basename(disk[kind]));
    const below = kind === 'overlay' ? [path.join(own, path.basename(disk.qcow2))] : [];
    await untouched(below, () => {
      const { status, stderr } = guestless(['write', '--partition', '2', '--commit', image, '/etc/new'], Buffer.from('new\n'));
      expect([status, stderr]).toEqual([0, '']);
    });
    expect(qemuCheckComplaints(image)).toBe('');
    expect(answer('cat', '--partition', '2', image, '/etc/new')).toBe('new\n');
    expect(fs.readdirSync(own).sort()).toEqual(['disk.qcow2', 'overlay.qcow2']);
  });
});

describe('where the new file cannot be', () => {
  const cases: readonly (readonly [string, (own: string) => string])[] = [
    ['the image itself', (own) => path.join(own, 'disk.qcow2')],
    ['a dangling link', (own) => path.join(own, 'link')],
    ['a folder that is missing', (own) => path.join(own, 'missing', 'new.qcow2')],
    ['a folder that is a file', (own) => path.join(own, 'disk.qcow2', 'new.qcow2')],
    ['a folder', (own) => path.join(own)],
  ];
  test.each(cases)('%s: exit 1, one line, nothing left', async (_, target) => {
    const image = privateCopy(disk.qcow2);
    const own = path.dirname(image);
    fs.symlinkSync('nowhere', path.join(own, 'link'));
    await untouched([image], () => {
      const { status, stderr } = guestless(['mkdir', '--partition', '2', '--overlay', target(own), image, '/new']);
      expect(status).toBe(1);
      expect(stderr).toMatch(/^guestless: [^\n]+\n$/);
    });
    expect(fs.readdirSync(own).sort()).toEqual(['disk.qcow2', 'link']);
  });
});

/** Ends when `seen` is true, or the process is over. */
async function until(child: ChildProcess, seen: () => boolean): Promise<void> {
  while (!seen() && child.exitCode === null && child.signalCode === null) await new Promise((resolve) => setTimeout(resolve, 2));
}

describe('a signal while the result is written', () => {
  const SIZE = 192 << 20;
  let image: string;
  beforeAll(() => {
    image = path.join(scratchFolder(), 'disk.raw');
    fs.writeFileSync(image, '');
    fs.truncateSync(image, 512 << 20);
    must('mke2fs', '-q', '-F', '-t', 'ext4', '-E', 'lazy_itable_init=1', image);
  });

  test.each(['SIGINT', 'SIGTERM'] as const)('%s: a whole overlay or none', async (signal) => {
    const own = path.dirname(image);
    const target = path.join(own, 'new.qcow2');
    await untouched([image], async () => {
      const child = spawn(GUESTLESS, ['write', '--overlay', target, image, '/large'], { stdio: ['pipe', 'ignore', 'ignore'] });
      const ended = new Promise((resolve) => child.on('close', resolve));
      child.stdin.on('error', () => {});
      child.stdin.end(Buffer.alloc(SIZE, 'x'));
      await until(child, () => fs.readdirSync(own).length > 1);
      child.kill(signal);
      await ended;
      if (child.signalCode === signal) expect(fs.readdirSync(own)).toEqual(['disk.raw']);
      else {
        expect(child.exitCode).toBe(0);
        expect(fs.readdirSync(own).sort()).toEqual(['disk.raw', 'new.qcow2']);
        expect(qemuCheckComplaints(target)).toBe('');
      }
      fs.rmSync(target, { force: true });
    });
  });

  test('a commit that was ended leaves no journal, and the image as it was or as it should be', async () => {
    const own = path.dirname(image);
    const child = spawn(GUESTLESS, ['write', '--commit', image, '/large'], { stdio: ['pipe', 'ignore', 'ignore'] });
    const ended = new Promise((resolve) => child.on('close', resolve));
    child.stdin.on('error', () => {});
    child.stdin.end(Buffer.alloc(SIZE, 'x'));
    await until(child, () => fs.readdirSync(own).length > 1);
    child.kill('SIGINT');
    await ended;
    expect(fs.readdirSync(own)).toEqual(['disk.raw']);
    expect(e2fsckComplaints(image)).toBe('');
    const found = guestless(['stat', '--json', image, '/large']);
    if (child.signalCode === 'SIGINT') expect(found.status).toBe(1);
    else expect(JSON.parse(found.stdout)).toMatchObject({ size: SIZE });
  });
});

describe('an image that somebody else uses', () => {
  test('is no backing file while qemu writes into it', async () => {
    const image = privateCopy(disk.qcow2);
    const writer = spawn('qemu-io', ['-c', 'sleep 20000', image], { stdio: 'ignore' });
    try {
      const locked = (): boolean => fs.readFileSync('/proc/locks', 'latin1').includes(`:${fs.statSync(image).ino} `);
      await until(writer, locked);
      await untouched([image], () => {
        const call = ['mkdir', '--partition', '2', '--overlay', path.join(path.dirname(image), 'new.qcow2'), image, '/new'];
        const { status, stderr } = guestless(call);
        expect(status).toBe(2);
        expect(stderr).toMatch(/being written/);
        expect(guestless(['mkdir', '--partition', '2', '--commit', image, '/new']).status).toBe(2);
      });
    } finally {
      writer.kill();
    }
    expect(fs.readdirSync(path.dirname(image))).toEqual(['disk.qcow2']);
  });

  test('is said to be half written after a commit was interrupted, and the next commit finishes that one', async () => {
    const image = privateCopy(disk.raw);
    const host = commitHost(image);
    const broken = {
      ...host,
      openImage: () => {
        throw new Posix('EIO', { image });
      },
    };
    const size = fs.statSync(image).size;
    const changes = { ranges: [{ offset: size - 512, length: 512, kind: 'data' as const }], size, read: mark };
    expect(() => runSync(applyThroughJournal(broken, changes, function* () {}))).toThrow(Posix);
    const call = ['--partition', '2', image, '/new'];
    await untouched([image], () => {
      const { status, stdout, stderr } = guestless(['ls', '--partition', '2', image, '/sticky']);
      expect([status, stdout]).toEqual([0, 'secret\n']);
      expect(stderr).toMatch(/warning: .*half written/);
      const overlay = guestless(['mkdir', ...call, '--overlay', path.join(path.dirname(image), 'new.qcow2')]);
      expect([overlay.status, overlay.stderr]).toEqual([2, expect.stringMatching(/half written/)]);
    });
    expect(guestless(['mkdir', ...call, '--commit'])).toMatchObject({ status: 0, stderr: '' });
    expect(fs.readdirSync(path.dirname(image))).toEqual(['disk.raw']);
    expect(fs.readFileSync(image)[size - 1]).toBe(0x77);
  });
});

// biome-ignore lint/correctness/useYield: the bytes are at hand
function* mark(_: number, target: Uint8Array): Generator<never, void> {
  target.fill(0x77);
}
