/** An image into which changes are committed while it is in use. */
import type { Bytes } from '../bytes/struct.ts';
import type { Image } from '../image/image.ts';
import type { BlockDevice, Extent } from '../io/device.ts';
import type { Io } from '../io/effect.ts';
import type { OverlayDevice } from '../overlay/overlay.ts';
import type { WriteBack } from '../overlay/write-back.ts';

/** The disk of an image. After each commit the image is opened again, as the tables of a qcow2 file are other ones then, and its file may have grown. */
export class ImageForWriting implements BlockDevice {
  readonly size: number;
  readonly preferredRequest: number;
  readonly #open: () => Io<Image>;
  readonly #back: WriteBack;
  #image: Image;

  /** `open` opens the image as `image` was opened. */
  constructor(image: Image, open: () => Io<Image>, back: WriteBack) {
    this.size = image.size;
    this.preferredRequest = image.preferredRequest;
    this.#image = image;
    this.#open = open;
    this.#back = back;
  }

  /** The image as it is now. */
  get image(): Image {
    return this.#image;
  }

  read(offset: number, length: number): Io<Bytes> {
    return this.#image.read(offset, length);
  }

  readInto(offset: number, target: Bytes): Io<void> {
    return this.#image.readInto(offset, target);
  }

  map(offset: number, length: number): Io<Extent> {
    return this.#image.map(offset, length);
  }

  /** Writes the changes into the image, whole or not at all, and empties the overlay. Throws as {@link WriteBack.commit}. */
  *commit(overlay: OverlayDevice): Io<void> {
    if (!overlay.changed) return;
    yield* this.#back.commit(this.#image, overlay);
    const before = this.#image;
    this.#image = yield* this.#open();
    before.close();
  }

  close(): void {
    this.#image.close();
  }
}
