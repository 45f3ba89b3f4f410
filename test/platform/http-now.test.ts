/** A remote image read by those who wait for the answers, as workers of browsers do. */
import { describe, expect, test } from 'vitest';
import { Posix } from '../../src/errors.ts';
import { type AnswerNow, type HttpSource, openHttp, type ResponseLike } from '../../src/platform/http-range.ts';

const IMAGE = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 31) & 0xff);

function answer(headers: Readonly<Record<string, string>>, more: Readonly<Record<string, string>> = {}): AnswerNow {
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(headers['range'] ?? '') ?? [];
  const end = Math.min(Number(last), IMAGE.length - 1);
  const all: Record<string, string> = { 'content-range': `bytes ${first}-${end}/${IMAGE.length}`, etag: '"one"', ...more };
  return { status: 206, headers: { get: (name) => all[name] ?? null }, body: IMAGE.slice(Number(first), end + 1) };
}

function asResponse({ status, headers, body }: AnswerNow): ResponseLike {
  const chunks = [body];
  const cancel = async (): Promise<void> => undefined;
  return {
    status,
    headers,
    body: { cancel, getReader: () => ({ cancel, read: async () => ({ done: chunks.length === 0, value: chunks.pop() }) }) },
  };
}

/** A source of which the answers that are waited for come from `now`. */
async function open(now: (headers: Readonly<Record<string, string>>) => AnswerNow): Promise<HttpSource> {
  return await openHttp('https://example.org/disk.raw', {
    fetch: async (_, { headers }) => asResponse(answer(headers)),
    sleep: async () => undefined,
    requestNow: (_, headers) => now(headers),
  });
}

describe('waiting for a server', () => {
  test('gives the bytes that were asked for, and fewer only at the end', async () => {
    const asked: string[] = [];
    const source = await open((headers) => {
      asked.push(`${headers['range']} ${headers['if-match']}`);
      return answer(headers);
    });
    const target = new Uint8Array(1000);
    expect(source.readSync?.(5000, target)).toBe(1000);
    expect(target).toEqual(IMAGE.slice(5000, 6000));
    expect(source.readSync?.(IMAGE.length - 10, target)).toBe(10);
    expect(source.readSync?.(IMAGE.length, target)).toBe(0);
    expect(asked).toEqual(['bytes=5000-5999 "one"', `bytes=${IMAGE.length - 10}-${IMAGE.length - 1} "one"`]);
  });

  test('repeats what was cut off, refused for a moment, or lost', async () => {
    let attempt = 0;
    const source = await open((headers) => {
      attempt++;
      if (attempt === 1) throw new Error('network');
      if (attempt === 2) return { ...answer(headers), status: 503 };
      if (attempt === 3) return { ...answer(headers), body: IMAGE.slice(0, 3) };
      return answer(headers);
    });
    const target = new Uint8Array(100);
    expect(source.readSync?.(0, target)).toBe(100);
    expect(target).toEqual(IMAGE.slice(0, 100));
    expect(attempt).toBe(4);
  });

  test('gives up in the end, and at once when the image is another one', async () => {
    const broken = await open(() => {
      throw new Error('no route');
    });
    expect(() => broken.readSync?.(0, new Uint8Array(8))).toThrow(/no route; gave up after 5 attempts/);
    let count = 0;
    const other = await open((headers) => {
      count++;
      return answer(headers, { etag: '"two"' });
    });
    expect(() => other.readSync?.(0, new Uint8Array(8))).toThrow(Posix);
    expect(count).toBe(1);
    const longer = await open((headers) => answer(headers, { 'content-range': `bytes 0-7/${IMAGE.length + 1}` }));
    expect(() => longer.readSync?.(0, new Uint8Array(8))).toThrow(/its length went from/);
  });

  test('a platform that cannot wait gives sources that cannot be read at once', async () => {
    const source = await openHttp('https://example.org/disk.raw', {
      fetch: async (_, { headers }) => asResponse(answer(headers)),
      sleep: async () => undefined,
    });
    expect(source.readSync).toBeUndefined();
  });
});
