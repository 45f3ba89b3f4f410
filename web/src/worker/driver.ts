/** The driver of the worker: steps that can be done at once are, and now and then the worker hears its messages. */
import { type AbortSignalLike, type Effect, Flush, type Io, Read, Truncate, Write } from '../../../src/io/index.ts';

/** Work goes on for so long before messages are heard. */
const TURN_MS = 25;

const channel = new MessageChannel();
const waiting: (() => void)[] = [];
channel.port1.onmessage = () => waiting.shift()?.();

/** Lets the messages that wait be heard. */
export function breathe(): Promise<void> {
  return new Promise((resolve) => {
    waiting.push(resolve);
    channel.port2.postMessage(0);
  });
}

/** Breathes when the turn is over. */
export class Turn {
  #began = performance.now();

  get over(): boolean {
    return performance.now() - this.#began > TURN_MS;
  }

  async next(): Promise<void> {
    await breathe();
    this.#began = performance.now();
  }
}

/** Runs a computation; other calls may go on meanwhile. */
export async function run<T>(io: Io<T>, signal?: AbortSignalLike): Promise<T> {
  const turn = new Turn();
  let step = io.next();
  while (step.done !== true) {
    let reply: unknown;
    try {
      if (turn.over) await turn.next();
      signal?.throwIfAborted();
      reply = isAtHand(step.value) ? step.value.sync() : await step.value.async(signal);
    } catch (error) {
      step = io.throw(error);
      continue;
    }
    step = io.next(reply);
  }
  return step.value;
}

/** Locks and the like have to be waited for even where files need not. */
function isAtHand(effect: Effect<unknown>): boolean {
  return (
    effect.waits !== true && (effect instanceof Read || effect instanceof Write || effect instanceof Truncate || effect instanceof Flush)
  );
}
