/** The zstd of the package @bokuweb/zstd-wasm, called directly: synchronously, with buffers that are kept between calls. */
import type { Bytes } from '../bytes/struct.ts';
import { Corrupt } from '../errors.ts';
import { fillFromFrames } from './zstd-frame.ts';

type WasmFunction = (...parameters: number[]) => number;
type WasmImports = Record<string, Record<string, (...parameters: number[]) => number | undefined>>;
interface WasmMemory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

/** What to do with the module's imports: `new WebAssembly.Instance(module, imports).exports`. */
export type Instantiate = (imports: WasmImports) => Readonly<Record<string, unknown>>;

/** The names that the package's build gave to what it exports (version 0.0.27). */
const EXPORTS = {
  memory: 'f',
  initialise: 'g',
  isError: 'h',
  compressBound: 'i',
  compress: 'm',
  createDecompressor: 'n',
  decompressUsingDictionary: 'q',
  allocate: 's',
  free: 't',
} as const;

const PAGE = 65536;
/** The module may not grow beyond this many bytes: a cluster and its window need a few MiB. */
const MAX_MEMORY: number = 256 << 20;
/** zstd's own default level, which QEMU uses. */
const DEFAULT_LEVEL = 3;

/** A buffer inside the module's memory that grows with the need. */
interface Buffer {
  address: number;
  capacity: number;
}

export class ZstdModule {
  readonly #memory: WasmMemory;
  readonly #call: (name: keyof typeof EXPORTS, ...parameters: number[]) => number;
  readonly #input: Buffer = { address: 0, capacity: 0 };
  readonly #output: Buffer = { address: 0, capacity: 0 };
  #decompressor = 0;

  constructor(instantiate: Instantiate) {
    const nothing = (): number => 0;
    const stop = (): never => {
      throw new Corrupt('the zstd decoder gave up', { layer: 'zstd' });
    };
    let memory: WasmMemory | undefined;
    const resize = (wanted: number): number => {
      const size = wanted >>> 0;
      if (memory === undefined || size > MAX_MEMORY) return 0;
      try {
        memory.grow(Math.ceil((size - memory.buffer.byteLength) / PAGE));
        return 1;
      } catch {
        return 0;
      }
    };
    const exported = instantiate({ a: { a: stop, b: nothing, c: stop, d: nothing, e: resize } });
    memory = exported[EXPORTS.memory] as WasmMemory;
    this.#memory = memory;
    this.#call = (name, ...parameters) => (exported[EXPORTS[name]] as WasmFunction)(...parameters);
    this.#call('initialise');
  }

  /** Implements {@link Codecs.zstdDecompress}. */
  decompress(input: Bytes, target: Bytes): void {
    if (this.#decompressor === 0) this.#decompressor = this.#call('createDecompressor');
    fillFromFrames(input, target, (frame, into) => {
      const from = this.#reserve(this.#input, frame.length);
      const to = this.#reserve(this.#output, into.length);
      this.#bytes(from, frame.length).set(frame);
      const got = this.#call('decompressUsingDictionary', this.#decompressor, to, into.length, from, frame.length, 0, 0);
      if (this.#call('isError', got)) throw new Corrupt('a damaged zstd frame', { layer: 'zstd' });
      into.set(this.#bytes(to, got >>> 0));
      return got >>> 0;
    });
  }

  /** Implements {@link Codecs.zstdCompress}. */
  compress(input: Bytes): Bytes {
    const bound = this.#call('compressBound', input.length);
    const from = this.#reserve(this.#input, input.length);
    const to = this.#reserve(this.#output, bound);
    this.#bytes(from, input.length).set(input);
    const got = this.#call('compress', to, bound, from, input.length, DEFAULT_LEVEL);
    if (this.#call('isError', got)) throw new Corrupt('the zstd encoder gave up', { layer: 'zstd' });
    return this.#bytes(to, got).slice();
  }

  #bytes(address: number, length: number): Bytes {
    return new Uint8Array(this.#memory.buffer, address, length);
  }

  #reserve(buffer: Buffer, length: number): number {
    if (length > buffer.capacity) {
      if (buffer.address !== 0) this.#call('free', buffer.address);
      buffer.capacity = Math.max(length, PAGE);
      buffer.address = this.#call('allocate', buffer.capacity) >>> 0;
      if (buffer.address === 0) {
        buffer.capacity = 0;
        throw new Corrupt(`a zstd frame of ${length} bytes is too large`, { layer: 'zstd' });
      }
    }
    return buffer.address;
  }
}
