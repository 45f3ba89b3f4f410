/** Running what is written: lines of a script, and commands of the command line. */
import { decodeName } from '../bytes/text.ts';
import { GuestlessError } from '../errors.ts';
import type { Io } from '../io/effect.ts';
import { ShellError } from './error.ts';
import { type CommandLine, type Line, parseLine, type Word } from './line.ts';
import { CallError, type Session } from './session.ts';

/** How deep `<!` may stand within what `<!` gave. */
const INLINE_DEPTH = 16;

/** Who runs a command: this session, or one in another process. */
export interface Executor {
  /** Tells of errors itself; false when there was one. `forgiving`: it does not end the other process. */
  execute(name: string, words: readonly string[], forgiving: boolean): Io<boolean>;
}

/** Runs commands here. */
export class LocalExecutor implements Executor {
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  execute(name: string, words: readonly string[], forgiving: boolean): Io<boolean> {
    this.#session.forgiving = forgiving;
    return told(this.#session, this.#session.run(name, words));
  }
}

/** Runs something, telling of its errors. */
export function* told(session: Session, io: Io<void>): Io<boolean> {
  try {
    yield* io;
    return true;
  } catch (error) {
    if (!(error instanceof ShellError || error instanceof CallError || error instanceof GuestlessError)) throw error;
    session.complain(error);
    return false;
  }
}

export class Script {
  readonly #session: Session;
  readonly #executor: Executor;
  #depth = 0;

  constructor(session: Session, executor: Executor = new LocalExecutor(session)) {
    this.#session = session;
    this.#executor = executor;
  }

  /** Runs lines until there are no more, `quit`, or an error that is not forgiven; false for the last. */
  *run(readLine: () => Io<string | undefined>): Io<boolean> {
    const session = this.#session;
    while (!session.ended) {
      const line = yield* readLine();
      if (line === undefined) return true;
      session.line++;
      if (!(yield* this.line(line))) return false;
    }
    return true;
  }

  /** Runs one line; false when it failed and is not forgiven. */
  *line(text: string): Io<boolean> {
    let line: Line;
    try {
      line = parseLine(text);
    } catch (error) {
      if (!(error instanceof ShellError)) throw error;
      this.#session.complain(error);
      return error.forgiven;
    }
    const done = yield* this.#perform(line);
    return done || (line.kind !== 'empty' && line.forgiving);
  }

  /** Runs the commands of a command line, which `:` stands between, all of them, as guestfish does, also behind `quit`; false when one failed and is not forgiven. */
  *commands(words: readonly string[]): Io<boolean> {
    const session = this.#session;
    let rest = words;
    while (rest.length > 0) {
      const colon = rest.indexOf(':');
      const command = colon < 0 ? rest : rest.slice(0, colon);
      const [first, ...given] = command;
      if (first === undefined) {
        session.complain(new ShellError('there is no command before a : of the command line'));
        return false;
      }
      const forgiving = first.startsWith('-');
      const done = yield* this.#executor.execute(forgiving ? first.slice(1) : first, given, forgiving);
      if (!done && !forgiving) return false;
      rest = colon < 0 ? [] : rest.slice(colon + 1);
    }
    return true;
  }

  *#perform(line: Line): Io<boolean> {
    const { host } = this.#session;
    switch (line.kind) {
      case 'empty':
        return true;
      case 'host':
        return (yield* host.system(line.command)) === 0;
      case 'inline':
        return yield* this.#inline(line.command, line.forgiving);
      case 'command':
        return yield* this.#command(line);
    }
  }

  *#command(line: CommandLine): Io<boolean> {
    const session = this.#session;
    const { name, pipe, forgiving } = line;
    const words = line.words.map((word) => this.#expand(word));
    if (pipe === undefined) return yield* this.#executor.execute(name, words, forgiving);
    const before = session.output;
    const piped = yield* session.host.openPipe(pipe, session.options.pipeErrors === true);
    session.output = piped;
    let done: boolean;
    try {
      done = yield* this.#executor.execute(name, words, forgiving);
    } finally {
      session.output = before;
      yield* piped.close();
    }
    return done;
  }

  /** Runs what a command of the host prints. */
  *#inline(command: string, forgiving: boolean): Io<boolean> {
    if (this.#depth >= INLINE_DEPTH) {
      this.#session.complain(new ShellError(`<! within <! more than ${INLINE_DEPTH} levels deep`));
      return false;
    }
    const { output, status } = yield* this.#session.host.capture(command);
    const lines = decodeName(output).split('\n');
    if (lines.at(-1) === '') lines.pop();
    this.#depth++;
    try {
      for (const line of lines) {
        if (!(yield* this.line(line)) && !forgiving) return false;
      }
    } finally {
      this.#depth--;
    }
    return status === 0;
  }

  /** `~` and `~user` at the beginning of a word without quotes. */
  #expand({ text, tilde }: Word): string {
    if (!tilde) return text;
    const slash = text.indexOf('/');
    const end = slash < 0 ? text.length : slash;
    const home = this.#session.host.home(text.slice(1, end));
    return home === undefined ? text : home + text.slice(end);
  }
}
