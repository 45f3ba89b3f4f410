/** The connection to the client as the message loop sees it. */
import type { Bytes } from '../bytes/struct.ts';
import { Posix } from '../errors.ts';
import type { Io } from '../io/effect.ts';

export interface Channel {
  /** Exactly so many bytes; undefined when the client is gone. They may be changed and kept. */
  receive(length: number): Io<Bytes | undefined>;
  /** Sends bytes in order; returns when not too much waits to be sent. Throws {@link Disconnected} when the client is gone. */
  send(bytes: Bytes): Io<void>;
  /** Lets what the client sends arrive, and tells how many bytes wait to be received. */
  waiting(): Io<number>;
}

/** The client is gone: whatever was under way ends. */
export class Disconnected extends Posix {
  constructor() {
    super('EPIPE', {}, 'the client is gone');
  }
}

/** Receives what has to come. */
export function* receiveAll(channel: Channel, length: number): Io<Bytes> {
  const bytes = yield* channel.receive(length);
  if (bytes === undefined) throw new Disconnected();
  return bytes;
}
