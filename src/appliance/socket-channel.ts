/** The connection to the client over a Unix socket. */
import * as net from 'node:net';
import type { Bytes } from '../bytes/struct.ts';
import { type Channel, Disconnected } from '../guestfs/channel.ts';
import { type Effect, type Io, perform } from '../io/effect.ts';
import { Inbox } from './inbox.ts';

/** Bytes that may wait to be received before the client is made to wait, and to be sent before a verb is. */
const WAITING_MAX = 1 << 20;
/** Bytes that are read from the socket at once. */
const READ_SIZE = 1 << 18;

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
  readonly #inbox: Inbox;
  #ended = false;
  /** Called when something arrived, or the socket can take more, or has ended. */
  #wake: (() => void) | undefined;

  private constructor(path: string) {
    const inbox = new Inbox(WAITING_MAX + READ_SIZE);
    // All reads go into the same memory: a new buffer for each would be garbage by the time it is seen.
    const socket = net.connect({
      path,
      onread: {
        buffer: new Uint8Array(READ_SIZE),
        callback: (length, bytes) => {
          inbox.append(bytes.subarray(0, length));
          if (inbox.length > WAITING_MAX) socket.pause();
          this.#wake?.();
          return true;
        },
      },
    });
    this.#inbox = inbox;
    this.#socket = socket;
    socket.on('drain', () => this.#wake?.());
    const end = (): void => this.end();
    socket.on('end', end);
    socket.on('close', end);
    socket.on('error', end);
  }

  static async connect(path: string): Promise<SocketChannel> {
    const channel = new SocketChannel(path);
    await new Promise<void>((resolve, reject) => {
      channel.#socket.once('connect', resolve);
      channel.#socket.once('error', reject);
    });
    return channel;
  }

  /** The client will send no more, or nobody wants to hear it. */
  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  *receive(length: number): Io<Bytes | undefined> {
    while (this.#inbox.length < length) {
      if (this.#ended) return undefined;
      if (this.#socket.isPaused()) this.#socket.resume();
      yield* perform(waitFor(() => this.#change()));
    }
    const bytes = this.#inbox.take(length);
    if (this.#inbox.length < WAITING_MAX / 2 && this.#socket.isPaused()) this.#socket.resume();
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

  *peekWord(): Io<number | undefined> {
    yield* perform(waitFor(() => new Promise<void>((resolve) => setImmediate(resolve))));
    return this.#inbox.peekWord();
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
}
