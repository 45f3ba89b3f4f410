/** The shell in this process, with what it says collected. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { batch } from '../../src/cli/fish/batch.ts';
import { type Options, parseOptions, ShellError } from '../../src/shell/index.ts';
import { scratchFolder } from '../support/images.ts';

export interface Said {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: readonly string[];
}

export function options(words: readonly string[]): Options {
  const asked = parseOptions(words);
  if (asked.kind !== 'run') throw new Error(`${words.join(' ')} asks for ${asked.kind}`);
  return asked.options;
}

const scripts = scratchFolder('guestless-scripts-');
let count = 0;

/** Runs the shell with these words, a script as its standard input. */
export async function fish(words: readonly string[], script = ''): Promise<Said> {
  const pieces: Buffer[] = [];
  const stderr: string[] = [];
  let asked: Options;
  try {
    asked = options(words);
  } catch (error) {
    if (!(error instanceof ShellError)) throw error;
    return { status: 1, stdout: '', stderr: [error.message] };
  }
  const file = path.join(scripts, `script${count++}`);
  fs.writeFileSync(file, script);
  const output = {
    terminal: false,
    // biome-ignore lint/correctness/useYield: only gathers
    *write(bytes: Uint8Array) {
      pieces.push(Buffer.from(bytes));
    },
  };
  const streams = { output, say: (line: string) => void stderr.push(line), input: file };
  const status = await batch(asked, streams);
  return { status, stdout: Buffer.concat(pieces).toString(), stderr };
}
