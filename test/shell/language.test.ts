import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { describe, expect, it } from 'vitest';
import { GUESTLESS } from '../cli/run.ts';
import { FIXTURES, scratchFolder } from '../support/images.ts';
import { fish } from './shell.ts';

/** What the real guestfish did with a command line and a script; `errors` are the places of the script that it named with errors. */
interface Case {
  readonly words: readonly string[];
  readonly script: string;
  readonly stdout: string;
  readonly status: number;
  readonly errors: readonly string[];
}

const cases = JSON.parse(fs.readFileSync(path.join(FIXTURES, 'shell/language.json'), 'utf8')) as Case[];

// The real one was asked where nobody had set it.
delete process.env['TMPDIR'];

/** Groups of functions are known here without drives; the real shell has to start its appliance first. */
const DIFFERENT = new Set(['supported\n', 'supported x\n']);

/** Programs of the host write to the standard output of the process itself. */
function runsPrograms({ script, words }: Case): boolean {
  return /(^|\n)[- ]*<?!|\||event/.test(script) || words.some((word) => word.startsWith('--remote') || word === '/nosuch/script');
}

/** The shell in a process of its own. */
function inProcess(words: readonly string[], script: string, cwd: string) {
  const environment = { ...process.env, LC_ALL: 'C.UTF-8', HOME: '/root', GUESTFISH_PID: '' };
  const { status, stdout, stderr } = spawnSync(GUESTLESS, ['fish', ...words], { input: script, cwd, env: environment });
  return { status, stdout: stdout.toString(), stderr: stderr.toString().split('\n') };
}

async function ask(one: Case) {
  const folder = scratchFolder('guestless-language-');
  fs.writeFileSync(path.join(folder, 'raw.img'), Buffer.alloc(1 << 20));
  fs.writeFileSync(path.join(folder, 'script'), 'echo from\n-nosuch\necho script\nmemsize 1\necho end\n');
  const put = (text: string): string => text.replaceAll('@raw', `${folder}/raw.img`).replaceAll('@script', `${folder}/script`);
  const words = one.words.map(put);
  if (runsPrograms(one)) return { folder, ...inProcess(words, put(one.script), folder) };
  const before = { cwd: process.cwd(), env: { ...process.env } };
  process.chdir(folder);
  Object.assign(process.env, { HOME: '/root', GUESTFISH_PID: '' });
  try {
    return { folder, ...(await fish(words, put(one.script))) };
  } finally {
    process.chdir(before.cwd);
    process.env = before.env;
  }
}

describe('the language, as the real guestfish understands it', () => {
  it.each(cases.filter((one) => !DIFFERENT.has(one.script)).map((one) => [one.words.join(' ') || one.script.trimEnd(), one] as const))(
    '%s',
    async (_, one) => {
      const { folder, status, stdout, stderr } = await ask(one);
      const errors = stderr
        .flatMap((line) => /^(.+)libguestfs: error: /.exec(line)?.[1] ?? [])
        .map((place) => place.replaceAll(folder, '@folder'));
      expect({ status, stdout: stdout.replaceAll(folder, '@folder'), errors }, stderr.join('\n')).toEqual({
        status: one.status,
        stdout: one.stdout,
        errors: one.errors,
      });
    },
  );
});
