/** The names of commands: libguestfs's functions with hyphens, their other names, in any case. */
import { type FunctionFacts, functionFacts, functionNames } from '../commands/api/facts.ts';

/** Functions that have a second name from the time before they took optional arguments. */
const WITH_OPTS = [
  'add_drive',
  'btrfs_subvolume_create',
  'btrfs_subvolume_snapshot',
  'glob_expand',
  'grep',
  'is_blockdev',
  'is_chardev',
  'is_dir',
  'is_fifo',
  'is_file',
  'is_socket',
  'mkfs',
  'mkswap',
  'ntfsresize',
  'tar_in',
  'tar_out',
  'umount',
];

/** Whether a function is a command of the shell. */
function isCommand(facts: FunctionFacts): boolean {
  const { visibility } = facts;
  return (visibility === 'public' || visibility === 'debug') && !facts.arguments.some((argument) => argument.type === 'Pointer');
}

/** A function as a command of the shell writes it: with hyphens. */
export function commandName(facts: { readonly name: string }): string {
  return facts.name.replaceAll('_', '-');
}

let others: Map<string, string> | undefined;

/** Names that are not the function's own, to the function. */
export function aliases(): ReadonlyMap<string, string> {
  if (others === undefined) {
    others = new Map(WITH_OPTS.map((name) => [`${name.replaceAll('_', '-')}-opts`, name]));
    for (const name of functionNames()) {
      const facts = functionFacts(name);
      if (facts === undefined || !isCommand(facts)) continue;
      for (const alias of facts.aliases) others.set(alias, name);
      // One function has a capital letter, and commands are found in any case.
      if (name !== name.toLowerCase()) others.set(commandName(facts).toLowerCase(), name);
    }
  }
  return others;
}

/** The function that a command of the shell is; undefined for none. */
export function findFunction(name: string): FunctionFacts | undefined {
  const lower = name.toLowerCase().replaceAll('_', '-');
  const facts = functionFacts(lower.replaceAll('-', '_')) ?? functionFacts(aliases().get(lower) ?? '');
  return facts !== undefined && isCommand(facts) ? facts : undefined;
}

/** All functions that are commands, by name. */
export function commandFunctions(): readonly FunctionFacts[] {
  return [...functionNames()].flatMap((name) => {
    const facts = functionFacts(name);
    return facts !== undefined && isCommand(facts) ? [facts] : [];
  });
}

/** How a function is used: its name and arguments. */
export function usage(facts: FunctionFacts): string {
  const words = [commandName(facts)];
  for (const { name, type } of facts.arguments) if (type !== 'Key') words.push(name);
  for (const { name, type } of facts.optional) {
    words.push(`[${name}:${type === 'Bool' ? 'true|false' : type === 'Int' || type === 'Int64' ? 'N' : '..'}]`);
  }
  return words.join(' ');
}
