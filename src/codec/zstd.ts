/** Zstandard frames, decoded block by block in a bounded window (RFC 8878). Content checksums are passed over. */
import type { Bytes } from '../bytes/struct.ts';
import { viewOf } from '../bytes/struct.ts';
import { Unsupported } from '../errors.ts';
import { ByteQueue } from './byte-queue.ts';
import type { StreamDecoder } from './codecs.ts';
import { damagedZstd } from './fse.ts';
import { OutputWindow } from './window.ts';
import { type BlockState, decodeBlock, newBlockState } from './zstd-block.ts';
import {
  fillFromFrames,
  parseZstdFrameHeader,
  ZSTD_BLOCK_COMPRESSED,
  ZSTD_BLOCK_RAW,
  ZSTD_BLOCK_RLE,
  ZSTD_MAGIC,
  ZSTD_MAX_BLOCK,
  ZSTD_SKIPPABLE_MAGIC,
  type ZstdFrameHeader,
} from './zstd-frame.ts';

/** The largest window that is decoded: that of `zstd --long`. */
const MAX_WINDOW: number = 2 ** 27;
const MAX_FRAME_HEADER = 18;

type Step = 'frame' | 'skip' | 'block' | 'content' | 'checksum';

export class ZstdDecoder implements StreamDecoder {
  readonly #input = new ByteQueue();
  #step: Step = 'frame';
  #need = 4;
  #frames = 0;
  #frame: ZstdFrameHeader | undefined;
  #window = new OutputWindow(0);
  #state: BlockState = newBlockState();
  #blockHeader = 0;
  #produced = 0;

  push(input: Bytes): void {
    this.#input.push(input);
  }

  next(): Bytes | undefined {
    for (;;) {
      if (this.#step === 'skip') {
        this.#need -= this.#input.take(this.#need).length;
        if (this.#need > 0) return undefined;
        this.#go('frame', 4);
      }
      if (this.#input.length < this.#need) return undefined;
      const chunk = this.#advance();
      if (chunk !== undefined && chunk.length > 0) return chunk;
    }
  }

  finish(): void {
    if (this.#input.length > 0 && this.#step === 'frame') throw damagedZstd('something that is no frame follows the last one');
    if (this.#step !== 'frame' || this.#frames === 0) throw damagedZstd('the stream ends too early');
  }

  #go(step: Step, need: number): void {
    this.#step = step;
    this.#need = need;
  }

  #advance(): Bytes | undefined {
    switch (this.#step) {
      case 'frame':
        return this.#beginFrame();
      case 'block': {
        const head = this.#input.take(3);
        this.#blockHeader = head[0]! | (head[1]! << 8) | (head[2]! << 16);
        const size = this.#blockHeader >>> 3;
        const type = (this.#blockHeader >> 1) & 3;
        if (type > ZSTD_BLOCK_COMPRESSED || size > ZSTD_MAX_BLOCK) throw damagedZstd(`a block of type ${type} and ${size} bytes`);
        this.#go('content', type === ZSTD_BLOCK_RLE ? 1 : size);
        return undefined;
      }
      case 'content':
        return this.#decodeContent();
      case 'checksum':
        this.#input.take(4);
        this.#endFrame();
        return undefined;
      case 'skip':
        return undefined;
    }
  }

  #beginFrame(): undefined {
    const head = this.#input.peek(MAX_FRAME_HEADER);
    const magic = viewOf(head).getUint32(0, true);
    if ((magic & 0xfffffff0) >>> 0 === ZSTD_SKIPPABLE_MAGIC) {
      if (head.length < 8) this.#need = 8;
      else this.#go('skip', viewOf(this.#input.take(8)).getUint32(4, true));
      return;
    }
    if (magic !== ZSTD_MAGIC) throw damagedZstd('no frame begins where one should');
    const frame = parseZstdFrameHeader(head, 0);
    if (frame === undefined) {
      this.#need = head.length + 1;
      return;
    }
    if (frame.dictionary !== 0) throw new Unsupported('zstd dictionary');
    if (frame.windowSize > MAX_WINDOW) throw new Unsupported('zstd window', `a zstd window of ${frame.windowSize} bytes is too large`);
    this.#input.take(frame.length);
    this.#frame = frame;
    this.#window = new OutputWindow(Math.max(1024, frame.windowSize));
    this.#state = newBlockState();
    this.#produced = 0;
    this.#go('block', 3);
  }

  #decodeContent(): Bytes {
    const size = this.#blockHeader >>> 3;
    const type = (this.#blockHeader >> 1) & 3;
    const content = this.#input.take(this.#need);
    const window = this.#window;
    window.reserve(ZSTD_MAX_BLOCK);
    if (type === ZSTD_BLOCK_RAW) {
      window.bytes.set(content, window.end);
      window.end += size;
    } else if (type === ZSTD_BLOCK_RLE) {
      window.bytes.fill(content[0] ?? 0, window.end, window.end + size);
      window.end += size;
    } else decodeBlock(this.#state, content, window);
    const chunk = window.take();
    this.#produced += chunk.length;
    if (this.#produced > (this.#frame?.contentSize ?? Number.POSITIVE_INFINITY)) throw damagedZstd('a frame is longer than it says');
    if (this.#blockHeader & 1) {
      if (this.#frame?.checksum) this.#go('checksum', 4);
      else this.#endFrame();
    } else this.#go('block', 3);
    return chunk;
  }

  #endFrame(): void {
    const promised = this.#frame?.contentSize;
    if (promised !== undefined && promised !== this.#produced) throw damagedZstd(`a frame gives ${this.#produced} bytes, not ${promised}`);
    this.#frames++;
    this.#go('frame', 4);
  }
}

/** Implements {@link Codecs.zstdDecompress} without wasm. */
export function decompressZstd(input: Bytes, target: Bytes): void {
  fillFromFrames(input, target, (frame, into) => {
    const decoder = new ZstdDecoder();
    let filled = 0;
    decoder.push(frame);
    for (let chunk = decoder.next(); chunk !== undefined; chunk = decoder.next()) {
      if (filled + chunk.length > into.length) throw damagedZstd('a frame is longer than what it should fill');
      into.set(chunk, filled);
      filled += chunk.length;
    }
    decoder.finish();
    return filled;
  });
}
