/** ./guestless: from any folder, through links, safely at once, and only as much work as there is to do. */
import { spawn, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { scratchFolder } from '../support/images.ts';
import { must } from '../support/oracle.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** An npm that writes down what it was asked and makes what the real one would make. */
const NPM = `#!/bin/sh
echo "$@" >>"$NPM_LOG"
case $1 in
  ci) [ -z "$NPM_FAILS" ] || { echo "the registry is on fire"; exit 1; }; sleep 0.3; mkdir -p node_modules; touch node_modules/.package-lock.json ;;
  run) mkdir -p dist/bundle; echo 'console.log(JSON.stringify(process.argv.slice(2)))' >dist/bundle/guestless.cjs ;;
esac
`;

/** A checkout with a space in its path, whose npm is the one above. */
function checkout(): { folder: string; env: NodeJS.ProcessEnv; asked: () => string[] } {
  const base = scratchFolder();
  const folder = path.join(base, 'a check out');
  fs.mkdirSync(path.join(folder, 'tools'), { recursive: true });
  fs.mkdirSync(path.join(folder, 'src'));
  fs.writeFileSync(path.join(folder, 'src/x.ts'), '// x\n');
  fs.writeFileSync(path.join(folder, 'package.json'), '{"type":"module"}');
  fs.writeFileSync(path.join(folder, 'rolldown.config.js'), '');
  fs.writeFileSync(path.join(folder, 'package-lock.json'), '{}');
  for (const name of ['guestless', 'tools/prepare.sh']) fs.copyFileSync(path.join(ROOT, name), path.join(folder, name));
  must('git', '-C', folder, 'init', '-q');
  commit(folder);
  fs.mkdirSync(path.join(base, 'bin'));
  fs.writeFileSync(path.join(base, 'bin/npm'), NPM, { mode: 0o755 });
  const log = path.join(base, 'log');
  fs.writeFileSync(log, '');
  const env = { ...process.env, PATH: `${path.join(base, 'bin')}:${path.dirname(process.execPath)}:/usr/bin:/bin`, NPM_LOG: log };
  return {
    folder,
    env,
    asked: () =>
      fs
        .readFileSync(log, 'utf8')
        .split('\n')
        .filter((line) => line !== ''),
  };
}

function commit(folder: string): void {
  must('git', '-C', folder, 'add', '-A', 'src', 'tools', 'guestless', 'package.json', 'package-lock.json', 'rolldown.config.js');
  must('git', '-C', folder, '-c', 'user.name=x', '-c', 'user.email=x@example', 'commit', '-q', '--allow-empty', '-m', 'x');
}

function start(
  script: string,
  env: NodeJS.ProcessEnv,
  cwd: string,
  ...words: string[]
): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(script, words, { cwd, env, encoding: 'utf8' });
}

const BOTH = ['ci --no-audit --no-fund', 'run --silent bundle'];

describe('./guestless', () => {
  test('installs and bundles once, says so on stderr, and passes every word on', () => {
    const { folder, env, asked } = checkout();
    const script = path.join(folder, 'guestless');
    const first = start(script, env, '/', 'ls', 'two words', '', '*');
    expect(first.stdout).toBe('["ls","two words","","*"]\n');
    expect(first.stderr).toBe('guestless: installing (first run)\nguestless: bundling\n');
    const second = start(script, env, folder, 'cat');
    expect(second).toMatchObject({ status: 0, stdout: '["cat"]\n', stderr: '' });
    expect(asked()).toEqual(BOTH);
  });

  test('works through chains of links, relative and absolute', () => {
    const { folder, env } = checkout();
    const elsewhere = scratchFolder();
    fs.symlinkSync(path.join(folder, 'guestless'), path.join(elsewhere, 'absolute'));
    fs.symlinkSync('absolute', path.join(elsewhere, 'relative'));
    fs.mkdirSync(path.join(elsewhere, 'bin'));
    fs.symlinkSync('../relative', path.join(elsewhere, 'bin/g'));
    expect(start('bin/g', env, elsewhere, 'x').stdout).toBe('["x"]\n');
    expect(start('./relative', env, elsewhere, 'x').stdout).toBe('["x"]\n');
    expect(start('g', { ...env, PATH: `${elsewhere}/bin:${env['PATH']}` }, '/', 'x').stdout).toBe('["x"]\n');
  });

  test('eight first runs at once install once and all work', async () => {
    const { folder, env, asked } = checkout();
    const runs = Array.from(
      { length: 8 },
      () =>
        new Promise<string>((resolve) => {
          const child = spawn(path.join(folder, 'guestless'), ['x'], { env, stdio: ['ignore', 'pipe', 'ignore'] });
          let output = '';
          child.stdout.on('data', (chunk: Buffer) => {
            output += chunk.toString();
          });
          child.on('close', () => resolve(output));
        }),
    );
    expect(await Promise.all(runs)).toEqual(Array.from({ length: 8 }, () => '["x"]\n'));
    expect(asked()).toEqual(BOTH);
  });

  test('goes on after one that died in the middle', () => {
    const { folder, env, asked } = checkout();
    fs.mkdirSync(path.join(folder, '.cache/prepare.lock'), { recursive: true });
    const { pid } = spawnSync('true');
    fs.writeFileSync(path.join(folder, '.cache/prepare.lock/owner'), `${pid}\n`);
    expect(start(path.join(folder, 'guestless'), env, folder, 'x').stdout).toBe('["x"]\n');
    expect(asked()).toEqual(BOTH);
  });

  test('bundles again when a commit changed the sources, and not when it changed something else', () => {
    const { folder, env, asked } = checkout();
    const script = path.join(folder, 'guestless');
    start(script, env, folder, 'x');
    const later = (): void => fs.utimesSync(path.join(folder, '.git/logs/HEAD'), Date.now() / 1000 + 5, Date.now() / 1000 + 5);
    commit(folder);
    later();
    start(script, env, folder, 'x');
    expect(asked()).toEqual(BOTH);
    fs.writeFileSync(path.join(folder, 'src/x.ts'), '// y\n');
    commit(folder);
    later();
    start(script, env, folder, 'x');
    expect(asked()).toEqual([...BOTH, 'run --silent bundle']);
  });

  test('shows why an installation failed, and starts nothing', () => {
    const { folder, env } = checkout();
    const { status, stdout, stderr } = start(path.join(folder, 'guestless'), { ...env, NPM_FAILS: '1' }, folder, 'x');
    expect(stderr).toContain('the registry is on fire');
    expect(stdout).toBe('');
    expect(status).toBe(1);
  });

  test('says which Node.js it needs when there is none, or one that is too old', () => {
    const { folder, env } = checkout();
    const bin = scratchFolder();
    const path2 = `${bin}:/usr/bin:/bin`;
    fs.writeFileSync(path.join(bin, 'node'), '#!/bin/sh\n[ "$1" = --version ] && echo v18.19.0 || exit 1\n', { mode: 0o755 });
    const { status, stderr } = start(path.join(folder, 'guestless'), { ...env, PATH: path2 }, folder, 'x');
    expect(stderr).toContain('Node.js 20.19 or newer is needed');
    expect(stderr).toContain('v18.19.0');
    expect(status).toBe(1);
  });
});

test('certificates of the network are read only where the network may be asked', () => {
  // Node.js warns at its start of a file of certificates that is not there.
  const env = { ...process.env, NODE_EXTRA_CA_CERTS: '/nothing/here.pem' };
  const said = (...words: string[]): string => spawnSync(path.join(ROOT, 'guestless'), words, { env, encoding: 'utf8' }).stderr;
  const demo = path.join(ROOT, 'fixtures/demo.qcow2');
  expect(said('ls', demo, '/etc')).toBe('');
  expect(said('img', 'info', demo)).toBe('');
  expect(said('ls', 'https://127.0.0.1:9/disk.raw')).toContain('/nothing/here.pem');
  expect(said('fish', '--version')).toContain('/nothing/here.pem');
});
