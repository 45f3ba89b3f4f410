/** From the options to a session that is ready. */
import * as fs from 'node:fs';
import { GuestlessError } from '../../errors.ts';
import { runAsync, runWaiting } from '../../io/drivers.ts';
import type { Io } from '../../io/effect.ts';
import { hostPath, posixError } from '../../platform/node/file.ts';
import { CallError, type Options, type Session, ShellError, start } from '../../shell/index.ts';
import { ScriptInput } from './standard-input.ts';

/** Does what a computation asks for. */
export type Runner = <T>(io: Io<T>) => Promise<T>;

/** Opens the script, or standard input. Throws Posix. */
export function openScript({ file }: Options): ScriptInput {
  if (file === undefined) return new ScriptInput(0);
  try {
    return new ScriptInput(fs.openSync(hostPath(file), 'r'));
  } catch (error) {
    throw posixError(error, file);
  }
}

/** Steps are done on the spot, unless a drive is on the network. */
export function runnerFor(options: Options): Runner {
  return options.drives.some((drive) => /^https?:/i.test(drive.kind === 'prepared' ? '' : drive.name)) ? runAsync : runWaiting;
}

/** Adds and mounts what the options say; undefined when that failed, which was told. */
export async function begin(session: Session, options: Options, run: Runner): Promise<readonly string[] | undefined> {
  try {
    return await run(start(session, options));
  } catch (error) {
    if (error instanceof ShellError) session.complain(error);
    else if (error instanceof GuestlessError || error instanceof CallError) session.host.say(`libguestfs: error: ${error.message}`);
    else throw error;
    return undefined;
  }
}
