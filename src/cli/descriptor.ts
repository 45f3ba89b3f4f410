/** A device, pipe or terminal as the target of bytes that come in order. */
import * as fs from 'node:fs';
import type { Bytes } from '../bytes/struct.ts';
import { Posix } from '../errors.ts';
import type { WritableSource } from '../io/source.ts';
import { writeAll } from './output.ts';

export class DescriptorSource implements WritableSource {
  readonly name: string;
  readonly preferredRequest = 65_536;
  #descriptor: number | undefined;
  #size = 0;

  constructor(name: string, descriptor: number) {
    this.name = name;
    this.#descriptor = descriptor;
  }

  get size(): number {
    return this.#size;
  }

  writeSync(offset: number, bytes: Bytes): void {
    if (this.#descriptor === undefined) throw new Posix('EBADF', { image: this.name });
    if (offset !== this.#size) throw new Posix('EINVAL', { image: this.name, offset }, 'this can only be written in order');
    writeAll(this.#descriptor, bytes);
    this.#size += bytes.length;
  }

  close(): void {
    if (this.#descriptor !== undefined) fs.closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }
}
