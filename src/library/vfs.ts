/** OpenStack nova's disk VFS on this host. */
import type { Bytes } from '../bytes/struct.ts';
import type { Io } from '../io/effect.ts';
import { type AsyncFace, asyncFace, type SyncFace, syncFace } from '../io/faces.ts';
import { openTemporary } from '../platform/node/temporary.ts';
import { GuestVfs, type VfsCapabilities, type VfsImage, type VfsOptions } from '../vfs/guest-vfs.ts';
import type { LocalImage } from '../vfs/image.ts';
import type { Content } from '../vfs/verbs.ts';
import { openForWriting } from './open-image.ts';

export function guestVfs(image: LocalImage, partition: number | null, options: VfsOptions = {}): GuestVfs {
  function* open(): Io<VfsImage> {
    const { image: opened, back } = yield* openForWriting(image.path, { format: image.format });
    try {
      if (options.snapshot !== true) back.check(opened);
    } catch (error) {
      opened.close();
      throw error;
    }
    return { image: opened, commit: (overlay) => back.commit(opened, overlay), close: () => opened.close() };
  }
  return new GuestVfs(image.path, partition, open, { overlay: { temporary: () => openTemporary() }, ...options });
}

/** nova's `nova.virt.disk.vfs.api.VFS`: its verbs as promises, and at once under `sync`. */
export class VFS {
  readonly image: LocalImage;
  /** null and 0: the whole disk; N: partition N; -1: the mounts of the only operating system. */
  readonly partition: number | null;
  /** The same verbs as computations of this library. */
  readonly io: GuestVfs;
  /** The same verbs, each giving its result at once. */
  readonly sync: SyncFace<GuestVfs>;
  readonly #async: AsyncFace<GuestVfs>;

  private constructor(image: LocalImage, partition: number | null, options: VfsOptions) {
    this.image = image;
    this.partition = partition;
    this.io = guestVfs(image, partition, options);
    this.sync = syncFace(this.io);
    this.#async = asyncFace(this.io);
  }

  /** The VFS of an image; nothing is opened before `setup`. The image says its own format; files that it names have to be in its folder. */
  static instanceForImage(image: LocalImage, partition: number | null = null, options: VfsOptions = {}): VFS {
    return new VFS(image, partition, options);
  }

  /** See {@link GuestVfs.setup}. */
  setup(options?: { readonly mount?: boolean }): Promise<void> {
    return this.#async.setup(options);
  }

  /** Writes the changes into the image, unless this is a snapshot, and closes it; may be called twice. */
  teardown(): Promise<void> {
    return this.#async.teardown();
  }

  /** Writes the changes into the image and closes it, also of a snapshot. */
  commit(): Promise<void> {
    return this.#async.commit();
  }

  inspectCapabilities(): Promise<VfsCapabilities> {
    return this.#async.inspectCapabilities();
  }

  makePath(path: string): Promise<void> {
    return this.#async.makePath(path);
  }

  appendFile(path: string, content: Content): Promise<void> {
    return this.#async.appendFile(path, content);
  }

  replaceFile(path: string, content: Content): Promise<void> {
    return this.#async.replaceFile(path, content);
  }

  readFile(path: string): Promise<string> {
    return this.#async.readFile(path);
  }

  readFileBytes(path: string): Promise<Bytes> {
    return this.#async.readFileBytes(path);
  }

  hasFile(path: string): Promise<boolean> {
    return this.#async.hasFile(path);
  }

  setPermissions(path: string, mode: number): Promise<void> {
    return this.#async.setPermissions(path, mode);
  }

  setOwnership(path: string, user: string | null, group: string | null): Promise<void> {
    return this.#async.setOwnership(path, user, group);
  }

  getImageFs(): Promise<string> {
    return this.#async.getImageFs();
  }

  /** `await using vfs = ...` tears it down at the end of the block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.teardown();
  }
}
