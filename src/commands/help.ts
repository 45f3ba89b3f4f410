/** Help texts, made from the declarations. */
import { type Argument, type Command, type CommandGroup, type CommandTable, isGroup, type Option } from './declaration.ts';
import { optionsOf } from './options.ts';

const WIDTH = 100;

function argumentUsage(argument: Argument): string {
  const name = argument.repeated === true ? `${argument.name}...` : argument.name;
  return argument.optional === true ? `[${name}]` : name;
}

function optionUsage(option: Option): string {
  const names = option.names.join(', ');
  return option.value === undefined ? names : `${names} ${option.value.name}`;
}

/** `ls [OPTIONS] IMAGE [PATH]` */
export function usageLine(command: Command, group?: CommandGroup): string {
  const prefix = group === undefined ? '' : `${group.name} `;
  return [`${prefix}${command.name}`, '[OPTIONS]', ...command.arguments.map(argumentUsage)].join(' ');
}

/** Breaks text into lines of at most `width` characters. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/)) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return line === '' ? lines : [...lines, line];
}

function columns(rows: readonly (readonly [string, string])[]): string {
  const left = Math.min(30, Math.max(0, ...rows.map(([name]) => name.length)));
  return rows
    .map(([name, text]) => {
      const [first = '', ...more] = wrap(text, WIDTH - left - 4);
      const head = name.length > left ? `  ${name}\n  ${' '.repeat(left)}  ${first}` : `  ${name.padEnd(left)}  ${first}`;
      return [head, ...more.map((line) => `  ${' '.repeat(left)}  ${line}`)].join('\n');
    })
    .join('\n');
}

/** The help of one command. */
export function commandHelp(command: Command, group?: CommandGroup): string {
  const parts = [`Usage: guestless ${usageLine(command, group)}`, `${command.summary}.`];
  if (command.description !== undefined) {
    parts.push(
      command.description
        .split('\n\n')
        .map((paragraph) => wrap(paragraph, WIDTH).join('\n'))
        .join('\n\n'),
    );
  }
  const described = command.arguments.filter((argument) => argument.help !== undefined);
  if (described.length > 0) parts.push(`Arguments:\n${columns(described.map((argument) => [argument.name, argument.help ?? '']))}`);
  const options = optionsOf(command);
  const rows = options.map((option): [string, string] => [optionUsage(option), option.help]);
  const ownsH = options.some((option) => option.names.includes('-h'));
  parts.push(`Options:\n${columns([...rows, [ownsH ? '--help' : '-h, --help', 'show this help']])}`);
  if (command.aliases !== undefined && command.aliases.length > 0) parts.push(`Also called: ${command.aliases.join(', ')}`);
  if (command.examples.length > 0) parts.push(`Examples:\n${command.examples.map((line) => `  guestless ${line}`).join('\n')}`);
  return `${parts.join('\n\n')}\n`;
}

/** The help of a group of commands. */
export function groupHelp(group: CommandGroup): string {
  const rows = group.commands.map((command): [string, string] => [command.name, command.summary]);
  return `Usage: guestless ${group.name} COMMAND ...\n\n${group.summary}.\n\nCommands:\n${columns(rows)}\n\nguestless ${group.name} COMMAND --help tells more of each.\n`;
}

/** The help of the program. */
export function tableHelp(table: CommandTable): string {
  const rows = table.map((entry): [string, string] => [isGroup(entry) ? `${entry.name} ...` : entry.name, entry.summary]);
  return [
    'Usage: guestless COMMAND [OPTIONS] IMAGE ...',
    'Looks into virtual machine disk images and changes them, without starting anything.',
    `Commands:\n${columns(rows)}`,
    'guestless COMMAND --help tells more of each. PATHs are absolute paths of the guest; options stand\nanywhere after the command.',
    'Exit status: 0 done, 1 failed, 2 wrong use or refused, 3 not supported, 4 the image is corrupt.\n',
  ].join('\n\n');
}
