/** One call from the name of an image to the files in it. */
import { Unsupported } from '../errors.ts';
import { transactionAsync } from '../guest/async-transaction.ts';
import type { EditableTree } from '../guest/edit.ts';
import { type Guest, type GuestOptions, type GuestStorage, openGuestOn } from '../guest/guest.ts';
import type { Image, OpenOptions } from '../image/index.ts';
import { runAsync, runSync } from '../io/drivers.ts';
import type { Io } from '../io/effect.ts';
import { type AsyncFace, asyncFace, type SyncFace, syncFace } from '../io/faces.ts';
import { openTemporary } from '../platform/node/temporary.ts';
import { openForWriting, openWithFolder } from './open-image.ts';

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
    transaction<T>(body: (tree: AsyncFace<EditableTree>) => Promise<T>): Promise<T>;
  };

/** A guest whose methods give their results at once. */
export type OpenedGuestSync = Omit<SyncFace<Guest<Image>>, 'transaction'> &
  GuestProperties & {
    transaction<T>(body: (tree: SyncFace<EditableTree>) => T): T;
  };

function* open(name: string, { format, gate, ...options }: OpenGuestOptions): Io<Guest<Image>> {
  const how = { ...(format === undefined ? {} : { format }), ...(gate === undefined ? {} : { gate }) };
  const overlay = { temporary: () => openTemporary(), ...options.overlay };
  if (options.write === true) {
    const { image, back } = yield* openForWriting(name, how);
    return yield* openGuestOn(
      storage(image, (changes) => back.commit(image, changes)),
      { ...options, overlay },
    );
  }
  const image = yield* openWithFolder(name, how);
  return yield* openGuestOn(
    storage(image, function* () {}),
    options,
  );
}

function storage(image: Image, commit: GuestStorage['commit']): GuestStorage<Image> {
  return {
    image,
    commit,
    // biome-ignore lint/correctness/useYield: a computation like its sibling
    *saveAs(_, name) {
      throw new Unsupported('writing qcow2', 'new qcow2 files cannot be written yet', { image: name });
    },
    close: () => image.close(),
  };
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
    transaction: (body: (tree: AsyncFace<EditableTree>) => Promise<unknown>) => transactionAsync<EditableTree, unknown>(guest, body),
  });
}

/** As {@link openGuest}, at once. */
export function openGuestSync(name: string, options: OpenGuestOptions = {}): OpenedGuestSync {
  const guest = runSync(open(name, options));
  const face = syncFace(guest as EditableTree);
  return dressed<OpenedGuestSync>(syncFace(guest), {
    io: guest,
    warnings: guest.warnings,
    transaction: (body: (tree: SyncFace<EditableTree>) => unknown) =>
      runSync(
        // biome-ignore lint/correctness/useYield: the body runs its computations itself
        guest.transaction(function* () {
          return body(face);
        }),
      ),
  });
}

/** A face with some properties of its own before it. */
function dressed<T extends object>(face: object, own: Readonly<Record<string, unknown>>): T {
  return new Proxy(face, {
    get: (target, key) => (typeof key === 'string' && Object.hasOwn(own, key) ? own[key] : Reflect.get(target, key)),
  }) as T;
}
