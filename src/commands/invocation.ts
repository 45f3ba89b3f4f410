/** One call of a command: its arguments and options. */
import { Refused } from '../errors.ts';

/** Wrong use of a command; `help` is what to read. */
export class UsageError extends Refused {
  readonly help: string;
  constructor(message: string, help: string) {
    super(`${message}; see 'guestless ${help}'`);
    this.help = help;
  }
}

/** What to throw for wrong use of the command that these words name. */
export function wrongUse(command: string, message: string): UsageError {
  return new UsageError(`${command}: ${message}`, `${command} --help`);
}

/** The arguments and options of one call. */
export class Invocation {
  /** The command that is called, by the words that name it, such as `img info`. */
  readonly command: { readonly name: string };
  readonly #arguments: ReadonlyMap<string, readonly string[]>;
  readonly #options: ReadonlyMap<string, readonly string[]>;

  constructor(
    command: { readonly name: string },
    given: ReadonlyMap<string, readonly string[]>,
    options: ReadonlyMap<string, readonly string[]>,
  ) {
    this.command = command;
    this.#arguments = given;
    this.#options = options;
  }

  /** What to throw when the call makes no sense: says which command it was and where its help is. */
  wrongUse(message: string): UsageError {
    return wrongUse(this.command.name, message);
  }

  /** The single argument of this name; undefined when it is optional and absent. */
  optional(name: string): string | undefined {
    return this.#arguments.get(name)?.[0];
  }

  /** The single argument of this name, which the declaration demands. */
  argument(name: string): string {
    const value = this.optional(name);
    if (value === undefined) throw new RangeError(`${this.command.name} declares no argument ${name}`);
    return value;
  }

  /** All arguments of this name. */
  arguments(name: string): readonly string[] {
    return this.#arguments.get(name) ?? [];
  }

  /** Whether a switch is on; `name` is its last spelling, such as `--json`. */
  has(name: string): boolean {
    return this.#options.has(name);
  }

  /** The value of an option; the last one when it was given several times. */
  value(name: string): string | undefined {
    return this.#options.get(name)?.at(-1);
  }

  /** All values of an option, in their order. */
  values(name: string): readonly string[] {
    return this.#options.get(name) ?? [];
  }
}
