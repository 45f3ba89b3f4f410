/** The connection to the client as the message loop sees it. */
import type { Bytes } from '../bytes/struct.ts';
import { Posix } from '../errors.ts';
import type { Io } from '../io/effect.ts';

export interface Channel {
  /** Exactly so many bytes, which are good until the channel is used again; undefined when the client is gone. */
  receive(length: number): Io<Bytes | undefined>;
  /** Sends bytes in order; returns when not too much waits to be sent. Throws {@link Disconnected} when the client is gone. */
  send(bytes: Bytes): Io<void>;
  /** Lets what the client sends arrive, and shows the word that will be received next, if one is there. */
  peekWord(): Io<number | undefined>;
}

/** The client is gone: whatever was under way ends. */
export class Disconnected extends Posix {
  constructor() {
    super('EPIPE', {}, 'the client is gone');
  }
}

/** Receives what has to come; good until the channel is used again. */
export function* receiveAll(channel: Channel, length: number): Io<Bytes> {
  const bytes = yield* channel.receive(length);
  if (bytes === undefined) throw new Disconnected();
  return bytes;
}
