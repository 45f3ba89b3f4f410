/** One call from the name of an image to the files in it. */
import { type TransactionTree, transactionAsync } from '../guest/async-transaction.ts';
import type { EditableTree } from '../guest/edit.ts';
import { type Guest, type GuestOptions, type GuestStorage, openGuestOn } from '../guest/guest.ts';
import type { Image, OpenOptions } from '../image/index.ts';
import type { BlockDevice } from '../io/device.ts';
import { runAsync, runSync } from '../io/drivers.ts';
import type { Io } from '../io/effect.ts';
import { type AsyncFace, asyncFace, type SyncFace, syncFace } from '../io/faces.ts';
import { commitPending } from '../overlay/journal.ts';
import type { OverlayDevice } from '../overlay/overlay.ts';
import { saveOverlay } from '../overlay/save.ts';
import { INTERRUPTED, type WriteBack } from '../overlay/write-back.ts';
import { commitHost, hasJournal } from '../platform/node/commit.ts';
import { createExclusively, relativeReference } from '../platform/node/exclusive-file.ts';
import { openTemporary } from '../platform/node/temporary.ts';
import { ImageForWriting } from './image-for-writing.ts';
import { now, openForWriting, openWithFolder } from './open-image.ts';

export interface OpenGuestOptions extends GuestOptions {
  /** `raw` or `qcow2`; told by its magic number when absent. */
  readonly format?: string;
  /** Opens the files that the image names; by default those in its folder and below. */
  readonly gate?: OpenOptions['gate'];
}

interface GuestProperties {
  /** The same guest as computations of this library. */
  readonly io: Guest<Image>;
  /** What was passed over or replayed when the guest was opened. */
  readonly warnings: readonly string[];
}

/** A guest with promises: the names of fs.promises where there are such. */
export type OpenedGuest = Omit<AsyncFace<Guest<Image>>, 'transaction'> &
  GuestProperties & {
    /** Several changes as one: when `body` rejects, none of them happened. Use the tree that it is given. */
    transaction<T>(body: (tree: TransactionTree<EditableTree>) => Promise<T>): Promise<T>;
    /** `await using guest = ...` closes it at the end of the block. */
    [Symbol.asyncDispose](): Promise<void>;
  };

/** A guest whose methods give their results at once. */
export type OpenedGuestSync = Omit<SyncFace<Guest<Image>>, 'transaction'> &
  GuestProperties & {
    transaction<T>(body: (tree: TransactionTreeSync) => T): T;
  };

/** A tree inside of a transaction; a transaction in it is a part of that one which can fail alone. */
export type TransactionTreeSync = Omit<SyncFace<EditableTree>, 'transaction'> & {
  transaction<T>(body: (tree: TransactionTreeSync) => T): T;
};

function* open(name: string, { format, gate, ...options }: OpenGuestOptions): Io<Guest<Image>> {
  const how = { ...(format === undefined ? {} : { format }), ...(gate === undefined ? {} : { gate }) };
  if (options.write !== true) {
    const half = hasJournal(name) && (yield* commitPending(yield* now(() => commitHost(name))));
    return yield* openGuestOn(new ReadStorage(yield* openWithFolder(name, how), half ? [INTERRUPTED] : []), options);
  }
  const { image, back } = yield* openForWriting(name, how);
  const overlay = { temporary: () => openTemporary(), ...options.overlay };
  // What the magic number said once is what the image is from now on.
  return yield* openGuestOn(new WriteStorage(name, image, back, { ...how, format: image.format }), { ...options, overlay });
}

class ReadStorage implements GuestStorage<Image> {
  readonly image: Image;
  readonly warnings: readonly string[];

  constructor(image: Image, warnings: readonly string[]) {
    this.image = image;
    this.warnings = [...warnings, ...image.warnings.map(({ message }) => message)];
  }

  get device(): BlockDevice {
    return this.image;
  }

  *commit(): Io<void> {}

  *saveAs(): Io<void> {}

  close(): void {
    this.image.close();
  }
}

class WriteStorage implements GuestStorage<Image> {
  readonly warnings: readonly string[];
  readonly #name: string;
  readonly #back: WriteBack;
  readonly #disk: ImageForWriting;

  constructor(name: string, image: Image, back: WriteBack, how: Partial<OpenOptions>) {
    this.#name = name;
    this.#back = back;
    this.#disk = new ImageForWriting(image, () => openWithFolder(name, how), back);
    this.warnings = image.warnings.map(({ message }) => message);
  }

  get device(): BlockDevice {
    return this.#disk;
  }

  get image(): Image {
    return this.#disk.image;
  }

  commit(overlay: OverlayDevice): Io<void> {
    return this.#disk.commit(overlay);
  }

  *saveAs(overlay: OverlayDevice, name: string): Io<void> {
    const { image } = this;
    const back = this.#back;
    const backing = yield* now(() => relativeReference(name, this.#name));
    yield* back.checkBase();
    yield* createExclusively(name, function* (target) {
      yield* saveOverlay(overlay, image, target, { backing });
      yield* back.checkBase();
    });
  }

  close(): void {
    this.#disk.close();
  }
}

/**
 * Opens the guest in an image file: `await guest.readFile('/etc/os-release')`. With `write: true` it can be changed; `commit` then writes
 * the changes into the image, `close` without it gives them up. Throws Posix, Refused, Unsupported or Corrupt.
 */
export async function openGuest(name: string, options: OpenGuestOptions = {}): Promise<OpenedGuest> {
  const guest = await runAsync(open(name, options));
  return dressed<OpenedGuest>(asyncFace(guest), {
    io: guest,
    warnings: guest.warnings,
    transaction: (body: (tree: TransactionTree<EditableTree>) => Promise<unknown>) => transactionAsync<EditableTree, unknown>(guest, body),
    [Symbol.asyncDispose]: () => runAsync(guest.close()),
  });
}

/** As {@link openGuest}, at once. */
export function openGuestSync(name: string, options: OpenGuestOptions = {}): OpenedGuestSync {
  const guest = runSync(open(name, options));
  const transaction = (body: (tree: TransactionTreeSync) => unknown): unknown =>
    runSync(
      // biome-ignore lint/correctness/useYield: the body runs its computations itself
      guest.transaction(function* () {
        return body(face);
      }),
    );
  const face = dressed<TransactionTreeSync>(syncFace(guest as EditableTree), { transaction });
  return dressed<OpenedGuestSync>(syncFace(guest), { io: guest, warnings: guest.warnings, transaction });
}

/** A face with some properties of its own before it. */
function dressed<T extends object>(face: object, own: Readonly<Record<PropertyKey, unknown>>): T {
  return new Proxy(face, {
    get: (target, key) => (Object.hasOwn(own, key) ? own[key] : Reflect.get(target, key)),
  }) as T;
}
