/** The connection to the client over a Unix socket. */
import * as net from 'node:net';
import type { Bytes } from '../bytes/struct.ts';
import { type Channel, Disconnected } from '../guestfs/channel.ts';
import { type Effect, type Io, perform } from '../io/effect.ts';

/** Bytes that may wait to be received before the client is made to wait, and to be sent before a verb is. */
const WAITING_MAX = 1 << 20;

/** A step that has to be waited for. */
function waitFor<T>(promise: () => Promise<T>): Effect<T> {
  return {
    waits: true,
    sync() {
      throw new TypeError('this cannot be done at once');
    },
    async: promise,
  };
}

export class SocketChannel implements Channel {
  readonly #socket: net.Socket;
  readonly #pieces: Bytes[] = [];
  #length = 0;
  #ended = false;
  /** Called when something arrived, or the socket can take more, or has ended. */
  #wake: (() => void) | undefined;

  private constructor(socket: net.Socket) {
    this.#socket = socket;
    socket.on('data', (bytes) => {
      this.#pieces.push(bytes);
      this.#length += bytes.length;
      if (this.#length > WAITING_MAX) socket.pause();
      this.#wake?.();
    });
    socket.on('drain', () => this.#wake?.());
    const end = (): void => this.end();
    socket.on('end', end);
    socket.on('close', end);
    socket.on('error', end);
  }

  static async connect(path: string): Promise<SocketChannel> {
    const socket = net.connect(path);
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return new SocketChannel(socket);
  }

  /** The client will send no more, or nobody wants to hear it. */
  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  *receive(length: number): Io<Bytes | undefined> {
    while (this.#length < length) {
      if (this.#ended) return undefined;
      if (this.#socket.isPaused()) this.#socket.resume();
      yield* perform(waitFor(() => this.#change()));
    }
    const bytes = this.#take(length);
    if (this.#length < WAITING_MAX / 2 && this.#socket.isPaused()) this.#socket.resume();
    return bytes;
  }

  *send(bytes: Bytes): Io<void> {
    if (this.#ended) throw new Disconnected();
    this.#socket.write(bytes);
    while (this.#socket.writableLength > WAITING_MAX) {
      yield* perform(waitFor(() => this.#change()));
      if (this.#ended) throw new Disconnected();
    }
  }

  *waiting(): Io<number> {
    yield* perform(waitFor(() => new Promise<void>((resolve) => setImmediate(resolve))));
    return this.#length;
  }

  /** Waits until what was sent has left this process. */
  async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#socket.end(resolve);
      this.#socket.once('close', () => resolve());
      setTimeout(resolve, 1000).unref();
    });
    this.#socket.destroy();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = undefined;
        resolve();
      };
      if (this.#ended) this.#wake();
    });
  }

  #take(length: number): Bytes {
    const bytes = new Uint8Array(length);
    let at = 0;
    while (at < length) {
      const piece = this.#pieces[0] as Bytes;
      const part = Math.min(piece.length, length - at);
      bytes.set(piece.subarray(0, part), at);
      at += part;
      if (part === piece.length) this.#pieces.shift();
      else this.#pieces[0] = piece.subarray(part);
    }
    this.#length -= length;
    return bytes;
  }
}
