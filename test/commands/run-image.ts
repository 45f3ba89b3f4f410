/** Runs a command in this process as the command line runs it, and keeps what it says. */
import { NodeHost } from '../../src/cli/host.ts';
import { exitStatusOf } from '../../src/commands/exit-status.ts';
import type { Output } from '../../src/commands/output.ts';
import { parse } from '../../src/commands/parse.ts';
import { COMMANDS } from '../../src/commands/table.ts';
import { GuestlessError } from '../../src/errors.ts';
import { runAsync } from '../../src/io/index.ts';

const STATUS = { posix: 1, refused: 2, unsupported: 3, corrupt: 4 } as const;

export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly warnings: readonly string[];
  readonly error?: GuestlessError;
}

class QuietHost extends NodeHost {
  readonly warnings: string[] = [];

  override warn(message: string): void {
    this.warnings.push(message);
  }
}

/** `words` are those after `guestless`. Errors that are not ours escape. */
export async function command(...words: readonly string[]): Promise<Answer> {
  let text = '';
  const output: Output = {
    terminal: false,
    json: words.includes('--json'),
    // biome-ignore lint/correctness/useYield: nothing to wait for
    *write(bytes) {
      text += Buffer.from(bytes).toString();
    },
  };
  let host: QuietHost | undefined;
  try {
    const request = parse(COMMANDS, words);
    if (request.kind !== 'run') throw new Error('no command to run');
    host = new QuietHost(request.invocation);
    const work = await request.command.load();
    const status = await runAsync(work(request.invocation, host, output));
    return { status, text, warnings: host.warnings };
  } catch (error) {
    if (!(error instanceof GuestlessError)) throw error;
    return { status: exitStatusOf(error) ?? STATUS[error.family], text, warnings: host?.warnings ?? [], error };
  } finally {
    host?.close();
  }
}

/** The JSON that a command prints. */
export async function json(...words: readonly string[]): Promise<unknown> {
  return JSON.parse((await command(...words)).text);
}
