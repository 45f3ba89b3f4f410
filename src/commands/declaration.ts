/**
 * What a command is: data that the command line, the shell, the daemon and the documentation share.
 *
 * A command is declared once, with its arguments by kind, its options, help, examples and the kind of its result; the code that does the
 * work is loaded when it is first run, so that a declaration costs nothing.
 */
import type { Io } from '../io/effect.ts';
import type { Host } from './host.ts';
import type { Invocation } from './invocation.ts';
import type { Output } from './output.ts';

/** What an argument or an option's value means; completion and checking go by it. */
export type ValueKind =
  /** A disk image of the host. */
  | 'image'
  /** An absolute path inside the guest. */
  | 'guest-path'
  /** A device of the guest, such as `/dev/sda1`. */
  | 'device'
  /** A file of the host; `-` is standard input or output where the command says so. */
  | 'host-file'
  | 'host-folder'
  /** Permission bits in octal, or symbolic as chmod(1) takes them. */
  | 'mode'
  /** `OWNER[:GROUP]`, names of the guest or numbers. */
  | 'owner'
  /** A number of bytes, with an optional suffix K, M, G, T, P or E (powers of 1024). */
  | 'size'
  | 'number'
  | 'text';

export interface Argument {
  /** As the usage line shows it, such as `IMAGE`. */
  readonly name: string;
  readonly kind: ValueKind;
  readonly optional?: boolean;
  /** May be given several times; at least once unless `optional`. */
  readonly repeated?: boolean;
  readonly help?: string;
}

export interface Option {
  /** All spellings, such as `['-l', '--long']`; the last is the option's name in an {@link Invocation}. */
  readonly names: readonly string[];
  /** The value that it takes; absent for a switch. */
  readonly value?: { readonly name: string; readonly kind: ValueKind; readonly choices?: readonly string[] };
  /** May be given several times, each adding a value. */
  readonly repeated?: boolean;
  readonly help: string;
}

/** What a command prints. */
export type ResultKind =
  /** Text for people; with `--json` one JSON value. */
  | 'report'
  /** One line for each result; with `--json` an array with one element for each. */
  | 'lines'
  /** Bytes as they are. */
  | 'bytes'
  /** Nothing; the effect is the result. */
  | 'nothing';

/** The groups of options that several commands share. */
export type OptionGroup =
  /** How to open the image. */
  | 'image'
  /** Which file systems of the disk to look at. */
  | 'mount'
  /** Where changes go. */
  | 'write'
  /** JSON output. */
  | 'json';

/** The work of a command. What it returns is the exit status; errors are thrown. */
export type Run = (invocation: Invocation, host: Host, output: Output) => Io<number>;

export interface Command {
  readonly name: string;
  readonly aliases?: readonly string[];
  /** One line, without a full stop. */
  readonly summary: string;
  /** More, in paragraphs. */
  readonly description?: string;
  readonly arguments: readonly Argument[];
  readonly options: readonly Option[];
  readonly groups: readonly OptionGroup[];
  readonly result: ResultKind;
  /** From this argument on, counted from 0, all words are arguments, also those that begin with `-`. */
  readonly verbatim?: number;
  /** May take long and leaves something unfinished when it is broken off: it pauses now and then, so that a door can end it in good order. */
  readonly interruptible?: boolean;
  /** Command lines without the program's name. */
  readonly examples: readonly string[];
  /** Loads the code that does the work. */
  readonly load: () => Promise<Run>;
}

/** Commands under a common first word, such as `img info`. */
export interface CommandGroup {
  readonly name: string;
  readonly summary: string;
  readonly commands: readonly Command[];
}

export type CommandTable = readonly (Command | CommandGroup)[];

/** Whether an entry of the table is a group. */
export function isGroup(entry: Command | CommandGroup): entry is CommandGroup {
  return 'commands' in entry;
}
