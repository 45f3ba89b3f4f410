/** A transaction whose body is an asynchronous function of the caller. */
import { Refused } from '../errors.ts';
import { runAsync } from '../io/drivers.ts';
import { type Io, perform } from '../io/effect.ts';
import { type AsyncFace, submittingFace } from '../io/faces.ts';
import type { EditableTree } from './edit.ts';

interface Request {
  readonly io: Io<unknown>;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** A tree inside of a transaction; a transaction in it is a part of that one which can fail alone. */
export type TransactionTree<R extends EditableTree> = Omit<AsyncFace<R>, 'transaction'> & {
  transaction<T>(body: (tree: TransactionTree<R>) => Promise<T>): Promise<T>;
};

/**
 * Runs `body` as one transaction of a tree: what it does through the tree that it is given happens as a whole, or not at all when it
 * rejects. Calls on the tree itself meanwhile wait for the end: a body that awaits one of those waits for ever.
 */
export function transactionAsync<R extends EditableTree, T>(tree: R, body: (tree: TransactionTree<R>) => Promise<T>): Promise<T> {
  return runAsync(transaction(tree, body));
}

function* transaction<R extends EditableTree, T>(tree: R, body: (tree: TransactionTree<R>) => Promise<T>): Io<T> {
  const requests: Request[] = [];
  let outcome: { readonly value: T } | { readonly error: unknown } | undefined;
  let wake = (): void => {};
  const submit = (io: Io<unknown>): Promise<unknown> => {
    if (outcome !== undefined) return Promise.reject(new Refused('the transaction is over'));
    return new Promise((resolve, reject) => {
      requests.push({ io, resolve, reject });
      wake();
    });
  };
  const inner = (nested: (tree: TransactionTree<R>) => Promise<unknown>): Promise<unknown> => submit(transaction(tree, nested));
  const inside = new Proxy(submittingFace(tree, submit), {
    get: (face, key) => (key === 'transaction' ? inner : Reflect.get(face, key)),
  }) as TransactionTree<R>;
  const start = (): void => {
    const end = (result: typeof outcome): void => {
      outcome = result;
      wake();
    };
    body(inside).then(
      (value) => end({ value }),
      (error: unknown) => end({ error }),
    );
  };
  function* serve(): Io<T> {
    start();
    for (;;) {
      const request = requests.shift();
      if (request !== undefined) yield* answer(request);
      else if (outcome === undefined) {
        yield* perform({
          sync: () => {
            throw new Refused('an asynchronous transaction cannot run synchronously');
          },
          async: () =>
            new Promise<void>((resolve) => {
              wake = resolve;
              if (requests.length > 0 || outcome !== undefined) resolve();
            }),
        });
      } else if ('error' in outcome) throw outcome.error;
      else return outcome.value;
    }
  }
  return yield* tree.transaction(serve);
}

function* answer({ io, resolve, reject }: Request): Io<void> {
  try {
    resolve(yield* io);
  } catch (error) {
    reject(error);
  }
}
