/** What is published: a package that holds its modules and nothing of the workshop, and whose every subpath imports, with types. */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import ts from 'typescript';
import { beforeAll, describe, expect, test } from 'vitest';
import { scratchFolder } from '../support/images.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>;
}

const manifest = JSON.parse(fs.readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as Manifest;
const subpaths = Object.entries(manifest.exports).flatMap(([name, place]) => (typeof place === 'string' ? [] : [{ name, ...place }]));
const neutral = subpaths.filter(({ name }) => name !== '.' && name !== './node');

function run(cwd: string, command: string, ...words: string[]): string {
  const { status, stdout, stderr } = spawnSync(command, words, { cwd, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${words.join(' ')}: ${stdout}${stderr}`);
  return stdout;
}

/** A project that has installed the package as it would be published, and its dependencies but none of the workshop's. */
let project: string;
let installed: string;
let contents: string[];

beforeAll(() => {
  project = scratchFolder();
  installed = path.join(project, 'node_modules/guestless');
  fs.mkdirSync(installed, { recursive: true });
  run(ROOT, 'npm', 'pack', '--silent', '--ignore-scripts', '--pack-destination', project);
  const [archive = ''] = fs.readdirSync(project).filter((name) => name.endsWith('.tgz'));
  run(project, 'tar', '-xzf', archive, '-C', installed, '--strip-components=1');
  for (const name of Object.keys(manifest.dependencies)) {
    const link = path.join(project, 'node_modules', name);
    fs.mkdirSync(path.dirname(link), { recursive: true });
    fs.symlinkSync(path.join(ROOT, 'node_modules', name), link);
  }
  fs.writeFileSync(path.join(project, 'package.json'), '{"type":"module"}');
  contents = fs
    .readdirSync(installed, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(installed, path.join(entry.parentPath, entry.name)));
});

/** The modules that a module loads in the end, and the names of packages, by the text of the compiled files. */
function imports(start: string): { files: Set<string>; packages: Set<string> } {
  const files = new Set<string>();
  const packages = new Set<string>();
  const visit = (file: string): void => {
    if (files.has(file)) return;
    files.add(file);
    for (const { fileName: name } of ts.preProcessFile(fs.readFileSync(file, 'utf8'), true, true).importedFiles) {
      if (name.startsWith('.')) visit(path.resolve(path.dirname(file), name));
      else packages.add(name);
    }
  };
  visit(start);
  return { files, packages };
}

describe('the package', () => {
  test('has a subpath for every room, and for the two platforms', () => {
    const rooms = fs
      .readdirSync(path.join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
      .filter((name) => /^(platform\/)?\w+\/index[.]ts$/.test(name))
      .map((name) => `./${path.basename(path.dirname(name))}`);
    expect(subpaths.map(({ name }) => name).sort()).toEqual(['.', './errors', ...rooms].sort());
  });

  test('holds sources, what was compiled of them, and the tool; nothing else', () => {
    const sources = contents.filter((name) => /^src\/.*[.]ts$/.test(name));
    const expected = sources
      .map((name) => name.slice('src/'.length, -'.ts'.length))
      .filter((name) => !name.endsWith('.d'))
      .flatMap((name) => ['.js', '.js.map', '.d.ts', '.d.ts.map'].map((end) => `dist/${name}${end}`));
    const bundles = ['appliance', 'copy-worker', 'fish', 'guestless', 'main'].map((name) => `dist/bundle/${name}.cjs`);
    const filesOf = (folder: string): string[] =>
      fs
        .readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' })
        .map((name) => `${folder}/${name}`)
        .filter((name) => fs.statSync(path.join(ROOT, name)).isFile());
    const rest = ['LICENSE', 'README.md', 'package.json', ...bundles, ...filesOf('appliance'), ...filesOf('dist/web')];
    expect(contents.filter((name) => !sources.includes(name)).sort()).toEqual([...expected, ...rest].sort());
  });

  test('is imported by each of its subpaths, without anything of the workshop', () => {
    const names = subpaths.map(({ name }) => `guestless${name.slice(1)}`);
    const script = `for (const name of ${JSON.stringify(names)}) console.log(name, Object.keys(await import(name)).length > 0);`;
    const output = run(project, process.execPath, '--input-type=module', '--eval', script);
    expect(output.trim().split('\n')).toEqual(names.map((name) => `${name} true`));
  });

  test('has types for each of its subpaths', () => {
    const lines = subpaths.map(({ name }, i) => `export * as part${i} from 'guestless${name.slice(1)}';\n`);
    fs.writeFileSync(path.join(project, 'all.ts'), lines.join(''));
    fs.symlinkSync(path.join(ROOT, 'node_modules/@types'), path.join(project, 'node_modules/@types'));
    const options = ['--noEmit', '--strict', '--skipLibCheck', '--module', 'NodeNext', '--target', 'ES2022', '--types', 'node'];
    expect(run(project, process.execPath, path.join(ROOT, 'node_modules/typescript/bin/tsc'), ...options, 'all.ts')).toBe('');
  });

  test('starts its tool', () => {
    expect(run(project, process.execPath, path.join(installed, 'dist/bundle/guestless.cjs'), '--version')).toMatch(/^guestless \d/);
  });
});

describe('without Node.js', () => {
  test.each(neutral.map(({ name, default: place }) => [name, place]))('%s loads no module of it', (_name, place) => {
    const { files, packages } = imports(path.join(installed, place));
    expect([...packages].filter((name) => name.startsWith('node:'))).toEqual([]);
    expect([...files].filter((file) => /\/dist\/(platform\/node|cli|library)\//.test(pathToFileURL(file).pathname))).toEqual([]);
    const known = Object.keys(manifest.dependencies);
    expect([...packages].filter((name) => !known.some((each) => name === each || name.startsWith(`${each}/`)))).toEqual([]);
  });

  test('that is seen: the entry for Node.js does load some', () => {
    expect([...imports(path.join(installed, 'dist/index.js')).packages]).toContain('node:fs');
  });
});
