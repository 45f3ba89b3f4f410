/** `guestless fish`: the shell as a program. */
import { GuestlessError } from '../../errors.ts';
import { type Asked, type Options, optionsHelp, parseOptions, preparedHelp, ShellError } from '../../shell/index.ts';
import { isTerminal, say, writeAll } from '../output.ts';
import { VERSION } from '../version.ts';
import { batch } from './batch.ts';

/** Runs the shell; the exit status, 0 or 1. */
export async function runFish(words: readonly string[]): Promise<number> {
  let asked: Asked;
  try {
    asked = parseOptions(words);
  } catch (error) {
    if (!(error instanceof ShellError)) throw error;
    say(`guestfish: ${error.message}`);
    return 1;
  }
  switch (asked.kind) {
    case 'help':
      return tell(optionsHelp());
    case 'version':
      return tell(`guestfish (guestless ${VERSION})\n`);
    case 'prepared-help':
      return tell(preparedHelp());
    case 'command-help':
      return await batch({ ...EMPTY, words: ['help', asked.command ?? '--list'] });
    case 'run':
      try {
        return await runOptions(asked.options, words);
      } catch (error) {
        // What went wrong outside of any command: the script, the socket. There is no other status than 1, as with guestfish.
        if (!(error instanceof GuestlessError)) throw error;
        say(`guestfish: ${error.message}`);
        return 1;
      }
  }
}

const EMPTY: Options = {
  drives: [],
  mounts: [],
  inspect: false,
  readOnly: true,
  verbose: false,
  trace: false,
  autosync: true,
  network: false,
  listen: false,
  csh: false,
  completePaths: false,
  pipeErrors: false,
  allowed: [],
  words: [],
};

function tell(text: string): number {
  writeAll(1, Buffer.from(text));
  return 0;
}

async function runOptions(options: Options, words: readonly string[]): Promise<number> {
  if (options.listen) return await (await import('./remote-server.ts')).listen(options, words);
  if (options.words.length === 0 && options.file === undefined && isTerminal(0)) {
    return await (await import('./interactive.ts')).interact(options);
  }
  if (options.remote !== undefined) return await (await import('./remote-client.ts')).control(options);
  return await batch(options);
}
