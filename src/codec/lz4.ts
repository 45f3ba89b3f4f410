/** LZ4 frames (LZ4 Frame Format 1.6), decoded block by block. */
import type { Bytes } from '../bytes/struct.ts';
import { viewOf } from '../bytes/struct.ts';
import { Corrupt, Unsupported } from '../errors.ts';
import { ByteQueue } from './byte-queue.ts';
import type { StreamDecoder } from './codecs.ts';
import { OutputWindow } from './window.ts';

const LZ4_MAGIC = 0x184d2204;
const SKIPPABLE_MAGIC = 0x184d2a50;
/** Matches reach back this far at most. */
const WINDOW = 65536;
const UNCOMPRESSED = 0x80000000;

type State = 'magic' | 'skip' | 'descriptor' | 'size' | 'block' | 'content-checksum';

export class Lz4Decoder implements StreamDecoder {
  readonly #input = new ByteQueue();
  #window = new OutputWindow(WINDOW);
  #state: State = 'magic';
  #frames = 0;
  #need = 4;
  #maxBlock = 0;
  #blockChecksum = 0;
  #contentChecksum = 0;
  #independent = false;
  #blockHeader = 0;

  push(input: Bytes): void {
    this.#input.push(input);
  }

  next(): Bytes | undefined {
    while (this.#input.length >= this.#need || (this.#state === 'skip' && this.#input.length > 0)) {
      const chunk = this.#step();
      if (chunk !== undefined && chunk.length > 0) return chunk;
    }
    return undefined;
  }

  finish(): void {
    if (this.#state !== 'magic' || this.#input.length > 0 || this.#frames === 0) throw broken('the stream ends too early');
  }

  #step(): Bytes | undefined {
    switch (this.#state) {
      case 'magic':
        return this.#magic();
      case 'skip': {
        const skipped = this.#input.take(this.#need).length;
        this.#go(skipped === this.#need ? 'magic' : 'skip', skipped === this.#need ? 4 : this.#need - skipped);
        return undefined;
      }
      case 'descriptor':
        return this.#descriptor();
      case 'size': {
        this.#blockHeader = viewOf(this.#input.take(4)).getUint32(0, true);
        const length = this.#blockHeader & ~UNCOMPRESSED;
        if (length === 0) {
          this.#frames++;
          this.#go(this.#contentChecksum > 0 ? 'content-checksum' : 'magic', 4);
        } else {
          if (length > this.#maxBlock) throw broken(`a block of ${length} bytes`);
          this.#go('block', length + this.#blockChecksum);
        }
        return undefined;
      }
      case 'block':
        return this.#block();
      case 'content-checksum':
        this.#input.take(4);
        this.#go('magic', 4);
        return undefined;
    }
  }

  #go(state: State, need: number): void {
    this.#state = state;
    this.#need = need;
  }

  #magic(): undefined {
    const magic = viewOf(this.#input.peek(4)).getUint32(0, true);
    if (magic === LZ4_MAGIC) {
      this.#input.take(4);
      this.#go('descriptor', 3);
    } else if ((magic & 0xfffffff0) >>> 0 === SKIPPABLE_MAGIC) {
      if (this.#input.length < 8) this.#need = 8;
      else {
        const length = viewOf(this.#input.take(8)).getUint32(4, true);
        this.#go(length === 0 ? 'magic' : 'skip', length === 0 ? 4 : length);
      }
    } else {
      throw broken('no LZ4 frame');
    }
  }

  #descriptor(): undefined {
    const head = this.#input.peek(2);
    const flags = head[0] ?? 0;
    const code = ((head[1] ?? 0) >> 4) & 7;
    const length = 2 + (flags & 8 ? 8 : 0) + (flags & 1 ? 4 : 0) + 1;
    if (this.#input.length < length) {
      this.#need = length;
      return undefined;
    }
    if (flags >> 6 !== 1) throw new Unsupported(`LZ4 frame version ${flags >> 6}`);
    if (flags & 1) throw new Unsupported('LZ4 dictionary');
    if (code < 4) throw broken(`block size code ${code}`);
    this.#input.take(length);
    this.#independent = (flags & 32) !== 0;
    this.#blockChecksum = flags & 16 ? 4 : 0;
    this.#contentChecksum = flags & 4 ? 4 : 0;
    this.#maxBlock = 2 ** (8 + 2 * code);
    this.#window = new OutputWindow(WINDOW);
    this.#go('size', 4);
  }

  #block(): Bytes {
    const length = this.#need - this.#blockChecksum;
    const input = this.#input.take(this.#need).subarray(0, length);
    const window = this.#window;
    window.reserve(this.#maxBlock);
    if (this.#blockHeader & UNCOMPRESSED) {
      window.bytes.set(input, window.end);
      window.end += input.length;
    } else {
      const earliest = this.#independent ? window.end : window.end - window.reach;
      window.end = decodeBlock(input, window.bytes, window.end, window.end + this.#maxBlock, earliest);
    }
    this.#go('size', 4);
    return window.take();
  }
}

/** Decodes one block into `output[at, limit)`; matches may reach back to `earliest`. Returns where the output ends. */
function decodeBlock(input: Bytes, output: Bytes, at: number, limit: number, earliest: number): number {
  let i = 0;
  let o = at;
  const more = (start: number): number => {
    if (start < 15) return start;
    let length = start;
    for (;;) {
      const byte = input[i++];
      if (byte === undefined) throw broken('a length without end');
      length += byte;
      if (byte !== 255) return length;
    }
  };
  for (;;) {
    const token = input[i++];
    if (token === undefined) throw broken('a block without end');
    const literals = more(token >> 4);
    if (i + literals > input.length || o + literals > limit) throw broken('literals beyond the end of a block');
    output.set(input.subarray(i, i + literals), o);
    i += literals;
    o += literals;
    if (i === input.length) return o;
    const distance = (input[i] ?? 0) | ((input[i + 1] ?? 0) << 8);
    i += 2;
    const length = more(token & 15) + 4;
    if (distance === 0 || o - distance < earliest || i > input.length) throw broken('a match outside of the window');
    if (o + length > limit) throw broken('a match beyond the end of a block');
    if (distance >= length) {
      output.copyWithin(o, o - distance, o - distance + length);
      o += length;
    } else for (const end = o + length; o < end; o++) output[o] = output[o - distance]!;
  }
}

function broken(why: string): Corrupt {
  return new Corrupt(`damaged LZ4: ${why}`, { layer: 'lz4' });
}
