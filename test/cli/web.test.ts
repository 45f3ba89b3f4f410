/** `guestless web`: the page for browsers on this computer, and nothing else. */
import { type ChildProcess, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as http from 'node:http';
import * as net from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { GUESTLESS, guestless } from './run.ts';

interface Served {
  readonly child: ChildProcess;
  readonly address: string;
  /** The status or the signal that it ended with. */
  readonly ended: Promise<number | string | null>;
}

/** Starts it and waits for its line. The first start in a checkout builds the page. */
async function serve(...words: string[]): Promise<Served> {
  const child = spawn(GUESTLESS, ['web', ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise<number | string | null>((resolve) => child.once('exit', (status, signal) => resolve(status ?? signal)));
  let said = '';
  child.stderr?.on('data', (text) => {
    said += text;
  });
  const address = await new Promise<string>((resolve, reject) => {
    let text = '';
    child.stdout?.on('data', (part) => {
      text += part;
      const found = /http:\/\/127\.0\.0\.1:\d+\//.exec(text);
      if (found !== null) resolve(found[0]);
    });
    void ended.then((status) => reject(new Error(`it ended with ${status}: ${said}`)));
  });
  return { child, address, ended };
}

interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly text: string;
}

/** A request with its path as it stands: `fetch` would tidy it up. */
function ask(address: string, path: string, options: http.RequestOptions = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(address);
    const request = http.request({ hostname, port, path, ...options }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part) => {
        text += part;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
    });
    request.on('error', reject).end();
  });
}

describe('guestless web', () => {
  let served: Served;
  beforeAll(async () => {
    served = await serve('--port', '0');
  }, 240_000);
  afterAll(() => void served?.child.kill('SIGKILL'));

  test('gives the page and its parts, each with its type, and forbids it all that it does not need', async () => {
    const page = await ask(served.address, '/');
    expect(page).toMatchObject({
      status: 200,
      headers: { 'content-type': 'text/html; charset=utf-8', 'x-content-type-options': 'nosniff' },
    });
    expect(page.text).toMatch(/<meta[^>]*Content-Security-Policy[^>]*default-src 'none'/s);
    for (const rule of ["default-src 'none'", "script-src 'self' 'wasm-unsafe-eval'", "frame-ancestors 'none'", "form-action 'none'"])
      expect(page.headers['content-security-policy']).toContain(rule);
    const parts = [...page.text.matchAll(/(?:src|href)="\.\/([^"]+)"/g)].map(([, name]) => name ?? '');
    expect(parts.length).toBeGreaterThanOrEqual(3);
    for (const name of [...parts, 'sw.js', 'demo/demo.qcow2']) {
      const { status, headers, text } = await ask(served.address, `/${name}`);
      const type = { js: /^text\/javascript/, css: /^text\/css/, svg: /^image\/svg\+xml/, qcow2: /^application\/octet-stream/ }[
        name.replace(/^.*\./, '')
      ];
      expect([name, status]).toEqual([name, 200]);
      expect(headers['content-type']).toMatch(type ?? /never/);
      expect(text.length).toBeGreaterThan(0);
    }
  });

  test('answers HEAD without a body, and no other way of asking', async () => {
    expect(await ask(served.address, '/', { method: 'HEAD' })).toMatchObject({ status: 200, text: '' });
    expect(await ask(served.address, '/', { method: 'POST' })).toMatchObject({ status: 405, text: '' });
    expect(await ask(served.address, '/nothing.js')).toMatchObject({ status: 404, text: '' });
  });

  test.each([
    '/../package.json',
    '/..%2fpackage.json',
    '/%2e%2e/package.json',
    '/demo/../../package.json',
    '//etc/passwd',
    '/..\\package.json',
    '/.',
  ])('gives nothing from outside of its folder: %s', async (path) => {
    expect(await ask(served.address, path)).toMatchObject({ status: 404, text: '' });
  });

  test('is deaf to other computers and to names that other sites gave it', async () => {
    expect(await ask(served.address, '/', { headers: { host: 'rebound.example' } })).toMatchObject({ status: 403, text: '' });
    const own = fs.readFileSync('/proc/net/tcp', 'utf8').split('\n');
    const port = Number(new URL(served.address).port).toString(16).toUpperCase().padStart(4, '0');
    const listening = own.filter((line) => line.includes(`:${port} `) && / 0A /.test(line));
    expect(listening.map((line) => line.trim().split(/\s+/)[1])).toEqual([`0100007F:${port}`]);
  });

  test('says so when the port is taken, and when it is no port', async () => {
    const server = net.createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as net.AddressInfo;
    const taken = guestless(['web', '--port', String(port)]);
    server.close();
    expect(taken).toMatchObject({ status: 1, stdout: '' });
    expect(taken.stderr).toMatch(new RegExp(`port ${port} is in use; --port names another, 0 any that is free`));
    for (const wrong of ['70000', '-1', 'eighty', '80.5']) {
      const { status, stderr, stdout } = guestless(['web', `--port=${wrong}`]);
      expect([wrong, status, stdout]).toEqual([wrong, 2, '']);
      expect(stderr).toMatch(/port/);
    }
  }, 60_000);

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)(
    'ends with %s',
    async (signal, status) => {
      const { child, ended } = await serve('--port=0');
      child.kill(signal);
      expect([status, signal]).toContain(await ended);
    },
    60_000,
  );
});

test('the package has the built page', () => {
  const { files } = JSON.parse(fs.readFileSync(fileURLToPath(new URL('../../package.json', import.meta.url)), 'utf8')) as {
    files: string[];
  };
  expect(files).toContain('dist');
  expect(files.filter((name) => name.startsWith('!dist/web'))).toEqual(['!dist/web-stamp*']);
});
