/**
 * Standard output and standard error, written synchronously.
 *
 * Here and in its neighbours `process` is the global one, and modules of Node.js that not every call needs are taken when they are needed:
 * importing them costs milliseconds, as that touches all their exports, `process.stdin` among them.
 */
import * as fs from 'node:fs';
import type { Bytes } from '../bytes/struct.ts';
import { escapeControls, type Output } from '../commands/output.ts';
import { type Io, perform } from '../io/effect.ts';
import { posixError } from '../platform/node/file.ts';

/** Nobody reads what is written any more; the program ends without a word. */
export class ClosedPipe extends Error {}

const pause = new Int32Array(new SharedArrayBuffer(4));

/** Waits a moment: a pipe that does not block may be full. */
export function wait(milliseconds: number): void {
  Atomics.wait(pause, 0, 0, milliseconds);
}

/** The major device number of /dev/null and its like. */
const MEMORY_DEVICES = 1;

/** Whether a descriptor is a terminal. node:tty takes milliseconds to load, so it is asked only about what can be one. */
export function isTerminal(descriptor: number): boolean {
  try {
    const stat = fs.fstatSync(descriptor);
    if (!stat.isCharacterDevice() || Math.floor(stat.rdev / 256) === MEMORY_DEVICES) return false;
  } catch {
    return false;
  }
  return process.getBuiltinModule('node:tty').isatty(descriptor);
}

/** Writes all bytes to a descriptor, waiting while it is full. */
export function writeAll(descriptor: number, bytes: Bytes): void {
  for (let done = 0; done < bytes.length; ) {
    try {
      done += fs.writeSync(descriptor, bytes, done);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EPIPE') throw new ClosedPipe();
      if (code !== 'EAGAIN') throw posixError(error, 'standard output');
      wait(2);
    }
  }
}

export class StandardOutput implements Output {
  readonly terminal: boolean = isTerminal(1);
  readonly json: boolean;

  constructor(json: boolean) {
    this.json = json;
  }

  print(text: string): void {
    writeAll(1, Buffer.from(text));
  }

  *write(bytes: Bytes): Io<void> {
    yield* perform({ sync: () => writeAll(1, bytes), async: async () => writeAll(1, bytes) });
  }
}

/** One line on standard error; control characters of guest names are escaped unless it is JSON, which has its own escapes. */
export function say(line: string, plain = false): void {
  try {
    fs.writeSync(2, `${plain ? line : escapeControls(line)}\n`);
  } catch {
    // Nobody listens.
  }
}
