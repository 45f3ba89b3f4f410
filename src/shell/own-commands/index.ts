/** The commands that are the shell's own. */
import type { OwnCommand } from '../session.ts';
import { driveCommands } from './drives.ts';
import { editCommands } from './edit.ts';
import { eventCommands } from './events.ts';
import { fileCommands } from './files.ts';
import { helpCommands } from './help.ts';
import { languageCommands } from './language.ts';

/** All of them, by name. */
export const OWN_COMMANDS: readonly OwnCommand[] = [
  ...languageCommands,
  ...driveCommands,
  ...fileCommands,
  ...editCommands,
  ...eventCommands,
  ...helpCommands(() => OWN_COMMANDS),
];

let byName: Map<string, OwnCommand> | undefined;

/** The command of this name, in small letters and with hyphens. */
export function findOwnCommand(name: string): OwnCommand | undefined {
  byName ??= new Map(OWN_COMMANDS.flatMap((command) => command.names.map((one) => [one, command] as const)));
  return byName.get(name);
}
