/** Before the first test and after the last. */
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';

/** One folder for what all tests write, and the bundle: a launcher that has to make it says so on standard error. */
export function setup(): () => void {
  const before = process.env['TMPDIR'];
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'gt-'));
  process.env['TMPDIR'] = folder;
  execFileSync(fileURLToPath(new URL('../../guestless', import.meta.url)), ['--version'], { stdio: 'ignore' });
  return () => {
    if (before === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = before;
    fs.rmSync(folder, { recursive: true, force: true });
  };
}
