/** What the shell needs of the world outside of the guest; each door supplies it. */
import type { Bytes } from '../bytes/struct.ts';
import type { Push } from '../commands/api/values.ts';
import type { Host } from '../commands/host.ts';
import type { DriveOptions, HandleHost } from '../commands/verbs/handle.ts';
import type { Io } from '../io/effect.ts';
import type { Pull } from '../io/pieces.ts';
import type { Element } from './xml.ts';

/** A drive as it was added, before it is opened. */
export interface DriveRequest {
  /** A file of the host or an address; empty for a drive that is only in memory. */
  readonly name: string;
  readonly readOnly: boolean;
  /** `raw`, `qcow2`, ...; probed when absent. */
  readonly format?: string;
  readonly label?: string;
  readonly blockSize?: number;
  /** A new drive of this many zero bytes, which is forgotten in the end. */
  readonly scratch?: number;
  /** As it was said: `http`, `nbd`, ...; `file` when absent. */
  readonly protocol?: string;
  readonly server?: readonly string[];
  /** The kind of controller that was asked for; it means nothing here. */
  readonly iface?: string;
  /** The image is part of the file: a member of an archive. */
  readonly part?: { readonly name: string; readonly offset: number; readonly size: number };
}

/** Where output goes. */
export interface ShellOutput {
  /** Whether a person sees it at once. */
  readonly terminal: boolean;
  write(bytes: Bytes): Io<void>;
}

/** A program of the host that output goes to. */
export interface OutputPipe extends ShellOutput {
  /** Ends its input and waits for it. */
  close(): Io<void>;
}

/** A file of the host that is being read; a stream. */
export interface LocalInput {
  readonly pull: Pull;
  close(): void;
}

/** A file of the host that is being written; it has its contents when it is finished. */
export interface LocalOutput {
  readonly push: Push;
  finish(): Io<void>;
  /** Leaves nothing behind; does nothing after `finish`. */
  abandon(): void;
}

export interface ShellHost {
  /** Files and folders of the host. */
  readonly files: Host;
  /** What a handle takes of this host. */
  readonly handle: HandleHost;
  readonly output: ShellOutput;
  /** Says something beside the output: a problem, a trace. Ends the line. */
  say(line: string): void;

  /** Throws Posix when there is no such file, before anything is opened. */
  checkDrive(request: DriveRequest): Io<void>;
  openDrive(request: DriveRequest): Io<DriveOptions>;
  /** Makes a file of `size` zero bytes, with its blocks allocated or without, replacing what was there. */
  createDisk(name: string, size: number, allocated: boolean): Io<void>;

  /** The elements of an XML document; `where` is what errors name. */
  parseXml(text: string, where: string): Io<Element>;

  /** A file for uploading; `-` is standard input. */
  openInput(name: string): Io<LocalInput>;
  /** A file for downloading, other than `-`. */
  createOutput(name: string): Io<LocalOutput>;
  /** The next line of the script or standard input, without its end; for here-documents. */
  readLine(): Io<string | undefined>;

  /** Runs a command by the host's shell; its exit status. */
  system(command: string, environment?: Readonly<Record<string, string>>, parameters?: readonly string[]): Io<number>;
  /** The output of a command of the host's shell, and its exit status. */
  capture(command: string): Io<{ readonly output: Bytes; readonly status: number }>;
  /** Starts a command of the host's shell to write to; with `failing`, it is an error when it stops reading. */
  openPipe(command: string, failing: boolean): Io<OutputPipe>;
  /** Lets the user change bytes with a program; undefined when they stay as they are. `name` is for what the program shows. */
  edit(program: string, name: string, contents: Bytes): Io<Bytes | undefined>;
  /** Shows a file with a program of the host, from the file system of the host; its exit status. */
  show(program: string, contents: (push: Push) => Io<void>): Io<number>;

  environment(name: string): string | undefined;
  /** Sets a variable of the environment, or takes it away. */
  setEnvironment(name: string, value: string | undefined): void;
  changeFolder(name: string): Io<void>;
  /** The home of a user, of the present one when `user` is empty; undefined when there is no such user. */
  home(user: string): string | undefined;
  /** The number of this process. */
  readonly processId: number;
  /** Milliseconds of a clock that only goes forward. */
  clock(): number;
}
