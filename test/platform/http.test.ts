/** Images on web servers: a real server in this process, and every way in which it can misbehave. */
import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { sameBytes } from '../../src/bytes/index.ts';
import { Posix, Refused, Unsupported } from '../../src/errors.ts';
import { CachedDevice, readExactly, runAsync, runSync, SourceDevice } from '../../src/io/index.ts';
import { openUrl } from '../../src/platform/node/http.ts';

const content = Uint8Array.from({ length: 700_001 }, (_, i) => (i * 7919 + (i >> 8)) & 0xff);
const QUICK = { backOff: 1, retries: 3 };

type Answer = (request: http.IncomingMessage, response: http.ServerResponse, number: number) => void;
const servers: http.Server[] = [];

/** A server on a port of its own; `number` counts the requests from 0. */
async function serve(answer: Answer): Promise<{ url: string; requests: http.IncomingMessage[] }> {
  const requests: http.IncomingMessage[] = [];
  const server = http.createServer((request, response) => {
    requests.push(request);
    answer(request, response, requests.length - 1);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/disk.img`, requests };
}

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

/** What a good server does with a range. */
function range(
  request: http.IncomingMessage,
  response: http.ServerResponse,
  headers: http.OutgoingHttpHeaders = { etag: '"one"' },
  bytes = content,
): void {
  const match = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
  if (match === null) {
    response.writeHead(200, headers).end(bytes);
    return;
  }
  const first = Number(match[1]);
  const last = Math.min(Number(match[2]), bytes.length - 1);
  if (first >= bytes.length) {
    response.writeHead(416, { 'content-range': `bytes */${bytes.length}` }).end();
    return;
  }
  const part = bytes.subarray(first, last + 1);
  response.writeHead(206, { 'content-range': `bytes ${first}-${last}/${bytes.length}`, 'content-length': part.length, ...headers });
  response.end(part);
}

describe('a good server', () => {
  test('gives the size, any range, and the same bytes', async () => {
    const { url, requests } = await serve((request, response) => range(request, response));
    const source = await openUrl(url, QUICK);
    expect(source.size).toBe(content.length);
    expect(requests).toHaveLength(1);
    for (const [offset, length] of [
      [0, 1],
      [123_457, 300_000],
      [content.length - 5, 5],
      [0, content.length],
    ] as const) {
      const target = new Uint8Array(length);
      await runAsync(readExactly(source, offset, target));
      expect(sameBytes(target, content.subarray(offset, offset + length))).toBe(true);
    }
  });

  test('is asked in large requests through the page cache, for the version that was opened', async () => {
    const { url, requests } = await serve((request, response) => range(request, response));
    const device = new CachedDevice(new SourceDevice(await openUrl(url, QUICK)));
    for (let offset = 0; offset < 200_000; offset += 1000) await runAsync(device.read(offset, 512));
    expect(requests).toHaveLength(2);
    expect(requests[1]?.headers['if-match']).toBe('"one"');
    expect(requests[1]?.headers['accept-encoding']).toBe('identity');
  });

  test('gets the headers that the caller wants to send', async () => {
    const { url } = await serve((request, response) => {
      if (request.headers.authorization === 'Bearer x') range(request, response);
      else response.writeHead(401).end();
    });
    expect((await openUrl(url, { ...QUICK, headers: { authorization: 'Bearer x' } })).size).toBe(content.length);
    await expect(openUrl(url, QUICK)).rejects.toMatchObject({ code: 'EACCES' });
  });

  test('cannot be read synchronously, which is said', async () => {
    const { url } = await serve((request, response) => range(request, response));
    const source = await openUrl(url, QUICK);
    expect(() => runSync(readExactly(source, 0, new Uint8Array(4)))).toThrow(Refused);
  });

  test('a read at the end is short, as of a file', async () => {
    const { url } = await serve((request, response) => range(request, response));
    const source = await openUrl(url, QUICK);
    const target = new Uint8Array(100);
    expect(await source.readAsync(content.length - 10, target)).toBe(10);
    expect(target.subarray(0, 10)).toEqual(content.subarray(content.length - 10));
    expect(await source.readAsync(content.length, target)).toBe(0);
  });
});

describe('a server that ignores ranges', () => {
  test('is refused, and the image is not downloaded', async () => {
    let sent = 0;
    let closed = false;
    const chunk = Buffer.alloc(1 << 20);
    const { url } = await serve((_request, response) => {
      response.writeHead(200, { 'content-length': 1 << 30 });
      const more = (): void => {
        while (!response.destroyed && sent < 1 << 30) {
          sent += chunk.length;
          if (!response.write(chunk)) return void response.once('drain', more);
        }
      };
      response.on('close', () => {
        closed = true;
      });
      more();
    });
    await expect(openUrl(url, QUICK)).rejects.toThrow(/ignores range requests/);
    await expect.poll(() => closed).toBe(true);
    expect(sent).toBeLessThan(64 << 20);
  });

  test('is refused in the middle as well', async () => {
    const { url } = await serve((request, response, number) => {
      if (number > 0) delete request.headers.range;
      range(request, response);
    });
    const source = await openUrl(url, QUICK);
    await expect(source.readAsync(0, new Uint8Array(4))).rejects.toBeInstanceOf(Refused);
  });
});

describe('an image that changes under us', () => {
  const versions: [string, (number: number) => http.OutgoingHttpHeaders][] = [
    ['its ETag', (number) => ({ etag: number === 0 ? '"one"' : '"two"' })],
    ['its Last-Modified', (number) => ({ 'last-modified': `Mon, 0${number === 0 ? 1 : 2} Jan 2024 00:00:00 GMT` })],
  ];
  for (const [what, headers] of versions) {
    test(`is noticed by ${what}`, async () => {
      const { url } = await serve((request, response, number) => range(request, response, headers(number)));
      const source = await openUrl(url, QUICK);
      const failure = await source.readAsync(0, new Uint8Array(4)).catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(Posix);
      expect(failure).toMatchObject({ code: 'EIO', message: expect.stringContaining('changed while it was open') });
    });
  }

  test('is noticed by its length', async () => {
    const { url } = await serve((request, response, number) =>
      range(request, response, {}, number === 0 ? content : content.subarray(0, 5000)),
    );
    const source = await openUrl(url, QUICK);
    await expect(source.readAsync(0, new Uint8Array(4))).rejects.toThrow(/length went from 700001 to 5000/);
    await expect(source.readAsync(600_000, new Uint8Array(4))).rejects.toThrow(/became shorter/);
  });

  test('is noticed by a server that heeds If-Match, and by its absence', async () => {
    const { url } = await serve((request, response, number) => {
      if (number === 0) range(request, response);
      else response.writeHead(number === 1 && request.headers['if-match'] === '"one"' ? 412 : 404).end();
    });
    const source = await openUrl(url, QUICK);
    await expect(source.readAsync(0, new Uint8Array(4))).rejects.toThrow(/precondition failed/);
    await expect(source.readAsync(0, new Uint8Array(4))).rejects.toThrow(/changed while it was open.*404/);
  });

  test('a weak ETag promises nothing and is not compared', async () => {
    const { url, requests } = await serve((request, response, number) => range(request, response, { etag: `W/"${number}"` }));
    const source = await openUrl(url, QUICK);
    expect(await source.readAsync(0, new Uint8Array(4))).toBe(4);
    expect(requests[1]?.headers['if-match']).toBeUndefined();
  });
});

describe('trouble on the way', () => {
  test('5xx and 429 are asked again, and the answer is whole', async () => {
    const { url, requests } = await serve((request, response, number) => {
      if (number === 1) response.writeHead(503, { 'retry-after': '0' }).end('busy');
      else if (number === 2) response.writeHead(429).end();
      else range(request, response);
    });
    const source = await openUrl(url, QUICK);
    const target = new Uint8Array(1000);
    expect(await source.readAsync(500, target)).toBe(1000);
    expect(target).toEqual(content.subarray(500, 1500));
    expect(requests).toHaveLength(4);
  });

  test('a connection that breaks in the middle of a body is tried again', async () => {
    const { url } = await serve((request, response, number) => {
      if (number !== 1) return range(request, response);
      response.writeHead(206, { 'content-range': `bytes 0-99999/${content.length}`, 'content-length': 100_000, etag: '"one"' });
      response.write(content.subarray(0, 1000));
      setTimeout(() => response.destroy(), 10);
    });
    const source = await openUrl(url, QUICK);
    const target = new Uint8Array(100_000);
    expect(await source.readAsync(0, target)).toBe(100_000);
    expect(sameBytes(target, content.subarray(0, 100_000))).toBe(true);
  });

  test('a body that is shorter than its Content-Range is tried again, then EIO', async () => {
    const { url, requests } = await serve((request, response, number) => {
      if (number === 0) return range(request, response);
      response.writeHead(206, { 'content-range': `bytes 0-99/${content.length}`, etag: '"one"' });
      response.end(content.subarray(0, 50));
    });
    const source = await openUrl(url, QUICK);
    await expect(source.readAsync(0, new Uint8Array(100))).rejects.toThrow(/ended after 50 of 100 bytes; gave up after 4 attempts/);
    expect(requests).toHaveLength(1 + 4);
  });

  test('a server that stays broken is given up', async () => {
    const { url, requests } = await serve((_request, response) => response.writeHead(500).end());
    await expect(openUrl(url, QUICK)).rejects.toMatchObject({ code: 'EIO' });
    expect(requests).toHaveLength(4);
  });

  test('nobody listens: EIO with the reason', async () => {
    await expect(openUrl('http://127.0.0.1:1/x', { ...QUICK, retries: 0 })).rejects.toBeInstanceOf(Posix);
  });

  test('an abort ends a request under way and the wait before a repetition', async () => {
    const { url } = await serve((request, response, number) => {
      if (number === 0) range(request, response);
      else if (number === 2) response.writeHead(503).end();
    });
    const source = await openUrl(url, { backOff: 60_000 });
    for (let round = 0; round < 2; round++) {
      const abort = new AbortController();
      const reading = runAsync(readExactly(source, 0, new Uint8Array(4)), abort.signal);
      setTimeout(() => abort.abort(new Error('enough')), 30);
      await expect(reading).rejects.toThrow('enough');
    }
  });
});

describe('answers that make no sense', () => {
  const lies: [string, http.OutgoingHttpHeaders, RegExp][] = [
    ['no Content-Range', {}, /no usable content-range/],
    ['an unknown total', { 'content-range': 'bytes 0-0/*' }, /no usable content-range/],
    ['another range', { 'content-range': 'bytes 5-5/100' }, /instead of 0-0/],
    ['a range beyond the total', { 'content-range': 'bytes 0-0/0' }, /no usable content-range/],
    ['a total beyond 2^53', { 'content-range': 'bytes 0-0/9999999999999999' }, /no usable content-range/],
    ['packed bytes', { 'content-range': 'bytes 0-0/100', 'content-encoding': 'gzip' }, /packs ranges|EIO|header/],
  ];
  for (const [what, headers, message] of lies) {
    test(`${what}: our error`, async () => {
      const { url } = await serve((_request, response) => response.writeHead(206, headers).end('x'));
      await expect(openUrl(url, { ...QUICK, retries: 0 })).rejects.toThrow(message);
    });
  }

  test('a body longer than asked is cut off', async () => {
    const { url } = await serve((_request, response) => {
      response.writeHead(206, { 'content-range': `bytes 0-0/${content.length}` });
      response.end(Buffer.alloc(5 << 20));
    });
    expect((await openUrl(url, QUICK)).size).toBe(content.length);
  });

  test('missing, forbidden, empty, and no web address', async () => {
    const { url } = await serve((request, response) => {
      const status = Number(new URL(request.url ?? '', 'http://x').pathname.slice(1));
      response.writeHead(status).end();
    });
    await expect(openUrl(url.replace('disk.img', '404'), QUICK)).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(openUrl(url.replace('disk.img', '403'), QUICK)).rejects.toMatchObject({ code: 'EACCES' });
    await expect(openUrl(url.replace('disk.img', '416'), QUICK)).rejects.toBeInstanceOf(Unsupported);
    await expect(openUrl(url.replace('disk.img', '304'), QUICK)).rejects.toMatchObject({ code: 'EIO' });
    await expect(openUrl('file:///etc/passwd', QUICK)).rejects.toBeInstanceOf(Refused);
  });
});
