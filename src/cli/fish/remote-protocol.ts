/** What passes between a shell that listens and those that send it commands: a letter, a length, and so many bytes. */
import * as fs from 'node:fs';
import type { Socket } from 'node:net';
import * as path from 'node:path';
import { Refused } from '../../errors.ts';

/** Longer messages are not taken. */
const MESSAGE_LIMIT = 16 << 20;
const HEADER = 5;

/**
 * `C` a command, `I` bytes of standard input (none: its end), from the client; `O` bytes of output, `S` a line of standard error, `N`: send
 * standard input, `R` the result, from the server.
 */
export type MessageKind = 'C' | 'I' | 'O' | 'S' | 'N' | 'R';

export interface Message {
  readonly kind: MessageKind;
  readonly bytes: Buffer;
}

export interface RemoteCommand {
  readonly name: string;
  readonly words: readonly string[];
  readonly forgiving: boolean;
}

/** Messages over a socket, both ways. */
export class MessageSocket {
  readonly #socket: Socket;
  readonly #messages: Message[] = [];
  #waiting: (() => void) | undefined;
  #ended = false;

  constructor(socket: Socket) {
    this.#socket = socket;
    let pieces: Buffer = Buffer.alloc(0);
    socket.on('data', (data: Buffer) => {
      pieces = pieces.length === 0 ? data : Buffer.concat([pieces, data]);
      while (pieces.length >= HEADER) {
        const length = pieces.readUInt32BE(1);
        if (length > MESSAGE_LIMIT) return void socket.destroy();
        if (pieces.length < HEADER + length) break;
        const kind = String.fromCharCode(pieces[0] ?? 0) as MessageKind;
        this.#messages.push({ kind, bytes: pieces.subarray(HEADER, HEADER + length) });
        pieces = pieces.subarray(HEADER + length);
      }
      this.#wake();
    });
    const end = (): void => {
      this.#ended = true;
      this.#wake();
    };
    socket.on('end', end);
    socket.on('close', end);
    socket.on('error', end);
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.();
  }

  /** The next message; undefined when the other side is gone. */
  async receive(): Promise<Message | undefined> {
    for (;;) {
      const message = this.#messages.shift();
      if (message !== undefined || this.#ended) return message;
      await new Promise<void>((resolve) => {
        this.#waiting = resolve;
      });
    }
  }

  /** Sends a message, and waits while too much is on its way. */
  async send(kind: MessageKind, bytes: Uint8Array | string = ''): Promise<void> {
    if (this.#ended) return;
    const body = typeof bytes === 'string' ? Buffer.from(bytes) : Buffer.from(bytes);
    const header = Buffer.alloc(HEADER);
    header.write(kind, 0, 'latin1');
    header.writeUInt32BE(body.length, 1);
    if (this.#socket.write(Buffer.concat([header, body]))) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        this.#socket.off('drain', done);
        this.#socket.off('close', done);
        resolve();
      };
      this.#socket.on('drain', done);
      this.#socket.on('close', done);
    });
  }

  end(): void {
    this.#socket.end();
  }
}

/** The folder of the sockets: only its owner may enter it. Throws Refused when somebody else could. */
function socketFolder(): string {
  const uid = process.geteuid?.() ?? 0;
  const folder = path.join(process.env['XDG_RUNTIME_DIR'] ?? '/tmp', `.guestless-fish-${uid}`);
  try {
    fs.mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const stat = fs.lstatSync(folder);
  if (!stat.isDirectory() || stat.uid !== uid || (stat.mode & 0o077) !== 0) {
    throw new Refused('it has to be a folder that only you can enter; remove it', { image: folder });
  }
  return folder;
}

/** The socket of the process that listens. */
export function socketName(process: string): string {
  return path.join(socketFolder(), `socket-${process}`);
}
