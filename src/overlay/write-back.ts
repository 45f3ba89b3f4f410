/** From opening an image to writing its overlay back: what happens to the image's file in between is noticed. */
import { Unsupported } from '../errors.ts';
import type { Image } from '../image/image.ts';
import type { CommitHost } from '../io/commit-host.ts';
import { type Io, perform } from '../io/effect.ts';
import { commitOverlay, RAW_IMAGE, type WritableImage } from './commit.ts';
import { recover } from './journal.ts';
import type { OverlayDevice } from './overlay.ts';

export class WriteBack {
  readonly #host: CommitHost;
  #stamp: string;

  private constructor(host: CommitHost, stamp: string) {
    this.#host = host;
    this.#stamp = stamp;
  }

  /** Finishes a commit that was interrupted, and remembers the image's file as it is now. Call it before the image is opened. */
  static *prepare(host: CommitHost): Io<WriteBack> {
    yield* recover(host);
    const stamp = yield* perform({ sync: () => host.stamp(), async: async () => host.stamp() });
    return new WriteBack(host, stamp);
  }

  /** Throws Unsupported when nothing can be written into this image. */
  check(image: Image): void {
    writerOf(image, this.#host.name);
  }

  /**
   * Writes the changes into the image, whole or not at all, and empties the overlay; does nothing when there are none. Throws Refused when
   * somebody else changed the image or uses it, Unsupported for a format that cannot be written.
   */
  *commit(image: Image, overlay: OverlayDevice): Io<void> {
    if (!overlay.changed) return;
    this.#stamp = yield* commitOverlay(overlay, writerOf(image, this.#host.name), this.#host, this.#stamp);
  }
}

function writerOf(image: Image, name: string): WritableImage {
  if (image.unpacked === true) {
    throw new Unsupported('writing compressed images', 'changes cannot be written into a compressed image; decompress it first', {
      image: name,
    });
  }
  if (image.format === 'raw') return RAW_IMAGE;
  throw new Unsupported(`writing ${image.format}`, `changes cannot be written into this ${image.format} image yet`, { image: name });
}
