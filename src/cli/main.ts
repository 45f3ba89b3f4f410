/**
 * The command line tool: understands its words, loads the one verb they name, runs it, and turns errors into a line and an exit status.
 *
 * Only what every call needs is imported here; the rest is loaded by the verb, as start-up time is most of a short call.
 */
import { isGroup } from '../commands/declaration.ts';
import { exitStatusOf } from '../commands/exit-status.ts';
import { parse, type Request } from '../commands/parse.ts';
import { COMMANDS } from '../commands/table.ts';
import { GuestlessError } from '../errors.ts';
import { runAsync, runSync } from '../io/drivers.ts';
import { ClosedPipe, StandardOutput, say } from './output.ts';
import { rawWords } from './words.ts';

/** 128 + SIGPIPE, as a shell reports programs that wrote into a closed pipe. */
const STATUS_CLOSED_PIPE = 141;
const STATUS = { posix: 1, refused: 2, unsupported: 3, corrupt: 4 } as const;

async function main(words: readonly string[]): Promise<number> {
  let json = words.includes('--json');
  try {
    if (words[0] === 'appliance' && words[1] === 'serve')
      return await (await import('../appliance/serve.ts')).serveAppliance(words.slice(2));
    if (words[0] === 'fish') return await (await import('./fish/index.ts')).runFish(words.slice(1));
    const request = parse(COMMANDS, words);
    if (request.kind !== 'run') return await inform(request);
    const { command, invocation } = request;
    json = invocation.has('--json');
    const output = new StandardOutput(json);
    const [work, { NodeHost }] = await Promise.all([command.load(), import('./host.ts')]);
    const host = new NodeHost(invocation);
    try {
      if (command.interruptible !== true) return runSync(work(invocation, host, output));
      const { listenToSignals } = await import('./interrupt.ts');
      listenToSignals();
      return await runAsync(work(invocation, host, output));
    } finally {
      host.close();
    }
  } catch (error) {
    if (error instanceof ClosedPipe) return STATUS_CLOSED_PIPE;
    return report(error, json);
  }
}

async function inform(request: Exclude<Request, { kind: 'run' }>): Promise<number> {
  const output = new StandardOutput(false);
  if (request.kind === 'version') {
    const { VERSION } = await import('./version.ts');
    output.print(`guestless ${VERSION}\n`);
    return 0;
  }
  const help = await import('../commands/help.ts');
  const { of, group } = request;
  if (of === undefined) output.print(help.tableHelp(COMMANDS));
  else output.print(isGroup(of) ? help.groupHelp(of) : help.commandHelp(of, group));
  return 0;
}

/** Says what went wrong, and gives the exit status. */
function report(error: unknown, json: boolean): number {
  if (error instanceof GuestlessError) {
    const { message, family, code, where } = error;
    say(json ? JSON.stringify({ error: message, family, code, where }) : `guestless: ${message}`, json);
    return exitStatusOf(error) ?? STATUS[family];
  }
  const message = error instanceof Error ? error.message : String(error);
  say(
    json ? JSON.stringify({ error: message, family: 'internal', code: 'INTERNAL', where: {} }) : `guestless: internal error: ${message}`,
    json,
  );
  if (process.env['GUESTLESS_DEBUG'] !== undefined && error instanceof Error) process.stderr.write(`${error.stack ?? ''}\n`);
  return 1;
}

void main(rawWords()).then((status) => process.exit(status));
