/** From the options to a session that is ready. */
import * as fs from 'node:fs';
import { GuestlessError } from '../../errors.ts';
import { runWaiting } from '../../io/drivers.ts';
import { hostPath, posixError } from '../../platform/node/file.ts';
import { CallError, type Options, type Session, ShellError, start } from '../../shell/index.ts';
import { ScriptInput } from './standard-input.ts';

/** Opens a script, or standard input. Throws Posix. */
export function openScript(file: string | undefined): ScriptInput {
  if (file === undefined) return new ScriptInput(0);
  try {
    return new ScriptInput(fs.openSync(hostPath(file), 'r'));
  } catch (error) {
    throw posixError(error, file);
  }
}

/** Adds and mounts what the options say; undefined when that failed, which was told. */
export async function begin(session: Session, options: Options): Promise<readonly string[] | undefined> {
  try {
    return await runWaiting(start(session, options));
  } catch (error) {
    if (error instanceof ShellError) session.complain(error);
    else if (error instanceof GuestlessError || error instanceof CallError) session.host.say(`libguestfs: error: ${error.message}`);
    else throw error;
    return undefined;
  }
}
