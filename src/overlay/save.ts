/** Writing an overlay into a new qcow2 image over its base. */
import type { Bytes } from '../bytes/struct.ts';
import { Refused, Unsupported } from '../errors.ts';
import type { Image } from '../image/image.ts';
import type { Io } from '../io/effect.ts';
import type { WritableSource } from '../io/source.ts';
import { writeOverlay } from '../qcow2/create.ts';
import type { OverlayDevice } from './overlay.ts';
import { CLUSTER } from './store.ts';

/** How a new image refers to its backing file, and who is let in between. */
export interface SaveOptions {
  /** The base's name as it shall stand in the new image: absolute, or relative to the new image's folder. */
  readonly backing: string;
  /** Called before each piece of data. */
  readonly pause?: () => Io<void>;
}

/** Throws Unsupported when no image can have this one as its backing file: qemu does not unpack what is compressed as a whole. */
export function checkBacking(image: Image, name: string): void {
  if (image.unpacked === true) {
    const hint = 'a compressed image cannot be the backing file of a qcow2 file; decompress it first';
    throw new Unsupported('compressed backing file', hint, { image: name });
  }
}

/**
 * Writes a new qcow2 image with the changes of `overlay`, over `image` as its backing file, whose format is declared as it was opened.
 * Only what was changed is stored; zeros and discards become clusters of zeros. `target` is empty, and the overlay stays as it is; or it is
 * the overlay's own temporary file, with a cluster left free at its beginning: then the data stay where they are, and the overlay cannot be
 * changed afterwards. Nothing is made durable. Throws Refused while a transaction is open and for names that are too long, Unsupported as {@link checkBacking}.
 */
export function* saveOverlay(overlay: OverlayDevice, image: Image, target: WritableSource, options: SaveOptions): Io<void> {
  if (overlay.inTransaction) throw new Refused('a transaction is open', { image: target.name });
  checkBacking(image, options.backing);
  const { backing, pause } = options;
  const create = { size: overlay.size, clusterSize: CLUSTER, backing: { name: backing, format: image.format } };
  function* read(offset: number, into: Bytes): Io<void> {
    if (pause !== undefined) yield* pause();
    // The new disk has whole sectors, also where the base does not.
    const inside = Math.min(into.length, overlay.size - offset);
    yield* overlay.readInto(offset, inside === into.length ? into : into.subarray(0, inside));
    into.fill(0, inside);
  }
  if (overlay.isStoredIn(target)) {
    const { changes, end } = yield* overlay.storedChanges();
    yield* writeOverlay(target, create, changes, read, end);
  } else yield* writeOverlay(target, create, overlay.changes(), read);
}
