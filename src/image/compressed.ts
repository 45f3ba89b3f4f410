/** Raw images that are compressed as a whole: decompressed once, into a temporary store, in bounded memory. */
import { isZero } from '../bytes/text.ts';
import type { Codecs, StreamFormat } from '../codec/codecs.ts';
import { Corrupt, Refused, Unsupported } from '../errors.ts';
import { type Io, perform } from '../io/effect.ts';
import { type ByteSource, readExactly, Truncate, type WritableSource, Write } from '../io/source.ts';
import type { Image } from './image.ts';
import { probeHead } from './probe.ts';
import { RawImage } from './raw.ts';

/** Compressed bytes that are read at once. */
const PIECE: number = 256 << 10;
/** Zeros are left out in units of this many bytes. */
const HOLE: number = 64 << 10;

/**
 * Decompresses `source` into what `scratch` gives and opens that as a raw image. Runs of zeros are not written, so the store stays
 * sparse. Throws Corrupt for damaged streams, Refused when more than `limit` bytes come out, Unsupported when what comes out is no raw
 * disk. The source is closed with the image.
 */
export function* decompressToScratch(
  source: ByteSource,
  compression: StreamFormat,
  codecs: Codecs,
  scratch: (sizeHint: number | undefined) => Io<WritableSource>,
  limit: number,
): Io<Image> {
  const where = { image: source.name };
  const store = yield* scratch(undefined);
  try {
    const decoder = codecs.stream(compression);
    const piece = new Uint8Array(Math.min(PIECE, Math.max(1, source.size)));
    let size = 0;
    for (let offset = 0; offset < source.size; ) {
      const part = piece.subarray(0, Math.min(piece.length, source.size - offset));
      yield* readExactly(source, offset, part);
      offset += part.length;
      decoder.push(part);
      for (let chunk = decoder.next(); chunk !== undefined; chunk = decoder.next()) {
        if (size + chunk.length > limit) throw new Refused(`more than ${limit} bytes come out of this compressed image`, where);
        if (size === 0) refuseOtherFormats(chunk, source);
        yield* writeSparsely(store, size, chunk);
        size += chunk.length;
      }
    }
    decoder.finish();
    yield* perform(new Truncate(store, size));
    return new DecompressedImage(store, source);
  } catch (error) {
    store.close?.();
    if (error instanceof Corrupt) throw new Corrupt(`the image cannot be decompressed: ${error.message}`, where, { cause: error });
    throw error;
  }
}

function refuseOtherFormats(head: Uint8Array, source: ByteSource): void {
  const inner = probeHead(head.subarray(0, 1024));
  if (inner.kind === 'raw') return;
  const name = inner.kind === 'unsupported' ? inner.format : inner.kind;
  throw new Unsupported(`compressed ${name}`, `a ${name} image inside of a compressed file is not supported: decompress it first`, {
    image: source.name,
  });
}

function* writeSparsely(store: WritableSource, offset: number, chunk: Uint8Array): Io<void> {
  for (let start = 0; start < chunk.length; ) {
    const end = Math.min(chunk.length, start + HOLE - ((offset + start) % HOLE));
    if (!isZero(chunk, start, end)) yield* perform(new Write(store, offset + start, chunk.subarray(start, end)));
    start = end;
  }
}

/** A raw image over the store; knows the file it came from. */
class DecompressedImage extends RawImage {
  readonly unpacked = true;
  readonly #compressed: ByteSource;

  constructor(store: ByteSource, compressed: ByteSource) {
    super(store);
    this.#compressed = compressed;
  }

  override close(): void {
    super.close();
    this.#compressed.close?.();
  }
}
