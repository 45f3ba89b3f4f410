/** Images on web servers, for browsers; the server has to allow the page by CORS, and to expose Content-Range and ETag to it. */
import { Refused } from '../../errors.ts';
import { type AnswerNow, type FetchLike, type HttpOptions, type HttpPlatform, type HttpSource, openHttp } from '../http-range.ts';

export type { HttpOptions, HttpSource } from '../http-range.ts';

// The cache of the browser is no use for ranges of an image, and could mix two versions.
const CACHE = 'no-store';

/** Lends what browsers have; for the browser does not say why a server of another site could not be asked, that is found out. */
function platformFor(url: string, foreign: boolean): HttpPlatform {
  let answered = false;
  return {
    foreign,
    fetch: (async (address: string, options: RequestInit) => {
      try {
        const response = await fetch(address, { ...options, cache: CACHE });
        answered = true;
        return response;
      } catch (error) {
        if (foreign && !answered && options.signal?.aborted !== true && (await isThere(url)))
          throw new Refused(NOT_ALLOWED, { image: url });
        throw error;
      }
    }) as unknown as FetchLike,
    sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
  };
}

const NOT_ALLOWED =
  'the server does not let pages of other sites read from it: it has to send Access-Control-Allow-Origin (CORS); or download the image and open the file';

/** Whether a server answers at all: this much a page may learn of any. */
function isThere(url: string): Promise<boolean> {
  return fetch(url, { mode: 'no-cors', method: 'HEAD', cache: CACHE }).then(
    () => true,
    () => false,
  );
}

function isForeign(url: string): boolean {
  try {
    return typeof location !== 'undefined' && new URL(url).origin !== location.origin;
  } catch {
    return false;
  }
}

/** A GET that is waited for. Only workers can: XMLHttpRequest refuses to give bytes to a page that waits. */
function requestNow(url: string, headers: Readonly<Record<string, string>>): AnswerNow {
  const request = new XMLHttpRequest();
  request.open('GET', url, false);
  request.responseType = 'arraybuffer';
  for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
  request.send();
  return {
    status: request.status,
    headers: { get: (name) => request.getResponseHeader(name) },
    body: new Uint8Array(request.response as ArrayBuffer),
  };
}

export interface UrlOptions extends HttpOptions {
  /** In a worker: whoever reads waits for the server, so that the source can be used synchronously too. */
  readonly synchronous?: boolean;
}

/** Opens an image by its http: or https: address; asynchronous, unless the options say otherwise. See `openHttp` in `platform/http-range.ts`. */
export function openUrl(url: string, options: UrlOptions = {}): Promise<HttpSource> {
  const platform = platformFor(url, isForeign(url));
  return openHttp(url, options.synchronous === true ? { ...platform, requestNow } : platform, options);
}
