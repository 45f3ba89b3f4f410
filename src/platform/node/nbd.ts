/**
 * Disks by the NBD protocol: a client of the fixed newstyle handshake and of simple replies.
 * Facts: doc/proto.md of the NBD project.
 */
import type * as net from 'node:net';
import type { Bytes } from '../../bytes/struct.ts';
import { Posix, Unsupported } from '../../errors.ts';
import type { WritableSource } from '../../io/source.ts';

const NBDMAGIC = 0x4e42444d41474943n;
const IHAVEOPT = 0x49484156454f5054n;
const OPTION_REPLY = 0x3e889045565a9n;
const REQUEST_MAGIC = 0x25609513;
const SIMPLE_REPLY_MAGIC = 0x67446698;

const FLAG_FIXED_NEWSTYLE = 1;
const FLAG_NO_ZEROES = 2;
const OPT_GO = 7;
const REP_ACK = 1;
const REP_INFO = 3;
const REP_ERROR = 0x80000000;
const INFO_EXPORT = 0;

const TRANSMISSION_READ_ONLY = 2;
const TRANSMISSION_SEND_FLUSH = 4;

const READ = 0;
const WRITE = 1;
const DISCONNECT = 2;
const FLUSH = 3;

/** The longest payload that every server takes. */
const PAYLOAD_MAX = 32 << 20;
/** The longest that a server may make us keep in the handshake. */
const OPTION_MAX = 65_536;

export interface NbdAddress {
  readonly path?: string;
  readonly host?: string;
  readonly port?: number;
  /** The export's name; empty: the default one. */
  readonly name: string;
}

/** Reads `nbd:HOST:PORT[:exportname=NAME]`, `nbd:unix:PATH[:exportname=NAME]`, `nbd://HOST[:PORT]/NAME` and `nbd+unix:///NAME?socket=PATH`. */
export function parseNbdAddress(address: string): NbdAddress | undefined {
  const unix = /^nbd\+unix:\/\/\/([^?]*)\?socket=(.+)$/.exec(address);
  if (unix !== null) return { name: unix[1] ?? '', path: unix[2] ?? '' };
  const url = /^nbd:\/\/(\[[^\]]+\]|[^:/]+)(?::(\d+))?(?:\/(.*))?$/.exec(address);
  if (url !== null) return { host: (url[1] ?? '').replace(/^\[|\]$/g, ''), port: Number(url[2] ?? 10_809), name: url[3] ?? '' };
  const old = /^nbd:(?:unix:(.+?)|([^:]+):(\d+))(?::exportname=(.*))?$/.exec(address);
  if (old === null) return undefined;
  const name = old[4] ?? '';
  return old[1] === undefined ? { host: old[2] ?? '', port: Number(old[3]), name } : { path: old[1], name };
}

/** Connects, and asks for the export. Throws Posix (ECONNREFUSED as EIO, ENOENT for an export that is not there). */
export async function openNbd(address: string): Promise<NbdSource> {
  const parsed = parseNbdAddress(address);
  if (parsed === undefined)
    throw new Posix('EINVAL', { image: address }, 'no address of a disk by NBD; they are like nbd:HOST:PORT or nbd:unix:PATH');
  const { connect } = process.getBuiltinModule('node:net');
  const socket = parsed.path === undefined ? connect(parsed.port ?? 10_809, parsed.host ?? '') : connect(parsed.path);
  const stream = new ByteStream(socket, address);
  try {
    const { size, flags } = await handshake(stream, parsed.name, address);
    return new NbdSource(address, stream, size, flags);
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

async function handshake(stream: ByteStream, name: string, address: string): Promise<{ size: number; flags: number }> {
  const greeting = view(await stream.read(18));
  if (greeting.getBigUint64(0) !== NBDMAGIC) throw new Posix('EIO', { image: address }, 'this server does not speak NBD');
  if (greeting.getBigUint64(8) !== IHAVEOPT)
    throw new Unsupported('NBD oldstyle', 'this server speaks the old form of NBD', { image: address });
  const serverFlags = greeting.getUint16(16);
  if ((serverFlags & FLAG_FIXED_NEWSTYLE) === 0) throw new Unsupported('NBD newstyle, not fixed', undefined, { image: address });
  const exported = new TextEncoder().encode(name);
  const request = new Uint8Array(4 + 16 + 4 + exported.length + 2);
  const out = view(request);
  out.setUint32(0, FLAG_FIXED_NEWSTYLE | (serverFlags & FLAG_NO_ZEROES));
  out.setBigUint64(4, IHAVEOPT);
  out.setUint32(12, OPT_GO);
  out.setUint32(16, 4 + exported.length + 2);
  out.setUint32(20, exported.length);
  request.set(exported, 24);
  stream.write(request);
  let found: { size: number; flags: number } | undefined;
  for (;;) {
    const head = view(await stream.read(20));
    const [type, length] = [head.getUint32(12), head.getUint32(16)];
    if (head.getBigUint64(0) !== OPTION_REPLY || length > OPTION_MAX)
      throw new Posix('EIO', { image: address }, 'the NBD server answers nonsense');
    const body = await stream.read(length);
    if (type >= REP_ERROR)
      throw new Posix(
        'ENOENT',
        { image: address },
        `the NBD server has no export '${name}' for us: ${new TextDecoder().decode(body) || `error ${type - REP_ERROR}`}`,
      );
    if (type === REP_ACK) break;
    if (type === REP_INFO && length >= 12 && view(body).getUint16(0) === INFO_EXPORT) {
      const size = view(body).getBigUint64(2);
      if (size > BigInt(Number.MAX_SAFE_INTEGER)) throw new Posix('EFBIG', { image: address });
      found = { size: Number(size), flags: view(body).getUint16(10) };
    }
  }
  if (found === undefined) throw new Posix('EIO', { image: address }, 'the NBD server does not tell the size of its export');
  return found;
}

/** A disk by NBD; asynchronous only, one request after the other. */
export class NbdSource implements WritableSource {
  readonly name: string;
  readonly size: number;
  readonly preferredRequest = 65_536;
  /** The server lets nobody write. */
  readonly readOnly: boolean;
  readonly #stream: ByteStream;
  readonly #flushes: boolean;
  #handle = 0n;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(name: string, stream: ByteStream, size: number, flags: number) {
    this.name = name;
    this.size = size;
    this.#stream = stream;
    this.readOnly = (flags & TRANSMISSION_READ_ONLY) !== 0;
    this.#flushes = (flags & TRANSMISSION_SEND_FLUSH) !== 0;
  }

  get identity(): string {
    return this.name;
  }

  async readAsync(offset: number, target: Bytes): Promise<number> {
    const length = Math.max(0, Math.min(target.length, this.size - offset));
    for (let done = 0; done < length; ) {
      const part = Math.min(PAYLOAD_MAX, length - done);
      target.set(await this.#request(READ, offset + done, part), done);
      done += part;
    }
    return length;
  }

  async writeAsync(offset: number, bytes: Bytes): Promise<void> {
    for (let done = 0; done < bytes.length; done += PAYLOAD_MAX) {
      const part = bytes.subarray(done, done + PAYLOAD_MAX);
      await this.#request(WRITE, offset + done, part.length, part);
    }
  }

  async flushAsync(): Promise<void> {
    if (this.#flushes) await this.#request(FLUSH, 0, 0);
  }

  close(): void {
    this.#stream.end(requestHead(DISCONNECT, 0n, 0, 0));
  }

  async #request(type: number, offset: number, length: number, payload?: Bytes): Promise<Bytes> {
    const before = this.#turn;
    const mine = (async () => {
      await before.catch(() => {});
      return await this.#perform(type, offset, length, payload);
    })();
    this.#turn = mine;
    return await mine;
  }

  async #perform(type: number, offset: number, length: number, payload: Bytes | undefined): Promise<Bytes> {
    const handle = this.#handle++;
    this.#stream.write(requestHead(type, handle, offset, length));
    if (payload !== undefined) this.#stream.write(payload.slice());
    const reply = view(await this.#stream.read(16));
    if (reply.getUint32(0) !== SIMPLE_REPLY_MAGIC || reply.getBigUint64(8) !== handle) {
      throw new Posix('EIO', { image: this.name, offset }, 'the NBD server answers nonsense');
    }
    const error = reply.getUint32(4);
    if (error !== 0) throw new Posix(ERRORS[error] ?? 'EIO', { image: this.name, offset }, 'the NBD server reports an error');
    return await this.#stream.read(type === READ ? length : 0);
  }
}

/** Numbers of errors in the protocol. */
const ERRORS: Readonly<Record<number, 'EPERM' | 'EIO' | 'EINVAL' | 'ENOSPC'>> = { 1: 'EPERM', 5: 'EIO', 22: 'EINVAL', 28: 'ENOSPC' };

function requestHead(type: number, handle: bigint, offset: number, length: number): Bytes {
  const bytes = new Uint8Array(28);
  const out = view(bytes);
  out.setUint32(0, REQUEST_MAGIC);
  out.setUint16(6, type);
  out.setBigUint64(8, handle);
  out.setBigUint64(16, BigInt(offset));
  out.setUint32(24, length);
  return bytes;
}

function view(bytes: Bytes): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** What a socket gives, by exact lengths. */
class ByteStream {
  readonly #socket: net.Socket;
  readonly #name: string;
  readonly #pieces: Bytes[] = [];
  #length = 0;
  #failure: string | undefined;
  #wake: (() => void) | undefined;

  constructor(socket: net.Socket, name: string) {
    this.#socket = socket;
    this.#name = name;
    const fail = (why: string): void => {
      this.#failure ??= why;
      this.#wake?.();
    };
    socket.on('data', (bytes) => {
      this.#pieces.push(bytes);
      this.#length += bytes.length;
      this.#wake?.();
    });
    socket.on('error', (error) => fail(error.message));
    socket.on('close', () => fail('the NBD server closed the connection'));
  }

  write(bytes: Bytes): void {
    this.#socket.write(bytes);
  }

  end(last: Bytes): void {
    this.#socket.end(last);
    this.#socket.unref();
  }

  async read(length: number): Promise<Bytes> {
    while (this.#length < length) {
      if (this.#failure !== undefined) throw new Posix('EIO', { image: this.#name }, this.#failure);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
    const bytes = new Uint8Array(length);
    let at = 0;
    while (at < length) {
      const piece = this.#pieces[0] as Bytes;
      const part = piece.subarray(0, length - at);
      bytes.set(part, at);
      at += part.length;
      if (part.length === piece.length) this.#pieces.shift();
      else this.#pieces[0] = piece.subarray(part.length);
    }
    this.#length -= length;
    return bytes;
  }
}
