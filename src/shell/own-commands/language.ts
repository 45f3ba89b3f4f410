/** Commands about commands, and about the program itself. */
import { GROUPS } from '../../commands/api/functions.ts';
import { AVAILABLE_GROUPS } from '../../commands/verbs/groups.ts';
import { Posix } from '../../errors.ts';
import { AlreadyTold, ShellError } from '../error.ts';
import { globWords } from '../glob.ts';
import { CallError, type OwnCommand } from '../session.ts';

export const languageCommands: readonly OwnCommand[] = [
  {
    names: ['quit', 'exit', 'q'],
    usage: '',
    summary: 'ends the shell; changes are written into the images',
    // biome-ignore lint/correctness/useYield: only remembers
    *run(session) {
      session.ended = true;
    },
  },
  {
    names: ['echo'],
    usage: '[WORD ...]',
    summary: 'prints words',
    *run(session, words) {
      yield* session.print(`${words.join(' ')}\n`);
    },
  },
  {
    names: ['glob'],
    usage: 'COMMAND [ARGUMENT ...]',
    summary: 'runs a command for each guest file that its arguments match, as in rm-rf /home/*',
    *run(session, [name, ...words]) {
      if (name === undefined) throw new ShellError('glob needs a command: glob COMMAND [ARGUMENT ...]');
      let failed = false;
      for (const one of yield* globWords(session, words)) {
        try {
          yield* session.run(name, one);
        } catch (error) {
          if (!session.forgiving || !(error instanceof ShellError || error instanceof CallError)) throw error;
          session.complain(error);
          failed = true;
        }
      }
      if (failed) throw new AlreadyTold();
    },
  },
  {
    names: ['time'],
    usage: 'COMMAND [ARGUMENT ...]',
    summary: 'runs a command and tells how long it took',
    *run(session, [name, ...words]) {
      if (name === undefined) throw new ShellError('time needs a command: time COMMAND [ARGUMENT ...]');
      const start = session.host.clock();
      yield* session.run(name, words);
      yield* session.print(`elapsed time: ${((session.host.clock() - start) / 1000).toFixed(2)} seconds\n`);
    },
  },
  {
    names: ['lcd'],
    usage: 'FOLDER',
    summary: "changes the shell's folder on the host",
    *run(session, words) {
      const [folder] = words;
      if (folder === undefined || words.length !== 1) throw new ShellError('lcd takes one folder of the host');
      try {
        yield* session.host.changeFolder(folder);
      } catch (error) {
        throw error instanceof Posix ? new ShellError(error.message) : error;
      }
    },
  },
  {
    names: ['setenv'],
    usage: 'VARIABLE VALUE',
    summary: 'sets a variable of the environment',
    // biome-ignore lint/correctness/useYield: only remembers
    *run(session, words) {
      const [name, value] = words;
      if (name === undefined || name === '' || value === undefined || words.length !== 2)
        throw new ShellError('setenv takes VARIABLE VALUE');
      session.host.setEnvironment(name, value);
    },
  },
  {
    names: ['unsetenv'],
    usage: 'VARIABLE',
    summary: 'takes a variable out of the environment',
    // biome-ignore lint/correctness/useYield: only remembers
    *run(session, words) {
      const [name] = words;
      if (name === undefined || name === '' || words.length !== 1) throw new ShellError('unsetenv takes one VARIABLE');
      session.host.setEnvironment(name, undefined);
    },
  },
  {
    names: ['supported'],
    usage: '',
    summary: 'lists the groups of functions that can be missing, and which are here',
    *run(session, words) {
      if (words.length > 0) throw new ShellError('supported takes no arguments');
      const groups = [...GROUPS].sort();
      const width = Math.max(...groups.map((group) => group.length));
      yield* session.print(groups.map((group) => `${group.padStart(width)} ${AVAILABLE_GROUPS.has(group) ? 'yes' : 'no'}\n`).join(''));
    },
  },
  {
    names: ['reopen'],
    usage: '',
    summary: 'writes changes into the images, forgets the drives and begins anew; settings stay',
    *run(session, words) {
      if (words.length > 0) throw new ShellError('reopen takes no arguments');
      yield* session.shutdown();
    },
  },
];
