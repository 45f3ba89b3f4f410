/** From opening an image to writing its overlay back: what happens to the image's file in between is noticed. */
import { Refused, Unsupported } from '../errors.ts';
import type { Image } from '../image/image.ts';
import type { CommitHost } from '../io/commit-host.ts';
import { type Io, perform } from '../io/effect.ts';
import { commitOverlay, RAW_IMAGE, type WritableImage } from './commit.ts';
import { checkQcow2Commit, type Qcow2CommitOptions, qcow2Writer } from './commit-qcow2.ts';
import { commitPending, onHost, recover } from './journal.ts';
import type { OverlayDevice } from './overlay.ts';

/** What to say of an image beside which a complete journal stands. */
export const INTERRUPTED =
  'a commit into this image was interrupted, and it is half written; any change with --commit (or opening it for writing) finishes that commit first';

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

  /**
   * As {@link prepare}, for changes that will be saved over the image and not into it: nothing is finished, and a commit that was interrupted
   * is Refused.
   */
  static *watch(host: CommitHost, options: Qcow2CommitOptions): Io<WriteBack> {
    if (yield* commitPending(host)) throw new Refused(INTERRUPTED, { image: host.name });
    const stamp = yield* perform({ sync: () => host.stamp(), async: async () => host.stamp() });
    return new WriteBack(host, options, stamp);
  }

  /** Throws Refused when the image changed since it was opened, or somebody is writing into it: it cannot be a backing file then. */
  *checkBase(): Io<void> {
    const host = this.#host;
    const where = { image: host.name };
    const { stamp, writer } = yield* onHost(() => ({ stamp: host.stamp(), writer: host.writer?.() }));
    if (writer !== undefined) throw new Refused(`the image is being written (${writer}); it cannot be a backing file meanwhile`, where);
    if (stamp !== this.#stamp) throw new Refused('the image was changed by somebody else since it was opened; nothing was saved', where);
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
