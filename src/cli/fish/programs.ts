/** Programs of the host: the local shell, pipes, editors and pagers. */
import type { ChildProcess } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import type { Bytes } from '../../bytes/struct.ts';
import { Posix } from '../../errors.ts';
import { type Io, perform } from '../../io/effect.ts';
import { hostPath, posixError } from '../../platform/node/file.ts';
import type { OutputPipe } from '../../shell/host.ts';

const SHELL = '/bin/sh';
/** What a command of `<!` may print. */
const OUTPUT_LIMIT = 64 << 20;
/** Bytes that wait for a program that reads slowly. */
const WAITING = 1 << 20;

function childProcess(): typeof import('node:child_process') {
  return process.getBuiltinModule('node:child_process');
}

/** Something that has to be waited for. */
export function wait<T>(action: () => Promise<T>): Io<T> {
  return perform<T>({
    waits: true,
    sync() {
      throw new TypeError('this has to be waited for');
    },
    async: action,
  });
}

/** Runs a command with this program's standard streams; its exit status, as a shell gives it. */
export function system(command: string, environment: Readonly<Record<string, string>> = {}, parameters: readonly string[] = []): number {
  const { status, error } = childProcess().spawnSync(SHELL, ['-c', command, 'guestfish', ...parameters], {
    stdio: 'inherit',
    env: { ...process.env, ...environment },
  });
  if (error !== undefined) throw posixError(error, SHELL);
  // A command that a signal ended does not count as one that failed, as in guestfish.
  return status ?? 0;
}

/** The output of a command. */
export function capture(command: string): { readonly output: Bytes; readonly status: number } {
  const result = childProcess().spawnSync(SHELL, ['-c', command], { stdio: ['inherit', 'pipe', 'inherit'], maxBuffer: OUTPUT_LIMIT });
  if (result.error !== undefined) throw posixError(result.error, SHELL);
  return { output: result.stdout, status: result.status ?? 1 };
}

/** A command that reads what is written. */
export class ProgramPipe implements OutputPipe {
  readonly terminal = false;
  readonly #child: ChildProcess;
  readonly #failing: boolean;
  readonly #ended: Promise<void>;
  #broken = false;

  constructor(command: string, failing: boolean) {
    this.#failing = failing;
    const child = childProcess().spawn(SHELL, ['-c', command], { stdio: ['pipe', 'inherit', 'inherit'] });
    this.#child = child;
    this.#ended = new Promise((resolve) => {
      child.once('close', () => resolve());
      child.once('error', () => resolve());
    });
    child.stdin?.on('error', () => {
      this.#broken = true;
    });
  }

  *write(bytes: Bytes): Io<void> {
    const { stdin } = this.#child;
    if (stdin === null) return;
    if (!this.#broken) {
      stdin.write(bytes.slice());
      if (stdin.writableLength > WAITING) yield* wait(() => this.#drained());
    }
    if (this.#broken && this.#failing) throw new Posix('EPIPE', {}, 'the command after | does not read any more');
  }

  #drained(): Promise<void> {
    const { stdin } = this.#child;
    return new Promise((resolve) => {
      if (stdin === null || this.#broken || stdin.writableLength === 0) return resolve();
      const done = (): void => {
        stdin.off('drain', done);
        stdin.off('close', done);
        resolve();
      };
      stdin.on('drain', done);
      stdin.on('close', done);
    });
  }

  *close(): Io<void> {
    this.#child.stdin?.end();
    yield* wait(() => this.#ended);
    if (this.#broken && this.#failing) throw new Posix('EPIPE', {}, 'the command after | does not read any more');
  }
}

/** A folder that only this user can enter, and that goes in the end. */
export function withTemporaryFolder<T>(use: (folder: string) => T): T {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'guestless-fish-'));
  try {
    return use(folder);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs a program on a file; its exit status. The program may be written with options. */
export function runOn(program: string, file: string): number {
  const { status, error } = childProcess().spawnSync(SHELL, ['-c', `${program} "$1"`, program, file], { stdio: 'inherit' });
  if (error !== undefined) throw posixError(error, program);
  return status ?? 1;
}

/** Lets the user edit bytes; undefined when they stay the same. Throws Posix when the program fails. */
export function edit(program: string, name: string, contents: Bytes): Bytes | undefined {
  return withTemporaryFolder((folder) => {
    // The name is the guest's; an editor goes by its ending.
    const plain =
      name
        .replace(/[^A-Za-z0-9._+-]/g, '_')
        .replace(/^\.+$/, '_')
        .slice(-100) || 'file';
    const file = path.join(folder, plain);
    fs.writeFileSync(hostPath(file), contents, { mode: 0o600 });
    const status = runOn(program, file);
    if (status !== 0) throw new Posix('EIO', {}, `${program} ended with status ${status}; nothing was changed`);
    const after = fs.readFileSync(hostPath(file));
    return after.equals(contents) ? undefined : after;
  });
}
