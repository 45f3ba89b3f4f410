/** Programs of WASI on the disk that is open, each in a worker of its own. */

import { removeTemporary } from '../../../src/platform/browser/index.ts';
import type { Calls, Failure } from '../protocol.ts';
import { changesInFile, takeChanges } from './changes-file.ts';
import type { OpenDisk } from './open-disk.ts';
import { traffic } from './sources.ts';

/** The name by which a worker knows that it is here for a program. */
export const PROGRAM_WORKER = 'program';

/** What an image was opened from. */
export interface Origin {
  readonly files: readonly File[];
  readonly url: string | undefined;
}

/** What the program's worker is told. */
export interface ProgramTask extends Origin {
  readonly root: string | undefined;
  /** The changes so far. */
  readonly changes: Blob | undefined;
  readonly program: Calls['program']['args']['program'];
  readonly words: readonly string[];
  readonly env: readonly string[];
  readonly input: string;
}

/** How a program ended: with a status, or with a failure. */
export interface ProgramEnd {
  readonly status?: number;
  readonly failure?: Failure;
  /** All changes of the disk, where there are any. */
  readonly changes?: Blob;
  readonly traffic: typeof traffic;
}

export type FromProgram = { readonly output: Uint8Array<ArrayBuffer>; readonly error: boolean } | { readonly end: ProgramEnd };

/** Runs a program to its end, or until the signal; then nothing of what it did remains. Nobody else may change the disk meanwhile. */
export async function runProgram(
  disk: OpenDisk,
  origin: Origin,
  { program, words, env, input }: Calls['program']['args'],
  part: (part: Calls['program']['part']) => void,
  signal: AbortSignal,
): Promise<Calls['program']['result']> {
  const changes = await changesInFile(disk);
  const { root } = disk.describe();
  // The script of this worker once more: what both need is fetched once.
  const worker = new Worker(self.location.href, { type: 'module', name: PROGRAM_WORKER });
  try {
    const task: ProgramTask = { ...origin, root, changes, program, words, env, input };
    const { status, failure, changes: after, traffic: more } = await ended(worker, task, part, signal);
    traffic.read += more.read;
    traffic.requests += more.requests;
    if (after !== undefined) {
      await takeChanges(disk, after);
      await removeTemporary(after);
    }
    return { ...(status === undefined ? {} : { status }), ...(failure === undefined ? {} : { failure }) };
  } finally {
    worker.terminate();
    if (changes !== undefined) await removeTemporary(changes);
  }
}

function ended(
  worker: Worker,
  task: ProgramTask,
  part: (part: Calls['program']['part']) => void,
  signal: AbortSignal,
): Promise<ProgramEnd> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason);
    if (signal.aborted) return stop();
    signal.addEventListener('abort', stop, { once: true });
    worker.onmessage = ({ data }: MessageEvent<FromProgram>) => {
      if ('end' in data) resolve(data.end);
      else part({ bytes: data.output, error: data.error });
    };
    worker.onerror = (event) => reject(new Error(event.message || 'the worker of the program could not be started'));
    worker.postMessage(task);
  });
}
