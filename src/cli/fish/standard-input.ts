/** A script, or standard input: read line by line, and by whoever uploads from it. */
import * as fs from 'node:fs';
import type { Bytes } from '../../bytes/struct.ts';
import { concatBytes, decodeName } from '../../bytes/text.ts';
import { readPiece } from '../host-files.ts';

const NEWLINE = 0x0a;
/** A line of a script may be this long. */
const LINE_LIMIT = 64 << 20;

export class ScriptInput {
  readonly #descriptor: number;
  #have: Bytes = new Uint8Array(0);
  #ended = false;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  /** The next line without its end; undefined when there is none. */
  readLine(): string | undefined {
    for (let searched = 0; ; ) {
      const end = this.#have.indexOf(NEWLINE, searched);
      if (end >= 0) {
        const line = this.#have.subarray(0, end);
        this.#have = this.#have.subarray(end + 1);
        return decodeName(line);
      }
      searched = this.#have.length;
      if (this.#ended || searched > LINE_LIMIT || !this.#read()) break;
    }
    if (this.#have.length === 0) return undefined;
    const rest = decodeName(this.#have);
    this.#have = new Uint8Array(0);
    return rest;
  }

  /** The next bytes, whatever they are; undefined at the end. */
  readBytes(): Bytes | undefined {
    if (this.#have.length === 0 && (this.#ended || !this.#read())) return undefined;
    const bytes = this.#have;
    this.#have = new Uint8Array(0);
    return bytes;
  }

  #read(): boolean {
    const piece = readPiece(this.#descriptor);
    if (piece === undefined) this.#ended = true;
    else this.#have = this.#have.length === 0 ? piece : concatBytes(this.#have, piece);
    return piece !== undefined;
  }

  close(): void {
    if (this.#descriptor > 2) fs.closeSync(this.#descriptor);
  }
}
