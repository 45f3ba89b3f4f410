import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { describe, expect, it } from 'vitest';
import { GUESTLESS } from '../cli/run.ts';
import { FIXTURES, fixture, untouched } from '../support/images.ts';

const script = fs.readFileSync(path.join(FIXTURES, 'shell/session.fish'), 'utf8');
const golden = fs.readFileSync(path.join(FIXTURES, 'shell/transcript.txt'), 'latin1');

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
  const errors = output
    .replace(/^.*libguestfs: error: ([a-z0-9_]+): .*$/gm, 'error of $1')
    .replace(
      /^(?:guestfish|[a-z-]+|error|usage|type '[^']*' for more help on [a-z-]+|\s+is-file|\s+ls).*(?:invalid|is no number|neither true|no optional argument|takes \d|unknown optional|incorrect number|usage: |for more help|drive letters|is-file path|ls directory|unknown command).*\n/gm,
      '',
    );
  const times = errors.replace(/^( *(?:st_)?[amc]time(?:_n?sec)?: ).*$/gm, '$1...').replace(/^(fsid: ).*$/m, '$1...');
  const lines = times.split('\n');
  if (/^-(?:checksums-out|readdir|find0)/.test(command)) {
    const names = /^-readdir/.test(command) ? lines.filter((line) => line.startsWith('  name: ')) : times.split(/[\n\0]/);
    return names.sort().join('\n');
  }
  // The appliance shows its own file systems, too.
  if (command === '-df')
    return lines
      .filter((line) => line.startsWith('/dev/sda'))
      .map((line) => line.replace(/ +/g, ' '))
      .join('\n');
  return times;
}

/** Commands whose answer is another one here: a guest's groups, sizes of blocks, what an error leaves. */
const DIFFERENT = new Set(['-feature-available "acl xattr"', '-get-state']);

describe('a session, as the real guestfish answered it over its appliance', () => {
  const run = untouched([fixture('shell/disk.img')], () => {
    const { stdout, stderr } = spawnSync('sh', ['-c', `exec "$0" fish --ro -a "$1" 2>&1`, GUESTLESS, fixture('shell/disk.img')], {
      input: shown(script),
      env: { ...process.env, TZ: 'UTC' },
    });
    return parts(stdout.toString('latin1') + stderr.toString('latin1'));
  });
  const expected = parts(golden);

  it('has as many answers as there are commands', async () => {
    expect((await run).map((part) => part.command)).toEqual(expected.map((part) => part.command));
  });

  it.each(expected.map(({ command, output }, i) => [command, output, i] as const).filter(([command]) => !DIFFERENT.has(command)))(
    '%s',
    async (command, output, i) => {
      expect(settled(command, (await run)[i]?.output ?? '')).toBe(settled(command, output));
    },
  );
});
