/** Programs of WASI on Node.js. */
import * as fs from 'node:fs';
import { Fd, wasi } from '@bjorn3/browser_wasi_shim';
import type { Bytes } from '../bytes/struct.ts';
import type { ProgramOptions } from '../commands/host.ts';
import { Posix, Unsupported } from '../errors.ts';
import type { EditableTree } from '../guest/edit.ts';
import { clock } from '../platform/node/clock.ts';
import { fdstat, WasiProgram } from '../wasi/index.ts';
import { writeAll } from './output.ts';

/** A standard stream of this process. */
class Stream extends Fd {
  readonly #descriptor: number;

  constructor(descriptor: number) {
    super();
    this.#descriptor = descriptor;
  }

  override fd_fdstat_get(): { ret: number; fdstat: wasi.Fdstat } {
    return { ret: wasi.ERRNO_SUCCESS, fdstat: fdstat(wasi.FILETYPE_CHARACTER_DEVICE, 0) };
  }

  override fd_filestat_get(): { ret: number; filestat: wasi.Filestat } {
    return { ret: wasi.ERRNO_SUCCESS, filestat: new wasi.Filestat(BigInt(this.#descriptor), wasi.FILETYPE_CHARACTER_DEVICE, 0n) };
  }

  override fd_read(size: number): { ret: number; data: Bytes } {
    const target = new Uint8Array(Math.min(size, 1 << 20));
    for (;;) {
      try {
        return { ret: wasi.ERRNO_SUCCESS, data: target.subarray(0, fs.readSync(this.#descriptor, target)) };
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === 'EOF') return { ret: wasi.ERRNO_SUCCESS, data: target.subarray(0, 0) };
        if (code !== 'EAGAIN') return { ret: wasi.ERRNO_IO, data: target.subarray(0, 0) };
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
      }
    }
  }

  override fd_write(data: Bytes): { ret: number; nwritten: number } {
    writeAll(this.#descriptor, data);
    return { ret: wasi.ERRNO_SUCCESS, nwritten: data.length };
  }
}

/** Runs a program to its end; its exit status. Throws Unsupported for what is no program of WASI preview 1, Posix EIO when it traps. */
export function runProgram(tree: EditableTree, program: Bytes, options: ProgramOptions): number {
  const guest = new WasiProgram(tree, { ...options, stdin: new Stream(0), stdout: new Stream(1), stderr: new Stream(2), now: clock });
  let instance: Parameters<WasiProgram['run']>[0];
  try {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(program), guest.imports);
    if (typeof exports['_start'] !== 'function') throw new TypeError('it has no _start');
    instance = { exports } as unknown as typeof instance;
  } catch (error) {
    throw new Unsupported(
      'this program',
      `this is no program of WASI preview 1: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  try {
    return guest.run(instance);
  } catch (error) {
    if (error instanceof Error && error.name === 'RuntimeError') throw new Posix('EIO', {}, `the program failed: ${error.message}`);
    throw error;
  }
}
