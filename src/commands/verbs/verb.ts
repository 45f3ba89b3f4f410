/** What a verb is: one function of the libguestfs API, over a {@link Handle}. */
import type { Io } from '../../io/effect.ts';
import type { Calls } from '../api/calls.ts';
import type { Handle } from './handle.ts';

export type VerbName = keyof Calls;

export interface Verb<A, R> {
  /** One line, without a full stop. */
  readonly summary: string;
  /**
   * Does the work. What every function of the API asks of its arguments (paths begin with `/`, something is mounted, devices are there and
   * named /dev/sdX) holds already. Throws Posix for what a kernel would answer, Unsupported, Corrupt, Refused.
   */
  run(handle: Handle, args: A): Io<R>;
}

/** Verbs by name, their arguments and results typed by the API. */
export type Verbs = { readonly [N in VerbName]?: Verb<Calls[N]['args'], Calls[N]['result']> };

/** A verb whose types are no longer known: its arguments were checked against the facts of the API. */
export type AnyVerb = Verb<Readonly<Record<string, unknown>>, unknown>;
