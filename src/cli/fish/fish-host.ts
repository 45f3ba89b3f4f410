/** The shell's host on Node.js. */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { Invocation } from '../../commands/invocation.ts';
import { escapeControls } from '../../commands/output.ts';
import type { DriveOptions, HandleHost } from '../../commands/verbs/handle.ts';
import { Posix } from '../../errors.ts';
import { type Io, perform } from '../../io/effect.ts';
import { Truncate, Write } from '../../io/source.ts';
import { nodeHandleHost } from '../../library/drive.ts';
import { hostPath, posixError } from '../../platform/node/file.ts';
import type { DriveRequest, LocalInput, LocalOutput, OutputPipe, ShellHost, ShellOutput } from '../../shell/host.ts';
import type { Element } from '../../shell/xml.ts';
import { NodeHost } from '../host.ts';
import { StandardOutput, say, wait as sleep } from '../output.ts';
import { openDrive } from './drives.ts';
import { capture, edit, ProgramPipe, runOn, system, wait, withTemporaryFolder } from './programs.ts';
import type { ScriptInput } from './standard-input.ts';

/** Zeros that are written at once into a file whose space is to be allocated. */
const ZEROS = 1 << 20;

export interface FishHostOptions {
  /** Where lines and uploads from `-` come from. */
  readonly input: ScriptInput;
  /** Files and folders that images may name besides their own. */
  readonly allowed: readonly string[];
  readonly progress: boolean;
  /** Where results and messages go, if not to the standard streams. */
  readonly output?: ShellOutput;
  readonly say?: (line: string) => void;
}

/** Does at once what an effect describes. */
function now<T>(action: () => T): Io<T> {
  return perform<T>({ sync: action, async: async () => action() });
}

export class FishHost implements ShellHost {
  readonly files: NodeHost;
  readonly handle: HandleHost;
  readonly output: ShellOutput;
  readonly processId: number = process.pid;
  readonly #options: FishHostOptions;

  constructor(options: FishHostOptions) {
    this.#options = options;
    this.files = new NodeHost(new Invocation({ name: 'fish' }, new Map(), new Map([['--allow-backing', options.allowed]])));
    this.output = options.output ?? new StandardOutput(false);
    const { files } = this;
    this.handle = {
      ...nodeHandleHost((message) => this.say(`guestfish: warning: ${message}`)),
      *progress(position, total) {
        if (options.progress) files.progress(position, total);
        yield* files.pause();
      },
      *sleep(milliseconds) {
        yield* now(() => sleep(milliseconds));
      },
    };
  }

  say(line: string): void {
    if (this.#options.say === undefined) say(line);
    else this.#options.say(escapeControls(line));
  }

  checkDrive({ name, protocol, scratch }: DriveRequest): Io<void> {
    return now(() => {
      if (protocol !== undefined || scratch !== undefined) return;
      try {
        fs.accessSync(hostPath(name), fs.constants.R_OK);
      } catch (error) {
        throw posixError(error, name);
      }
    });
  }

  *openDrive(request: DriveRequest): Io<DriveOptions> {
    return yield* openDrive(request, this.#options.allowed);
  }

  *createDisk(name: string, size: number, allocated: boolean): Io<void> {
    const file = yield* this.files.createFile(name);
    try {
      if (allocated) {
        const zeros = new Uint8Array(Math.min(ZEROS, size));
        for (let at = 0; at < size; at += ZEROS) {
          yield* perform(new Write(file.target, at, zeros.subarray(0, Math.min(ZEROS, size - at))));
        }
      } else yield* perform(new Truncate(file.target, size));
      yield* file.finish();
    } finally {
      file.abandon();
    }
  }

  *openInput(name: string): Io<LocalInput> {
    const { input } = this.#options;
    if (name === '-') return { pull: () => now(() => input.readBytes()), close() {} };
    const descriptor = yield* now(() => {
      try {
        return fs.openSync(hostPath(name), 'r');
      } catch (error) {
        throw posixError(error, name);
      }
    });
    const buffer = new Uint8Array(ZEROS);
    return {
      pull: () =>
        now(() => {
          try {
            const length = fs.readSync(descriptor, buffer);
            return length === 0 ? undefined : buffer.subarray(0, length);
          } catch (error) {
            throw posixError(error, name);
          }
        }),
      close: () => fs.closeSync(descriptor),
    };
  }

  *createOutput(name: string): Io<LocalOutput> {
    const file = yield* this.files.createFile(name);
    let at = 0;
    return {
      *push(bytes) {
        yield* perform(new Write(file.target, at, bytes));
        at += bytes.length;
      },
      *finish() {
        yield* file.finish();
      },
      abandon: () => file.abandon(),
    };
  }

  readLine(): Io<string | undefined> {
    return now(() => this.#options.input.readLine());
  }

  parseXml(text: string, where: string): Io<Element> {
    return wait(async () => (await import('../../shell/xml.ts')).parseXml(text, where));
  }

  system(command: string, environment?: Readonly<Record<string, string>>, parameters?: readonly string[]): Io<number> {
    return now(() => system(command, environment, parameters));
  }

  capture(command: string): ReturnType<ShellHost['capture']> {
    return now(() => capture(command));
  }

  openPipe(command: string, failing: boolean): Io<OutputPipe> {
    return now(() => new ProgramPipe(command, failing));
  }

  edit(program: string, name: string, contents: Uint8Array): Io<Uint8Array | undefined> {
    return now(() => edit(program, name, contents));
  }

  *show(program: string, contents: Parameters<ShellHost['show']>[1]): Io<number> {
    const pieces: Uint8Array[] = [];
    // biome-ignore lint/correctness/useYield: only gathers
    yield* contents(function* (bytes) {
      pieces.push(bytes.slice());
    });
    return yield* now(() =>
      withTemporaryFolder((folder) => {
        const file = path.join(folder, 'file');
        fs.writeFileSync(file, Buffer.concat(pieces), { mode: 0o600 });
        return runOn(program, file);
      }),
    );
  }

  environment(name: string): string | undefined {
    return process.env[name];
  }

  setEnvironment(name: string, value: string | undefined): void {
    if (name.includes('=') || name.includes('\0')) throw new Posix('EINVAL', {}, `'${name}' is no name of a variable`);
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }

  changeFolder(name: string): Io<void> {
    return now(() => {
      try {
        process.chdir(name);
      } catch (error) {
        throw posixError(error, name);
      }
    });
  }

  home(user: string): string | undefined {
    if (user === '') return process.env['HOME'] ?? os.homedir();
    try {
      for (const line of fs.readFileSync('/etc/passwd', 'utf8').split('\n')) {
        const fields = line.split(':');
        if (fields[0] === user) return fields[5];
      }
    } catch {
      // There are no users to know.
    }
    return undefined;
  }

  clock(): number {
    return performance.now();
  }

  close(): void {
    this.files.close();
    this.#options.input.close();
  }
}
