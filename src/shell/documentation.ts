/** The shell's commands as a part of a Markdown page. */
import type { FunctionFacts } from '../commands/api/facts.ts';
import { aliases, commandFunctions, commandName, usage } from './names.ts';
import { NOT_HERE, summaryOf } from './own-commands/help.ts';
import { OWN_COMMANDS } from './own-commands/index.ts';
import { VOCABULARY } from './vocabulary.ts';

function escapeMarkdown(text: string): string {
  return text.replace(/[<|*_]/g, (character) => `\\${character}`);
}

function line(usageLine: string, summary: string, others: readonly string[]): string {
  const also = others.length === 0 ? '' : ` (also ${others.map((name) => `\`${name}\``).join(', ')})`;
  return `- \`${usageLine}\`${also}: ${escapeMarkdown(summary)}`;
}

/** The commands of `fish`: those of the shell, those of libguestfs that are here, and the names of those that are not. */
export function fishSection(): string {
  const byFunction = new Map<string, string[]>();
  for (const [alias, name] of aliases()) byFunction.set(name, [...(byFunction.get(name) ?? []), alias]);
  const described = [...commandFunctions()].map((facts): readonly [FunctionFacts, string] => [facts, summaryOf(facts, VOCABULARY.library)]);
  const here = described.filter(([, summary]) => summary !== NOT_HERE).sort(([a], [b]) => (a.name < b.name ? -1 : 1));
  const missing = described.filter(([, summary]) => summary === NOT_HERE).map(([facts]) => `\`${commandName(facts)}\``);
  return `${[
    '## Commands of fish',
    "The shell's own commands:",
    OWN_COMMANDS.map(({ names, usage, summary }) => line(`${names[0]} ${usage}`.trimEnd(), summary, names.slice(1))).join('\n'),
    `Functions of libguestfs (${here.length}); \`[name:..]\` are optional arguments, written as they stand there:`,
    here.map(([facts, summary]) => line(usage(facts), summary, byFunction.get(facts.name) ?? [])).join('\n'),
    `Known and not available (${missing.length}); they fail with ENOTSUP: ${missing.sort().join(', ')}.`,
  ].join('\n\n')}\n`;
}
