/** The codecs of Node.js: node:zlib for deflate and, where it has it, zstd; the wasm zstd otherwise. Loaded when first used. */
import * as fs from 'node:fs';
import { createRequire } from 'node:module';
import * as path from 'node:path';
import type { Bytes } from '../../bytes/struct.ts';
import type { Codecs } from '../../codec/codecs.ts';
import { inflateRawWithPako, type Pako } from '../../codec/pako.ts';
import { streamDecoder } from '../../codec/streams.ts';
import { fillFromFrames } from '../../codec/zstd-frame.ts';
import { ZstdModule } from '../../codec/zstd-wasm.ts';
import { Corrupt } from '../../errors.ts';
import { createInflater, type Inflater } from './inflate.ts';

const require = createRequire(import.meta.url);

/** Taken when it is needed: loading it costs milliseconds, and many a start decodes nothing. */
function zlib(): typeof import('node:zlib') {
  return process.getBuiltinModule('node:zlib');
}

let pako: Pako | undefined;
let zstd: ZstdModule | undefined;

function loadPako(): Pako {
  pako ??= require('pako') as Pako;
  return pako;
}

function loadZstd(): ZstdModule {
  if (zstd === undefined) {
    const file = path.join(path.dirname(require.resolve('@bokuweb/zstd-wasm')), 'zstd.wasm');
    const module = new WebAssembly.Module(fs.readFileSync(file));
    zstd = new ZstdModule((imports) => new WebAssembly.Instance(module, imports).exports);
  }
  return zstd;
}

let inflater: Inflater | null | undefined;

function inflateRaw(input: Bytes, target: Bytes): void {
  if (inflater === undefined) inflater = createInflater() ?? null;
  if (inflater === null) {
    inflateRawAnew(input, target);
    return;
  }
  const got = inflater.inflate(input, target);
  if (got === target.length) return;
  if (got !== undefined) throw tooShort(got, target.length);
  // Damaged behind the last byte that counts (allowed), or before it.
  inflateRawWithPako(loadPako(), input, target);
}

function tooShort(got: number, wanted: number): Corrupt {
  return new Corrupt(`a deflate stream gives ${got} bytes instead of ${wanted}`, { layer: 'deflate' });
}

function inflateRawAnew(input: Bytes, target: Bytes): void {
  let output: Bytes;
  try {
    // A little more room than is wanted: a stream that fills it exactly is then known to have ended, without a second round.
    output = zlib().inflateRawSync(input, {
      finishFlush: zlib().constants.Z_SYNC_FLUSH,
      chunkSize: target.length + 64,
      maxOutputLength: target.length,
    });
  } catch {
    // Too long (allowed), or damaged behind the last byte that counts (allowed too), or damaged before it.
    inflateRawWithPako(loadPako(), input, target);
    return;
  }
  if (output.length < target.length) throw tooShort(output.length, target.length);
  target.set(output);
}

type NativeZstd = (input: Bytes, options: { maxOutputLength: number; chunkSize: number }) => Bytes;

/** Present since Node.js 22.15. */
function nativeZstd(): NativeZstd | undefined {
  return (zlib() as unknown as { zstdDecompressSync?: NativeZstd }).zstdDecompressSync;
}

function zstdDecompressNative(decompress: NativeZstd, input: Bytes, target: Bytes): void {
  fillFromFrames(input, target, (frame, into) => {
    let output: Bytes;
    try {
      output = decompress(frame, { maxOutputLength: into.length, chunkSize: into.length + 64 });
    } catch (error) {
      throw new Corrupt('a damaged zstd frame', { layer: 'zstd' }, { cause: error });
    }
    into.set(output);
    return output.length;
  });
}

/** The codecs of Node.js. */
export const nodeCodecs: Codecs = {
  inflateRaw,
  zstdDecompress: (input, target) => {
    const native = nativeZstd();
    if (native !== undefined) return zstdDecompressNative(native, input, target);
    try {
      loadZstd().decompress(input, target);
    } catch (error) {
      if (error instanceof Corrupt) throw error;
      // A trap leaves the module's memory in an unknown state.
      zstd = undefined;
      throw new Corrupt('a damaged zstd frame', { layer: 'zstd' }, { cause: error });
    }
  },
  deflateRaw: (input) => zlib().deflateRawSync(input, { windowBits: 12, memLevel: 9 }),
  zstdCompress: (input) => loadZstd().compress(input),
  stream: (format) => streamDecoder(format, loadPako),
};
