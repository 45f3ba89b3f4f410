import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { describe, expect, it } from 'vitest';
import { GUESTLESS } from '../cli/run.ts';
import { FIXTURES, fixture, untouched } from '../support/images.ts';

const script = fs.readFileSync(path.join(FIXTURES, 'shell/session.fish'), 'utf8');
const golden = fs.readFileSync(path.join(FIXTURES, 'shell/transcript.txt'), 'latin1');
const goldenErrors = fs.readFileSync(path.join(FIXTURES, 'shell/transcript-errors.txt'), 'latin1');

/** Each command, as the transcript was made: shown before its output. */
function shown(text: string): string {
  let inside = false;
  const lines: string[] = [];
  for (const line of text.split('\n')) {
    if (line.startsWith('-') && !inside) lines.push(`echo "><fs> ${line.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`);
    lines.push(line);
    if (line.includes('<<END')) inside = true;
    if (line === 'END') inside = false;
  }
  return lines.join('\n');
}

/** The commands of a transcript, each with what was printed; a command may come several times. */
function parts(transcript: string): { command: string; output: string }[] {
  return transcript
    .split('><fs> ')
    .slice(1)
    .map((part) => {
      const end = part.indexOf('\n');
      return { command: part.slice(0, end), output: part.slice(end + 1) };
    });
}

/** What no two runs share: times of reading and writing; and orders and numbers that depend on the machine. */
function settled(command: string, output: string): string {
  const times = output.replace(/^( *(?:st_)?[amc]time(?:_n?sec)?: ).*$/gm, '$1...').replace(/^(fsid: ).*$/m, '$1...');
  const lines = times.split('\n');
  if (/^-(?:checksums-out|readdir|find0)/.test(command)) {
    const names = command.startsWith('-readdir') ? lines.filter((line) => line.startsWith('  name: ')) : times.split(/[\n\0]/);
    return names.sort().join('\n');
  }
  if (command !== '-df') return times;
  // The appliance shows its own file systems, too.
  return lines
    .filter((line) => line.startsWith('/dev/sda'))
    .map((line) => line.replace(/ +/g, ' '))
    .join('\n');
}

/** The line of the script and the function of each error that libguestfs told. */
function errors(said: string): string[] {
  return [...said.matchAll(/^\*stdin\*:([0-9]+): libguestfs: error: ([a-z0-9_]+: )?/gm)].map(([, line, name]) => `${line} ${name ?? ''}`);
}

/** Commands whose answer is another one here. */
const DIFFERENT = new Set(['-get-state']);

describe('a session, as the real guestfish answered it over its appliance', () => {
  const run = untouched([fixture('shell/disk.img')], () =>
    spawnSync(GUESTLESS, ['fish', '--ro', '-a', fixture('shell/disk.img')], { input: shown(script), env: { ...process.env, TZ: 'UTC' } }),
  );
  const answers = run.then(({ stdout }) => parts(stdout.toString('latin1')));
  const expected = parts(golden);

  it('has as many answers as there are commands', async () => {
    expect((await answers).map((part) => part.command)).toEqual(expected.map((part) => part.command));
  });

  it.each(expected.map(({ command, output }, i) => [command, output, i] as const).filter(([command]) => !DIFFERENT.has(command)))(
    '%s',
    async (command, output, i) => {
      expect(settled(command, (await answers)[i]?.output ?? '')).toBe(settled(command, output));
    },
  );

  it('tells of errors in the same lines, of the same functions', async () => {
    expect(errors((await run).stderr.toString())).toEqual(errors(goldenErrors));
  });
});
