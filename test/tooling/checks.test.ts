/** The checks of the house bite: a violation planted in a copy is found, by file and line, and the copy without it is clean. */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { scratchFolder } from '../support/images.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** A small copy of the house with some files more. */
function house(planted: Readonly<Record<string, string>>): string {
  const folder = scratchFolder();
  for (const name of [
    'src/errors.ts',
    'src/bytes',
    'src/io',
    'tsconfig.base.json',
    'tsconfig.core.json',
    'tsconfig.node.json',
    'package.json',
  ]) {
    fs.cpSync(path.join(ROOT, name), path.join(folder, name), { recursive: true });
  }
  for (const name of ['tsconfig.browser.json', 'tsconfig.test.json']) fs.copyFileSync(path.join(ROOT, name), path.join(folder, name));
  fs.symlinkSync(path.join(ROOT, 'node_modules'), path.join(folder, 'node_modules'));
  for (const [name, text] of Object.entries(planted)) {
    fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    fs.writeFileSync(path.join(folder, name), text);
  }
  return folder;
}

function check(folder: string, ...command: string[]): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { cwd: folder, encoding: 'utf8' });
  return { status, output: stdout + stderr };
}

const DROPPED = (statement: string, star = '*'): string => `
import { type Io, perform } from '../io/effect.ts';
declare const list: { forEach(body: (item: number) => void): void; maybe?: () => Io<void> };
declare function step(item?: number): Io<void>;
declare const flag: boolean;
export function${star} work(): ${star === '' ? 'void' : 'Io<void>'} {
  ${statement}
}
export const unused = [list, flag, perform, step];
`;

describe('a computation that is never performed', () => {
  const tool = path.join(ROOT, 'tools/no-dropped-io.js');
  const bad = {
    statement: 'step();',
    voided: 'void step();',
    conditional: 'flag && step();',
    optional: 'list.maybe?.();',
    ternary: 'flag ? step() : step();',
    callback: 'list.forEach((item) => step(item));',
    plain: 'yield perform({ sync: () => 1, async: async () => 1 });',
  };
  const planted = Object.fromEntries(Object.entries(bad).map(([name, text]) => [`src/guest/${name}.ts`, DROPPED(text)]));

  test('is found in each of its forms, and nowhere else', () => {
    const folder = house({ ...planted, 'src/guest/good.ts': DROPPED('yield* step();\n  for (const item of [1]) yield* step(item);') });
    const { status, output } = check(folder, tool);
    expect(status).toBe(1);
    const found = output
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.split(':').slice(0, 2).join(':'));
    expect([...new Set(found)].sort()).toEqual(
      Object.keys(bad)
        .map((name) => `src/guest/${name}.ts:7`)
        .sort(),
    );
  });

  test('is not found where there is none', () => {
    const { status, output } = check(house({ 'src/guest/good.ts': DROPPED('yield* step();') }), tool);
    expect(output).toBe('');
    expect(status).toBe(0);
  });
});

describe('layers', () => {
  const depcruise = path.join(ROOT, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
  const cruise = (folder: string): { status: number | null; output: string } =>
    check(folder, depcruise, '--config', path.join(ROOT, 'tools/layers.cjs'), 'src');
  const exported = 'export const x = 1;\n';
  const using = (from: string): string => `import { x } from '${from}';\nexport const y: number = x;\n`;
  const cases: [string, string, Record<string, string>][] = [
    ['an import of a later room', 'qcow2-imports-upward', { 'src/qcow2/a.ts': using('../ext4/b.ts'), 'src/ext4/b.ts': exported }],
    [
      'a type alone from a later room',
      'io-imports-upward',
      {
        'src/io/a.ts': "import type { T } from '../guest/t.ts';\nexport type U = T;\n",
        'src/guest/t.ts': 'export type T = number;\n',
      },
    ],
    [
      'a circle',
      'no-circular',
      {
        'src/guest/a.ts': "import { b } from './b.ts';\nexport const a = (): number => b();\n",
        'src/guest/b.ts': "import { a } from './a.ts';\nexport const b = (): number => a();\n",
      },
    ],
    ['node: in the core', 'core-is-neutral', { 'src/guest/a.ts': "import * as fs from 'node:fs';\nexport const a = fs.constants;\n" }],
    [
      'the platform from the core',
      'platform-only-from-doors',
      {
        'src/guest/a.ts': using('../platform/node/b.ts'),
        'src/platform/node/b.ts': exported,
      },
    ],
    [
      'a format from the platform',
      'platform-knows-no-format',
      { 'src/platform/node/a.ts': using('../../ext4/b.ts'), 'src/ext4/b.ts': exported },
    ],
  ];
  for (const [what, rule, planted] of cases) {
    test(`${what} breaks the rule ${rule}`, () => {
      const { status, output } = cruise(house(planted));
      expect(output).toContain(rule);
      expect(status).not.toBe(0);
    });
  }

  test('a downward import breaks none', () => {
    const { status, output } = cruise(house({ 'src/ext4/a.ts': using('../qcow2/b.ts'), 'src/qcow2/b.ts': exported }));
    expect(output).toContain('no dependency violations found');
    expect(status).toBe(0);
  });
});

describe('the lock file', () => {
  test('names every optional binary, so that npm ci works wherever the registry has it', () => {
    const lock = JSON.parse(fs.readFileSync(path.join(ROOT, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, { version: string; optionalDependencies?: Record<string, string> }>;
    };
    const missing = Object.entries(lock.packages).flatMap(([owner, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies).filter(
        (name) => !(`node_modules/${name}` in lock.packages) && !(`${owner}/node_modules/${name}` in lock.packages),
      ),
    );
    expect(missing).toEqual([]);
  });
});
