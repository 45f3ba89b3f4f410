/** A guest as one object: its tree, and what becomes of the changes. */
import { Refused } from '../errors.ts';
import type { BlockDevice } from '../io/device.ts';
import type { Io } from '../io/effect.ts';
import type { AsyncFace, SyncFace } from '../io/faces.ts';
import type { Change, OverlayDevice } from '../overlay/overlay.ts';
import { chooseMounts, type MountChoice, type MountPoint, mountAll } from './choose-mounts.ts';
import { Disk, type DiskOptions } from './disk.ts';
import { EditableTree } from './edit.ts';
import { EditSession, type SessionOptions } from './session.ts';

/** What the one who opened the image does with it. */
export interface GuestStorage<I extends BlockDevice = BlockDevice> {
  /** The image as it is opened now: a commit may open it again. */
  readonly image: I;
  /** The drive: reads of it are reads of `image`. */
  readonly device: BlockDevice;
  /** What was found when the image was opened. */
  readonly warnings: readonly string[];
  /** Writes changes into the image and empties the overlay. */
  commit(overlay: OverlayDevice): Io<void>;
  /** Writes a new image with the changes over this one. */
  saveAs(overlay: OverlayDevice, name: string): Io<void>;
  close(): void;
}

export interface GuestOptions extends SessionOptions {
  /** Changes are allowed; they gather in an overlay until they are committed or saved. Default false: every change is EROFS. */
  readonly write?: boolean;
  /** nova's numbers, see {@link MountChoice}; by default what the only operating system mounts. */
  readonly partition?: number;
  /** Devices and where to mount them, instead. */
  readonly mounts?: readonly { readonly device: string; readonly at: string }[];
}

export class Guest<I extends BlockDevice = BlockDevice> extends EditableTree {
  /** The drive. */
  readonly disk: Disk;
  /** What was passed over or replayed when the guest was opened. */
  readonly warnings: readonly string[];
  readonly #storage: GuestStorage<I>;
  readonly #session: EditSession | undefined;
  #closed = false;

  /** Use {@link openGuestOn}. */
  constructor(storage: GuestStorage<I>, disk: Disk, session: EditSession | undefined, warnings: readonly string[]) {
    super();
    this.#storage = storage;
    this.disk = disk;
    this.#session = session;
    this.warnings = warnings;
  }

  get image(): I {
    return this.#storage.image;
  }

  /** Writes all changes into the image, whole or not at all. Throws Refused when somebody else changed the image or uses it. */
  *commit(): Io<void> {
    yield* this.flush();
    yield* this.#storage.commit(this.#changing().overlay);
  }

  /** Writes a new qcow2 image with the changes, over this one as its backing file. */
  *saveAs(name: string): Io<void> {
    yield* this.flush();
    yield* this.#storage.saveAs(this.#changing().overlay, name);
  }

  /** The runs of the drive that were changed and not yet committed. */
  *changes(): Io<readonly Change[]> {
    yield* this.flush();
    return this.#session?.overlay.changes() ?? [];
  }

  /** Closes the image; changes that were not committed are given up. */
  // biome-ignore lint/correctness/useYield: a computation like its siblings
  *close(): Io<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#session?.close();
    this.#storage.close();
  }

  #changing(): EditSession {
    if (this.#session === undefined) throw new Refused('the guest was opened for reading; open it with `write: true`');
    return this.#session;
  }
}

/** The synchronous face of a guest. */
export interface SyncGuestFace extends SyncFace<Guest> {}
/** The asynchronous face of a guest. */
export interface AsyncGuestFace extends AsyncFace<Guest> {}

/** Mounts a guest. When that fails, the storage is closed. */
export function* openGuestOn<I extends BlockDevice>(storage: GuestStorage<I>, options: GuestOptions = {}): Io<Guest<I>> {
  const { write = false, partition, mounts, ...rest } = options;
  const warnings: string[] = [...storage.warnings];
  const choice: MountChoice = { partition, warn: (message) => warnings.push(message) };
  const session = write ? new EditSession(storage.device, rest) : undefined;
  const disk = session?.disk ?? new Disk([storage.device], rest satisfies DiskOptions);
  const guest = new Guest(storage, disk, session, warnings);
  try {
    const points: readonly MountPoint[] =
      mounts?.map((mount) => ({ ...mount, wanted: true })) ?? (yield* chooseMounts(session?.view() ?? disk, choice));
    yield* mountAll(guest, disk, points, choice.warn);
    return guest;
  } catch (error) {
    yield* guest.close();
    throw error;
  }
}
