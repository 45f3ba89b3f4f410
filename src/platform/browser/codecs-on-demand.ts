/** The codecs of browsers, fetched when an image turns out to need them. */
import type { Codecs } from '../../codec/codecs.ts';
import { Refused } from '../../errors.ts';

/** A decoder is needed, and none was loaded: load, and do it again. */
export class DecodersNeeded extends Refused {}

export interface CodecsOnDemand {
  /** Throw {@link DecodersNeeded} until they are loaded. */
  readonly codecs: Codecs;
  /** Fetches the decoders; needed before a qcow2 file with compressed clusters or a compressed raw image is read. */
  load(): Promise<void>;
}

/** A table of codecs that costs nothing before `load`: bundlers put the decoders into a file of their own. */
export function browserCodecsOnDemand(): CodecsOnDemand {
  let loaded: Codecs | undefined;
  const table = (): Codecs => {
    if (loaded === undefined) throw new DecodersNeeded('the decoders were not loaded: await load() of browserCodecsOnDemand first');
    return loaded;
  };
  return {
    codecs: {
      inflateRaw: (input, target) => table().inflateRaw(input, target),
      zstdDecompress: (input, target) => table().zstdDecompress(input, target),
      deflateRaw: (input) => table().deflateRaw(input),
      zstdCompress: (input) => table().zstdCompress(input),
      stream: (format) => table().stream(format),
    },
    load: async () => {
      loaded ??= (await import('./codecs.ts')).browserCodecs();
    },
  };
}
