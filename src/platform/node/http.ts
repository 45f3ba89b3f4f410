/** Images on web servers, for Node.js. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type FetchLike, type HttpOptions, type HttpPlatform, type HttpSource, openHttp } from '../http-range.ts';

export type { HttpOptions, HttpSource } from '../http-range.ts';

const platform: HttpPlatform = {
  fetch: fetch as unknown as FetchLike,
  sleep: (milliseconds) => sleep(milliseconds),
};

/** Opens an image by its http: or https: address; asynchronous only. See `openHttp` in `platform/http-range.ts`. */
export function openUrl(url: string, options: HttpOptions = {}): Promise<HttpSource> {
  return openHttp(url, platform, options);
}
