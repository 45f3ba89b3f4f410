import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Posix } from '../../src/errors.ts';
import { openNbd, parseNbdAddress } from '../../src/platform/node/nbd.ts';

describe('addresses by NBD', () => {
  it('are read as qemu writes them', () => {
    expect(parseNbdAddress('nbd:example.org:10809')).toEqual({ host: 'example.org', port: 10_809, name: '' });
    expect(parseNbdAddress('nbd:unix:/run/a b.sock')).toEqual({ path: '/run/a b.sock', name: '' });
    expect(parseNbdAddress('nbd:unix:/run/x:exportname=disk')).toEqual({ path: '/run/x', name: 'disk' });
    expect(parseNbdAddress('nbd://[::1]/x')).toEqual({ host: '::1', port: 10_809, name: 'x' });
    expect(parseNbdAddress('nbd+unix:///?socket=/s')).toEqual({ path: '/s', name: '' });
    expect(parseNbdAddress('nbd:')).toBeUndefined();
  });
});

describe('a disk that qemu-nbd serves', () => {
  const work = fs.mkdtempSync(path.join(os.tmpdir(), 'guestless-nbd-'));
  const socket = path.join(work, 'socket');
  const image = path.join(work, 'disk');
  const content = new Uint8Array(3 << 20).map((_, i) => (i * 7 + (i >> 9)) & 0xff);
  let server: ChildProcess;

  beforeAll(async () => {
    fs.writeFileSync(image, content);
    server = spawn('qemu-nbd', ['-f', 'raw', '-k', socket, '-x', 'disk', '--shared=3', '--persistent', image], { stdio: 'ignore' });
    while (!fs.existsSync(socket)) await sleep(20);
  });
  afterAll(() => {
    server.kill();
    fs.rmSync(work, { recursive: true });
  });

  it('is read and written like a file', async () => {
    const disk = await openNbd(`nbd:unix:${socket}:exportname=disk`);
    expect(disk.size).toBe(content.length);
    const part = new Uint8Array(100_000);
    const [got, second] = await Promise.all([disk.readAsync(12_345, part), disk.readAsync(content.length - 5, new Uint8Array(50))]);
    expect([got, second]).toEqual([part.length, 5]);
    expect(part).toEqual(content.slice(12_345, 112_345));
    await disk.writeAsync(1 << 20, new Uint8Array(4096).fill(9));
    await disk.flushAsync();
    const back = new Uint8Array(4098);
    await disk.readAsync((1 << 20) - 1, back);
    expect(back[1]).toBe(9);
    expect(back[4097]).toBe(content[(1 << 20) + 4096]);
    disk.close();
    const { stdout } = spawnSync('dd', [`if=${image}`, 'bs=4096', 'skip=256', 'count=1']);
    expect(new Uint8Array(stdout)).toEqual(new Uint8Array(4096).fill(9));
  });

  it('is not there under another name', async () => {
    await expect(openNbd(`nbd:unix:${socket}:exportname=other`)).rejects.toThrow(Posix);
    await expect(openNbd(`nbd:unix:${work}/nothing`)).rejects.toThrow(Posix);
  });
});
