/** A stream in pieces, decoded. */
import type { Bytes } from '../bytes/struct.ts';
import type { Io } from '../io/effect.ts';
import type { StreamDecoder } from './codecs.ts';

/** Gives the next piece of a stream; undefined at its end. */
export type NextPiece = () => Io<Bytes | undefined>;

/**
 * What a decoder makes of a stream, piece by piece; each is valid until the next one is asked for. A stream that breaks off is Corrupt, or
 * with `breaksOff` just ends where it does.
 */
export function decodedPieces(next: NextPiece, decoder: StreamDecoder, options: { readonly breaksOff?: boolean } = {}): NextPiece {
  let ended = false;
  return function* () {
    for (;;) {
      const chunk = decoder.next();
      if (chunk !== undefined) return chunk;
      if (ended) return undefined;
      const piece = yield* next();
      if (piece !== undefined) decoder.push(piece);
      else {
        if (options.breaksOff !== true) decoder.finish();
        ended = true;
      }
    }
  };
}
