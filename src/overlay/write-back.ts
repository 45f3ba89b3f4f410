/** From opening an image to writing its overlay back: what happens to the image's file in between is noticed. */
import { Unsupported } from '../errors.ts';
import type { Image } from '../image/image.ts';
import type { CommitHost } from '../io/commit-host.ts';
import { type Io, perform } from '../io/effect.ts';
import { commitOverlay, RAW_IMAGE, type WritableImage } from './commit.ts';
import { checkQcow2Commit, type Qcow2CommitOptions, qcow2Writer } from './commit-qcow2.ts';
import { recover } from './journal.ts';
import type { OverlayDevice } from './overlay.ts';

export class WriteBack {
  readonly #host: CommitHost;
  readonly #options: Qcow2CommitOptions;
  #stamp: string;

  private constructor(host: CommitHost, options: Qcow2CommitOptions, stamp: string) {
    this.#host = host;
    this.#options = options;
    this.#stamp = stamp;
  }

  /** Finishes a commit that was interrupted, and remembers the image's file as it is now. Call it before the image is opened. */
  static *prepare(host: CommitHost, options: Qcow2CommitOptions): Io<WriteBack> {
    yield* recover(host);
    const stamp = yield* perform({ sync: () => host.stamp(), async: async () => host.stamp() });
    return new WriteBack(host, options, stamp);
  }

  /** Throws Unsupported when nothing can be written into this image. */
  check(image: Image): void {
    this.#writer(image);
  }

  /**
   * Writes the changes into the image, whole or not at all, and empties the overlay; does nothing when there are none. Throws Refused when
   * somebody else changed the image or uses it, Unsupported for a format that cannot be written.
   */
  *commit(image: Image, overlay: OverlayDevice): Io<void> {
    if (!overlay.changed) return;
    this.#stamp = yield* commitOverlay(overlay, this.#writer(image), this.#host, this.#stamp);
  }

  #writer(image: Image): WritableImage {
    const where = { image: this.#host.name };
    if (image.unpacked === true) {
      throw new Unsupported('writing compressed images', 'changes cannot be written into a compressed image; decompress it first', where);
    }
    if (image.format === 'raw') return RAW_IMAGE;
    if (image.format !== 'qcow2')
      throw new Unsupported(`writing ${image.format}`, `changes cannot be written into a ${image.format} image`, where);
    checkQcow2Commit(image);
    return qcow2Writer(image, this.#options);
  }
}
