/** A client of the daemon protocol in memory: what it sends is written down before, what it gets is read afterwards. */
import type { Bytes } from '../../src/bytes/struct.ts';
import { functionFacts } from '../../src/commands/api/facts.ts';
import { type DriveOptions, Handle } from '../../src/commands/verbs/handle.ts';
import { type Channel, Disconnected, HEADER_SIZE, PROGRAM, PROTOCOL_VERSION, XdrReader, XdrWriter } from '../../src/guestfs/index.ts';
import { Server, serve } from '../../src/guestfs/serve.ts';
import { runSync } from '../../src/io/drivers.ts';
import type { Io } from '../../src/io/effect.ts';
import { nodeHandleHost } from '../../src/library/drive.ts';

export class MemoryChannel implements Channel {
  readonly sent: Bytes[] = [];
  #input: Bytes;
  /** How many bytes go out before the client is gone. */
  readonly #room: number;
  #out = 0;
  /** Bytes that show up once so many have been sent. */
  readonly #late: { readonly after: number; readonly bytes: Bytes } | undefined;

  constructor(input: Bytes, options: { readonly room?: number; readonly late?: { readonly after: number; readonly bytes: Bytes } } = {}) {
    this.#input = input;
    this.#room = options.room ?? Number.POSITIVE_INFINITY;
    this.#late = options.late;
  }

  // biome-ignore lint/correctness/useYield: everything is in memory
  *receive(length: number): Io<Bytes | undefined> {
    if (this.#input.length < length) return undefined;
    const bytes = this.#input.slice(0, length);
    this.#input = this.#input.subarray(length);
    return bytes;
  }

  // biome-ignore lint/correctness/useYield: everything is in memory
  *send(bytes: Bytes): Io<void> {
    this.#out += bytes.length;
    if (this.#out > this.#room) throw new Disconnected();
    const before = this.#out - bytes.length;
    if (this.#late !== undefined && before <= this.#late.after && this.#out > this.#late.after)
      this.#input = join([this.#late.bytes, this.#input]);
    this.sent.push(bytes.slice());
  }

  // biome-ignore lint/correctness/useYield: everything is in memory
  *peekWord(): Io<number | undefined> {
    return this.#input.length < 4 ? undefined : new DataView(this.#input.buffer, this.#input.byteOffset).getUint32(0);
  }
}

export function join(parts: readonly Bytes[]): Bytes {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

let serial = 0x123400;

/** The message of a call; `write` writes its arguments. */
export function callMessage(
  name: string | number,
  write: (writer: XdrWriter) => void = () => {},
  header: {
    readonly bits?: bigint;
    readonly hint?: number;
    readonly program?: number;
    readonly version?: number;
    readonly direction?: number;
  } = {},
): Bytes {
  const writer = new XdrWriter();
  writer.uint(0);
  writer.uint(header.program ?? PROGRAM);
  writer.uint(header.version ?? PROTOCOL_VERSION);
  writer.uint(typeof name === 'number' ? name : (functionFacts(name)?.number ?? 0));
  writer.uint(header.direction ?? 0);
  writer.uint(serial++);
  writer.uhyper(header.hint ?? 0);
  writer.uhyper(header.bits ?? 0n);
  writer.uint(0);
  write(writer);
  const bytes = writer.bytes.slice();
  new DataView(bytes.buffer).setUint32(0, bytes.length - 4);
  return bytes;
}

const encoder = new TextEncoder();
export const text = (value: string) => encoder.encode(value);

/** A chunk of a file that the client sends; without data it ends the file. */
export function chunk(data: Bytes = new Uint8Array(0), cancelled = false): Bytes {
  const writer = new XdrWriter();
  writer.uint(0);
  writer.int(cancelled ? 1 : 0);
  writer.opaque(data);
  const bytes = writer.bytes.slice();
  new DataView(bytes.buffer).setUint32(0, bytes.length - 4);
  return bytes;
}

export interface Reply {
  readonly kind: 'reply' | 'error' | 'chunk' | 'word' | 'progress';
  readonly word?: number;
  readonly procedure?: number;
  readonly serial?: number;
  readonly errno?: string;
  readonly message?: string;
  readonly body?: XdrReader;
  readonly data?: Bytes;
  readonly cancelled?: boolean;
}

/** What the client would make of the bytes that it gets. Inside of a file, messages are chunks. */
export function readReplies(bytes: Bytes, isFileOut: (procedure: number) => boolean = () => false): Reply[] {
  const replies: Reply[] = [];
  let inFile = false;
  for (let at = 0; at < bytes.length; ) {
    const view = new DataView(bytes.buffer, bytes.byteOffset + at);
    const word = view.getUint32(0);
    if (word === 0xffff5555) {
      replies.push({ kind: 'progress', word });
      at += 28;
      continue;
    }
    if (word > 4 << 20) {
      replies.push({ kind: 'word', word });
      at += 4;
      continue;
    }
    const body = bytes.subarray(at + 4, at + 4 + word);
    if (body.length !== word) throw new Error(`the last message has ${body.length} bytes of ${word}`);
    at += 4 + word;
    const reader = new XdrReader(body);
    if (inFile) {
      const cancelled = reader.int() !== 0;
      const data = reader.opaque();
      if (data.length === 0) inFile = false;
      replies.push({ kind: 'chunk', cancelled, data });
      continue;
    }
    if (word < HEADER_SIZE) throw new Error(`a message of ${word} bytes`);
    const [program, version, procedure, direction, number] = [reader.uint(), reader.uint(), reader.uint(), reader.uint(), reader.uint()];
    if (program !== PROGRAM || version !== PROTOCOL_VERSION || direction !== 1) throw new Error('not a reply');
    reader.uhyper();
    reader.uhyper();
    const failed = reader.uint() === 1;
    const decode = (value: Bytes) => new TextDecoder().decode(value);
    if (failed)
      replies.push({ kind: 'error', procedure, serial: number, errno: decode(reader.opaque()), message: decode(reader.opaque()) });
    else {
      replies.push({ kind: 'reply', procedure, serial: number, body: reader });
      inFile = isFileOut(procedure);
    }
  }
  return replies;
}

export interface Conversation {
  readonly replies: Reply[];
  readonly handle: Handle;
}

/** Lets the daemon answer `input` over a handle with these drives. */
export function converse(
  input: readonly Bytes[],
  drives: readonly DriveOptions[],
  options: {
    readonly room?: number;
    readonly late?: { readonly after: number; readonly bytes: Bytes };
    readonly milliseconds?: () => number;
  } = {},
): Conversation {
  const channel = new MemoryChannel(join(input), options);
  let server: Server | undefined;
  const handle = new Handle(
    {
      ...nodeHandleHost(() => {}),
      *progress(position, total) {
        yield* server?.progress(position, total) ?? [];
      },
    },
    drives,
  );
  server = new Server(channel, handle, { milliseconds: options.milliseconds ?? (() => 0) });
  runSync(serve(server));
  const fileOut = (procedure: number): boolean =>
    [...['download', 'ls0', 'find0', 'tar_out', 'base64_out']].some((name) => functionFacts(name)?.number === procedure);
  return { replies: readReplies(join(channel.sent), fileOut), handle };
}
