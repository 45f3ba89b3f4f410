/** A file that the client sends with a call. */
import type { Bytes } from '../bytes/struct.ts';
import { Posix } from '../errors.ts';
import type { Io } from '../io/effect.ts';
import { type Channel, receiveAll } from './channel.ts';
import { CANCEL_FLAG, CHUNK_MAX, decodeChunk, encodeWord, MESSAGE_MAX } from './protocol.ts';
import { ProtocolError } from './xdr.ts';

/** The client gave the call up. */
export class Cancelled extends Posix {
  constructor() {
    super('EINTR', {}, 'the operation was cancelled by the client');
  }
}

/** How many bytes of small chunks are joined before a verb sees them: room for the first, which are all of most files, and the most. */
const JOIN_FIRST = 1 << 14;
const JOIN_MAX = 1 << 18;

export class IncomingFile {
  readonly #channel: Channel;
  readonly #progress: (received: number) => Io<void>;
  #received = 0;
  #room = JOIN_FIRST;
  #ended = false;

  /** `progress` hears how many bytes have come. */
  constructor(channel: Channel, progress: (received: number) => Io<void>) {
    this.#channel = channel;
    this.#progress = progress;
  }

  /** The next bytes, undefined at the end. Throws Cancelled when the client gives up, Disconnected when it is gone. */
  *pull(): Io<Bytes | undefined> {
    if (this.#ended) return undefined;
    let joined = new Uint8Array(this.#room);
    let length = 0;
    // A whole chunk fits as long as there is room for the largest.
    while (length + CHUNK_MAX <= JOIN_MAX) {
      const part = yield* this.#chunk();
      if (part === undefined) break;
      if (length + part.length > joined.length) {
        this.#room = Math.min(JOIN_MAX, 4 * joined.length);
        const larger = new Uint8Array(this.#room);
        larger.set(joined.subarray(0, length));
        joined = larger;
      }
      joined.set(part, length);
      length += part.length;
    }
    if (length === 0) return undefined;
    this.#received += length;
    yield* this.#progress(this.#received);
    return joined.subarray(0, length);
  }

  /** The data of the next chunk, good until the next one is received; undefined at the end. */
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
