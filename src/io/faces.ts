/** The synchronous and asynchronous faces of an object whose methods return {@link Io}: written once, by types and one wrapper. */
import { runAsync, runSync } from './drivers.ts';
import type { AbortSignalLike, Io } from './effect.ts';

/** The getters of faces stand aside: their types are made of these. */
type Keys<T> = Exclude<keyof T, 'sync' | 'async'>;

type Method = (...parameters: never[]) => unknown;

/** The methods of `T` that do I/O, each giving its result at once. */
export type SyncFace<T> = {
  readonly [K in Keys<T> as T[K] extends (...parameters: never[]) => Io<unknown> ? K : never]: T[K] extends (
    ...parameters: infer P
  ) => Io<infer R>
    ? (...parameters: P) => R
    : never;
};

/** The methods of `T` that do I/O, each giving a promise. */
export type AsyncFace<T> = {
  readonly [K in Keys<T> as T[K] extends (...parameters: never[]) => Io<unknown> ? K : never]: T[K] extends (
    ...parameters: infer P
  ) => Io<infer R>
    ? (...parameters: P) => Promise<R>
    : never;
};

function face<T extends object>(target: T, run: (io: Io<unknown>) => unknown): unknown {
  const bound = new Map<PropertyKey, unknown>();
  return new Proxy(target, {
    get(object, key) {
      const known = bound.get(key);
      if (known !== undefined) return known;
      const method = Reflect.get(object, key, object) as unknown;
      if (typeof method !== 'function') return undefined;
      const wrapped = (...parameters: never[]): unknown => run((method as Method).apply(object, parameters) as Io<unknown>);
      bound.set(key, wrapped);
      return wrapped;
    },
  });
}

/** `syncFace(x).f(a)` is `runSync(x.f(a))` for every method `f` that returns an Io. */
export function syncFace<T extends object>(target: T): SyncFace<T> {
  return face(target, runSync) as SyncFace<T>;
}

/** `asyncFace(x).f(a)` is `runAsync(x.f(a), signal)` for every method `f` that returns an Io. */
export function asyncFace<T extends object>(target: T, signal?: AbortSignalLike): AsyncFace<T> {
  return face(target, (io) => runAsync(io, signal)) as AsyncFace<T>;
}

/** An asynchronous face whose calls are handed to `run` instead of being started at once. */
export function submittingFace<T extends object>(target: T, run: (io: Io<unknown>) => Promise<unknown>): AsyncFace<T> {
  return face(target, run) as AsyncFace<T>;
}
