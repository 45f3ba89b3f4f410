/** Handlers that a script registers for what happens, and running them. */
import type { Io } from '../io/effect.ts';
import { ShellError } from './error.ts';
import type { ShellHost } from './host.ts';

/** The events of libguestfs, in the order of their bits. */
const EVENTS = [
  'close',
  'subprocess_quit',
  'launch_done',
  'progress',
  'appliance',
  'library',
  'trace',
  'enter',
  'libvirt_auth',
  'warning',
] as const;

export type EventName = (typeof EVENTS)[number];

interface EventHandler {
  readonly id: number;
  readonly name: string;
  readonly events: readonly EventName[];
  readonly script: string;
}

export class Events {
  #handlers: readonly EventHandler[] = [];
  #next = 0;

  /** Registers a script of the host's shell for events, named with commas between them; `*` is all. Throws {@link ShellError}. */
  add(name: string, set: string, script: string): void {
    const named = set === '*' ? EVENTS : set.split(',').map(eventOf);
    const events = EVENTS.filter((event) => named.includes(event));
    this.#handlers = [...this.#handlers, { id: this.#next++, name, events, script }];
  }

  /** Throws {@link ShellError} when there is none of that name. */
  remove(name: string): void {
    const left = this.#handlers.filter((handler) => handler.name !== name);
    if (left.length === this.#handlers.length) throw new ShellError(`there is no event handler named "${name}"`);
    this.#handlers = left;
  }

  /** One line for each, the newest first. */
  list(): string {
    return [...this.#handlers]
      .reverse()
      .map(({ id, name, events, script }) => `"${name}" (${id}): ${events.length === EVENTS.length ? '*' : events.join(',')}: ${script}\n`)
      .join('');
  }

  listens(event: EventName): boolean {
    return this.#handlers.some((handler) => handler.events.includes(event));
  }

  /** Runs the scripts for an event, with its parameters as `$1`, `$2`, ..., its name in `$EVENT`. */
  *raise(host: ShellHost, event: EventName, parameters: readonly string[]): Io<void> {
    for (const handler of this.#handlers) {
      if (handler.events.includes(event)) yield* host.system(handler.script, { EVENT: event }, parameters);
    }
  }
}

function eventOf(name: string): EventName {
  const event = EVENTS.find((one) => one === name);
  if (event === undefined) throw new ShellError(`there is no event "${name}"; there are ${EVENTS.join(', ')}, and * for all`);
  return event;
}
