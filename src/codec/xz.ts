/** The .xz container (The .xz File Format 1.2.1) with LZMA2, chunk by chunk. Other filters are refused by name. */
import { crc32 } from '../bytes/crc32.ts';
import type { Bytes } from '../bytes/struct.ts';
import { viewOf } from '../bytes/struct.ts';
import { Unsupported } from '../errors.ts';
import { ByteQueue } from './byte-queue.ts';
import type { StreamDecoder } from './codecs.ts';
import { Crc64 } from './crc64.ts';
import { damagedXz, LzmaDecoder } from './lzma.ts';
import { OutputWindow } from './window.ts';

const MAGIC = [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00];
/** Bytes of the check that follows a block, by its type. */
const CHECK_SIZES = [0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64] as const;
const CHECK_CRC64 = 4;
const LZMA2 = 0x21;
const FILTERS: Readonly<Record<number, string>> = {
  3: 'delta',
  4: 'x86',
  5: 'PowerPC',
  6: 'IA-64',
  7: 'ARM',
  8: 'ARM-Thumb',
  9: 'SPARC',
  10: 'ARM64',
};
/** The dictionary of `xz -9` is half of this. */
const MAX_DICTIONARY: number = 2 ** 27;
/** A chunk of LZMA2 gives at most this many bytes. */
const MAX_CHUNK: number = 2 ** 21;
const MAX_INDEX_RECORDS: number = 2 ** 24;

type Step = 'stream' | 'block' | 'control' | 'chunk' | 'check' | 'index' | 'records' | 'footer';

export class XzDecoder implements StreamDecoder {
  readonly #input = new ByteQueue();
  readonly #lzma = new LzmaDecoder();
  #step: Step = 'stream';
  #need = 4;
  #streams = 0;
  #check = 0;
  #crc64 = new Crc64();
  #window = new OutputWindow(0);
  #produced = 0;
  #blockBytes = 0;
  #control = 0;
  #chunkLength = 0;
  #needDictionary = true;
  #needProperties = true;
  #records = 0;
  #indexBytes = 0;

  push(input: Bytes): void {
    this.#input.push(input);
  }

  next(): Bytes | undefined {
    while (this.#input.length >= this.#need) {
      const chunk = this.#advance();
      if (chunk === undefined || chunk.length === 0) continue;
      if (this.#check === CHECK_CRC64) this.#crc64.update(chunk);
      return chunk;
    }
    return undefined;
  }

  finish(): void {
    if (this.#step !== 'stream' || this.#input.length > 0 || this.#streams === 0) throw damagedXz('the stream ends too early');
  }

  #go(step: Step, need: number): void {
    this.#step = step;
    this.#need = need;
  }

  #advance(): Bytes | undefined {
    switch (this.#step) {
      case 'stream':
        return this.#streamHeader();
      case 'block':
        return this.#blockHeader();
      case 'control':
        return this.#controlByte();
      case 'chunk':
        return this.#chunk();
      case 'check': {
        const padding = (4 - (this.#blockBytes % 4)) % 4;
        const check = this.#input.take(padding + CHECK_SIZES[this.#check]!).subarray(padding);
        if (this.#check === CHECK_CRC64 && !this.#crc64.matches(check)) throw damagedXz('the checksum of a block is wrong');
        this.#go('block', 1);
        return undefined;
      }
      case 'index':
        this.#records = this.#integer();
        if (this.#records > MAX_INDEX_RECORDS) throw damagedXz(`an index of ${this.#records} records`);
        this.#records *= 2;
        if (this.#step === 'index') this.#go('records', 9);
        return undefined;
      case 'records':
        if (this.#records > 0) {
          this.#integer();
          this.#records--;
          if (this.#records > 0) return undefined;
          this.#go('records', 4);
          return undefined;
        }
        if (this.#indexBytes % 4 !== 0) {
          if (this.#take(1)[0] !== 0) throw damagedXz('the padding of the index is not zero');
          return undefined;
        }
        this.#take(4);
        this.#go('footer', 12);
        return undefined;
      case 'footer': {
        const footer = this.#input.take(12);
        if (footer[10] !== 0x59 || footer[11] !== 0x5a) throw damagedXz('the end of the stream is not marked');
        this.#streams++;
        this.#go('stream', 4);
        return undefined;
      }
    }
  }

  #take(length: number): Bytes {
    this.#indexBytes += length;
    return this.#input.take(length);
  }

  /** A number of the index: seven bits a byte. Nine bytes are there, as a footer follows. */
  #integer(): number {
    let value = 0;
    for (let i = 0; i < 9; i++) {
      const byte = this.#take(1)[0] ?? 0;
      value += (byte & 0x7f) * 2 ** (7 * i);
      if ((byte & 0x80) === 0) return value;
    }
    throw damagedXz('a number without end');
  }

  #streamHeader(): undefined {
    const head = this.#input.peek(12);
    if (this.#streams > 0 && viewOf(head).getUint32(0) === 0) {
      // Streams may be padded with multiples of four zeros.
      this.#input.take(4);
      return;
    }
    if (head.length < 12) {
      this.#need = 12;
      return;
    }
    if (!MAGIC.every((byte, i) => head[i] === byte)) throw damagedXz('no stream begins where one should');
    if (crc32(head, 6, 8) !== viewOf(head).getUint32(8, true)) throw damagedXz('the checksum of the stream header is wrong');
    if (head[6] !== 0 || (head[7] ?? 0) > 15) throw new Unsupported('xz stream flags');
    this.#check = head[7] ?? 0;
    this.#input.take(12);
    this.#go('block', 1);
  }

  #blockHeader(): undefined {
    const first = this.#input.peek(1)[0] ?? 0;
    if (first === 0) {
      this.#indexBytes = 0;
      this.#take(1);
      this.#go('index', 9);
      return;
    }
    const size = (first + 1) * 4;
    if (this.#input.length < size) {
      this.#need = size;
      return;
    }
    const header = this.#input.take(size);
    if (crc32(header, 0, size - 4) !== viewOf(header).getUint32(size - 4, true)) throw damagedXz('the checksum of a block header is wrong');
    const flags = header[1] ?? 0;
    if (flags & 0x3c) throw new Unsupported('xz block flags');
    let at = 2;
    const integer = (): number => {
      let value = 0;
      for (let i = 0; i < 9 && at < size - 4; i++) {
        const byte = header[at++] ?? 0;
        value += (byte & 0x7f) * 2 ** (7 * i);
        if ((byte & 0x80) === 0) return value;
      }
      throw damagedXz('a number without end');
    };
    if (flags & 0x40) integer();
    if (flags & 0x80) integer();
    const filter = integer();
    if (filter !== LZMA2 || (flags & 3) !== 0) throw new Unsupported(`xz filter ${FILTERS[filter] ?? filter}`);
    if (integer() !== 1) throw damagedXz('the properties of LZMA2 have the wrong length');
    const bits = header[at] ?? 0;
    if (bits > 40) throw damagedXz(`a dictionary of 2^${bits}`);
    const dictionary = bits === 40 ? 2 ** 32 - 1 : (2 | (bits & 1)) * 2 ** (11 + (bits >> 1));
    if (dictionary > MAX_DICTIONARY) throw new Unsupported('xz dictionary', `an xz dictionary of ${dictionary} bytes is too large`);
    this.#window = new OutputWindow(dictionary);
    this.#crc64 = new Crc64();
    this.#blockBytes = 0;
    this.#needDictionary = true;
    this.#needProperties = true;
    this.#go('control', 1);
  }

  #controlByte(): undefined {
    const control = this.#input.peek(1)[0] ?? 0;
    if (control === 0) {
      this.#input.take(1);
      this.#blockBytes++;
      const padding = (4 - (this.#blockBytes % 4)) % 4;
      this.#go('check', padding + CHECK_SIZES[this.#check]!);
      if (this.#need === 0) this.#go('block', 1);
      return;
    }
    if (control > 2 && control < 0x80) throw damagedXz(`control byte ${control}`);
    const header = control >= 0xc0 ? 6 : control >= 0x80 ? 5 : 3;
    if (this.#input.length < header) {
      this.#need = header;
      return;
    }
    const head = this.#input.take(header);
    const low = ((head[1] ?? 0) << 8) + (head[2] ?? 0) + 1;
    this.#control = control;
    if (control === 1 || control >= 0xe0) {
      this.#needDictionary = false;
      this.#produced = 0;
    }
    if (this.#needDictionary) throw damagedXz('the first chunk does not reset the dictionary');
    let length = low;
    if (control >= 0x80) {
      this.#chunkLength = ((control & 0x1f) << 16) + low;
      length = ((head[3] ?? 0) << 8) + (head[4] ?? 0) + 1;
      if (control >= 0xc0) {
        this.#lzma.setProperties(head[5] ?? 0);
        this.#needProperties = false;
      } else if (this.#needProperties) throw damagedXz('a chunk without properties');
      else if (control >= 0xa0) this.#lzma.reset();
    } else this.#chunkLength = low;
    this.#blockBytes += header + length;
    this.#go('chunk', length);
  }

  #chunk(): Bytes {
    const window = this.#window;
    const input = this.#input.take(this.#need);
    window.reserve(Math.min(MAX_CHUNK, this.#chunkLength));
    if (this.#control < 0x80) {
      window.bytes.set(input, window.end);
      window.end += input.length;
    } else this.#lzma.decode(input, this.#chunkLength, window, this.#produced);
    this.#produced += this.#chunkLength;
    this.#go('control', 1);
    return window.take();
  }
}
