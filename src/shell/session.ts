/** A shell's session: the drives that were added, the handle over them, and running commands on it. */
import { encodeName } from '../bytes/text.ts';
import type { Calls } from '../commands/api/calls.ts';
import { type FunctionFacts, functionFacts } from '../commands/api/facts.ts';
import { callVerb } from '../commands/verbs/call.ts';
import { Handle } from '../commands/verbs/handle.ts';
import { GuestlessError, Posix } from '../errors.ts';
import type { Io } from '../io/effect.ts';
import { makeArguments, notLaunched, splitWindowsPath, withFiles } from './arguments.ts';
import { Configuration } from './configuration.ts';
import { AlreadyTold, ShellError } from './error.ts';
import { Events } from './events.ts';
import type { DriveRequest, ShellHost, ShellOutput } from './host.ts';
import { findFunction } from './names.ts';
import { printResult } from './print.ts';
import { traceCall, traceFailure, traceResult } from './trace.ts';

/** The most drives that a handle takes, as in libguestfs. */
export const MAX_DRIVES = 255;

/** What the client library makes of other functions is told under their names when it fails. */
const DAEMON_FUNCTIONS: Readonly<Record<string, string>> = {
  cat: 'download',
  find: 'find0',
  ls: 'ls0',
  lstat: 'lstatns',
  lstatlist: 'internal_lstatnslist',
  lstatnslist: 'internal_lstatnslist',
  lxattrlist: 'internal_lxattrlist',
  read_file: 'download',
  read_lines: 'download',
  readlinklist: 'internal_readlinklist',
  stat: 'statns',
  write: 'internal_write',
  write_append: 'internal_write_append',
};

/** An error of a function, with the name under which libguestfs tells it. */
export class CallError extends Error {
  readonly function: string | undefined;
  override readonly cause: GuestlessError;

  constructor(cause: GuestlessError, name: string | undefined) {
    super(name === undefined ? cause.message : `${name}: ${cause.message}`);
    this.name = 'CallError';
    this.function = name;
    this.cause = cause;
  }
}

/** What the client library of libguestfs does itself, rather than its daemon. */
export type LibraryFunctions = {
  readonly [N in keyof Calls]?: (session: Session, args: Calls[N]['args']) => Io<Calls[N]['result']>;
};

/** A command that is the shell's own, no function of libguestfs. */
export interface OwnCommand {
  /** The first is the usual one. */
  readonly names: readonly string[];
  /** What follows the name. */
  readonly usage: string;
  /** One line, without a full stop. */
  readonly summary: string;
  /** `name` is the one that was used. Throws {@link CallError} or {@link ShellError}. */
  run(session: Session, words: readonly string[], name: string): Io<void>;
}

/** What a session can do besides the verbs of the table. */
export interface Vocabulary {
  readonly library: LibraryFunctions;
  findOwnCommand(name: string): OwnCommand | undefined;
}

export interface SessionOptions {
  /** Failing to write into `| command` is an error. */
  readonly pipeErrors?: boolean;
  /** A person types the commands: problems do not say where in a script they are. */
  readonly interactive?: boolean;
}

export class Session {
  readonly host: ShellHost;
  readonly vocabulary: Vocabulary;
  readonly options: SessionOptions;
  readonly events: Events = new Events();
  configuration: Configuration;
  /** Where results go now. */
  output: ShellOutput;
  /** The drives in the order of their addition; they are opened when the handle is launched. */
  #drives: DriveRequest[] = [];
  #handle: Handle | undefined;
  /** `quit` was said. */
  ended = false;
  /** Where commands come from, for messages: the name of the script and the number of the line. */
  script = '*stdin*';
  line = 0;
  /** The present command was written with `-`: what it repeats goes on after an error. */
  forgiving = false;

  constructor(host: ShellHost, vocabulary: Vocabulary, options: SessionOptions = {}) {
    this.host = host;
    this.vocabulary = vocabulary;
    this.options = options;
    this.output = host.output;
    this.configuration = new Configuration((name) => host.environment(name));
  }

  get drives(): readonly DriveRequest[] {
    return this.#drives;
  }

  get launched(): boolean {
    return this.#handle !== undefined;
  }

  /** The handle. Throws Posix before `run`. */
  handle(facts: { readonly name: string }): Handle {
    if (this.#handle === undefined) throw notLaunched(facts);
    return this.#handle;
  }

  /** The handle, with something mounted. Throws Posix. */
  mounted(name: string): Handle {
    const handle = this.handle({ name });
    handle.requireMount();
    return handle;
  }

  /** The guest's name of a path, which may be written as `win:C:\\x`. */
  *guestPath(path: string): Io<string> {
    return /^win:/i.test(path) ? yield* this.#windowsPath(path.slice(4)) : path;
  }

  /** Adds a drive, which has to be there. Throws Posix after `run`. */
  *addDrive(request: DriveRequest): Io<void> {
    if (this.#handle !== undefined) throw new Posix('EINVAL', {}, 'drives cannot be added after run; shutdown comes first');
    if (this.#drives.length >= MAX_DRIVES) throw new Posix('EINVAL', {}, `there are ${MAX_DRIVES} drives, which are all that can be`);
    yield* this.host.checkDrive(request);
    this.#drives.push(request);
  }

  /** Works on a handle that somebody else opened, its drives under these names. The shell does not close it: `shutdown` is for whoever adopts. */
  adopt(handle: Handle, drives: readonly DriveRequest[]): void {
    this.#handle = handle;
    this.#drives = [...drives];
  }

  /** Opens the drives. */
  *launch(): Io<void> {
    if (this.#handle !== undefined) throw new Posix('EINVAL', {}, 'the drives are open already; run is needed once');
    if (this.#drives.length === 0) throw new Posix('EINVAL', {}, 'there is no drive; add comes before run');
    const opened = [];
    for (const request of this.#drives) opened.push(yield* this.host.openDrive(request));
    this.#handle = new Handle(this.host.handle, opened);
  }

  /** Writes changes into the images and gives up the handle; what was added is forgotten. */
  *shutdown(): Io<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    this.#drives = [];
    if (handle === undefined) return;
    try {
      if (this.configuration.autosync) {
        yield* handle.unmountAll();
        yield* handle.save();
      }
    } finally {
      handle.close();
    }
  }

  /** Ends everything; `failed`: because of an error. False when the changes could not be written. */
  *close(failed = false): Io<boolean> {
    try {
      const facts = failed ? undefined : functionFacts('shutdown');
      if (facts === undefined) yield* this.shutdown();
      else yield* this.#traced(facts, {});
      return true;
    } catch (error) {
      this.complain(error);
      return false;
    } finally {
      if (this.configuration.trace) yield* this.#trace('close');
      yield* this.events.raise(this.host, 'close', []);
    }
  }

  /** Runs a command with its output to `output`. Throws {@link CallError} or {@link ShellError}. */
  *run(name: string, words: readonly string[]): Io<void> {
    const own = this.vocabulary.findOwnCommand(name.toLowerCase().replaceAll('_', '-'));
    if (own !== undefined) return yield* this.#guarded(undefined, own.run(this, words, name.toLowerCase()));
    const facts = findFunction(name);
    if (facts === undefined) throw new UnknownCommand(name);
    const making = { host: this.host, output: this.output, windowsPath: (path: string) => this.#windowsPath(path) };
    const given = yield* this.#guarded(undefined, makeArguments(facts, name, words, making));
    const result = yield* withFiles(given, (args) => this.#traced(facts, args));
    const printed = printResult(facts, result, this.output.terminal);
    if (printed.length > 0) yield* this.output.write(printed);
  }

  *#traced(facts: FunctionFacts, args: Readonly<Record<string, unknown>>): Io<unknown> {
    const traced = this.configuration.trace;
    if (this.events.listens('enter')) yield* this.events.raise(this.host, 'enter', [facts.name]);
    if (!traced) return yield* this.#invoke(facts, args);
    yield* this.#trace(traceCall(facts, args));
    try {
      const result = yield* this.#invoke(facts, args);
      yield* this.#trace(traceResult(facts, result));
      return result;
    } catch (error) {
      yield* this.#trace(traceFailure(facts));
      throw error;
    }
  }

  *#trace(text: string): Io<void> {
    if (this.events.listens('trace')) yield* this.events.raise(this.host, 'trace', [text]);
    else this.host.say(`libguestfs: trace: ${text}`);
  }

  /** Calls a function of libguestfs by its name there. Throws {@link CallError}. */
  *call<N extends keyof Calls>(name: N, args: Calls[N]['args']): Io<Calls[N]['result']> {
    const facts = functionFacts(name);
    if (facts === undefined) throw new RangeError(`libguestfs has no function ${name}`);
    return (yield* this.#invoke(facts, args)) as Calls[N]['result'];
  }

  *#invoke(facts: FunctionFacts, args: Readonly<Record<string, unknown>>): Io<unknown> {
    const library = this.vocabulary.library[facts.name as keyof Calls];
    if (library !== undefined) {
      const call = library as (session: Session, args: Readonly<Record<string, unknown>>) => Io<unknown>;
      return yield* this.#guarded(undefined, call(this, args));
    }
    return yield* this.#guarded(DAEMON_FUNCTIONS[facts.name] ?? facts.name, this.#verb(facts, args));
  }

  *#verb(facts: FunctionFacts, args: Readonly<Record<string, unknown>>): Io<unknown> {
    return yield* callVerb(this.handle(facts), facts, args);
  }

  *#guarded<T>(name: string | undefined, io: Io<T>): Io<T> {
    try {
      return yield* io;
    } catch (error) {
      throw error instanceof GuestlessError ? new CallError(error, name) : error;
    }
  }

  /** `win:C:\x`: where the drive letter is mounted, or else from the root; in the case that the names have. */
  *#windowsPath(text: string): Io<string> {
    const { drive, path } = splitWindowsPath(text);
    let at = '';
    if (drive !== undefined) {
      const roots = this.launched ? yield* this.call('inspect_get_roots', {}) : [];
      const root = roots[0];
      if (root === undefined) throw new ShellError('drive letters are known after inspection: use -i, or inspect-os');
      const mappings = yield* this.call('inspect_get_drive_mappings', { root });
      const device = mappings.find(([letter]) => letter.toUpperCase() === drive)?.[1];
      const mount = (yield* this.call('mountpoints', {})).find(([mounted]) => mounted === device);
      if (mount === undefined) throw new ShellError(`the drive ${drive}: is not known, or not mounted`);
      at = mount[1] === '/' ? '' : mount[1];
    }
    return yield* this.call('case_sensitive_path', { path: `${at}${path}` });
  }

  *print(text: string): Io<void> {
    yield* this.output.write(encodeName(text));
  }

  /** Says what went wrong. */
  complain(error: unknown): void {
    const { host } = this;
    if (error instanceof AlreadyTold) return;
    if (error instanceof UnknownCommand) host.say(`${error.message}${this.line <= 1 ? UnknownCommand.hint : ''}`);
    else if (error instanceof ShellError) for (const line of `guestfish: ${error.message}`.split('\n')) host.say(line);
    else if (error instanceof CallError || error instanceof GuestlessError) {
      const place = this.options.interactive === true ? '' : `${this.script}:${this.line}: `;
      host.say(`${place}libguestfs: error: ${error.message}`);
    } else throw error;
  }
}

export class UnknownCommand extends ShellError {
  static readonly hint: string = '; to open an image use guestless fish -a IMAGE, and help -l lists the commands';

  constructor(name: string) {
    super(`${name}: unknown command`);
  }
}
