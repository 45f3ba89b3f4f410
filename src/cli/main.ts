/**
 * The command line tool: understands its words, loads the one verb they name, runs it, and turns errors into a line and an exit status.
 *
 * `fish` and `appliance serve` are programs of their own (fish-main.ts, appliance-main.ts), which tools/entry.cjs starts: a short call need not load
 * the verbs of libguestfs. Only what every call needs is imported here; the rest is loaded by the verb, as start-up time is most of a short call.
 */
import { isGroup } from '../commands/declaration.ts';
import { parse, type Request } from '../commands/parse.ts';
import { COMMANDS } from '../commands/table.ts';
import { runAsync, runSync, runWaiting } from '../io/drivers.ts';
import { namesAddress } from '../library/address.ts';
import { StandardOutput } from './output.ts';
import { report } from './report.ts';
import { rawWords } from './words.ts';

async function main(words: readonly string[]): Promise<number> {
  let json = words.includes('--json');
  try {
    const request = parse(COMMANDS, words);
    if (request.kind !== 'run') return await inform(request);
    const { command, invocation } = request;
    json = invocation.has('--json');
    const output = new StandardOutput(json);
    const [work, { NodeHost }] = await Promise.all([command.load(), import('./host.ts')]);
    const host = new NodeHost(invocation);
    try {
      if (command.name === 'wasi') host.runProgram = (await import('./program.ts')).runProgram;
      // What is on the network has to be waited for.
      if (command.interruptible !== true && words.some(namesAddress)) return await runWaiting(work(invocation, host, output));
      if (command.interruptible !== true) return runSync(work(invocation, host, output));
      const { listenToSignals } = await import('./interrupt.ts');
      listenToSignals();
      return await runAsync(work(invocation, host, output));
    } finally {
      host.close();
    }
  } catch (error) {
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

void main(rawWords()).then((status) => process.exit(status));
