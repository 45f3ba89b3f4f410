/** The console: what the client shows when it is verbose. */
import * as fs from 'node:fs';
import * as net from 'node:net';

/** Bytes that may wait to be read; lines beyond are dropped, for a client that does not read must not stop the work. */
const WAITING_MAX = 1 << 16;

export class Console {
  readonly #socket: net.Socket | undefined;

  constructor(descriptor = 2) {
    this.#socket = fs.fstatSync(descriptor).isSocket() ? new net.Socket({ fd: descriptor, readable: false, writable: true }) : undefined;
    this.#socket?.on('error', () => {});
    this.#socket?.unref();
  }

  readonly line = (text: string): void => {
    if (this.#socket === undefined) process.stderr.write(`${text}\n`);
    else if (this.#socket.writableLength < WAITING_MAX) this.#socket.write(`${text}\n`);
  };
}
