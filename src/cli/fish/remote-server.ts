/** `--listen`: a shell in the background that does what others send it. */
import * as fs from 'node:fs';
import * as net from 'node:net';
import { runWaiting } from '../../io/drivers.ts';
import type { Io } from '../../io/effect.ts';
import { LocalExecutor, type Options, Session, type ShellOutput, VOCABULARY } from '../../shell/index.ts';
import { say, writeAll } from '../output.ts';
import { begin } from './begin.ts';
import { FishHost } from './fish-host.ts';
import { wait } from './programs.ts';
import { MessageSocket, type RemoteCommand, socketName } from './remote-protocol.ts';
import { ScriptInput } from './standard-input.ts';

/** Set in the process that stays. */
const STAYS = 'GUESTLESS_FISH_LISTENS';
/** The descriptor on which it says that it can be reached. */
const READY = 3;
/** Output is sent in messages of at most so many bytes. */
const PIECE = 1 << 20;

/** Starts the process that stays, waits until it can be reached, and prints how. */
export async function listen(options: Options, words: readonly string[]): Promise<number> {
  if (process.env[STAYS] !== undefined) return await serve(options);
  const { spawn } = process.getBuiltinModule('node:child_process');
  const [program = ''] = process.argv.slice(1);
  const child = spawn(process.execPath, [...process.execArgv, program, 'fish', ...words], {
    detached: true,
    stdio: ['ignore', 'ignore', 'inherit', 'pipe'],
    env: { ...process.env, [STAYS]: '1' },
  });
  const ready = await new Promise<boolean>((resolve) => {
    child.stdio[READY]?.once('data', () => resolve(true));
    child.once('exit', () => resolve(false));
    child.once('error', () => resolve(false));
  });
  if (!ready) return 1;
  const pid = child.pid ?? 0;
  writeAll(1, Buffer.from(options.csh ? `setenv GUESTFISH_PID ${pid}\n` : `GUESTFISH_PID=${pid}; export GUESTFISH_PID\n`));
  child.unref();
  return 0;
}

/** Where the results of the present command go. */
class RemoteOutput implements ShellOutput {
  readonly terminal = false;
  client: MessageSocket | undefined;

  *write(bytes: Uint8Array): Io<void> {
    const { client } = this;
    if (client === undefined) return;
    for (let at = 0; at < bytes.length; at += PIECE) {
      const piece = bytes.slice(at, at + PIECE);
      yield* wait(() => client.send('O', piece));
    }
  }
}

/** Standard input of the client, asked for when it is wanted. */
class RemoteInput extends ScriptInput {
  constructor() {
    super(0);
  }

  override readLine(): string | undefined {
    return undefined;
  }

  override readBytes(): Uint8Array | undefined {
    return undefined;
  }
}

class RemoteHost extends FishHost {
  readonly #output: RemoteOutput;

  constructor(options: Options, output: RemoteOutput) {
    super({
      input: new RemoteInput(),
      allowed: options.allowed,
      progress: false,
      output,
      say: (line) => {
        if (output.client === undefined) say(line, true);
        else void output.client.send('S', line);
      },
    });
    this.#output = output;
  }

  override *openInput(name: string): ReturnType<FishHost['openInput']> {
    const { client } = this.#output;
    if (name !== '-' || client === undefined) return yield* super.openInput(name);
    return {
      pull: () =>
        wait(async () => {
          await client.send('N');
          const message = await client.receive();
          return message === undefined || message.kind !== 'I' || message.bytes.length === 0 ? undefined : message.bytes;
        }),
      close() {},
    };
  }
}

/** Does the commands of one client after another, until `exit`, or one that fails and is not forgiven. */
async function serve(options: Options): Promise<number> {
  delete process.env[STAYS];
  const output = new RemoteOutput();
  const host = new RemoteHost(options, output);
  const session = new Session(host, VOCABULARY, { pipeErrors: options.pipeErrors });
  if ((await begin(session, options)) === undefined) return 1;
  const name = socketName(String(process.pid));
  fs.rmSync(name, { force: true });
  const clients: net.Socket[] = [];
  let came: (() => void) | undefined;
  const server = net.createServer((socket) => {
    clients.push(socket);
    came?.();
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(name, resolve);
  });
  fs.writeSync(READY, 'ready\n');
  fs.closeSync(READY);
  // Whoever started this may wait for the end of what it says.
  fs.closeSync(2);
  fs.openSync('/dev/null', 'w');
  for (const signal of ['SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      session.ended = true;
      came?.();
    });
  }
  let failed = false;
  while (!session.ended && !failed) {
    const socket = clients.shift();
    if (socket === undefined) {
      await new Promise<void>((resolve) => {
        came = resolve;
      });
      continue;
    }
    const client = new MessageSocket(socket);
    output.client = client;
    failed = await serveClient(client, session);
    output.client = undefined;
    client.end();
  }
  server.close();
  fs.rmSync(name, { force: true });
  const saved = await runWaiting(session.close());
  host.close();
  return saved && !failed ? 0 : 1;
}

/** Whether a command failed that was not forgiven. */
async function serveClient(client: MessageSocket, session: Session): Promise<boolean> {
  const executor = new LocalExecutor(session);
  for (let message = await client.receive(); message !== undefined; message = await client.receive()) {
    if (message.kind !== 'C') continue;
    const { name, words, forgiving } = JSON.parse(message.bytes.toString()) as RemoteCommand;
    const done = await runWaiting(executor.execute(name, words, forgiving));
    await client.send('R', JSON.stringify({ done }));
    if (!done && !forgiving) return true;
    if (session.ended) return false;
  }
  return false;
}
