/** Scripts of the host for what happens. */
import { ShellError } from '../error.ts';
import type { OwnCommand } from '../session.ts';

export const eventCommands: readonly OwnCommand[] = [
  {
    names: ['event'],
    usage: 'NAME EVENT[,EVENT...] SCRIPT',
    summary: "runs a script of the host's shell whenever one of the events happens; * is all events",
    // biome-ignore lint/correctness/useYield: only remembers
    *run(session, words) {
      const [name, set, script] = words;
      if (name === undefined || set === undefined || script === undefined || words.length !== 3) {
        throw new ShellError('event takes NAME EVENT[,EVENT...] SCRIPT');
      }
      session.events.add(name, set, script);
    },
  },
  {
    names: ['delete-event'],
    usage: 'NAME',
    summary: 'takes away the scripts of a name',
    // biome-ignore lint/correctness/useYield: only remembers
    *run(session, words) {
      const [name] = words;
      if (name === undefined || words.length !== 1) throw new ShellError('delete-event takes one NAME');
      session.events.remove(name);
    },
  },
  {
    names: ['list-events'],
    usage: '',
    summary: 'lists the scripts that wait for events',
    *run(session, words) {
      if (words.length > 0) throw new ShellError('list-events takes no arguments');
      yield* session.print(session.events.list());
    },
  },
];
