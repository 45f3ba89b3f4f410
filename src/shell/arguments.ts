/** From the words of a command to the arguments of a function. */
import { encodeName } from '../bytes/text.ts';
import type { ArgumentFacts, FunctionFacts } from '../commands/api/facts.ts';
import { Posix } from '../errors.ts';
import type { Io } from '../io/effect.ts';
import { ShellError } from './error.ts';
import type { LocalInput, LocalOutput, ShellHost, ShellOutput } from './host.ts';
import { commandName, usage } from './names.ts';
import { parseBoolean, parseInt32, parseInt64 } from './number.ts';
import { parseStringList } from './string-list.ts';

/** The arguments of one call, with the files of the host that it reads and writes. */
export interface Given {
  readonly args: Readonly<Record<string, unknown>>;
  readonly inputs: readonly LocalInput[];
  readonly outputs: readonly LocalOutput[];
}

/** What arguments are made with. */
export interface Making {
  readonly host: ShellHost;
  /** Where `-` as a file to write leads. */
  readonly output: ShellOutput;
  /** The guest's name of a path that begins with `win:`. */
  windowsPath(path: string): Io<string>;
}

/** Makes the arguments of a function. Throws {@link ShellError} for wrong use; the files that were opened are closed then. */
export function* makeArguments(facts: FunctionFacts, name: string, words: readonly string[], making: Making): Io<Given> {
  const wanted = facts.arguments.filter((argument) => argument.type !== 'Key');
  if (words.length < wanted.length || words.length > wanted.length + facts.optional.length) {
    const most = facts.optional.length === 0 ? '' : ` to ${wanted.length + facts.optional.length}`;
    throw new ShellError(`${name} takes ${wanted.length}${most} arguments, not ${words.length}; it is used as\n  ${usage(facts)}`);
  }
  const args: Record<string, unknown> = {};
  for (const { name: key, type } of facts.arguments) if (type === 'Key') args[key] = '';
  const optional = optionalArguments(facts, name, words.slice(wanted.length));
  const maker = new Maker(making);
  try {
    for (const [i, argument] of wanted.entries()) args[argument.name] = yield* maker.make(argument, words[i] ?? '');
    for (const [argument, value] of optional) args[argument.name] = yield* maker.make(argument, value);
  } catch (error) {
    maker.close();
    throw error;
  }
  return { args, inputs: maker.inputs, outputs: maker.outputs };
}

/** Optional arguments are `name:value`, each once. */
function optionalArguments(facts: FunctionFacts, command: string, words: readonly string[]): Map<ArgumentFacts, string> {
  const found = new Map<ArgumentFacts, string>();
  for (const word of words) {
    const colon = word.indexOf(':');
    const argument = facts.optional.find((one) => one.name === word.slice(0, Math.max(0, colon)));
    if (argument === undefined) {
      const names = facts.optional.map((one) => `${one.name}:`).join(' ');
      throw new ShellError(`${command} has no optional argument "${word}"; there are ${names}`);
    }
    if (found.has(argument)) throw new ShellError(`${command}: the optional argument ${argument.name} is given twice`);
    found.set(argument, word.slice(colon + 1));
  }
  return found;
}

class Maker {
  readonly inputs: LocalInput[] = [];
  readonly outputs: LocalOutput[] = [];
  readonly #making: Making;

  constructor(making: Making) {
    this.#making = making;
  }

  *make({ name, type }: ArgumentFacts, word: string): Io<unknown> {
    switch (type) {
      case 'Int':
        return parseInt32(word, name);
      case 'Int64':
        // The attributes of a GPT partition are 64 bits, not a number.
        return name === 'attributes' ? parseInt64(word, name) : safe(parseInt64(word, name), name);
      case 'Bool':
        return parseBoolean(word, name);
      case 'OptString':
        return word === '' ? undefined : word;
      case 'StringList':
      case 'StringList<Device>':
      case 'StringList<Filename>':
      case 'StringList<Pathname>':
        return parseStringList(word);
      case 'BufferIn':
        return encodeName(word);
      case 'FileIn': {
        const input = yield* this.#openInput(word);
        this.inputs.push(input);
        return input.pull;
      }
      case 'FileOut': {
        const { host, output } = this.#making;
        if (word === '-') return (bytes: Uint8Array) => output.write(bytes);
        const file = yield* host.createOutput(word);
        this.outputs.push(file);
        return file.push;
      }
      case 'Pathname':
      case 'Dev_or_Path':
      case 'Mountable_or_Path':
        return /^win:/i.test(word) ? yield* this.#making.windowsPath(word.slice(4)) : word;
      default:
        return word;
    }
  }

  /** `-<<END` reads the lines that follow up to `END`. */
  *#openInput(word: string): Io<LocalInput> {
    const { host } = this.#making;
    if (!word.startsWith('-<<')) return yield* host.openInput(word);
    const end = word.slice(3);
    if (end === '') throw new ShellError('-<< needs the line that ends the input, as in -<<END');
    const text: string[] = [];
    for (;;) {
      const line = yield* host.readLine();
      if (line === undefined) throw new ShellError(`the input ends before ${end}`);
      if (line === end) break;
      text.push(`${line}\n`);
    }
    const bytes = encodeName(text.join(''));
    let given = false;
    return {
      // biome-ignore lint/correctness/useYield: a stream that is here already
      *pull() {
        if (given) return undefined;
        given = true;
        return bytes;
      },
      close() {},
    };
  }

  close(): void {
    for (const input of this.inputs) input.close();
    for (const output of this.outputs) output.abandon();
  }
}

function safe(value: bigint, argument: string): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw new ShellError(`${argument}: ${value} is out of range`);
  return number;
}

/** Runs a call with its files: written ones are complete in the end, or not there. */
export function* withFiles<T>(given: Given, call: (args: Given['args']) => Io<T>): Io<T> {
  try {
    const result = yield* call(given.args);
    for (const output of given.outputs) yield* output.finish();
    return result;
  } finally {
    for (const input of given.inputs) input.close();
    for (const output of given.outputs) output.abandon();
  }
}

/** The path of a Windows drive letter, as it is written, apart: `C:\x` is `['C', '/x']`. */
export function splitWindowsPath(path: string): { readonly drive: string | undefined; readonly path: string } {
  const lettered = /^([A-Za-z]):(.*)$/s.exec(path);
  const rest = (lettered?.[2] ?? path).replaceAll('\\', '/');
  return { drive: lettered?.[1]?.toUpperCase(), path: rest.startsWith('/') ? rest : `/${rest}` };
}

/** For messages about functions that need a running guest. */
export function notLaunched(facts: { readonly name: string }): Posix {
  return new Posix('EINVAL', {}, `${commandName(facts)} needs the drives to be there: run comes first`);
}
