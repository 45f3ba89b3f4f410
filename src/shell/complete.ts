/** Completion of commands, devices and paths of the guest. */
import { decodeName } from '../bytes/text.ts';
import { GuestlessError } from '../errors.ts';
import type { Io } from '../io/effect.ts';
import { aliases, commandFunctions, commandName } from './names.ts';
import { OWN_COMMANDS } from './own-commands/index.ts';
import { CallError, type Session } from './session.ts';

/** Names of a directory that are looked at. */
const NAME_LIMIT = 10_000;

export interface Completions {
  /** What may stand in place of `part`. */
  readonly candidates: readonly string[];
  /** The end of the line that is completed. */
  readonly part: string;
}

export interface CompletionOptions {
  /** Paths of the guest, which takes calls that nobody sees. */
  readonly paths: boolean;
}

let names: string[] | undefined;

function commandNames(): readonly string[] {
  names ??= [
    ...new Set([...OWN_COMMANDS.flatMap((command) => command.names), ...[...commandFunctions()].map(commandName), ...aliases().keys()]),
  ].sort();
  return names;
}

/** What the end of a line can become; upper and lower case count as the same. */
export function* complete(session: Session, line: string, options: CompletionOptions): Io<Completions> {
  const command = /^\s*-?\s*(\S*)$/.exec(line);
  if (command !== null) return matching(commandNames(), command[1] ?? '', ' ');
  const nested = /^\s*-?\s*(?:(?:glob|time|help)\s+)+(\S*)$/i.exec(line);
  if (nested !== null && !(nested[1] ?? '').startsWith('/')) return matching(commandNames(), nested[1] ?? '', ' ');
  const quoted = /(?:^|\s)(["'])(\/[^"']*)$/.exec(line);
  const quote = quoted?.[1] ?? '';
  const part = quoted?.[2] ?? /\S*$/.exec(line)?.[0] ?? '';
  if (!part.startsWith('/') || !options.paths || !session.launched) return { candidates: [], part };
  try {
    const found = part.startsWith('/dev/') ? yield* devices(session) : yield* paths(session, part);
    const { candidates } = matching(found, part, '');
    return { candidates: candidates.map((one) => quoteName(one, quote)), part: `${quote}${part}` };
  } catch (error) {
    if (error instanceof CallError || error instanceof GuestlessError) return { candidates: [], part };
    throw error;
  }
}

function matching(from: readonly string[], part: string, end: string): Completions {
  const wanted = part.toLowerCase();
  return { candidates: from.filter((one) => one.toLowerCase().startsWith(wanted)).map((one) => one + end), part };
}

function* devices(session: Session): Io<string[]> {
  return [...(yield* session.call('list_devices', {})), ...(yield* session.call('list_partitions', {}))];
}

function* paths(session: Session, part: string): Io<string[]> {
  const directory = part.slice(0, part.lastIndexOf('/') + 1);
  const { tree } = session.mounted('readdir');
  const found: string[] = [];
  for (const entry of (yield* tree.readdir(directory)).slice(0, NAME_LIMIT)) {
    const name = decodeName(entry.name);
    if (name === '.' || name === '..') continue;
    found.push(`${directory}${name}${entry.kind === 'directory' ? '/' : ' '}`);
  }
  return found.sort();
}

/** A name with blanks or quotes needs quotes; they stay open behind a directory, as more follows. */
function quoteName(name: string, quote: string): string {
  const open = name.endsWith('/');
  const bare = open ? name : name.trimEnd();
  if (quote === '' && !/[\s'"|#~\\]/.test(bare)) return name;
  const mark = quote === '' ? (bare.includes('"') ? "'" : '"') : quote;
  return open ? mark + bare : `${mark}${bare}${mark} `;
}
