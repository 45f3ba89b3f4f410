/** The reference of all commands as a Markdown page, made from the declarations. */
import { type Command, type CommandGroup, type CommandTable, isGroup, type Option } from './declaration.ts';
import { usageLine } from './help.ts';
import { GROUP_OPTIONS } from './options.ts';

const GROUP_TITLES = {
  mount: 'Which file systems',
  image: 'How the image is opened',
  write: 'Where changes go',
  json: 'Output',
} as const;

function optionLine(option: Option): string {
  const value = option.value === undefined ? '' : ` ${option.value.name}`;
  const repeated = option.repeated === true ? ' (may be repeated)' : '';
  return `- ${option.names.map((name) => `\`${name}${value}\``).join(', ')}: ${escapeMarkdown(option.help)}${repeated}`;
}

/** `<` and `|` mean something to Markdown outside of code. */
function escapeMarkdown(text: string): string {
  return text.replace(/[<|*_]/g, (character) => `\\${character}`);
}

function section(command: Command, group?: CommandGroup): string {
  const name = group === undefined ? command.name : `${group.name} ${command.name}`;
  const parts = [`## ${name}`, `${escapeMarkdown(command.summary)}.`, `\`\`\`\nguestless ${usageLine(command, group)}\n\`\`\``];
  if (command.description !== undefined) parts.push(escapeMarkdown(command.description));
  const described = command.arguments.filter((argument) => argument.help !== undefined);
  if (described.length > 0) parts.push(described.map((one) => `- \`${one.name}\`: ${escapeMarkdown(one.help ?? '')}`).join('\n'));
  if (command.options.length > 0) parts.push(`Options:\n\n${command.options.map(optionLine).join('\n')}`);
  const shared = command.groups.map((one) => GROUP_TITLES[one].toLowerCase());
  if (shared.length > 0) parts.push(`Common options: ${shared.join(', ')}.`);
  if (command.aliases !== undefined && command.aliases.length > 0) parts.push(`Also called: ${command.aliases.join(', ')}.`);
  if (command.examples.length > 0) {
    parts.push(`\`\`\`sh\n${command.examples.map((line) => `guestless ${line}`).join('\n')}\n\`\`\``);
  }
  return parts.join('\n\n');
}

/** The whole page. */
export function commandsPage(table: CommandTable): string {
  const groups = Object.entries(GROUP_OPTIONS).map(([group, options]) => {
    return `### ${GROUP_TITLES[group as keyof typeof GROUP_TITLES]}\n\n${options.map(optionLine).join('\n')}`;
  });
  const sections = table.flatMap((entry) => (isGroup(entry) ? entry.commands.map((command) => section(command, entry)) : [section(entry)]));
  return `${[
    '# Commands',
    'This page is made from the table of commands by `npm run docs`; do not edit it.',
    'PATHs are absolute paths of the guest. Options stand anywhere after the command; `--` ends them. Exit status: 0 done, 1 failed, 2 wrong use or refused, 3 not supported, 4 the image is corrupt. Errors are one line on standard error, with `--json` one JSON object.',
    'Without `--partition` and `-m`, the mounts of the only operating system are used, else the only file system there is.',
    '## Common options',
    ...groups,
    ...sections,
  ].join('\n\n')}\n`;
}
