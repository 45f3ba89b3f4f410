// Writes docs/commands.md from the table of commands and that of libguestfs's functions. Needs the compiled core: `npx tsc -b tsconfig.core.json`.
import * as fs from 'node:fs';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '..');
const { COMMANDS } = await import(path.join(root, 'dist/commands/table.js'));
const { commandsPage } = await import(path.join(root, 'dist/commands/documentation.js'));
const { fishSection } = await import(path.join(root, 'dist/shell/documentation.js'));
fs.writeFileSync(path.join(root, 'docs/commands.md'), `${commandsPage(COMMANDS)}\n${fishSection()}`);
