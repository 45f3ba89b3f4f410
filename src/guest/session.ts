/** A disk opened for changes: they gather in an overlay over the image, which is only read. */
import type { BlockDevice } from '../io/device.ts';
import type { Io } from '../io/effect.ts';
import { Slice } from '../io/slice.ts';
import { OverlayDevice, type OverlayOptions } from '../overlay/overlay.ts';
import { chooseMounts, type MountChoice, type MountPoint, mountAll } from './choose-mounts.ts';
import { Disk, type DiskOptions } from './disk.ts';
import type { EditableTree } from './edit.ts';

export interface SessionOptions extends DiskOptions {
  readonly overlay?: OverlayOptions;
}

export class EditSession {
  readonly overlay: OverlayDevice;
  /** The drive for changing: its file systems are mounted for writing. */
  readonly disk: Disk;
  readonly #options: DiskOptions;

  constructor(image: BlockDevice, options: SessionOptions = {}) {
    const { overlay, ...rest } = options;
    this.#options = rest;
    this.overlay = new OverlayDevice(image, overlay);
    this.disk = new Disk([this.overlay], rest);
  }

  /** The drive as it is now, for looking only: what is mounted of it can do without the features that writing needs, and changes nothing. */
  view(): Disk {
    return new Disk([new Slice(this.overlay, 0, this.overlay.size)], this.#options);
  }

  /** Mounts what `points` say, or else what the choice means, in an empty tree. */
  *mount(tree: EditableTree, choice: MountChoice & { readonly points?: readonly MountPoint[] | undefined } = {}): Io<void> {
    const points = choice.points ?? (yield* chooseMounts(this.view(), choice));
    yield* mountAll(tree, this.disk, points, choice.warn);
  }

  /** Gives up what was not saved. */
  close(): void {
    this.overlay.close();
  }
}
