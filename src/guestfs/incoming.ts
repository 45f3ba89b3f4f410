/** A file that the client sends with a call. */
import type { Bytes } from '../bytes/struct.ts';
import { Posix } from '../errors.ts';
import type { Io } from '../io/effect.ts';
import { type Channel, receiveAll } from './channel.ts';
import { CANCEL_FLAG, decodeChunk, encodeWord, MESSAGE_MAX } from './protocol.ts';
import { ProtocolError } from './xdr.ts';

/** The client gave the call up. */
export class Cancelled extends Posix {
  constructor() {
    super('EINTR', {}, 'the operation was cancelled by the client');
  }
}

/** How many bytes of small chunks are joined before a verb sees them. */
const JOIN = 1 << 16;

export class IncomingFile {
  readonly #channel: Channel;
  readonly #progress: (received: number) => Io<void>;
  #received = 0;
  #ended = false;

  /** `progress` hears how many bytes have come. */
  constructor(channel: Channel, progress: (received: number) => Io<void>) {
    this.#channel = channel;
    this.#progress = progress;
  }

  /** The next bytes, undefined at the end. Throws Cancelled when the client gives up, Disconnected when it is gone. */
  *pull(): Io<Bytes | undefined> {
    if (this.#ended) return undefined;
    const parts: Bytes[] = [];
    let length = 0;
    while (length < JOIN) {
      const part = yield* this.#chunk();
      if (part === undefined) break;
      parts.push(part);
      length += part.length;
    }
    if (length === 0) return undefined;
    this.#received += length;
    yield* this.#progress(this.#received);
    if (parts.length === 1) return parts[0];
    const joined = new Uint8Array(length);
    let at = 0;
    for (const part of parts) {
      joined.set(part, at);
      at += part.length;
    }
    return joined;
  }

  *#chunk(): Io<Bytes | undefined> {
    if (this.#ended) return undefined;
    const { cancelled, data } = yield* this.#next();
    if (cancelled || data.length === 0) this.#ended = true;
    if (cancelled) throw new Cancelled();
    return data.length === 0 ? undefined : data;
  }

  *#next(): Io<{ readonly cancelled: boolean; readonly data: Bytes }> {
    for (;;) {
      const head = yield* receiveAll(this.#channel, 4);
      const length = new DataView(head.buffer, head.byteOffset).getUint32(0);
      // A client that cancels a file that it sends says so in a chunk; a bare word is left over from another call.
      if (length === CANCEL_FLAG) continue;
      if (length > MESSAGE_MAX) throw new ProtocolError(`a chunk of ${length} bytes`);
      return decodeChunk(yield* receiveAll(this.#channel, length));
    }
  }

  /**
   * Takes what the verb left, so that the next message is a call. `giveUp`: tells the client to stop sending. The client may not have heard
   * it when its file ends; then the end is as good.
   */
  *drain(giveUp: boolean): Io<void> {
    if (this.#ended) return;
    if (giveUp) yield* this.#channel.send(encodeWord(CANCEL_FLAG));
    while (!this.#ended) {
      const { cancelled, data } = yield* this.#next();
      this.#ended = cancelled || data.length === 0;
    }
  }
}
