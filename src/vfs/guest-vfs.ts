/**
 * nova's disk VFS over a disk image: the verbs of `nova/virt/disk/vfs/api.py` with the behaviour of its libguestfs backend, without an
 * appliance. Where this behaves otherwise, docs/vfs.md says so.
 */
import type { Bytes } from '../bytes/struct.ts';
import { Refused } from '../errors.ts';
import type { Timestamp } from '../filesystem/filesystem.ts';
import { EditableTree } from '../guest/edit.ts';
import { FILE_SYSTEMS } from '../guest/registry.ts';
import { EditSession } from '../guest/session.ts';
import type { Image } from '../image/image.ts';
import type { Io } from '../io/effect.ts';
import { Lock } from '../io/lock.ts';
import type { OverlayDevice, OverlayOptions } from '../overlay/overlay.ts';
import { TreeVerbs } from './tree-verbs.ts';
import type { Content, VfsVerbs } from './verbs.ts';

/** An image that a door opened. */
export interface VfsImage {
  readonly image: Image;
  /** Writes changes into the image, and empties the overlay. */
  commit(overlay: OverlayDevice): Io<void>;
  close(): void;
}

export interface VfsOptions {
  /** Changes are dropped at `teardown` unless `commit` was called, as under `qemu -snapshot`. Default false: `teardown` writes them. */
  readonly snapshot?: boolean;
  readonly overlay?: OverlayOptions;
  /** The clock that stamps what is changed; default the platform's. */
  readonly clock?: () => Timestamp;
  /** Told about what did not stop the setup: a file system that could not be mounted, a journal that was replayed. */
  readonly warn?: (message: string) => void;
}

/** What works here: nothing has to be started or installed for it. */
export interface VfsCapabilities {
  readonly imageFormats: readonly string[];
  readonly fileSystems: readonly string[];
}

interface Opened {
  readonly source: VfsImage;
  readonly session: EditSession;
  /** Undefined after a setup without mounting. */
  readonly tree: EditableTree | undefined;
}

export class GuestVfs implements VfsVerbs {
  /** The image, for messages. */
  readonly name: string;
  /** null and 0: the whole disk; N: partition N; -1: the mounts of the only operating system. */
  readonly partition: number | null;
  readonly #open: () => Io<VfsImage>;
  readonly #options: VfsOptions;
  readonly #lock = new Lock();
  #opened: Opened | undefined;

  /** `open` opens the image for each setup. */
  constructor(name: string, partition: number | null, open: () => Io<VfsImage>, options: VfsOptions = {}) {
    this.name = name;
    this.partition = partition;
    this.#open = open;
    this.#options = options;
  }

  /**
   * Opens the image and mounts what `partition` says; with `mount: false` only `getImageFs` has an answer. Throws Refused when there is no
   * operating system or more than one, when it is set up already, or when the image is in use; Posix ENOENT for a partition that is not
   * there; Unsupported and Corrupt. After an error nothing is open.
   */
  *setup(options: { readonly mount?: boolean } = {}): Io<void> {
    yield* this.#lock.exclusive(() => this.#setup(options.mount ?? true));
  }

  *#setup(mount: boolean): Io<void> {
    if (this.#opened !== undefined) throw new Refused('the guest is set up already', { image: this.name });
    const { overlay, clock, warn } = this.#options;
    const source = yield* this.#open();
    const session = new EditSession(source.image, {
      ...(overlay === undefined ? {} : { overlay }),
      ...(clock === undefined ? {} : { clock }),
    });
    const opened: Opened = { source, session, tree: mount ? new EditableTree() : undefined };
    try {
      if (opened.tree !== undefined) {
        yield* session.mount(opened.tree, { partition: this.partition ?? 0, image: this.name, ...(warn === undefined ? {} : { warn }) });
      }
    } catch (error) {
      close(opened);
      throw error;
    }
    this.#opened = opened;
  }

  /**
   * Writes the changes into the image, whole or not at all, unless this is a snapshot, and closes it. Does nothing when nothing is set up.
   * When writing fails the changes are lost and the error is thrown; the image is closed in any case.
   */
  *teardown(): Io<void> {
    const self = this;
    yield* this.#lock.exclusive(function* () {
      const opened = self.#opened;
      if (opened === undefined) return;
      self.#opened = undefined;
      try {
        if (self.#options.snapshot !== true) yield* save(opened);
      } finally {
        close(opened);
      }
    });
  }

  /** Writes the changes so far into the image and closes it, also of a snapshot: set it up again to go on. */
  *commit(): Io<void> {
    const self = this;
    yield* this.#lock.exclusive(function* () {
      const opened = self.#setUp();
      yield* save(opened);
      self.#opened = undefined;
      close(opened);
    });
  }

  // biome-ignore lint/correctness/useYield: a computation like its siblings
  *inspectCapabilities(): Io<VfsCapabilities> {
    return { imageFormats: ['raw', 'qcow2'], fileSystems: [...FILE_SYSTEMS.keys()] };
  }

  makePath(path: string): Io<void> {
    return this.#verb((verbs) => verbs.makePath(path));
  }

  appendFile(path: string, content: Content): Io<void> {
    return this.#verb((verbs) => verbs.appendFile(path, content));
  }

  replaceFile(path: string, content: Content): Io<void> {
    return this.#verb((verbs) => verbs.replaceFile(path, content));
  }

  readFile(path: string): Io<string> {
    return this.#verb((verbs) => verbs.readFile(path));
  }

  readFileBytes(path: string): Io<Bytes> {
    return this.#verb((verbs) => verbs.readFileBytes(path));
  }

  /** False for everything after a setup without mounting. */
  *hasFile(path: string): Io<boolean> {
    return yield* this.#lock.exclusive(() => new TreeVerbs(this.#setUp().tree ?? new EditableTree()).hasFile(path));
  }

  setPermissions(path: string, mode: number): Io<void> {
    return this.#verb((verbs) => verbs.setPermissions(path, mode));
  }

  setOwnership(path: string, user: string | null, group: string | null): Io<void> {
    return this.#verb((verbs) => verbs.setOwnership(path, user, group));
  }

  /** The type of the file system that the whole disk is, as blkid names it; empty where it is none, as on a partitioned disk. */
  *getImageFs(): Io<string> {
    const self = this;
    return yield* this.#lock.exclusive(function* () {
      return (yield* self.#setUp().session.view().identify('/dev/sda'))?.type ?? '';
    });
  }

  #setUp(): Opened {
    if (this.#opened === undefined) throw new Refused('the guest is not set up; call setup first', { image: this.name });
    return this.#opened;
  }

  /** Verbs run one after the other in the order of their calls, also when nobody waits for them. */
  #verb<T>(body: (verbs: TreeVerbs) => Io<T>): Io<T> {
    const self = this;
    return this.#lock.exclusive(function* () {
      const { tree } = self.#setUp();
      if (tree === undefined) throw new Refused('nothing is mounted; call setup without `mount: false`', { image: self.name });
      return yield* body(new TreeVerbs(tree));
    });
  }
}

function* save({ source, session, tree }: Opened): Io<void> {
  if (tree !== undefined) yield* tree.flush();
  yield* source.commit(session.overlay);
}

function close({ source, session }: Opened): void {
  session.close();
  source.close();
}
