/**
 * Inflating into a buffer that is there already.
 *
 * `zlib.inflateRawSync` makes a new decoder and a new buffer for every call; with clusters of 64 KiB the dropped buffers grow to a hundred
 * megabytes before V8 collects them. Below it stands a handle that can be used again and writes where it is told. It is not part of Node.js's
 * promised interface, though packages that everyone installs (minizlib) have used it for years; so what it offers is looked at first.
 */
import type { Bytes } from '../../bytes/struct.ts';

interface Handle {
  onerror: (message: string, errno: number, code: string) => void;
  reset(): void;
  writeSync(flush: number, input: Bytes, inputAt: number, inputLength: number, output: Bytes, outputAt: number, outputLength: number): void;
}

/** Room left in the output, and input left over, after each call. */
type State = Uint32Array;

export interface Inflater {
  /** How many bytes came out; undefined for a damaged stream. What follows once `target` is full is not looked at, or not much. */
  inflate(input: Bytes, target: Bytes): number | undefined;
}

/** An inflater for raw deflate streams; undefined where this Node.js has no such handle. */
export function createInflater(): Inflater | undefined {
  const zlib = process.getBuiltinModule('node:zlib');
  const stream = new zlib.InflateRaw() as unknown as { readonly _handle?: Partial<Handle>; readonly _writeState?: unknown };
  const { _handle: handle, _writeState: state } = stream;
  if (typeof handle?.writeSync !== 'function' || typeof handle.reset !== 'function' || !(state instanceof Uint32Array)) return undefined;
  return new HandleInflater(stream, handle as Handle, state, zlib.constants.Z_SYNC_FLUSH);
}

class HandleInflater implements Inflater {
  /** Keeps the handle alive. */
  readonly stream: unknown;
  readonly #handle: Handle;
  readonly #state: State;
  readonly #flush: number;
  #failed = false;

  constructor(stream: unknown, handle: Handle, state: State, flush: number) {
    this.stream = stream;
    this.#handle = handle;
    this.#state = state;
    this.#flush = flush;
    handle.onerror = () => {
      this.#failed = true;
    };
  }

  inflate(input: Bytes, target: Bytes): number | undefined {
    this.#failed = false;
    this.#handle.reset();
    this.#handle.writeSync(this.#flush, input, 0, input.length, target, 0, target.length);
    return this.#failed ? undefined : target.length - (this.#state[0] ?? target.length);
  }
}
