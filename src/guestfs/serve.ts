/** The daemon's message loop: one call after the other, each answered. */
import type { Bytes } from '../bytes/struct.ts';
import { type FunctionFacts, functionByNumber } from '../commands/api/facts.ts';
import { callVerb, FeatureMissing } from '../commands/verbs/call.ts';
import type { Handle } from '../commands/verbs/handle.ts';
import { GuestlessError, Posix, strerror } from '../errors.ts';
import type { Io } from '../io/effect.ts';
import { type Arguments, readArguments, writeResult } from './arguments.ts';
import { type Channel, Disconnected } from './channel.ts';
import { Cancelled, IncomingFile } from './incoming.ts';
import { OutgoingFile } from './outgoing.ts';
import {
  CALL,
  CANCEL_FLAG,
  type CallId,
  encodeError,
  encodeProgress,
  encodeReply,
  encodeWord,
  HEADER_SIZE,
  LAUNCH_FLAG,
  MESSAGE_MAX,
  PROGRAM,
  PROTOCOL_VERSION,
  readHeader,
} from './protocol.ts';
import { ProtocolError, XdrReader } from './xdr.ts';

export interface ServeOptions {
  /** Milliseconds of a clock that only goes forward. */
  milliseconds(): number;
  /** Hears about every call and every error. */
  log?(line: string): void;
}

/** When the first progress message of a call is sent, and then how often; milliseconds. */
const PROGRESS_FIRST = 2000;
const PROGRESS_NEXT = 333;

/** Says that the daemon is there, and serves calls until the client is gone. Throws ProtocolError when what it sends is no message. */
export function* serve(server: Server): Io<void> {
  yield* server.channel.send(encodeWord(LAUNCH_FLAG));
  for (;;) {
    const head = yield* server.channel.receive(4);
    if (head === undefined) return;
    const length = new DataView(head.buffer, head.byteOffset).getUint32(0);
    // The client cancelled a file that had ended already.
    if (length === CANCEL_FLAG) continue;
    if (length < HEADER_SIZE || length > MESSAGE_MAX) throw new ProtocolError(`a message of ${length} bytes`);
    const body = yield* server.channel.receive(length);
    if (body === undefined) return;
    try {
      // A copy: the arguments stay while files come and go through the channel.
      yield* server.answer(body.slice());
    } catch (error) {
      if (error instanceof Disconnected) return;
      throw error;
    }
  }
}

export class Server {
  readonly channel: Channel;
  readonly #handle: Handle;
  readonly #options: ServeOptions;
  /** The call that is worked on, and when its next progress message is due. */
  #current: { readonly id: CallId; due: number; told: boolean; total: number } | undefined;

  constructor(channel: Channel, handle: Handle, options: ServeOptions) {
    this.channel = channel;
    this.#handle = handle;
    this.#options = options;
  }

  /** Says how far the call is, if the time has come; the handle's `progress` leads here. */
  *progress(position: number, total: number): Io<void> {
    const current = this.#current;
    if (current === undefined) return;
    const now = this.#options.milliseconds();
    if (now < current.due) return;
    current.due = now + PROGRESS_NEXT;
    current.told = true;
    current.total = total;
    yield* this.channel.send(encodeProgress(current.id, Math.min(position, total), total));
  }

  /** Answers one message. */
  *answer(body: Bytes): Io<void> {
    const reader = new XdrReader(body);
    const header = readHeader(reader);
    const id: CallId = header;
    const started = this.#options.milliseconds();
    this.#current = { id, due: started + PROGRESS_FIRST, told: false, total: 0 };
    const facts = functionByNumber(header.procedure);
    this.#options.log?.(
      `guestfsd: <= ${facts?.name ?? 'unknown'} (0x${header.procedure.toString(16)}) request length ${body.length + 4} bytes`,
    );
    const wrong = checkHeader(header, facts);
    if (wrong !== undefined || facts === undefined) yield* this.#fail(id, new ProtocolError(wrong ?? 'unknown procedure'));
    else yield* this.#call(facts, id, header.progressHint, header.optionalBits, reader);
    this.#current = undefined;
    const seconds = (this.#options.milliseconds() - started) / 1000;
    this.#options.log?.(`guestfsd: => ${facts?.name ?? 'unknown'} (0x${header.procedure.toString(16)}) took ${seconds.toFixed(2)} secs`);
  }

  *#call(facts: FunctionFacts, id: CallId, hint: number, bits: bigint, reader: XdrReader): Io<void> {
    const fileIn = facts.arguments.find((argument) => argument.type === 'FileIn');
    const fileOut = facts.arguments.find((argument) => argument.type === 'FileOut');
    const incoming = fileIn && new IncomingFile(this.channel, (received) => (hint > 0 ? this.progress(received, hint) : nothing()));
    const outgoing = fileOut && new OutgoingFile(this.channel, id);
    try {
      const args: Arguments = readArguments(facts, bits, reader);
      if (fileIn !== undefined && incoming !== undefined) args[fileIn.name] = () => incoming.pull();
      if (fileOut !== undefined && outgoing !== undefined) args[fileOut.name] = (bytes: Bytes) => outgoing.push(bytes);
      const result = yield* callVerb(this.#handle, facts, args);
      yield* incoming?.drain(false) ?? nothing();
      yield* this.#finishProgress(id);
      if (outgoing !== undefined) yield* outgoing.finish();
      else yield* this.channel.send(encodeReply(id, (writer) => writeResult(facts, result, writer)));
    } catch (error) {
      if (error instanceof Disconnected) throw error;
      yield* incoming?.drain(true) ?? nothing();
      if (outgoing?.begun !== true) yield* this.#fail(id, error);
      else {
        if (!(error instanceof Cancelled)) this.#options.log?.(`guestfsd: error: ${messageOf(error)}`);
        yield* outgoing.breakOff();
      }
    }
  }

  /** When something was told of the progress, its end is told too. */
  *#finishProgress(id: CallId): Io<void> {
    if (this.#current?.told === true) yield* this.channel.send(encodeProgress(id, this.#current.total, this.#current.total));
  }

  *#fail(id: CallId, error: unknown): Io<void> {
    const message = messageOf(error);
    this.#options.log?.(`guestfsd: error: ${message}`);
    yield* this.channel.send(encodeError(id, errnoOf(error), message));
  }
}

function* nothing(): Io<void> {}

function checkHeader(header: ReturnType<typeof readHeader>, facts: FunctionFacts | undefined): string | undefined {
  const { program, version, direction, status, procedure } = header;
  if (program !== PROGRAM) return `wrong program (${program})`;
  if (version !== PROTOCOL_VERSION) return `wrong program version (${version})`;
  if (direction !== CALL) return `unexpected message direction (${direction})`;
  if (status !== 0) return `unexpected message status (${status})`;
  return facts === undefined
    ? `unknown procedure number ${procedure}, the client speaks of a function that guestless does not know`
    : undefined;
}

/** The name of the errno by which the client's library knows an error. */
export function errnoOf(error: unknown): string {
  if (error instanceof ProtocolError) return '';
  if (error instanceof FeatureMissing) return 'ENOTSUP';
  if (error instanceof Posix) return error.code === 'EOPNOTSUPP' ? 'ENOTSUP' : error.code;
  if (!(error instanceof GuestlessError)) return '';
  return { corrupt: 'EUCLEAN', unsupported: 'ENOTSUP', refused: 'EPERM', posix: '' }[error.family];
}

/** What to say of an error. */
function messageOf(error: unknown): string {
  // Clients look for the words of strerror(3), which libguestfs's own messages end with.
  if (error instanceof Posix && !(error instanceof ProtocolError)) {
    const words = strerror(error.code);
    return error.message.includes(words) ? error.message : `${error.message}: ${words}`;
  }
  if (error instanceof GuestlessError) return error.message;
  return `internal error: ${error instanceof Error ? error.message : String(error)}`;
}
