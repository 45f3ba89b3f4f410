/** A program of WASI with a guest for its file system. */
import { type Fd, WASI, WASIProcExit } from '@bjorn3/browser_wasi_shim';
import { encodeName } from '../bytes/text.ts';
import { Posix, Unsupported } from '../errors.ts';
import type { Timestamp } from '../filesystem/filesystem.ts';
import type { EditableTree } from '../guest/edit.ts';
import { GuestDirectory } from './directory.ts';
import { WasiGuest } from './guest.ts';
import { overwritePathImports } from './imports.ts';

export interface WasiOptions {
  /** The words of the command line, the program's name first. */
  readonly args: readonly string[];
  /** `NAME=VALUE`. */
  readonly env?: readonly string[];
  readonly stdin: Fd;
  readonly stdout: Fd;
  readonly stderr: Fd;
  /** Directories of the guest that the program finds, under their own names; default the root. */
  readonly preopens?: readonly string[];
  readonly now: () => Timestamp;
}

/** A program that is about to run over a guest. The tree has to work synchronously. */
export class WasiProgram {
  readonly #guest: WasiGuest;
  readonly wasi: WASI;

  constructor(tree: EditableTree, options: WasiOptions) {
    this.#guest = new WasiGuest(tree, options.now);
    const preopens = (options.preopens ?? ['/']).map((path) => new GuestDirectory(this.#guest, encodeName(path), path));
    const { stdin, stdout, stderr } = options;
    this.wasi = new WASI([...options.args], [...(options.env ?? [])], [stdin, stdout, stderr, ...preopens], { debug: false });
    overwritePathImports(this.wasi);
  }

  /** For `WebAssembly.instantiate`. */
  get imports(): { readonly wasi_snapshot_preview1: WASI['wasiImport'] } {
    return { wasi_snapshot_preview1: this.wasi.wasiImport };
  }

  /** Runs an instance to its end; the exit status. A trap of the program is thrown as it comes. What it left open is closed. */
  run(instance: Parameters<WASI['start']>[0]): number {
    try {
      return this.wasi.start(instance);
    } catch (error) {
      if (error instanceof WASIProcExit) return error.code;
      throw error;
    } finally {
      this.close();
    }
  }

  /** Closes what is open; for programs that are not run to their end. */
  close(): void {
    this.#guest.closeAll();
  }
}

/** How engines name what a program does wrong: traps, recursion without end, addresses that it does not have. */
const TRAPS: ReadonlySet<string> = new Set(['RuntimeError', 'RangeError', 'TypeError']);

/** What a program gives, once it has its imports. */
export interface ProgramInstance {
  readonly exports: Readonly<Record<string, unknown>>;
}

/**
 * Runs a program that wants nothing but WASI to its end; its exit status. `instantiate` makes it of its imports: `WebAssembly` is the platform's.
 * Throws Unsupported for what is no program of WASI preview 1, Posix EIO when it traps.
 */
export function runProgram(
  tree: EditableTree,
  instantiate: (imports: WasiProgram['imports']) => ProgramInstance,
  options: WasiOptions,
): number {
  const program = new WasiProgram(tree, options);
  let instance: ProgramInstance;
  try {
    instance = instantiate(program.imports);
    if (typeof instance.exports['_start'] !== 'function') throw new TypeError('it has no _start');
    if (typeof instance.exports['memory'] !== 'object') throw new TypeError('it exports no memory');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Unsupported('this program', `this is no program of WASI preview 1: ${reason}`);
  }
  try {
    return program.run(instance as Parameters<WasiProgram['run']>[0]);
  } catch (error) {
    if (error instanceof Error && TRAPS.has(error.name))
      throw new Posix('EIO', {}, `the program failed: ${error.message}`, { cause: error });
    throw error;
  }
}
