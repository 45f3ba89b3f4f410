/** The page's end of the line to the worker. */
import type { CallName, Calls, Failure, FromWorker, ToWorker } from './protocol.ts';

/** A call that failed, as the worker told it. */
export class CallFailed extends Error {
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failure.message);
    this.name = 'CallFailed';
    this.failure = failure;
  }
}

interface Waiting {
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
  readonly part: ((value: never) => void) | undefined;
}

const worker = new Worker(new URL('./worker/worker.ts', import.meta.url), { type: 'module' });
const waiting = new Map<number, Waiting>();
let last = 0;

worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
  const call = waiting.get(data.id);
  if (call === undefined) return;
  if ('part' in data) call.part?.(data.part as never);
  else {
    waiting.delete(data.id);
    if ('failure' in data) call.reject(new CallFailed(data.failure));
    else call.resolve(data.value as never);
  }
};

worker.onerror = (event) => {
  const message = `the part of the page that holds the disk broke: ${event.message || 'it could not be started'}`;
  for (const { reject } of waiting.values()) reject(new CallFailed({ message, family: 'bug', code: 'BUG' }));
  waiting.clear();
};

export interface CallOptions<N extends CallName> {
  readonly part?: (value: Calls[N]['part']) => void;
  readonly signal?: AbortSignal;
}

/** Asks the worker. Rejects with {@link CallFailed}. */
export function call<N extends CallName>(name: N, args: Calls[N]['args'], options: CallOptions<N> = {}): Promise<Calls[N]['result']> {
  const id = ++last;
  return new Promise((resolve, reject) => {
    waiting.set(id, { resolve, reject, part: options.part });
    options.signal?.addEventListener('abort', () => post({ cancel: id }), { once: true });
    post({ id, name, args });
  });
}

function post(message: ToWorker): void {
  worker.postMessage(message);
}
