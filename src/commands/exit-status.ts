/** Exit statuses of errors where a command gives the usual numbers another meaning. */
import { GuestlessError } from '../errors.ts';
import type { Io } from '../io/effect.ts';

const statuses = new WeakMap<GuestlessError, number>();

/** Runs `body`; an error that leaves it ends the command with `status`. The first one that says so counts. */
export function* failingWith<T>(status: number | ((error: GuestlessError) => number), body: Io<T>): Io<T> {
  try {
    return yield* body;
  } catch (error) {
    if (error instanceof GuestlessError && !statuses.has(error)) statuses.set(error, typeof status === 'number' ? status : status(error));
    throw error;
  }
}

/** The exit status that was given to an error; undefined when that of its family counts. */
export function exitStatusOf(error: GuestlessError): number | undefined {
  return statuses.get(error);
}
