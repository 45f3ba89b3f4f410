/** XDR, RFC 4506: big endian, everything in units of four bytes. As much of it as the daemon protocol uses. */
import type { Bytes } from '../bytes/struct.ts';
import { Posix } from '../errors.ts';

/** What arrives is not what the protocol says. */
export class ProtocolError extends Posix {
  constructor(message: string) {
    super('EINVAL', {}, message);
  }
}

const pad = (length: number): number => (4 - (length % 4)) % 4;

/** Reads values from a message; throws ProtocolError when it ends too early. */
export class XdrReader {
  readonly #bytes: Bytes;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Bytes) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Bytes that are left. */
  get left(): number {
    return this.#bytes.length - this.#at;
  }

  int(): number {
    return this.#view.getInt32(this.#take(4));
  }

  uint(): number {
    return this.#view.getUint32(this.#take(4));
  }

  hyper(): bigint {
    return this.#view.getBigInt64(this.#take(8));
  }

  uhyper(): bigint {
    return this.#view.getBigUint64(this.#take(8));
  }

  float(): number {
    return this.#view.getFloat32(this.#take(4));
  }

  bool(): boolean {
    return this.uint() !== 0;
  }

  /** Counted bytes; a view of the message. */
  opaque(): Bytes {
    return this.fixed(this.uint());
  }

  /** So many bytes; a view of the message. */
  fixed(length: number): Bytes {
    const at = this.#take(length);
    this.#take(Math.min(pad(length), this.left));
    return this.#bytes.subarray(at, at + length);
  }

  /** A count and so many elements, each of at least four bytes. */
  array<T>(element: () => T): T[] {
    const count = this.uint();
    if (count * 4 > this.left) throw new ProtocolError(`a list of ${count} elements in ${this.left} bytes`);
    return Array.from({ length: count }, element);
  }

  #take(length: number): number {
    if (length > this.left) throw new ProtocolError(`the message ends ${length - this.left} bytes too early`);
    const at = this.#at;
    this.#at += length;
    return at;
  }
}

/** Writes values, one after the other. */
export class XdrWriter {
  #bytes: Bytes = new Uint8Array(256);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  /** What was written; a view, valid until more is written. */
  get bytes(): Bytes {
    return this.#bytes.subarray(0, this.#length);
  }

  get length(): number {
    return this.#length;
  }

  int(value: number): void {
    const at = this.#room(4);
    this.#view.setInt32(at, value);
  }

  uint(value: number): void {
    const at = this.#room(4);
    this.#view.setUint32(at, value);
  }

  hyper(value: number | bigint): void {
    const at = this.#room(8);
    this.#view.setBigInt64(at, BigInt(value));
  }

  uhyper(value: number | bigint): void {
    const at = this.#room(8);
    this.#view.setBigUint64(at, BigInt(value));
  }

  float(value: number): void {
    const at = this.#room(4);
    this.#view.setFloat32(at, value);
  }

  bool(value: boolean): void {
    this.uint(value ? 1 : 0);
  }

  opaque(value: Bytes): void {
    this.uint(value.length);
    this.fixed(value);
  }

  fixed(value: Bytes): void {
    const at = this.#room(value.length + pad(value.length));
    this.#bytes.set(value, at);
  }

  array<T>(elements: readonly T[], element: (value: T) => void): void {
    this.uint(elements.length);
    for (const value of elements) element(value);
  }

  /** Where so many more bytes go; `#bytes` and `#view` may be others afterwards. */
  #room(length: number): number {
    const at = this.#length;
    if (at + length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(at + length, this.#bytes.length * 2));
      larger.set(this.#bytes.subarray(0, at));
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    this.#length += length;
    return at;
  }
}
