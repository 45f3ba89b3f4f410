/** The command line tool as its users start it: the launcher of the checkout, in a process of its own. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const GUESTLESS: string = fileURLToPath(new URL('../../guestless', import.meta.url));

export interface Result {
  readonly status: number;
  readonly stdout: string;
  readonly bytes: Buffer;
  readonly stderr: string;
}

/** Runs `guestless` with these words. A word may be bytes, as long as it is ASCII or UTF-8. */
export function guestless(words: readonly string[], input?: Uint8Array): Result {
  const { status, stdout, stderr, error } = spawnSync(GUESTLESS, [...words], {
    maxBuffer: 1 << 28,
    env: { ...process.env, TZ: 'UTC' },
    ...(input === undefined ? {} : { input }),
  });
  // A program that fails early need not have read all of its input.
  if (error !== undefined && (error as NodeJS.ErrnoException).code !== 'EPIPE') throw error;
  return { status: status ?? -1, stdout: stdout.toString(), bytes: stdout, stderr: stderr.toString() };
}

/** As `guestless`, of a call that has to succeed without a word on standard error. */
export function answer(...words: readonly string[]): string {
  const { status, stdout, stderr } = guestless(words);
  if (status !== 0 || stderr !== '') throw new Error(`guestless ${words.join(' ')} exited ${status}: ${stderr}`);
  return stdout;
}
