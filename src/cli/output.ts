/** Standard output and standard error, written synchronously. */
import * as fs from 'node:fs';
import * as tty from 'node:tty';
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
  readonly terminal: boolean = tty.isatty(1);
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
