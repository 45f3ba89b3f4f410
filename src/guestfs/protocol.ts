/** The constants and the frame of the daemon protocol; facts from libguestfs's common/protocol/guestfs_protocol.x. */
import type { Bytes } from '../bytes/struct.ts';
import { ProtocolError, XdrReader, XdrWriter } from './xdr.ts';

export const PROGRAM = 0x2000f5f5;
export const PROTOCOL_VERSION = 4;
/** The longest message, in bytes. */
export const MESSAGE_MAX = 4 << 20;
/** The most data in a chunk of a file. */
export const CHUNK_MAX = 8192;
export const ERROR_MAX = 65_536;
export const ERRNO_MAX = 32;

/** Words that stand where the length of a message would. */
export const LAUNCH_FLAG = 0xf5f55ff5;
export const CANCEL_FLAG = 0xffffeeee;
export const PROGRESS_FLAG = 0xffff5555;

export const CALL = 0;
export const REPLY = 1;
const OK = 0;
const ERROR = 1;

/** Bytes of a header. */
export const HEADER_SIZE = 40;

/** The head of every message. */
export interface Header {
  readonly program: number;
  readonly version: number;
  readonly procedure: number;
  readonly direction: number;
  readonly serial: number;
  /** Bytes of the file that will follow; 0 when unknown. */
  readonly progressHint: number;
  /** Bit i: optional argument i is given. */
  readonly optionalBits: bigint;
  readonly status: number;
}

/** Which call is answered. */
export interface CallId {
  readonly procedure: number;
  readonly serial: number;
}

export function readHeader(reader: XdrReader): Header {
  return {
    program: reader.uint(),
    version: reader.uint(),
    procedure: reader.uint(),
    direction: reader.uint(),
    serial: reader.uint(),
    progressHint: Number(reader.uhyper()),
    optionalBits: reader.uhyper(),
    status: reader.uint(),
  };
}

/** A message with its length in front. */
function frame(write: (writer: XdrWriter) => void): Bytes {
  const writer = new XdrWriter();
  writer.uint(0);
  write(writer);
  const { bytes } = writer;
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(0, bytes.length - 4);
  return bytes;
}

function writeReplyHeader(writer: XdrWriter, { procedure, serial }: CallId, status: number): void {
  writer.uint(PROGRAM);
  writer.uint(PROTOCOL_VERSION);
  writer.uint(procedure);
  writer.uint(REPLY);
  writer.uint(serial);
  writer.uhyper(0);
  writer.uhyper(0);
  writer.uint(status);
}

/** A reply; `result` writes what the function returns. Throws ProtocolError when it is longer than a message may be. */
export function encodeReply(id: CallId, result: (writer: XdrWriter) => void): Bytes {
  const bytes = frame((writer) => {
    writeReplyHeader(writer, id, OK);
    result(writer);
  });
  if (bytes.length - 4 > MESSAGE_MAX)
    throw new ProtocolError(`guestfsd: failed to encode reply body: it has ${bytes.length} bytes, a message at most ${MESSAGE_MAX}`);
  return bytes;
}

const encoder = new TextEncoder();

/** A reply that says what went wrong: the name of the errno, or nothing, and a text. */
export function encodeError(id: CallId, errno: string, message: string): Bytes {
  return frame((writer) => {
    writeReplyHeader(writer, id, ERROR);
    writer.opaque(encoder.encode(errno).subarray(0, ERRNO_MAX));
    writer.opaque(encoder.encode(message.replaceAll('\0', '')).subarray(0, ERROR_MAX));
  });
}

/** How far the call is. */
export function encodeProgress({ procedure, serial }: CallId, position: number, total: number): Bytes {
  const writer = new XdrWriter();
  writer.uint(PROGRESS_FLAG);
  writer.uint(procedure);
  writer.uint(serial);
  writer.uhyper(Math.max(0, Math.round(position)));
  writer.uhyper(Math.max(0, Math.round(total)));
  return writer.bytes;
}

export function encodeWord(word: number): Bytes {
  const writer = new XdrWriter();
  writer.uint(word);
  return writer.bytes;
}

/** Bytes that a chunk has beside its data: length, cancel, and the data's length. */
const CHUNK_HEAD = 12;

/** A file's data in chunks, as many as it takes, in one piece of memory. */
export function encodeChunks(data: Bytes): Bytes {
  const count = Math.ceil(data.length / CHUNK_MAX);
  const bytes = new Uint8Array(count * CHUNK_HEAD + data.length + 3);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (let done = 0; done < data.length; done += CHUNK_MAX) {
    const part = data.subarray(done, done + CHUNK_MAX);
    const padded = (part.length + 3) & ~3;
    view.setUint32(at, 8 + padded);
    view.setUint32(at + 8, part.length);
    bytes.set(part, at + CHUNK_HEAD);
    at += CHUNK_HEAD + padded;
  }
  return bytes.subarray(0, at);
}

/** The chunk behind the last one of a file: it went well, or it is given up. */
export function encodeEnd(cancelled: boolean): Bytes {
  return frame((writer) => {
    writer.int(cancelled ? 1 : 0);
    writer.uint(0);
  });
}

/** A chunk that arrived, without its length; throws ProtocolError. The data is a view. */
export function decodeChunk(body: Bytes): { readonly cancelled: boolean; readonly data: Bytes } {
  const reader = new XdrReader(body);
  const cancelled = reader.int() !== 0;
  const data = reader.opaque();
  if (data.length > CHUNK_MAX) throw new ProtocolError(`a chunk of ${data.length} bytes; the most is ${CHUNK_MAX}`);
  return { cancelled, data };
}
