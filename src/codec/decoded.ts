/** A stream in pieces, decoded. */
import type { Bytes } from '../bytes/struct.ts';
import { concatBytes } from '../bytes/text.ts';
import type { Io } from '../io/effect.ts';
import type { Pull } from '../io/pieces.ts';
import type { Codecs, StreamDecoder } from './codecs.ts';
import { identifyStream } from './stream-magic.ts';

/**
 * What a decoder makes of a stream, piece by piece; each is valid until the next one is asked for. A stream that breaks off is Corrupt, or
 * with `breaksOff` just ends where it does.
 */
export function decodedPieces(next: Pull, decoder: StreamDecoder, options: { readonly breaksOff?: boolean } = {}): Pull {
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

/** No magic number of a compression is longer. */
const HEAD = 6;

/** The pieces of a stream, decompressed when it begins as one of the compressions does. */
export function* decodedIfPacked(next: Pull, codecs: Codecs): Io<Pull> {
  let head: Bytes = new Uint8Array(0);
  while (head.length < HEAD) {
    const piece = yield* next();
    if (piece === undefined) break;
    // A copy: the next piece may come in the same memory.
    head = concatBytes(head, piece);
  }
  const whole = preceded(head, next);
  const format = identifyStream(head);
  return format === undefined ? whole : decodedPieces(whole, codecs.stream(format));
}

/** A stream whose first bytes were taken already. */
export function preceded(first: Bytes, next: Pull): Pull {
  let given = first.length === 0;
  return function* () {
    if (given) return yield* next();
    given = true;
    return first;
  };
}
