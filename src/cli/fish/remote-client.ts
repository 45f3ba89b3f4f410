/** `--remote`: sends commands to a shell that listens. */
import * as net from 'node:net';
import { runWaiting } from '../../io/drivers.ts';
import type { Io } from '../../io/effect.ts';
import { type Executor, type Options, Script, Session, ShellError, VOCABULARY } from '../../shell/index.ts';
import { openScript } from './begin.ts';
import { FishHost } from './fish-host.ts';
import { wait } from './programs.ts';
import { MessageSocket, socketName } from './remote-protocol.ts';
import { ScriptInput } from './standard-input.ts';

class RemoteExecutor implements Executor {
  readonly #session: Session;
  readonly #socket: string;
  readonly #input: ScriptInput;
  #client: MessageSocket | undefined;

  constructor(session: Session, socket: string, input: ScriptInput) {
    this.#session = session;
    this.#socket = socket;
    this.#input = input;
  }

  *execute(name: string, words: readonly string[], forgiving: boolean): Io<boolean> {
    const client = yield* wait(() => this.#connect());
    if (client === undefined) {
      this.#session.complain(new ShellError('remote: nobody listens there; start one with --listen'));
      return false;
    }
    yield* wait(() => client.send('C', JSON.stringify({ name, words, forgiving })));
    for (;;) {
      const message = yield* wait(() => client.receive());
      if (message === undefined) {
        this.#session.complain(new ShellError('remote: the shell that listened is gone'));
        return false;
      }
      if (message.kind === 'O') yield* this.#session.output.write(message.bytes);
      else if (message.kind === 'S') this.#session.host.say(message.bytes.toString());
      else if (message.kind === 'N') {
        const bytes = this.#input.readBytes() ?? new Uint8Array(0);
        yield* wait(() => client.send('I', bytes));
      } else if (message.kind === 'R') {
        if (['exit', 'quit', 'q'].includes(name.toLowerCase())) this.#session.ended = true;
        return (JSON.parse(message.bytes.toString()) as { done: boolean }).done;
      }
    }
  }

  async #connect(): Promise<MessageSocket | undefined> {
    if (this.#client !== undefined) return this.#client;
    const socket = net.createConnection(this.#socket);
    const connected = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
    });
    if (!connected) return undefined;
    this.#client = new MessageSocket(socket);
    return this.#client;
  }

  close(): void {
    this.#client?.end();
  }
}

/** Who runs the commands of a session elsewhere. Throws {@link ShellError} when it is not said where. */
export function remoteExecutor(session: Session, { remote }: Options, input: ScriptInput = new ScriptInput(0)): RemoteExecutor {
  const pid = remote === undefined || remote === '' ? (process.env['GUESTFISH_PID'] ?? '') : remote;
  if (!/^[1-9][0-9]{0,9}$/.test(pid))
    throw new ShellError('--remote needs the number of the process that listens: --remote=PID or GUESTFISH_PID');
  return new RemoteExecutor(session, socketName(pid), input);
}

/** Sends the commands of the command line or a script; the exit status. */
export async function control(options: Options): Promise<number> {
  const input = openScript(options.file);
  const host = new FishHost({ input, allowed: [], progress: false });
  const session = new Session(host, VOCABULARY, { pipeErrors: options.pipeErrors });
  try {
    const executor = remoteExecutor(session, options, input);
    const script = new Script(session, executor);
    const done = await runWaiting(options.words.length > 0 ? script.commands(options.words) : script.run(() => host.readLine()));
    executor.close();
    return done ? 0 : 1;
  } catch (error) {
    if (!(error instanceof ShellError)) throw error;
    session.complain(error);
    return 1;
  } finally {
    host.close();
  }
}
