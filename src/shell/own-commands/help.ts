/** `help`: what there is, and how it is used. */

import type { FunctionFacts } from '../../commands/api/facts.ts';
import { AVAILABLE_GROUPS } from '../../commands/verbs/groups.ts';
import { findVerb } from '../../commands/verbs/index.ts';
import { ShellError } from '../error.ts';
import { aliases, commandFunctions, commandName, findFunction, usage } from '../names.ts';
import { type LibraryFunctions, type OwnCommand, type Session, UnknownCommand } from '../session.ts';

const FIRST_STEPS = `Add an image with -a or with the command add, or make one with alloc, sparse or -N.
Then say run, and mount what list-filesystems shows; with -i both are done for you.

help COMMAND tells how a command is used, help --list names them all, man shows where the manual is.
`;

/** What a function does, in one line. */
export function summaryOf(facts: FunctionFacts, library: LibraryFunctions): string {
  const verb = findVerb(facts.name);
  if (verb !== undefined) return verb.summary;
  if (facts.name in library) return LIBRARY_SUMMARIES[facts.name] ?? librarySummary(facts);
  return NOT_HERE;
}

/** What is said of a function that is known and not here. */
export const NOT_HERE = 'not available in guestless';

const LIBRARY_SUMMARIES: Readonly<Record<string, string>> = {
  add_cdrom: 'adds an image as a drive whose changes are forgotten in the end (older form)',
  add_domain: 'adds the disks of a libvirt domain definition (a file)',
  add_drive: 'adds an image as a drive',
  add_drive_ro: 'adds an image as a drive whose changes are forgotten in the end',
  add_drive_ro_with_if: 'adds an image as a drive whose changes are forgotten; the kind of controller means nothing here',
  add_drive_scratch: 'adds a drive of zeros that is forgotten in the end',
  add_drive_with_if: 'adds an image as a drive; the kind of controller means nothing here',
  available: 'fails unless all of the groups of functions are here',
  canonical_device_name: 'gives the name that this program has for a device',
  debug_drives: 'lists the drives that were added',
  device_index: 'gives the number of a drive, from 0',
  device_name: 'gives the name of a drive by its number',
  disk_create: 'makes an empty image',
  disk_format: 'gives the format of an image',
  disk_has_backing_file: 'tells whether an image has a backing file',
  disk_virtual_size: 'gives the size of the disk that an image holds',
  feature_available: 'tells whether all of the groups of functions are here',
  get_pid: 'gives the number of the process that has the drives open',
  is_config: 'tells whether drives can still be added',
  kill_subprocess: 'as shutdown',
  launch: 'opens the drives',
  max_disks: 'gives the largest number of drives',
  parse_environment: 'reads the LIBGUESTFS_ variables of the environment',
  parse_environment_list: 'reads settings written as LIBGUESTFS_ variables',
  shutdown: 'writes changes into the images and gives up the drives',
  user_cancel: 'does nothing: there is nothing to cancel',
  version: 'gives the version of libguestfs whose functions these are',
};

function librarySummary({ name, result }: FunctionFacts): string {
  const what = name.replace(/^(?:get|set|clear)_/, '').replaceAll('_', ' ');
  if (name.startsWith('set_')) return `keeps the setting ${what}`;
  if (name.startsWith('clear_')) return `takes away the ${what}`;
  return result === 'RErr' ? NOT_HERE : `gives the setting ${what}`;
}

function list(session: Session, own: readonly OwnCommand[]): string {
  const lines = new Map<string, string>();
  for (const { names, summary } of own) for (const [i, name] of names.entries()) lines.set(name, i === 0 ? summary : `as ${names[0]}`);
  for (const facts of commandFunctions()) lines.set(commandName(facts), summaryOf(facts, session.vocabulary.library));
  for (const [alias, name] of aliases()) if (!lines.has(alias)) lines.set(alias, `as ${name.replaceAll('_', '-')}`);
  return [...lines]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, summary]) => `${name.padEnd(20)} ${summary}\n`)
    .join('');
}

/** How one command is used, and what it does. */
function helpText(name: string, session: Session): string {
  const own = session.vocabulary.findOwnCommand(name.toLowerCase().replaceAll('_', '-'));
  if (own !== undefined) {
    const others = own.names.slice(1);
    const more = others.length === 0 ? '' : `\nAlso called ${others.join(', ')}.\n`;
    return `${`${own.names[0]} ${own.usage}`.trimEnd()}\n\n    ${own.summary}\n${more}`;
  }
  const facts = findFunction(name);
  if (facts === undefined) throw new UnknownCommand(name);
  const parts = [`${usage(facts)}\n`, `    ${summaryOf(facts, session.vocabulary.library)}\n`];
  const others = [...aliases()].filter(([, of]) => of === facts.name).map(([alias]) => alias);
  if (others.length > 0) parts.push(`Also called ${others.join(', ')}.\n`);
  if (facts.group !== undefined) {
    parts.push(`Needs the group ${facts.group}, which is ${AVAILABLE_GROUPS.has(facts.group) ? '' : 'not '}available here.\n`);
  }
  if (facts.deprecated !== undefined) {
    const instead = /^[a-z0-9_]+$/i.test(facts.deprecated) ? `; use ${facts.deprecated.replaceAll('_', '-')}` : '';
    parts.push(`Outdated${instead}.\n`);
  }
  return parts.join('\n');
}

export function helpCommands(own: () => readonly OwnCommand[]): readonly OwnCommand[] {
  return [
    {
      names: ['help'],
      usage: '[COMMAND | --list]',
      summary: 'tells how a command is used, or names all commands',
      *run(session, words) {
        const [word] = words;
        if (words.length > 1) throw new ShellError('help takes the name of one command, or --list');
        if (word === undefined) yield* session.print(FIRST_STEPS);
        else if (word === '-l' || word === '--list') yield* session.print(list(session, own()));
        else yield* session.print(helpText(word, session));
      },
    },
    {
      names: ['man', 'manual'],
      usage: '',
      summary: 'tells where the manual is',
      *run(session, words) {
        if (words.length > 0) throw new ShellError('man takes no arguments; help COMMAND tells of one command');
        yield* session.print(
          'The language and the options are those of guestfish(1); docs/shell.md of guestless says what differs, docs/commands.md has all commands.\n',
        );
      },
    },
  ];
}
