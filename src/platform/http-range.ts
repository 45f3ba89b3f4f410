/**
 * A remote image as a byte source, by HTTP range requests (RFC 9110, sections 13 and 14). Asynchronous; also synchronous where the platform can
 * wait for an answer (workers of browsers can).
 *
 * Shared by Node.js and browsers, which both have `fetch`; it is handed in, so that this file needs the types of neither.
 */
import type { Bytes } from '../bytes/struct.ts';
import { GuestlessError, Posix, Refused, Unsupported } from '../errors.ts';
import type { AbortSignalLike } from '../io/effect.ts';
import type { ByteSource } from '../io/source.ts';

/** The part of the Fetch standard's Response that is used here. */
export interface ResponseLike {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  readonly body: { cancel(): Promise<void>; getReader(): ReaderLike } | null;
}

/** The part of a ReadableStreamDefaultReader that is used here. */
export interface ReaderLike {
  read(): Promise<{ readonly done: boolean; readonly value?: Bytes | undefined }>;
  cancel(): Promise<void>;
}

/** The part of `fetch` that is used here; `signal` is passed on as it was given. */
export type FetchLike = (
  url: string,
  options: { readonly method: string; readonly headers: Readonly<Record<string, string>>; readonly signal?: AbortSignalLike },
) => Promise<ResponseLike>;

/** A whole answer, for those who wait for it. */
export interface AnswerNow {
  readonly status: number;
  readonly headers: ResponseLike['headers'];
  readonly body: Bytes;
}

export interface HttpOptions {
  /** Sent with every request: for authorization. */
  readonly headers?: Readonly<Record<string, string>>;
  /** How often a request is repeated after a network error, 408, 429 or 5xx; default 4. */
  readonly retries?: number;
  /** The wait before the first repetition in milliseconds, doubled each time; default 200. `Retry-After` in seconds is obeyed up to 30. */
  readonly backOff?: number;
  /** See {@link ByteSource.preferredRequest}; default 256 KiB, since a request has a price whatever its size. */
  readonly preferredRequest?: number;
  readonly signal?: AbortSignalLike;
}

/** What the platform lends: `fetch` and a clock. */
export interface HttpPlatform {
  readonly fetch: FetchLike;
  sleep(milliseconds: number): Promise<void>;
  /** Given when the server belongs to another site than the page: it is not sent preconditions, which it would have to allow (CORS). */
  readonly foreign?: boolean;
  /** Sends a GET and waits for the answer. Throws when there is none. Where this is given, sources have `readSync`. */
  readonly requestNow?: (url: string, headers: Readonly<Record<string, string>>) => AnswerNow;
}

const DEFAULT_RETRIES = 4;
const DEFAULT_BACK_OFF_MS = 200;
const DEFAULT_REQUEST = 262_144;
const MAX_RETRY_AFTER_MS = 30_000;
/** One request asks for no more than this; longer reads are several. */
const MAX_REQUEST = 16 << 20;

interface ContentRange {
  readonly first: number;
  readonly last: number;
  readonly total: number;
}

/** `bytes FIRST-LAST/TOTAL`; undefined for anything else, an unknown total included. */
function parseContentRange(text: string | null): ContentRange | undefined {
  const match = /^bytes (\d{1,16})-(\d{1,16})\/(\d{1,16})$/.exec(text ?? '');
  if (match === null) return undefined;
  const [first, last, total] = match.slice(1).map(Number) as [number, number, number];
  return first <= last && last < total && Number.isSafeInteger(total) ? { first, last, total } : undefined;
}

function lengthOf({ first, last }: ContentRange): number {
  return last - first + 1;
}

function endedEarly(got: number, range: ContentRange): string {
  return `the connection ended after ${got} of ${lengthOf(range)} bytes`;
}

function mayRepeat(status: number): boolean {
  return status === 408 || status === 429 || status >= 500;
}

/** An image on a web server. Made by `openUrl`. */
export class HttpSource implements ByteSource {
  readonly name: string;
  readonly identity: string;
  readonly size: number;
  readonly preferredRequest: number;
  /** As `readAsync`; undefined where answers cannot be waited for. */
  readonly readSync?: (offset: number, target: Bytes) => number;
  readonly #requests: Requests;

  constructor(requests: Requests, size: number, preferredRequest: number) {
    this.name = requests.url;
    this.identity = `url:${requests.url}`;
    this.size = size;
    this.preferredRequest = preferredRequest;
    this.#requests = requests;
    if (requests.canWait) this.readSync = (offset, target) => this.#readNow(offset, target);
  }

  /** Throws Posix EIO when the server fails or the image changed since it was opened, Refused when the server ignores ranges. */
  async readAsync(offset: number, target: Bytes, signal?: AbortSignalLike): Promise<number> {
    let done = 0;
    for (const part of this.#parts(offset, target)) {
      this.#compareLength(await this.#requests.range(offset + done, part, signal));
      done += part.length;
    }
    return done;
  }

  #readNow(offset: number, target: Bytes): number {
    let done = 0;
    for (const part of this.#parts(offset, target)) {
      this.#compareLength(this.#requests.rangeNow(offset + done, part));
      done += part.length;
    }
    return done;
  }

  /** The pieces of `target` that are asked for one by one, as far as the image goes. */
  #parts(offset: number, target: Bytes): Bytes[] {
    const wanted = Math.min(target.length, this.size - offset);
    const parts: Bytes[] = [];
    for (let done = 0; done < wanted; done += MAX_REQUEST) parts.push(target.subarray(done, Math.min(wanted, done + MAX_REQUEST)));
    return parts;
  }

  #compareLength({ total }: ContentRange): void {
    if (total !== this.size) throw changed(this.name, `its length went from ${this.size} to ${total} bytes`);
  }
}

function changed(url: string, how: string): Posix {
  return new Posix('EIO', { image: url }, `the image on the server changed while it was open (${how}); open it again`);
}

/** Requests for ranges of one resource, in the version that the first answer had. */
class Requests {
  readonly url: string;
  readonly #platform: HttpPlatform;
  readonly #options: HttpOptions;
  /** The version: a strong ETag or a date. A weak ETag (W/...) does not promise equal bytes. */
  #etag: string | undefined;
  #modified: string | undefined;
  #first = true;

  constructor(url: string, platform: HttpPlatform, options: HttpOptions) {
    this.url = url;
    this.#platform = platform;
    this.#options = options;
  }

  /** Fills `target` from `offset`; repeats what may succeed later. */
  async range(offset: number, target: Bytes, signal: AbortSignalLike | undefined): Promise<ContentRange> {
    const retries = this.#options.retries ?? DEFAULT_RETRIES;
    let wait = this.#options.backOff ?? DEFAULT_BACK_OFF_MS;
    for (let attempt = 0; ; attempt++) {
      signal?.throwIfAborted();
      let problem: string;
      let pause = wait;
      try {
        const response = await this.#send(offset, target.length, signal);
        if (!mayRepeat(response.status)) {
          const range = await this.#accept(response, offset, target.length);
          const got = await fill(response, target.subarray(0, lengthOf(range)));
          if (got === lengthOf(range)) return range;
          problem = endedEarly(got, range);
        } else {
          problem = `the server answered ${response.status}`;
          const after = Number(response.headers.get('retry-after') ?? Number.NaN);
          if (after >= 0) pause = Math.min(Math.max(wait, after * 1000), MAX_RETRY_AFTER_MS);
          await response.body?.cancel();
        }
      } catch (error) {
        if (error instanceof GuestlessError) throw error;
        signal?.throwIfAborted();
        problem = describe(error);
      }
      if (attempt >= retries) throw this.#gaveUp(problem, offset, attempt);
      await this.#sleep(pause, signal);
      wait *= 2;
    }
  }

  get canWait(): boolean {
    return this.#platform.requestNow !== undefined;
  }

  /** As {@link range}, waiting for the answers; repeats at once, since nothing can be slept through here. */
  rangeNow(offset: number, target: Bytes): ContentRange {
    const retries = this.#options.retries ?? DEFAULT_RETRIES;
    for (let attempt = 0; ; attempt++) {
      let problem: string;
      try {
        const answer = this.#platform.requestNow?.(this.url, this.#headers(offset, target.length));
        if (answer === undefined) throw new Refused('answers cannot be waited for here', { image: this.url });
        if (!mayRepeat(answer.status)) {
          const range = this.#judge(answer, offset, target.length);
          const body = answer.body.subarray(0, lengthOf(range));
          target.set(body);
          if (body.length === lengthOf(range)) return range;
          problem = endedEarly(body.length, range);
        } else problem = `the server answered ${answer.status}`;
      } catch (error) {
        if (error instanceof GuestlessError) throw error;
        problem = describe(error);
      }
      if (attempt >= retries) throw this.#gaveUp(problem, offset, attempt);
    }
  }

  #gaveUp(problem: string, offset: number, attempt: number): Posix {
    return new Posix('EIO', { image: this.url, offset }, `${problem}; gave up after ${attempt + 1} attempts`);
  }

  #send(offset: number, length: number, signal: AbortSignalLike | undefined): Promise<ResponseLike> {
    // `fetch` itself asks for unpacked bytes when there is a range.
    const options = { method: 'GET', headers: this.#headers(offset, length) };
    return this.#platform.fetch(this.url, signal === undefined ? options : { ...options, signal });
  }

  #headers(offset: number, length: number): Readonly<Record<string, string>> {
    const headers: Record<string, string> = { ...this.#options.headers, range: `bytes=${offset}-${offset + length - 1}` };
    // What the answers say of the version is compared in any case.
    if (this.#platform.foreign === true) return headers;
    if (this.#etag !== undefined) headers['if-match'] = this.#etag;
    else if (this.#modified !== undefined) headers['if-unmodified-since'] = this.#modified;
    return headers;
  }

  /** Judges the head of an answer; throws with the body cancelled, so that nothing is downloaded in vain. */
  async #accept(response: ResponseLike, offset: number, length: number): Promise<ContentRange> {
    try {
      return this.#judge(response, offset, length);
    } catch (error) {
      await response.body?.cancel().catch(() => undefined);
      throw error;
    }
  }

  #judge({ status, headers }: Pick<ResponseLike, 'status' | 'headers'>, offset: number, length: number): ContentRange {
    const where = { image: this.url };
    if (status === 412) throw changed(this.url, 'the server says: precondition failed');
    if (status === 416)
      throw this.#first ? new Unsupported('empty images', 'the resource is empty', where) : changed(this.url, 'it became shorter');
    if (status === 200) throw new Refused('the server ignores range requests and would send the whole image; download it first', where);
    if (status === 401 || status === 403) throw new Posix('EACCES', where, `the server answered ${status}`);
    if (status === 404 || status === 410) {
      if (!this.#first) throw changed(this.url, `the server answered ${status}`);
      throw new Posix('ENOENT', where, `the server answered ${status}`);
    }
    if (status !== 206) throw new Posix('EIO', where, `the server answered ${status} to a range request`);
    const encoding = headers.get('content-encoding');
    if (encoding !== null && encoding !== 'identity') throw new Refused(`the server packs ranges (content-encoding: ${encoding})`, where);
    const range = parseContentRange(headers.get('content-range'));
    if (range === undefined) {
      const hint = this.#platform.foreign === true ? '; it has to send Access-Control-Expose-Headers: Content-Range, ETag' : '';
      throw new Refused(`the server's answer has no usable content-range (${headers.get('content-range') ?? 'none'})${hint}`, where);
    }
    const last = Math.min(offset + length, range.total) - 1;
    if (range.first !== offset || range.last !== last) {
      throw new Posix('EIO', { ...where, offset }, `the server sent bytes ${range.first}-${range.last} instead of ${offset}-${last}`);
    }
    this.#compareVersion(headers);
    return range;
  }

  /** Not every server heeds preconditions: what it says of the version is compared here as well. */
  #compareVersion(headers: ResponseLike['headers']): void {
    const etag = headers.get('etag') ?? undefined;
    const strong = etag !== undefined && !etag.startsWith('W/') ? etag : undefined;
    const modified = headers.get('last-modified') ?? undefined;
    if (this.#first) {
      this.#etag = strong;
      this.#modified = modified;
      this.#first = false;
      return;
    }
    if (this.#etag !== undefined && strong !== undefined && strong !== this.#etag)
      throw changed(this.url, `its ETag went from ${this.#etag} to ${strong}`);
    if (this.#modified !== undefined && modified !== undefined && modified !== this.#modified) {
      throw changed(this.url, `it was modified ${modified}, before ${this.#modified}`);
    }
  }

  /** Waits, but not beyond an abort. */
  async #sleep(milliseconds: number, signal: AbortSignalLike | undefined): Promise<void> {
    const sleeping = this.#platform.sleep(milliseconds);
    if (signal?.addEventListener === undefined) await sleeping;
    else
      await Promise.race([sleeping, new Promise<void>((resolve) => signal.addEventListener?.('abort', () => resolve(), { once: true }))]);
    signal?.throwIfAborted();
  }
}

/** Puts the body into `target`; returns how many bytes came. A body that is longer is cut off. */
async function fill(response: ResponseLike, target: Bytes): Promise<number> {
  const reader = response.body?.getReader();
  if (reader === undefined) return 0;
  let done = 0;
  while (done < target.length) {
    const { value, done: ended } = await reader.read();
    if (value !== undefined) {
      target.set(value.subarray(0, target.length - done), done);
      done += Math.min(value.length, target.length - done);
    }
    if (ended) return done;
  }
  await reader.cancel();
  return done;
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof Error ? error.cause.message : undefined;
  return cause === undefined || cause === '' ? error.message : `${error.message} (${cause})`;
}

/**
 * Opens an image on a web server with a first range request of one byte: it proves that ranges work, gives the size, and pins the
 * version (ETag or Last-Modified); a later answer of another version is Posix EIO. Throws Refused when the server ignores ranges.
 */
export async function openHttp(url: string, platform: HttpPlatform, options: HttpOptions = {}): Promise<HttpSource> {
  if (!/^https?:\/\//i.test(url)) throw new Refused('only http: and https: addresses can be opened', { image: url });
  const requests = new Requests(url, platform, options);
  const { total } = await requests.range(0, new Uint8Array(1), options.signal);
  return new HttpSource(requests, total, options.preferredRequest ?? DEFAULT_REQUEST);
}
