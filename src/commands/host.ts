/** What a command needs of the world outside of the image; each door supplies it. */
import type { Bytes } from '../bytes/struct.ts';
import type { Codecs } from '../codec/index.ts';
import type { Timestamp } from '../filesystem/filesystem.ts';
import type { HashFactory } from '../guest/checksum.ts';
import type { Image } from '../image/image.ts';
import type { Io } from '../io/effect.ts';
import type { ByteSource, WritableSource } from '../io/source.ts';

/** How an image is opened. */
export interface OpenOptions {
  /** `raw`, `qcow2`, ...; probed by magic when absent. */
  readonly format?: string;
  /** An internal snapshot, by id or name. */
  readonly snapshot?: string;
}

/**
 * A file of the host under construction. It appears under its name, replacing what was there, only when it is finished; a device or pipe
 * of that name is written to directly.
 */
export interface NewFile {
  readonly target: WritableSource;
  finish(): Io<void>;
  /** Leaves nothing behind; does nothing after `finish`. */
  abandon(): void;
}

export interface Host {
  readonly codecs: Codecs;
  /** Opens an image by name, its backing chain through this door's gate. */
  openImage(name: string, options: OpenOptions): Io<Image>;
  /** A file of the host for reading. */
  openFile(name: string): Io<ByteSource>;
  /** A new file of the host. */
  createFile(name: string): Io<NewFile>;
  /** The next bytes of standard input; undefined at its end. */
  readInput(): Io<Bytes | undefined>;
  /** Begins a checksum by its name, as fast as this platform can. */
  readonly hashes: HashFactory;
  now(): Timestamp;
  /** Whether this program may give files of the host any owner. */
  readonly mayChangeOwner: boolean;
  /** Tells the user of a problem that does not stop the work. */
  warn(message: string): void;
  /** Says how far a long command is; `total` is absent while it is unknown. */
  progress(done: number, total?: number): void;
}
