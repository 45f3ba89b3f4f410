/** Copying pieces of files with several threads: this one and, where there are more processors, helpers. */
import * as fs from 'node:fs';
import * as os from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Worker } from 'node:worker_threads';
import { Posix } from '../../errors.ts';
import { nodeCodecs } from './codecs.ts';
import { type CopyPiece, PIECE_FIELDS, PieceCopier, storePiece } from './copy-pieces.ts';
import { ACTIVE, batchEnd, CAPACITY, COUNTERS, type CopyShare, copyBatch, FAILED, NEXT, PUBLISHED, STOP } from './copy-queue.ts';

const MAX_HELPERS = 3;
/** Pieces that become visible to the other threads together. */
const PUBLISH = 64;
/** How long this thread works before it lets the outside world have a word, in milliseconds. */
const SLICE = 20;
const MAX_PIECES: number = 2 ** 31 - CAPACITY;

const pause = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const moment = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1));

/** The helper's code: beside this file as built, or beside the bundle. Undefined when neither is there (sources that run unbuilt). */
function helperFile(): string | undefined {
  return ['copy-worker.cjs', 'copy-worker.js']
    .map((name) => fileURLToPath(new URL(name, import.meta.url)))
    .find((file) => fs.existsSync(file));
}

/**
 * Copies pieces into the file behind the descriptor `target`, runs of `unit` zero bytes left out. `explain` is called with a piece whose
 * copying failed, to throw the error that says why. `next` gives the pieces, and undefined at their end; what it throws ends the work in good order.
 */
export async function copyPieces(
  next: () => CopyPiece | undefined,
  target: number,
  unit: number,
  explain: (piece: number) => void,
  onProgress: (done: number) => void,
): Promise<void> {
  const share: CopyShare = {
    control: new Int32Array(new SharedArrayBuffer(COUNTERS * 4)),
    table: new Float64Array(new SharedArrayBuffer(CAPACITY * PIECE_FIELDS * 8)),
    target,
    unit,
  };
  const { control, table } = share;
  const copier = new PieceCopier(table, target, unit, nodeCodecs);
  const helpers = new Helpers(share);
  let published = 0;
  const publish = (count: number): void => {
    published = count;
    Atomics.store(control, PUBLISHED, count);
    Atomics.notify(control, PUBLISHED);
  };
  let last = Date.now();
  const drain = async (): Promise<void> => {
    while (copyBatch(control, copier)) {
      if (Date.now() - last < SLICE) continue;
      onProgress(Math.max(0, Atomics.load(control, NEXT) - 1));
      await pause();
      last = Date.now();
    }
    while (Atomics.load(control, ACTIVE) > 0) {
      helpers.check();
      await moment();
    }
    const failed = Atomics.load(control, FAILED);
    if (failed === 0) return;
    for (let piece = failed - 1; piece < batchEnd(failed - 1, published); piece++) explain(piece);
    throw new Posix('EIO', {}, 'copying failed in one thread and went well when it was tried again');
  };
  try {
    let count = 0;
    for (let piece = next(); piece !== undefined; piece = next()) {
      if (count > 0 && count % CAPACITY === 0) {
        publish(count);
        await drain();
      } else if (count % PUBLISH === 0) publish(count);
      if (count >= MAX_PIECES) throw new Posix('EFBIG', {}, 'too many pieces');
      storePiece(table, count++ % CAPACITY, piece);
    }
    publish(count);
    await drain();
  } finally {
    await helpers.stop();
  }
}

/** The helping threads. */
class Helpers {
  readonly #share: CopyShare;
  readonly #threads: Promise<void>[] = [];
  #died = false;

  constructor(share: CopyShare) {
    this.#share = share;
    const file = helperFile();
    const processors = os.availableParallelism();
    // This thread also enumerates the pieces and listens, so two helpers keep two processors busy.
    const count = processors === 1 ? 0 : Math.min(MAX_HELPERS, Math.max(2, processors - 1));
    if (file === undefined) return;
    const threads = process.getBuiltinModule('node:worker_threads');
    for (let i = 0; i < count; i++) {
      const thread: Worker = new threads.Worker(file, { workerData: share, execArgv: [] });
      this.#threads.push(
        new Promise((resolve) => {
          thread.once('error', () => {
            this.#died = true;
          });
          thread.once('exit', () => resolve());
        }),
      );
    }
  }

  /** Throws when a thread died, with the work that it held: what it left is unknown. */
  check(): void {
    if (this.#died) throw new Posix('EIO', {}, 'a thread ended unexpectedly');
  }

  async stop(): Promise<void> {
    const { control } = this.#share;
    Atomics.store(control, STOP, 1);
    Atomics.notify(control, PUBLISHED);
    await Promise.all(this.#threads);
    this.#threads.length = 0;
  }
}
