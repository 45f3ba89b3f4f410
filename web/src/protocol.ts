/** What the page asks of the worker that holds the disk, and what it gets: plain data, names as lossless text (`decodeName`). */

import type { FileKind } from '../../src/filesystem/filesystem.ts';
import type { Difference } from '../../src/guest/diff.ts';

/** An error as it crosses from the worker to the page. */
export interface Failure {
  readonly message: string;
  /** `corrupt`, `unsupported`, `posix`, `refused`, `cancelled`, or `bug` for what should not happen. */
  readonly family: string;
  readonly code: string;
  /** The image names this file, which was not chosen. */
  readonly missing?: string;
}

export interface Layer {
  readonly name: string;
  readonly format: string;
  /** Bytes of the file. */
  readonly fileSize: number;
  readonly virtualSize: number;
  /** Facts of a qcow2 file, as name and value. */
  readonly facts: readonly (readonly [string, string])[];
}

/** A tree that can be shown: an operating system with its mounts, or one file system. */
export interface Root {
  readonly id: string;
  readonly label: string;
}

export interface Opened {
  readonly name: string;
  readonly remote: boolean;
  readonly size: number;
  readonly layers: readonly Layer[];
  readonly warnings: readonly string[];
  readonly roots: readonly Root[];
  /** The root that is shown. */
  readonly root?: string;
}

export interface Region {
  readonly kind: 'partition' | 'free';
  readonly start: number;
  readonly size: number;
  readonly device?: string;
  readonly typeName?: string;
  readonly partitionName?: string;
  readonly bootable?: boolean;
  readonly content?: Content;
}

/** What a device holds. */
export interface Content {
  readonly device: string;
  readonly type: string;
  readonly size: number;
  readonly label: string;
  readonly uuid?: string;
  readonly used?: number;
  readonly total?: number;
  readonly inodes?: number;
  readonly freeInodes?: number;
  readonly warnings: readonly string[];
  readonly error?: Failure;
}

export interface System {
  readonly root: string;
  readonly title: string;
  readonly distribution: string;
  readonly architecture: string;
  readonly hostname?: string;
  readonly init: string;
  readonly packageFormat: string;
  readonly mounts: readonly { readonly path: string; readonly device?: string; readonly spec: string }[];
  readonly warnings: readonly string[];
}

export interface Overview {
  readonly scheme?: string;
  readonly tableId?: string;
  readonly sectorSize?: number;
  readonly tableError?: Failure;
  readonly tableWarnings: readonly string[];
  /** In the order of the disk. */
  readonly regions: readonly Region[];
  readonly contents: readonly Content[];
  readonly systems: readonly System[];
}

export interface Packages {
  /** Undefined when they cannot be listed. */
  readonly count?: number;
  readonly names: readonly string[];
  readonly reason?: string;
}

/** An entry of a directory, in brief: name, kind letter. */
export type Entry = readonly [name: string, kind: Kind];

/** `f` file, `d` directory, `l` symbolic link, and the letters of find(1) for the rest; `?` unknown. */
export type Kind = 'f' | 'd' | 'l' | 'c' | 'b' | 'p' | 's' | '?';

export const KIND_OF: Readonly<Record<FileKind, Kind>> = {
  file: 'f',
  directory: 'd',
  symlink: 'l',
  character: 'c',
  block: 'b',
  fifo: 'p',
  socket: 's',
};

/** What a row of the tree tells beside its name. */
export interface Brief {
  readonly size: number;
  readonly mode: number;
  readonly mtime: number;
  readonly target?: string;
}

export interface Details {
  readonly path: string;
  readonly kind: Kind;
  readonly inode: number;
  readonly mode: number;
  readonly links: number;
  readonly uid: number;
  readonly gid: number;
  readonly user?: string;
  readonly group?: string;
  readonly size: number;
  readonly allocated: number;
  readonly device?: string;
  readonly fileSystem: string;
  readonly on: string;
  readonly readOnly: boolean;
  /** Milliseconds since 1970, and the nanoseconds text after the dot. */
  readonly times: readonly (readonly [name: string, milliseconds: number, fraction: string])[];
  readonly target?: string;
  /** The length of the regular file that it is, or that the link leads to. */
  readonly contents?: number;
  readonly xattrs: readonly (readonly [name: string, value: string])[];
  readonly extents: readonly { readonly offset: number; readonly length: number; readonly place?: number }[];
  readonly moreExtents: boolean;
  readonly problems: readonly string[];
}

export interface Piece {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly size: number;
}

export interface Change {
  readonly sign: Difference['sign'];
  readonly path: string;
  readonly kind: Kind;
  readonly reasons: readonly string[];
}

export interface Statistics {
  /** Bytes that were read from the files or the server. */
  readonly read: number;
  readonly requests: number;
  /** Bytes of clusters that were changed. */
  readonly changed: number;
}

export interface Injection {
  readonly key?: string;
  readonly password?: string;
  readonly hostname?: string;
  readonly files: readonly { readonly path: string; readonly file: File }[];
}

export type SaveKind = 'overlay' | 'raw' | 'qcow2';

/** Where a download goes: a file that the user chose, or, without one, a file of the browser's own that is then downloaded. */
export interface Written {
  /** Undefined when it went to the file that the user chose. */
  readonly file?: Blob;
  readonly name: string;
  readonly warnings: readonly string[];
}

export interface Progress {
  readonly done: number;
  readonly total?: number;
  readonly note?: string;
}

/** Each call: its arguments, its result, and what it tells on the way. */
export interface Calls {
  open: { args: { files: readonly File[]; url?: string; demo?: readonly (readonly [string, string])[] }; result: Opened; part: never };
  mount: { args: { root: string }; result: Opened; part: never };
  overview: { args: object; result: Overview; part: never };
  packages: { args: { root: string }; result: Packages; part: never };
  list: { args: { path: string }; result: { problem?: Failure }; part: readonly Entry[] };
  briefs: { args: { folder: string; names: readonly string[] }; result: readonly (Brief | undefined)[]; part: never };
  details: { args: { path: string }; result: Details; part: never };
  read: { args: { path: string; offset: number; length: number }; result: Piece; part: never };
  search: {
    args: { text: string; from: string };
    result: { stopped: boolean; problems: number };
    part: readonly (readonly [string, Kind])[];
  };
  changes: { args: object; result: { problems: number }; part: readonly Change[] };
  mkdir: { args: { path: string }; result: undefined; part: never };
  rename: { args: { from: string; to: string }; result: undefined; part: never };
  remove: { args: { path: string }; result: undefined; part: never };
  chmod: { args: { path: string; mode: number }; result: undefined; part: never };
  write: { args: { path: string; text: string; encoding: string }; result: undefined; part: never };
  upload: { args: { folder: string; files: readonly { name: string; file: File }[] }; result: undefined; part: Progress };
  inject: { args: Injection; result: { problems: readonly string[] }; part: never };
  discard: { args: object; result: Opened; part: never };
  save: { args: { kind: SaveKind; backing: string; target?: FileSystemFileHandle }; result: Written; part: Progress };
  download: { args: { path: string; as: 'file' | 'tar' | 'zip'; target?: FileSystemFileHandle }; result: Written; part: Progress };
  shell: { args: { line: string }; result: { mounted: boolean; prompt: string }; part: { text: string; error: boolean } };
  complete: { args: { line: string }; result: { candidates: readonly string[]; part: string }; part: never };
  program: {
    args: {
      /** A file of the computer, or a path of the guest. */
      program: { readonly file: File } | { readonly path: string };
      words: readonly string[];
      /** `NAME=VALUE`. */
      env: readonly string[];
      /** What it reads from its standard input. */
      input: string;
    };
    /** A status, or why there is none. */
    result: { readonly status?: number; readonly failure?: Failure };
    part: { readonly bytes: Uint8Array<ArrayBuffer>; readonly error: boolean };
  };
  kept: { args: object; result: { bytes?: number; when?: number }; part: never };
  keep: { args: object; result: undefined; part: never };
  restore: { args: object; result: undefined; part: never };
  forget: { args: object; result: undefined; part: never };
  statistics: { args: object; result: Statistics; part: never };
}

export type CallName = keyof Calls;

export type ToWorker = { readonly id: number; readonly name: CallName; readonly args: unknown } | { readonly cancel: number };

export type FromWorker =
  | { readonly id: number; readonly part: unknown }
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly failure: Failure };
