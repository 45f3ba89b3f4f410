/** The fish shell on the disk that is open, in a file of its own that is fetched with the first command. */
import { decodeName } from '../../../src/bytes/text.ts';
import type { Host } from '../../../src/commands/host.ts';
import type { Handle } from '../../../src/commands/verbs/handle.ts';
import { Posix, Unsupported } from '../../../src/errors.ts';
import { type Io, perform } from '../../../src/io/effect.ts';
import { type Completions, complete, PROMPT, Script, Session, type ShellHost, VOCABULARY } from '../../../src/shell/index.ts';
import { run } from './driver.ts';

type Say = (text: string, error: boolean) => void;

/** Output of one command that goes to the page at most. */
const MOST_OUTPUT: number = 4 << 20;

function never(what: string): never {
  throw new Unsupported(what, `${what} cannot be had in a browser; the shell of the command line has it`);
}

function wait<T>(work: () => Promise<T>): Io<T> {
  return perform<T>({ waits: true, sync: () => never('waiting'), async: work });
}

export class PageShell {
  readonly #session: Session;
  readonly #script: Script;
  #say: Say = () => {};
  #told = 0;

  constructor(handle: Handle, image: string) {
    this.#session = new Session(this.#host(handle), VOCABULARY, { interactive: true });
    this.#session.adopt(handle, [{ name: image, readOnly: true }]);
    this.#script = new Script(this.#session);
  }

  /** Runs one line. */
  async line(text: string, say: Say, signal: AbortSignal): Promise<{ mounted: boolean; prompt: string }> {
    this.#say = say;
    this.#told = 0;
    const session = this.#session;
    if (/^\s*-?\s*(?:exit|q|quit|shutdown|launch|run|add\S*|drive|domain|reopen)\b/i.test(text)) {
      say('The disk is open already and stays open here; Save and Discard are under Changes.\n', true);
    } else {
      session.line++;
      await run(this.#script.line(text), signal);
    }
    session.ended = false;
    const handle = session.handle({ name: 'mounts' });
    await run(handle.tree.flush());
    return { mounted: handle.mounts.length > 0, prompt: PROMPT };
  }

  async complete(line: string): Promise<Completions> {
    return await run(complete(this.#session, line, { paths: true }));
  }

  #tell(text: string, error: boolean): void {
    if (this.#told > MOST_OUTPUT) return;
    this.#told += text.length;
    this.#say(this.#told > MOST_OUTPUT ? `${text.slice(0, 1000)}\n… more was left out\n` : text, error);
  }

  #host(handle: Handle): ShellHost {
    const environment = new Map<string, string>();
    return {
      files: new Proxy({}, { get: () => () => never('a file of your computer') }) as Host,
      handle: handle.host,
      output: {
        terminal: true,
        write: (bytes) => wait(async () => this.#tell(decodeName(bytes), false)),
      },
      say: (line) => this.#tell(`${line}\n`, true),
      *checkDrive() {},
      // biome-ignore lint/correctness/useYield: it only ever throws
      *openDrive() {
        throw new Posix('EINVAL', {}, 'drives cannot be added here');
      },
      createDisk: () => never('a new disk image'),
      parseXml: (text, where) => wait(async () => (await import('../../../src/shell/xml.ts')).parseXml(text, where)),
      openInput: () => never('a file of your computer'),
      createOutput: () => never('a file of your computer'),
      // biome-ignore lint/correctness/useYield: nothing is read
      *readLine() {
        return undefined;
      },
      system: () => never('a program of your computer'),
      capture: () => never('a program of your computer'),
      openPipe: () => never('a program of your computer'),
      edit: () => never('an editor of your computer'),
      show: () => never('a program of your computer'),
      environment: (name) => environment.get(name),
      setEnvironment: (name, value) => void (value === undefined ? environment.delete(name) : environment.set(name, value)),
      changeFolder: () => never('a folder of your computer'),
      home: () => undefined,
      processId: 1,
      clock: () => performance.now(),
    };
  }
}
