/** Files that mkzftree compressed (zisofs): blocks of zlib data behind a table of where each begins. Read as fs/isofs/compress.c does. */
import { type Bytes, viewOf } from '../bytes/struct.ts';
import { Corrupt, Unsupported } from '../errors.ts';
import type { Io } from '../io/effect.ts';
import { ZISOFS_HEADER, ZISOFS_MAGIC } from './format.ts';
import type { Compressed } from './system-use.ts';

/** Inflates a raw deflate stream so that it fills `target`; throws Corrupt. */
export type Inflate = (input: Bytes, target: Bytes) => void;

/** The stored bytes of a file, from `offset`, exactly. Throws Corrupt beyond its end. */
export type ReadStored = (offset: number, target: Bytes) => Io<void>;

/** Blocks of 4 KiB are the least that mkzftree writes, 128 KiB the most that Linux reads. */
const MIN_BITS = 12;
const MAX_BITS = 17;

export class Zisofs {
  readonly #compressed: Compressed;
  readonly #read: ReadStored;
  readonly #inflate: Inflate;
  readonly #inode: number;
  #checked = false;
  /** The block that was inflated last. */
  #index = -1;
  #block: Bytes = new Uint8Array(0);

  /** Throws Unsupported for other ways of compression. */
  constructor(compressed: Compressed, inode: number, read: ReadStored, inflate: Inflate | undefined) {
    if (compressed.algorithm !== 'pz') throw new Unsupported(`zisofs algorithm ${JSON.stringify(compressed.algorithm)}`);
    const { blockBits } = compressed;
    if (blockBits < MIN_BITS || blockBits > MAX_BITS) throw new Unsupported('zisofs block size', `zisofs blocks of 2^${blockBits} bytes`);
    if (inflate === undefined) throw new Unsupported('zisofs', 'a file compressed by zisofs; give the option inflate to read it');
    this.#compressed = compressed;
    this.#read = read;
    this.#inflate = inflate;
    this.#inode = inode;
  }

  /** Fills `target` from `offset`; both lie within the file. */
  *readInto(offset: number, target: Bytes): Io<void> {
    const size = 2 ** this.#compressed.blockBits;
    for (let done = 0; done < target.length; ) {
      const index = Math.floor((offset + done) / size);
      if (index !== this.#index) {
        const block = yield* this.#load(index);
        this.#block = block;
        this.#index = index;
      }
      const part = this.#block.subarray(offset + done - index * size, offset + target.length - index * size);
      target.set(part, done);
      done += part.length;
    }
  }

  *#load(index: number): Io<Bytes> {
    const { blockBits, headerSize, size } = this.#compressed;
    yield* this.#check();
    const length = Math.min(2 ** blockBits, size - index * 2 ** blockBits);
    const pointers = new Uint8Array(8);
    yield* this.#read(headerSize + 4 * index, pointers);
    const start = viewOf(pointers).getUint32(0, true);
    const end = viewOf(pointers).getUint32(4, true);
    const block = new Uint8Array(length);
    // Nothing is stored of a block of zeros.
    if (start === end) return block;
    // Deflate makes a block of noise longer by a few bytes only.
    if (end - start < 3 || end - start > 2 * 2 ** blockBits) throw this.#bad(`a compressed block of ${end - start} bytes`);
    const input = new Uint8Array(end - start);
    yield* this.#read(start, input);
    // Two bytes of zlib (RFC 1950) stand before the deflate stream.
    this.#inflate(input.subarray(2), block);
    return block;
  }

  *#check(): Io<void> {
    if (this.#checked) return;
    const bytes = new Uint8Array(ZISOFS_HEADER.size);
    yield* this.#read(0, bytes);
    const header = ZISOFS_HEADER.read(bytes);
    const { headerSize, blockBits, size } = this.#compressed;
    const fits = header.uncompressedSize === size && 4 * header.headerSize === headerSize && header.blockSize === blockBits;
    if (!ZISOFS_MAGIC.every((byte, i) => header.magic[i] === byte) || !fits) throw this.#bad('its header contradicts its directory record');
    this.#checked = true;
  }

  #bad(what: string): Corrupt {
    return new Corrupt(`a file compressed by zisofs: ${what}`, { layer: 'iso9660', inode: this.#inode });
  }
}
