/** Images on web servers, for browsers; the server has to allow the page by CORS, and to expose Content-Range and ETag to it. */
import { type FetchLike, type HttpOptions, type HttpPlatform, type HttpSource, openHttp } from '../http-range.ts';

export type { HttpOptions, HttpSource } from '../http-range.ts';

const platform: HttpPlatform = {
  // The cache of the browser is no use for ranges of an image, and could mix two versions.
  fetch: ((url: string, options: RequestInit) => fetch(url, { ...options, cache: 'no-store' })) as unknown as FetchLike,
  sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
};

/** Opens an image by its http: or https: address; asynchronous only. See `openHttp` in `platform/http-range.ts`. */
export function openUrl(url: string, options: HttpOptions = {}): Promise<HttpSource> {
  return openHttp(url, platform, options);
}
