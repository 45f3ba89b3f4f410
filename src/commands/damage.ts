/** What a long command meets and goes on behind. */
import { decodeName } from '../bytes/text.ts';
import type { GuestlessError } from '../errors.ts';
import type { Host } from './host.ts';

/** Tells what could not be read, and keeps the exit status that says so: the gravest of all. */
export class Damage {
  readonly #host: Host;
  #status = 0;

  constructor(host: Host) {
    this.#host = host;
  }

  get status(): number {
    return this.#status;
  }

  readonly onError = (error: GuestlessError, path: Uint8Array): void => {
    this.#host.warn(`${decodeName(path)}: ${error.message}`);
    this.#status = Math.max(this.#status, error.family === 'corrupt' ? 4 : error.family === 'unsupported' ? 3 : 1);
  };
}
