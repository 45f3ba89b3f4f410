/** A file that is sent to the client in answer to a call. */
import type { Bytes } from '../bytes/struct.ts';
import type { Io } from '../io/effect.ts';
import type { Channel } from './channel.ts';
import { Cancelled } from './incoming.ts';
import { CANCEL_FLAG, type CallId, encodeChunks, encodeEnd, encodeReply } from './protocol.ts';

/** How many bytes are sent at once. */
const PIECE = 1 << 16;

export class OutgoingFile {
  readonly #channel: Channel;
  readonly #id: CallId;
  #begun = false;
  /** Bytes that wait until a piece is full. */
  #held = new Uint8Array(PIECE);
  #length = 0;

  constructor(channel: Channel, id: CallId) {
    this.#channel = channel;
    this.#id = id;
  }

  /** Whether the reply is under way: what fails from now on can only be told by breaking the file off. */
  get begun(): boolean {
    return this.#begun;
  }

  /** Sends bytes, soon. Throws Cancelled when the client wants no more, Disconnected when it is gone. */
  *push(bytes: Bytes): Io<void> {
    yield* this.#begin();
    for (let done = 0; done < bytes.length; ) {
      const part = bytes.subarray(done, done + PIECE - this.#length);
      this.#held.set(part, this.#length);
      this.#length += part.length;
      done += part.length;
      if (this.#length === PIECE) yield* this.#send();
    }
  }

  /** The file is complete. */
  *finish(): Io<void> {
    yield* this.#begin();
    if (this.#length > 0) yield* this.#send();
    yield* this.#channel.send(encodeEnd(false));
  }

  /** The file will not be complete. */
  *breakOff(): Io<void> {
    yield* this.#channel.send(encodeEnd(true));
  }

  *#begin(): Io<void> {
    if (this.#begun) return;
    this.#begun = true;
    yield* this.#channel.send(encodeReply(this.#id, () => {}));
  }

  *#send(): Io<void> {
    const bytes = encodeChunks(this.#held.subarray(0, this.#length));
    this.#length = 0;
    // Anything else is the next call, of a client that does not wait for answers.
    if ((yield* this.#channel.peekWord()) === CANCEL_FLAG) {
      yield* this.#channel.receive(4);
      throw new Cancelled();
    }
    yield* this.#channel.send(bytes);
  }
}
