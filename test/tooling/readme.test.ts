/** The README tells the truth: its tour and its library example are run as they stand. */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { untouched } from '../support/images.ts';
import { must } from '../support/oracle.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const README = fs.readFileSync(path.join(ROOT, 'README.md'), 'utf8');
const DEMO = ['demo.qcow2', 'demo-overlay.qcow2'].map((name) => path.join(ROOT, 'fixtures', name));

/** What stands between ```LANGUAGE and ```. */
function blocks(language: string): string[] {
  return [...README.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, 'gms'))].map((match) => match[1] ?? '');
}

/** Each `$ command` with the output that follows it. */
const tour = blocks('console')
  .flatMap((block) => block.split(/^\$ /m).slice(1))
  .map((text) => {
    const end = text.indexOf('\n');
    return { command: text.slice(0, end), output: text.slice(end + 1) };
  })
  .filter(({ command, output }) => command.startsWith('./guestless') && output.trim() !== '');

describe('the README', () => {
  beforeAll(() => {
    // As in a fresh clone: the launcher makes the bundle.
    must(path.join(ROOT, 'guestless'), '--version');
  });

  test('has a tour', () => expect(tour.length).toBeGreaterThan(8));

  test.each(tour)('$command', async ({ command, output }) => {
    await untouched(DEMO, () => {
      const { stdout, status } = spawnSync('bash', ['-c', command], { cwd: ROOT, encoding: 'utf8', env: { ...process.env, LC_ALL: 'C' } });
      expect(stdout.trim()).toBe(output.trim());
      expect(status).toBe(0);
    });
  });

  test('its first library example prints the guest’s name', () => {
    const example = (blocks('js')[0] ?? '').replace("'guestless'", JSON.stringify(path.join(ROOT, 'dist/index.js')));
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', example], { cwd: ROOT, encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(stdout.trim()).toBe('demo');
  });
});

describe('the demo images', () => {
  test('are clean for the real tools, and their file systems too', () => {
    for (const image of DEMO) must('qemu-img', 'check', image);
    must('qemu-img', 'info', '--backing-chain', DEMO[1] ?? '');
  });
});
