/** Programs of WASI on Node.js. */
import * as fs from 'node:fs';
import type { Bytes } from '../bytes/struct.ts';
import type { ProgramOptions } from '../commands/host.ts';
import { Posix } from '../errors.ts';
import type { EditableTree } from '../guest/edit.ts';
import { clock } from '../platform/node/clock.ts';
import { runProgram as runOver, StandardStream } from '../wasi/index.ts';
import { writeAll } from './output.ts';

/** A standard stream of this process. */
function stream(descriptor: number): StandardStream {
  return new StandardStream(descriptor, { read: (size) => read(descriptor, size), write: (data) => writeAll(descriptor, data) });
}

function read(descriptor: number, size: number): Bytes {
  const target = new Uint8Array(size);
  for (;;) {
    try {
      return target.subarray(0, fs.readSync(descriptor, target));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EOF') return target.subarray(0, 0);
      if (code !== 'EAGAIN') throw new Posix('EIO', {}, 'the input cannot be read', { cause: error });
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}

/** Runs a program to its end; its exit status. Throws Unsupported for what is no program of WASI preview 1, Posix EIO when it traps. */
export function runProgram(tree: EditableTree, program: Bytes, options: ProgramOptions): number {
  return runOver(tree, (imports) => new WebAssembly.Instance(new WebAssembly.Module(program), imports), {
    ...options,
    stdin: stream(0),
    stdout: stream(1),
    stderr: stream(2),
    now: clock,
  });
}
