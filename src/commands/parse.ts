/** Understands a command line by the table: which command, with which arguments and options. */
import { type Argument, type Command, type CommandGroup, type CommandTable, isGroup, type Option } from './declaration.ts';
import { Invocation, UsageError, wrongUse } from './invocation.ts';
import { optionsOf } from './options.ts';
import { nearest } from './suggest.ts';

/** What a command line asks for. */
export type Request =
  | { readonly kind: 'run'; readonly command: Command; readonly invocation: Invocation }
  | { readonly kind: 'help'; readonly of?: Command | CommandGroup; readonly group?: CommandGroup }
  | { readonly kind: 'version' };

/** Finds an entry by name or alias. */
export function findEntry(table: CommandTable, name: string): Command | CommandGroup | undefined {
  return table.find((entry) => entry.name === name || (!isGroup(entry) && entry.aliases?.includes(name)));
}

/** Understands a command line, the words after the program's name. Throws {@link UsageError}. */
export function parse(table: CommandTable, words: readonly string[]): Request {
  const [first, ...rest] = words;
  if (first === undefined) throw new UsageError('no command given', '--help');
  if (first === '--version' || first === '-V') return { kind: 'version' };
  if (first === '--help' || first === '-h' || first === 'help') return helpRequest(table, first === 'help' ? rest : []);
  if (first.startsWith('-')) throw new UsageError(`${first}: options stand after the command`, '--help');
  const entry = findEntry(table, first);
  if (entry === undefined) throw unknownCommand(table, first, '');
  if (!isGroup(entry)) return parseCommand(entry, rest);
  const [second, ...more] = rest;
  if (second === undefined) throw wrongUse(entry.name, 'no command given');
  if (second === '--help' || second === '-h') return { kind: 'help', of: entry };
  const inner = findEntry(entry.commands, second);
  if (inner === undefined || isGroup(inner)) throw unknownCommand(entry.commands, second, `${entry.name} `);
  const request = parseCommand(inner, more, `${entry.name} `);
  return request.kind === 'help' ? { ...request, group: entry } : request;
}

function helpRequest(table: CommandTable, words: readonly string[]): Request {
  const [first, second] = words;
  if (first === undefined) return { kind: 'help' };
  const entry = findEntry(table, first);
  if (entry === undefined) throw unknownCommand(table, first, '');
  if (!isGroup(entry) || second === undefined) return { kind: 'help', of: entry };
  const inner = findEntry(entry.commands, second);
  if (inner === undefined) throw unknownCommand(entry.commands, second, `${entry.name} `);
  return { kind: 'help', of: inner, group: entry };
}

function unknownCommand(table: CommandTable, name: string, prefix: string): UsageError {
  const names = table.flatMap((entry) => [entry.name, ...(isGroup(entry) ? [] : (entry.aliases ?? []))]);
  const close = nearest(name, names);
  const hint = close === undefined ? '' : ` (did you mean '${close}'?)`;
  return new UsageError(`unknown command '${prefix}${name}'${hint}`, `${prefix}--help`);
}

function parseCommand(command: Command, words: readonly string[], prefix = ''): Request {
  const name = `${prefix}${command.name}`;
  const fail = (message: string): UsageError => wrongUse(name, message);
  const spellings = new Map<string, Option>();
  for (const option of optionsOf(command)) for (const name of option.names) spellings.set(name, option);
  const options = new Map<string, string[]>();
  const operands: string[] = [];

  const add = (option: Option, spelled: string, value: string): void => {
    const name = option.names.at(-1) ?? '';
    const choices = option.value?.choices;
    if (choices !== undefined && !choices.includes(value)) throw fail(`${spelled} is one of ${choices.join(', ')}, not '${value}'`);
    const values = options.get(name);
    if (values === undefined) options.set(name, [value]);
    else if (option.repeated === true) values.push(value);
    else options.set(name, [value]);
  };

  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? '';
    if (command.verbatim !== undefined && operands.length >= command.verbatim) {
      operands.push(...words.slice(i));
      break;
    }
    const next = (spelled: string, option: Option): string => {
      const value = words[++i];
      if (value === undefined) throw fail(`${spelled} wants ${option.value?.name ?? 'a value'}`);
      return value;
    };
    if (word === '--') {
      operands.push(...words.slice(i + 1));
      break;
    }
    if (word === '-' || !word.startsWith('-')) {
      operands.push(word);
    } else if (word.startsWith('--')) {
      const equals = word.indexOf('=');
      const spelled = equals < 0 ? word : word.slice(0, equals);
      const option = spellings.get(spelled);
      if (option === undefined) {
        if (spelled === '--help') return { kind: 'help', of: command };
        const close = nearest(spelled, [...spellings.keys()]);
        throw fail(`unknown option ${spelled}${close === undefined ? '' : ` (did you mean ${close}?)`}`);
      }
      if (option.value === undefined) {
        if (equals >= 0) throw fail(`${spelled} takes no value`);
        add(option, spelled, '');
      } else add(option, spelled, equals < 0 ? next(spelled, option) : word.slice(equals + 1));
    } else {
      for (let at = 1; at < word.length; at++) {
        const spelled = `-${word[at]}`;
        const option = spellings.get(spelled);
        if (option === undefined) {
          if (spelled === '-h') return { kind: 'help', of: command };
          throw fail(`unknown option ${spelled}`);
        }
        if (option.value === undefined) {
          add(option, spelled, '');
          continue;
        }
        const attached = word.slice(at + 1);
        add(option, spelled, attached === '' ? next(spelled, option) : attached);
        break;
      }
    }
  }
  const given = assign(command.arguments, operands, fail);
  return { kind: 'run', command, invocation: new Invocation({ name }, given, options) };
}

/** Gives the operands to the declared arguments: those after a repeated one are counted from the end. */
function assign(
  declared: readonly Argument[],
  operands: readonly string[],
  fail: (message: string) => UsageError,
): ReadonlyMap<string, readonly string[]> {
  const given = new Map<string, readonly string[]>();
  const required = declared.filter((argument) => argument.optional !== true).length;
  if (operands.length < required) {
    const missing = declared.filter((argument) => argument.optional !== true)[operands.length];
    throw fail(`${missing?.name ?? 'an argument'} is missing`);
  }
  let spare = operands.length - required;
  let at = 0;
  for (const argument of declared) {
    let count = argument.optional === true ? 0 : 1;
    if (argument.repeated === true) {
      count += spare;
      spare = 0;
    } else if (argument.optional === true && spare > 0) {
      count = 1;
      spare--;
    }
    given.set(argument.name, operands.slice(at, at + count));
    at += count;
  }
  if (at < operands.length) throw fail(`too many arguments: '${operands[at]}'`);
  return given;
}
