/** The shell without a person: commands of the command line, or a script. */
import { runWaiting } from '../../io/drivers.ts';
import { type Options, Script, Session, type ShellOutput, VOCABULARY } from '../../shell/index.ts';
import { begin, openScript } from './begin.ts';
import { FishHost } from './fish-host.ts';

/** Where results and messages go, if not to the standard streams. */
export interface Streams {
  readonly output: ShellOutput;
  readonly say: (line: string) => void;
  /** A file in place of standard input. */
  readonly input: string;
}

/** Runs commands until there are no more, or one fails; the exit status. What was done before an error stays done. */
export async function batch(options: Options, streams?: Streams): Promise<number> {
  const { output, say, input } = streams ?? {};
  const host = new FishHost({
    input: openScript(options.file ?? input),
    allowed: options.allowed,
    progress: options.progress === true,
    ...(output === undefined ? {} : { output }),
    ...(say === undefined ? {} : { say }),
  });
  const session = new Session(host, VOCABULARY, { pipeErrors: options.pipeErrors });
  try {
    if ((await begin(session, options)) === undefined) return 1;
    if (options.file !== undefined) session.script = options.file;
    const script = new Script(session);
    const done = await runWaiting(options.words.length > 0 ? script.commands(options.words) : script.run(() => host.readLine()));
    const saved = await runWaiting(session.close(!done));
    return done && saved ? 0 : 1;
  } finally {
    host.close();
  }
}
