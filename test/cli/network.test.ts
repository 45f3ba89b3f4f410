import { type ChildProcess, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import * as os from 'node:os';
import * as path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const demo = path.resolve('fixtures/demo.qcow2');
const bytes = fs.readFileSync(demo);
const server = http.createServer((request, response) => {
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
  const from = range === null ? 0 : Number(range[1]);
  const to = range === null || range[2] === '' ? bytes.length - 1 : Math.min(Number(range[2]), bytes.length - 1);
  const part = request.method === 'HEAD' ? Buffer.alloc(0) : bytes.subarray(from, to + 1);
  response.writeHead(range === null ? 200 : 206, {
    'accept-ranges': 'bytes',
    'content-length': request.method === 'HEAD' ? bytes.length : part.length,
    ...(range === null ? {} : { 'content-range': `bytes ${from}-${to}/${bytes.length}` }),
  });
  response.end(part);
});
let address: string;

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/demo.qcow2`;
});
afterAll(() => {
  server.close();
});

/** Runs the tool while this process serves it. */
async function guestless(...words: string[]): Promise<{ status: number | null; stdout: string; stderr: string }> {
  const child: ChildProcess = spawn(process.execPath, ['dist/bundle/guestless.cjs', ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (data) => (stdout += data));
  child.stderr?.on('data', (data) => (stderr += data));
  const status = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { status, stdout, stderr };
}

describe('an image on a web server', () => {
  it('is looked into by its address', async () => {
    expect(await guestless('cat', address, '/etc/hostname')).toEqual({ status: 0, stdout: 'demo\n', stderr: '' });
    expect((await guestless('ls', address, '/etc/ssh')).stdout).toBe('sshd_config\n');
    expect((await guestless('img', 'info', address)).stdout).toContain('file format: qcow2');
  });

  it('can be the backing file of a new image', async () => {
    const work = fs.mkdtempSync(path.join(os.tmpdir(), 'guestless-network-'));
    try {
      const overlay = path.join(work, 'overlay.qcow2');
      expect((await guestless('img', 'create', '-f', 'qcow2', '-o', `backing_file=${address},backing_fmt=qcow2`, overlay)).status).toBe(0);
      expect(fs.readFileSync(overlay).includes(address)).toBe(true);
    } finally {
      fs.rmSync(work, { recursive: true });
    }
  });

  it('is not written to', async () => {
    const { status, stderr } = await guestless('rm', '--commit', address, '/etc/motd');
    expect([status, stderr]).toEqual([3, expect.stringContaining('copy it first')]);
  });

  it('that is not there, and a protocol that is not spoken, are told of', async () => {
    expect((await guestless('ls', 'rbd:pool/image')).status).toBe(3);
    const { status, stderr } = await guestless('ls', 'nbd:unix:/nothing/there');
    expect(status).toBe(1);
    expect(stderr).toMatch(/^guestless: nbd:unix:\/nothing\/there: .*\n$/);
  });
});
