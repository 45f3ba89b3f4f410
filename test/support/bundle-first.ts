/** Bundles the command line tool before the first test: a launcher that has to do it says so on standard error. */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export function setup(): void {
  execFileSync(fileURLToPath(new URL('../../guestless', import.meta.url)), ['--version'], { stdio: 'ignore' });
}
