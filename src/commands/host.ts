/** What a command needs of the world outside of the image; each door supplies it. */
import type { Bytes } from '../bytes/struct.ts';
import type { Codecs } from '../codec/index.ts';
import type { FileKind, Stat, Timestamp } from '../filesystem/filesystem.ts';
import type { HashFactory } from '../guest/checksum.ts';
import type { EditableTree } from '../guest/edit.ts';
import type { Image } from '../image/image.ts';
import type { Io } from '../io/effect.ts';
import type { ByteSource, WritableSource } from '../io/source.ts';
import type { OverlayDevice, OverlayOptions } from '../overlay/overlay.ts';

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

/** Attributes for a file of the host. */
export interface HostAttributes {
  /** Permission bits. */
  readonly mode: number;
  /** Set only where the program may change owners. */
  readonly uid: number;
  readonly gid: number;
  readonly mtime: Timestamp;
}

/** A file of the host under extraction; what is not written is a hole. */
export interface HostFile {
  write(offset: number, bytes: Bytes): void;
  /** Sets length and attributes, and closes it. */
  finish(size: number, attributes: HostAttributes): void;
  /** Closes it as it is; does nothing after `finish`. */
  close(): void;
}

/**
 * A folder of the host that receives files. Paths are relative to it, without `.` and `..`; a symbolic link that stands anywhere on the
 * way is Refused, and what stands under the last name is replaced, never written through. Errors are Posix or Refused.
 */
export interface HostFolder {
  /** Makes a directory; one that is there is used. */
  makeDirectory(path: Bytes): void;
  /** Sets the attributes of a directory whose contents are complete. */
  finishDirectory(path: Bytes, attributes: HostAttributes): void;
  createFile(path: Bytes): HostFile;
  makeSymlink(path: Bytes, target: Bytes, attributes: HostAttributes): void;
  /** Another name for a file that was made here before. */
  makeLink(path: Bytes, to: Bytes): void;
  /** A device node or FIFO. */
  makeNode(path: Bytes, stat: Stat): void;
  close(): void;
}

/** What lstat(2) tells of a file of the host. */
export interface HostStat {
  readonly kind: FileKind;
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: Timestamp;
  /** Of a symbolic link. */
  readonly target?: string;
  /** Of a device node. */
  readonly device?: { readonly major: number; readonly minor: number };
  /** Of a file with several names: the same for all of them. */
  readonly identity?: string;
}

/** Where the changes of an image will go. */
export interface Saving {
  /** Throws at once what `save` would throw in the end because of what the image is. */
  check(image: Image): void;
  /** How the overlay is to be kept until then. */
  readonly overlay: OverlayOptions;
  save(image: Image, overlay: OverlayDevice): Io<void>;
  /** Removes what was begun and not saved; to be called in the end in any case. */
  abandon(): void;
}

/** How a program of WASI is run. */
export interface ProgramOptions {
  /** The words of its command line, its name first. */
  readonly args: readonly string[];
  /** `NAME=VALUE`. */
  readonly env: readonly string[];
}

export interface Host {
  readonly codecs: Codecs;
  /** Opens an image by name, its backing chain through this door's gate. */
  openImage(name: string, options: OpenOptions): Io<Image>;
  /** A file of the host for reading. */
  openFile(name: string): Io<ByteSource>;
  /**
   * An image's file for writing in place. An interrupted commit is finished first; Refused when somebody (a running qemu) has the file in
   * use.
   */
  openForWriting(name: string): Io<WritableSource>;
  /** A folder of the host that exists. */
  openFolder(name: string): Io<HostFolder>;
  /** A new file of the host. */
  createFile(name: string): Io<NewFile>;
  /** A file of the host itself, no link followed. */
  stat(name: string): Io<HostStat>;
  /** The names in a folder of the host, sorted. */
  names(name: string): Io<readonly string[]>;
  /** Temporary storage for what an overlay does not keep in memory. */
  openTemporary(): WritableSource;
  /**
   * Gets ready to save changes into the image itself, or, with `target`, as a new qcow2 file backed by it. Called before the image is
   * opened, so that what happens to it meanwhile is noticed.
   */
  prepareSave(image: string, target: string | undefined): Io<Saving>;
  /** All bytes of a file or pipe of the host; `-` is standard input. Throws Posix EFBIG when there are more than `limit`. */
  readFile(name: string, limit: number): Io<Bytes>;
  /** The next bytes of standard input; undefined at its end. */
  readInput(): Io<Bytes | undefined>;
  /** Bytes that nobody can guess. */
  random(length: number): Bytes;
  /** Begins a checksum by its name, as fast as this platform can. */
  readonly hashes: HashFactory;
  now(): Timestamp;
  /** Runs a program of WASI over the files of a guest; its exit status. Absent where this door cannot. */
  runProgram?(tree: EditableTree, program: Bytes, options: ProgramOptions): number;
  /**
   * Serves the page to browsers on this computer until the program is ended; `ready` is told its address. Port 0 is any that is free. Throws Posix
   * when the port is taken. Absent where this door cannot.
   */
  servePage?(port: number, ready: (address: string) => Io<void>): Io<void>;
  /** Where this program is installed, and whether the host has a qemu-img of its own. */
  installation(): { readonly folder: string; readonly hasQemuImg: boolean };
  /** Whether this program may give files of the host any owner. */
  readonly mayChangeOwner: boolean;
  /** Tells the user of a problem that does not stop the work. */
  warn(message: string): void;
  /** Lets the outside world have a word: signals are heard here. Costs nothing when called often. */
  pause(): Io<void>;
  /**
   * Copies a whole disk into an empty file by several threads, runs of `unit` zero bytes left out. False when that would not pay or cannot be
   * done; then the whole disk has to be copied, over parts that may be there already. Absent where there are no threads. The length of the file is left to the caller.
   */
  copyWithThreads?(image: Image, target: WritableSource, unit: number): Io<boolean>;
  /** Says how far a long command is; `total` is absent while it is unknown. */
  progress(done: number, total?: number): void;
}
