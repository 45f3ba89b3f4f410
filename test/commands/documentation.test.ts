import * as fs from 'node:fs';
import { expect, test } from 'vitest';
import { commandsPage } from '../../src/commands/documentation.ts';
import { COMMANDS } from '../../src/commands/index.ts';
import { fishSection } from '../../src/shell/documentation.ts';

test('docs/commands.md is what the table says; `npm run docs` makes it', () => {
  expect(fs.readFileSync(new URL('../../docs/commands.md', import.meta.url), 'utf8')).toBe(`${commandsPage(COMMANDS)}\n${fishSection()}`);
});
