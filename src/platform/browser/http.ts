/** Images on web servers, for browsers; the server has to allow the page by CORS, and to expose Content-Range and ETag to it. */
import { type AnswerNow, type FetchLike, type HttpOptions, type HttpPlatform, type HttpSource, openHttp } from '../http-range.ts';

export type { HttpOptions, HttpSource } from '../http-range.ts';

const platform: HttpPlatform = {
  // The cache of the browser is no use for ranges of an image, and could mix two versions.
  fetch: ((url: string, options: RequestInit) => fetch(url, { ...options, cache: 'no-store' })) as unknown as FetchLike,
  sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
};

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
  return openHttp(url, options.synchronous === true ? { ...platform, requestNow } : platform, options);
}
