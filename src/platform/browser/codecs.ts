/** The codecs of browsers: pako for deflate; zstd in wasm where the page provides it, in TypeScript otherwise. */
import * as pako from 'pako';
import type { Codecs } from '../../codec/codecs.ts';
import { deflateRawWithPako, inflateRawWithPako, type Pako } from '../../codec/pako.ts';
import { streamDecoder } from '../../codec/streams.ts';
import { decompressZstd } from '../../codec/zstd.ts';
import { ZstdModule } from '../../codec/zstd-wasm.ts';
import { Corrupt, Unsupported } from '../../errors.ts';

const library = pako as unknown as Pako;

/**
 * The codecs of browsers and their workers. `zstdWasm` is the compiled `zstd.wasm` of @bokuweb/zstd-wasm; without it zstd is
 * decompressed several times slower, and cannot be compressed.
 */
export function browserCodecs(options: { readonly zstdWasm?: WebAssembly.Module } = {}): Codecs {
  const wasm = options.zstdWasm;
  let zstd: ZstdModule | undefined;
  const loadZstd = (module: WebAssembly.Module): ZstdModule => {
    zstd ??= new ZstdModule((imports) => new WebAssembly.Instance(module, imports as unknown as WebAssembly.Imports).exports);
    return zstd;
  };
  return {
    inflateRaw: (input, target) => inflateRawWithPako(library, input, target),
    deflateRaw: (input) => deflateRawWithPako(library, input),
    zstdDecompress: (input, target) => {
      if (wasm === undefined) return decompressZstd(input, target);
      try {
        loadZstd(wasm).decompress(input, target);
      } catch (error) {
        if (error instanceof Corrupt) throw error;
        zstd = undefined;
        throw new Corrupt('a damaged zstd frame', { layer: 'zstd' }, { cause: error });
      }
    },
    zstdCompress: (input) => {
      if (wasm === undefined) throw new Unsupported('zstd compression', 'compressing with zstd needs zstd.wasm: give it to browserCodecs');
      return loadZstd(wasm).compress(input);
    },
    stream: (format) => streamDecoder(format, () => library),
  };
}
