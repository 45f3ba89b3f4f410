/** The shell with a person before it: prompt, history, completion. */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import * as readline from 'node:readline';
import { Posix } from '../../errors.ts';
import { runWaiting } from '../../io/drivers.ts';
import type { Io } from '../../io/effect.ts';
import { complete, decodePrompt, LocalExecutor, type Options, PROMPT, Script, Session, VOCABULARY, WELCOME } from '../../shell/index.ts';
import { isTerminal, say, writeAll } from '../output.ts';
import { begin } from './begin.ts';
import { FishHost } from './fish-host.ts';
import { remoteExecutor } from './remote-client.ts';
import { ScriptInput } from './standard-input.ts';

const HISTORY = '.guestless_history';
const HISTORY_SIZE = 1000;
/** Steps are done on the spot for so long before signals are heard. */
const TURN_MS = 50;

/** Does the steps of a command on the spot, and hears Ctrl-C now and then: the command ends with EINTR, what it began is undone. */
async function runInterruptibly<T>(io: Io<T>, interrupted: () => boolean): Promise<T> {
  let turn = performance.now();
  let step = io.next();
  while (step.done !== true) {
    let reply: unknown;
    try {
      const now = performance.now();
      if (now - turn > TURN_MS) {
        await new Promise((resolve) => setImmediate(resolve));
        turn = now;
      }
      if (interrupted()) throw new Posix('EINTR', {}, 'interrupted');
      reply = step.value.waits === true ? await step.value.async() : step.value.sync();
    } catch (error) {
      step = io.throw(error);
      continue;
    }
    step = io.next(reply);
  }
  return step.value;
}

function historyFile(): string {
  return path.join(process.env['HOME'] ?? os.homedir(), HISTORY);
}

function readHistory(): string[] {
  try {
    return fs
      .readFileSync(historyFile(), 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .reverse();
  } catch {
    return [];
  }
}

function saveHistory(lines: readonly string[]): void {
  try {
    fs.writeFileSync(historyFile(), `${[...lines].reverse().slice(-HISTORY_SIZE).join('\n')}\n`, { mode: 0o600 });
  } catch {
    // It is a comfort only.
  }
}

/** A string of the environment that goes to the terminal. */
function sendString(name: string): void {
  const text = process.env[name];
  if (text !== undefined) writeAll(1, Buffer.from(decodePrompt(text).text));
}

function prompt(): string {
  const own = process.env['GUESTFISH_PS1'];
  if (own !== undefined) return decodePrompt(own).text;
  return process.env['NO_COLOR'] === undefined && process.env['TERM'] !== 'dumb' ? `\u001b[1;32m${PROMPT.trimEnd()}\u001b[0m ` : PROMPT;
}

/** Talks to a person until quit or the end of input; the exit status. */
export async function interact(options: Options): Promise<number> {
  const colours = isTerminal(2) && process.env['NO_COLOR'] === undefined;
  const host = new FishHost({
    input: new ScriptInput(0),
    allowed: options.allowed,
    progress: options.progress !== false,
    say: (line) => say(colours ? `\u001b[31m${line}\u001b[0m` : line, true),
  });
  const session = new Session(host, VOCABULARY, { pipeErrors: options.pipeErrors, interactive: true });
  let interrupted = false;
  sendString('GUESTFISH_INIT');
  writeAll(1, Buffer.from(WELCOME));
  const told = options.remote === undefined ? await begin(session, options) : [];
  if (told === undefined) return 1;
  for (const line of told) writeAll(1, Buffer.from(`${line}\n`));
  const script = new Script(session, options.remote === undefined ? new LocalExecutor(session) : remoteExecutor(session, options));
  let busy = false;
  const editor = readline.createInterface({
    input: process.stdin,
    output: process.stdout,
    terminal: true,
    historySize: HISTORY_SIZE,
    history: readHistory(),
    removeHistoryDuplicates: true,
    prompt: prompt(),
    completer: (line: string, done: (error?: null | Error, result?: [string[], string]) => void) => {
      runWaiting(complete(session, line, { paths: options.completePaths })).then(
        ({ candidates, part }) => done(null, [[...candidates], part]),
        () => done(null, [[], line]),
      );
    },
  });
  let history: readonly string[] = [];
  editor.on('history', (lines: string[]) => {
    history = [...lines];
  });
  process.on('SIGINT', () => {
    interrupted = true;
  });
  editor.on('SIGINT', () => {
    if (busy) return;
    editor.write(null, { ctrl: true, name: 'e' });
    editor.write(null, { ctrl: true, name: 'u' });
    process.stdout.write('\n');
    editor.prompt();
  });
  const waiting: string[] = [];
  await new Promise<void>((resolve, reject) => {
    const work = async (): Promise<void> => {
      busy = true;
      editor.pause();
      // Programs of the host get the terminal as they expect it.
      process.stdin.setRawMode?.(false);
      for (let line = waiting.shift(); line !== undefined && !session.ended; line = waiting.shift()) {
        interrupted = false;
        sendString('GUESTFISH_OUTPUT');
        session.line++;
        await runInterruptibly(script.line(line), () => interrupted);
      }
      busy = false;
      if (session.ended) return editor.close();
      process.stdin.setRawMode?.(true);
      editor.resume();
      editor.prompt();
    };
    editor.on('line', (line) => {
      waiting.push(line);
      if (!busy) work().catch(reject);
    });
    editor.on('close', () => {
      if (!session.ended) process.stdout.write('\n');
      resolve();
    });
    editor.prompt();
  });
  if (history.length > 0) saveHistory(history);
  sendString('GUESTFISH_RESTORE');
  try {
    return (await runWaiting(session.close())) ? 0 : 1;
  } finally {
    host.close();
  }
}
